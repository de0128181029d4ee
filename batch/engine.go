package batch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/batchjob"
	"twinbucket/internal/clock"
	"twinbucket/store"
	"twinbucket/store/kv"
)

// Objects is S3 as jobs use it, with the job's role; implemented by s3api.API.
type Objects interface {
	// Inside performs an ordinary S3 request for caller. Refusals are *failure.Error.
	Inside(ctx context.Context, caller iamsim.Caller, region string, r *http.Request) (http.Header, []byte, error)
	// AuthorizeInside asks for an action on a resource of bucket.
	AuthorizeInside(ctx context.Context, caller iamsim.Caller, region, bucket, action, resource string, keys policy.Context) error
}

// Versions is the part of the store that jobs use; implemented by store.Store.
type Versions interface {
	Bucket(ctx context.Context, name string) (*store.Bucket, error)
	Version(ctx context.Context, bucket, key, id string) (*store.Version, error)
	ListVersions(ctx context.Context, q store.ListQuery) (*store.ListPage, error)
	StartReplication(ctx context.Context, bucket, key, versionID, job string) ([]store.Task, error)
}

var _ Versions = (*store.Store)(nil)

// Roles assumes the job's role; implemented by iamsim.Service.
type Roles interface {
	AssumeServiceRole(ctx context.Context, req iamsim.ServiceRole) (iamsim.Caller, error)
}

var _ Roles = (*iamsim.Service)(nil)

// Config is what an Engine needs. All but Rand and Running are required.
type Config struct {
	Engine   kv.Engine // the caller closes it, after the Engine
	Versions Versions
	Objects  Objects
	Roles    Roles
	Clock    clock.Clock
	Logger   *slog.Logger
	Rand     io.Reader // default crypto/rand.Reader
	// Running is how many jobs work at once; default 4. Those with a higher priority go first.
	Running int
}

// Engine keeps and runs jobs. It is safe for concurrent use.
type Engine struct {
	cfg Config

	mu      sync.Mutex
	running map[string]*run // by job id

	wake chan struct{}
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// New returns an Engine; call Open before use.
func New(cfg Config) *Engine {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	} else {
		cfg.Rand = &lockedReader{r: cfg.Rand}
	}
	if cfg.Running <= 0 {
		cfg.Running = 4
	}
	return &Engine{cfg: cfg, running: map[string]*run{}, wake: make(chan struct{}, 1)}
}

// lockedReader makes a seeded source safe for concurrent use.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// Open takes up unfinished jobs. Errors are those of the key-value engine.
func (e *Engine) Open(ctx context.Context) error {
	if _, err := e.unfinished(ctx); err != nil {
		return err
	}
	e.ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	e.wg.Go(e.schedule) // until Close
	return nil
}

// Close stops jobs where they are and waits for them. It may be called more than once.
func (e *Engine) Close(ctx context.Context) error {
	if e.stop == nil {
		return nil
	}
	e.stop()
	done := make(chan struct{})
	go func() { e.wg.Wait(); close(done) }() // ends with the jobs
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("batch: jobs still running"), ctx.Err())
	}
}

// lookAgain is how often jobs that ended long ago are looked for, and how long a job that
// met trouble of the store's or the network's making rests.
const (
	lookAgain = time.Hour
	rest      = 5 * time.Second
)

// schedule starts jobs that have something to do, the highest priority first.
func (e *Engine) schedule() {
	for e.ctx.Err() == nil {
		looked := e.cfg.Clock.Now()
		if err := e.expire(e.ctx); err != nil && e.ctx.Err() == nil {
			e.cfg.Logger.Error("expire batch jobs", "err", err)
		}
		next := lookAgain
		if err := e.startJobs(); err != nil && e.ctx.Err() == nil {
			e.cfg.Logger.Error("start batch jobs", "err", err)
			next = rest
		}
		e.await(looked.Add(next))
	}
}

// await blocks until at, or until there is something to do before. The clock may be
// advanced at any moment, so it is asked once more when the timer stands.
func (e *Engine) await(at time.Time) {
	timer := e.cfg.Clock.NewTimer(at.Sub(e.cfg.Clock.Now()))
	defer timer.Stop()
	if !e.cfg.Clock.Now().Before(at) {
		return
	}
	select {
	case <-e.ctx.Done():
	case <-e.wake:
	case <-timer.C:
	}
}

func (e *Engine) startJobs() error {
	jobs, err := e.unfinished(e.ctx)
	if err != nil {
		return err
	}
	slices.SortStableFunc(jobs, func(a, b job) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.Created.Compare(b.Created))
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range jobs {
		j := &jobs[i]
		if len(e.running) >= e.cfg.Running {
			return nil
		}
		if e.running[j.ID] != nil || j.Status == batchjob.Suspended {
			continue
		}
		r := &run{engine: e, account: j.Account, id: j.ID, signals: make(chan store.Task, chunkRows), all: make(chan struct{}, 1), poke: make(chan struct{}, 1)}
		e.running[j.ID] = r
		e.wg.Go(func() { // until the job is done, suspended, or Close
			r.work(e.ctx)
			e.mu.Lock()
			delete(e.running, r.id)
			e.mu.Unlock()
			e.poke()
		})
	}
	return nil
}

// poke wakes the scheduler; a pending poke is enough.
func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Settled takes a task that is out of the queue. It never blocks.
func (e *Engine) Settled(t store.Task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.running {
		r.signal(t)
	}
}
