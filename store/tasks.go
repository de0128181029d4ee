package store

import (
	"cmp"
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
		st := storedTask{Task: *t}
		if v.IsReplica && v.Lock != (Lock{}) { // a change on its way back may have been this one too
			st.again = metaLock &^ t.Kind.brings()
		}
		tx.Put(taskKey(t.Queue(), t.Due, t.ID), encodeTask(&st))
		pending = append(pending, pendingTask{bucket: t.Rule.Destination.Bucket, rule: t.Rule.ID, id: t.ID, due: t.Due})
	}
	tx.Put(ofVersion(kindPending, v.Bucket, v.Key, v.ID), encodePending(pending))
	putWatch(tx, v, tasks)
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
	rec, err := tx.Get(h.pending[h.index].key(t.Bucket))
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
		tx.Delete(p.key(h.task.Bucket))
		p.due = h.task.Due
		tx.Put(h.key, encodePending(h.pending))
	}
	tx.Put(p.key(h.task.Bucket), encodeTask(&h.task))
}

// remove takes the task out of the queue.
func (h *held) remove(tx kv.Txn) {
	tx.Delete(h.pending[h.index].key(h.task.Bucket))
	rest := slices.Delete(h.pending, h.index, h.index+1)
	if h.putPending(tx, rest); len(rest) == 0 {
		dropWatch(tx, &h.task.Task)
	}
}

func (h *held) putPending(tx kv.Txn, pending []pendingTask) {
	if len(pending) == 0 {
		tx.Delete(h.key)
		return
	}
	tx.Put(h.key, encodePending(pending))
}

// Want asks for up to Max due tasks of one queue.
type Want struct {
	Queue RuleKey
	Max   int
}

// claimBatch is how many tasks one transaction claims: each takes up to six operations.
const claimBatch = 16

// ClaimFrom moves due tasks of the queues to now+lease with Attempt+1 and returns them. The
// attempt number fences: Settle and Postpone of an older attempt are refused with
// code StaleAttempt. next says for each queue when there is something to claim again
// (zero: never), at the latest when the lease of what is returned ends.
func (s *Store) ClaimFrom(ctx context.Context, wants []Want, lease time.Duration) (tasks []Task, next []time.Time, err error) {
	// One claimer at a time: two would only take each other's tasks out of their hands.
	s.claiming.Lock()
	defer s.claiming.Unlock()
	now := s.cfg.Clock.Now()
	until := now.Add(lease)
	var due [][]byte
	next = make([]time.Time, len(wants))
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		for i, w := range wants {
			keys, following, err := dueTasks(r, w, now)
			if err != nil {
				return err
			}
			if len(keys) > 0 && (following.IsZero() || following.After(until)) {
				following = until
			}
			due, next[i] = append(due, keys...), following
		}
		return nil
	})
	if err != nil {
		return nil, nil, failed(err)
	}
	for batch := range slices.Chunk(due, claimBatch) {
		claimed, err := s.claimBatch(ctx, batch, until)
		if err != nil && len(tasks) == 0 {
			return nil, nil, failed(err)
		}
		if err != nil { // what is claimed is claimed; the rest is still due
			for i := range next {
				next[i] = now
			}
			break
		}
		tasks = append(tasks, claimed...)
	}
	return tasks, next, nil
}

