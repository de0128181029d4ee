package replicator

import (
	"context"
	"io"
	"sync"
	"time"

	"twinbucket/internal/clock"
	"twinbucket/store"
)

// meters are those of all destination buckets; nil does not limit.
type meters struct {
	clock clock.Clock
	rate  float64

	mu  sync.Mutex
	all map[string]*meter
}

func newMeters(c clock.Clock, bytesPerSecond int64) *meters {
	if bytesPerSecond <= 0 {
		return nil
	}
	return &meters{clock: c, rate: float64(bytesPerSecond), all: map[string]*meter{}}
}

func (m *meters) of(bucket string) *meter {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.all[bucket]
	if one == nil {
		one = &meter{clock: m.clock, rate: m.rate}
		m.all[bucket] = one
	}
	return one
}

// meter limits the bytes a second (R26) towards one destination bucket. Whoever has read pays
// by waiting; a nil meter does not limit.
type meter struct {
	clock clock.Clock
	rate  float64 // bytes a second

	mu   sync.Mutex
	paid time.Time // everything read so far is paid for at this time
}

// meterBurst is how much may be read ahead of payment, in seconds.
const meterBurst = 100 * time.Millisecond

// free is when the meter lets another attempt begin.
func (m *meter) free(now time.Time) time.Time {
	if m == nil {
		return time.Time{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.paid.Add(-meterBurst)
}

// pay counts n bytes and returns when they are paid for.
func (m *meter) pay(n int) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.clock.Now(); m.paid.Before(now) {
		m.paid = now
	}
	m.paid = m.paid.Add(time.Duration(float64(n) / m.rate * float64(time.Second)))
	return m.paid
}

// limited makes the parts of out come no faster than m allows.
func (m *meter) limited(out *store.Outgoing) {
	if m == nil || out.Open == nil {
		return
	}
	if out.Version.Encryption.Customer() { // copied sealed, without being read: the next one waits for it
		m.pay(int(out.Version.Size))
		return
	}
	open := out.Open
	out.Open = func(ctx context.Context, part store.Part) (io.ReadCloser, error) {
		r, err := open(ctx, part)
		if err != nil {
			return nil, err
		}
		return &meteredReader{ReadCloser: r, ctx: ctx, meter: m}, nil
	}
}

// meteredReader waits after each read until it is nearly paid for.
type meteredReader struct {
	io.ReadCloser
	ctx   context.Context
	meter *meter
}

func (r *meteredReader) Read(p []byte) (int, error) {
	if limit := max(1, int(r.meter.rate*meterBurst.Seconds())); len(p) > limit {
		p = p[:limit] // or one read would make a long pause
	}
	n, err := r.ReadCloser.Read(p)
	wait := r.meter.pay(n).Add(-meterBurst).Sub(r.meter.clock.Now())
	if wait <= 0 {
		return n, err
	}
	timer := r.meter.clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return n, err
	case <-r.ctx.Done():
		return n, r.ctx.Err()
	}
}
