package kvtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"twinbucket/store/kv"
)

func testPutGetDelete(t *testing.T, e kv.Engine) {
	if _, found := get(t, e, "a"); found {
		t.Error("a key is found in a new engine")
	}
	put(t, e, pair{"a", "1"}, pair{"b", ""})
	put(t, e, pair{"a", "2"})
	wantPairs(t, scan(t, e, nil, nil), pair{"a", "2"}, pair{"b", ""})
	if v, found := get(t, e, "b"); v != "" || !found {
		t.Errorf("empty value: got %q, found %v", v, found)
	}
	for range 2 { // deleting an absent key is no error
		err := e.Update(t.Context(), func(tx kv.Txn) error {
			tx.Delete([]byte("a"))
			tx.Put([]byte("c"), nil)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantPairs(t, scan(t, e, nil, nil), pair{"b", ""}, pair{"c", ""})
	}
	err := e.View(t.Context(), func(r kv.Reader) error {
		for _, key := range [][]byte{nil, {}, bytes.Repeat([]byte{'k'}, kv.MaxKeyLen+1)} {
			if _, err := r.Get(key); !errors.Is(err, kv.ErrNotFound) {
				t.Errorf("Get of an impossible key of %d bytes: got %v, want ErrNotFound", len(key), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testBinaryKeys(t *testing.T, e kv.Engine) {
	ordered := []string{"\x00", "\x00\x00", "\x00\xff", "\x01", "A", "a", "a\x00", "a\x00b", "a/", "é", "\xfe\xff", "\xff", "\xff\x00", "\xff\xff", strings.Repeat("\xff", kv.MaxKeyLen)}
	var want []pair
	for i, k := range ordered {
		want = append(want, pair{k, fmt.Sprintf("%d\x00\xff", i)})
	}
	for i := len(want) - 1; i >= 0; i-- { // not in order
		put(t, e, want[i])
	}
	wantPairs(t, scan(t, e, nil, nil), want...)
	for _, p := range want {
		if v, found := get(t, e, p.Key); !found || v != p.Value {
			t.Errorf("Get(%q): got %q, %v; want %q", p.Key, v, found, p.Value)
		}
	}
}

func testLargeValues(t *testing.T, e kv.Engine) {
	var want []pair
	for i, size := range []int{1, 4095, 4096, 4097, 64 << 10, 500_000, kv.MaxBytes - 1} {
		p := pair{string(rune('a' + i)), string(bytes.Repeat([]byte{byte(i + 1)}, size))}
		put(t, e, p)
		want = append(want, p)
	}
	got := scan(t, e, nil, nil)
	if len(got) != len(want) {
		t.Fatalf("got %d pairs, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("value of %d bytes under %q did not come back", len(want[i].Value), want[i].Key)
		}
	}
}

func testOwnWrites(t *testing.T, e kv.Engine) {
	put(t, e, pair{"old", "1"}, pair{"gone", "1"})
	see := func(tx kv.Txn, key, want string) error {
		v, err := tx.Get([]byte(key))
		if got := string(v); err != nil || got != want {
			return fmt.Errorf("Get(%q): got %q, %w; want %q", key, got, err, want)
		}
		return nil
	}
	err := e.Update(t.Context(), func(tx kv.Txn) error {
		tx.Put([]byte("old"), []byte("2"))
		tx.Put([]byte("new"), []byte("x"))
		tx.Put([]byte("new"), []byte("y"))
		tx.Delete([]byte("gone"))
		tx.Put([]byte("brief"), nil)
		tx.Delete([]byte("brief"))
		tx.Put([]byte("empty"), nil)
		for _, key := range []string{"gone", "brief", "never"} {
			if _, err := tx.Get([]byte(key)); !errors.Is(err, kv.ErrNotFound) {
				return fmt.Errorf("Get(%q): got %v, want ErrNotFound", key, err)
			}
		}
		return errors.Join(see(tx, "old", "2"), see(tx, "new", "y"), see(tx, "empty", ""))
	})
	if err != nil {
		t.Fatal(err)
	}
	wantPairs(t, scan(t, e, nil, nil), pair{"empty", ""}, pair{"new", "y"}, pair{"old", "2"})
}

func testFailedUpdate(t *testing.T, e kv.Engine) {
	put(t, e, pair{"a", "1"})
	want := errors.New("refused")
	got := e.Update(t.Context(), func(tx kv.Txn) error {
		tx.Put([]byte("a"), []byte("2"))
		tx.Put([]byte("b"), []byte("2"))
		tx.Delete([]byte("a"))
		return want
	})
	if got != want {
		t.Errorf("Update: got %v, want the function's own error", got)
	}
	if got := e.View(t.Context(), func(kv.Reader) error { return want }); got != want {
		t.Errorf("View: got %v, want the function's own error", got)
	}
	wantPairs(t, scan(t, e, nil, nil), pair{"a", "1"})
}

func testPanickingUpdate(t *testing.T, e kv.Engine) {
	put(t, e, pair{"a", "1"})
	for name, run := range map[string]func() error{
		"Update": func() error {
			return e.Update(t.Context(), func(tx kv.Txn) error {
				tx.Put([]byte("a"), []byte("2"))
				panic("boom")
			})
		},
		"View": func() error {
			return e.View(t.Context(), func(kv.Reader) error { panic("boom") })
		},
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "boom") {
					t.Errorf("%s: recovered %v, want the panic of the function", name, v)
				}
			}()
			err := run()
			t.Errorf("%s returned %v in spite of a panic", name, err)
		}()
	}
	put(t, e, pair{"b", "1"}) // the engine still works
	wantPairs(t, scan(t, e, nil, nil), pair{"a", "1"}, pair{"b", "1"})
}

func testLimits(t *testing.T, e kv.Engine) {
	key := func(i int) []byte { return fmt.Appendf(nil, "key-%03d", i) }
	ops := func(n int, op func(tx kv.Txn, i int)) func(kv.Txn) error {
		return func(tx kv.Txn) error {
			for i := range n {
				op(tx, i)
			}
			return nil
		}
	}
	puts := func(tx kv.Txn, i int) { tx.Put(key(i), nil) }
	deletes := func(tx kv.Txn, i int) { tx.Delete(key(i)) }
	gets := func(tx kv.Txn, i int) { _, _ = tx.Get(key(i)) }
	same := func(tx kv.Txn, i int) { tx.Put(key(0), nil) }
	put := func(key, value int) func(kv.Txn) error {
		return func(tx kv.Txn) error {
			tx.Put(bytes.Repeat([]byte{'k'}, key), make([]byte, value))
			return nil
		}
	}
	tests := []struct {
		name string
		fn   func(kv.Txn) error
		want error
	}{
		{"most puts", ops(kv.MaxOps, puts), nil},
		{"most deletes", ops(kv.MaxOps, deletes), nil},
		{"most gets", ops(kv.MaxOps, gets), nil},
		{"one put more", ops(kv.MaxOps+1, puts), kv.ErrTooLarge},
		{"one delete more", ops(kv.MaxOps+1, deletes), kv.ErrTooLarge},
		{"one get more", ops(kv.MaxOps+1, gets), kv.ErrTooLarge},
		{"one put more on one key", ops(kv.MaxOps+1, same), kv.ErrTooLarge},
		{"most bytes", put(10, kv.MaxBytes-10), nil},
		{"one byte more", put(10, kv.MaxBytes-9), kv.ErrTooLarge},
		{"longest key", put(kv.MaxKeyLen, 1), nil},
		{"longer key", put(kv.MaxKeyLen+1, 1), kv.ErrBadKey},
		{"empty key", put(0, 1), kv.ErrBadKey},
		{"ignored error of Get", func(tx kv.Txn) error {
			_, _ = tx.Get(nil)
			tx.Put([]byte("half"), nil)
			return nil
		}, kv.ErrBadKey},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := scan(t, e, nil, nil)
			if err := e.Update(t.Context(), test.fn); !errors.Is(err, test.want) {
				t.Errorf("Update: got %v, want %v", err, test.want)
			}
			if test.want != nil {
				wantPairs(t, scan(t, e, nil, nil), before...)
			}
		})
	}
}
