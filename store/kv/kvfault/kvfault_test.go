package kvfault_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
	"twinbucket/store/kv/kvfault"
	"twinbucket/store/kv/kvtest"
)

func open(tb testing.TB) kv.Engine {
	tb.Helper()
	e, err := boltkv.OpenMemory()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// TestContract: without rules the wrapper keeps the contract.
func TestContract(t *testing.T) {
	kvtest.Run(t, kvtest.Config{Open: func(tb testing.TB, _ string) kv.Engine {
		return kvfault.Wrap(open(tb), new(kvfault.Injector))
	}})
}

func TestNilMeansNone(t *testing.T) {
	e := open(t)
	if kvfault.Wrap(e, nil) != e {
		t.Error("a nil Injector still wraps")
	}
}

var errInjected = errors.New("injected")

// put writes key and says whether it is there afterwards.
func put(t *testing.T, e kv.Engine, key string) (there bool, err error) {
	t.Helper()
	err = e.Update(t.Context(), func(tx kv.Txn) error {
		tx.Put([]byte(key), nil)
		return nil
	})
	viewErr := e.View(t.Context(), func(r kv.Reader) error {
		_, err := r.Get([]byte(key))
		there = err == nil
		return nil
	})
	if viewErr != nil {
		t.Fatal(viewErr)
	}
	return there, err
}

func TestPoints(t *testing.T) {
	in := new(kvfault.Injector)
	e := kvfault.Wrap(open(t), in)

	in.Add(kvfault.Rule{At: kvfault.Update, Err: errInjected, Count: 1})
	if there, err := put(t, e, "before"); there || !errors.Is(err, errInjected) || errors.Is(err, kv.ErrUncertain) {
		t.Errorf("at update: there %v, %v", there, err)
	}
	in.Add(kvfault.Rule{At: kvfault.Committed, Err: errInjected, Count: 1})
	if there, err := put(t, e, "after"); !there || !errors.Is(err, errInjected) || !errors.Is(err, kv.ErrUncertain) {
		t.Errorf("at committed: there %v, %v", there, err)
	}
	if there, err := put(t, e, "then"); !there || err != nil {
		t.Errorf("both used up: there %v, %v", there, err)
	}

	in.Add(kvfault.Rule{At: kvfault.View, Err: errInjected})
	err := e.View(t.Context(), func(kv.Reader) error {
		t.Error("View ran in spite of the fault")
		return nil
	})
	if !errors.Is(err, errInjected) {
		t.Errorf("at view: %v", err)
	}

	// A transaction that failed by itself did not commit.
	own := errors.New("own")
	id := in.Add(kvfault.Rule{At: kvfault.Committed, Err: errInjected})
	if err := e.Update(t.Context(), func(kv.Txn) error { return own }); err != own {
		t.Errorf("got %v, want the function's own error", err)
	}
	if list := in.List(); list[len(list)-1].ID != id || list[len(list)-1].Seen != 0 {
		t.Errorf("the committed rule saw a transaction that did not commit: %+v", list)
	}
}

// outcomes runs n updates and writes f for each that failed.
func outcomes(t *testing.T, e kv.Engine, n int) string {
	t.Helper()
	s := ""
	for range n {
		err := e.Update(t.Context(), func(kv.Txn) error { return nil })
		switch {
		case err == nil:
			s += "."
		case errors.Is(err, errInjected):
			s += "f"
		default:
			t.Fatal(err)
		}
	}
	return s
}

func TestSkipCountProbabilitySwitch(t *testing.T) {
	in := new(kvfault.Injector)
	e := kvfault.Wrap(open(t), in)
	id := in.Add(kvfault.Rule{At: kvfault.Update, Err: errInjected, Skip: 2, Count: 3})
	if got, want := outcomes(t, e, 8), "..fff..."; got != want {
		t.Errorf("skip and count: got %s, want %s", got, want)
	}
	if !in.Remove(id) || in.Remove(id) || in.Switch(id, true) {
		t.Error("Remove and Switch do not report what is there")
	}

	id = in.Add(kvfault.Rule{At: kvfault.Update, Err: errInjected, Off: true})
	off := outcomes(t, e, 2)
	in.Switch(id, true)
	on := outcomes(t, e, 2)
	in.Switch(id, false)
	if got, want := off+on+outcomes(t, e, 2), "..ff.."; got != want {
		t.Errorf("switch: got %s, want %s", got, want)
	}
	in.Clear()

	random := func(seed uint64) string {
		in.Add(kvfault.Rule{At: kvfault.Update, Err: errInjected, Probability: 0.5, Rand: rand.New(rand.NewPCG(seed, 0))})
		defer in.Clear()
		return outcomes(t, e, 64)
	}
	first := random(1)
	if first != random(1) || first == random(2) {
		t.Error("faults do not follow the seed")
	}
	fired := 0
	for _, c := range first {
		if c == 'f' {
			fired++
		}
	}
	if fired < 16 || fired > 48 {
		t.Errorf("fired %d times of 64 with probability 0.5", fired)
	}
}

func TestDelays(t *testing.T) {
	in := new(kvfault.Injector)
	e := kvfault.Wrap(open(t), in)
	var order string
	delay := func(name string, err error) func(context.Context) error {
		return func(context.Context) error {
			order += name
			return err
		}
	}
	in.Add(kvfault.Rule{At: kvfault.Update, Delay: delay("a", nil), Count: 2})
	in.Add(kvfault.Rule{At: kvfault.Update, Delay: delay("b", nil), Err: errInjected, Count: 1})
	in.Add(kvfault.Rule{At: kvfault.Update, Delay: delay("c", context.Canceled), Err: errInjected, Count: 1})
	if got, want := outcomes(t, e, 3), "f.."; got != want || order != "abca" {
		t.Errorf("got %s and delays %s, want %s and abca", got, order, want)
	}
	in.Clear()
	in.Add(kvfault.Rule{At: kvfault.Update, Delay: delay("", context.Canceled), Err: errInjected})
	if _, err := put(t, e, "k"); !errors.Is(err, context.Canceled) || errors.Is(err, errInjected) {
		t.Errorf("a delay that is cut short: got %v, want its error", err)
	}
}

func TestPrinting(t *testing.T) {
	in := new(kvfault.Injector)
	e := kvfault.Wrap(open(t), in)
	in.Add(kvfault.Rule{Name: "lost answer", At: kvfault.Committed, Err: errInjected, Skip: 1, Count: 3})
	in.Add(kvfault.Rule{At: kvfault.View, Delay: func(context.Context) error { return nil }, Probability: 0.25, Off: true})
	outcomes(t, e, 1)
	if got := outcomes(t, e, 1); got != "f" {
		t.Errorf("got %s", got)
	}
	want := `1: at committed "lost answer" fail with "injected" always after 1 at most 3 times: fired 1 of 2
2: at view delay with probability 0.25 (off): fired 0 of 0
`
	if diff := cmp.Diff(in.String(), want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if got := kvfault.Update.String() + kvfault.Point(9).String(); got != "updatepoint 9" {
		t.Errorf("points: got %s", got)
	}
}
