package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

var ruleKey = store.RuleKey{Bucket: "src", RuleID: "r", Destination: "dst"}

// queue is a store as the monitor sees it.
type queue struct {
	mu      sync.Mutex
	clock   *clock.Manual
	stats   store.RuleStats
	watched []store.Watched
	fail    error
}

func (q *queue) Overdue(_ context.Context, max int) ([]store.Watched, time.Time, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fail != nil {
		return nil, time.Time{}, q.fail
	}
	var due []store.Watched
	for _, w := range q.watched {
		at := w.Created.Add(store.Threshold)
		if at.After(q.clock.Now()) || len(due) == max {
			return due, at, nil
		}
		due = append(due, w)
	}
	return due, time.Time{}, nil
}

func (q *queue) Unwatch(_ context.Context, list []store.Watched) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.watched = slices.Clone(q.watched[len(list):])
	return nil
}

func (q *queue) Queue() store.QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return store.QueueStats{ByRule: map[store.RuleKey]store.RuleStats{ruleKey: q.stats}}
}

func (q *queue) RuleQueue(store.RuleKey) store.RuleStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stats
}

func (q *queue) Bucket(_ context.Context, name string) (*store.Bucket, error) {
	switch name {
	case "src":
		return &store.Bucket{Name: name, Account: "1", Region: "near", Replication: &store.ReplicationConfiguration{Rules: []store.ReplicationRule{rule1(true, true)}}}, nil
	case "dst":
		return &store.Bucket{Name: name, Account: "2", Region: "far"}, nil
	}
	return nil, failure.New("NoSuchBucket", "")
}

func (q *queue) Version(_ context.Context, _, key, _ string) (*store.Version, error) {
	return &store.Version{Key: key, ETag: "e", Size: 7, Order: 9}, nil
}

func rule1(metrics, timed bool) store.ReplicationRule {
	to := store.Destination{Bucket: "dst"}
	if metrics {
		to.Metrics = "Enabled"
	}
	if timed {
		to.ReplicationTime = "Enabled"
	}
	return store.ReplicationRule{ID: "r", Destination: to}
}

// world is a monitor with what it published.
type world struct {
	*Monitor
	queue *queue
	clock *clock.Manual

	mu     sync.Mutex
	points map[string][]float64 // by "metric region minute"
	events []string             // "name key reason"
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := clock.NewManual(noon)
	w := &world{clock: c, queue: &queue{clock: c}, points: map[string][]float64{}}
	w.Monitor = New(Config{
		Queue: w.queue, Clock: c, Logger: slog.New(slog.DiscardHandler),
		Measure: func(m Measurement) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if m.Published && m.Account == "1" {
				k := fmt.Sprintf("%s %s %d", m.Name, m.Region, int(m.At.Sub(noon).Minutes()))
				w.points[k] = append(w.points[k], m.Value)
			}
		},
		Announce: func(e Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e.Name[len("Replication:"):]+" "+e.Key+" "+e.Operation+" "+e.Reason)
		},
	})
	return w
}

// prepared is a world whose monitor was opened but does not run by itself.
func (w *world) prepared(t *testing.T) *world {
	w.ctx, w.stop = context.WithCancel(context.Background())
	t.Cleanup(w.stop)
	w.looked = w.clock.Now()
	return w
}

func task(key string, r store.ReplicationRule) store.Task {
	return store.Task{ID: key, Kind: store.TaskObject, Bucket: "src", Key: key, VersionID: "v", Rule: r, Created: noon}
}

