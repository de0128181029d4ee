package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"twinbucket/internal/failure"
)

func woken(f *fixture) bool {
	select {
	case <-f.Wake():
		return true
	default:
		return false
	}
}

func TestTaskLifecycle(t *testing.T) {
	f := newFixture(t)
	c := replication(rule("r1", "k", "d1", 1), rule("r2", "", "d2", 1))
	f.bucket("b", VersioningEnabled, c)
	v := f.put("b", "k", "four")
	if !woken(f) || woken(f) {
		t.Error("PutVersion did not wake once")
	}
	want := []Task{
		{Kind: TaskObject, Bucket: "b", Key: "k", VersionID: v.ID, Size: 4, Role: c.Role, Rule: c.Rules[0], Created: start, Due: start},
		{Kind: TaskObject, Bucket: "b", Key: "k", VersionID: v.ID, Size: 4, Role: c.Role, Rule: c.Rules[1], Created: start, Due: start},
	}
	sortByRule := cmpopts.SortSlices(func(a, b Task) bool { return a.Rule.ID < b.Rule.ID })
	noID := cmpopts.IgnoreFields(Task{}, "ID")
	got, err := f.PendingTasks(f.ctx, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, want, noID, sortByRule); d != "" {
		t.Error(d)
	}
	if got[0].ID == got[1].ID || got[0].ID == "" {
		t.Errorf("got ids %q and %q", got[0].ID, got[1].ID)
	}
	wantStats := QueueStats{
		Pending: 2, Bytes: 8, Oldest: start,
		ByRule: map[RuleKey]RuleStats{{"b", "r1", "d1"}: {Pending: 1, PendingBytes: 4, Oldest: start}, {"b", "r2", "d2"}: {Pending: 1, PendingBytes: 4, Oldest: start}},
	}
	if d := cmp.Diff(f.Queue(), wantStats); d != "" {
		t.Error(d)
	}

	tasks, next, err := f.Claim(f.ctx, 1, time.Minute)
	if err != nil || len(tasks) != 1 || !next.Equal(start) {
		t.Fatalf("got %v, next %v, %v", tasks, next, err)
	}
	first := tasks[0]
	if first.Attempt != 1 || !first.Due.Equal(start.Add(time.Minute)) {
		t.Errorf("got %+v", first)
	}
	tasks, next, err = f.Claim(f.ctx, 10, time.Minute)
	if err != nil || len(tasks) != 1 || tasks[0].ID == first.ID || !next.Equal(start.Add(time.Minute)) {
		t.Fatalf("got %v, next %v, %v", tasks, next, err)
	}
	second := tasks[0]
	if tasks, _, _ = f.Claim(f.ctx, 10, time.Minute); len(tasks) != 0 {
		t.Fatalf("claimed %v twice", tasks)
	}

	// One is put off, the other settled.
	later := start.Add(10 * time.Second)
	if err := f.Postpone(f.ctx, first, later, "slow down", true, []byte("trace 1")); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Second)
	if err := f.Settle(f.ctx, second, Result{Status: Failed, Reason: "DstBucketNotFound", Trace: []byte("trace 2")}); err != nil {
		t.Fatal(err)
	}
	now, _ := f.get("b", "k", "")
	wantDestinations := map[string]DestinationStatus{
		first.Rule.Destination.Bucket:  {RuleID: first.Rule.ID, Bucket: first.Rule.Destination.Bucket, Status: Pending, Updated: start},
		second.Rule.Destination.Bucket: {RuleID: second.Rule.ID, Bucket: second.Rule.Destination.Bucket, Status: Failed, Reason: "DstBucketNotFound", Attempt: 1, Updated: f.clock.Now()},
	}
	for _, d := range now.Destinations {
		if diff := cmp.Diff(d, wantDestinations[d.Bucket]); diff != "" {
			t.Error(diff)
		}
	}
	traces, err := f.Trace(f.ctx, "b", "k", v.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(traces, map[string][]byte{first.Rule.Destination.Bucket: []byte("trace 1"), second.Rule.Destination.Bucket: []byte("trace 2")}); d != "" {
		t.Error(d)
	}
	wantCode(t, f.Settle(f.ctx, second, Result{Status: Completed}), StaleAttempt)
	f.check()

	tasks, next, err = f.Claim(f.ctx, 10, time.Minute)
	if err != nil || len(tasks) != 0 || !next.Equal(later) {
		t.Fatalf("got %v, next %v, %v", tasks, next, err)
	}
	f.clock.Advance(9 * time.Second)
	tasks, next, err = f.Claim(f.ctx, 10, time.Minute)
	if err != nil || len(tasks) != 1 || !next.IsZero() {
		t.Fatalf("got %v, next %v, %v", tasks, next, err)
	}
	if got := tasks[0]; got.Attempt != 2 || got.LastError != "slow down" || !got.Throttled {
		t.Errorf("got %+v", got)
	}
	// The older attempt is fenced off, whatever it wants.
	wantCode(t, f.Settle(f.ctx, first, Result{Status: Completed}), StaleAttempt)
	wantCode(t, f.Postpone(f.ctx, first, later, "", false, nil), StaleAttempt)
	if err := f.Settle(f.ctx, tasks[0], Result{Status: Completed}); err != nil {
		t.Fatal(err)
	}
	if got := f.status("b", "k", ""); got != Failed {
		t.Errorf("got status %q", got)
	}
	st := f.Queue()
	if st.Pending != 0 || st.Bytes != 0 || !st.Oldest.IsZero() {
		t.Errorf("got %+v", st)
	}
	if got := st.ByRule[RuleKey{"b", second.Rule.ID, second.Rule.Destination.Bucket}]; got != (RuleStats{Failed: 1}) {
		t.Errorf("got %+v", got)
	}
	if got := st.ByRule[RuleKey{"b", first.Rule.ID, first.Rule.Destination.Bucket}]; got != (RuleStats{Completed: 1}) {
		t.Errorf("got %+v", got)
	}
}

