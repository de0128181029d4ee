// Package clock is the domain's time: version dates, deletion windows, session
// expiry, quotas, retries and leases are measured on it, and the operator may
// advance it. Transport time (signature skew, presigned expiry, sockets) never is.
//
// A server owns one [Domain]; code under test uses a [Manual], which stands still.
package clock

import (
	"context"
	"math"
	"sync"
	"time"
)

// Clock tells domain time and makes timers that fire when it is reached.
type Clock interface {
	Now() time.Time
	// NewTimer fires once when the clock has moved d forward; at once if d <= 0.
	NewTimer(d time.Duration) *Timer
}

// Timer is one pending alarm. C receives the time it fired at.
type Timer struct {
	C <-chan time.Time

	c    chan time.Time
	at   time.Time
	set  *alarms
	real *time.Timer
}

// Stop ends the timer; a time that was already sent may still be in C.
func (t *Timer) Stop() {
	t.set.mu.Lock()
	defer t.set.mu.Unlock()
	delete(t.set.pending, t)
	if t.real != nil {
		t.real.Stop()
	}
}

// alarms are the timers of one clock that have not fired.
type alarms struct {
	mu      sync.Mutex
	pending map[*Timer]struct{}
}

// add registers a timer due at at; the caller holds mu.
func (a *alarms) add(at time.Time) *Timer {
	c := make(chan time.Time, 1)
	t := &Timer{C: c, c: c, at: at, set: a}
	if a.pending == nil {
		a.pending = map[*Timer]struct{}{}
	}
	a.pending[t] = struct{}{}
	return t
}

// fire sends to every timer that is due at now; the caller holds mu.
func (a *alarms) fire(now time.Time) {
	for t := range a.pending {
		if t.at.After(now) {
			continue
		}
		delete(a.pending, t)
		if t.real != nil {
			t.real.Stop()
		}
		t.c <- now
	}
}

// Domain runs with real time, ahead of it by what the operator advanced.
// The zero value is ready and tells real time.
type Domain struct {
	alarms
	offset time.Duration
}

var _ Clock = (*Domain)(nil)

// Now is real time plus the offset, in UTC.
func (d *Domain) Now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now()
}

func (d *Domain) now() time.Time { return time.Now().Add(d.offset).UTC() }

// Offset is how far the clock is ahead of real time.
func (d *Domain) Offset() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.offset
}

// Advance moves the clock forward and fires what has become due. A negative d is
// refused by the caller: domain time never runs backwards.
func (d *Domain) Advance(by time.Duration) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offset += by
	now := d.now()
	d.fire(now)
	return now
}

// NewTimer implements [Clock].
func (d *Domain) NewTimer(wait time.Duration) *Timer {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	t := d.add(now.Add(wait))
	if wait <= 0 {
		d.fire(now)
		return t
	}
	t.real = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.fire(d.now())
	})
	return t
}

// Manual stands still until it is advanced. It serves tests.
type Manual struct {
	alarms
	now time.Time
}

var _ Clock = (*Manual)(nil)

// NewManual returns a clock that stands at start.
func NewManual(start time.Time) *Manual { return &Manual{now: start.UTC()} }

// Now implements [Clock].
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock and fires what has become due.
func (m *Manual) Advance(by time.Duration) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(by)
	m.fire(m.now)
	return m.now
}

// NewTimer implements [Clock].
func (m *Manual) NewTimer(wait time.Duration) *Timer {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.add(m.now.Add(wait))
	m.fire(m.now)
	return t
}

// Forever is a wait that only a wake-up or the end of the context interrupts.
const Forever = time.Duration(math.MaxInt64)

// Wait returns when c has moved wait forward, when wake receives, or when ctx ends.
func Wait(ctx context.Context, c Clock, wait time.Duration, wake <-chan struct{}) {
	var due <-chan time.Time
	if wait != Forever {
		t := c.NewTimer(wait)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
	case <-wake:
	case <-due:
	}
}
