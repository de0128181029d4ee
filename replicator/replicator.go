package replicator

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"twinbucket/internal/clock"
	"twinbucket/store"
)

// Config is what a Replicator needs. Queue, Roles, Objects, Clock and Logger are required.
type Config struct {
	Queue   Queue
	Roles   Roles
	Objects Objects
	Clock   clock.Clock
	Logger  *slog.Logger
	// Workers is how many attempts run at once; default 8. When all are busy, a rule
	// without any attempt under way may begin one more, so that slow destinations can't
	// keep the others waiting.
	Workers int
	// Bandwidth limits the bytes a second read for one destination bucket; 0 is no limit.
	Bandwidth int64
	// Lease is how long a claim holds before the task is due again; default 1 minute.
	// An attempt that takes longer renews it.
	Lease time.Duration
	// Seed makes the jitter repeatable; 0 draws a random one.
	Seed uint64
	// OnEnd is called after every attempt; nil means no subscriber.
	OnEnd func(Ended)
	// OnSettled is called when a task is out of the queue, after the commit that took it
	// out: its status can be read. nil means no subscriber.
	OnSettled func(store.Ended)
}

// Ended describes one finished attempt to Config.OnEnd.
type Ended struct {
	Task      store.Task
	Status    store.ReplicationStatus // Completed, Failed, Pending (postponed) or "" (source gone)
	Reason    string
	Throttled bool
	Took      time.Duration // the attempt
	Lag       time.Duration // since the version was written
}

// Replicator runs the workers.
type Replicator struct {
	cfg Config

	mu       sync.Mutex
	paused   bool
	rng      *rand.Rand
	schedule *scheduler

	wake    chan struct{} // pokes the dispatcher
	ends    chan store.Ended
	changed broadcaster // after every settlement, postponement, pause and resume

	cancel context.CancelFunc
	wg     sync.WaitGroup
	close  sync.Once
}

// New returns a Replicator; it starts nothing.
func New(cfg Config) *Replicator {
	if cfg.Workers <= 0 {
		cfg.Workers = 8
	}
	if cfg.Lease <= 0 {
		cfg.Lease = time.Minute
	}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64()
	}
	return &Replicator{
		cfg:      cfg,
		rng:      rand.New(rand.NewPCG(cfg.Seed, 0)),
		schedule: newScheduler(cfg.Workers, newMeters(cfg.Clock, cfg.Bandwidth)),
		wake:     make(chan struct{}, 1),
		ends:     make(chan store.Ended, cfg.Workers),
	}
}

// Open starts the dispatcher and the settler. Tasks that a process before this one had
// claimed or postponed are due at once: the queue has one owner, so nobody else can be
// working on them.
func (r *Replicator) Open(ctx context.Context) error {
	if _, err := r.cfg.Queue.Hasten(ctx, false); err != nil {
		return err
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.wg.Add(1)
	go func() { defer r.wg.Done(); r.dispatch(ctx) }() // stops with ctx
	r.wg.Add(1)
	go func() { defer r.wg.Done(); r.settleLoop(ctx) }() // stops with ctx
	return nil
}

// Close stops the workers and waits for them. Attempts under way are broken off;
// their tasks become due again when their leases end. It may be called twice.
func (r *Replicator) Close(ctx context.Context) error {
	r.close.Do(func() {
		if r.cancel != nil {
			r.cancel()
		}
	})
	done := make(chan struct{})
	go func() { r.wg.Wait(); close(done) }() // ends with the workers
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("replicator: workers still running"), ctx.Err())
	}
}

// dispatch claims due tasks, as many as there are free workers, and otherwise waits for a
// commit, the end of an attempt, a resume, or the next due time.
func (r *Replicator) dispatch(ctx context.Context) {
	for ctx.Err() == nil {
		if alarm, more := r.claim(ctx); !more {
			r.await(ctx, alarm)
		}
	}
}

