package store

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/failure"
)

func TestCreateBucket(t *testing.T) {
	f := newFixture(t)
	f.bucket("one", Unversioned, nil)
	wantCode(t, f.CreateBucket(f.ctx, Bucket{Name: "one", Account: account}), "BucketAlreadyOwnedByYou") // D52
	wantCode(t, f.CreateBucket(f.ctx, Bucket{Name: "one", Account: "222222222222"}), "BucketAlreadyExists")
	if err := f.CreateBucket(f.ctx, Bucket{Name: "two", Account: "222222222222"}); err != nil {
		t.Fatal(err)
	}
	f.bucket("a", Unversioned, nil)
	for _, tc := range []struct {
		account string
		want    []string
	}{
		{"", []string{"a", "one", "two"}},
		{account, []string{"a", "one"}},
		{"222222222222", []string{"two"}},
		{"333333333333", nil},
	} {
		list, err := f.Buckets(f.ctx, tc.account)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, b := range list {
			got = append(got, b.Name)
		}
		if d := cmp.Diff(got, tc.want); d != "" {
			t.Errorf("Buckets(%q): %s", tc.account, d)
		}
	}
	_, err := f.Bucket(f.ctx, "none")
	wantCode(t, err, "NoSuchBucket")
	if got := failure.Of(err).Fields; !cmp.Equal(got, []failure.Field{{Name: "BucketName", Value: "none"}}) {
		t.Errorf("got fields %v", got)
	}
}

