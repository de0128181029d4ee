package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"twinbucket/store/blob"
)

// A copy opens with the same key and is data of its own: removing one leaves the other, and
// a copy can be copied.
func TestCopyData(t *testing.T) {
	for name, size := range map[string]int{"empty": 0, "inline": 100, "blob": 300_000} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.bucket("b", VersioningEnabled, nil)
			body := bytes.Repeat([]byte("abcdefghij"), size/10)
			v := f.version("b", "original", body)
			original, err := f.PutVersion(f.ctx, v, Condition{})
			if err != nil {
				t.Fatal(err)
			}
			last := original
			for _, key := range []string{"first", "second"} {
				d, err := f.CopyData(f.ctx, last.Parts[0].Data)
				if err != nil {
					t.Fatal(err)
				}
				if d.ID == last.Parts[0].Data.ID || d.Sealed != original.Parts[0].Data.ID || d.Size != int64(len(body)) {
					t.Errorf("copy %+v of %+v", d, last.Parts[0].Data)
				}
				c := v
				c.Key, c.Parts = key, []Part{{ETag: v.ETag, Data: d}}
				if last, err = f.PutVersion(f.ctx, c, Condition{}); err != nil {
					t.Fatal(err)
				}
			}
			f.check()
			f.delete("b", "original", original.ID)
			f.delete("b", "first", "")
			if _, got := f.get("b", "second", ""); got != string(body) {
				t.Errorf("read %d bytes of %d", len(got), len(body))
			}
			_, err = f.CopyData(f.ctx, original.Parts[0].Data)
			wantCode(t, err, DataGone)
		})
	}
}

func TestCopyDataEnds(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	v := f.put("b", "k", string(make([]byte, 300_000)))
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	if _, err := f.CopyData(ctx, v.Parts[0].Data); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	d, err := f.CopyData(f.ctx, v.Parts[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	f.DiscardData(d) // and nothing stays behind: the fixture checks
	if got, err := f.CopyData(f.ctx, Data{}); err != nil || !got.ID.IsZero() {
		t.Errorf("nothing: %+v, %v", got, err)
	}
}

// Damage is not noticed by copying, for which nobody has the key, but by reading the copy.
func TestCopyDataKeepsDamage(t *testing.T) {
	f := newFixture(t)
	dk, _, err := f.NewDataKey()
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.WriteData(f.ctx, dk, bytes.NewReader(make([]byte, 100)))
	if err != nil {
		t.Fatal(err)
	}
	d.Sealed = blob.ID{1}
	if _, err := f.OpenParts(f.ctx, dk, []Part{{Data: d}}, 0, -1); !errors.Is(err, blob.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	d.Sealed = blob.ID{}
	r, err := f.OpenParts(f.ctx, dk, []Part{{Data: d}}, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || len(b) != 100 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
