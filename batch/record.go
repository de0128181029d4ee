package batch

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// job is a Job as it is kept.
type job struct {
	batchjob.Job
	// Digest is of the request, to tell a repetition from another with the same token.
	Digest string
	// Chunks is how many chunks of rows there are, Next the one to go on with.
	Chunks, Next int
	// ActiveSince is when the present stretch of work began.
	ActiveSince time.Time `json:",omitzero"`
}

// Every key of this package begins with these bytes and one kind byte.
const namespace = "b/"

const (
	kindJob    = 'j' // account / id: job
	kindToken  = 'i' // account / Region / client request token: id
	kindRows   = 'm' // id / chunk: []row
	kindResult = 'r' // id / chunk: []result
)

func key(kind byte, parts ...string) []byte {
	b := append([]byte(namespace), kind)
	for i, p := range parts {
		if i > 0 {
			b = append(b, '/')
		}
		b = append(b, p...)
	}
	return b
}

func jobKey(account, id string) []byte { return key(kindJob, account, id) }

func tokenKey(j *batchjob.Job) []byte { return key(kindToken, j.Account, j.Region, j.Token) }

func chunkKey(kind byte, id string, chunk int) []byte {
	return binary.BigEndian.AppendUint64(append(key(kind, id), '/'), uint64(chunk))
}

// errGone: the job was removed while it was worked on.
var errGone = failure.New("NoSuchJob", "")

func getJob(g interface{ Get([]byte) ([]byte, error) }, account, id string) (*job, error) {
	b, err := g.Get(jobKey(account, id))
	if errors.Is(err, kv.ErrNotFound) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	j := new(job)
	if err := json.Unmarshal(b, j); err != nil {
		return nil, fmt.Errorf("batch: damaged record of job %s: %w", id, err)
	}
	return j, nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("batch: internal error: record: " + err.Error())
	}
	return b
}

func putJob(tx kv.Txn, j *job) { tx.Put(jobKey(j.Account, j.ID), encode(j)) }

// update changes a job in one transaction. fn may run twice; its error aborts.
func (e *Engine) update(ctx context.Context, account, id string, fn func(tx kv.Txn, j *job) error) (*job, error) {
	var out *job
	err := e.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		j, err := getJob(tx, account, id)
		if err != nil {
			return err
		}
		if err := fn(tx, j); err != nil {
			return err
		}
		putJob(tx, j)
		out = j
		return nil
	})
	return out, err
}

func (e *Engine) load(ctx context.Context, account, id string) (j *job, err error) {
	err = e.cfg.Engine.View(ctx, func(r kv.Reader) error {
		j, err = getJob(r, account, id)
		return err
	})
	return j, err
}

// jobs lists the jobs of account ("" all) that match.
func (e *Engine) jobs(ctx context.Context, account string, match func(*job) bool) (out []job, err error) {
	prefix := key(kindJob)
	if account != "" {
		prefix = key(kindJob, account, "")
	}
	err = e.cfg.Engine.View(ctx, func(r kv.Reader) error {
		out = nil
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(k, v []byte) (bool, error) {
			var j job
			if err := json.Unmarshal(v, &j); err != nil {
				return false, fmt.Errorf("batch: damaged record %q: %w", k, err)
			}
			if match(&j) {
				out = append(out, j)
			}
			return true, nil
		})
	})
	return out, err
}

func (e *Engine) unfinished(ctx context.Context) ([]job, error) {
	return e.jobs(ctx, "", func(j *job) bool { return !j.Status.Ended() })
}

// Ages at which jobs end by themselves or are forgotten (B41).
const (
	suspendedLife = 30 * 24 * time.Hour
	endedLife     = 90 * 24 * time.Hour
)

// expire ends and forgets jobs by their age.
func (e *Engine) expire(ctx context.Context) error {
	now := e.cfg.Clock.Now()
	old, err := e.jobs(ctx, "", func(j *job) bool {
		return j.Status == batchjob.Suspended && now.Sub(j.Suspended) >= suspendedLife || j.Status.Ended() && now.Sub(j.Terminated) >= endedLife
	})
	for i := range old {
		j := &old[i]
		if j.Status.Ended() {
			err = errors.Join(err, e.forget(ctx, j))
			continue
		}
		_, uerr := e.update(ctx, j.Account, j.ID, func(_ kv.Txn, j *job) error {
			if j.Status == batchjob.Suspended {
				j.Status, j.Terminated = batchjob.Failed, now
				j.Failures = append(j.Failures, batchjob.Failure{Code: "JobExpired", Reason: "The job was not confirmed within 30 days."})
			}
			return nil
		})
		err = errors.Join(err, uerr, e.dropRows(ctx, j.ID))
	}
	return err
}

// forget removes a job with everything that belongs to it.
func (e *Engine) forget(ctx context.Context, j *job) error {
	err := e.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		tx.Delete(jobKey(j.Account, j.ID))
		tx.Delete(tokenKey(&j.Job))
		return nil
	})
	return errors.Join(err, e.dropRows(ctx, j.ID))
}

// dropRows removes rows and results of a job.
func (e *Engine) dropRows(ctx context.Context, id string) error {
	for _, kind := range []byte{kindRows, kindResult} {
		prefix := append(key(kind, id), '/')
		for {
			keys, err := e.some(ctx, prefix)
			if err != nil || len(keys) == 0 {
				if err != nil {
					return err
				}
				break
			}
			err = e.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
				for _, k := range keys {
					tx.Delete(k)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// some returns as many keys under a prefix as one transaction can remove.
func (e *Engine) some(ctx context.Context, prefix []byte) (keys [][]byte, err error) {
	err = e.cfg.Engine.View(ctx, func(r kv.Reader) error {
		keys = nil
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(k, _ []byte) (bool, error) {
			keys = append(keys, slices.Clone(k))
			return len(keys) < kv.MaxOps, nil
		})
	})
	return keys, err
}

// Reset forgets the jobs of account, or all of them when account is "". Jobs under way
// find out and stop.
func (e *Engine) Reset(ctx context.Context, account string) error {
	all, err := e.jobs(ctx, account, func(*job) bool { return true })
	for i := range all {
		err = errors.Join(err, e.forget(ctx, &all[i]))
	}
	return err
}