func TestEventsOfAttempts(t *testing.T) {
	batch := func(t store.Task) store.Task { t.Job = "j"; return t }
	kind := func(t store.Task, k store.TaskKind) store.Task { t.Kind = k; return t }
	for _, tt := range []struct {
		name string
		op   Operation
		want []string
	}{
		{"failed", Operation{Task: task("k", rule1(true, false)), Status: store.Failed, Reason: "DstBucketNotFound"}, []string{"OperationFailedReplication k OBJECT_PUT DstBucketNotFound"}},
		{"failed marker", Operation{Task: kind(task("k", rule1(true, false)), store.TaskMarker), Status: store.Failed, Reason: "DstDelObjNotPermitted"}, []string{"OperationFailedReplication k DELETE_MARKER DstDelObjNotPermitted"}},
		{"failed tags of a whole object", Operation{Task: task("k", rule1(true, false)), Status: store.Failed, Reason: "DstPutTaggingNotPermitted"}, nil},
		{"failed tags alone", Operation{Task: kind(task("k", rule1(true, false)), store.TaskTagging), Status: store.Failed, Reason: "DstPutTaggingNotPermitted"}, []string{"OperationFailedReplication k TAGGING_PUT DstPutTaggingNotPermitted"}},
		{"failed without metrics", Operation{Task: task("k", rule1(false, false)), Status: store.Failed, Reason: "DstBucketNotFound"}, nil},
		{"failed in a job", Operation{Task: batch(task("k", rule1(true, false))), Status: store.Failed, Reason: "DstBucketNotFound"}, []string{"OperationFailedReplication k OBJECT_PUT DstBucketNotFound"}},
		{"postponed", Operation{Task: task("k", rule1(true, true)), Status: store.Pending, Lag: time.Hour}, nil},
		{"source gone", Operation{Task: task("k", rule1(true, true)), Lag: time.Hour}, nil},
		{"in time", Operation{Task: task("k", rule1(true, true)), Status: store.Completed, Lag: 15*time.Minute - 1}, nil},
		{"late", Operation{Task: task("k", rule1(true, true)), Status: store.Completed, Lag: 15 * time.Minute}, []string{"OperationReplicatedAfterThreshold k OBJECT_PUT "}},
		{"late without time control", Operation{Task: task("k", rule1(true, false)), Status: store.Completed, Lag: time.Hour}, nil},
		{"late in a job", Operation{Task: batch(task("k", rule1(true, true))), Status: store.Completed, Lag: time.Hour}, nil},
	} {
		w := newWorld(t).prepared(t)
		w.Ended(tt.op)
		if d := cmp.Diff(w.events, tt.want); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

func watched(key string, gone, timed, pending bool) store.Watched {
	return store.Watched{Bucket: "src", Key: key, VersionID: "v", Created: noon, Gone: gone,
		Destinations: []store.WatchedDestination{{RuleID: "r", Bucket: "dst", Kind: store.TaskObject, Timed: timed, Pending: pending}}}
}

func TestThresholds(t *testing.T) {
	w := newWorld(t)
	w.queue.watched = []store.Watched{
		watched("late", false, true, true), watched("done", false, true, false), watched("untimed", false, false, true),
		watched("gone", true, true, false), {Bucket: "none", Created: noon},
	}
	for i := range 2 * sweepPage {
		w.queue.watched = append(w.queue.watched, watched(fmt.Sprint("more", i), false, true, true))
	}
	if err := w.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 14 { // each minute the monitor looks and makes its next timer
		w.clock.Advance(time.Minute)
		w.settled(t)
	}
	if got := w.told(); len(got) != 0 {
		t.Errorf("before the threshold: %v", got)
	}
	w.clock.Advance(time.Minute)
	w.settled(t)
	want := []string{"OperationMissedThreshold late OBJECT_PUT ", "OperationNotTracked gone OBJECT_PUT "}
	for range 2 {
		if err := w.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	got := w.told()
	if d := cmp.Diff(got[:2], want); d != "" || len(got) != 2+2*sweepPage || len(w.queue.watched) != 0 {
		t.Errorf("%d events, %d still watched: %s", len(got), len(w.queue.watched), d)
	}
}

// told is what was announced so far.
func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

// settled makes sure that what the goroutine may be doing is done: looking twice changes
// nothing.
func (w *world) settled(t *testing.T) {
	t.Helper()
	if _, err := w.sweep(w.ctx); err != nil {
		t.Fatal(err)
	}
}

func TestMissIsToldBeforeTheArrival(t *testing.T) {
	w := newWorld(t).prepared(t)
	w.queue.watched = []store.Watched{watched("k", false, true, true)}
	w.clock.Advance(20 * time.Minute)
	w.Ended(Operation{Task: task("k", rule1(true, true)), Status: store.Completed, Lag: 20 * time.Minute})
	want := []string{"OperationMissedThreshold k OBJECT_PUT ", "OperationReplicatedAfterThreshold k OBJECT_PUT "}
	if d := cmp.Diff(w.events, want); d != "" {
		t.Error(d)
	}
}

func TestTroubleOfTheStoreLosesNoThreshold(t *testing.T) {
	w := newWorld(t).prepared(t)
	w.queue.watched = []store.Watched{watched("k", false, true, true)}
	w.queue.fail = errors.New("disk")
	w.clock.Advance(15 * time.Minute)
	if next := w.look(); !next.Equal(noon.Add(16*time.Minute)) || len(w.events) != 0 {
		t.Errorf("next look %v, events %v", next, w.events)
	}
	w.queue.fail = nil
	w.look()
	if len(w.events) != 1 {
		t.Errorf("events %v", w.events)
	}
}

func TestMeasurements(t *testing.T) {
	w := newWorld(t).prepared(t)
	w.queue.stats = store.RuleStats{Pending: 3, PendingBytes: 30, Batch: 1, BatchBytes: 10, Oldest: noon.Add(30 * time.Second)}
	w.clock.Advance(3*time.Minute + 30*time.Second)
	w.look()
	// An attempt that ends measures once a second at most, and always its own lag.
	for range 3 {
		w.Ended(Operation{Task: task("k", rule1(true, false)), Status: store.Completed, Lag: 200 * time.Second})
	}
	w.Ended(Operation{Task: task("k", rule1(true, false)), Status: store.Failed, Reason: "DstBucketNotFound"})
	job := task("k", rule1(true, false))
	job.Job = "j"
	w.Ended(Operation{Task: job, Status: store.Failed, Reason: "DstBucketNotFound", Lag: time.Hour})
	w.queue.stats = store.RuleStats{}
	w.clock.Advance(time.Minute)
	w.look()
	w.clock.Advance(time.Minute)
	w.look()
	want := map[string][]float64{
		"OperationsFailedReplication near 3": {0, 0, 0, 1, 1},
		"OperationsPendingReplication far 0": {2},
		"OperationsPendingReplication far 1": {2},
		"OperationsPendingReplication far 2": {2},
		"OperationsPendingReplication far 3": {2, 2},
		"OperationsPendingReplication far 4": {0}, // and then silence
		"BytesPendingReplication far 0":      {20},
		"BytesPendingReplication far 1":      {20},
		"BytesPendingReplication far 2":      {20},
		"BytesPendingReplication far 3":      {20, 20},
		"BytesPendingReplication far 4":      {0},
		"ReplicationLatency far 0":           {30 - 1e-9},
		"ReplicationLatency far 1":           {90 - 1e-9},
		"ReplicationLatency far 2":           {150 - 1e-9},
		"ReplicationLatency far 3":           {180, 200, 180, 200, 200},
	}
	if d := cmp.Diff(w.points, want); d != "" {
		t.Error(d)
	}
}
