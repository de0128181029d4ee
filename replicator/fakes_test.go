package replicator

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queue is a Queue in memory with the fencing rules of the real one.
type queue struct {
	clock clock.Clock
	wake  chan struct{}

	mu       sync.Mutex
	tasks    map[string]store.Task
	versions map[string]*store.Version
	traces   map[string][]byte // bucket/key/version/destination
	bucket   *store.Bucket
	settled  []store.Ended
	order    []string // task ids in the order they were claimed
	batches  int
	stirred  bool
}

var _ Queue = (*queue)(nil)

func newQueue(c clock.Clock) *queue {
	return &queue{clock: c, wake: make(chan struct{}, 1), tasks: map[string]store.Task{}, versions: map[string]*store.Version{},
		traces: map[string][]byte{}, bucket: &store.Bucket{Name: "src", Account: "111122223333", Region: "us-east-1"}}
}

func (q *queue) add(t store.Task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t.Due, t.Created = q.clock.Now(), q.clock.Now()
	q.tasks[t.ID] = t
	q.versions[t.Key] = &store.Version{Bucket: t.Bucket, Key: t.Key, ID: t.VersionID,
		Destinations: []store.DestinationStatus{{RuleID: t.Rule.ID, Bucket: t.Rule.Destination.Bucket, Status: store.Pending}}}
	q.signal()
}

// signal wakes the dispatcher; the caller holds mu.
func (q *queue) signal() {
	q.stirred = true
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) Claim(_ context.Context, n int, lease time.Duration) ([]store.Task, time.Time, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	out, next := q.claim(n, lease, func(*store.Task) bool { return true })
	return out, next, nil
}

func (q *queue) claim(n int, lease time.Duration, match func(*store.Task) bool) (out []store.Task, next time.Time) {
	now := q.clock.Now()
	for _, id := range slices.Sorted(maps.Keys(q.tasks)) {
		t := q.tasks[id]
		switch {
		case !match(&t):
			continue
		case t.Due.After(now) || len(out) == n:
		default:
			t.Due, t.Attempt = now.Add(lease), t.Attempt+1
			q.tasks[id] = t
			q.order = append(q.order, id)
			out = append(out, t)
		}
		if next.IsZero() || t.Due.Before(next) {
			next = t.Due
		}
	}
	return out, next
}

func (q *queue) current(t store.Task) error {
	if now, ok := q.tasks[t.ID]; !ok || now.Attempt != t.Attempt {
		return failure.New("StaleAttempt", "the task was taken over")
	}
	return nil
}

func (q *queue) SettleAll(_ context.Context, ends []store.Ended) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batches++
	for _, e := range ends {
		if q.current(e.Task) != nil {
			continue
		}
		delete(q.tasks, e.Task.ID)
		q.settled = append(q.settled, e)
		q.traces[traceKey(e.Task)] = e.Result.Trace
		d := &q.versions[e.Task.Key].Destinations[0]
		d.Status, d.Reason = e.Result.Status, e.Result.Reason
	}
	return nil
}

func traceKey(t store.Task) string {
	return t.Bucket + "/" + t.Key + "/" + t.VersionID + "/" + t.Rule.Destination.Bucket
}

func (q *queue) Postpone(_ context.Context, t store.Task, due time.Time, lastError string, throttled bool, trace []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.current(t); err != nil {
		return err
	}
	t.Due, t.LastError, t.Throttled = due, lastError, throttled
	q.tasks[t.ID] = t
	if trace != nil {
		q.traces[traceKey(t)] = trace
	}
	q.signal()
	return nil
}

func (q *queue) Retry(context.Context, string, string, string) (int, error) { return 0, nil }

func (q *queue) ClaimFrom(_ context.Context, wants []store.Want, lease time.Duration) (out []store.Task, next []time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range wants {
		tasks, following := q.claim(w.Max, lease, func(t *store.Task) bool { return t.Queue() == w.Queue })
		out, next = append(out, tasks...), append(next, following)
	}
	return out, next, nil
}

func (q *queue) Hasten(_ context.Context, throttledOnly bool) (moved int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	for id, t := range q.tasks {
		if t.Due.After(now) && (t.Throttled || !throttledOnly) {
			t.Due = now
			q.tasks[id] = t
			moved++
		}
	}
	q.signal()
	return moved, nil
}

func (q *queue) PendingOf(bucket string) (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.tasks {
		if bucket == "" || t.Bucket == bucket {
			n++
		}
	}
	return n
}

