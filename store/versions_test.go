package store

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
)

// fullVersion fills every field that a client can set.
func (f *fixture) fullVersion(bucket, key string) Version {
	v := f.version(bucket, key, []byte("body"))
	v.StorageClass, v.ACL = "STANDARD_IA", &ACL{Grants: []Grant{{"abc", "READ"}}}
	v.Headers = Headers{"text/html", "gzip", "de", "attachment", "no-cache", "never", "/elsewhere"}
	v.Metadata = map[string]string{"color": "blue", "shape": ""}
	v.Tags = []Tag{{"z", "1"}, {"a", "2"}}
	v.Checksum = Checksum{Algorithm: checksum.CRC64NVME, Type: checksum.FullObject, Value: "AAAAAAAAAAA="}
	v.Encryption.Algorithm, v.Encryption.KeyARN = "aws:kms", "arn:aws:kms:us-east-1:111111111111:key/k"
	v.Encryption.Context, v.Encryption.BucketKey = map[string]string{"team": "x"}, true
	v.Parts[0].Checksum = v.Checksum
	return v
}

func TestPutVersionKeepsEverything(t *testing.T) {
	f := newFixture(t)
	c := replication(rule("r", "", "dst", 1))
	c.Rules[0].SSEKMS = "Enabled"
	f.bucket("b", VersioningEnabled, c)
	f.clock.Advance(1234567 * time.Nanosecond)
	want := f.fullVersion("b", "k\x00\xff/ü")
	put, err := f.PutVersion(f.ctx, want, Condition{})
	if err != nil {
		t.Fatal(err)
	}
	want.Tags = []Tag{{"a", "2"}, {"z", "1"}}
	want.LastModified = start.Add(time.Millisecond)
	want.Destinations = []DestinationStatus{{RuleID: "r", Bucket: "dst", Status: Pending, Updated: f.clock.Now()}}
	want.ID, want.Order = put.ID, put.Order
	if d := cmp.Diff(put, &want); d != "" {
		t.Errorf("PutVersion: %s", d)
	}
	for _, id := range []string{"", put.ID} {
		got, err := f.Version(f.ctx, "b", want.Key, id)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(got, &want); d != "" {
			t.Errorf("Version(%q): %s", id, d)
		}
	}
	if !ValidVersionID(put.ID) || len(put.ID) != 32 {
		t.Errorf("got version id %q", put.ID)
	}
}

func TestVersionErrors(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	v := f.put("b", "k", "x")
	for _, tc := range []struct {
		bucket, key, id string
		code            failure.Code
	}{
		{"none", "k", "", "NoSuchBucket"},
		{"none", "k", v.ID, "NoSuchBucket"},
		{"b", "none", "", "NoSuchKey"},
		{"b", "none", v.ID, "NoSuchVersion"},
		{"b", "k", NullVersion, "NoSuchVersion"},
		{"b", "k", "malformed", "NoSuchVersion"},
		{"b", "k", v.ID[:31] + ".", "NoSuchVersion"},
	} {
		_, err := f.Version(f.ctx, tc.bucket, tc.key, tc.id)
		wantCode(t, err, tc.code)
	}
	for _, key := range []string{"", strings.Repeat("k", MaxKeyLength+1)} {
		_, err := f.PutVersion(f.ctx, f.version("b", key, nil), Condition{})
		wantCode(t, err, "KeyTooLongError") // D55
	}
	f.put("b", strings.Repeat("\x00", MaxKeyLength), "the longest key there is once escaped")
	_, err := f.PutVersion(f.ctx, Version{Bucket: "b", Key: "k", Parts: []Part{{Data: Data{Size: 5}}}}, Condition{})
	wantCode(t, err, "InternalError")
}

