package store

import (
	"context"
	"maps"
	"sync"
	"time"

	"twinbucket/store/kv"
)

// QueueStats is kept current in memory: no scan, and nothing for each task.
type QueueStats struct {
	Pending int       // tasks not settled
	Bytes   int64     // their sizes
	Oldest  time.Time // creation of the oldest, zero when none
	ByRule  map[RuleKey]RuleStats
}

// RuleKey names a queue: the tasks of one rule towards one destination bucket.
type RuleKey struct{ Bucket, RuleID, Destination string }

// Queue is the queue that the task stands in.
func (t *Task) Queue() RuleKey {
	return RuleKey{Bucket: t.Bucket, RuleID: t.Rule.ID, Destination: t.Rule.Destination.Bucket}
}

// RuleStats counts a queue's tasks.
type RuleStats struct {
	Pending      int
	PendingBytes int64
	// Oldest is when the oldest pending one was made, zero when there is none; it can be
	// early by a hundredth of what the pending ones span.
	Oldest    time.Time
	Completed uint64 // since start
	Failed    uint64
	// Batch and BatchBytes are those of the pending ones that batch jobs asked for.
	Batch      int
	BatchBytes int64
}

// queue counts the tasks, with memory for each rule and none for each task. Tasks are
// counted before the commit that makes them and discounted after the one that ends them,
// so it never shows fewer than there are.
type queue struct {
	mu      sync.Mutex
	pending int
	bytes   int64
	rules   map[RuleKey]*ruleQueue
	stirred map[RuleKey]struct{}
}

type ruleQueue struct {
	RuleStats // but Oldest
	ages      ages
}

// counted is what counting a task needs.
type counted struct {
	queue   RuleKey
	size    int64
	created time.Time
	batch   bool
}

func countedOf(t *Task) counted { return counted{t.Queue(), t.Size, t.Created, t.Job != ""} }

func (q *queue) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending, q.bytes = 0, 0
	q.rules, q.stirred = map[RuleKey]*ruleQueue{}, map[RuleKey]struct{}{}
}

func (q *queue) rule(k RuleKey) *ruleQueue {
	r := q.rules[k]
	if r == nil {
		r = new(ruleQueue)
		q.rules[k] = r
	}
	return r
}

// add counts tasks.
func (q *queue) add(tasks []Task) {
	if len(tasks) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range tasks {
		t := &tasks[i]
		r := q.rule(t.Queue())
		r.Pending++
		r.PendingBytes += t.Size
		r.ages.add(t.Created)
		if t.Job != "" {
			r.Batch++
			r.BatchBytes += t.Size
		}
		q.pending++
		q.bytes += t.Size
	}
}

// remove discounts tasks.
func (q *queue) remove(tasks ...counted) {
	if len(tasks) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range tasks {
		t := &tasks[i]
		r := q.rule(t.queue)
		r.Pending--
		r.PendingBytes -= t.size
		r.ages.remove(t.created)
		if t.batch {
			r.Batch--
			r.BatchBytes -= t.size
		}
		q.pending--
		q.bytes -= t.size
	}
}

// forget takes back an addition whose commit failed.
func (q *queue) forget(tasks []Task) {
	for i := range tasks {
		q.remove(countedOf(&tasks[i]))
	}
}

// stir notes queues that have a task which was not there, or not due as early.
func (q *queue) stir(queues ...RuleKey) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, k := range queues {
		q.stirred[k] = struct{}{}
	}
}

// count adds to the counts of settled tasks.
func (q *queue) count(ends []Ended) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range ends {
		switch r := q.rule(ends[i].Task.Queue()); ends[i].Result.Status {
		case Completed:
			r.Completed++
		case Failed:
			r.Failed++
		}
	}
}

// stats returns a copy of the counts.
func (q *queue) stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	st := QueueStats{Pending: q.pending, Bytes: q.bytes, ByRule: make(map[RuleKey]RuleStats, len(q.rules))}
	for k, r := range q.rules {
		s := r.RuleStats
		s.Oldest = r.ages.oldest()
		if !s.Oldest.IsZero() && (st.Oldest.IsZero() || s.Oldest.Before(st.Oldest)) {
			st.Oldest = s.Oldest
		}
		st.ByRule[k] = s
	}
	return st
}

// Queue returns the counts.
func (s *Store) Queue() QueueStats { return s.queue.stats() }

// RuleQueue returns the counts of one queue.
func (s *Store) RuleQueue(k RuleKey) RuleStats {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	r := s.queue.rules[k]
	if r == nil {
		return RuleStats{}
	}
	st := r.RuleStats
	st.Oldest = r.ages.oldest()
	return st
}

// Pending is Queue().Pending without the rest.
func (s *Store) Pending() int {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.queue.pending
}

// PendingOf is how many tasks wait in the queues of bucket ("" all).
func (s *Store) PendingOf(bucket string) int {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	if bucket == "" {
		return s.queue.pending
	}
	n := 0
	for k, r := range s.queue.rules {
		if k.Bucket == bucket {
			n += r.Pending
		}
	}
	return n
}

// Stirred returns the queues that got a task, or one that is due earlier, since it was
// called last; after Open, those that have tasks.
func (s *Store) Stirred() []RuleKey {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	out := make([]RuleKey, 0, len(s.queue.stirred))
	for k := range maps.Keys(s.queue.stirred) {
		out = append(out, k)
	}
	clear(s.queue.stirred)
	return out
}

// countQueue counts the tasks that are there at Open.
func (s *Store) countQueue(ctx context.Context) error {
	s.queue.reset()
	prefix := plainKey(kindTask)
	err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(_, rec []byte) (bool, error) {
			t, err := decodeTask(rec)
			if err == nil {
				s.queue.add([]Task{t.Task})
				s.queue.stir(t.Queue())
			}
			return true, err
		})
	})
	if err == nil && s.Pending() > 0 {
		s.notify()
	}
	return err
}
