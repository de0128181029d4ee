package kmsapi

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"twinbucket/iamsim"
	"twinbucket/internal/clock"
	"twinbucket/internal/quota"
	"twinbucket/internal/rootkey"
	"twinbucket/internal/trail"
	"twinbucket/store/kv"
)

// Config is what a Service needs. Engine, IAM and Clock are required; the caller
// closes Engine, after the Service.
type Config struct {
	Engine kv.Engine
	IAM    *iamsim.Service
	Clock  clock.Clock
	// RootKey seals key material at rest. Without one it is sealed under a key that
	// nobody keeps, which does for an Engine that nobody opens again.
	RootKey *rootkey.Key
	Limits  *quota.Limiter // service "kms"; nil means no limits
	// ReplicaDelay is how long, in domain time, a new replica key is Creating and both
	// keys are Updating when the primary Region changes. Usually they are so for the
	// rest of the request only.
	ReplicaDelay time.Duration
	Rand         io.Reader      // default crypto/rand.Reader
	Record       trail.Recorder // optional
	Logger       *slog.Logger   // default: nothing is logged
}

// Service holds keys, aliases and grants and serves the KMS API. Its core methods
// are the one door for clients and for S3: they authorize, count against the
// caller's quota, check state and leave a trail event.
// Their errors are *failure.Error with KMS's own codes and messages
// (NotFoundException, DisabledException, KMSInvalidStateException,
// InvalidKeyUsageException, AccessDeniedException with its Decision,
// ThrottlingException, InvalidCiphertextException, IncorrectKeyException, …).
type Service struct {
	cfg   Config
	rand  io.Reader
	root  *rootkey.Key
	table []*operation
	ops   map[string]*operation // by name

	// realTime measures how long calls take; nothing else may use it.
	realTime func() time.Time

	// write is held while something changes: the current snapshot is read, checked,
	// persisted and replaced under it. It is taken before mu.
	write sync.Mutex
	mu    sync.RWMutex
	state state // guarded by mu

	// nextDue is the earliest deletion or rotation, in nanoseconds of Unix time. It
	// may be too early, never too late.
	nextDue atomic.Int64
	wake    chan struct{} // tells the reaper that nextDue moved
	stop    context.CancelFunc
	reaper  sync.WaitGroup
}

// New returns a Service; call Open before use.
func New(cfg Config) *Service {
	if cfg.Limits == nil {
		cfg.Limits = new(quota.Limiter)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		cfg: cfg, rand: rand.Reader, table: table(), ops: map[string]*operation{}, realTime: time.Now, wake: make(chan struct{}, 1),
	}
	if cfg.Rand != nil {
		s.rand = &lockedReader{r: cfg.Rand}
	}
	for _, op := range s.table {
		s.ops[op.Name] = op
	}
	s.state.clear()
	return s
}

// Open loads keys, aliases and grants, and starts the goroutine that deletes and
// rotates keys when they are due. Errors are those of the engine, a record that can't
// be read, or a *SealError: key material that the root key does not open.
func (s *Service) Open(ctx context.Context) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.stop != nil {
		panic("kmsapi: Open called twice")
	}
	if s.root = s.cfg.RootKey; s.root == nil {
		var err error
		if s.root, err = rootkey.Random(s.rand); err != nil {
			return err
		}
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.reaper.Go(func() { s.reap(run) }) // until Close
	return nil
}

// Close stops what Open started, and saves when keys were last used. It may be called
// more than once.
func (s *Service) Close(ctx context.Context) error {
	s.write.Lock()
	stop := s.stop
	s.write.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	s.reaper.Wait()
	return s.saveUses(ctx)
}

// lockedReader makes an injected source of randomness safe for concurrent use.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}
