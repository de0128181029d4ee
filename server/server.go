package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"twinbucket/batch"
	"twinbucket/cwapi"
	"twinbucket/iamsim"
	"twinbucket/internal/clock"
	"twinbucket/internal/quota"
	"twinbucket/internal/trail"
	"twinbucket/kmsapi"
	"twinbucket/lifecycle"
	"twinbucket/monitor"
	"twinbucket/notify"
	"twinbucket/quotasapi"
	"twinbucket/replicator"
	"twinbucket/s3api"
	"twinbucket/store"
	"twinbucket/store/blob"
	"twinbucket/store/kv/boltkv"
)

// Server is one emulator: its state, its services, its port.
type Server struct {
	cfg      Config
	clock    *clock.Domain
	trail    *trail.Trail
	limits   *quota.Limiter
	metrics  *metrics
	apis     map[string]api
	operator http.Handler

	root       *RootKey
	engine     *boltkv.Engine
	blobs      *blob.Dir
	iam        *iamsim.Service
	kms        *kmsapi.Service
	quotas     *quotasapi.Service
	store      *store.Store
	s3         *s3api.API
	replicator *replicator.Replicator
	cloudwatch *cwapi.Service
	monitor    *monitor.Monitor
	batch      *batch.Engine
	lifecycle  *lifecycle.Engine
	notifier   *notify.Notifier

	listener net.Listener
	http     *http.Server
	served   chan error

	closeOnce sync.Once
	closeErr  error
}

// New returns a Server; it opens nothing.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	return &Server{
		cfg: cfg, clock: &clock.Domain{}, trail: trail.New(cfg.TrailSize), limits: &quota.Limiter{},
		metrics: newMetrics(cfg.Version), served: make(chan error, 1),
	}
}

// Open opens the state, starts the services and listens. It fails synchronously:
// *boltkv.InUseError, *boltkv.UnwritableError or *boltkv.DamagedError for the data
// directory, *RootKeyError for its root key, *net.OpError for the address. On an error everything is closed again.
func (s *Server) Open(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := s.openState(); err != nil {
		return err
	}
	if err := s.openRootKey(ctx); err != nil {
		return err
	}
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen); err != nil {
		return err
	}
	if s.cfg.Data != "" {
		if err := s.engine.SetOwner("listening on " + s.listener.Addr().String()); err != nil {
			return err
		}
	}
	if err := s.openServices(ctx); err != nil {
		return err
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.dispatch),
		ReadHeaderTimeout: readHeaderTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	go func() { s.served <- s.http.Serve(s.listener) }() // ends with Shutdown or Close of s.http
	return nil
}

// openState opens the engine and the blob files of the data directory, or of a
// throw-away one.
func (s *Server) openState() (err error) {
	if s.cfg.Data == "" {
		if s.engine, err = boltkv.OpenMemory(); err != nil {
			return err
		}
		s.blobs, err = blob.OpenMemory()
		return err
	}
	if s.engine, err = boltkv.Open(s.cfg.Data, boltkv.Options{Owner: "starting"}); err != nil {
		return err
	}
	s.blobs, err = blob.OpenDir(blob.OS(filepath.Join(s.cfg.Data, "blobs")), blob.DirOptions{})
	return err
}

// openServices builds and opens what works on the state, in the order of dependence.
func (s *Server) openServices(ctx context.Context) error {
	c, log := s.cfg, s.cfg.Logger
	if err := s.openQuotas(); err != nil {
		return err
	}
	s.iam = iamsim.New(iamsim.Config{Engine: s.engine, Clock: s.clock, Rand: c.Rand, RootSecret: c.RootSecret, Issuers: c.OIDCIssuers, Record: s.record, Logger: log,
		Enforce: c.Enforce, Organization: c.Organization, OnSoftDenial: s.metrics.softDenial})
	if err := s.iam.Open(ctx); err != nil {
		return fmt.Errorf("opening IAM: %w", err)
	}
	s.kms = kmsapi.New(kmsapi.Config{Engine: s.engine, IAM: s.iam, Clock: s.clock, Limits: s.limits, RootKey: s.root, Rand: c.Rand, Record: s.record, Logger: log,
		ReplicaDelay: c.KMSReplicaDelay})
	if err := s.kms.Open(ctx); err != nil {
		return fmt.Errorf("opening KMS: %w", err)
	}
	s.store = store.New(store.Config{Engine: s.engine, Blobs: s.blobs, Clock: s.clock, Logger: log, Rand: c.Rand, RootKey: s.root})
	if err := s.store.Open(ctx); err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	var err error
	if s.notifier, err = notify.New(notify.Config{Endpoints: c.Notify, Clock: s.clock, Logger: log}); err != nil {
		return err
	}
	if err := s.notifier.Open(ctx); err != nil {
		return err
	}
	s3 := s3api.New(s3api.Config{
		Store: s.store, IAM: s.iam, Keys: keyService{s.kms}, KeyChecks: s.kms, Clock: s.clock, Rand: c.Rand, Record: s.record, Logger: log,
		Domains: c.Domains, StrictRegions: c.StrictRegions, BucketKeyTTL: c.BucketKeyTTL, Notify: s.notifier.Send,
	})
	s.replicator = replicator.New(replicator.Config{
		Queue: s.store, Roles: s.iam, Objects: s3, Clock: s.clock, Logger: log, Workers: c.Workers, Bandwidth: c.ReplicationBandwidth, OnEnd: s.ended,
		OnSettled: func(e store.Ended) { s.batch.Settled(e.Task) },
	})
	s.quotas = s.newServiceQuotas()
	if err := s.quotas.Open(ctx); err != nil {
		return fmt.Errorf("opening Service Quotas: %w", err)
	}
	s.metrics.registry.MustRegister(newStateCollector(s.store, s.limits, s.clock))
	s.lifecycle = lifecycle.New(lifecycle.Config{Store: s.store, Clock: s.clock, Logger: log, OnAction: announceLifecycle(s3)})
	if err := s.lifecycle.Open(ctx); err != nil {
		return err
	}
	s.cloudwatch = cwapi.New(cwapi.Config{IAM: s.iam, Clock: s.clock, Record: s.record, Logger: log})
	s.monitor = s.newMonitor(s3)
	if err := s.monitor.Open(ctx); err != nil {
		return err
	}
	s.s3 = s3
	s.batch = batch.New(batch.Config{
		Engine: s.engine, Versions: s.store, Objects: s3, Roles: s.iam, Clock: s.clock, Logger: log, Rand: c.Rand,
	})
	if err := s.batch.Open(ctx); err != nil {
		return fmt.Errorf("opening batch jobs: %w", err)
	}
	s.apis = map[string]api{"monitoring": s.cloudwatch, "s3": s3, "s3control": s3api.NewControl(s3).WithJobs(s.batch), "kms": s.kms, "servicequotas": s.quotas, "iam": s.iam, "sts": s.iam}
	s.operator = s.newOperator()
	return s.replicator.Open(ctx)
}

