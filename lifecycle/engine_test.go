package lifecycle

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/clock"
	"twinbucket/store"
	"twinbucket/store/blob"
	"twinbucket/store/kv/boltkv"
)

const (
	account = "111111111111"
	bucket  = "bkt"
)

// start is ten in the morning, so that rounding up to midnight shows.
var start = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// fixture is a store with one bucket and an engine on it.
type fixture struct {
	t      *testing.T
	clock  *clock.Manual
	store  *store.Store
	engine *Engine
	did    []Action
}

func newFixture(t *testing.T, versioning store.Versioning, rules ...store.LifecycleRule) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: clock.NewManual(start)}
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	engine, err := boltkv.OpenMemory()
	must(t, err)
	blobs, err := blob.OpenMemory()
	must(t, err)
	f.store = store.New(store.Config{Engine: engine, Blobs: blobs, Clock: f.clock, Logger: logger})
	must(t, f.store.Open(t.Context()))
	f.engine = New(Config{Store: f.store, Clock: f.clock, Logger: logger, OnAction: func(a Action) { f.did = append(f.did, a) }})
	for i := range rules {
		rules[i].ID, rules[i].Enabled = fmt.Sprint("r", i), !rules[i].Enabled
	}
	must(t, f.store.CreateBucket(t.Context(), store.Bucket{Name: bucket, Account: account, Region: "us-east-1", Versioning: versioning,
		Ownership: store.BucketOwnerEnforced, Lifecycle: &store.LifecycleConfiguration{Rules: rules, MinimumSize: "all_storage_classes_128K"}}))
	t.Cleanup(func() {
		ctx := context.Background()
		for _, err := range f.store.Check(ctx) {
			t.Errorf("store check: %v", err)
		}
		must(t, f.store.Close(ctx))
		must(t, blobs.Close())
		must(t, engine.Close())
	})
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a version without data, which the rules don't look at.
func (f *fixture) put(key string, change ...func(*store.Version)) *store.Version {
	f.t.Helper()
	v := store.Version{Bucket: bucket, Key: key, Owner: account, ETag: "x", Size: 0}
	for _, c := range change {
		c(&v)
	}
	stored, err := f.store.PutVersion(f.t.Context(), v, store.Condition{})
	must(f.t, err)
	return stored
}

func (f *fixture) delete(key string) {
	f.t.Helper()
	_, err := f.store.Delete(f.t.Context(), bucket, key, "", account, store.Condition{})
	must(f.t, err)
}

