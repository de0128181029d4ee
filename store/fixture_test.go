package store

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/internal/rootkey"
	"twinbucket/store/blob"
	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
	"twinbucket/store/kv/kvtest"
)

const account = "111111111111"

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixture is a Store on throw-away media with a clock that stands still. Every Update
// function runs twice, and when the test ends every invariant must hold.
type fixture struct {
	*Store
	t     testing.TB
	ctx   context.Context
	clock *clock.Manual
	blobs *blob.Dir
}

func newFixture(t testing.TB) *fixture { return newFixtureOn(t, nil, Config{}) }

// newFixtureOn lets a test wrap the engine and set parts of the Config.
func newFixtureOn(t testing.TB, wrap func(kv.Engine) kv.Engine, cfg Config) *fixture {
	t.Helper()
	engine, err := boltkv.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, ctx: context.Background(), clock: clock.NewManual(start), blobs: blobs}
	var e kv.Engine = engine
	if wrap != nil {
		e = wrap(e)
	}
	cfg.Engine, cfg.Blobs, cfg.Clock = kvtest.Twice(e), blobs, f.clock
	cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg.RootKey = rootkey.New([rootkey.Size]byte{1})
	if cfg.Rand == nil {
		cfg.Rand = rand.NewChaCha8([32]byte{1})
	}
	f.Store = New(cfg)
	if err := f.Open(f.ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.check()
		if err := f.Close(f.ctx); err != nil {
			t.Error(err)
		}
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
		if err := blobs.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) check() {
	f.t.Helper()
	for i, err := range f.Check(f.ctx) {
		if f.t.Errorf("invariant broken: %v", err); i == 20 {
			break
		}
	}
}

func (f *fixture) bucket(name string, v Versioning, c *ReplicationConfiguration) {
	f.t.Helper()
	err := f.CreateBucket(f.ctx, Bucket{
		Name: name, Account: account, Region: "us-east-1", Created: f.clock.Now(), Versioning: v,
		Ownership: BucketOwnerEnforced, Encryption: DefaultEncryption{Algorithm: "AES256"}, Replication: c,
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) versioning(name string, v Versioning) {
	f.t.Helper()
	_, err := f.UpdateBucket(f.ctx, name, func(b *Bucket) error { b.Versioning = v; return nil })
	if err != nil {
		f.t.Fatal(err)
	}
}

func etag(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
}

// version makes a version of one part that holds body, ready for PutVersion.
func (f *fixture) version(bucket, key string, body []byte) Version {
	f.t.Helper()
	dk, wrapped, err := f.NewDataKey()
	if err != nil {
		f.t.Fatal(err)
	}
	d, err := f.WriteData(f.ctx, dk, bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	return Version{
		Bucket: bucket, Key: key, Size: int64(len(body)), ETag: etag(body), Owner: account,
		Headers:    Headers{ContentType: "text/plain"},
		Metadata:   map[string]string{"a": "1", "b": "2"},
		Encryption: Encryption{Algorithm: "AES256", WrappedKey: wrapped},
		Parts:      []Part{{ETag: etag(body), Data: d}},
	}
}

func (f *fixture) put(bucket, key, body string) *Version {
	f.t.Helper()
	v, err := f.PutVersion(f.ctx, f.version(bucket, key, []byte(body)), Condition{})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// read returns the bytes of a version.
func (f *fixture) read(v *Version) string {
	f.t.Helper()
	key, err := f.UnwrapDataKey(v.Encryption.WrappedKey)
	if err != nil {
		f.t.Fatal(err)
	}
	r, err := f.OpenParts(f.ctx, key, v.Parts, 0, -1)
	if err != nil {
		f.t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

// get reads a version and its bytes.
func (f *fixture) get(bucket, key, id string) (*Version, string) {
	f.t.Helper()
	v, err := f.Version(f.ctx, bucket, key, id)
	if err != nil {
		f.t.Fatal(err)
	}
	if v.DeleteMarker {
		return v, ""
	}
	return v, f.read(v)
}

func (f *fixture) delete(bucket, key, id string) Deleted {
	f.t.Helper()
	d, err := f.Delete(f.ctx, bucket, key, id, account, Condition{})
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

// blobCount counts the blob files.
func (f *fixture) blobCount() (n int) {
	f.t.Helper()
	if err := f.blobs.List(f.ctx, func(blob.ID) error { n++; return nil }); err != nil {
		f.t.Fatal(err)
	}
	return n
}

func wantCode(t testing.TB, err error, code failure.Code) {
	t.Helper()
	if got := failure.CodeOf(err); got != code {
		t.Errorf("got error %v, want code %s", err, code)
	}
	if _, ok := err.(*failure.Error); err != nil && !ok {
		t.Errorf("got a %T, want a *failure.Error", err)
	}
}

// rule is an enabled V2 rule.
func rule(id, prefix, destination string, priority int) ReplicationRule {
	return ReplicationRule{
		ID: id, V2: true, Priority: priority, Enabled: true, Prefix: prefix, FilterForm: "Prefix",
		DeleteMarkers: "Disabled", Destination: Destination{Bucket: destination},
	}
}

func replication(rules ...ReplicationRule) *ReplicationConfiguration {
	return &ReplicationConfiguration{Role: "arn:aws:iam::111111111111:role/crr", Rules: rules}
}

// claimAll claims every due task.
func (f *fixture) claimAll() []Task {
	f.t.Helper()
	tasks, _, err := f.Claim(f.ctx, 1000, time.Minute)
	if err != nil {
		f.t.Fatal(err)
	}
	return tasks
}

// settleAll claims and settles every due task.
func (f *fixture) settleAll(r Result) []Task {
	f.t.Helper()
	tasks := f.claimAll()
	var ends []Ended
	for _, t := range tasks {
		ends = append(ends, Ended{t, r})
	}
	if err := f.SettleAll(f.ctx, ends); err != nil {
		f.t.Fatal(err)
	}
	return tasks
}

func (f *fixture) status(bucket, key, id string) ReplicationStatus {
	f.t.Helper()
	v, err := f.Version(f.ctx, bucket, key, id)
	if err != nil {
		f.t.Fatal(err)
	}
	return v.ReplicationStatus()
}
