package boltkv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"twinbucket/store/kv"
)

func openMemory(t *testing.T) *Engine {
	t.Helper()
	e, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// awaitQueue returns when n updates wait in the queue.
func (e *Engine) awaitQueue(n int) {
	for {
		e.committer.mu.Lock()
		waiting := len(e.committer.queue)
		e.committer.mu.Unlock()
		if waiting == n {
			return
		}
		runtime.Gosched()
	}
}

// gather makes one group: first runs in an Update that stays inside its function until all the
// others are queued behind it, in their order. It returns their results, the first's first.
func gather(t *testing.T, e *Engine, first func(kv.Txn) error, others ...func(kv.Txn) error) []error {
	t.Helper()
	errs := make([]error, 1+len(others))
	inside := make(chan struct{})
	var wg sync.WaitGroup
	update := func(i int, fn func(kv.Txn) error) {
		wg.Go(func() {
			errs[i] = errors.New("the goroutine ended in Update")
			defer func() {
				if v := recover(); v != nil {
					errs[i] = fmt.Errorf("panic: %v", v)
				}
			}()
			errs[i] = e.Update(t.Context(), fn)
		})
	}
	update(0, func(tx kv.Txn) error {
		close(inside)
		e.awaitQueue(len(others))
		return first(tx)
	})
	<-inside
	for i, fn := range others {
		update(i+1, fn)
		if i+1 < len(others) { // the last one sets them all going
			e.awaitQueue(i + 1)
		}
	}
	wg.Wait()
	return errs
}

func put(key, value string) func(kv.Txn) error {
	return func(tx kv.Txn) error {
		tx.Put([]byte(key), []byte(value))
		return nil
	}
}

// contents returns all pairs as "k=v k=v".
func contents(t *testing.T, e *Engine) string {
	t.Helper()
	var pairs []string
	err := e.View(t.Context(), func(r kv.Reader) error {
		return r.Scan(nil, nil, func(k, v []byte) (bool, error) {
			pairs = append(pairs, string(k)+"="+string(v))
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(pairs, " ")
}

// TestGroup: one commit for all who wait; the ones that fail leave no trace in it, and later
// ones see what earlier ones wrote.
func TestGroup(t *testing.T) {
	e := openMemory(t)
	refused := errors.New("refused")
	before := e.Stats()
	errs := gather(t, e,
		put("a", "1"),
		func(tx kv.Txn) error {
			tx.Put([]byte("a"), []byte("refused"))
			tx.Put([]byte("r"), nil)
			return refused
		},
		func(tx kv.Txn) error {
			v, err := tx.Get([]byte("a"))
			tx.Put([]byte("a"), append([]byte("2 after "), v...))
			return err
		},
		func(tx kv.Txn) error {
			tx.Put([]byte("p"), nil)
			panic("boom")
		},
		func(tx kv.Txn) error {
			for range kv.MaxOps + 1 {
				tx.Put([]byte("l"), nil)
			}
			return nil
		},
		put("z", "3"),
	)
	for i, want := range []error{nil, refused, nil, errAny, kv.ErrTooLarge, nil} {
		if want == errAny {
			if errs[i] == nil || !strings.Contains(errs[i].Error(), "boom") || !strings.Contains(errs[i].Error(), "commit_test.go") {
				t.Errorf("update %d: got %v, want the panic with its stack", i, errs[i])
			}
			continue
		}
		if !errors.Is(errs[i], want) {
			t.Errorf("update %d: got %v, want %v", i, errs[i], want)
		}
	}
	if got, want := contents(t, e), "a=2 after 1 z=3"; got != want {
		t.Errorf("contents: got %q, want %q", got, want)
	}
	after := e.Stats()
	if commits, updates := after.Commits-before.Commits, after.Updates-before.Updates; commits != 1 || updates != 6 {
		t.Errorf("%d commits of %d updates, want 1 of 6", commits, updates)
	}
}

var errAny = errors.New("any error")

func TestGroupIsBounded(t *testing.T) {
	e := openMemory(t)
	var others []func(kv.Txn) error
	for i := range maxGroup + 9 {
		others = append(others, put(fmt.Sprintf("k%04d", i), "v"))
	}
	for i, err := range gather(t, e, put("k", "v"), others...) {
		if err != nil {
			t.Errorf("update %d: %v", i, err)
		}
	}
	if got := e.Stats(); got.Commits != 2 || got.Updates != maxGroup+10 {
		t.Errorf("got %+v, want 2 commits", got)
	}

	big := make([]byte, kv.MaxBytes-1)
	others = nil
	for i := range 10 {
		others = append(others, func(tx kv.Txn) error {
			tx.Put([]byte{byte(i)}, big)
			return nil
		})
	}
	before := e.Stats().Commits
	for i, err := range gather(t, e, others[0], others[1:]...) {
		if err != nil {
			t.Errorf("update %d: %v", i, err)
		}
	}
	if got := e.Stats().Commits - before; got != 2 {
		t.Errorf("10 updates of 1 MiB took %d commits, want 2", got)
	}
}

// TestNothingToCommit: a group that writes nothing does not touch the medium.
func TestNothingToCommit(t *testing.T) {
	e := openMemory(t)
	watch := e.Watch(t.Context(), nil)
	errs := gather(t, e,
		func(kv.Txn) error { return nil },
		func(tx kv.Txn) error {
			_, err := tx.Get([]byte("absent"))
			return err
		},
	)
	if errs[0] != nil || !errors.Is(errs[1], kv.ErrNotFound) {
		t.Errorf("got %v", errs)
	}
	if got := e.Stats(); got.Commits != 0 || len(watch) != 0 {
		t.Errorf("got %+v and %d signals, want no commit", got, len(watch))
	}
}

// TestLeaveQueue: a caller whose context ends while it waits does not wait on.
func TestLeaveQueue(t *testing.T) {
	e := openMemory(t)
	inside, release := make(chan struct{}), make(chan struct{})
	led := make(chan error, 1)
	go func() {
		led <- e.Update(t.Context(), func(tx kv.Txn) error {
			close(inside)
			<-release
			return put("a", "1")(tx)
		})
	}()
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- e.Update(ctx, put("b", "1")) }()
	e.awaitQueue(1)
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	close(release)
	if err := <-led; err != nil {
		t.Error(err)
	}
	if got := contents(t, e); got != "a=1" {
		t.Errorf("contents: got %q", got)
	}
}

// TestCloseAnswersQueue: Close lets the running group finish and refuses those behind it.
func TestCloseAnswersQueue(t *testing.T) {
	e := openMemory(t)
	inside, release := make(chan struct{}), make(chan struct{})
	var others []chan error
	led, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		led <- e.Update(t.Context(), func(tx kv.Txn) error {
			close(inside)
			<-release
			return put("a", "1")(tx)
		})
	}()
	<-inside
	for i := range maxGroup + 3 { // more than fit the running group
		ch := make(chan error, 1)
		others = append(others, ch)
		go func() { ch <- e.Update(t.Context(), put(fmt.Sprint(i), "")) }()
	}
	e.awaitQueue(len(others))
	go func() { closed <- e.Close() }()
	for {
		e.committer.mu.Lock()
		closing := e.committer.closed
		e.committer.mu.Unlock()
		if closing {
			break
		}
		runtime.Gosched()
	}
	close(release)
	if err := <-led; err != nil {
		t.Error(err)
	}
	refused := 0
	for _, ch := range others {
		if err := <-ch; errors.Is(err, kv.ErrClosed) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused != 4 {
		t.Errorf("%d updates refused, want the 4 that did not fit the group", refused)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestGoexit: a function that ends its goroutine takes the group with it, not the engine.
func TestGoexit(t *testing.T) {
	e := openMemory(t)
	errs := gather(t, e,
		put("a", "1"),
		func(tx kv.Txn) error {
			runtime.Goexit()
			return nil
		},
		put("b", "1"),
	)
	// The first led, so its goroutine is the one that ended; the third came after the end and led
	// the next group.
	if errs[0] == nil || !errors.Is(errs[1], errAbandoned) || errs[2] != nil {
		t.Errorf("got %v", errs)
	}
	if got, want := contents(t, e), "b=1"; got != want {
		t.Errorf("contents: got %q, want %q", got, want)
	}
}

// TestFailedCommit: all of the group hear of it, and after anything but a full disk the engine
// writes no more but still reads.
func TestFailedCommit(t *testing.T) {
	var file *os.File
	opts := boltOptions()
	opts.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		var err error
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	db, err := openBolt(filepath.Join(t.TempDir(), FileName), opts)
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(db)
	if _, err := e.layOut(); err != nil {
		t.Fatal(err)
	}
	if err := e.Update(t.Context(), put("a", "1")); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	errs := gather(t, e,
		put("a", "2"),
		func(kv.Txn) error {
			return errors.Join(refused, file.Close()) // the disk fails
		},
	)
	for i, err := range errs {
		if !errors.Is(err, kv.ErrUncertain) || !errors.Is(err, os.ErrClosed) {
			t.Errorf("update %d: got %v, want ErrUncertain and the cause", i, err)
		}
	}
	ran := false
	err = e.Update(t.Context(), func(kv.Txn) error {
		ran = true
		return nil
	})
	if !errors.Is(err, errStopped) || !errors.Is(err, os.ErrClosed) || ran {
		t.Errorf("the next Update: got %v, ran %v; want it refused with the cause", err, ran)
	}
	if got := contents(t, e); got != "a=1" {
		t.Errorf("contents: got %q", got)
	}
	if err := e.Close(); err == nil {
		t.Error("Close of a failed file reported nothing")
	}
}

func TestDiskFull(t *testing.T) {
	for err, want := range map[error]bool{
		&os.PathError{Op: "write", Err: syscall.ENOSPC}: true,
		&os.PathError{Op: "write", Err: syscall.EDQUOT}: true,
		&os.PathError{Op: "write", Err: syscall.EIO}:    false,
	} {
		if got := diskFull(err); got != want {
			t.Errorf("diskFull(%v): got %v, want %v", err, got, want)
		}
	}
}
