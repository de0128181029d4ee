package batch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/google/uuid"

	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// Create keeps a new job and returns its id. The same token with the same request is the
// job that is there already; with another request it is IdempotencyException (B42).
func (e *Engine) Create(ctx context.Context, spec batchjob.Job) (string, error) {
	sum := sha256.Sum256(encode(spec))
	id, err := uuid.NewRandomFromReader(e.cfg.Rand)
	if err != nil {
		return "", err
	}
	j := job{Job: spec, Digest: hex.EncodeToString(sum[:])}
	j.ID, j.Created, j.Status = id.String(), e.cfg.Clock.Now(), batchjob.New
	var made string
	err = e.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		old, err := tx.Get(tokenKey(&j.Job))
		if err == nil {
			made, err = repeated(tx, &j, string(old))
			return err
		}
		if !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		made = j.ID
		tx.Put(tokenKey(&j.Job), []byte(j.ID))
		putJob(tx, &j)
		return nil
	})
	e.poke()
	return made, err
}

func repeated(tx kv.Txn, j *job, id string) (string, error) {
	old, err := getJob(tx, j.Account, id)
	if err != nil {
		return "", err
	}
	if old.Digest != j.Digest {
		return "", failure.New("IdempotencyException", "The client request token was used for another job.")
	}
	return id, nil
}

// find loads a job of an account and Region; others don't exist for the caller.
func (e *Engine) find(ctx context.Context, account, region, id string) (*job, error) {
	j, err := e.load(ctx, account, id)
	if err == nil && j.Region != region {
		return nil, errGone
	}
	return j, err
}

// Describe returns a job; NoSuchJob if there is none.
func (e *Engine) Describe(ctx context.Context, account, region, id string) (*batchjob.Job, error) {
	j, err := e.find(ctx, account, region, id)
	if err != nil {
		return nil, err
	}
	if !j.ActiveSince.IsZero() {
		j.Progress.ActiveSeconds += int64(e.cfg.Clock.Now().Sub(j.ActiveSince).Seconds())
	}
	return &j.Job, nil
}

// List returns jobs, the newest first; a token that no List returned is
// InvalidNextTokenException.
func (e *Engine) List(ctx context.Context, q batchjob.Query) (*batchjob.Page, error) {
	all, err := e.jobs(ctx, q.Account, func(j *job) bool { return q.Takes(&j.Job) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b job) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
	if q.Token != "" {
		id, err := base64.RawURLEncoding.DecodeString(q.Token)
		at := slices.IndexFunc(all, func(j job) bool { return j.ID == string(id) })
		if err != nil || at < 0 {
			return nil, failure.New("InvalidNextTokenException", "The token is not one that this operation returned.")
		}
		all = all[at:]
	}
	page := &batchjob.Page{}
	for i := range all {
		if len(page.Jobs) == q.Max {
			page.Next = base64.RawURLEncoding.EncodeToString([]byte(all[i].ID))
			break
		}
		page.Jobs = append(page.Jobs, all[i].Job)
	}
	return page, nil
}

// SetStatus confirms a suspended job (Ready) or cancels one that has not ended
// (Cancelled); everything else is JobStatusException (B43).
func (e *Engine) SetStatus(ctx context.Context, account, region, id string, to batchjob.Status, reason string) (*batchjob.Job, error) {
	if _, err := e.find(ctx, account, region, id); err != nil {
		return nil, err
	}
	j, err := e.update(ctx, account, id, func(_ kv.Txn, j *job) error {
		switch {
		case to == batchjob.Ready && j.Status == batchjob.Suspended:
			j.Status = batchjob.Ready
		case to == batchjob.Cancelled && j.Status.Ending():
			return badStatus(j, to)
		case to == batchjob.Cancelled:
			j.Status = batchjob.Cancelling
		default:
			return badStatus(j, to)
		}
		j.StatusReason = reason
		return nil
	})
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	if r := e.running[id]; r != nil {
		r.interrupt()
	}
	e.mu.Unlock()
	e.poke()
	return &j.Job, nil
}

func badStatus(j *job, to batchjob.Status) error {
	return failure.Newf("JobStatusException", "A job in status %s can't be set to %s.", j.Status, to)
}

// SetPriority changes the priority of a job that has not ended.
func (e *Engine) SetPriority(ctx context.Context, account, region, id string, priority int) (*batchjob.Job, error) {
	if _, err := e.find(ctx, account, region, id); err != nil {
		return nil, err
	}
	j, err := e.update(ctx, account, id, func(_ kv.Txn, j *job) error {
		if j.Status.Ending() {
			return failure.Newf("JobStatusException", "The priority of a job in status %s can't be changed.", j.Status)
		}
		j.Priority = priority
		return nil
	})
	if err != nil {
		return nil, err
	}
	e.poke()
	return &j.Job, nil
}

// SetTags replaces the tags of a job.
func (e *Engine) SetTags(ctx context.Context, account, region, id string, tags []batchjob.Tag) error {
	if _, err := e.find(ctx, account, region, id); err != nil {
		return err
	}
	_, err := e.update(ctx, account, id, func(_ kv.Txn, j *job) error {
		j.Tags = tags
		return nil
	})
	return err
}
