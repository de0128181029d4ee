package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (f *fixture) tag(bucket, key, value string) *Version {
	f.t.Helper()
	v, err := f.SetTags(f.ctx, bucket, key, "", []Tag{{"t", value}})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

func TestSetTags(t *testing.T) { // D57
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, replication(rule("r", "", "d", 1)))
	v := f.put("b", "k", "body")

	// A task that has not begun reads the new tags by itself.
	if got := f.tag("b", "k", "1"); !cmp.Equal(got.Tags, []Tag{{"t", "1"}}) || got.ReplicationStatus() != Pending {
		t.Errorf("got %+v", got)
	}
	if tasks := f.settleAll(Result{Status: Completed}); len(tasks) != 1 || f.status("b", "k", "") != Completed {
		t.Errorf("got %v, status %s", tasks, f.status("b", "k", ""))
	}
	// After completion the tags alone go.
	if got := f.tag("b", "k", "2"); got.ReplicationStatus() != Pending {
		t.Errorf("got status %q", got.ReplicationStatus())
	}
	if tasks := f.settleAll(Result{Status: Failed, Reason: "DstPutTaggingNotPermitted"}); len(tasks) != 1 || tasks[0].Kind != TaskTagging {
		t.Errorf("got %v", tasks)
	}
	// After failure everything goes, under the configuration now in force.
	if _, err := f.UpdateBucket(f.ctx, "b", func(b *Bucket) error {
		b.Replication.Rules[0].ID = "renamed"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f.tag("b", "k", "2")
	tasks := f.claimAll()
	if len(tasks) != 1 || tasks[0].Kind != TaskObject || tasks[0].Rule.ID != "renamed" {
		t.Errorf("got %v", tasks)
	}
	// A change while an attempt runs is not lost: its end is the beginning of another.
	f.tag("b", "k", "3")
	if err := f.Settle(f.ctx, tasks[0], Result{Status: Completed}); err != nil {
		t.Fatal(err)
	}
	if got := f.status("b", "k", ""); got != Pending {
		t.Errorf("got status %q", got)
	}
	f.check()
	if tasks := f.settleAll(Result{Status: Completed}); len(tasks) != 1 || tasks[0].Kind != TaskTagging {
		t.Errorf("got %v", tasks)
	}
	if got, body := f.get("b", "k", v.ID); got.ReplicationStatus() != Completed || body != "body" || len(f.claimAll()) != 0 {
		t.Errorf("got %+v", got)
	}
	// Without a rule for the destination nothing is sent.
	if _, err := f.UpdateBucket(f.ctx, "b", func(b *Bucket) error { b.Replication = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := f.tag("b", "k", "4"); got.ReplicationStatus() != Completed {
		t.Errorf("got status %q", got.ReplicationStatus())
	}

	f.delete("b", "k", "")
	_, err := f.SetTags(f.ctx, "b", "k", "", nil)
	wantCode(t, err, "MethodNotAllowed")
	_, err = f.SetTags(f.ctx, "b", "none", "", nil)
	wantCode(t, err, "NoSuchKey")
	_, err = f.SetTags(f.ctx, "b", "k", NullVersion, nil)
	wantCode(t, err, "NoSuchVersion")
}

// Tags never start replication, and losing the tag of the filter does not end it.
func TestTagsAndFilters(t *testing.T) {
	f := newFixture(t)
	c := replication(rule("r", "", "d", 1))
	c.Rules[0].Tags = []Tag{{"t", "1"}}
	f.bucket("b", VersioningEnabled, c)
	f.put("b", "k", "x")
	if got := f.tag("b", "k", "1"); got.ReplicationStatus() != "" {
		t.Errorf("got status %q", got.ReplicationStatus())
	}
	v := f.version("b", "k", []byte("x"))
	v.Tags = []Tag{{"t", "1"}}
	if _, err := f.PutVersion(f.ctx, v, Condition{}); err != nil {
		t.Fatal(err)
	}
	f.settleAll(Result{Status: Completed})
	if got := f.tag("b", "k", "2"); got.ReplicationStatus() != Pending {
		t.Errorf("got status %q", got.ReplicationStatus())
	}
	f.settleAll(Result{Status: Completed})
}

// A replica's tags go back only if the rule says so, and come to rest.
func TestReplicaModifications(t *testing.T) { // D51
	f := newFixture(t)
	f.bucket("a", VersioningEnabled, replication(rule("there", "", "b", 1)))
	f.bucket("b", VersioningEnabled, replication(rule("back", "", "a", 1)))
	v := f.put("a", "k", "x")
	r := f.version("b", "k", []byte("x"))
	r.IsReplica, r.ID, r.Order = true, v.ID, v.Order
	if _, err := f.PutVersion(f.ctx, r, Condition{}); err != nil {
		t.Fatal(err)
	}
	f.settleAll(Result{Status: Completed})
	if got := f.tag("b", "k", "1"); got.ReplicationStatus() != Replica || f.Queue().Pending != 0 {
		t.Errorf("got status %q", got.ReplicationStatus())
	}
	if _, err := f.UpdateBucket(f.ctx, "b", func(b *Bucket) error {
		b.Replication.Rules[0].ReplicaModifications = "Enabled"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := f.tag("b", "k", "2"); got.ReplicationStatus() != Pending {
		t.Errorf("got status %q", got.ReplicationStatus())
	}
	tasks := f.settleAll(Result{Status: Failed})
	if len(tasks) != 1 || tasks[0].Kind != TaskTagging || f.status("b", "k", "") != Failed {
		t.Errorf("got %v, status %s", tasks, f.status("b", "k", ""))
	}
	if n, err := f.Retry(f.ctx, "b", "", ""); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if tasks := f.settleAll(Result{Status: Completed}); len(tasks) != 1 || tasks[0].Kind != TaskTagging {
		t.Errorf("got %v", tasks)
	}
	if got := f.status("b", "k", ""); got != Replica {
		t.Errorf("got status %q", got)
	}
	if _, err := f.SetReplicaTags(f.ctx, "a", "k", "", []Tag{{"t", "2"}}); err != nil {
		t.Fatal(err)
	}
	if f.tag("b", "k", "2"); f.Queue().Pending != 0 {
		t.Error("unchanged tags of a replica were sent")
	}
}

func TestRetry(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, replication(rule("r1", "", "d1", 1), rule("r2", "", "d2", 1)))
	f.bucket("c", VersioningEnabled, replication(rule("r1", "", "d1", 1)))
	f.bucket("empty", VersioningEnabled, nil)
	v1 := f.put("b", "k", "1")
	f.put("b", "k", "2")
	f.put("b", "k2", "3")
	f.put("c", "k", "4")
	fail := func() {
		t.Helper()
		f.settleAll(Result{Status: Failed, Reason: "DstPutObjectNotPermitted"})
	}
	fail()
	if _, err := f.UpdateBucket(f.ctx, "b", func(b *Bucket) error {
		b.Replication.Rules = b.Replication.Rules[:1]
		b.Replication.Role = "arn:aws:iam::111111111111:role/repaired"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		bucket, key, id string
		want            int
	}{
		{"b", "k", v1.ID, 1}, {"b", "k", NullVersion, 0}, {"b", "none", "", 0}, {"b", "k2", "", 1},
		{"b", "k", "", 2}, {"b", "", "", 3}, {"", "", "", 4}, {"empty", "", "", 0},
	} {
		woken(f)
		got, err := f.Retry(f.ctx, tc.bucket, tc.key, tc.id)
		if err != nil || got != tc.want {
			t.Errorf("%+v: got %d, %v", tc, got, err)
		}
		if woken(f) != (tc.want > 0) {
			t.Errorf("%+v: woken is wrong", tc)
		}
		for _, task := range f.claimAll() {
			if task.Rule.ID != "r1" || task.Bucket == "b" && task.Role != "arn:aws:iam::111111111111:role/repaired" {
				t.Errorf("got %+v", task)
			}
			if err := f.Settle(f.ctx, task, Result{Status: Failed}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := f.status("b", "k", v1.ID); got != Failed {
		t.Errorf("got status %q", got)
	}
	_, err := f.Retry(f.ctx, "none", "", "")
	wantCode(t, err, "NoSuchBucket")
	// More than one page, and versions as well as current ones.
	v := f.version("c", "", nil)
	v.Parts = nil
	for i := range retryPage + 10 {
		v.Key = string(rune('a'+i%26)) + string(rune('0'+i%10))
		if _, err := f.PutVersion(f.ctx, v, Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	fail()
	if got, err := f.Retry(f.ctx, "c", "", ""); got != retryPage+11 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	f.settleAll(Result{Status: Completed})
}
