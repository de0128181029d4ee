package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/failure"
)

func TestWatchRecord(t *testing.T) {
	w := Watched{Bucket: "b", Key: "k\x00x", VersionID: "v", ETag: "e", Size: 1 << 40, Created: start,
		Destinations: []WatchedDestination{{RuleID: "r", Bucket: "d", Kind: TaskMarker, Timed: true}, {RuleID: "r2", Bucket: "d2", Kind: TaskObject}}}
	k, rec := watchKey(w.Created, w.Bucket, w.Key, w.VersionID), encodeWatch(&w)
	got, due, err := decodeWatch(k, rec)
	w.record = k
	if d := cmp.Diff(got, w, cmp.AllowUnexported(Watched{})); d != "" || err != nil || !due.Equal(start.Add(15*time.Minute)) {
		t.Errorf("due %v, %v, %s", due, err, d)
	}
	for i := range rec {
		if _, _, err := decodeWatch(k, rec[:i]); err == nil {
			t.Errorf("decoded %d of %d bytes", i, len(rec))
		}
	}
	if _, _, err := decodeWatch(k[:5], rec); err == nil {
		t.Error("decoded a cut key")
	}
}

// timed is a rule with metrics and, if asked for, Replication Time Control.
func timed(destination string, control bool) ReplicationRule {
	r := rule("r-"+destination, "", destination, 1)
	r.Destination.Metrics = "Enabled"
	if control {
		r.Destination.ReplicationTime = "Enabled"
	}
	return r
}

// overdue names the overdue versions and what is said of their destinations.
func (f *fixture) overdue(max int) (out []string, list []Watched, next time.Time) {
	f.t.Helper()
	list, next, err := f.Overdue(f.ctx, max)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, w := range list {
		text := w.Key
		if w.Gone {
			text += " gone"
		}
		for _, d := range w.Destinations {
			text += " " + d.Bucket
			if d.Timed {
				text += "+timed"
			}
			if d.Pending {
				text += "+pending"
			}
		}
		out = append(out, text)
	}
	return out, list, next
}

func TestOverdue(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"d1", "d2", "d3"} {
		f.bucket(name, VersioningEnabled, nil)
	}
	f.bucket("src", VersioningEnabled, replication(timed("d1", true), timed("d2", false), rule("plain", "", "d3", 1)))
	f.put("src", "done", "x")
	f.settleAll(Result{Status: Completed})
	f.put("src", "late", "x")
	gone := f.put("src", "gone", "x")
	f.delete("src", "gone", gone.ID)
	for _, task := range f.claimAll() { // of late, one destination is reached
		if task.Rule.Destination.Bucket == "d2" {
			if err := f.Settle(f.ctx, task, Result{Status: Completed}); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.clock.Advance(5 * time.Minute)
	f.put("src", "later", "x")
	f.clock.Advance(10*time.Minute - 1)
	if got, _, next := f.overdue(10); len(got) != 0 || !next.Equal(start.Add(15*time.Minute)) {
		t.Errorf("too early: %v, next %v", got, next)
	}
	f.clock.Advance(1)
	got, list, next := f.overdue(10)
	want := []string{"gone gone d1+timed d2", "late d1+timed+pending d2"}
	if d := cmp.Diff(got, want); d != "" || !next.Equal(start.Add(20*time.Minute)) {
		t.Errorf("next %v, %s", next, d)
	}
	if got, _, next := f.overdue(1); len(got) != 1 || !next.Equal(start.Add(15*time.Minute)) {
		t.Errorf("one at a time: %v, next %v", got, next)
	}
	if err := f.Unwatch(f.ctx, list); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(2 * time.Minute) // leases of what was claimed above end
	f.settleAll(Result{Status: Completed})
	f.clock.Advance(time.Hour)
	if got, _, _ := f.overdue(10); len(got) != 0 {
		t.Errorf("what arrived in the end is overdue: %v", got)
	}
}

func TestStartReplication(t *testing.T) {
	f := newFixture(t)
	f.bucket("dst", VersioningEnabled, nil)
	f.bucket("src", VersioningEnabled, nil)
	first := f.put("src", "k", "1")
	second := f.put("src", "k", "2")
	_, err := f.StartReplication(f.ctx, "src", "k", "", "job")
	wantCode(t, err, "SrcBucketReplicationConfigMissing")
	if _, err := f.UpdateBucket(f.ctx, "src", func(b *Bucket) error {
		b.Replication = replication(timed("dst", true))
		b.Replication.Rules[0].Prefix = "k"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f.put("src", "other", "x")
	for _, tt := range []struct {
		bucket, key, id string
		code            string
	}{
		{"none", "k", "", "SrcBucketNotFound"},
		{"src", "none", "", "SrcKeyNotFound"},
		{"src", "none", first.ID, "SrcVersionNotFound"},
		{"src", "k", "null", "SrcVersionNotFound"},
		{"src", "other", "", "SrcObjectNotEligible"},
	} {
		_, err := f.StartReplication(f.ctx, tt.bucket, tt.key, tt.id, "job")
		if got := codeOf(err); got != tt.code {
			t.Errorf("%s/%s %s: %v, want %s", tt.bucket, tt.key, tt.id, err, tt.code)
		}
	}
	tasks, err := f.StartReplication(f.ctx, "src", "k", first.ID, "job")
	if err != nil || len(tasks) != 1 || tasks[0].VersionID != first.ID || tasks[0].Job != "job" || tasks[0].Delivered {
		t.Fatalf("tasks %+v, %v", tasks, err)
	}
	if got := f.status("src", "k", first.ID); got != Pending {
		t.Errorf("status %s", got)
	}
	again, err := f.StartReplication(f.ctx, "src", "k", first.ID, "job2")
	if err != nil || len(again) != 1 || again[0].ID != tasks[0].ID || again[0].Job != "job" {
		t.Errorf("a version that is queued gave %+v, %v", again, err)
	}
	if st := f.RuleQueue(tasks[0].Queue()); st.Pending != 1 || st.Batch != 1 || st.BatchBytes != 1 {
		t.Errorf("counts %+v", st)
	}
	f.settleAll(Result{Status: Completed})
	if st := f.RuleQueue(tasks[0].Queue()); st.Batch != 0 || st.BatchBytes != 0 {
		t.Errorf("counts %+v", st)
	}
	tasks, err = f.StartReplication(f.ctx, "src", "k", first.ID, "job2")
	if err != nil || len(tasks) != 1 || !tasks[0].Delivered {
		t.Errorf("a completed version gave %+v, %v", tasks, err)
	}
	f.settleAll(Result{Status: Failed, Reason: "DstBucketNotFound"})
	if tasks, err = f.StartReplication(f.ctx, "src", "k", "", "job3"); err != nil || len(tasks) != 1 || tasks[0].VersionID != second.ID {
		t.Errorf("the current version gave %+v, %v", tasks, err)
	}
	f.clock.Advance(time.Hour)
	if got, _, _ := f.overdue(10); len(got) != 0 {
		t.Errorf("batch jobs have no threshold: %v", got)
	}
	if got := ReplicaID(&Version{ID: "null", Order: 5}); got == "null" || got != ReplicaID(&Version{ID: "null", Order: 5}) || ReplicaID(first) != first.ID {
		t.Errorf("replica id of a null version: %s", got)
	}
}

func codeOf(err error) string { return string(failure.CodeOf(err)) }
