package batch

import (
	"context"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// doing is one row of a chunk under way.
type doing struct {
	result
	version string // id
	waits   map[string]bool
}

// checkEvery is how often, in domain time, all rows under way are looked at: versions
// that are removed while they wait announce nothing.
const checkEvery = 2 * time.Second

// chunk starts the replication of rows and waits for its end.
func (r *run) chunk(ctx context.Context, a *actor, rows []row) ([]result, error) {
	out := make([]doing, len(rows))
	open := map[int]bool{}
	for i, o := range rows {
		out[i].row = o
		if err := r.begin(ctx, a, &out[i]); err != nil {
			return nil, err
		}
		if len(out[i].waits) > 0 {
			open[i] = true
		}
	}
	for len(open) > 0 {
		timer := r.engine.cfg.Clock.NewTimer(checkEvery)
		look := func(int) bool { return true }
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case t := <-r.signals:
			look = func(i int) bool { return rows[i].Key == t.Key && rows[i].Bucket == t.Bucket }
		case <-r.poke:
			// A cancelled job waits for nobody: what is queued is completed without it.
			if stopped, err := r.stopped(ctx); err != nil || stopped {
				timer.Stop()
				return ended(out, open), err
			}
		case <-r.all:
		case <-timer.C:
		}
		timer.Stop()
		for i := range open {
			if !look(i) {
				continue
			}
			if err := r.check(ctx, &out[i]); err != nil {
				return nil, err
			}
			if len(out[i].waits) == 0 {
				delete(open, i)
			}
		}
	}
	return ended(out, nil), nil
}

// ended are the results of the rows that are not open.
func ended(out []doing, open map[int]bool) []result {
	results := make([]result, 0, len(out))
	for i := range out {
		if !open[i] {
			results = append(results, out[i].result)
		}
	}
	return results
}

// stopped reports whether the job was cancelled.
func (r *run) stopped(ctx context.Context) (bool, error) {
	j, err := r.engine.load(ctx, r.account, r.id)
	if err != nil {
		return false, err
	}
	return j.Status.Ending(), nil
}

// begin checks a row and queues its tasks. What is wrong with the row is its result.
func (r *run) begin(ctx context.Context, a *actor, d *doing) error {
	tasks, err := r.start(ctx, a, d)
	if f := failure.Of(err); f != nil && !passing(f) {
		d.Code, d.Message = string(f.Code), f.Message
		return nil
	}
	if err != nil {
		return err
	}
	d.waits = make(map[string]bool, len(tasks))
	for i := range tasks {
		d.version = tasks[i].VersionID
		d.waits[tasks[i].Rule.Destination.Bucket] = true
	}
	return r.check(ctx, d)
}

func (r *run) start(ctx context.Context, a *actor, d *doing) ([]store.Task, error) {
	if err := a.mayStart(ctx, d.row); err != nil {
		return nil, err
	}
	b, err := r.engine.cfg.Versions.Bucket(ctx, d.Bucket)
	if failure.CodeOf(err) == "NoSuchBucket" {
		return nil, failure.Newf("SrcBucketNotFound", "the source bucket %s does not exist", d.Bucket)
	}
	if err != nil {
		return nil, err
	}
	if b.Region != a.job.Region {
		return nil, failure.Newf("SrcBucketInvalidRegion", "the source bucket is in Region %s, the job in %s", b.Region, a.job.Region)
	}
	return r.engine.cfg.Versions.StartReplication(ctx, d.Bucket, d.Key, d.VersionID, a.job.ID)
}

// check looks at what has become of a row's version; the version is the authority.
func (r *run) check(ctx context.Context, d *doing) error {
	v, err := r.engine.cfg.Versions.Version(ctx, d.Bucket, d.Key, d.version)
	switch failure.CodeOf(err) {
	case "NoSuchKey", "NoSuchVersion", "NoSuchBucket":
		d.waits, d.Code, d.Message = nil, "SrcVersionNotFound", "the source version was deleted while it was being replicated"
		return nil
	}
	if err != nil {
		return err
	}
	for i := range v.Destinations {
		to := &v.Destinations[i]
		if !d.waits[to.Bucket] || to.Status == store.Pending {
			continue
		}
		delete(d.waits, to.Bucket)
		if to.Status == store.Failed && d.Code == "" {
			d.Code, d.Message = to.Reason, "replication to "+to.Bucket+" failed"
		}
	}
	return nil
}
