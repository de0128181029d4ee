package replicator

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want outcome
	}{
		{"done", nil, outcome{status: store.Completed}},
		{"denied", failure.New("DstPutObjectNotPermitted", "no"), outcome{status: store.Failed, reason: "DstPutObjectNotPermitted", message: "no"}},
		{"key gone", failure.New("DstKmsKeyNotFound", "gone"), outcome{status: store.Failed, reason: "DstKmsKeyNotFound", message: "gone"}},
		{"throttled", failure.New("ThrottlingException", "slower"), outcome{status: store.Pending, throttled: true, message: "slower"}},
		{"internal", failure.New("InternalError", "oops"), outcome{status: store.Pending, message: "oops"}},
		{"uncertain", errors.New("disk"), outcome{status: store.Pending, message: "disk"}},
		{"version deleted meanwhile", failure.New("NoSuchVersion", "gone"), outcome{message: "gone"}},
	} {
		if got := classify(tt.err); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for attempt := 1; attempt < 100; attempt++ {
		for _, throttled := range []bool{false, true} {
			limit := backoffCap
			if throttled {
				limit = backoffThrottledCap
			}
			full := limit
			if attempt < 20 {
				full = min(backoffBase<<(attempt-1), limit)
			}
			if d := backoff(attempt, throttled, rng); d < full/2 || d > full {
				t.Fatalf("attempt %d, throttled %v: %v is not within [%v, %v]", attempt, throttled, d, full/2, full)
			}
		}
	}
}

