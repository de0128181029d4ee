package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"twinbucket/store/kv"
)

// uncertain is an engine whose commits can be made to fail, before or after they
// take effect.
type uncertain struct {
	kv.Engine
	before, after error
	skip          int // updates that pass first; kvtest.Twice makes two of each
}

func (u *uncertain) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if u.before == nil && u.after == nil {
		return u.Engine.Update(ctx, fn)
	}
	if u.skip > 0 {
		u.skip--
		return u.Engine.Update(ctx, fn)
	}
	if u.before != nil {
		return u.before
	}
	if err := u.Engine.Update(ctx, fn); err != nil {
		return err
	}
	return u.after
}

// A commit of unknown outcome is an internal error with its cause, and the caller that
// gives up and discards its data does not take them from a version that came to be.
func TestUncertainCommit(t *testing.T) {
	var e *uncertain
	f := newFixtureOn(t, func(under kv.Engine) kv.Engine { e = &uncertain{Engine: under}; return e }, Config{InlineLimit: 4})
	f.bucket("b", VersioningEnabled, nil)
	for _, tc := range []struct {
		name   string
		cause  error
		stored bool
	}{
		{"not committed", errors.New("disk full"), false},
		{"committed", kv.ErrUncertain, true},
	} {
		v := f.version("b", tc.name, []byte("a blob"))
		if tc.stored {
			e.after = tc.cause
		} else {
			e.before = tc.cause
		}
		_, err := f.PutVersion(f.ctx, v, Condition{})
		e.before, e.after = nil, nil
		if wantCode(t, err, "InternalError"); !errors.Is(err, tc.cause) {
			t.Errorf("%s: got %v, want the cause", tc.name, err)
		}
		f.DiscardData(v.Parts[0].Data)
		got, err := f.Version(f.ctx, "b", tc.name, "")
		if (err == nil) != tc.stored {
			t.Fatalf("%s: got %v, %v", tc.name, got, err)
		}
		if tc.stored && f.read(got) != "a blob" {
			t.Errorf("%s: damaged", tc.name)
		}
	}
	if n := f.blobCount(); n != 1 {
		t.Errorf("got %d blobs, want 1", n)
	}
}

// Whichever transaction of a write of many parts fails, nothing is left of it after
// the next Open.
func TestManyPartsFailAnywhere(t *testing.T) {
	for _, cause := range []error{errors.New("disk full"), kv.ErrUncertain} {
		for skip := range 14 {
			var e *uncertain
			f := newFixtureOn(t, func(under kv.Engine) kv.Engine { e = &uncertain{Engine: under}; return e }, Config{InlineLimit: 4})
			f.bucket("b", VersioningEnabled, nil)
			v := f.version("b", "k", nil)
			v.Parts = nil
			for i := range 300 {
				p := f.version("b", "k", make([]byte, i%6)).Parts[0]
				p.Number = i + 1
				v.Parts = append(v.Parts, p)
				v.Size += p.Data.Size
			}
			e.before, e.skip = cause, skip
			_, err := f.PutVersion(f.ctx, v, Condition{})
			e.before = nil
			wantCode(t, err, "InternalError")
			f.Store = New(f.cfg)
			if err := f.Open(f.ctx); err != nil {
				t.Fatal(err)
			}
			for _, p := range v.Parts {
				f.DiscardData(p.Data)
			}
			f.check()
			if n := f.blobCount(); n != 0 {
				t.Errorf("%v after %d updates: %d blobs left", cause, skip, n)
			}
		}
	}
}

// A claim that fails half-way returns what it has.
func TestClaimHalfway(t *testing.T) {
	var e *uncertain
	f := newFixtureOn(t, func(under kv.Engine) kv.Engine { e = &uncertain{Engine: under}; return e }, Config{})
	f.bucket("b", VersioningEnabled, replication(rule("r", "", "d", 1)))
	for range 3 * claimBatch {
		f.put("b", "k", "x")
	}
	e.before, e.skip = errors.New("disk full"), 2
	tasks, next, err := f.Claim(f.ctx, 1000, time.Minute)
	if len(tasks) != claimBatch || err != nil || !next.Equal(start) {
		t.Errorf("got %d tasks, next %v, %v", len(tasks), next, err)
	}
	_, _, err = f.Claim(f.ctx, 1000, time.Minute)
	wantCode(t, err, "InternalError")
	e.before = nil
	if more := f.claimAll(); len(more) != 2*claimBatch {
		t.Errorf("got %d tasks", len(more))
	}
}
