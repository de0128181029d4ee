package store

import (
	"context"
	"slices"
	"time"

	"twinbucket/store/kv"
)

// hastenPage is how many tasks Hasten looks at in one snapshot.
const hastenPage = 1024

// Hasten makes the tasks due now that are due later: all of them, or those whose last
// attempt was throttled. A task whose attempt is under way is not harmed: that attempt
// settles it, unless another one was claimed before. It returns how many it moved, and
// needs memory for a page of them.
func (s *Store) Hasten(ctx context.Context, throttledOnly bool) (moved int, err error) {
	var queues []RuleKey
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return eachQueue(r, "", func(q RuleKey) error {
			queues = append(queues, q)
			return nil
		})
	})
	now := s.cfg.Clock.Now()
	for _, q := range queues {
		start := dueAt(q, now.Add(1), 0)
		for err == nil && start != nil {
			var page [][]byte
			if page, start, err = s.laterTasks(ctx, q, start, throttledOnly); err != nil {
				break
			}
			for batch := range slices.Chunk(page, claimBatch) {
				var n int
				n, err = s.hastenBatch(ctx, batch, now)
				if moved += n; err != nil {
					break
				}
			}
		}
	}
	if moved > 0 {
		s.queue.stir(queues...)
		s.notify()
	}
	return moved, failed(err)
}

// laterTasks returns a page of the tasks of q from start on, and where the next begins.
func (s *Store) laterTasks(ctx context.Context, q RuleKey, start []byte, throttledOnly bool) (page [][]byte, next []byte, err error) {
	looked := 0
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(start, kv.PrefixEnd(inQueue(q, 0)), func(k, rec []byte) (bool, error) {
			if looked++; looked > hastenPage {
				next = slices.Clone(k)
				return false, nil
			}
			t, err := decodeTask(rec)
			if err == nil && (t.Throttled || !throttledOnly) {
				page = append(page, slices.Clone(k))
			}
			return true, err
		})
	})
	return page, next, err
}

func (s *Store) hastenBatch(ctx context.Context, keys [][]byte, now time.Time) (moved int, err error) {
	err = s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		moved = 0
		for _, k := range keys {
			h, err := holdKey(tx, k)
			if err != nil {
				return err
			}
			if h == nil {
				continue
			}
			h.task.Due = now
			h.move(tx)
			moved++
		}
		return nil
	})
	return moved, err
}
