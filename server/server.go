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

	"twinbucket/iamsim"
	"twinbucket/internal/clock"
	"twinbucket/internal/quota"
	"twinbucket/internal/trail"
	"twinbucket/kmsapi"
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

	engine     *boltkv.Engine
	blobs      *blob.Dir
	iam        *iamsim.Service
	kms        *kmsapi.Service
	store      *store.Store
	replicator *replicator.Replicator

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
// directory, *net.OpError for the address. On an error everything is closed again.
func (s *Server) Open(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := s.openState(); err != nil {
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
	if c.KMSPerSecond > 0 {
		if err := s.limits.Set(quota.Limit{Service: "kms", Quota: "symmetric", PerSecond: c.KMSPerSecond}); err != nil {
			return err
		}
	}
	s.iam = iamsim.New(iamsim.Config{Engine: s.engine, Clock: s.clock, Rand: c.Rand, RootSecret: c.RootSecret, Record: s.record, Logger: log})
	if err := s.iam.Open(ctx); err != nil {
		return fmt.Errorf("opening IAM: %w", err)
	}
	s.kms = kmsapi.New(kmsapi.Config{Engine: s.engine, IAM: s.iam, Clock: s.clock, Limits: s.limits, Rand: c.Rand, Record: s.record, Logger: log})
	if err := s.kms.Open(ctx); err != nil {
		return fmt.Errorf("opening KMS: %w", err)
	}
	s.store = store.New(store.Config{Engine: s.engine, Blobs: s.blobs, Clock: s.clock, Logger: log, Rand: c.Rand})
	if err := s.store.Open(ctx); err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	s3 := s3api.New(s3api.Config{
		Store: s.store, IAM: s.iam, Keys: keyService{s.kms}, Clock: s.clock, Rand: c.Rand, Record: s.record, Logger: log,
		Domains: c.Domains, RedirectRegions: c.RedirectRegions,
	})
	s.replicator = replicator.New(replicator.Config{
		Queue: s.store, Roles: s.iam, Objects: s3, Clock: s.clock, Logger: log, Workers: c.Workers, OnEnd: s.ended,
	})
	s.metrics.registry.MustRegister(newStateCollector(s.store, s.limits, s.clock))
	s.apis = map[string]api{"s3": s3, "kms": s.kms, "iam": s.iam, "sts": s.iam}
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
	err := errors.Join(s.store.Reset(ctx, account), s.kms.Reset(ctx, account), s.iam.Reset(ctx, account))
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
	if s.replicator != nil {
		errs = append(errs, s.replicator.Close(ctx))
	}
	if s.store != nil {
		errs = append(errs, s.store.Close(ctx))
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