// The null version comes and goes with the bucket's versioning.
func TestNullVersion(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 4})
	f.bucket("b", Unversioned, nil)
	wantIDs := func(want ...string) {
		t.Helper()
		page, err := f.ListVersions(f.ctx, ListQuery{Bucket: "b", Max: 100})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range page.Versions {
			got = append(got, v.ID)
		}
		if d := cmp.Diff(got, want); d != "" {
			t.Error(d)
		}
	}
	for _, body := range []string{"first one", "second one"} {
		if v := f.put("b", "k", body); v.ID != NullVersion {
			t.Errorf("got id %q", v.ID)
		}
	}
	if got := f.blobCount(); got != 1 {
		t.Errorf("got %d blobs after an overwrite, want 1", got)
	}
	f.versioning("b", VersioningEnabled)
	v1 := f.put("b", "k", "third")
	v2 := f.put("b", "k", "fourth")
	wantIDs(v2.ID, v1.ID, NullVersion)
	if _, body := f.get("b", "k", NullVersion); body != "second one" {
		t.Errorf("got null version %q", body)
	}
	f.versioning("b", VersioningSuspended)
	null := f.put("b", "k", "fifth")
	wantIDs(NullVersion, v2.ID, v1.ID)
	if null.Order <= v2.Order {
		t.Error("order did not rise")
	}
	if d := f.delete("b", "k", ""); d != (Deleted{VersionID: NullVersion, DeleteMarker: true}) {
		t.Errorf("got %+v", d)
	}
	wantIDs(NullVersion, v2.ID, v1.ID)
	if v, _ := f.get("b", "k", ""); !v.DeleteMarker {
		t.Error("current version is no marker")
	}
	f.versioning("b", VersioningEnabled)
	v3 := f.put("b", "k", "sixth")
	wantIDs(v3.ID, NullVersion, v2.ID, v1.ID)
	if d := f.delete("b", "k", NullVersion); d != (Deleted{VersionID: NullVersion, DeleteMarker: true, Removed: true}) {
		t.Errorf("got %+v", d)
	}
	wantIDs(v3.ID, v2.ID, v1.ID)
	f.versioning("b", VersioningSuspended)
	f.put("b", "k", "seventh")
	wantIDs(NullVersion, v3.ID, v2.ID, v1.ID)
}

func TestConditions(t *testing.T) { // D54
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	v := f.put("b", "k", "x")
	f.put("b", "deleted", "x")
	f.delete("b", "deleted", "")
	for _, tc := range []struct {
		name, key string
		cond      Condition
		code      failure.Code
		field     string
	}{
		{"none-match on a new key", "new", Condition{IfNoneMatch: true}, "", ""},
		{"none-match on an object", "k", Condition{IfNoneMatch: true}, "PreconditionFailed", "If-None-Match"},
		{"none-match on a marker", "deleted", Condition{IfNoneMatch: true}, "", ""},
		{"match", "k", Condition{IfMatch: v.ETag}, "", ""},
		{"match of another", "k", Condition{IfMatch: "0"}, "PreconditionFailed", "If-Match"},
		{"match on a missing key", "missing", Condition{IfMatch: v.ETag}, "NoSuchKey", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := f.PutVersion(f.ctx, f.version("b", tc.key, []byte("x")), tc.cond)
			wantCode(t, err, tc.code)
			if tc.field != "" && !cmp.Equal(failure.Of(err).Fields, []failure.Field{{Name: "Condition", Value: tc.field}}) {
				t.Errorf("got fields %v", failure.Of(err).Fields)
			}
		})
	}
	f.delete("b", "deleted", "")
	_, err := f.PutVersion(f.ctx, f.version("b", "deleted", nil), Condition{IfMatch: v.ETag})
	wantCode(t, err, "NoSuchKey")
}

func TestDeleteConditions(t *testing.T) { // D63
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	v := f.put("b", "k", "x")
	f.put("b", "marked", "x")
	f.delete("b", "marked", "")
	for _, tc := range []struct {
		key, id, match string
		code           failure.Code
	}{
		{"missing", "", v.ETag, "NoSuchKey"},
		{"missing", "", "*", "NoSuchKey"},
		{"marked", "", "*", "PreconditionFailed"},
		{"k", "", "0", "PreconditionFailed"},
		{"k", v.ID, "0", "PreconditionFailed"},
		{"k", "", "*", ""},
		{"k", v.ID, v.ETag, "PreconditionFailed"}, // the current version is the marker now
	} {
		_, err := f.Delete(f.ctx, "b", tc.key, tc.id, account, Condition{IfMatch: tc.match})
		if wantCode(t, err, tc.code); t.Failed() {
			t.Fatalf("at %+v", tc)
		}
	}
}

