package replicator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/internal/quota"
	"twinbucket/store"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func queueOf(rule string) store.RuleKey {
	return store.RuleKey{Bucket: "src", RuleID: rule, Destination: "dst-" + rule}
}

func taskOf(rule string, n int) store.Task {
	return store.Task{ID: fmt.Sprint(rule, n), Bucket: "src", Rule: store.ReplicationRule{ID: rule, Destination: store.Destination{Bucket: "dst-" + rule}}}
}

// shares is what a plan gives to whom.
func shares(wants []store.Want) map[string]int {
	out := map[string]int{}
	for _, w := range wants {
		out[w.Queue.RuleID] = w.Max
	}
	return out
}

func TestPlanSharesWorkersFairly(t *testing.T) {
	s := newScheduler(8, nil)
	now := start
	plan := func() map[string]int {
		wants, _ := s.plan(now)
		for _, w := range wants {
			s.claimed(w, w.Max, now) // there is always more
		}
		return shares(wants)
	}
	want := func(name string, got, want map[string]int) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	s.due(queueOf("a"), now)
	want("alone", plan(), map[string]int{"a": 8})
	s.due(queueOf("b"), now)
	want("none is free, one is lent", plan(), map[string]int{"b": 1})
	want("nothing more", plan(), map[string]int{})
	for n := range 6 {
		s.ended(result{task: taskOf("a", n)}, now)
	}
	want("the one with fewer comes first", plan(), map[string]int{"a": 2, "b": 3})
	for n := range 8 {
		s.due(queueOf(fmt.Sprint("c", n)), now)
	}
	if got := plan(); len(got) != 8 {
		t.Errorf("each new queue is lent one: got %v", got)
	}
	s.due(queueOf("d"), now)
	want("no more than twice the workers", plan(), map[string]int{})
}

func TestPlanSaysWhenToLookAgain(t *testing.T) {
	s := newScheduler(2, nil)
	if _, alarm := s.plan(start); !alarm.IsZero() {
		t.Errorf("nothing known: alarm %v", alarm)
	}
	s.due(queueOf("a"), start.Add(time.Minute))
	s.due(queueOf("a"), start.Add(time.Hour))
	s.due(queueOf("b"), start.Add(2*time.Minute))
	wants, alarm := s.plan(start)
	if len(wants) != 0 || !alarm.Equal(start.Add(time.Minute)) {
		t.Errorf("got %v, alarm %v", wants, alarm)
	}
	// A queue without anything left is forgotten.
	s.claimed(store.Want{Queue: queueOf("a"), Max: 1}, 0, time.Time{})
	if len(s.groups) != 1 {
		t.Errorf("%d groups are remembered, want 1", len(s.groups))
	}
}

// A destination that fails is asked less and less, by one attempt at a time; one version
// that can't be read slows nothing down.
func TestFailingDestinationIsSlowedDown(t *testing.T) {
	s := newScheduler(8, nil)
	k := queueOf("a")
	s.due(k, start)
	fail := func(n int) *group {
		s.claimed(store.Want{Queue: k, Max: 1}, 1, start)
		s.ended(result{task: taskOf("a", n), faulty: true}, start)
		return s.group(k)
	}
	for range 50 {
		if g := fail(1); g.limit != 8 || !g.until.IsZero() {
			t.Fatalf("one bad version: limit %v, until %v", g.limit, g.until)
		}
	}
	for n := range 50 {
		fail(n + 2)
	}
	if g := s.group(k); g.limit != 1 || g.until.Sub(start) != failingCap {
		t.Errorf("limit %v, until %v", g.limit, g.until)
	}
	if wants, alarm := s.plan(start.Add(time.Second)); len(wants) != 0 || !alarm.Equal(start.Add(failingCap)) {
		t.Errorf("got %v, alarm %v", wants, alarm)
	}
	wants, _ := s.plan(start.Add(failingCap))
	if d := cmp.Diff(map[string]int{"a": 1}, shares(wants)); d != "" {
		t.Error(d)
	}
	for n := range 60 {
		s.claimed(store.Want{Queue: k, Max: 1}, 1, start)
		s.ended(result{task: taskOf("a", n)}, start)
	}
	if g := s.group(k); g.limit != 8 || !g.until.IsZero() {
		t.Errorf("after recovery: limit %v, until %v", g.limit, g.until)
	}
}

// Lanes use what a quota lets through and are refused little, with as many workers as you
// like and others on the same quota.
func TestLaneFollowsTheQuota(t *testing.T) {
	for _, tt := range []struct {
		name         string
		limit        float64 // a second
		others       int     // requests of others a second
		served       float64 // at least this share of what is left
		refusedShare float64 // at most this many refusals for each success
	}{
		{"wide", 500, 0, .85, .05},
		{"shared", 500, 250, .8, .1},
		{"narrow", 10, 0, .7, .35},
		{"one a second", 1, 0, .45, 1.2},
		{"one every two seconds", .5, 0, .3, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var limits quota.Limiter
			if err := limits.Set(quota.Limit{Service: "kms", PerSecond: tt.limit}); err != nil {
				t.Fatal(err)
			}
			l := &lane{}
			served, refused := 0, 0
			const seconds, tick = 120, time.Millisecond
			for i := range seconds * int(time.Second/tick) {
				now := start.Add(time.Duration(i) * tick)
				if tt.others > 0 && i%(1000/tt.others) == 0 {
					limits.Allow(now, "kms", "1", "r", "symmetric")
				}
				n, _ := l.room(now)
				n = min(n, 8)
				l.start(n)
				for range n {
					if limits.Allow(now, "kms", "1", "r", "symmetric") {
						l.succeeded(now)
						served++
					} else {
						l.throttled(now)
						refused++
					}
				}
			}
			left := (tt.limit - float64(tt.others)) * seconds
			t.Logf("%d of %.0f served, %d refused", served, left, refused)
			if float64(served) < tt.served*left {
				t.Errorf("starves: %d of %.0f served", served, left)
			}
			if float64(refused) > tt.refusedShare*float64(served) {
				t.Errorf("hammers: %d refused for %d served", refused, served)
			}
		})
	}
}

