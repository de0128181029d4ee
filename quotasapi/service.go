package quotasapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"time"

	"twinbucket/iamsim"
	"twinbucket/internal/clock"
	"twinbucket/internal/quota"
	"twinbucket/internal/trail"
	"twinbucket/store/kv"
)

// DefaultGrantAfter is how long a request waits when Config says nothing.
const DefaultGrantAfter = time.Minute

// Config is what a Service needs. Engine, IAM, Clock, Limits, Quotas and Default are
// required; the caller closes Engine, after the Service.
type Config struct {
	Engine kv.Engine
	IAM    *iamsim.Service
	Clock  clock.Clock
	// Limits holds what applies to an account, under service "kms".
	Limits *quota.Limiter
	// Quotas are the names of the quotas, as limits know them.
	Quotas []string
	// Default is AWS's value of a quota in a Region.
	Default func(region, quota string) (perSecond float64, ok bool)
	// GrantAfter is the time, in domain time, from a request to its grant.
	GrantAfter time.Duration
	// OnGrant is told when limits have changed; optional.
	OnGrant func(context.Context)
	Rand    io.Reader      // default crypto/rand.Reader; safe for concurrent use
	Record  trail.Recorder // optional
	Logger  *slog.Logger   // default: nothing is logged
}

// Service answers for Service Quotas. It is safe for concurrent use.
type Service struct {
	cfg    Config
	ops    map[string]*operation
	quotas []entry // sorted by code

	// realTime measures how long calls take; nothing else may use it.
	realTime func() time.Time

	// write is held while requests change. It is taken before mu.
	write    sync.Mutex
	mu       sync.RWMutex
	requests map[string]*request // by id; values never change; guarded by mu

	wake    chan struct{} // tells the granter of a new request
	stop    context.CancelFunc
	granter sync.WaitGroup
}

// New returns a Service; call Open before use.
func New(cfg Config) *Service {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.GrantAfter = cmp.Or(cfg.GrantAfter, DefaultGrantAfter)
	s := &Service{
		cfg: cfg, ops: map[string]*operation{}, quotas: catalogue(cfg.Quotas), realTime: time.Now,
		requests: map[string]*request{}, wake: make(chan struct{}, 1),
	}
	for _, op := range table() {
		s.ops[op.Name] = op
	}
	return s
}

// Open loads the requests, sets the limits that were granted, and starts the goroutine
// that grants the others when their time has come.
func (s *Service) Open(ctx context.Context) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.stop != nil {
		panic("quotasapi: Open called twice")
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.granter.Go(func() { s.grantDue(run) }) // until Close
	return nil
}

// Close stops what Open started. It may be called more than once.
func (s *Service) Close(context.Context) error {
	s.write.Lock()
	stop := s.stop
	s.write.Unlock()
	if stop != nil {
		stop()
		s.granter.Wait()
	}
	return nil
}
