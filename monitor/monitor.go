package monitor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"twinbucket/internal/clock"
	"twinbucket/store"
)

// Queue is what the monitor reads, implemented by store.Store.
type Queue interface {
	Overdue(ctx context.Context, max int) ([]store.Watched, time.Time, error)
	Unwatch(ctx context.Context, list []store.Watched) error
	Queue() store.QueueStats
	RuleQueue(k store.RuleKey) store.RuleStats
	Bucket(ctx context.Context, name string) (*store.Bucket, error)
	Version(ctx context.Context, bucket, key, id string) (*store.Version, error)
}

var _ Queue = (*store.Store)(nil)

// Config is what a Monitor needs. All fields are required.
type Config struct {
	Queue  Queue
	Clock  clock.Clock
	Logger *slog.Logger
	// Measure takes one measurement; Announce one event. Neither may block.
	Measure  func(Measurement)
	Announce func(Event)
}

// Operation is one finished attempt.
type Operation struct {
	Task   store.Task
	Status store.ReplicationStatus // Completed, Failed, Pending (will be repeated) or "" (the version is gone)
	Reason string                  // failureReason, Failed only
	Lag    time.Duration           // since the task was made
}

// Monitor turns operations and time into measurements and events.
type Monitor struct {
	cfg Config

	// sweeping is held while thresholds are looked at, so that none is announced twice.
	sweeping sync.Mutex

	mu     sync.Mutex
	gauges map[store.RuleKey]*gauge
	looked time.Time // when all gauges were measured last

	stop context.CancelFunc
	ctx  context.Context
	wg   sync.WaitGroup
}

// New returns a Monitor; it starts nothing.
func New(cfg Config) *Monitor {
	return &Monitor{cfg: cfg, gauges: map[store.RuleKey]*gauge{}}
}

// Open starts watching.
func (m *Monitor) Open(ctx context.Context) error {
	m.looked = m.cfg.Clock.Now()
	m.ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	m.wg.Go(m.run) // until Close
	return nil
}

// Close stops watching. It may be called more than once.
func (m *Monitor) Close(ctx context.Context) error {
	if m.stop == nil {
		return nil
	}
	m.stop()
	done := make(chan struct{})
	go func() { m.wg.Wait(); close(done) }() // ends with run
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("monitor: still watching"), ctx.Err())
	}
}

// run looks at every full minute and whenever a threshold passes. A new watch is a
// threshold away, which is longer than a minute, so no look comes too late.
func (m *Monitor) run() {
	for {
		next := m.look()
		if !m.await(next) {
			return
		}
	}
}

// await blocks until at; false when the monitor is closed. The clock may be advanced at
// any moment, so it is asked once more when the timer stands.
func (m *Monitor) await(at time.Time) bool {
	timer := m.cfg.Clock.NewTimer(at.Sub(m.cfg.Clock.Now()))
	defer timer.Stop()
	if !m.cfg.Clock.Now().Before(at) {
		return m.ctx.Err() == nil
	}
	select {
	case <-m.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// look measures and announces what is due, and returns when to look again.
func (m *Monitor) look() time.Time {
	now := m.cfg.Clock.Now()
	m.measureAll(now)
	next := now.Truncate(time.Minute).Add(time.Minute)
	due, err := m.sweep(m.ctx)
	if err != nil && m.ctx.Err() == nil {
		m.cfg.Logger.Error("replication thresholds", "err", err)
	}
	if !due.IsZero() && due.Before(next) && err == nil {
		next = due
	}
	return next
}

// Ended takes a finished attempt, before its result is settled.
func (m *Monitor) Ended(op Operation) {
	if m.ctx == nil || m.ctx.Err() != nil {
		return
	}
	m.measure(&op)
	m.announce(&op)
}
