package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"twinbucket/internal/failure"
	"twinbucket/internal/rootkey"
	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

func TestDataKeys(t *testing.T) {
	f := newFixture(t)
	key, wrapped, err := f.NewDataKey()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wrapped, key[:]) {
		t.Error("the data key is in its wrapped form")
	}
	again := New(f.cfg)
	if err := again.Open(f.ctx); err != nil {
		t.Fatal(err)
	}
	got, err := again.UnwrapDataKey(wrapped)
	if err != nil || got != key {
		t.Errorf("got %x, %v", got[:], err)
	}
	other := f.cfg
	other.RootKey = rootkey.New([rootkey.Size]byte{2})
	var lost *RootKeyError
	if err := New(other).Open(f.ctx); !errors.As(err, &lost) {
		t.Errorf("opened under another root key: %v", err)
	}
	for i := range wrapped {
		bad := bytes.Clone(wrapped)
		bad[i] ^= 1
		if _, err := f.UnwrapDataKey(bad); failure.CodeOf(err) != "InternalError" {
			t.Errorf("byte %d changed: got %v", i, err)
		}
	}
	for _, bad := range [][]byte{nil, wrapped[:len(wrapped)-1], append(bytes.Clone(wrapped), 0)} {
		if _, err := f.UnwrapDataKey(bad); err == nil {
			t.Errorf("unwrapped %d bytes", len(bad))
		}
	}
	if s := fmt.Sprintf("%v %s %+v %#v", key, key, key, key); strings.Count(s, "secret") != 4 {
		t.Errorf("a data key prints as %s", s)
	}
}

func TestWriteData(t *testing.T) {
	const limit = 1000
	f := newFixtureOn(t, nil, Config{InlineLimit: limit})
	f.bucket("b", Unversioned, nil)
	for _, size := range []int{0, 1, limit - 1, limit, limit + 1, blob.ChunkSize, 3*blob.ChunkSize + 7} {
		body := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		v := f.version("b", "k", body)
		d := v.Parts[0].Data
		if d.File != (size > limit) || (d.Inline != nil) == d.File || d.Size != int64(size) {
			t.Errorf("size %d: got %d inline bytes, file %v, size %d", size, len(d.Inline), d.File, d.Size)
		}
		if size > 16 && bytes.Contains(d.Inline, body[:16]) {
			t.Errorf("size %d: plaintext is stored", size)
		}
		if got := f.read(&v); got != string(body) {
			t.Errorf("size %d: wrong bytes before the commit", size)
		}
		if _, err := f.PutVersion(f.ctx, v, Condition{}); err != nil {
			t.Fatal(err)
		}
		if _, got := f.get("b", "k", ""); got != string(body) {
			t.Errorf("size %d: wrong bytes after the commit", size)
		}
	}
	if n := f.blobCount(); n != 1 {
		t.Errorf("got %d blobs, want the last one only", n)
	}
}

// A body that breaks off is not stored, wherever it does and however it says so.
func TestWriteDataBrokenBody(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 1000})
	key, _, err := f.NewDataKey()
	if err != nil {
		t.Fatal(err)
	}
	typed := failure.New("BadDigest", "no")
	for _, size := range []int{0, 10, 1001, 200 << 10} {
		for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("reset"), typed} {
			body := io.MultiReader(bytes.NewReader(make([]byte, size)), &failing{cause})
			d, err := f.WriteData(f.ctx, key, body)
			if !errors.Is(err, cause) || d.File || d.Inline != nil {
				t.Errorf("size %d: got %+v, %v; want %v", size, d, err, cause)
			}
			if cause == error(typed) {
				wantCode(t, err, "BadDigest")
			}
		}
	}
	ctx, cancel := context.WithCancel(f.ctx)
	endless := &cancelAfter{n: 10, cancel: cancel}
	if _, err := f.WriteData(ctx, key, endless); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := f.blobCount(); n != 0 {
		t.Errorf("%d blobs left", n)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

type cancelAfter struct {
	n      int
	cancel func()
}

func (c *cancelAfter) Read(p []byte) (int, error) {
	if c.n--; c.n == 0 {
		c.cancel()
	}
	return len(p), nil
}

func TestDiscardData(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: -1})
	f.bucket("b", Unversioned, nil)
	used, lost := f.version("b", "k", []byte("used")), f.version("b", "k", []byte("lost"))
	if _, err := f.PutVersion(f.ctx, used, Condition{}); err != nil {
		t.Fatal(err)
	}
	f.DiscardData(used.Parts[0].Data)
	f.DiscardData(lost.Parts[0].Data)
	f.DiscardData(lost.Parts[0].Data)
	f.DiscardData(Data{})
	if n := f.blobCount(); n != 1 {
		t.Errorf("got %d blobs, want the one in use", n)
	}
}

