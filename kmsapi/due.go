package kmsapi

import (
	"context"
	"errors"
	"slices"
	"time"

	"twinbucket/store/kv"

	"twinbucket/internal/clock"
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

// settle does what is due at now: deletions, rotations, expiries of imported material
// and ends of transient states. Every operation calls it first, so none ever sees a key
// past its date, however the clock was moved (K34).
func (s *Service) settle(ctx context.Context, now time.Time) error {
	if now.UnixNano() < s.nextDue.Load() {
		return nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	for {
		// What one key does may make another due: the last replica key takes the
		// waiting period of its primary with it.
		due, next := s.dueAt(now)
		for _, k := range due {
			if err := s.settleKey(ctx, k, now); err != nil {
				return err
			}
		}
		if len(due) == 0 {
			s.nextDue.Store(next)
			return nil
		}
	}
}

// dueAt lists the keys to which something happens at now, and when the next one's turn is.
func (s *Service) dueAt(now time.Time) (due []*key, next int64) {
	next = never
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range s.state.keys {
		if at := k.due(); at <= now.UnixNano() {
			due = append(due, k)
		} else {
			next = min(next, at)
		}
	}
	return due, next
}

// settleKey does what is due of one key. The caller holds the write lock.
func (s *Service) settleKey(ctx context.Context, k *key, now time.Time) error {
	reached := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	if k = s.key(k.keyRef); k == nil { // changed with another one
		return nil
	}
	if reached(k.DeletionDate) {
		return s.deleteKey(ctx, k)
	}
	k, err := s.replaceSet(ctx, k, func(r *keyRecord) error {
		if reached(r.Ready) {
			r.settled()
		}
		r.expire(now)
		return nil
	}, nil)
	if err != nil || !k.rotates() || !reached(k.Rotation.Next) {
		return err
	}
	_, err = s.rotate(ctx, k, now)
	return err
}

// settled ends a transient state.
func (r *keyRecord) settled() {
	r.Ready = time.Time{}
	switch {
	case r.State != stateCreating && r.State != stateUpdating:
	case r.complete():
		r.State = stateEnabled
	default:
		r.State = statePendingImport
	}
}

// rotate gives a key new current material at its date, in all Regions. A clock that
// jumped over several periods leads to one rotation: nothing could have been encrypted
// in between.
func (s *Service) rotate(ctx context.Context, k *key, now time.Time) (*key, error) {
	b, err := s.newSecret(&k.spec)
	if err != nil {
		return nil, err
	}
	next := after(k.Rotation.Next, days(k.Rotation.Days), now)
	return s.appendMaterial(ctx, k, material{ID: materialID(k.ID, b), Since: now, Rotation: rotatedAutomatic, Secret: b}, next)
}

// appendMaterial makes m the current material of a key and of the other members of its
// multi-Region set, each sealed for itself; next is the date of the next automatic
// rotation.
func (s *Service) appendMaterial(ctx context.Context, k *key, m material, next time.Time) (*key, error) {
	add := func(r *keyRecord) error {
		own := m
		if err := s.sealSecret(r.keyRef, &own); err != nil {
			return err
		}
		r.Materials, r.Rotation.Next = append(r.Materials, own), next
		return nil
	}
	return s.replaceSet(ctx, k, add, add)
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
// in the first transaction: what an interruption leaves behind is swept by Open. The
// waiting period of a primary key that waited for this replica begins with it (K85).
func (s *Service) deleteKey(ctx context.Context, k *key) error {
	gone := []change{{at: k.record()}, {at: (&keyUse{Key: k.keyRef}).record()}}
	var primary *key
	if waiting := s.lastOf(k); waiting != nil {
		r := waiting.clone()
		r.State, r.DeletionDate, r.Window = statePendingDeletion, k.DeletionDate.Add(days(r.Window)), 0
		var err error
		if primary, err = newKey(r, waiting.aliases, waiting); err != nil {
			return err
		}
		gone = append(gone, change{r.record(), r})
	}
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
	defer s.mu.Unlock()
	s.state.removeKey(k)
	delete(s.state.grants, k.keyRef)
	for _, name := range k.aliases {
		delete(s.state.aliases, aliasRef{k.Account, k.Region, name})
	}
	if primary != nil {
		s.state.addKey(primary)
	}
	return failed
}

// lastOf is the primary key that waits for the deletion of k, its last replica, else nil.
func (s *Service) lastOf(k *key) *key {
	others := s.relatives(k)
	if k.leads() || len(others) != 1 || others[0].State != statePendingReplicaDeletion {
		return nil
	}
	return others[0]
}

// reap does what is due when no operation comes along, until ctx ends.
func (s *Service) reap(ctx context.Context) {
	for ctx.Err() == nil {
		now := s.cfg.Clock.Now()
		wait := clock.Forever
		if next := s.nextDue.Load(); next != never {
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
		clock.Wait(ctx, s.cfg.Clock, wait, s.wake)
	}
}