func (s *Store) claimBatch(ctx context.Context, keys [][]byte, until time.Time) (claimed []Task, err error) {
	err = s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		claimed = nil
		for _, k := range keys {
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
	return claimed, err
}

// dueTasks returns the keys of a queue's first due tasks, and when the following one is due.
func dueTasks(r kv.Reader, w Want, now time.Time) (keys [][]byte, next time.Time, err error) {
	prefix := inQueue(w.Queue, 0)
	c := r.Cursor(prefix, kv.PrefixEnd(prefix))
	for k, _ := c.Next(); k != nil; k, _ = c.Next() {
		_, due, ok := cutTask(k)
		if !ok {
			return nil, next, errRecord
		}
		if len(keys) == w.Max || due.After(now) {
			return keys, due, c.Err()
		}
		keys = append(keys, slices.Clone(k))
	}
	return keys, time.Time{}, c.Err()
}

// Claim is ClaimFrom all queues for n tasks, earliest due first.
func (s *Store) Claim(ctx context.Context, n int, lease time.Duration) (tasks []Task, next time.Time, err error) {
	var first []Task
	if first, err = s.PendingTasks(ctx, "", n); err != nil {
		return nil, time.Time{}, err
	}
	now := s.cfg.Clock.Now()
	want := map[RuleKey]int{}
	for i := range first {
		if !first[i].Due.After(now) {
			want[first[i].Queue()]++
		}
	}
	var wants []Want
	for q, n := range want {
		wants = append(wants, Want{q, n})
	}
	if tasks, _, err = s.ClaimFrom(ctx, wants, lease); err != nil {
		return nil, time.Time{}, err
	}
	rest, err := s.PendingTasks(ctx, "", len(tasks)+1)
	for i := range rest {
		if claimed := slices.ContainsFunc(tasks, func(t Task) bool { return t.ID == rest[i].ID }); !claimed {
			next = rest[i].Due
			break
		}
	}
	return tasks, next, err
}

// claimTask leases the task at key k; nil if it has gone meanwhile.
func claimTask(tx kv.Txn, k []byte, until time.Time) (*Task, error) {
	h, err := holdKey(tx, k)
	if err != nil || h == nil {
		return nil, err
	}
	h.task.Attempt++
	h.task.Due = until
	h.task.again &^= h.task.Kind.brings() // this attempt reads them as they are now
	h.move(tx)
	return &h.task.Task, nil
}

// holdKey is the task at key k; nil if it has gone or moved.
func holdKey(tx kv.Txn, k []byte) (*held, error) {
	rec, err := lookup(tx, k)
	if err != nil || rec == nil {
		return nil, err
	}
	t, err := decodeTask(rec)
	if err != nil {
		return nil, err
	}
	h := &held{task: t, key: ofVersion(kindPending, t.Bucket, t.Key, t.VersionID)}
	if h.pending, err = getPending(tx, h.key); err != nil {
		return nil, err
	}
	if h.index = slices.IndexFunc(h.pending, func(p pendingTask) bool { return p.id == t.ID }); h.index < 0 {
		return nil, errRecord
	}
	return h, nil
}

// PendingTasks lists waiting tasks of bucket ("" all), at most max (0: all), earliest
// due first.
func (s *Store) PendingTasks(ctx context.Context, bucket string, max int) (tasks []Task, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return eachQueue(r, bucket, func(q RuleKey) error {
			prefix, n := inQueue(q, 0), 0
			return r.Scan(prefix, kv.PrefixEnd(prefix), func(_, rec []byte) (bool, error) {
				t, err := decodeTask(rec)
				if err != nil {
					return false, err
				}
				tasks = append(tasks, t.Task)
				n++
				return n != max, nil
			})
		})
	})
	slices.SortStableFunc(tasks, func(a, b Task) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	if max > 0 && len(tasks) > max {
		tasks = tasks[:max]
	}
	return tasks, failed(err)
}

// eachQueue visits the queues of bucket ("" all) that have tasks. It seeks past them, so
// it costs their number, not their lengths.
func eachQueue(r kv.Reader, bucket string, visit func(RuleKey) error) error {
	prefix := plainKey(kindTask)
	if bucket != "" {
		prefix = inBucket(kindTask, bucket)
	}
	c := r.Cursor(prefix, kv.PrefixEnd(prefix))
	for k, _ := c.Next(); k != nil; {
		q, _, ok := cutTask(k)
		if !ok {
			return errRecord
		}
		if err := visit(q); err != nil {
			return err
		}
		k, _ = c.Seek(kv.PrefixEnd(inQueue(q, 0)))
	}
	return c.Err()
}