// mixed is a version of inline parts, blobs and empty parts.
func (f *fixture) mixed(bucket, key string) (*Version, string) {
	f.t.Helper()
	u := f.upload(bucket, key)
	var all strings.Builder
	for i, size := range []int{5, 0, 100, 7, blob.ChunkSize + 100, 0, 3} {
		body := strings.Repeat(string(rune('a'+i)), size)
		f.part(u, i+1, body)
		all.WriteString(body)
	}
	v, err := f.complete(u)
	if err != nil {
		f.t.Fatal(err)
	}
	return v, all.String()
}

func TestOpenPartsRanges(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 50})
	f.bucket("b", VersioningEnabled, nil)
	v, body := f.mixed("b", "k")
	key, err := f.UnwrapDataKey(v.Encryption.WrappedKey)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(body))
	for _, r := range [][2]int64{{0, -1}, {0, 0}, {0, 1}, {4, 2}, {5, 100}, {6, 200}, {104, 9}, {size - 1, 1}, {size, 0}, {size, -1}, {111, size - 111}, {112 + blob.ChunkSize, 50}} {
		want := body[r[0]:]
		if r[1] >= 0 {
			want = want[:r[1]]
		}
		in, err := f.OpenParts(f.ctx, key, v.Parts, r[0], r[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(struct{ io.Reader }{in})
		if err != nil || string(got) != want {
			t.Errorf("Read of %v: %d bytes, want %d; %v", r, len(got), len(want), err)
		}
		in.Close()
		if in, err = f.OpenParts(f.ctx, key, v.Parts, r[0], r[1]); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		n, err := in.(io.WriterTo).WriteTo(&out)
		if err != nil || n != int64(len(want)) || out.String() != want {
			t.Errorf("WriteTo of %v: %d bytes, want %d; %v", r, n, len(want), err)
		}
		for range 2 {
			if err := in.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := in.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("Read after Close: got %v", err)
		}
	}
	for _, r := range [][2]int64{{-1, 1}, {size + 1, -1}, {0, size + 1}, {size, 1}} {
		_, err := f.OpenParts(f.ctx, key, v.Parts, r[0], r[1])
		wantCode(t, err, "InvalidRange")
	}
	wrong := key
	wrong[0] ^= 1
	_, err = f.OpenParts(f.ctx, wrong, v.Parts, 0, -1)
	if wantCode(t, err, "InternalError"); !errors.Is(err, blob.ErrWrongKey) {
		t.Errorf("got %v", err)
	}
	// A part that claims another size is damage, not a short answer.
	parts := append([]Part{}, v.Parts[2:3]...)
	parts[0].Data.Size++
	if _, err = f.OpenParts(f.ctx, key, parts, 0, -1); !errors.Is(err, blob.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	writeErr := errors.New("client went away")
	in, err := f.OpenParts(f.ctx, key, v.Parts, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.(io.WriterTo).WriteTo(&failingWriter{writeErr}); err != writeErr {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{ err error }

func (f *failingWriter) Write([]byte) (int, error) { return 0, f.err }

// A reader outlives the version it reads; one that comes too late is told.
func TestReadWhileRemoved(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: 50})
	f.bucket("b", VersioningEnabled, nil)
	v, body := f.mixed("b", "k")
	key, err := f.UnwrapDataKey(v.Encryption.WrappedKey)
	if err != nil {
		t.Fatal(err)
	}
	one, err := f.OpenParts(f.ctx, key, v.Parts, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	two, err := f.OpenParts(f.ctx, key, v.Parts, 3, -1)
	if err != nil {
		t.Fatal(err)
	}
	f.delete("b", "k", v.ID)
	_, err = f.OpenParts(f.ctx, key, v.Parts, 0, -1)
	wantCode(t, err, DataGone)
	if got, err := io.ReadAll(one); err != nil || string(got) != body {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	one.Close()
	if f.blobCount() == 0 {
		t.Error("a blob that is to be read was removed")
	}
	if got, err := io.ReadAll(two); err != nil || string(got) != body[3:] {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	two.Close()
	if n := f.blobCount(); n != 0 {
		t.Errorf("%d blobs left", n)
	}
	_, err = f.OpenParts(f.ctx, key, v.Parts[4:5], 0, -1)
	wantCode(t, err, DataGone)
	_, err = f.OpenParts(f.ctx, key, v.Parts[:1], 0, -1)
	wantCode(t, err, DataGone)
}

// Open removes blobs without a record and leaves the others.
func TestSweep(t *testing.T) {
	f := newFixtureOn(t, nil, Config{InlineLimit: -1})
	f.bucket("b", Unversioned, nil)
	dir := t.TempDir()
	open := func() *fixture {
		blobs, err := blob.OpenDir(blob.OS(dir), blob.DirOptions{})
		if err != nil {
			t.Fatal(err)
		}
		g := *f
		cfg := f.cfg
		cfg.Blobs = blobs
		g.Store, g.blobs = New(cfg), blobs
		if err := g.Open(g.ctx); err != nil {
			t.Fatal(err)
		}
		return &g
	}
	g := open()
	g.put("b", "k", "stays")
	g.version("b", "k", []byte("written and never committed"))
	if n := g.blobCount(); n != 2 {
		t.Fatalf("got %d blobs", n)
	}
	g = open()
	if n := g.blobCount(); n != 1 {
		t.Errorf("got %d blobs after the sweep, want 1", n)
	}
	if _, body := g.get("b", "k", ""); body != "stays" {
		t.Errorf("got %q", body)
	}
	g.delete("b", "k", "")
}

func TestOpenFormat(t *testing.T) {
	f := newFixture(t)
	set := func(b byte) {
		if err := f.cfg.Engine.Update(f.ctx, func(tx kv.Txn) error { tx.Put(plainKey(kindFormat), []byte{b}); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	set(recordFormat + 1)
	err := New(f.cfg).Open(f.ctx)
	if wantCode(t, err, "InternalError"); err == nil || !strings.Contains(err.Error(), "record format 2") {
		t.Errorf("got %v", err)
	}
	set(recordFormat)
}

// A stream of any length goes through in little memory.
func TestLargeStream(t *testing.T) {
	const size = 256 << 20
	f := newFixture(t)
	f.bucket("b", Unversioned, nil)
	key, wrapped, err := f.NewDataKey()
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d, err := f.WriteData(f.ctx, key, io.LimitReader(zeros{}, size))
	if err != nil {
		t.Fatal(err)
	}
	v := Version{Bucket: "b", Key: "k", Size: size, Encryption: Encryption{WrappedKey: wrapped}, Parts: []Part{{Data: d}}}
	if _, err := f.PutVersion(f.ctx, v, Condition{}); err != nil {
		t.Fatal(err)
	}
	in, err := f.OpenParts(f.ctx, key, v.Parts, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if n, err := io.Copy(io.Discard, in); n != size || err != nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("%d bytes allocated for a stream of %d", got, size)
	}
	f.delete("b", "k", "")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Two versions of the same bytes share nothing that can be seen.
func TestSealedApart(t *testing.T) {
	f := newFixture(t)
	key, _, err := f.NewDataKey()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]bool{}
	for range 5 {
		d, err := f.WriteData(f.ctx, key, strings.NewReader("same"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(d.Inline)
		if seen[sum] {
			t.Error("sealed alike twice")
		}
		seen[sum] = true
	}
}