// A dead worker's task becomes due again, and survives a restart.
func TestLease(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, replication(rule("r", "", "d", 1)))
	f.put("b", "k", "x")
	dead := f.claimAll()[0]
	f.clock.Advance(time.Minute)
	f.Store = New(f.cfg)
	if err := f.Open(f.ctx); err != nil {
		t.Fatal(err)
	}
	if !woken(f) {
		t.Error("Open with tasks did not wake")
	}
	if st := f.Queue(); st.Pending != 1 || st.Bytes != 1 || !st.Oldest.Equal(start) || f.Pending() != 1 {
		t.Errorf("got %+v", st)
	}
	tasks := f.claimAll()
	if len(tasks) != 1 || tasks[0].Attempt != 2 || tasks[0].ID != dead.ID {
		t.Fatalf("got %v", tasks)
	}
	wantCode(t, f.Settle(f.ctx, dead, Result{Status: Failed}), StaleAttempt)
	if err := f.Settle(f.ctx, tasks[0], Result{Status: Completed}); err != nil {
		t.Fatal(err)
	}
}

func TestTasksFollowTheirVersion(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, replication(rule("r1", "", "d1", 1), rule("r2", "", "d2", 1)))
	v := f.put("b", "k", "x")
	tasks := f.claimAll()
	if err := f.Postpone(f.ctx, tasks[0], start, "", false, []byte("t")); err != nil {
		t.Fatal(err)
	}
	f.delete("b", "k", v.ID)
	if n := f.Queue().Pending; n != 0 {
		t.Errorf("%d tasks left", n)
	}
	for _, task := range tasks {
		if err := f.Settle(f.ctx, task, Result{Status: Completed, Trace: []byte("t")}); err != nil {
			t.Error(err)
		}
		if err := f.Postpone(f.ctx, task, start, "", false, []byte("t")); err != nil {
			t.Error(err)
		}
	}
	_, err := f.Trace(f.ctx, "b", "k", v.ID)
	wantCode(t, err, "NoSuchVersion")
	// Removing a task without a status leaves no trace of the destination.
	v = f.put("b", "k", "x")
	for _, task := range f.settleAll(Result{Trace: []byte("t")}) {
		wantCode(t, f.Settle(f.ctx, task, Result{}), StaleAttempt)
	}
	if got, _ := f.get("b", "k", v.ID); len(got.Destinations) != 0 || got.ReplicationStatus() != "" {
		t.Errorf("got %+v", got.Destinations)
	}
}

