package store

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"twinbucket/store/kv"
)

// QueueStats is kept current in memory: no scan.
type QueueStats struct {
	Pending int       // tasks not settled
	Bytes   int64     // their sizes
	Oldest  time.Time // creation of the oldest, zero when none
	ByRule  map[RuleKey]RuleStats
}

// RuleKey names a rule.
type RuleKey struct{ Bucket, RuleID, Destination string }

// RuleStats counts a rule's tasks.
type RuleStats struct {
	Pending      int
	PendingBytes int64
	Completed    uint64 // since start
	Failed       uint64
}

// queue counts the tasks. It never shows fewer pending tasks than there are to those
// who were told of a commit: a task can be settled by one goroutine before the one
// that made it has counted it, and such an early removal waits for its addition.
type queue struct {
	mu      sync.Mutex
	bytes   int64
	waiting map[string]waiting // by task id
	early   map[string]bool
	oldest  ages
	rules   map[RuleKey]*RuleStats
}

type waiting struct {
	size int64
	rule *RuleStats
}

// ages is a heap of tasks by creation, those that are gone included until they
// come to the top.
type ages []age

type age struct {
	created time.Time
	id      string
}

func (a ages) Len() int           { return len(a) }
func (a ages) Less(i, j int) bool { return a[i].created.Before(a[j].created) }
func (a ages) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *ages) Push(x any)        { *a = append(*a, x.(age)) }
func (a *ages) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = age{}
	*a = old[:len(old)-1]
	return last
}

func (q *queue) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes, q.oldest = 0, nil
	q.waiting, q.early, q.rules = map[string]waiting{}, map[string]bool{}, map[RuleKey]*RuleStats{}
}

func (q *queue) rule(t *Task) *RuleStats {
	k := RuleKey{Bucket: t.Bucket, RuleID: t.Rule.ID, Destination: t.Rule.Destination.Bucket}
	r := q.rules[k]
	if r == nil {
		r = new(RuleStats)
		q.rules[k] = r
	}
	return r
}

// add counts a task; one that is counted already changes nothing.
func (q *queue) add(t *Task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.early[t.ID] {
		delete(q.early, t.ID)
		return
	}
	if _, ok := q.waiting[t.ID]; ok {
		return
	}
	r := q.rule(t)
	r.Pending++
	r.PendingBytes += t.Size
	q.bytes += t.Size
	q.waiting[t.ID] = waiting{size: t.Size, rule: r}
	heap.Push(&q.oldest, age{t.Created, t.ID})
}

// remove takes a task out.
func (q *queue) remove(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w, ok := q.waiting[id]
	if !ok {
		q.early[id] = true
		return
	}
	delete(q.waiting, id)
	w.rule.Pending--
	w.rule.PendingBytes -= w.size
	q.bytes -= w.size
	for len(q.oldest) > 0 {
		if _, ok := q.waiting[q.oldest[0].id]; ok {
			break
		}
		heap.Pop(&q.oldest)
	}
}

// count adds to the counts of settled tasks.
func (q *queue) count(ends []Ended) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range ends {
		switch r := q.rule(&ends[i].Task); ends[i].Result.Status {
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
	st := QueueStats{Pending: len(q.waiting), Bytes: q.bytes, ByRule: make(map[RuleKey]RuleStats, len(q.rules))}
	if len(q.oldest) > 0 {
		st.Oldest = q.oldest[0].created
	}
	for k, r := range q.rules {
		st.ByRule[k] = *r
	}
	return st
}

// Queue returns the counts.
func (s *Store) Queue() QueueStats { return s.queue.stats() }

// Pending is Queue().Pending without the rest.
func (s *Store) Pending() int {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return len(s.queue.waiting)
}

// countQueue counts the tasks that are there at Open.
func (s *Store) countQueue(ctx context.Context) error {
	s.queue.reset()
	prefix := plainKey(kindTask)
	err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(_, rec []byte) (bool, error) {
			t, err := decodeTask(rec)
			if err == nil {
				s.queue.add(&t.Task)
			}
			return true, err
		})
	})
	if err == nil && s.Pending() > 0 {
		s.notify()
	}
	return err
}