// keyService is KMS as S3 declares it.
type keyService struct{ *kmsapi.Service }

func (k keyService) GenerateDataKey(ctx context.Context, caller iamsim.Caller, region, keyID string, encCtx map[string]string) (s3api.DataKey, error) {
	key, err := k.Service.GenerateDataKey(ctx, caller, region, keyID, encCtx)
	return s3api.DataKey(key), err
}

// record takes every finished call of every service.
func (s *Server) record(e trail.Event, took time.Duration, cause error) {
	s.trail.Add(e)
	s.metrics.call(&e, took)
	level := slog.LevelDebug
	// Throttling and refused operations are answers, not faults.
	expected := e.ErrorCode == "SlowDown" || e.HTTPStatus == http.StatusNotImplemented
	if !expected && (cause != nil || e.HTTPStatus >= http.StatusInternalServerError) {
		level = slog.LevelError
	}
	if !s.cfg.Logger.Enabled(context.Background(), level) {
		return
	}
	s.cfg.Logger.Log(context.Background(), level, e.EventName, "service", e.EventSource, "caller", e.UserIdentity.ARN,
		"region", e.AWSRegion, "status", e.HTTPStatus, "code", e.ErrorCode, "took", took, "request", e.RequestID, "cause", cause)
}

// ended takes every finished replication attempt.
func (s *Server) ended(e replicator.Ended) {
	s.metrics.attempt(e)
	s.monitor.Ended(watched(&e))
	if e.Status == store.Failed {
		s.cfg.Logger.Warn("replication failed", "bucket", e.Task.Bucket, "key", e.Task.Key, "destination", e.Task.Rule.Destination.Bucket, "reason", e.Reason)
	}
}

// URL is the endpoint to give to clients.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Failed receives the error when serving ends by itself.
func (s *Server) Failed() <-chan error { return s.served }

// Reset empties the state of account, or everything when account is "".
func (s *Server) Reset(ctx context.Context, account string) error {
	err := errors.Join(s.batch.Reset(ctx, account), s.store.Reset(ctx, account), s.kms.Reset(ctx, account), s.quotas.Reset(ctx, account), s.iam.Reset(ctx, account))
	s.cloudwatch.Reset(account)
	if account == "" {
		s.trail.Reset()
		s.limits.Reset()
		s.replicator.Resume()
	}
	return err
}

// Check returns every broken invariant of the store.
func (s *Server) Check(ctx context.Context) []error { return s.store.Check(ctx) }

// Close stops listening, lets requests and attempts under way finish within the
// drain timeout, and closes the state. Further calls return the first one's result.
func (s *Server) Close(ctx context.Context) error {
	s.closeOnce.Do(func() { s.closeErr = s.shutdown(ctx) })
	return s.closeErr
}

func (s *Server) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.DrainTimeout)
	defer cancel()
	var errs []error
	if s.http != nil {
		if err := s.http.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("draining requests: %w", err), s.http.Close())
		}
	} else if s.listener != nil {
		errs = append(errs, s.listener.Close())
	}
	if s.batch != nil {
		errs = append(errs, s.batch.Close(ctx))
	}
	if s.replicator != nil {
		errs = append(errs, s.replicator.Close(ctx))
	}
	if s.monitor != nil {
		errs = append(errs, s.monitor.Close(ctx))
	}
	if s.lifecycle != nil {
		errs = append(errs, s.lifecycle.Close(ctx))
	}
	if s.notifier != nil {
		errs = append(errs, s.notifier.Close(ctx))
	}
	if s.store != nil {
		errs = append(errs, s.store.Close(ctx))
	}
	if s.quotas != nil {
		errs = append(errs, s.quotas.Close(ctx))
	}
	if s.kms != nil {
		errs = append(errs, s.kms.Close(ctx))
	}
	if s.iam != nil {
		errs = append(errs, s.iam.Close(ctx))
	}
	if s.blobs != nil {
		errs = append(errs, s.blobs.Close())
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	return errors.Join(errs...)
}
