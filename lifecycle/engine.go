package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"twinbucket/internal/clock"
	"twinbucket/store"
)

// Store is what the engine looks at and acts through, implemented by store.Store.
type Store interface {
	Buckets(ctx context.Context, account string) ([]*store.Bucket, error)
	ListVersions(ctx context.Context, q store.ListQuery) (*store.ListPage, error)
	Version(ctx context.Context, bucket, key, id string) (*store.Version, error)
	Uploads(ctx context.Context, bucket, prefix, keyMarker, uploadMarker string, max int) ([]*store.Upload, bool, error)
	ExpireCurrent(ctx context.Context, bucket, key, id string) (store.Deleted, error)
	ExpireNoncurrent(ctx context.Context, bucket, key, id string) (store.Deleted, error)
	ExpireMarker(ctx context.Context, bucket, key, id string) (store.Deleted, error)
	Transition(ctx context.Context, bucket, key, id, class string, current bool) (bool, error)
	AbortUpload(ctx context.Context, u *store.Upload) error
}

var _ Store = (*store.Store)(nil)

// Config is what an Engine needs. OnAction may be nil.
type Config struct {
	Store    Store
	Clock    clock.Clock
	Logger   *slog.Logger
	OnAction func(Action)
}

// Kind says what an action did.
type Kind string

const (
	Removed       Kind = "removed"       // a version or marker, for good
	MarkerCreated Kind = "markerCreated" // the current version is hidden by a delete marker
	Transitioned  Kind = "transitioned"
	UploadAborted Kind = "uploadAborted"
)

// Action is one thing that a rule did.
type Action struct {
	Kind   Kind
	Bucket *store.Bucket
	Rule   string // id
	Key    string
	// VersionID is that of the version removed, moved or made; the upload's id for aborts.
	VersionID string
	Version   *store.Version // the version acted on; nil for aborts
	Class     string         // of transitions
}

// Engine runs the rules.
type Engine struct {
	cfg     Config
	running sync.Mutex // one round at a time
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	close   sync.Once
}

// New returns an Engine; it starts nothing.
func New(cfg Config) *Engine { return &Engine{cfg: cfg} }

// Open starts the worker that runs a round at once and after every midnight.
func (e *Engine) Open(ctx context.Context) error {
	ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	e.wg.Add(1)
	go func() { defer e.wg.Done(); e.work(ctx) }() // stops with ctx
	return nil
}

// Close stops the worker, in the middle of a round if need be, and waits for it. It may
// be called twice.
func (e *Engine) Close(ctx context.Context) error {
	e.close.Do(func() {
		if e.cancel != nil {
			e.cancel()
		}
	})
	done := make(chan struct{})
	go func() { e.wg.Wait(); close(done) }() // ends with the worker
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("lifecycle: a round is still running"), ctx.Err())
	}
}

func (e *Engine) work(ctx context.Context) {
	for ctx.Err() == nil {
		now := e.cfg.Clock.Now()
		if err := e.Run(ctx); err != nil && ctx.Err() == nil {
			e.cfg.Logger.Error("lifecycle round", "error", err)
		}
		midnight := now.Truncate(store.Day).Add(store.Day)
		timer := e.cfg.Clock.NewTimer(midnight.Sub(e.cfg.Clock.Now()))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Run makes one round through all buckets with rules, at the time it is now. A bucket
// that fails does not keep the others from their turn; the errors are joined.
func (e *Engine) Run(ctx context.Context) error {
	e.running.Lock()
	defer e.running.Unlock()
	buckets, err := e.cfg.Store.Buckets(ctx, "")
	if err != nil {
		return err
	}
	var errs []error
	for _, b := range buckets {
		if b.Lifecycle == nil || ctx.Err() != nil {
			continue
		}
		r := round{Engine: e, bucket: b, now: e.cfg.Clock.Now()}
		if err := r.run(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// round is one look at one bucket.
type round struct {
	*Engine
	bucket *store.Bucket
	now    time.Time
}

// page is how many versions or uploads are looked at in one snapshot.
const page = 1000

func (r *round) run(ctx context.Context) error {
	var walk walker
	q := store.ListQuery{Bucket: r.bucket.Name, Max: page}
	for {
		p, err := r.cfg.Store.ListVersions(ctx, q)
		if err != nil {
			return err
		}
		for i, v := range p.Versions {
			if err := r.see(ctx, &walk, v, p.Latest[i]); err != nil {
				return err
			}
		}
		if !p.Truncated {
			break
		}
		q.After, q.AfterVersion = p.Next, p.NextVersion
	}
	if err := r.orphan(ctx, &walk); err != nil {
		return err
	}
	return r.uploads(ctx)
}

func (r *round) did(a Action) {
	a.Bucket = r.bucket
	r.cfg.Logger.Debug("lifecycle", "action", a.Kind, "bucket", r.bucket.Name, "key", a.Key, "version", a.VersionID, "rule", a.Rule, "class", a.Class)
	if r.cfg.OnAction != nil {
		r.cfg.OnAction(a)
	}
}
