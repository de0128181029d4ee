package replicator

import (
	"context"
	"time"

	"twinbucket/store"
)

// Paused reports whether the workers are held.
func (r *Replicator) Paused() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paused
}

// Pause stops claiming; attempts under way finish.
func (r *Replicator) Pause() { r.setPaused(true) }

// Resume lets the workers go on.
func (r *Replicator) Resume() { r.setPaused(false) }

func (r *Replicator) setPaused(p bool) {
	r.mu.Lock()
	r.paused = p
	r.mu.Unlock()
	r.poke()
	r.changed.broadcast()
}

// Step runs up to n due tasks to their end while the workers are held, and returns
// how many it ran.
func (r *Replicator) Step(ctx context.Context, n int) (int, error) {
	done := 0
	for done < n {
		tasks, _, err := r.cfg.Queue.Claim(ctx, 1, r.cfg.Lease)
		if err != nil {
			return done, err
		}
		if len(tasks) == 0 {
			return done, nil
		}
		a := &attempt{task: tasks[0], started: r.cfg.Clock.Now()}
		attemptErr := r.run(ctx, a)
		if end, ok, _ := r.conclude(ctx, a, attemptErr); ok {
			r.settleBatch(ctx, []store.Ended{end})
		}
		done++
	}
	return done, nil
}

// Retry puts FAILED versions back to PENDING; see store.Store.Retry.
func (r *Replicator) Retry(ctx context.Context, bucket, key, versionID string) (int, error) {
	n, err := r.cfg.Queue.Retry(ctx, bucket, key, versionID)
	r.poke()
	return n, err
}

// Nudge makes throttled tasks due at once and forgets the pace that the refusals have
// taught: the operator raised a quota and nobody should wait out a backoff that has lost
// its reason.
func (r *Replicator) Nudge(ctx context.Context) error {
	r.mu.Lock()
	r.schedule.forgive()
	r.mu.Unlock()
	_, err := r.cfg.Queue.Hasten(ctx, true)
	r.poke()
	return err
}

// waitLook bounds how long Wait sleeps between two looks: tasks also end by being
// cancelled (their version or bucket was deleted), which nobody announces.
const waitLook = 200 * time.Millisecond

// Wait returns nil when no task of bucket ("" all) is left, or the context's error.
// A postponed task counts as left.
func (r *Replicator) Wait(ctx context.Context, bucket string) error {
	for {
		changed := r.changed.next()
		if r.cfg.Queue.PendingOf(bucket) == 0 {
			return nil
		}
		timer := time.NewTimer(waitLook)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
}