// Stirred names every queue since the last signal.
func (q *queue) Stirred() (out []store.RuleKey) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.stirred {
		return nil
	}
	q.stirred = false
	for _, t := range q.tasks {
		if !slices.Contains(out, t.Queue()) {
			out = append(out, t.Queue())
		}
	}
	return out
}

func (q *queue) Wake() <-chan struct{} { return q.wake }

func (q *queue) Bucket(context.Context, string) (*store.Bucket, error) {
	if q.bucket == nil {
		return nil, failure.New("NoSuchBucket", "The specified bucket does not exist")
	}
	return q.bucket, nil
}

func (q *queue) Version(_ context.Context, _, key, _ string) (*store.Version, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	v, ok := q.versions[key]
	if !ok {
		return nil, failure.New("NoSuchKey", "The specified key does not exist.")
	}
	c := *v
	return &c, nil
}

func (q *queue) Trace(_ context.Context, bucket, key, id string) (map[string][]byte, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := map[string][]byte{}
	for _, d := range q.versions[key].Destinations {
		if b, ok := q.traces[bucket+"/"+key+"/"+id+"/"+d.Bucket]; ok {
			out[d.Bucket] = b
		}
	}
	return out, nil
}

// roles allows every role, or answers with err.
type roles struct {
	err     error
	observe *func(*policy.Decision) // where to keep the observer, for doors that decide
}

func (r roles) AssumeServiceRole(_ context.Context, req iamsim.ServiceRole) (iamsim.Caller, error) {
	d := &policy.Decision{Outcome: policy.Allowed, Action: "sts:AssumeRole", Resource: req.RoleARN, Principal: policy.Principal{Type: policy.Service, ARN: req.Service},
		DecidedBy: policy.Reference{Type: policy.Trust, Policy: "trust policy of crr", Statement: 1, Line: 1}}
	if r.err != nil {
		d.Outcome = policy.ImplicitDeny
	}
	req.Observe(d)
	if r.observe != nil {
		*r.observe = req.Observe
	}
	return iamsim.Caller{Principal: policy.Principal{Type: policy.AssumedRole, Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/crr/s3-replication", RoleARN: req.RoleARN}}.Observed(req.Observe), r.err
}

// objects answers every door with what put returns.
type objects struct {
	put func(ctx context.Context, t store.Task) error
}

func (o objects) OpenForReplication(context.Context, iamsim.Caller, string, string, string) (*store.Outgoing, error) {
	return &store.Outgoing{}, nil
}
func (o objects) PutReplica(ctx context.Context, _ iamsim.Caller, t store.Task, _ *store.Outgoing) error {
	return o.put(ctx, t)
}
func (o objects) PutReplicaMarker(ctx context.Context, _ iamsim.Caller, t store.Task) error {
	return o.put(ctx, t)
}
func (o objects) PutReplicaTags(ctx context.Context, _ iamsim.Caller, t store.Task) error {
	return o.put(ctx, t)
}

func (o objects) PutReplicaACL(ctx context.Context, _ iamsim.Caller, t store.Task) error {
	return o.put(ctx, t)
}

func (o objects) PutReplicaLock(ctx context.Context, _ iamsim.Caller, t store.Task) error {
	return o.put(ctx, t)
}

func (o objects) Imagine(_ context.Context, bucket, key string, _ http.Header) (*store.Version, error) {
	return &store.Version{Bucket: bucket, Key: key, ID: "foreseen"}, nil
}
func (o objects) ForeseeReplication(context.Context, iamsim.Caller, store.Task, *store.Version, func(error, bool)) error {
	return nil
}

func task(n int) store.Task {
	return store.Task{ID: fmt.Sprint("t", n), Kind: store.TaskObject, Bucket: "src", Key: fmt.Sprint("k", n), VersionID: "v",
		Role: "arn:aws:iam::111122223333:role/crr", Rule: store.ReplicationRule{ID: "r1", Destination: store.Destination{Bucket: "dst"}}}
}

func newReplicator(q *queue, put func(context.Context, store.Task) error) *Replicator {
	return New(Config{Queue: q, Roles: roles{}, Objects: objects{put}, Clock: q.clock, Logger: slog.New(slog.DiscardHandler), Workers: 4, Seed: 1})
}

// pass lets time go by in the bubble.
func pass(d time.Duration) { <-time.After(d) }
