package store

import (
	"testing"
	"time"

	"twinbucket/internal/failure"
)

// locked makes a bucket with Object Lock and, if mode is given, a default retention of 10 days.
func (f *fixture) locked(name, mode string, c *ReplicationConfiguration) {
	f.t.Helper()
	f.bucket(name, VersioningEnabled, c)
	l := &ObjectLock{}
	if mode != "" {
		l.Mode, l.Days = mode, 10
	}
	if _, err := f.UpdateBucket(f.ctx, name, func(b *Bucket) error { b.ObjectLock = l; return nil }); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) lock(bucket, key string, l Lock) *Version {
	f.t.Helper()
	v := f.version(bucket, key, []byte(key))
	v.Lock = l
	stored, err := f.PutVersion(f.ctx, v, Condition{})
	if err != nil {
		f.t.Fatal(err)
	}
	return stored
}

// A protected version outlives every delete by its id; markers can always be made.
func TestLockProtects(t *testing.T) { // D71
	day := 24 * time.Hour
	tests := []struct {
		name          string
		lock          Lock
		after         time.Duration
		plain, bypass bool // a delete removes it
	}{
		{"nothing", Lock{}, 0, true, true},
		{"governance", Lock{Mode: Governance, Until: start.Add(day)}, 0, false, true},
		{"compliance", Lock{Mode: Compliance, Until: start.Add(day)}, 0, false, false},
		{"compliance at its end", Lock{Mode: Compliance, Until: start.Add(day)}, day, true, true},
		{"compliance before its end", Lock{Mode: Compliance, Until: start.Add(day)}, day - 1, false, false},
		{"hold", Lock{LegalHold: HoldOn}, 1000 * day, false, false},
		{"no hold", Lock{LegalHold: HoldOff}, 0, true, true},
		{"hold over governance", Lock{Mode: Governance, Until: start.Add(day), LegalHold: HoldOn}, 0, false, false},
	}
	for _, tt := range tests {
		for _, bypass := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				f := newFixture(t)
				f.locked("b", "", nil)
				v := f.lock("b", "k", tt.lock)
				f.put("b", "k", "newer")
				f.clock.Advance(tt.after)
				if d := f.delete("b", "k", ""); !d.DeleteMarker {
					t.Errorf("no marker: %+v", d)
				}
				_, err := f.Delete(f.ctx, "b", "k", v.ID, account, Condition{BypassGovernance: bypass})
				removes := tt.plain
				if bypass {
					removes = tt.bypass
				}
				if removes && err != nil || !removes && failure.CodeOf(err) != "AccessDenied" {
					t.Errorf("bypass %v: %v", bypass, err)
				}
				_, err = f.Version(f.ctx, "b", "k", v.ID)
				if gone := failure.CodeOf(err) == "NoSuchVersion"; gone != removes {
					t.Errorf("bypass %v: gone is %v", bypass, gone)
				}
			})
		}
	}
}