// after advances the clock, runs a round and returns what it did, as "kind key".
func (f *fixture) after(d time.Duration) []string {
	f.t.Helper()
	f.clock.Advance(d)
	f.did = nil
	must(f.t, f.engine.Run(f.t.Context()))
	var out []string
	for _, a := range f.did {
		line := string(a.Kind) + " " + a.Key
		if a.Class != "" {
			line += " " + a.Class
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

func (f *fixture) want(what string, got []string, want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// current is the key's current version; nil when there is none.
func (f *fixture) current(key string) *store.Version {
	f.t.Helper()
	v, err := f.store.Version(f.t.Context(), bucket, key, "")
	if err != nil {
		return nil
	}
	return v
}

const day = 24 * time.Hour

func expire(days int) *store.LifecycleExpiration { return &store.LifecycleExpiration{Days: days} }

func ptr[T any](v T) *T { return &v }

// TestExpirationAtMidnight is S186: what is made at ten is a day old at the second midnight.
func TestExpirationAtMidnight(t *testing.T) {
	f := newFixture(t, store.Unversioned, store.LifecycleRule{FilterForm: "Empty", Expiration: expire(1)})
	f.put("key")
	f.want("after 24 hours", f.after(day))
	f.want("just before midnight", f.after(14*time.Hour-time.Millisecond))
	f.want("at midnight", f.after(time.Millisecond), "removed key")
	if v := f.current("key"); v != nil {
		t.Errorf("still there: %+v", v)
	}
	f.want("again", f.after(day))
}

func TestSelection(t *testing.T) {
	tag := store.Tag{Key: "class", Value: "temporary"}
	f := newFixture(t, store.Unversioned,
		store.LifecycleRule{FilterForm: "Prefix", Prefix: "logs/", Expiration: expire(1)},
		store.LifecycleRule{FilterForm: "Tag", Tags: []store.Tag{tag}, Expiration: expire(1)},
		store.LifecycleRule{FilterForm: "ObjectSizeGreaterThan", GreaterThan: ptr(int64(1000)), Expiration: expire(1)},
		store.LifecycleRule{FilterForm: "Prefix", Prefix: "dated/", Expiration: &store.LifecycleExpiration{Date: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)}},
		store.LifecycleRule{FilterForm: "Prefix", Prefix: "off/", Expiration: expire(1), Enabled: true}) // newFixture turns it round
	f.put("logs/a")
	f.put("other")
	f.put("tagged", func(v *store.Version) { v.Tags = []store.Tag{{Key: "a", Value: "b"}, tag} })
	f.put("tagged-otherwise", func(v *store.Version) { v.Tags = []store.Tag{{Key: "class", Value: "kept"}} })
	f.put("large", func(v *store.Version) { v.Size = 1001 })
	f.put("not-large", func(v *store.Version) { v.Size = 1000 })
	f.put("dated/a")
	f.put("off/a")
	f.want("two days", f.after(2*day), "removed large", "removed logs/a", "removed tagged")
	f.want("on the date", f.after(4*day), "removed dated/a")
	f.put("dated/later")
	f.want("after the date", f.after(0), "removed dated/later")
}

// TestVersioned is S184: a current version is hidden by a marker, noncurrent ones go when
// their days as noncurrent ones have passed, and a marker that is left alone goes too.
func TestVersioned(t *testing.T) {
	f := newFixture(t, store.VersioningEnabled,
		store.LifecycleRule{FilterForm: "Empty", Expiration: expire(10)},
		store.LifecycleRule{FilterForm: "Empty", Noncurrent: &store.NoncurrentRetention{Days: 3}})
	first := f.put("key")
	f.want("5 days", f.after(5*day))
	f.put("key")
	f.want("3 days noncurrent, not yet midnight", f.after(3*day))
	f.want("the next midnight", f.after(day), "removed key")
	if _, err := f.store.Version(t.Context(), bucket, "key", first.ID); err == nil {
		t.Error("the noncurrent version is still there")
	}
	f.want("10 days", f.after(7*day), "markerCreated key")
	if v := f.current("key"); v == nil || !v.DeleteMarker || v.Owner != account || len(v.Destinations) != 0 {
		t.Errorf("marker %+v", v)
	}
	f.want("the hidden version", f.after(4*day), "removed key")
	f.want("the orphaned marker", f.after(8*day), "removed key")
	if v := f.current("key"); v != nil {
		t.Errorf("still there: %+v", v)
	}
}

func TestSuspended(t *testing.T) {
	f := newFixture(t, store.VersioningEnabled, store.LifecycleRule{FilterForm: "Empty", Expiration: expire(1)})
	f.put("versioned")
	_, err := f.store.UpdateBucket(t.Context(), bucket, func(b *store.Bucket) error { b.Versioning = store.VersioningSuspended; return nil })
	must(t, err)
	f.put("null")
	f.want("two days", f.after(2*day), "markerCreated null", "markerCreated versioned")
	if v := f.current("versioned"); v.ID != store.NullVersion {
		t.Errorf("marker %+v", v)
	}
}

func TestExpiredDeleteMarkers(t *testing.T) {
	f := newFixture(t, store.VersioningEnabled, store.LifecycleRule{FilterForm: "Prefix", Prefix: "a", Expiration: &store.LifecycleExpiration{DeleteMarkers: ptr(true)}})
	f.delete("alone")
	f.put("a-covered")
	f.delete("a-covered")
	f.delete("b-not-selected")
	f.want("now", f.after(0), "removed alone")
}

func TestNewerNoncurrentVersions(t *testing.T) {
	f := newFixture(t, store.VersioningEnabled, store.LifecycleRule{FilterForm: "Empty", Noncurrent: &store.NoncurrentRetention{Days: 1, Newer: 2}})
	for range 6 {
		f.put("key")
	}
	f.want("two days", f.after(2*day), "removed key", "removed key", "removed key")
	page, err := f.store.ListVersions(t.Context(), store.ListQuery{Bucket: bucket, Max: 10})
	must(t, err)
	if len(page.Versions) != 3 {
		t.Errorf("%d versions are left", len(page.Versions))
	}
}

// TestTransitions is S185.
func TestTransitions(t *testing.T) {
	large := func(v *store.Version) { v.Size = smallObject }
	f := newFixture(t, store.VersioningEnabled,
		store.LifecycleRule{FilterForm: "Prefix", Prefix: "cold", Transitions: []store.LifecycleTransition{{Days: ptr(30), Class: "STANDARD_IA"}, {Days: ptr(60), Class: "GLACIER"}}},
		store.LifecycleRule{FilterForm: "Prefix", Prefix: "noncurrent", NoncurrentTransitions: []store.NoncurrentTransitionDay{{Days: 1, Newer: 1, Class: "DEEP_ARCHIVE"}}},
		store.LifecycleRule{FilterForm: "And", Prefix: "sized", GreaterThan: ptr(int64(0)), Transitions: []store.LifecycleTransition{{Days: ptr(0), Class: "GLACIER_IR"}}})
	f.put("cold", large)
	f.put("cold-small")
	f.put("cold-archived", large, func(v *store.Version) { v.StorageClass = "DEEP_ARCHIVE" })
	f.put("sized", func(v *store.Version) { v.Size = 1 })
	for range 3 {
		f.put("noncurrent", large)
	}
	f.want("one day", f.after(day), "transitioned sized GLACIER_IR")
	f.want("two days", f.after(day), "transitioned noncurrent DEEP_ARCHIVE")
	f.want("31 days", f.after(29*day), "transitioned cold STANDARD_IA")
	f.want("61 days", f.after(30*day), "transitioned cold GLACIER")
	f.want("later", f.after(300*day))
	if v := f.current("cold"); v.StorageClass != "GLACIER" {
		t.Errorf("class %s", v.StorageClass)
	}
}

// TestReplicatingVersionsStay is S187: neither PENDING nor FAILED versions are touched.
func TestReplicatingVersionsStay(t *testing.T) {
	f := newFixture(t, store.VersioningEnabled, store.LifecycleRule{FilterForm: "Empty", Expiration: expire(1), Transitions: []store.LifecycleTransition{{Days: ptr(0), Class: "GLACIER"}}},
		store.LifecycleRule{FilterForm: "Empty", Noncurrent: &store.NoncurrentRetention{Days: 1}})
	must(t, f.store.CreateBucket(t.Context(), store.Bucket{Name: "dst", Account: account, Versioning: store.VersioningEnabled}))
	_, err := f.store.UpdateBucket(t.Context(), bucket, func(b *store.Bucket) error {
		b.Replication = &store.ReplicationConfiguration{Role: "r", Rules: []store.ReplicationRule{{ID: "x", V2: true, Enabled: true, DeleteMarkers: "Enabled", Destination: store.Destination{Bucket: "dst"}}}}
		return nil
	})
	must(t, err)
	f.put("key", func(v *store.Version) { v.Size = smallObject })
	f.want("pending", f.after(3*day))
	settle := func(status store.ReplicationStatus) {
		tasks, _, err := f.store.Claim(t.Context(), 10, time.Minute)
		must(t, err)
		for _, task := range tasks {
			must(t, f.store.Settle(t.Context(), task, store.Result{Status: status, Reason: "DstPutObjectNotPermitted"}))
		}
	}
	settle(store.Failed)
	f.want("failed", f.after(day))
	_, err = f.store.Retry(t.Context(), bucket, "", "")
	must(t, err)
	settle(store.Completed)
	f.want("completed", f.after(day), "markerCreated key")
	if v := f.current("key"); len(v.Destinations) != 0 {
		t.Errorf("the marker replicates: %+v", v)
	}
}

// TestLockedVersionsStay: Object Lock goes before lifecycle.
func TestLockedVersionsStay(t *testing.T) {
	f := newFixture(t, store.VersioningEnabled, store.LifecycleRule{FilterForm: "Empty", Noncurrent: &store.NoncurrentRetention{Days: 1}})
	_, err := f.store.UpdateBucket(t.Context(), bucket, func(b *store.Bucket) error { b.ObjectLock = &store.ObjectLock{}; return nil })
	must(t, err)
	v := f.put("key")
	_, err = f.store.SetRetention(t.Context(), bucket, "key", v.ID, store.Compliance, start.Add(10*day), false)
	must(t, err)
	f.put("key")
	f.want("retained", f.after(5*day))
	f.want("retention over", f.after(6*day), "removed key")
}

func TestAbortUploads(t *testing.T) {
	f := newFixture(t, store.Unversioned, store.LifecycleRule{FilterForm: "Prefix", Prefix: "a", AbortDays: ptr(2)})
	for _, key := range []string{"a", "b"} {
		_, err := f.store.CreateUpload(t.Context(), store.Upload{Version: store.Version{Bucket: bucket, Key: key}})
		must(t, err)
	}
	f.want("two days", f.after(2*day))
	f.want("at midnight", f.after(14*time.Hour), "uploadAborted a")
	uploads, _, err := f.store.Uploads(t.Context(), bucket, "", "", "", 10)
	must(t, err)
	if len(uploads) != 1 || uploads[0].Version.Key != "b" {
		t.Errorf("left: %+v", uploads)
	}
}

// TestManyPages: what is decided about a key does not depend on where pages end.
func TestManyPages(t *testing.T) {
	f := newFixture(t, store.VersioningEnabled, store.LifecycleRule{FilterForm: "Empty", Noncurrent: &store.NoncurrentRetention{Days: 1, Newer: page}})
	for range page + 12 {
		f.put("key")
	}
	got := f.after(2 * day)
	if want := strings.Fields(strings.Repeat("x ", 11)); len(got) != len(want) {
		t.Errorf("%d removed, want %d", len(got), len(want))
	}
}

// TestWorker: the worker runs at its start and when the clock passes midnight.
func TestWorker(t *testing.T) {
	f := newFixture(t, store.Unversioned, store.LifecycleRule{FilterForm: "Empty", Expiration: expire(1)})
	did := make(chan Action, 1)
	f.engine.cfg.OnAction = func(a Action) { did <- a }
	f.put("first")
	f.clock.Advance(2 * day)
	must(t, f.engine.Open(t.Context()))
	if a := <-did; a.Key != "first" {
		t.Errorf("at the start: %+v", a)
	}
	f.put("second")
	// The timer may be set before or after this: either way midnight has passed then.
	f.clock.Advance(2 * day)
	if a := <-did; a.Key != "second" {
		t.Errorf("after midnight: %+v", a)
	}
	must(t, f.engine.Close(t.Context()))
	must(t, f.engine.Close(t.Context()))
}