// run opens a replicator over real goroutines in a bubble and closes it at the end.
func run(t *testing.T, put func(context.Context, store.Task) error, test func(*testing.T, *queue, *Replicator)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(&clock.Domain{})
		r := newReplicator(q, put)
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, q, r)
		for range 2 {
			if err := r.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func ok(context.Context, store.Task) error { return nil }

func TestCompletesEverythingAndWaitReturns(t *testing.T) {
	run(t, ok, func(t *testing.T, q *queue, r *Replicator) {
		for n := range 100 {
			q.add(task(n))
		}
		if err := r.Wait(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if len(q.settled) != 100 {
			t.Errorf("%d settled, want 100", len(q.settled))
		}
		for _, e := range q.settled {
			if e.Result.Status != store.Completed {
				t.Errorf("%s ended %q", e.Task.ID, e.Result.Status)
			}
		}
	})
}

func TestThrottledStaysPendingUntilNudged(t *testing.T) {
	var open atomic.Bool
	run(t, func(context.Context, store.Task) error {
		if !open.Load() {
			return failure.New("ThrottlingException", "slower")
		}
		return nil
	}, func(t *testing.T, q *queue, r *Replicator) {
		q.add(task(1))
		synctest.Wait()
		if v, _ := q.Version(t.Context(), "src", "k1", ""); v.ReplicationStatus() != store.Pending {
			t.Fatalf("status %q while throttled, want PENDING", v.ReplicationStatus())
		}
		pass(time.Minute) // the bubble's time: several retries, all refused
		open.Store(true)
		before := time.Now()
		if err := r.Nudge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Wait(t.Context(), "src"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took > waitLook {
			t.Errorf("a nudged task took %v: it waited out its backoff", took)
		}
		if n := q.settled[0].Task.Attempt; n < 3 {
			t.Errorf("only %d attempts in a minute of throttling", n)
		}
	})
}

func TestDeniedFailsOnceAndForAll(t *testing.T) {
	run(t, func(context.Context, store.Task) error { return failure.New("DstPutObjectNotPermitted", "no") }, func(t *testing.T, q *queue, r *Replicator) {
		q.add(task(1))
		if err := r.Wait(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if diff := cmp.Diff([]string{"t1"}, q.order); diff != "" {
			t.Errorf("attempts: %s", diff)
		}
		if got := q.settled[0].Result; got.Status != store.Failed || got.Reason != "DstPutObjectNotPermitted" {
			t.Errorf("result %+v", got)
		}
	})
}

func TestPausedWorkersDoNothingAndStepAdvances(t *testing.T) {
	run(t, ok, func(t *testing.T, q *queue, r *Replicator) {
		r.Pause()
		synctest.Wait()
		q.add(task(1))
		q.add(task(2))
		pass(time.Minute)
		if len(q.settled) != 0 {
			t.Fatal("held workers settled something")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Wait(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait returned %v while two tasks wait", err)
		}
		if n, err := r.Step(t.Context(), 1); n != 1 || err != nil {
			t.Errorf("Step(1) = %d, %v", n, err)
		}
		if len(q.settled) != 1 {
			t.Errorf("%d settled after one step", len(q.settled))
		}
		r.Resume()
		if err := r.Wait(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	})
}

// A long attempt keeps its lease: nobody else begins the same copy.
func TestLongAttemptKeepsItsLease(t *testing.T) {
	run(t, func(context.Context, store.Task) error { pass(10 * time.Minute); return nil }, func(t *testing.T, q *queue, r *Replicator) {
		q.add(task(1))
		if err := r.Wait(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"t1"}, q.order); diff != "" {
			t.Errorf("attempts: %s", diff)
		}
	})
}

// A worker that lost its lease (the clock was advanced past it) must not overwrite
// what the next one did.
func TestStaleAttemptIsFenced(t *testing.T) {
	var first atomic.Bool
	var release chan struct{} // made in the bubble: time stands still for channels from outside
	run(t, func(context.Context, store.Task) error {
		if first.CompareAndSwap(false, true) {
			<-release
			return failure.New("DstPutObjectNotPermitted", "late verdict")
		}
		return nil
	}, func(t *testing.T, q *queue, r *Replicator) {
		release = make(chan struct{})
		q.add(task(1))
		synctest.Wait()
		q.mu.Lock() // the lease ends without a renewal
		lost := q.tasks["t1"]
		lost.Due = q.clock.Now()
		q.tasks["t1"] = lost
		q.signal()
		q.mu.Unlock()
		synctest.Wait()
		close(release)
		synctest.Wait()
		if v, _ := q.Version(t.Context(), "src", "k1", ""); v.ReplicationStatus() != store.Completed {
			t.Errorf("status %q, want COMPLETED: the late verdict won", v.ReplicationStatus())
		}
		if len(q.settled) != 1 {
			t.Errorf("%d settlements, want 1", len(q.settled))
		}
	})
}

func TestOpenMakesLeftOverTasksDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(&clock.Domain{})
		q.add(task(1))
		if _, _, err := q.Claim(t.Context(), 1, time.Hour); err != nil { // by a process that died
			t.Fatal(err)
		}
		r := newReplicator(q, ok)
		before := time.Now()
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Wait(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took > waitLook {
			t.Errorf("the task waited %v for its old lease to end", took)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPanicInADoorLeavesTheTaskPending(t *testing.T) {
	var calls atomic.Int32
	run(t, func(context.Context, store.Task) error {
		if calls.Add(1) == 1 {
			panic("door")
		}
		return nil
	}, func(t *testing.T, q *queue, r *Replicator) {
		q.add(task(1))
		if err := r.Wait(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if q.settled[0].Result.Status != store.Completed || q.settled[0].Task.Attempt != 2 {
			t.Errorf("settled %+v", q.settled[0].Result)
		}
	})
}

func TestCloseBreaksOffAttempts(t *testing.T) {
	var once sync.Once
	var entered chan struct{}
	run(t, func(ctx context.Context, _ store.Task) error {
		once.Do(func() { close(entered) })
		<-ctx.Done()
		return ctx.Err()
	}, func(t *testing.T, q *queue, r *Replicator) {
		entered = make(chan struct{})
		q.add(task(1))
		<-entered
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(q.settled) != 0 || len(q.tasks) != 1 {
			t.Error("a broken-off attempt must leave its task in the queue")
		}
	})
}

func TestExplainTellsStepsAttemptsAndFix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(&clock.Domain{})
		denied := &policy.Decision{Outcome: policy.ImplicitDeny, Action: "kms:Encrypt", Resource: "arn:aws:kms:us-west-2:444455556666:key/k", ResourceAccount: "444455556666",
			Principal: policy.Principal{Type: policy.AssumedRole, Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/crr/s3-replication", RoleARN: "arn:aws:iam::111122223333:role/crr"},
			DecidedBy: policy.Reference{Type: policy.Resource}}
		tries := 0
		var observe func(*policy.Decision)
		r := New(Config{Queue: q, Clock: q.clock, Workers: 1, Seed: 1, Logger: newReplicator(q, ok).cfg.Logger, Roles: roles{observe: &observe}, Objects: &observing{denied: denied, tries: &tries, observe: &observe}})
		q.add(task(1))
		for range 2 {
			if _, err := r.Step(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			pass(time.Minute)
		}
		e, err := r.Explain(t.Context(), "src", "k1", "")
		if err != nil {
			t.Fatal(err)
		}
		d := e.Destinations[0]
		if e.Status != "FAILED" || d.FailureReason != "DstPutObjectNotPermitted" {
			t.Errorf("status %s, reason %s", e.Status, d.FailureReason)
		}
		if len(d.Attempts) != 2 || d.Attempts[0].Outcome != "PENDING" || d.Attempts[0].RetryAfter.IsZero() || d.Attempts[1].Outcome != "FAILED" {
			t.Errorf("attempts %+v", d.Attempts)
		}
		var got []string
		for _, s := range d.Steps {
			if s.Outcome != StepNotReached && s.Outcome != StepNotNeeded {
				got = append(got, s.Action+" "+s.Outcome)
			}
		}
		if diff := cmp.Diff([]string{"sts:AssumeRole allowed", "kms:Encrypt denied"}, got); diff != "" {
			t.Error(diff)
		}
		for _, s := range d.Steps {
			if s.Outcome != StepDenied {
				continue
			}
			if s.Fix == nil || s.Fix.Document != "key policy of arn:aws:kms:us-west-2:444455556666:key/k" || !json.Valid(s.Fix.Statement) {
				t.Errorf("fix %+v", s.Fix)
			}
		}
	})
}

// observing is throttled on the first try and denied on the second.
type observing struct {
	objects
	denied  *policy.Decision
	tries   *int
	observe *func(*policy.Decision)
}

func (o *observing) PutReplica(context.Context, iamsim.Caller, store.Task, *store.Outgoing) error {
	*o.tries++
	if *o.tries == 1 {
		return failure.New("ThrottlingException", "slower")
	}
	(*o.observe)(o.denied)
	return &failure.Error{Code: "DstPutObjectNotPermitted", Message: "denied", Decision: o.denied}
}
