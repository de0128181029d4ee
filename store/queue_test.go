package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"twinbucket/store/kv"
)

// The age of the oldest task is right to a hundredth of the queue's span, whatever the
// order, and memory does not grow with the tasks.
func TestAges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var a ages
	var made []time.Time
	at := start
	for range 20_000 {
		at = at.Add(time.Duration(rng.IntN(5_000)) * time.Microsecond)
		created := at.Add(-time.Duration(rng.IntN(1_000)) * time.Millisecond) // counted late
		made = append(made, created)
		a.add(created)
	}
	if len(a.slots) > maxAgeSlots {
		t.Errorf("%d slots", len(a.slots))
	}
	slices.SortFunc(made, time.Time.Compare)
	span := made[len(made)-1].Sub(made[0])
	for len(made) > 0 {
		if got, off := a.oldest(), made[0].Sub(a.oldest()); off < 0 || off > span/64 {
			t.Fatalf("%d left: got %v, want %v", len(made), got, made[0])
		}
		i := 0
		if rng.IntN(3) == 0 {
			i = rng.IntN(len(made))
		}
		a.remove(made[i])
		made = slices.Delete(made, i, i+1)
	}
	if got := a.oldest(); !got.IsZero() {
		t.Errorf("empty and oldest %v", got)
	}
	a.remove(start) // nothing to take out
	a.add(start)
	if got := a.oldest(); !got.Equal(start) {
		t.Errorf("got %v", got)
	}
}

// A task is counted before its commit, once however often the transaction runs, and not
// at all if it fails.
func TestQueueCountsBeforeTheCommit(t *testing.T) {
	f := newFixture(t)
	runs := 0
	task := Task{ID: "t", Bucket: "b", Size: 3, Created: start, Rule: rule("r", "", "d", 1)}
	fail := errors.New("no")
	err := f.update(f.ctx, func(tx kv.Txn, c *change) error {
		runs++
		if st := f.Queue(); st.Pending != 0 && st.Pending != 1 {
			t.Errorf("run %d counts %d", runs, st.Pending)
		}
		c.added = append(c.added, task)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := QueueStats{Pending: 1, Bytes: 3, Oldest: start, ByRule: map[RuleKey]RuleStats{{"b", "r", "d"}: {Pending: 1, PendingBytes: 3, Oldest: start}}}
	if d := cmp.Diff(f.Queue(), want); d != "" {
		t.Error(d)
	}
	if err := f.update(f.ctx, func(tx kv.Txn, c *change) error { c.added = append(c.added, task); return fail }); !errors.Is(err, fail) {
		t.Errorf("got %v", err)
	}
	if d := cmp.Diff(f.Queue(), want); d != "" {
		t.Error(d)
	}
	f.queue.remove(countedOf(&task))
	if got := f.Pending(); got != 0 {
		t.Errorf("got %d", got)
	}
}

// Each queue is claimed from by itself: a long one does not stand before a short one.
func TestClaimFrom(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, replication(rule("r1", "a", "d1", 1), rule("r2", "z", "d2", 1)))
	for i := range 50 {
		f.put("b", fmt.Sprint("a", i), "x")
	}
	f.put("b", "z", "x")
	long, short := RuleKey{"b", "r1", "d1"}, RuleKey{"b", "r2", "d2"}
	if d := cmp.Diff(f.Stirred(), []RuleKey{long, short}, cmpopts.SortSlices(func(a, b RuleKey) bool { return a.RuleID < b.RuleID })); d != "" {
		t.Error(d)
	}
	if got := f.Stirred(); len(got) != 0 {
		t.Errorf("got %v twice", got)
	}
	tasks, next, err := f.ClaimFrom(f.ctx, []Want{{long, 40}, {short, 3}, {RuleKey{"b", "r3", "d3"}, 1}}, time.Minute)
	if err != nil || len(tasks) != 41 {
		t.Fatalf("got %d tasks, %v", len(tasks), err)
	}
	if d := cmp.Diff(next, []time.Time{start, start.Add(time.Minute), {}}); d != "" {
		t.Error(d)
	}
	if got := f.PendingOf("b"); got != 51 {
		t.Errorf("got %d", got)
	}
	if got := f.PendingOf("other"); got != 0 {
		t.Errorf("got %d", got)
	}
	// A settled task whose version is gone, and one put off until now, stir their queue.
	if err := f.Postpone(f.ctx, tasks[0], start, "", false, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(f.Stirred(), []RuleKey{long}); d != "" {
		t.Error(d)
	}
	f.check()
}

func TestHasten(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, replication(rule("r", "", "d", 1)))
	const n = 3000 // more than a page
	for i := range n {
		f.put("b", fmt.Sprint(i), "x")
	}
	tasks, _, err := f.Claim(f.ctx, n, time.Hour)
	if err != nil || len(tasks) != n {
		t.Fatalf("got %d, %v", len(tasks), err)
	}
	for i := range 10 {
		if err := f.Postpone(f.ctx, tasks[i], start.Add(time.Minute), "slow down", true, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := f.Hasten(f.ctx, true); got != 10 || err != nil {
		t.Errorf("throttled: moved %d, %v", got, err)
	}
	if got, err := f.Hasten(f.ctx, true); got != 0 || err != nil {
		t.Errorf("again: moved %d, %v", got, err)
	}
	if got, err := f.Hasten(f.ctx, false); got != n-10 || err != nil {
		t.Errorf("all: moved %d, %v", got, err)
	}
	if again, _, err := f.Claim(f.ctx, n, time.Hour); len(again) != n || err != nil {
		t.Errorf("claimed %d, %v", len(again), err)
	}
	f.check()
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	if _, err := f.Hasten(ctx, false); err == nil {
		t.Error("a cancelled Hasten succeeded")
	}
}