func TestDelete(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 4})
	f.bucket("plain", Unversioned, nil)
	f.put("plain", "k", "a blob")
	if got := f.delete("plain", "k", ""); got != (Deleted{VersionID: NullVersion, Removed: true}) {
		t.Errorf("got %+v", got)
	}
	if got := f.delete("plain", "k", ""); got != (Deleted{}) {
		t.Errorf("got %+v", got)
	}
	if n := f.blobCount(); n != 0 {
		t.Errorf("%d blobs left", n)
	}
	_, err := f.Version(f.ctx, "plain", "k", "")
	wantCode(t, err, "NoSuchKey")

	f.bucket("b", VersioningEnabled, nil)
	v1, v2, v3 := f.put("b", "k", "one is a blob"), f.put("b", "k", "2"), f.put("b", "k", "3")
	marker := f.delete("b", "k", "")
	if !marker.DeleteMarker || marker.Removed || marker.VersionID == "" {
		t.Errorf("got %+v", marker)
	}
	if v, _ := f.get("b", "k", marker.VersionID); v.Owner != account || !v.LastModified.Equal(start) {
		t.Errorf("got marker %+v", v)
	}
	// Removing the current one brings the next to the front, whatever is removed in between.
	if got := f.delete("b", "k", v2.ID); got != (Deleted{VersionID: v2.ID, Removed: true}) {
		t.Errorf("got %+v", got)
	}
	if got := f.delete("b", "k", marker.VersionID); got != (Deleted{VersionID: marker.VersionID, DeleteMarker: true, Removed: true}) {
		t.Errorf("got %+v", got)
	}
	if v, body := f.get("b", "k", ""); v.ID != v3.ID || body != "3" {
		t.Errorf("got %q (%s)", body, v.ID)
	}
	f.delete("b", "k", v3.ID)
	if v, body := f.get("b", "k", ""); v.ID != v1.ID || body != "one is a blob" {
		t.Errorf("got %q (%s)", body, v.ID)
	}
	f.delete("b", "k", v1.ID)
	_, err = f.Version(f.ctx, "b", "k", "")
	wantCode(t, err, "NoSuchKey")
	for _, id := range []string{v1.ID, NullVersion, "malformed"} {
		if got := f.delete("b", "k", id); got != (Deleted{VersionID: id}) {
			t.Errorf("got %+v", got)
		}
	}
	if got := f.delete("b", "never", ""); !got.DeleteMarker || got.VersionID == "" {
		t.Errorf("a marker of a key that never existed: got %+v", got)
	}
	_, err = f.Delete(f.ctx, "none", "k", "", account, Condition{})
	wantCode(t, err, "NoSuchBucket")
}

// A replica takes its source's place in the order, however late it comes.
func TestReplicaOrder(t *testing.T) {
	f := newFixture(t)
	f.bucket("src", VersioningEnabled, nil)
	f.bucket("dst", VersioningEnabled, replication(rule("back", "", "src", 1)))
	replica := func(v *Version, body string) Version {
		r := f.version("dst", v.Key, []byte(body))
		r.IsReplica, r.ID, r.Order, r.LastModified = true, v.ID, v.Order, v.LastModified
		return r
	}
	v1 := f.put("src", "k", "one")
	f.clock.Advance(time.Hour)
	v2 := f.put("src", "k", "two")
	f.clock.Advance(time.Hour)
	direct := f.put("dst", "k", "direct")

	got, err := f.PutVersion(f.ctx, replica(v2, "two"), Condition{})
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != v2.ID || got.Order != v2.Order || !got.LastModified.Equal(v2.LastModified) || got.Destinations != nil {
		t.Errorf("got %+v", got)
	}
	if st := got.ReplicationStatus(); st != Replica {
		t.Errorf("got status %q", st)
	}
	if v, body := f.get("dst", "k", ""); v.ID != direct.ID || body != "direct" {
		t.Errorf("a late replica became current: %q", body)
	}
	if _, err = f.PutVersion(f.ctx, replica(v1, "one"), Condition{}); err != nil {
		t.Fatal(err)
	}
	page, err := f.ListVersions(f.ctx, ListQuery{Bucket: "dst", Max: 10})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, v := range page.Versions {
		ids = append(ids, v.ID)
	}
	if d := cmp.Diff(ids, []string{direct.ID, v2.ID, v1.ID}); d != "" {
		t.Error(d)
	}
	f.delete("dst", "k", direct.ID)
	if v, body := f.get("dst", "k", ""); v.ID != v2.ID || body != "two" {
		t.Errorf("got %q (%s)", body, v.ID)
	}
	v3 := f.put("src", "k", "three")
	if _, err = f.PutVersion(f.ctx, replica(v3, "three"), Condition{}); err != nil {
		t.Fatal(err)
	}
	if v, _ := f.get("dst", "k", ""); v.ID != v3.ID {
		t.Error("a newer replica did not become current")
	}
	if n := f.Queue().Pending; n != 0 {
		t.Errorf("got %d tasks, want none: replicas get none, and the direct write's went with it", n)
	}
}

