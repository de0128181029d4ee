package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// newTask makes the nth task of w for version v under rule.
func (w *write) newTask(b *Bucket, v *Version, rule ReplicationRule, kind TaskKind, n int) Task {
	return makeTask(w.tasks, n, w.now, b.Replication.Role, v, rule, kind)
}

// makeTask makes a task that is due at once. Its id is random bytes taken before the
// transaction and the number of the task in it.
func makeTask(random [12]byte, n int, now time.Time, role string, v *Version, rule ReplicationRule, kind TaskKind) Task {
	id := binary.BigEndian.AppendUint32(random[:], uint32(n))
	return Task{
		ID: hex.EncodeToString(id), Kind: kind, Bucket: v.Bucket, Key: v.Key, VersionID: v.ID, Size: v.Size,
		Role: role, Rule: rule, Created: now, Due: now,
	}
}

// getPending reads where the tasks of a version are.
func getPending(g getter, k []byte) ([]pendingTask, error) {
	rec, err := lookup(g, k)
	if err != nil || rec == nil {
		return nil, err
	}
	return decodePending(rec)
}

// putTasks writes new tasks of v beside those it has.
func putTasks(tx kv.Txn, v *Version, pending []pendingTask, tasks []Task) error {
	if len(tasks) == 0 {
		return nil
	}
	if len(pending)+len(tasks) > maxDestinations {
		return failure.Newf("InvalidRequest", "a version can be replicated to %d destination buckets at most", maxDestinations)
	}
	for i := range tasks {
		t := &tasks[i]
		tx.Put(taskKey(t.Due, t.ID), encodeTask(&storedTask{Task: *t}))
		pending = append(pending, pendingTask{bucket: t.Rule.Destination.Bucket, id: t.ID, due: t.Due})
	}
	tx.Put(ofVersion(kindPending, v.Bucket, v.Key, v.ID), encodePending(pending))
	return nil
}

// held is a task as the queue has it, found through its version.
type held struct {
	task    storedTask
	pending []pendingTask // of the version
	index   int           // of the task in pending
	key     []byte        // of pending
}

// holdTask finds t and checks that its attempt is the latest; StaleAttempt if not.
func holdTask(tx kv.Txn, t *Task) (h held, err error) {
	h.key = ofVersion(kindPending, t.Bucket, t.Key, t.VersionID)
	if h.pending, err = getPending(tx, h.key); err != nil {
		return held{}, err
	}
	h.index = slices.IndexFunc(h.pending, func(p pendingTask) bool { return p.id == t.ID })
	if h.index < 0 {
		return held{}, staleAttempt(*t)
	}
	rec, err := tx.Get(h.pending[h.index].key())
	if err != nil {
		return held{}, err
	}
	if h.task, err = decodeTask(rec); err != nil {
		return held{}, err
	}
	if h.task.Attempt != t.Attempt {
		return held{}, staleAttempt(*t)
	}
	return h, nil
}

// move puts a changed task in the place of its new due time.
func (h *held) move(tx kv.Txn) {
	p := &h.pending[h.index]
	if !p.due.Equal(h.task.Due) {
		tx.Delete(p.key())
		p.due = h.task.Due
		tx.Put(h.key, encodePending(h.pending))
	}
	tx.Put(p.key(), encodeTask(&h.task))
}

// remove takes the task out of the queue.
func (h *held) remove(tx kv.Txn) {
	tx.Delete(h.pending[h.index].key())
	h.putPending(tx, slices.Delete(h.pending, h.index, h.index+1))
}

func (h *held) putPending(tx kv.Txn, pending []pendingTask) {
	if len(pending) == 0 {
		tx.Delete(h.key)
		return
	}
	tx.Put(h.key, encodePending(pending))
}

// claimBatch is how many tasks one transaction claims: each takes up to six operations.
const claimBatch = 16

// Claim moves up to n due tasks to now+lease with Attempt+1 and returns them. The
// attempt number fences: Settle and Postpone of an older attempt are refused with
// code StaleAttempt. next is when the earliest task not returned is due (zero: none).
func (s *Store) Claim(ctx context.Context, n int, lease time.Duration) (tasks []Task, next time.Time, err error) {
	// One claimer at a time: two would only take each other's tasks out of their hands.
	s.claiming.Lock()
	defer s.claiming.Unlock()
	now := s.cfg.Clock.Now()
	due, next, err := s.dueTasks(ctx, now, n)
	if err != nil {
		return nil, time.Time{}, failed(err)
	}
	until := now.Add(lease)
	for batch := range slices.Chunk(due, claimBatch) {
		var claimed []Task
		err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
			claimed = nil
			for _, k := range batch {
				t, err := claimTask(tx, k, until)
				if err != nil {
					return err
				}
				if t != nil {
					claimed = append(claimed, *t)
				}
			}
			return nil
		})
		if err != nil {
			if len(tasks) > 0 {
				return tasks, now, nil // what is claimed is claimed; the rest is still due
			}
			return nil, time.Time{}, failed(err)
		}
		tasks = append(tasks, claimed...)
	}
	return tasks, next, nil
}

// dueTasks returns the keys of the first n due tasks, and when the following one is due.
func (s *Store) dueTasks(ctx context.Context, now time.Time, n int) (keys [][]byte, next time.Time, err error) {
	prefix := plainKey(kindTask)
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(k, _ []byte) (bool, error) {
			due, _, ok := taskDue(k)
			if !ok {
				return false, errRecord
			}
			if len(keys) == n || due.After(now) {
				next = due
				return false, nil
			}
			keys = append(keys, slices.Clone(k))
			return true, nil
		})
	})
	return keys, next, err
}

// claimTask leases the task at key k; nil if it has gone meanwhile.
func claimTask(tx kv.Txn, k []byte, until time.Time) (*Task, error) {
	rec, err := lookup(tx, k)
	if err != nil || rec == nil {
		return nil, err
	}
	t, err := decodeTask(rec)
	if err != nil {
		return nil, err
	}
	h := held{task: t, key: ofVersion(kindPending, t.Bucket, t.Key, t.VersionID)}
	if h.pending, err = getPending(tx, h.key); err != nil {
		return nil, err
	}
	if h.index = slices.IndexFunc(h.pending, func(p pendingTask) bool { return p.id == t.ID }); h.index < 0 {
		return nil, errRecord
	}
	h.task.Attempt++
	h.task.Due = until
	h.task.again = false // this attempt reads the tags as they are now
	h.move(tx)
	return &h.task.Task, nil
}

// PendingTasks lists waiting tasks of bucket ("" all), at most max (0: all), earliest
// due first.
func (s *Store) PendingTasks(ctx context.Context, bucket string, max int) (tasks []Task, err error) {
	prefix := plainKey(kindTask)
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(_, rec []byte) (bool, error) {
			t, err := decodeTask(rec)
			if err != nil {
				return false, err
			}
			if bucket == "" || t.Bucket == bucket {
				tasks = append(tasks, t.Task)
			}
			return max <= 0 || len(tasks) < max, nil
		})
	})
	return tasks, failed(err)
}