// With a quota of nothing a lane only tries now and then; without one it forgets.
func TestLaneExtremes(t *testing.T) {
	l := &lane{}
	tries := 0
	for i := range 600 {
		now := start.Add(time.Duration(i) * time.Second)
		if n, wait := l.room(now); n > 0 {
			tries++
			l.start(1)
			l.throttled(now)
		} else if wait <= 0 {
			t.Fatal("no room and no time to wait for")
		}
	}
	if tries < 30 || tries > 60 {
		t.Errorf("%d tries in ten minutes", tries)
	}
	*l = lane{}
	l.succeeded(start)
	l.throttled(start)
	for i := range 300 { // the quota is raised: nothing is refused any more
		now := start.Add(time.Duration(i) * 100 * time.Millisecond)
		if n, _ := l.room(now); n > 0 {
			l.start(1)
			l.succeeded(now)
		}
	}
	if l.rate < 5 && l.rate != 0 {
		t.Errorf("thirty seconds without a refusal and the rate is %v", l.rate)
	}
}

// hanging answers at once, but for the destinations that hang.
type hanging struct {
	mu   sync.Mutex
	done map[string]int
}

func (h *hanging) put(ctx context.Context, t store.Task) error {
	if t.Rule.ID == "stuck" {
		<-ctx.Done()
		return ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done[t.Rule.ID]++
	return nil
}

// A destination that hangs takes all workers it can get and holds up nobody.
func TestStuckDestinationHoldsUpNobody(t *testing.T) {
	h := &hanging{done: map[string]int{}}
	run(t, h.put, func(t *testing.T, q *queue, r *Replicator) {
		for n := range 100 {
			q.add(taskIn("stuck", n))
		}
		synctest.Wait() // every worker hangs
		for n := range 50 {
			q.add(taskIn("one", n))
			q.add(taskIn("two", n))
		}
		synctest.Wait()
		h.mu.Lock()
		defer h.mu.Unlock()
		if d := cmp.Diff(map[string]int{"one": 50, "two": 50}, h.done); d != "" {
			t.Error(d)
		}
	})
}

func taskIn(rule string, n int) store.Task {
	t := task(n)
	t.ID, t.Key = fmt.Sprint(rule, n), fmt.Sprint(rule, n)
	t.Rule.ID, t.Rule.Destination.Bucket = rule, "dst-"+rule
	return t
}

// A throttled key holds up only what needs it.
func TestThrottledKeyHoldsUpNobody(t *testing.T) {
	var mu sync.Mutex
	tries := map[string]int{}
	run(t, func(_ context.Context, t store.Task) error {
		mu.Lock()
		defer mu.Unlock()
		tries[t.Rule.ID]++
		if t.Rule.ID == "kms" {
			return failure.New("ThrottlingException", "slower")
		}
		return nil
	}, func(t *testing.T, q *queue, r *Replicator) {
		for n := range 1000 {
			q.add(taskIn("kms", n))
		}
		pass(time.Second)
		for n := range 50 {
			q.add(taskIn("plain", n))
		}
		synctest.Wait()
		mu.Lock()
		if tries["plain"] != 50 {
			t.Errorf("%d of 50 were served behind a throttled key", tries["plain"])
		}
		mu.Unlock()
		pass(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if n := tries["kms"]; n < 3 || n > 40 {
			t.Errorf("a quota of nothing was asked %d times in a minute by 8 workers", n)
		}
	})
}

// The bandwidth limit is one of each destination bucket, and one of averages.
func TestBandwidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeters(&clock.Domain{}, 1<<20)
		read := func(bucket string, size int) {
			out := &store.Outgoing{Open: func(context.Context, store.Part) (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(make([]byte, size))), nil
			}}
			m.of(bucket).limited(out)
			r, err := out.Open(t.Context(), store.Part{})
			if err != nil {
				t.Error(err)
				return
			}
			if n, err := io.Copy(io.Discard, r); n != int64(size) || err != nil {
				t.Errorf("read %d, %v", n, err)
			}
		}
		before := time.Now()
		var wg sync.WaitGroup
		for _, bucket := range []string{"a", "a", "b"} {
			wg.Add(1)
			go func() { defer wg.Done(); read(bucket, 5<<20) }() // ends with its reading
		}
		wg.Wait()
		if took := time.Since(before); took < 9800*time.Millisecond || took > 10100*time.Millisecond {
			t.Errorf("10 MiB to one bucket at 1 MiB/s took %v", took)
		}
		if at := m.of("a").free(time.Now()); at.After(time.Now()) {
			t.Errorf("everything is paid for and the next may begin at %v", at)
		}
		read("b", 0)
	})
	var none *meters
	if m := none.of("a"); m != nil || !m.free(start).IsZero() {
		t.Error("no limit is a limit")
	}
}

// Reading ends when the server stops.
func TestBandwidthEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeters(&clock.Domain{}, 1).of("a")
		ctx, cancel := context.WithCancel(t.Context())
		r := &meteredReader{ReadCloser: io.NopCloser(bytes.NewReader(make([]byte, 100))), ctx: ctx, meter: m}
		go func() { pass(time.Second); cancel() }() // ends by itself
		if _, err := io.Copy(io.Discard, r); err != context.Canceled {
			t.Errorf("got %v", err)
		}
	})
}