// Delivering again is success without a write, and what it brought is dropped.
func TestReplicaAgain(t *testing.T) { // D56
	f := newFixtureOn(t, nil, Config{InlineLimit: 4})
	f.bucket("src", VersioningEnabled, nil)
	f.bucket("dst", VersioningEnabled, nil)
	f.bucket("unversioned", Unversioned, nil)
	src := f.put("src", "k", "some bytes")
	replica := func(bucket, body string, tags ...Tag) Version {
		r := f.version(bucket, "k", []byte(body))
		r.IsReplica, r.ID, r.Order, r.LastModified, r.Tags = true, src.ID, src.Order, src.LastModified, tags
		return r
	}
	first := replica("dst", "some bytes")
	stored, err := f.PutVersion(f.ctx, first, Condition{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.PutVersion(f.ctx, replica("dst", "some bytes"), Condition{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(again, stored, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	if _, err = f.PutVersion(f.ctx, first, Condition{}); err != nil { // the very same data, after a commit of unknown outcome
		t.Fatal(err)
	}
	if got := f.blobCount(); got != 2 {
		t.Errorf("got %d blobs, want those of source and replica", got)
	}
	if _, body := f.get("dst", "k", ""); body != "some bytes" {
		t.Errorf("got %q", body)
	}
	if _, err = f.PutVersion(f.ctx, replica("dst", "some bytes", Tag{"k", "v"}), Condition{}); err != nil {
		t.Fatal(err)
	}
	if v, _ := f.get("dst", "k", ""); !cmp.Equal(v.Tags, []Tag{{"k", "v"}}) {
		t.Errorf("got tags %v", v.Tags)
	}
	for _, tc := range []struct {
		v    Version
		code failure.Code
	}{
		{replica("dst", "other bytes"), "OperationAborted"},
		{replica("unversioned", "some bytes"), "DstBucketUnversioned"},
		{replica("none", "some bytes"), "NoSuchBucket"},
		{func() Version { v := replica("dst", "x"); v.ID = "foreign"; return v }(), "InvalidArgument"},
		{func() Version { v := replica("dst", "x"); v.Order++; return v }(), "InvalidArgument"},
	} {
		_, err := f.PutVersion(f.ctx, tc.v, Condition{})
		wantCode(t, err, tc.code)
		f.DiscardData(tc.v.Parts[0].Data)
	}
}

// An earlier process may have run on an advanced clock: new versions are newer anyway.
func TestOrderAfterClockWentBack(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	f.clock.Advance(24 * time.Hour)
	f.put("b", "k", "future")
	f.clock.Advance(-24 * time.Hour)
	again := New(f.cfg)
	if err := again.Open(f.ctx); err != nil {
		t.Fatal(err)
	}
	f.Store = again
	f.put("b", "k", "now")
	if _, body := f.get("b", "k", ""); body != "now" {
		t.Errorf("got %q", body)
	}
}

func TestReplicationStatus(t *testing.T) { // D50, D51
	for _, tc := range []struct {
		replica  bool
		statuses []ReplicationStatus
		want     ReplicationStatus
	}{
		{false, nil, ""},
		{false, []ReplicationStatus{Pending}, Pending},
		{false, []ReplicationStatus{Completed, Completed}, Completed},
		{false, []ReplicationStatus{Completed, Failed}, Failed},
		{false, []ReplicationStatus{Failed, Completed}, Failed},
		{false, []ReplicationStatus{Failed, Pending}, Pending},
		{true, nil, Replica},
		{true, []ReplicationStatus{Completed}, Replica},
		{true, []ReplicationStatus{Pending}, Pending},
		{true, []ReplicationStatus{Failed}, Failed},
	} {
		v := Version{IsReplica: tc.replica}
		for _, s := range tc.statuses {
			v.Destinations = append(v.Destinations, DestinationStatus{Status: s})
		}
		if got := v.ReplicationStatus(); got != tc.want {
			t.Errorf("%v %v: got %q, want %q", tc.replica, tc.statuses, got, tc.want)
		}
	}
}