func TestNoTasks(t *testing.T) {
	f := newFixture(t)
	c := replication(rule("r", "", "d", 1))
	f.bucket("suspended", VersioningSuspended, c)
	f.bucket("none", VersioningEnabled, nil)
	f.bucket("unmatched", VersioningEnabled, replication(rule("r", "Tax", "d", 1)))
	for _, b := range []string{"suspended", "none", "unmatched"} {
		if v := f.put(b, "k", "x"); v.ReplicationStatus() != "" {
			t.Errorf("%s: got status %q", b, v.ReplicationStatus())
		}
		f.delete(b, "k", "")
	}
	if f.Queue().Pending != 0 || woken(f) {
		t.Error("there are tasks")
	}
}

func TestMarkerTask(t *testing.T) { // D62
	f := newFixture(t)
	c := replication(rule("r", "", "d", 1))
	c.Rules[0].DeleteMarkers = "Enabled"
	f.bucket("b", VersioningEnabled, c)
	m := f.delete("b", "k", "")
	tasks := f.settleAll(Result{Status: Completed})
	if len(tasks) != 1 || tasks[0].Kind != TaskMarker || tasks[0].VersionID != m.VersionID {
		t.Errorf("got %+v", tasks)
	}
	if got := f.status("b", "k", ""); got != Completed {
		t.Errorf("got status %q", got)
	}
}

// Many tasks, claimed and settled by several workers at once: each is settled once.
func TestClaimConcurrently(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, replication(rule("r", "", "d", 1)))
	const n = 150
	for i := range n {
		f.put("b", fmt.Sprint("k", i), "x")
	}
	var mu sync.Mutex
	settled := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				tasks, _, err := f.Claim(f.ctx, 7, time.Minute)
				if err != nil {
					t.Error(err)
				}
				if len(tasks) == 0 {
					return
				}
				var ends []Ended
				for _, task := range tasks {
					ends = append(ends, Ended{task, Result{Status: Completed, Trace: []byte("trace")}})
				}
				if err := f.SettleAll(f.ctx, ends); err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, task := range tasks {
					settled[task.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(settled) != n {
		t.Errorf("%d tasks settled, want %d", len(settled), n)
	}
	for id, times := range settled {
		if times != 1 {
			t.Errorf("task %s settled %d times", id, times)
		}
	}
	if st := f.Queue().ByRule[RuleKey{"b", "r", "d"}]; st != (RuleStats{Completed: n}) {
		t.Errorf("got %+v", st)
	}
}

func TestSettleAllSharesAndSpares(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, replication(rule("r", "", "d", 1)))
	for i := range 30 {
		f.put("b", fmt.Sprint("k", i), "x")
	}
	tasks := f.claimAll()
	var ends []Ended
	for _, task := range tasks {
		ends = append(ends, Ended{task, Result{Status: Completed, Trace: make([]byte, 100<<10)}})
	}
	ends[3].Task.Attempt++
	ends[20].Task.Attempt++
	err := f.SettleAll(f.ctx, ends)
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) || len(joined.Unwrap()) != 2 || failure.CodeOf(err) != StaleAttempt {
		t.Errorf("got %v, want two refusals", err)
	}
	if n := f.Queue().Pending; n != 2 {
		t.Errorf("%d tasks left, want 2", n)
	}
	if got, err := f.PendingTasks(f.ctx, "b", 1); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := f.PendingTasks(f.ctx, "other", 0); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

// Traces towards many destinations are bounded together.
func TestTraceBound(t *testing.T) {
	f := newFixture(t)
	var rules []ReplicationRule
	for i := range maxDestinations {
		rules = append(rules, rule(fmt.Sprint("r", i), "", fmt.Sprint("d", i), i))
	}
	f.bucket("b", VersioningEnabled, replication(rules...))
	v := f.put("b", "k", "x")
	f.settleAll(Result{Status: Failed, Trace: make([]byte, 60<<10)})
	traces, err := f.Trace(f.ctx, "b", "k", "")
	if err != nil || len(traces) == 0 || len(traces) > maxTraces/(60<<10) {
		t.Errorf("got %d traces, %v", len(traces), err)
	}
	f.delete("b", "k", v.ID)
	f.put("b", "k", "x")
	f.delete("b", "k", "")
	// One destination more than fits is refused and leaves nothing.
	if _, err := f.UpdateBucket(f.ctx, "b", func(b *Bucket) error {
		b.Replication.Rules = append(b.Replication.Rules, rule("more", "", "more", 99))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, err = f.PutVersion(f.ctx, f.version("b", "k", nil), Condition{})
	wantCode(t, err, "InvalidRequest")
}
