// Package kvtest holds the contract of package kv as a test suite, run against every engine, and
// [Twice], a wrapper that finds Update functions which are not pure.
//
//	func TestContract(t *testing.T) {
//		kvtest.Run(t, kvtest.Config{
//			Open:    func(tb testing.TB, dir string) kv.Engine { … },
//			Durable: true,
//		})
//	}
//
// The suite runs every check on the engine itself and again behind Twice. What it cannot check
// is a crash: an engine that promises durability needs its own test of that.
package kvtest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/store/kv"
)

// Config says how to get the engine under test.
type Config struct {
	// Open opens an engine over the data in dir, an existing directory that is empty at first.
	// The suite closes the engine.
	Open func(tb testing.TB, dir string) kv.Engine
	// Durable says that opening the same dir again finds what was committed.
	Durable bool
}

// Run runs the contract suite as subtests of t.
func Run(t *testing.T, cfg Config) {
	checks := []struct {
		name string
		run  func(t *testing.T, e kv.Engine)
	}{
		{"PutGetDelete", testPutGetDelete},
		{"BinaryKeys", testBinaryKeys},
		{"LargeValues", testLargeValues},
		{"OwnWrites", testOwnWrites},
		{"FailedUpdate", testFailedUpdate},
		{"PanickingUpdate", testPanickingUpdate},
		{"Limits", testLimits},
		{"ScanBounds", testScanBounds},
		{"ScanStops", testScanStops},
		{"CursorSeek", testCursorSeek},
		{"CursorSkipsPrefixes", testCursorSkipsPrefixes},
		{"SnapshotIsolation", testSnapshotIsolation},
		{"ConcurrentIncrements", testConcurrentIncrements},
		{"NoWriteSkew", testNoWriteSkew},
		{"Context", testContext},
		{"Watch", testWatch},
		{"WatchEnds", testWatchEnds},
		{"Close", testClose},
		{"CloseWaits", testCloseWaits},
		{"Model", testModel},
	}
	wrappings := []struct {
		name string
		wrap func(kv.Engine) kv.Engine
	}{
		{"once", func(e kv.Engine) kv.Engine { return e }},
		{"twice", Twice},
	}
	for _, w := range wrappings {
		t.Run(w.name, func(t *testing.T) {
			for _, c := range checks {
				t.Run(c.name, func(t *testing.T) {
					e := w.wrap(cfg.Open(t, t.TempDir()))
					t.Cleanup(func() {
						if err := e.Close(); err != nil {
							t.Errorf("Close: %v", err)
						}
					})
					c.run(t, e)
				})
			}
		})
	}
	if cfg.Durable {
		t.Run("Reopen", func(t *testing.T) { testReopen(t, cfg) })
	}
}

// Twice returns an engine that runs the function of every Update twice and discards the first
// run, as an engine may that found a conflict. A function that counts, appends or keeps what it
// saw the first time then shows wrong results. Give it to the tests of every package with
// transactions.
func Twice(e kv.Engine) kv.Engine { return twice{e} }

type twice struct{ kv.Engine }

var errDiscarded = errors.New("kvtest: first run, discarded")

func (t twice) Update(ctx context.Context, fn func(kv.Txn) error) error {
	err := t.Engine.Update(ctx, func(tx kv.Txn) error {
		_ = fn(tx) // its verdict is discarded with its writes
		return errDiscarded
	})
	if !errors.Is(err, errDiscarded) {
		return err
	}
	return t.Engine.Update(ctx, fn)
}

// pair is one key and its value, as text for readable differences.
type pair struct{ Key, Value string }

func put(t *testing.T, e kv.Engine, pairs ...pair) {
	t.Helper()
	err := e.Update(t.Context(), func(tx kv.Txn) error {
		for _, p := range pairs {
			tx.Put([]byte(p.Key), []byte(p.Value))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("putting %d pairs: %v", len(pairs), err)
	}
}

// get returns the value of key and whether there is one.
func get(t *testing.T, e kv.Engine, key string) (value string, found bool) {
	t.Helper()
	err := e.View(t.Context(), func(r kv.Reader) error {
		v, err := r.Get([]byte(key))
		value = string(v)
		return err
	})
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		t.Fatalf("getting %q: %v", key, err)
	}
	return value, err == nil
}

// scan returns the pairs of a range.
func scan(t *testing.T, e kv.Engine, start, end []byte) []pair {
	t.Helper()
	var got []pair
	err := e.View(t.Context(), func(r kv.Reader) error {
		return r.Scan(start, end, func(k, v []byte) (bool, error) {
			got = append(got, pair{string(k), string(v)})
			return true, nil
		})
	})
	if err != nil {
		t.Fatalf("scanning %q to %q: %v", start, end, err)
	}
	return got
}

func wantPairs(t *testing.T, got []pair, want ...pair) {
	t.Helper()
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("pairs (-got +want):\n%s", diff)
	}
}

func testReopen(t *testing.T, cfg Config) {
	dir := t.TempDir()
	big := string(bytes.Repeat([]byte{7}, 200_000))
	for round, want := range [][]pair{
		{{"a", "1"}, {"b", big}},
		{{"a", "1"}, {"b", big}, {"c", ""}},
	} {
		e := cfg.Open(t, dir)
		if round > 0 {
			wantPairs(t, scan(t, e, nil, nil), want[:len(want)-1]...)
		}
		put(t, e, want...)
		if err := e.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		e = cfg.Open(t, dir)
		wantPairs(t, scan(t, e, nil, nil), want...)
		if err := e.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
}
