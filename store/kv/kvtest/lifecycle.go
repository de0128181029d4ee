package kvtest

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"twinbucket/store/kv"
)

func testContext(t *testing.T, e kv.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := e.Update(ctx, func(tx kv.Txn) error {
		tx.Put([]byte("a"), nil)
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update: got %v, want context.Canceled", err)
	}
	err = e.View(ctx, func(kv.Reader) error {
		t.Error("View ran its function")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("View: got %v, want context.Canceled", err)
	}
	wantPairs(t, scan(t, e, nil, nil))
}

func testWatch(t *testing.T, e kv.Engine) {
	ch := e.Watch(t.Context(), []byte("task/"))
	all := e.Watch(t.Context(), nil)
	put(t, e, pair{"task", ""}, pair{"tasks/1", ""}, pair{"other", ""})
	refused := errors.New("refused")
	err := e.Update(t.Context(), func(tx kv.Txn) error {
		tx.Put([]byte("task/1"), nil)
		return refused
	})
	if !errors.Is(err, refused) {
		t.Fatal(err)
	}
	select {
	case <-ch:
		t.Error("a signal although nothing under the prefix was committed")
	default:
	}
	waitSignal(t, all)

	for range 10 { // signals coalesce and nobody waits for the receiver
		put(t, e, pair{"task/1", ""})
	}
	waitSignal(t, ch)

	for len(ch) > 0 { // one more may be on its way
		<-ch
	}
	err = e.Update(t.Context(), func(tx kv.Txn) error {
		tx.Delete([]byte("task/1"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	waitSignal(t, ch)
}

// waitSignal receives one signal. A lost one shows as the time limit of the test.
func waitSignal(t *testing.T, ch <-chan struct{}) {
	t.Helper()
	if _, ok := <-ch; !ok {
		t.Fatal("the watch was closed")
	}
}

func testWatchEnds(t *testing.T, e kv.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := e.Watch(ctx, nil)
	open := e.Watch(t.Context(), nil)
	put(t, e, pair{"a", "1"})
	cancel()
	for range ended { // ends only if the channel is closed
	}
	put(t, e, pair{"a", "2"})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for range open {
	}
	for range e.Watch(t.Context(), nil) { // after Close: closed at once
	}
}

func testClose(t *testing.T, e kv.Engine) {
	put(t, e, pair{"a", "1"})
	for range 2 {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	never := func() error {
		t.Error("a function ran on a closed engine")
		return nil
	}
	if err := e.View(t.Context(), func(kv.Reader) error { return never() }); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("View: got %v, want ErrClosed", err)
	}
	if err := e.Update(t.Context(), func(kv.Txn) error { return never() }); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Update: got %v, want ErrClosed", err)
	}
}

// testCloseWaits: a View that is running when Close is called reads on, and Close returns after it.
func testCloseWaits(t *testing.T, e kv.Engine) {
	put(t, e, pair{"a", "1"})
	viewing, release := make(chan struct{}), make(chan struct{})
	viewed, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		viewed <- e.View(t.Context(), func(r kv.Reader) error {
			close(viewing)
			<-release
			_, err := r.Get([]byte("a"))
			return err
		})
	}()
	<-viewing
	go func() { closed <- e.Close() }()
	for { // until Close has begun
		err := e.Update(t.Context(), func(kv.Txn) error { return nil })
		if errors.Is(err, kv.ErrClosed) {
			break
		}
		if err != nil {
			t.Errorf("Update: %v", err)
			break
		}
		runtime.Gosched()
	}
	select {
	case <-closed:
		t.Error("Close returned while a View was running")
	default:
	}
	close(release)
	if err := <-viewed; err != nil {
		t.Errorf("View: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}