func TestDefaultRetention(t *testing.T) { // D72
	f := newFixture(t)
	f.locked("b", Governance, nil)
	tenDays := Lock{Mode: Governance, Until: start.AddDate(0, 0, 10)}
	own := Lock{Mode: Compliance, Until: start.Add(time.Hour)}
	held := tenDays
	held.LegalHold = HoldOn
	for key, tt := range map[string]struct{ put, want Lock }{
		"plain": {Lock{}, tenDays}, "own": {own, own}, "held": {Lock{LegalHold: HoldOn}, held},
	} {
		if got := f.lock("b", key, tt.put).Lock; got != tt.want {
			t.Errorf("%s: got %+v, want %+v", key, got, tt.want)
		}
	}
	// Replicas with any lock state are left alone, others get the default.
	source := newFixture(t)
	source.locked("s", "", nil)
	for key, tt := range map[string]struct{ put, want Lock }{
		"none": {Lock{}, tenDays}, "off": {Lock{LegalHold: HoldOff}, Lock{LegalHold: HoldOff}}, "own": {own, own},
	} {
		r := f.version("b", "replica-"+key, []byte(key))
		v := source.lock("s", key, tt.put)
		r.ID, r.Order, r.LastModified, r.Lock, r.IsReplica = v.ID, v.Order, v.LastModified, v.Lock, true
		got, err := f.PutVersion(f.ctx, r, Condition{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Lock != tt.want {
			t.Errorf("replica of %s: got %+v, want %+v", key, got.Lock, tt.want)
		}
	}
	// A bucket without Object Lock stores none, and takes no replica that has one.
	f.bucket("open", VersioningEnabled, nil)
	if got := f.lock("open", "k", own).Lock; got != (Lock{}) {
		t.Errorf("got %+v", got)
	}
	v := source.lock("s", "again", own)
	r := f.version("open", "again", nil)
	r.ID, r.Order, r.Lock, r.IsReplica = v.ID, v.Order, v.Lock, true
	_, err := f.PutVersion(f.ctx, r, Condition{})
	wantCode(t, err, "DstBucketObjectLockConfigMissing")
	f.DiscardData(r.Parts[0].Data)
}

// Retention in force can be made stricter, and laxer only under GOVERNANCE with the bypass.
func TestSetRetention(t *testing.T) { // D71
	hour, two := start.Add(time.Hour), start.Add(2*time.Hour)
	tests := []struct {
		name          string
		have, next    Lock
		plain, bypass bool
	}{
		{"first", Lock{}, Lock{Mode: Compliance, Until: hour}, true, true},
		{"ended", Lock{Mode: Compliance, Until: start}, Lock{Mode: Governance, Until: hour}, true, true},
		{"longer", Lock{Mode: Compliance, Until: hour}, Lock{Mode: Compliance, Until: two}, true, true},
		{"shorter", Lock{Mode: Compliance, Until: two}, Lock{Mode: Compliance, Until: hour}, false, false},
		{"laxer", Lock{Mode: Compliance, Until: hour}, Lock{Mode: Governance, Until: two}, false, false},
		{"stricter", Lock{Mode: Governance, Until: hour}, Lock{Mode: Compliance, Until: hour}, true, true},
		{"governance shorter", Lock{Mode: Governance, Until: two}, Lock{Mode: Governance, Until: hour}, false, true},
		{"governance removed", Lock{Mode: Governance, Until: two}, Lock{}, false, true},
		{"compliance removed", Lock{Mode: Compliance, Until: two}, Lock{}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, bypass := range []bool{false, true} {
				f := newFixture(t)
				f.locked("b", "", nil)
				tt.have.LegalHold = HoldOff
				f.lock("b", "k", tt.have)
				v, err := f.SetRetention(f.ctx, "b", "k", "", tt.next.Mode, tt.next.Until, bypass)
				if want := tt.plain && !bypass || tt.bypass && bypass; want != (err == nil) || !want && failure.CodeOf(err) != "AccessDenied" {
					t.Errorf("bypass %v: %v", bypass, err)
				}
				if want := (Lock{tt.next.Mode, tt.next.Until, HoldOff}); err == nil && v.Lock != want {
					t.Errorf("got %+v, want %+v", v.Lock, want)
				}
			}
		})
	}
	f := newFixture(t)
	f.locked("b", "", nil)
	f.put("b", "k", "x")
	f.delete("b", "k", "")
	_, err := f.SetLegalHold(f.ctx, "b", "k", "", HoldOn)
	wantCode(t, err, "MethodNotAllowed")
	_, err = f.SetRetention(f.ctx, "b", "none", "", Governance, hour, false)
	wantCode(t, err, "NoSuchKey")
	if _, err := f.UpdateBucket(f.ctx, "b", func(b *Bucket) error { b.ObjectLock = nil; return nil }); failure.CodeOf(err) != "InvalidBucketState" {
		t.Errorf("taken back: %v", err)
	}
}

// Tags and lock that change one after the other both go, whatever the task was for.
func TestLockAndTagsReplicate(t *testing.T) {
	f := newFixture(t)
	f.locked("b", "", replication(rule("r", "", "d", 1)))
	v := f.put("b", "k", "body")
	f.settleAll(Result{Status: Completed})
	hold := func() {
		t.Helper()
		if _, err := f.SetLegalHold(f.ctx, "b", "k", v.ID, HoldOn); err != nil {
			t.Fatal(err)
		}
	}
	// Alone.
	hold()
	if tasks := f.settleAll(Result{Status: Completed}); len(tasks) != 1 || tasks[0].Kind != TaskLock {
		t.Errorf("got %v", tasks)
	}
	// While a tagging task waits: one after the other.
	f.tag("b", "k", "1")
	hold()
	if tasks := f.settleAll(Result{Status: Completed}); len(tasks) != 1 || tasks[0].Kind != TaskTagging || f.status("b", "k", "") != Pending {
		t.Errorf("got %v, %s", tasks, f.status("b", "k", ""))
	}
	f.check()
	if tasks := f.settleAll(Result{Status: Completed}); len(tasks) != 1 || tasks[0].Kind != TaskLock || f.status("b", "k", "") != Completed {
		t.Errorf("got %v, %s", tasks, f.status("b", "k", ""))
	}
	// Both while a lock task runs.
	hold()
	tasks := f.claimAll()
	f.tag("b", "k", "2")
	hold()
	if err := f.Settle(f.ctx, tasks[0], Result{Status: Completed}); err != nil {
		t.Fatal(err)
	}
	var kinds []TaskKind
	for f.status("b", "k", "") == Pending {
		for _, task := range f.settleAll(Result{Status: Completed}) {
			kinds = append(kinds, task.Kind)
		}
	}
	if len(kinds) != 2 || kinds[0] != TaskTagging || kinds[1] != TaskLock {
		t.Errorf("got %v", kinds)
	}
	// What replication itself sets goes nowhere.
	if _, err := f.SetReplicaLock(f.ctx, "b", "k", v.ID, Lock{LegalHold: HoldOff}); err != nil || f.status("b", "k", "") != Completed {
		t.Errorf("%v, %s", err, f.status("b", "k", ""))
	}
	f.bucket("open", VersioningEnabled, nil)
	f.put("open", "k", "x")
	_, err := f.SetReplicaLock(f.ctx, "open", "k", "", Lock{LegalHold: HoldOff})
	wantCode(t, err, "DstBucketObjectLockConfigMissing")
}

func TestSetRestore(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", Unversioned, nil)
	f.put("b", "k", "body")
	ready := start.Add(time.Hour)
	want := Restore{Ready: ready, Expires: ready.Add(time.Hour)}
	got, err := f.SetRestore(f.ctx, "b", "k", "", func(*Version) (Restore, error) { return want, nil })
	if err != nil || got.Restore != want {
		t.Fatalf("got %+v, %v", got, err)
	}
	page, err := f.List(f.ctx, ListQuery{Bucket: "b", Max: 1})
	if err != nil || page.Versions[0].Restore != want {
		t.Errorf("listed %+v, %v", page, err)
	}
	refusal := failure.New("RestoreAlreadyInProgress", "")
	if _, err := f.SetRestore(f.ctx, "b", "k", "", func(*Version) (Restore, error) { return Restore{}, refusal }); err != refusal {
		t.Errorf("got %v", err)
	}
	for after, state := range map[time.Duration][2]bool{0: {true, false}, time.Hour: {false, true}, 2*time.Hour - 1: {false, true}, 2 * time.Hour: {false, false}} {
		if at := start.Add(after); want.Ongoing(at) != state[0] || want.Readable(at) != state[1] {
			t.Errorf("after %v: ongoing %v, readable %v", after, want.Ongoing(at), want.Readable(at))
		}
	}
}