// claim begins what the schedule has room for. more says that it may have room for more;
// if not, alarm is when to look again, zero if only an event can change anything.
func (r *Replicator) claim(ctx context.Context) (alarm time.Time, more bool) {
	now := r.cfg.Clock.Now()
	r.mu.Lock()
	for _, k := range r.cfg.Queue.Stirred() {
		r.schedule.due(k, now)
	}
	var wants []store.Want
	if !r.paused {
		wants, alarm = r.schedule.plan(now)
	}
	r.mu.Unlock()
	if len(wants) == 0 {
		return alarm, false
	}
	tasks, next, err := r.cfg.Queue.ClaimFrom(ctx, wants, r.cfg.Lease)
	if err != nil {
		if ctx.Err() == nil {
			r.cfg.Logger.Error("claim replication tasks", "err", err)
		}
		return now.Add(time.Second), false
	}
	got := make(map[store.RuleKey]int, len(wants))
	for i := range tasks {
		got[tasks[i].Queue()]++
	}
	r.mu.Lock()
	for i, w := range wants {
		r.schedule.claimed(w, got[w.Queue], next[i])
	}
	r.mu.Unlock()
	for _, t := range tasks {
		r.wg.Add(1)
		go func() { defer r.wg.Done(); r.process(ctx, t) }() // ends with its attempt, which ctx breaks off
	}
	return time.Time{}, true
}

// await blocks until there may be something to claim; a zero next has no alarm.
func (r *Replicator) await(ctx context.Context, next time.Time) {
	var due <-chan time.Time
	if !next.IsZero() {
		timer := r.cfg.Clock.NewTimer(next.Sub(r.cfg.Clock.Now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-r.wake:
	case <-r.cfg.Queue.Wake():
	case <-due:
	}
}

// process makes one attempt and hands its end to the settler.
func (r *Replicator) process(ctx context.Context, t store.Task) {
	a := &attempt{task: t, started: r.cfg.Clock.Now()}
	release := r.holdLease(ctx, t)
	err := r.run(ctx, a)
	release()
	end, settle, res := r.conclude(ctx, a, err)
	if settle {
		select {
		case r.ends <- end:
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	r.schedule.ended(res, r.cfg.Clock.Now())
	r.mu.Unlock()
	r.poke()
}

// settleLoop settles what has ended, as many at once as have gathered while the
// last settlement was being committed: no timer, no waiting.
func (r *Replicator) settleLoop(ctx context.Context) {
	for {
		var batch []store.Ended
		select {
		case <-ctx.Done():
			return
		case e := <-r.ends:
			batch = append(batch, e)
		}
	gather:
		for {
			select {
			case e := <-r.ends:
				batch = append(batch, e)
			default:
				break gather
			}
		}
		r.settleBatch(ctx, batch)
	}
}

func (r *Replicator) settleBatch(ctx context.Context, batch []store.Ended) {
	if err := r.cfg.Queue.SettleAll(ctx, batch); err != nil && ctx.Err() == nil && !stale(err) {
		// The leases end and the attempts are repeated: the replica is already there.
		r.cfg.Logger.Error("settle replication tasks", "tasks", len(batch), "err", err)
	}
	if r.cfg.OnSettled != nil {
		for i := range batch {
			r.cfg.OnSettled(batch[i])
		}
	}
	r.changed.broadcast()
}

// holdLease renews the lease of t at half of its time until release is called.
func (r *Replicator) holdLease(ctx context.Context, t store.Task) (release func()) {
	timer := r.cfg.Clock.NewTimer(r.cfg.Lease / 2)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // stops with release
		defer close(ended)
		for {
			select {
			case <-done:
				timer.Stop()
				return
			case <-timer.C:
			}
			due := r.cfg.Clock.Now().Add(r.cfg.Lease)
			if err := r.cfg.Queue.Postpone(ctx, t, due, t.LastError, t.Throttled, nil); err != nil {
				return // taken over, cancelled, or stopping: the end of the attempt finds out
			}
			timer = r.cfg.Clock.NewTimer(r.cfg.Lease / 2)
		}
	}()
	return func() { close(done); <-ended }
}

func (r *Replicator) jitter(attempt int, throttled bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return backoff(attempt, throttled, r.rng)
}

// poke wakes the dispatcher; a pending poke is enough.
func (r *Replicator) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// broadcaster tells any number of waiters that something changed.
type broadcaster struct {
	mu sync.Mutex
	ch chan struct{}
}

// next returns a channel that is closed at the next broadcast.
func (b *broadcaster) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcaster) broadcast() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
