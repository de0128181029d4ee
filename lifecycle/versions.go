package lifecycle

import (
	"context"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// walker is what is known of the key whose versions are being listed, newest first.
type walker struct {
	key string
	// newer is when the version before the next one was made: since then the next one
	// is noncurrent.
	newer      time.Time
	noncurrent int            // noncurrent versions seen
	marker     *store.Version // a current delete marker with no version behind it so far
}

// see looks at the next version of the listing.
func (r *round) see(ctx context.Context, w *walker, v *store.Version, latest bool) error {
	if w.key != v.Key || latest {
		if err := r.orphan(ctx, w); err != nil {
			return err
		}
		*w = walker{key: v.Key}
	}
	w.marker = nil
	since := w.newer
	w.newer = v.LastModified
	if latest {
		if v.DeleteMarker {
			w.marker = v
			return nil
		}
		return r.current(ctx, v)
	}
	w.noncurrent++
	return r.noncurrent(ctx, v, since, w.noncurrent-1)
}

// orphan removes a delete marker that turned out to be the only version of its key, if a
// rule says so: one about such markers, or one whose days have passed (S184).
func (r *round) orphan(ctx context.Context, w *walker) error {
	v := w.marker
	w.marker = nil
	if v == nil {
		return nil
	}
	for i := range r.bucket.Lifecycle.Rules {
		rule := &r.bucket.Lifecycle.Rules[i]
		at, due := rule.Expires(v)
		due = due && !at.After(r.now)
		if e := rule.Expiration; rule.Enabled && e != nil && e.DeleteMarkers != nil && *e.DeleteMarkers && rule.Matches(v) {
			due = true
		}
		if !due {
			continue
		}
		done, err := r.cfg.Store.ExpireMarker(ctx, v.Bucket, v.Key, v.ID)
		return r.removed(v, rule, done, err)
	}
	return nil
}

// whole loads what a summary lacks if a rule selects by tags. It is nil for a version that
// is gone.
func (r *round) whole(ctx context.Context, v *store.Version) (*store.Version, error) {
	for i := range r.bucket.Lifecycle.Rules {
		if len(r.bucket.Lifecycle.Rules[i].Tags) == 0 {
			continue
		}
		full, err := r.cfg.Store.Version(ctx, v.Bucket, v.Key, v.ID)
		switch failure.CodeOf(err) {
		case "NoSuchKey", "NoSuchVersion":
			return nil, nil
		}
		return full, err
	}
	return v, nil
}

// current applies the rules to a current version: expiration goes before transition (S184).
func (r *round) current(ctx context.Context, v *store.Version) error {
	v, err := r.whole(ctx, v)
	if v == nil || err != nil {
		return err
	}
	if at, rule := r.bucket.Lifecycle.Expires(v); rule != nil && !at.After(r.now) {
		done, err := r.cfg.Store.ExpireCurrent(ctx, v.Bucket, v.Key, v.ID)
		return r.removed(v, rule, done, err)
	}
	var best move
	for i := range r.bucket.Lifecycle.Rules {
		rule := &r.bucket.Lifecycle.Rules[i]
		if !rule.Enabled || !rule.Matches(v) {
			continue
		}
		for _, t := range rule.Transitions {
			at := t.Date
			if t.Days != nil {
				at = store.LifecycleDue(v.LastModified, *t.Days)
			}
			if !at.After(r.now) {
				best.consider(rule, t.Class)
			}
		}
	}
	return r.transition(ctx, v, best, true)
}

// noncurrent applies the rules to a version that was succeeded at since and has newer
// noncurrent versions of its key before it.
func (r *round) noncurrent(ctx context.Context, v *store.Version, since time.Time, newer int) error {
	v, err := r.whole(ctx, v)
	if v == nil || err != nil {
		return err
	}
	var best move
	for i := range r.bucket.Lifecycle.Rules {
		rule := &r.bucket.Lifecycle.Rules[i]
		if !rule.Enabled || !rule.Matches(v) {
			continue
		}
		if n := rule.Noncurrent; n != nil && newer >= n.Newer && !store.LifecycleDue(since, n.Days).After(r.now) {
			done, err := r.cfg.Store.ExpireNoncurrent(ctx, v.Bucket, v.Key, v.ID)
			return r.removed(v, rule, done, err)
		}
		for _, t := range rule.NoncurrentTransitions {
			if newer >= t.Newer && !v.DeleteMarker && !store.LifecycleDue(since, t.Days).After(r.now) {
				best.consider(rule, t.Class)
			}
		}
	}
	return r.transition(ctx, v, best, false)
}

func (r *round) removed(v *store.Version, rule *store.LifecycleRule, done store.Deleted, err error) error {
	switch {
	case err != nil:
		return err
	case done.Removed:
		r.did(Action{Kind: Removed, Rule: rule.ID, Key: v.Key, VersionID: v.ID, Version: v})
	case done.DeleteMarker:
		r.did(Action{Kind: MarkerCreated, Rule: rule.ID, Key: v.Key, VersionID: done.VersionID, Version: v})
	}
	return nil
}

// uploads aborts the multipart uploads whose days have passed.
func (r *round) uploads(ctx context.Context) error {
	keyMarker, uploadMarker := "", ""
	for {
		uploads, truncated, err := r.cfg.Store.Uploads(ctx, r.bucket.Name, "", keyMarker, uploadMarker, page)
		if err != nil {
			return err
		}
		for _, u := range uploads {
			keyMarker, uploadMarker = u.Version.Key, u.ID
			if err := r.upload(ctx, u); err != nil {
				return err
			}
		}
		if !truncated {
			return nil
		}
	}
}

func (r *round) upload(ctx context.Context, u *store.Upload) error {
	for i := range r.bucket.Lifecycle.Rules {
		rule := &r.bucket.Lifecycle.Rules[i]
		due := rule.Enabled && rule.AbortDays != nil && rule.Matches(&u.Version) &&
			!store.LifecycleDue(u.Initiated, *rule.AbortDays).After(r.now)
		if !due {
			continue
		}
		err := r.cfg.Store.AbortUpload(ctx, u)
		if failure.CodeOf(err) == "NoSuchUpload" {
			return nil
		}
		if err == nil {
			r.did(Action{Kind: UploadAborted, Rule: rule.ID, Key: u.Version.Key, VersionID: u.ID})
		}
		return err
	}
	return nil
}
