package kvtest_test

import (
	"errors"
	"fmt"
	"testing"

	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
	"twinbucket/store/kv/kvtest"
)

// TestTwice: a function that is not pure shows, a pure one does not, and the first run leaves
// nothing behind.
func TestTwice(t *testing.T) {
	inner, err := boltkv.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	e := kvtest.Twice(inner)

	runs := 0
	err = e.Update(t.Context(), func(tx kv.Txn) error {
		if _, err := tx.Get([]byte("k")); !errors.Is(err, kv.ErrNotFound) {
			return fmt.Errorf("run %d sees an earlier run: %w", runs, err)
		}
		runs++
		tx.Put([]byte("k"), fmt.Append(nil, runs))
		return nil
	})
	if err != nil || runs != 2 {
		t.Errorf("%d runs, %v; want 2", runs, err)
	}
	err = e.View(t.Context(), func(r kv.Reader) error {
		v, err := r.Get([]byte("k"))
		if string(v) != "2" {
			t.Errorf("got %q, want what the second run wrote", v)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}

	refused := errors.New("refused")
	runs = 0
	err = e.Update(t.Context(), func(kv.Txn) error {
		runs++
		return refused
	})
	if err != refused || runs != 2 {
		t.Errorf("%d runs, %v; want 2 and the function's error", runs, err)
	}
}
