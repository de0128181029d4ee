package kvtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"twinbucket/store/kv"
)

// testSnapshotIsolation: a View sees all that committed before it and nothing that commits
// while it runs, by Get, Scan and Cursor alike, values and absences alike.
func testSnapshotIsolation(t *testing.T, e kv.Engine) {
	put(t, e, pair{"changed", "1"}, pair{"deleted", "1"})
	written := make(chan error, 1)
	err := e.View(t.Context(), func(r kv.Reader) error {
		// A caller of its own: an Update inside a View on one goroutine is not allowed.
		go func() {
			written <- e.Update(t.Context(), func(tx kv.Txn) error {
				tx.Put([]byte("changed"), []byte("2"))
				tx.Delete([]byte("deleted"))
				tx.Put([]byte("added"), []byte("2"))
				return nil
			})
		}()
		if err := <-written; err != nil {
			return err
		}
		if v, err := r.Get([]byte("changed")); string(v) != "1" {
			t.Errorf("changed: got %q, %v; want the old value", v, err)
		}
		if v, err := r.Get([]byte("deleted")); string(v) != "1" {
			t.Errorf("deleted: got %q, %v; want the old value", v, err)
		}
		if _, err := r.Get([]byte("added")); !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("added: got %v, want ErrNotFound", err)
		}
		var got []pair
		err := r.Scan(nil, nil, func(k, v []byte) (bool, error) {
			got = append(got, pair{string(k), string(v)})
			return true, nil
		})
		wantPairs(t, got, pair{"changed", "1"}, pair{"deleted", "1"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantPairs(t, scan(t, e, nil, nil), pair{"added", "2"}, pair{"changed", "2"})
}

// testConcurrentIncrements: no increment is lost, the value each caller computed is its own, and
// what an Update returned is visible to the next View of the same caller.
func testConcurrentIncrements(t *testing.T, e kv.Engine) {
	const workers, rounds = 16, 20
	seen := make([][]int, workers)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range rounds {
				var n int
				err := e.Update(t.Context(), func(tx kv.Txn) error {
					n = 0
					v, err := tx.Get([]byte("counter"))
					if err == nil {
						n, err = strconv.Atoi(string(v))
					} else if errors.Is(err, kv.ErrNotFound) {
						err = nil
					}
					n++
					tx.Put([]byte("counter"), strconv.AppendInt(nil, int64(n), 10))
					return err
				})
				if err == nil {
					err = e.View(t.Context(), func(r kv.Reader) error {
						v, err := r.Get([]byte("counter"))
						if now, _ := strconv.Atoi(string(v)); now < n {
							return fmt.Errorf("a View shows %d after an Update to %d: %w", now, n, err)
						}
						return err
					})
				}
				if err != nil {
					errs[w] = err
					return
				}
				seen[w] = append(seen[w], n)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for w := range seen {
		if !slices.IsSorted(seen[w]) {
			t.Errorf("worker %d saw the counter go back: %v", w, seen[w])
		}
	}
	all := slices.Concat(seen...)
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != workers*rounds || all[0] != 1 {
		t.Errorf("%d distinct values from %d, want %d from 1", n, all[0], workers*rounds)
	}
	if v, _ := get(t, e, "counter"); v != strconv.Itoa(workers*rounds) {
		t.Errorf("counter: got %s, want %d", v, workers*rounds)
	}
}

// testNoWriteSkew: transactions that read two keys and write one of them are still ordered. Each
// takes one from either account only if the two hold at least one, so their sum never falls
// below zero; with mere snapshot isolation it does.
func testNoWriteSkew(t *testing.T, e kv.Engine) {
	const workers = 8
	for range 10 {
		put(t, e, pair{"x", "2"}, pair{"y", "1"})
		var wg sync.WaitGroup
		errs := make([]error, workers)
		for w := range workers {
			wg.Go(func() {
				errs[w] = e.Update(t.Context(), func(tx kv.Txn) error {
					balance := map[string]int{}
					sum := 0
					for _, account := range []string{"x", "y"} {
						v, err := tx.Get([]byte(account))
						if err != nil {
							return err
						}
						balance[account], _ = strconv.Atoi(string(v))
						sum += balance[account]
					}
					if sum < 1 {
						return nil
					}
					account := string("xy"[w%2])
					tx.Put([]byte(account), []byte(strconv.Itoa(balance[account]-1)))
					return nil
				})
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, p := range scan(t, e, nil, nil) {
			n, _ := strconv.Atoi(p.Value)
			sum += n
		}
		if sum != 0 {
			t.Fatalf("the accounts hold %d together, want 0", sum)
		}
	}
}

// testModel runs a random history against the engine and a map, and compares them after every
// transaction.
func testModel(t *testing.T, e kv.Engine) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	model := map[string]string{}
	refused := errors.New("refused")
	for step := range 150 {
		type op struct {
			pair
			del bool
		}
		ops := make([]op, rnd.IntN(12))
		for i := range ops {
			key := strings.Repeat("k", 1+rnd.IntN(3)) + strconv.Itoa(rnd.IntN(60))
			value := strings.Repeat(strconv.Itoa(step), rnd.IntN(2000))
			ops[i] = op{pair{key, value}, rnd.IntN(3) == 0}
		}
		fail := rnd.IntN(5) == 0
		err := e.Update(t.Context(), func(tx kv.Txn) error {
			for _, o := range ops {
				if o.del {
					tx.Delete([]byte(o.Key))
				} else {
					tx.Put([]byte(o.Key), []byte(o.Value))
				}
			}
			if fail {
				return refused
			}
			return nil
		})
		if fail != (err != nil) {
			t.Fatalf("step %d: got %v, want an error: %v", step, err, fail)
		}
		if !fail {
			for _, o := range ops {
				if o.del {
					delete(model, o.Key)
				} else {
					model[o.Key] = o.Value
				}
			}
		}
		var want []pair
		for k, v := range model {
			want = append(want, pair{k, v})
		}
		slices.SortFunc(want, func(a, b pair) int { return strings.Compare(a.Key, b.Key) })
		wantPairs(t, scan(t, e, nil, nil), want...)
		if t.Failed() {
			t.Fatalf("step %d of seed %d", step, seed)
		}
	}
}
