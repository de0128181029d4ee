package replicator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	service     = "s3.amazonaws.com"
	sessionName = "s3-replication" // R5
	// keptAttempts bounds the history in a trace.
	keptAttempts = 20
)

// attempt is one try of one task.
type attempt struct {
	task      store.Task
	started   time.Time
	decisions []*policy.Decision
	source    *store.Bucket // nil until it was found
	writing   bool          // the source has been read
}

func (a *attempt) observe(d *policy.Decision) { a.decisions = append(a.decisions, d) }

// run takes the steps of the task through the doors.
func (r *Replicator) run(ctx context.Context, a *attempt) (err error) {
	defer func() {
		// A panic in a door must not take the workers down; the task stays PENDING.
		if p := recover(); p != nil {
			err = fmt.Errorf("replicator: panic in attempt: %v", p)
			r.cfg.Logger.Error("replication attempt panicked", "task", a.task.ID, "panic", p)
		}
	}()
	t := a.task
	src, err := r.cfg.Queue.Bucket(ctx, t.Bucket)
	if err != nil {
		if failure.CodeOf(err) == "NoSuchBucket" {
			return failure.Newf("SrcBucketNotFound", "the source bucket %s no longer exists", t.Bucket)
		}
		return err
	}
	a.source = src
	caller, err := r.assume(ctx, src, t.Role, a.observe, false)
	if err != nil {
		return err
	}
	switch t.Kind {
	case store.TaskMarker:
		return r.cfg.Objects.PutReplicaMarker(ctx, caller, t)
	case store.TaskTagging:
		return r.cfg.Objects.PutReplicaTags(ctx, caller, t)
	case store.TaskLock:
		return r.cfg.Objects.PutReplicaLock(ctx, caller, t)
	case store.TaskACL:
		return r.cfg.Objects.PutReplicaACL(ctx, caller, t)
	}
	out, err := r.cfg.Objects.OpenForReplication(ctx, caller, t.Bucket, t.Key, t.VersionID)
	if err != nil {
		return err
	}
	defer out.Close()
	a.writing = true
	r.schedule.meters.of(t.Rule.Destination.Bucket).limited(out)
	if err := r.cfg.Objects.PutReplica(ctx, caller, t, out); err != nil {
		return err
	}
	return out.TagsDenied // the untagged replica stands, the version is FAILED (R6)
}

// conclude turns the end of an attempt into a settlement; settle is false when the task
// was postponed instead, or left to its lease because the server is stopping.
func (r *Replicator) conclude(ctx context.Context, a *attempt, err error) (end store.Ended, settle bool, res result) {
	res.task = a.task
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return store.Ended{}, false, res
	}
	o := classify(err)
	now := r.cfg.Clock.Now()
	due := time.Time{}
	if o.status == store.Pending {
		due = now.Add(r.jitter(a.task.Attempt, o.throttled))
	}
	trace := r.trace(ctx, a, o, err, due)
	if r.cfg.OnEnd != nil {
		r.cfg.OnEnd(Ended{Task: a.task, Status: o.status, Reason: o.reason, Throttled: o.throttled, Took: now.Sub(a.started), Lag: now.Sub(a.task.Created)})
	}
	if o.status != store.Pending {
		return store.Ended{Task: a.task, Result: store.Result{Status: o.status, Reason: o.reason, Trace: trace}}, true, res
	}
	res.due, res.faulty = due, true
	if failure.CodeOf(err) == keyThrottled {
		res.faulty, res.refusedBy = false, r.refusedBy(ctx, a)
	}
	if perr := r.cfg.Queue.Postpone(ctx, a.task, due, o.message, o.throttled, trace); perr != nil && !stale(perr) {
		r.cfg.Logger.Error("postpone replication task", "task", a.task.ID, "err", perr)
	}
	r.changed.broadcast()
	return store.Ended{}, false, res
}

// keyThrottled is what KMS answers over its quota.
const keyThrottled = "ThrottlingException"

// refusedBy is the KMS quota that an attempt met: the role's account in the Region of the
// bucket it was at.
func (r *Replicator) refusedBy(ctx context.Context, a *attempt) laneKey {
	k := laneKey{account: a.source.Account, region: a.source.Region}
	if dst, err := r.cfg.Queue.Bucket(ctx, a.task.Rule.Destination.Bucket); err == nil && a.writing {
		k.region = dst.Region
	}
	return k
}

// stale reports that another worker took the task over, or that it is gone.
func stale(err error) bool { return failure.CodeOf(err) == "StaleAttempt" }

// trace is the explanation of this attempt with the history of the ones before it.
func (r *Replicator) trace(ctx context.Context, a *attempt, o outcome, err error, due time.Time) []byte {
	t := a.task
	d := DestinationTrace{
		RuleID: t.Rule.ID, Priority: t.Rule.Priority, Prefix: t.Rule.Prefix, Destination: t.Rule.Destination.Bucket,
		Status: string(o.status), FailureReason: o.reason, Message: o.message,
		Steps: steps(t, a.decisions, err),
	}
	if t.Attempt > 1 {
		if old, terr := r.cfg.Queue.Trace(ctx, t.Bucket, t.Key, t.VersionID); terr == nil {
			var prev DestinationTrace
			if json.Unmarshal(old[d.Destination], &prev) == nil {
				d.Attempts = prev.Attempts
			}
		}
	}
	d.Attempts = append(d.Attempts, Attempt{At: a.started, Outcome: string(o.status), Message: o.message, RetryAfter: due})
	if n := len(d.Attempts); n > keptAttempts {
		d.Attempts = d.Attempts[n-keptAttempts:]
	}
	d.factor()
	b, merr := json.Marshal(d)
	if merr != nil {
		panic("replicator: internal error: trace: " + merr.Error())
	}
	return b
}
