package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
	"twinbucket/store"
	"twinbucket/store/kv"
)

// run is one job being worked on.
type run struct {
	engine      *Engine
	account, id string

	signals chan store.Task // settled tasks
	all     chan struct{}   // signals were lost: look at everything
	poke    chan struct{}   // the job's status was changed from outside
}

// signal takes a settled task without blocking.
func (r *run) signal(t store.Task) {
	select {
	case r.signals <- t:
	default:
		notify(r.all)
	}
}

// interrupt makes the run look at its job's status.
func (r *run) interrupt() { notify(r.poke) }

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// work takes the job through its states until there is nothing to do for it. Trouble that
// may pass is waited out.
func (r *run) work(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := r.step(ctx)
		switch {
		case errors.Is(err, errGone) || ctx.Err() != nil:
			return
		case err != nil:
			r.engine.cfg.Logger.Error("batch job", "job", r.id, "err", err)
			timer := r.engine.cfg.Clock.NewTimer(rest)
			select {
			case <-ctx.Done():
			case <-r.poke:
			case <-timer.C:
			}
			timer.Stop()
		case !more:
			return
		}
	}
}

// step does what the job's status asks for.
func (r *run) step(ctx context.Context) (more bool, err error) {
	defer func() {
		// A panic must not take the engine down; the job is tried again later.
		if p := recover(); p != nil {
			more, err = true, fmt.Errorf("batch: panic in job: %v", p)
		}
	}()
	e := r.engine
	j, err := e.load(ctx, r.account, r.id)
	if err != nil {
		return false, err
	}
	switch j.Status {
	case batchjob.New:
		return true, r.move(ctx, batchjob.New, batchjob.Preparing)
	case batchjob.Preparing:
		return true, r.prepare(ctx, j)
	case batchjob.Ready:
		return true, r.change(ctx, batchjob.Ready, func(j *job) {
			j.Status, j.ActiveSince = batchjob.Active, e.cfg.Clock.Now()
		})
	case batchjob.Active:
		return true, r.advance(ctx, j)
	case batchjob.Completing, batchjob.Cancelling, batchjob.Failing:
		return true, r.finish(ctx, j)
	}
	return false, nil
}

// change changes the job if it is still in status from: somebody may have cancelled it.
func (r *run) change(ctx context.Context, from batchjob.Status, fn func(*job)) error {
	_, err := r.engine.update(ctx, r.account, r.id, func(_ kv.Txn, j *job) error {
		if j.Status == from {
			fn(j)
		}
		return nil
	})
	return err
}

func (r *run) move(ctx context.Context, from, to batchjob.Status) error {
	return r.change(ctx, from, func(j *job) { j.Status = to })
}

// passing are refusals that may pass: the step is tried again.
func passing(f *failure.Error) bool {
	switch f.Code {
	case "SlowDown", "ThrottlingException", "InternalError", "ServiceUnavailable", "DependencyTimeoutException", "KMSInternalException":
		return true
	}
	return false
}

// fatal turns an error into the reason why a whole job fails; ok is false for trouble
// that may pass.
func fatal(err error) (reason batchjob.Failure, ok bool) {
	if bad := new(errManifest); errors.As(err, &bad) {
		return batchjob.Failure{Code: "InvalidManifest", Reason: bad.text}, true
	}
	if f := failure.Of(err); f != nil && !passing(f) {
		return batchjob.Failure{Code: string(f.Code), Reason: f.Message}, true
	}
	return batchjob.Failure{}, false
}

func (r *run) prepare(ctx context.Context, j *job) error {
	now := r.engine.cfg.Clock.Now()
	rows, chunks, generated, err := r.engine.prepare(ctx, j)
	if err != nil {
		reason, ok := fatal(err)
		if !ok {
			return err
		}
		return r.change(ctx, batchjob.Preparing, func(j *job) {
			j.Status, j.Failures = batchjob.Failing, append(j.Failures, reason)
		})
	}
	return r.change(ctx, batchjob.Preparing, func(j *job) {
		j.Progress.Total, j.Chunks, j.Generated = rows, chunks, generated
		j.Status = batchjob.Ready
		if j.NeedsConfirmation() {
			j.Status, j.Suspended, j.SuspendedCause = batchjob.Suspended, now, "AwaitingConfirmation"
		}
	})
}

