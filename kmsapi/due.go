package kmsapi

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"twinbucket/store/kv"
)

// retryAfter is how long the reaper waits, on the domain clock, after the engine
// refused a deletion or rotation.
const retryAfter = time.Minute

// expect makes sure that something due at the time is not overlooked.
func (s *Service) expect(due int64) {
	for {
		next := s.nextDue.Load()
		if due >= next {
			return
		}
		if s.nextDue.CompareAndSwap(next, due) {
			s.nudge()
			return
		}
	}
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // already awake
	}
}

// settle deletes and rotates what is due at now. Every operation calls it first, so
// none ever sees a key past its date, however the clock was moved (K34).
func (s *Service) settle(ctx context.Context, now time.Time) error {
	if now.UnixNano() < s.nextDue.Load() {
		return nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	var due []*key
	next := int64(math.MaxInt64)
	for _, k := range s.state.keys {
		if at := k.due(); at <= now.UnixNano() {
			due = append(due, k)
		} else {
			next = min(next, at)
		}
	}
	s.mu.RUnlock()
	for _, k := range due {
		if k.State == statePendingDeletion {
			if err := s.deleteKey(ctx, k); err != nil {
				return err
			}
			continue
		}
		rotated, err := s.rotate(ctx, k, now)
		if err != nil {
			return err
		}
		next = min(next, rotated.due())
	}
	s.nextDue.Store(next)
	return nil
}

// rotate gives a key new current material. A clock that jumped over several periods
// leads to one rotation: nothing could have been encrypted in between.
func (s *Service) rotate(ctx context.Context, k *key, now time.Time) (*key, error) {
	m, err := s.newMaterial(k.ID, now)
	if err != nil {
		return nil, err
	}
	return s.replaceKey(ctx, k, func(r *keyRecord) error {
		r.Materials = append(r.Materials, m)
		r.Rotation.Next = after(r.Rotation.Next, days(r.Rotation.Days), now)
		return nil
	})
}

// after returns the first of t, t+period, t+2·period, … that lies after now.
func after(t time.Time, period time.Duration, now time.Time) time.Time {
	if period <= 0 {
		panic("kmsapi: rotation without a period")
	}
	if missed := now.Sub(t); missed >= 0 {
		t = t.Add((missed/period + 1) * period)
	}
	return t
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// deleteKey removes a key with its material, aliases and grants (K34). The key goes
// in the first transaction: what an interruption leaves behind is swept by Open.
func (s *Service) deleteKey(ctx context.Context, k *key) error {
	gone := []change{{at: k.record()}}
	for _, name := range k.aliases {
		gone = append(gone, change{at: aliasRef{k.Account, k.Region, name}.record()})
	}
	s.mu.RLock()
	if set := s.state.grants[k.keyRef]; set != nil {
		for _, g := range set.byID {
			gone = append(gone, change{at: g.record()})
		}
	}
	s.mu.RUnlock()
	var failed error
	for i, part := range slices.Collect(slices.Chunk(gone, kv.MaxOps)) {
		if err := s.update(ctx, part...); err != nil {
			if i == 0 {
				return err
			}
			failed = errors.Join(failed, err)
		}
	}
	s.mu.Lock()
	delete(s.state.keys, k.keyRef)
	delete(s.state.grants, k.keyRef)
	for _, name := range k.aliases {
		delete(s.state.aliases, aliasRef{k.Account, k.Region, name})
	}
	s.mu.Unlock()
	return failed
}

// reap does what is due when no operation comes along, until ctx ends.
func (s *Service) reap(ctx context.Context) {
	for ctx.Err() == nil {
		now := s.cfg.Clock.Now()
		wait := time.Duration(math.MaxInt64)
		if next := s.nextDue.Load(); next != math.MaxInt64 {
			wait = time.Unix(0, next).Sub(now)
		}
		if wait <= 0 {
			err := s.settle(ctx, now)
			if err == nil {
				continue
			}
			s.cfg.Logger.ErrorContext(ctx, "kms: deleting or rotating keys failed, will retry", "error", err)
			wait = retryAfter
		}
		s.sleep(ctx, wait)
	}
}

// sleep returns when the clock has moved wait forward, when woken, or when ctx ends.
func (s *Service) sleep(ctx context.Context, wait time.Duration) {
	if wait == math.MaxInt64 { // nothing is due: no timer
		select {
		case <-ctx.Done():
		case <-s.wake:
		}
		return
	}
	t := s.cfg.Clock.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-s.wake:
	case <-t.C:
	}
}
