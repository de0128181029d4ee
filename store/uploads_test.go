package store

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

func (f *fixture) upload(bucket, key string) *Upload {
	f.t.Helper()
	_, wrapped, err := f.NewDataKey()
	if err != nil {
		f.t.Fatal(err)
	}
	u, err := f.CreateUpload(f.ctx, Upload{
		Initiator: "arn:aws:iam::111111111111:root",
		Version: Version{
			Bucket: bucket, Key: key, Owner: account, Tags: []Tag{{"t", "1"}},
			Encryption: Encryption{Algorithm: "AES256", WrappedKey: wrapped},
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

// newPart seals a part under the upload's data key.
func (f *fixture) newPart(u *Upload, number int, body string) StoredPart {
	f.t.Helper()
	key, err := f.UnwrapDataKey(u.Version.Encryption.WrappedKey)
	if err != nil {
		f.t.Fatal(err)
	}
	d, err := f.WriteData(f.ctx, key, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	return StoredPart{Part: Part{Number: number, ETag: etag([]byte(body)), Data: d}}
}

func (f *fixture) part(u *Upload, number int, body string) StoredPart {
	f.t.Helper()
	p := f.newPart(u, number, body)
	if err := f.PutPart(f.ctx, u, p); err != nil {
		f.t.Fatal(err)
	}
	return p
}

// complete completes u with all its parts.
func (f *fixture) complete(u *Upload) (*Version, error) {
	f.t.Helper()
	parts, _, err := f.Parts(f.ctx, u, 0, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	v := u.Version
	for _, p := range parts {
		v.Parts = append(v.Parts, p.Part)
		v.Size += p.Data.Size
	}
	v.ETag = fmt.Sprintf("%s-%d", etag(nil), len(parts))
	return f.CompleteUpload(f.ctx, u, v, Condition{})
}

func (f *fixture) completeBig(bucket, key string, n int, body string) *Version {
	f.t.Helper()
	u := f.upload(bucket, key)
	for i := range n {
		f.part(u, i+1, fmt.Sprintf("%s %d\n", body, i+1))
	}
	v, err := f.complete(u)
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

func TestUpload(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 16})
	f.bucket("b", VersioningEnabled, nil)
	u := f.upload("b", "k")
	got, err := f.Upload(f.ctx, "b", "k", u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, u); d != "" {
		t.Error(d)
	}
	if !got.Initiated.Equal(start) {
		t.Errorf("got initiated %v", got.Initiated)
	}
	long := strings.Repeat("long ", 10)
	f.part(u, 7, "seven")
	f.part(u, 2, long+"replaced")
	f.part(u, 2, long)
	f.part(u, 10_000, "last, not used, and a blob")
	parts, truncated, err := f.Parts(f.ctx, u, 0, 2)
	if err != nil || !truncated || len(parts) != 2 || parts[0].Number != 2 || parts[1].Number != 7 {
		t.Fatalf("got %v %v %v", parts, truncated, err)
	}
	if !parts[0].Modified.Equal(start) {
		t.Errorf("got modified %v", parts[0].Modified)
	}
	rest, truncated, err := f.Parts(f.ctx, u, 7, 2)
	if err != nil || truncated || len(rest) != 1 {
		t.Fatalf("got %v %v %v", rest, truncated, err)
	}
	if n := f.blobCount(); n != 2 {
		t.Errorf("got %d blobs, want 2: the replaced one is gone", n)
	}

	v := u.Version
	v.Parts = []Part{{Number: 2, ETag: parts[0].ETag}, {Number: 7, ETag: parts[1].ETag}}
	v.Size, v.ETag = int64(len(long)+5), "e-2"
	bad := v
	bad.Parts = []Part{{Number: 2, ETag: parts[0].ETag}, {Number: 3}}
	_, err = f.CompleteUpload(f.ctx, u, bad, Condition{})
	wantCode(t, err, "InvalidPart")
	bad.Parts = []Part{{Number: 2, ETag: "other"}}
	_, err = f.CompleteUpload(f.ctx, u, bad, Condition{})
	wantCode(t, err, "InvalidPart")

	done, err := f.CompleteUpload(f.ctx, u, v, Condition{})
	if err != nil {
		t.Fatal(err)
	}
	if !done.Multipart || done.Parts[1].Number != 7 || done.ID == "" || !cmp.Equal(done.Tags, u.Version.Tags) {
		t.Errorf("got %+v", done)
	}
	if _, body := f.get("b", "k", ""); body != long+"seven" {
		t.Errorf("got %q", body)
	}
	if n := f.blobCount(); n != 1 {
		t.Errorf("got %d blobs, want 1: the part that was not used is gone", n)
	}
	f.check()

	again, err := f.CompleteUpload(f.ctx, u, v, Condition{IfNoneMatch: true})
	if err != nil || again.ID != done.ID || len(again.Parts) != 2 {
		t.Errorf("repeated: got %+v, %v", again, err)
	}
	for name, err := range map[string]error{
		"PutPart":     f.PutPart(f.ctx, u, f.newPart(u, 1, "late")),
		"AbortUpload": f.AbortUpload(f.ctx, u),
		"Parts":       func() error { _, _, err := f.Parts(f.ctx, u, 0, 0); return err }(),
		"Upload":      func() error { _, err := f.Upload(f.ctx, "b", "k", u.ID); return err }(),
	} {
		if failure.CodeOf(err) != "NoSuchUpload" {
			t.Errorf("%s after completion: got %v", name, err)
		}
	}
	f.delete("b", "k", done.ID)
	_, err = f.CompleteUpload(f.ctx, u, v, Condition{})
	wantCode(t, err, "NoSuchUpload")
	if n := f.blobCount(); n != 0 {
		t.Errorf("%d blobs left", n)
	}
	for _, n := range []int{0, -1, 10_001} {
		wantCode(t, f.PutPart(f.ctx, u, StoredPart{Part: Part{Number: n}}), "InvalidArgument")
	}
	_, err = f.Upload(f.ctx, "none", "k", u.ID)
	wantCode(t, err, "NoSuchBucket")
}

// Versions with more parts than fit in a transaction go through part sets.
func TestManyParts(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 8})
	f.bucket("b", VersioningEnabled, replication(rule("r", "", "dst", 1)))
	f.bucket("dst", VersioningEnabled, nil)
	const n = 600
	v := f.completeBig("b", "k", n, "part")
	f.check()
	var want strings.Builder
	for i := range n {
		fmt.Fprintf(&want, "part %d\n", i+1)
	}
	got, body := f.get("b", "k", "")
	if body != want.String() {
		t.Error("the parts are not what was written")
	}
	if d := cmp.Diff(got.Parts, v.Parts); d != "" {
		t.Error(d)
	}
	// A replica brings its own data, twice.
	for range 2 {
		r := *got
		r.Bucket, r.IsReplica = "dst", true
		r.Parts = nil
		key, err := f.UnwrapDataKey(r.Encryption.WrappedKey)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got.Parts {
			in, err := f.OpenParts(f.ctx, key, []Part{p}, 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			if p.Data, err = f.WriteData(f.ctx, key, in); err != nil {
				t.Fatal(err)
			}
			in.Close()
			r.Parts = append(r.Parts, p)
		}
		if _, err := f.PutVersion(f.ctx, r, Condition{}); err != nil {
			t.Fatal(err)
		}
		f.check()
	}
	if _, body := f.get("dst", "k", got.ID); body != want.String() {
		t.Error("the replica's parts are not what was written")
	}
	// Status, tags and listing leave the set alone.
	f.settleAll(Result{Status: Completed})
	if _, err := f.SetTags(f.ctx, "b", "k", "", []Tag{{"x", "y"}}); err != nil {
		t.Fatal(err)
	}
	f.settleAll(Result{Status: Failed})
	if _, body := f.get("b", "k", ""); body != want.String() {
		t.Error("the parts changed with the tags")
	}
	// A write that is refused leaves nothing behind.
	u := f.upload("b", "k")
	for i := range 20 {
		f.part(u, i+1, "a longer part")
	}
	parts, _, err := f.Parts(f.ctx, u, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	refused := u.Version
	for _, p := range parts {
		refused.Parts = append(refused.Parts, p.Part)
	}
	_, err = f.CompleteUpload(f.ctx, u, refused, Condition{IfMatch: "other"})
	wantCode(t, err, "PreconditionFailed")
	f.check()
	if err := f.AbortUpload(f.ctx, u); err != nil {
		t.Fatal(err)
	}
	f.delete("b", "k", v.ID)
	f.delete("dst", "k", v.ID)
	if n := f.blobCount(); n != 0 {
		t.Errorf("%d blobs left", n)
	}
}

func TestUploads(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", Unversioned, nil)
	var all []string
	for _, key := range []string{"a", "a", "a/1", "a\x00", "b"} {
		u := f.upload("b", key)
		all = append(all, key+" "+u.ID)
		f.clock.Advance(time.Second)
	}
	order := []string{all[0], all[1], all[3], all[2], all[4]} // "a\x00" sorts before "a/1"
	id := func(i int) string { _, id, _ := strings.Cut(order[i], " "); return id }
	for _, tc := range []struct {
		prefix, key, upload string
		max                 int
		want                []string
		truncated           bool
	}{
		{"", "", "", 0, order, false},
		{"", "", "", 2, order[:2], true},
		{"", "", "", 5, order, false},
		{"", "a", id(0), 0, order[1:], false},
		{"", "a", "", 0, order[2:], false},
		{"", "a\x00", "", 1, order[3:4], true},
		{"a/", "", "", 0, order[3:4], false},
		{"b", "a", "", 0, order[4:], false},
		{"", "b", "", 0, nil, false},
		{"c", "", "", 0, nil, false},
	} {
		got, truncated, err := f.Uploads(f.ctx, "b", tc.prefix, tc.key, tc.upload, tc.max)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, u := range got {
			names = append(names, u.Version.Key+" "+u.ID)
		}
		if d := cmp.Diff(names, tc.want); d != "" || truncated != tc.truncated {
			t.Errorf("%+v: truncated %v, %s", tc, truncated, d)
		}
	}
	_, _, err := f.Uploads(f.ctx, "none", "", "", "", 0)
	wantCode(t, err, "NoSuchBucket")
}

func TestCompleteConditions(t *testing.T) { // D66
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	try := func(u *Upload, cond Condition) error {
		parts, _, err := f.Parts(f.ctx, u, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		v := u.Version
		v.Parts, v.Size = []Part{parts[0].Part}, parts[0].Data.Size
		_, err = f.CompleteUpload(f.ctx, u, v, cond)
		return err
	}
	u := f.upload("b", "raced")
	f.part(u, 1, "x")
	f.clock.Advance(time.Second)
	v := f.put("b", "raced", "someone else")
	wantCode(t, try(u, Condition{IfNoneMatch: true}), "PreconditionFailed")
	wantCode(t, try(u, Condition{IfMatch: "0"}), "PreconditionFailed")
	wantCode(t, try(u, Condition{IfMatch: v.ETag}), "ConditionalRequestConflict")
	u = f.upload("b", "raced")
	f.part(u, 1, "x")
	f.delete("b", "raced", "")
	wantCode(t, try(u, Condition{IfMatch: v.ETag}), "NoSuchKey")
	wantCode(t, try(u, Condition{IfNoneMatch: true}), "ConditionalRequestConflict")
	if err := try(u, Condition{}); err != nil {
		t.Error(err)
	}
}

// Property: a version is made of the parts that stood when it was committed, and all
// of them can be read, while parts are replaced and the upload is completed.
func TestCompleteAgainstPutPart(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 4})
	f.bucket("b", VersioningEnabled, nil)
	for round := range 20 {
		u := f.upload("b", "k")
		f.part(u, 1, "first edition")
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 5 {
				p := f.newPart(u, 1, fmt.Sprint("edition ", i))
				if err := f.PutPart(f.ctx, u, p); err != nil {
					f.DiscardData(p.Data)
					return
				}
			}
		})
		var v *Version
		for v == nil {
			done, err := f.complete(u)
			switch failure.CodeOf(err) {
			case "":
				v = done
			case "InvalidPart", "OperationAborted":
			default:
				t.Fatal(err)
			}
		}
		wg.Wait()
		if body := f.read(v); !strings.Contains(body, "edition") {
			t.Fatalf("round %d: got %q", round, body)
		}
	}
	if n := f.blobCount(); n != 20 {
		t.Errorf("got %d blobs, want 20", n)
	}
}

// What a crash leaves in the trash is finished by Open.
func TestTrashIsFinished(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 4})
	f.bucket("b", VersioningEnabled, nil)
	// A write that died after its part set was staged.
	w := f.newWrite(Version{Bucket: "b", Key: "k"}, Condition{})
	key, _, err := f.NewDataKey()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		d, err := f.WriteData(f.ctx, key, bytes.NewReader(make([]byte, i%8)))
		if err != nil {
			t.Fatal(err)
		}
		w.v.Parts = append(w.v.Parts, Part{Number: i + 1, Data: d})
	}
	if err := f.stageParts(f.ctx, w); err != nil {
		t.Fatal(err)
	}
	// A version whose part set was not destroyed yet, and an upload not cleaned up.
	v := f.completeBig("b", "gone", 20, "part")
	u := f.upload("b", "aborted")
	f.part(u, 1, "a blob too")
	var c change
	if err := f.cfg.Engine.Update(f.ctx, func(tx kv.Txn) error {
		c = change{}
		head, err := getHead(tx, "b", "gone")
		if err != nil {
			return err
		}
		tx.Delete(headKey("b", "gone"))
		tx.Delete(uploadKey("b", "aborted", u.ID))
		tx.Put(endedKey(u.ID), nil)
		return dropVersion(tx, &c, "b", "gone", head.rec)
	}); err != nil {
		t.Fatal(err)
	}
	if len(v.Parts) <= maxParts || len(c.sets) != 1 || f.blobCount() == 0 {
		t.Fatalf("%d parts, %d sets, %d blobs: nothing left to clean up", len(v.Parts), len(c.sets), f.blobCount())
	}
	f.Store = New(f.cfg)
	if err := f.Open(f.ctx); err != nil {
		t.Fatal(err)
	}
	if n := f.blobCount(); n != 0 {
		t.Errorf("%d blobs left", n)
	}
}

// Completed uploads are forgotten after a day.
func TestPurgeCompleted(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	var uploads []*Upload
	for i := range 100 {
		u := f.upload("b", fmt.Sprint("k", i))
		f.part(u, 1, "x")
		if _, err := f.complete(u); err != nil {
			t.Fatal(err)
		}
		uploads = append(uploads, u)
		if i == 89 {
			f.clock.Advance(completedFor)
		}
	}
	f.clock.Advance(time.Minute)
	f.Store = New(f.cfg)
	if err := f.Open(f.ctx); err != nil {
		t.Fatal(err)
	}
	for i, u := range uploads {
		_, err := f.CompleteUpload(f.ctx, u, u.Version, Condition{})
		if want := i >= 90; (err == nil) != want {
			t.Errorf("upload %d: got %v", i, err)
		}
	}
}