// result is what a row came to.
type result struct {
	row
	Code    string `json:",omitempty"` // failureReason, "" when it succeeded
	Message string `json:",omitempty"`
}

// advance works on the next chunk, or ends the work when there is none.
func (r *run) advance(ctx context.Context, j *job) error {
	e := r.engine
	if j.Next >= j.Chunks {
		return r.stop(ctx, batchjob.Completing, nil)
	}
	var rows []row
	err := e.cfg.Engine.View(ctx, func(kr kv.Reader) error {
		b, err := kr.Get(chunkKey(kindRows, j.ID, j.Next))
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &rows)
	})
	if err != nil {
		return err
	}
	a, err := e.assume(ctx, j)
	if reason, ok := fatal(err); ok {
		return r.stop(ctx, batchjob.Failing, &reason)
	}
	if err != nil {
		return err
	}
	results, err := r.chunk(ctx, a, rows)
	if err != nil {
		return err
	}
	return r.keep(ctx, j.Next, results)
}

// stop ends the active time of a job.
func (r *run) stop(ctx context.Context, to batchjob.Status, reason *batchjob.Failure) error {
	now := r.engine.cfg.Clock.Now()
	return r.change(ctx, batchjob.Active, func(j *job) {
		j.Status = to
		j.rest(now)
		if reason != nil {
			j.Failures = append(j.Failures, *reason)
		}
	})
}

// rest ends the present stretch of work.
func (j *job) rest(now time.Time) {
	if !j.ActiveSince.IsZero() {
		j.Progress.ActiveSeconds += int64(now.Sub(j.ActiveSince).Seconds())
		j.ActiveSince = time.Time{}
	}
}

// Most of a job's objects may not fail once so many have been worked on (B49).
const failureSample = 1000

// keep stores the results of a chunk with the progress they make.
func (r *run) keep(ctx context.Context, chunk int, results []result) error {
	failed := int64(0)
	for i := range results {
		if results[i].Code != "" {
			failed++
		}
	}
	k, v := chunkKey(kindResult, r.id, chunk), encode(results)
	now := r.engine.cfg.Clock.Now()
	_, err := r.engine.update(ctx, r.account, r.id, func(tx kv.Txn, j *job) error {
		if j.Next != chunk {
			return nil
		}
		tx.Put(k, v)
		p := &j.Progress
		j.Next, p.Failed, p.Succeeded = chunk+1, p.Failed+failed, p.Succeeded+int64(len(results))-failed
		if done := p.Failed + p.Succeeded; j.Status == batchjob.Active && done >= failureSample && 2*p.Failed > done {
			j.Status = batchjob.Failing
			j.rest(now)
			j.Failures = append(j.Failures, batchjob.Failure{Code: "FailureRateExceeded", Reason: "More than half of the job's tasks failed."})
		}
		return nil
	})
	return err
}

// finish writes the report and ends the job.
func (r *run) finish(ctx context.Context, j *job) error {
	e := r.engine
	to := map[batchjob.Status]batchjob.Status{
		batchjob.Completing: batchjob.Complete, batchjob.Cancelling: batchjob.Cancelled, batchjob.Failing: batchjob.Failed,
	}[j.Status]
	var reason *batchjob.Failure
	if j.Report.Enabled && j.Next > 0 {
		if err := e.report(ctx, j); err != nil {
			f, ok := fatal(err)
			if !ok {
				return err
			}
			f.Reason = strings.TrimSpace("The completion report could not be written. " + f.Reason)
			to, reason = batchjob.Failed, &f
		}
	}
	now := e.cfg.Clock.Now()
	err := r.change(ctx, j.Status, func(j *job) {
		j.Status, j.Terminated = to, now
		j.rest(now)
		if reason != nil {
			j.Failures = append(j.Failures, *reason)
		}
	})
	return errors.Join(err, e.dropRows(ctx, j.ID))
}
