package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// Result is the end of an attempt. Trace is the explanation, stored verbatim.
type Result struct {
	Status ReplicationStatus // Completed or Failed; "" removes the task without a status (source version gone)
	Reason string
	Trace  []byte
}

// Ended pairs a task with its result.
type Ended struct {
	Task   Task
	Result Result
}

// settleBatch and settleBytes are how much one transaction settles: each end takes up
// to ten operations.
const (
	settleBatch = 9
	settleBytes = 512 << 10
)

// Settle ends a task: in one transaction it sets the destination's status on the
// version, stores the trace and removes the task. A version that is gone is no error.
// If metadata of the version were changed while the attempt ran, the destination
// stays Pending and the task becomes one for them.
func (s *Store) Settle(ctx context.Context, t Task, r Result) error {
	return s.SettleAll(ctx, []Ended{{t, r}})
}

// SettleAll settles several tasks sharing transactions where they fit. Those that
// are refused as StaleAttempt don't hinder the others; the error joins the refusals.
func (s *Store) SettleAll(ctx context.Context, ends []Ended) error {
	var refused []error
	now := s.cfg.Clock.Now()
	for len(ends) > 0 {
		n, size := 0, 0
		for n < len(ends) && n < settleBatch && (n == 0 || size+len(ends[n].Result.Trace) <= settleBytes) {
			size += len(ends[n].Result.Trace)
			n++
		}
		stale, err := s.settleBatch(ctx, ends[:n], now)
		if errors.Is(err, kv.ErrTooLarge) && n > 1 {
			// Records much larger than usual: one by one they fit.
			n = 1
			stale, err = s.settleBatch(ctx, ends[:n], now)
		}
		if err != nil {
			return failed(errors.Join(append(refused, err)...))
		}
		refused = append(refused, stale...)
		ends = ends[n:]
	}
	if len(refused) == 1 {
		return refused[0]
	}
	return errors.Join(refused...)
}

// settleBatch settles what fits in one transaction and returns the refusals.
func (s *Store) settleBatch(ctx context.Context, ends []Ended, now time.Time) (stale []error, err error) {
	var settled []Ended
	err = s.update(ctx, func(tx kv.Txn, c *change) error {
		stale, settled = nil, nil
		for i := range ends {
			done, err := settle(tx, c, &ends[i], now)
			switch {
			case failure.CodeOf(err) == StaleAttempt:
				stale = append(stale, err)
			case err != nil:
				return err
			case done:
				settled = append(settled, ends[i])
			}
		}
		return nil
	})
	if err == nil {
		s.queue.count(settled)
	}
	return stale, err
}

// settle ends one task and reports whether a status was set.
func settle(tx kv.Txn, c *change, end *Ended, now time.Time) (done bool, err error) {
	t, r := &end.Task, &end.Result
	loc, err := locate(tx, t.Bucket, t.Key, t.VersionID)
	if failure.CodeOf(err) == "NoSuchVersion" {
		return false, nil // removing the version removed its tasks
	}
	if err != nil {
		return false, err
	}
	h, err := holdTask(tx, t)
	if err != nil {
		return false, err
	}
	v, _, err := decodeVersion(t.Bucket, t.Key, loc.rec)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(v.Destinations, func(d DestinationStatus) bool { return d.Bucket == t.Rule.Destination.Bucket })
	if i < 0 {
		return false, errRecord
	}
	if r.Trace != nil {
		if err := putTrace(tx, v, t.Rule.Destination.Bucket, r.Trace); err != nil {
			return false, err
		}
	}
	d := &v.Destinations[i]
	switch {
	case r.Status == "":
		if v.Destinations = slices.Delete(v.Destinations, i, i+1); len(v.Destinations) == 0 {
			tx.Delete(ofVersion(kindTrace, v.Bucket, v.Key, v.ID))
		}
	case r.Status == Completed && h.task.again != 0:
		h.task.Kind, h.task.Due = h.task.again.kind(), now
		h.task.again &^= h.task.Kind.brings()
		h.move(tx)
		// The same task goes on: it is neither removed nor counted.
		c.stirred = append(c.stirred, h.task.Queue())
		return false, nil
	default:
		d.Status, d.Reason, d.Attempt, d.Updated = r.Status, r.Reason, t.Attempt, now
	}
	h.remove(tx)
	c.removed = append(c.removed, countedOf(&h.task.Task))
	return r.Status != "", loc.rewrite(tx, v)
}

// Postpone makes the task due again at due and stores the trace of the attempt.
func (s *Store) Postpone(ctx context.Context, t Task, due time.Time, lastError string, throttled bool, trace []byte) error {
	err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		loc, err := locate(tx, t.Bucket, t.Key, t.VersionID)
		if failure.CodeOf(err) == "NoSuchVersion" {
			return nil
		}
		if err != nil {
			return err
		}
		h, err := holdTask(tx, &t)
		if err != nil {
			return err
		}
		h.task.Due, h.task.LastError, h.task.Throttled = due, lastError, throttled
		h.move(tx)
		if trace == nil {
			return nil
		}
		v, _, err := decodeVersion(t.Bucket, t.Key, loc.rec)
		if err != nil {
			return err
		}
		return putTrace(tx, v, t.Rule.Destination.Bucket, trace)
	})
	if err == nil && !due.After(s.cfg.Clock.Now()) {
		s.queue.stir(t.Queue())
		s.notify()
	}
	return failed(err)
}