func TestUpdateBucket(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", Unversioned, nil)
	before, err := f.Bucket(f.ctx, "b")
	if err != nil {
		t.Fatal(err)
	}
	want := *before
	want.Versioning, want.Tags, want.Policy = VersioningEnabled, []Tag{{"k", "v"}}, `{"Version":"2012-10-17"}`
	want.Public = &PublicAccessBlock{BlockPublicAcls: true}
	want.Replication = replication(rule("r", "Tax", "d", 3))
	got, err := f.UpdateBucket(f.ctx, "b", func(b *Bucket) error {
		created := b.Created
		*b = want
		b.Name, b.Account, b.Created, b.Deleting = "other", "other", start.AddDate(1, 0, 0), true
		if !created.Equal(start) {
			t.Errorf("fn got creation date %v", created)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, &want); d != "" {
		t.Error(d)
	}
	if before.Versioning != Unversioned {
		t.Error("UpdateBucket changed a bucket that was handed out before")
	}
	stored, err := f.Bucket(f.ctx, "b")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(stored, &want); d != "" {
		t.Error(d)
	}
	boom := failure.New("MalformedPolicy", "no")
	if _, err := f.UpdateBucket(f.ctx, "b", func(b *Bucket) error { b.Policy = "x"; return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want fn's error", err)
	}
	if _, err = f.UpdateBucket(f.ctx, "b", func(b *Bucket) error { b.Versioning = Unversioned; return nil }); err == nil {
		t.Error("versioning could be taken back")
	}
	stored, err = f.Bucket(f.ctx, "b")
	if err != nil || stored.Policy != want.Policy {
		t.Errorf("got policy %q (%v) after an aborted update", stored.Policy, err)
	}
	_, err = f.UpdateBucket(f.ctx, "none", func(*Bucket) error { return nil })
	wantCode(t, err, "NoSuchBucket")
}

func TestDeleteBucket(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	f.put("b", "k", "x")
	err := f.DeleteBucket(f.ctx, "b")
	wantCode(t, err, "BucketNotEmpty") // D53
	if got, want := failure.Of(err).Message, "The bucket you tried to delete is not empty. You must delete all versions in the bucket."; got != want {
		t.Errorf("got message %q", got)
	}
	f.put("b", "k2", "the bucket takes writes again")
	for _, k := range []string{"k", "k2"} {
		v, err := f.Version(f.ctx, "b", k, "")
		if err != nil {
			t.Fatal(err)
		}
		f.delete("b", k, v.ID)
	}
	u, err := f.CreateUpload(f.ctx, Upload{Version: Version{Bucket: "b", Key: "k"}})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.DeleteBucket(f.ctx, "b"), "BucketNotEmpty")
	if err := f.AbortUpload(f.ctx, u); err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteBucket(f.ctx, "b"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.DeleteBucket(f.ctx, "b"), "NoSuchBucket")
	_, err = f.Version(f.ctx, "b", "k", "")
	wantCode(t, err, "NoSuchBucket")
	f.bucket("b", Unversioned, nil)
	f.put("b", "k", "new life")
	wantCode(t, f.DeleteBucket(f.ctx, "b"), "BucketNotEmpty")
}

// While the fence stands nothing is written, and Open ends what a crash left fenced.
func TestDeletingFence(t *testing.T) {
	f := newFixture(t)
	f.bucket("full", VersioningEnabled, nil)
	f.put("full", "k", "x")
	f.bucket("empty", Unversioned, nil)
	u, err := f.CreateUpload(f.ctx, Upload{Version: Version{Bucket: "full", Key: "k"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"full", "empty"} {
		if err := f.setDeleting(f.ctx, name, true); err != nil {
			t.Fatal(err)
		}
	}
	v := f.version("full", "k2", []byte("x"))
	_, err = f.PutVersion(f.ctx, v, Condition{})
	wantCode(t, err, "NoSuchBucket")
	_, err = f.Delete(f.ctx, "full", "k", "", account, Condition{})
	wantCode(t, err, "NoSuchBucket")
	_, err = f.Delete(f.ctx, "full", "k", NullVersion, account, Condition{})
	wantCode(t, err, "NoSuchBucket")
	_, err = f.SetTags(f.ctx, "full", "k", "", nil)
	wantCode(t, err, "NoSuchBucket")
	_, err = f.CreateUpload(f.ctx, Upload{Version: Version{Bucket: "full", Key: "k"}})
	wantCode(t, err, "NoSuchBucket")
	_, err = f.CompleteUpload(f.ctx, u, Version{}, Condition{})
	wantCode(t, err, "NoSuchBucket")
	wantCode(t, f.CreateBucket(f.ctx, Bucket{Name: "empty", Account: account}), "OperationAborted")
	if list, err := f.Buckets(f.ctx, ""); err != nil || len(list) != 0 {
		t.Errorf("got %d buckets (%v)", len(list), err)
	}

	again := New(f.cfg)
	if err := again.Open(f.ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Bucket(f.ctx, "full"); err != nil {
		t.Errorf("a bucket with contents was not restored: %v", err)
	}
	_, err = again.Bucket(f.ctx, "empty")
	wantCode(t, err, "NoSuchBucket")
}

// Property: whatever DeleteBucket and writers do to each other, a write that was
// acknowledged is in a bucket that is there.
func TestDeleteBucketAgainstWrites(t *testing.T) {
	f := newFixture(t)
	for range 30 {
		f.bucket("b", Unversioned, nil)
		v := f.version("b", "k", []byte("x"))
		var wg sync.WaitGroup
		var putErr, deleteErr error
		wg.Go(func() { _, putErr = f.PutVersion(f.ctx, v, Condition{}) })
		wg.Go(func() { deleteErr = f.DeleteBucket(f.ctx, "b") })
		wg.Wait()
		_, err := f.Version(f.ctx, "b", "k", "")
		switch {
		case putErr == nil && err != nil:
			t.Fatalf("acknowledged and lost: %v; delete: %v", err, deleteErr)
		case putErr != nil && deleteErr != nil:
			t.Fatalf("both refused: %v; %v", putErr, deleteErr)
		case putErr == nil:
			wantCode(t, deleteErr, "BucketNotEmpty")
			f.delete("b", "k", "")
			deleteErr = f.DeleteBucket(f.ctx, "b")
		default:
			wantCode(t, putErr, "NoSuchBucket")
		}
		if deleteErr != nil {
			t.Fatal(deleteErr)
		}
	}
}

func TestReset(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 16})
	big := string(make([]byte, 100))
	f.bucket("mine", VersioningEnabled, replication(rule("r", "", "other", 1)))
	if err := f.CreateBucket(f.ctx, Bucket{Name: "other", Account: "222222222222"}); err != nil {
		t.Fatal(err)
	}
	f.put("other", "stays", big)
	f.put("mine", "k", "small")
	f.versioning("mine", VersioningSuspended)
	f.put("mine", "k", big)
	f.versioning("mine", VersioningEnabled)
	f.put("mine", "k", big)
	f.delete("mine", "k", "")
	f.completeBig("mine", "many", 20, "part of the whole")
	u := f.upload("mine", "open")
	f.part(u, 1, big)
	if got := f.Queue().Pending; got == 0 {
		t.Error("no tasks before the reset")
	}
	if err := f.Reset(f.ctx, account); err != nil {
		t.Fatal(err)
	}
	f.check()
	if st := f.Queue(); st.Pending != 0 || st.Bytes != 0 || !st.Oldest.IsZero() {
		t.Errorf("got queue %+v", st)
	}
	_, err := f.Bucket(f.ctx, "mine")
	wantCode(t, err, "NoSuchBucket")
	if got := f.blobCount(); got != 1 {
		t.Errorf("got %d blobs, want 1", got)
	}
	if _, body := f.get("other", "stays", ""); body != big {
		t.Error("another account's object is damaged")
	}
	if err := f.Reset(f.ctx, ""); err != nil {
		t.Fatal(err)
	}
	if got := f.blobCount(); got != 0 {
		t.Errorf("got %d blobs, want 0", got)
	}
}
