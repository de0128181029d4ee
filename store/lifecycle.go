package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// Day is the step of lifecycle rules.
const Day = 24 * time.Hour

// LifecycleDue is when something that began at start and may stay days is due: the first
// midnight UTC at or after the days have passed (S186).
func LifecycleDue(start time.Time, days int) time.Time {
	at := start.Add(time.Duration(days) * Day)
	if midnight := at.Truncate(Day); midnight != at {
		return midnight.Add(Day)
	}
	return at
}

// Matches reports whether the rule's selection covers v, whatever its actions are. A
// delete marker has neither tags nor a size, so only a prefix can select it.
func (r *LifecycleRule) Matches(v *Version) bool {
	if len(v.Key) < len(r.Prefix) || v.Key[:len(r.Prefix)] != r.Prefix {
		return false
	}
	if v.DeleteMarker && (len(r.Tags) > 0 || r.GreaterThan != nil || r.LessThan != nil) {
		return false
	}
	if r.GreaterThan != nil && v.Size <= *r.GreaterThan || r.LessThan != nil && v.Size >= *r.LessThan {
		return false
	}
	for _, t := range r.Tags {
		if !slices.Contains(v.Tags, t) {
			return false
		}
	}
	return true
}

// Expires is when the rule expires v as a current version; false if it does not.
func (r *LifecycleRule) Expires(v *Version) (time.Time, bool) {
	e := r.Expiration
	switch {
	case !r.Enabled || e == nil || !r.Matches(v):
		return time.Time{}, false
	case e.Days > 0:
		return LifecycleDue(v.LastModified, e.Days), true
	case !e.Date.IsZero():
		return e.Date, true
	}
	return time.Time{}, false
}

// Expires is when a current version expires first, with the rule that says so; nil when
// none does.
func (c *LifecycleConfiguration) Expires(v *Version) (at time.Time, by *LifecycleRule) {
	if c == nil {
		return at, nil
	}
	for i := range c.Rules {
		if t, ok := c.Rules[i].Expires(v); ok && (by == nil || t.Before(at)) {
			at, by = t, &c.Rules[i]
		}
	}
	return at, by
}

// The functions below are how lifecycle rules act. Each looks again, in its transaction,
// whether the version is still where the rule found it, and leaves versions alone whose
// replication is PENDING or FAILED (S187) or that Object Lock protects. A zero Deleted
// says that nothing was done.

// ExpireCurrent expires the current version id: it makes a delete marker over it, or
// removes it for good in a bucket without versioning. The marker does not replicate (S187).
func (s *Store) ExpireCurrent(ctx context.Context, bucket, key, id string) (Deleted, error) {
	w := s.newWrite(Version{Bucket: bucket, Key: key, DeleteMarker: true}, Condition{})
	w.local = true
	var done Deleted
	err := s.update(ctx, func(tx kv.Txn, c *change) error {
		done = Deleted{}
		b, err := s.bucketIn(tx, bucket)
		if err != nil {
			return err
		}
		head, err := getHead(tx, bucket, key)
		if err != nil || !head.live() || head.pos.id() != id || head.replicating() {
			return err
		}
		if b.Versioning == Unversioned {
			done = Deleted{Removed: true, VersionID: id}
			tx.Delete(headKey(bucket, key))
			return dropVersion(tx, c, bucket, key, head.rec)
		}
		w.v.Owner = b.Account
		marker, err := s.place(tx, c, w)
		if err == nil {
			done = Deleted{VersionID: marker.ID, DeleteMarker: true}
		}
		return err
	})
	if err != nil {
		return Deleted{}, failed(err)
	}
	return done, nil
}

// ExpireNoncurrent removes version id for good unless it has become the current one.
func (s *Store) ExpireNoncurrent(ctx context.Context, bucket, key, id string) (Deleted, error) {
	return s.expire(ctx, bucket, key, id, func(r *removal, l *located) bool { return !l.current })
}

// ExpireMarker removes the delete marker id if it is the key's only version.
func (s *Store) ExpireMarker(ctx context.Context, bucket, key, id string) (Deleted, error) {
	return s.expire(ctx, bucket, key, id, func(r *removal, l *located) bool {
		return l.current && l.marker() && r.current && r.successor == nil
	})
}

// expire removes a version that fits, as removeVersion does.
func (s *Store) expire(ctx context.Context, bucket, key, id string, fits func(*removal, *located) bool) (done Deleted, err error) {
	for range maxRetries {
		var r removal
		if r, err = s.planRemoval(ctx, bucket, key, id); err != nil {
			return Deleted{}, failed(err)
		}
		err = s.update(ctx, func(tx kv.Txn, c *change) error {
			done = Deleted{}
			loc, err := locate(tx, bucket, key, id)
			if failure.CodeOf(err) == "NoSuchVersion" {
				return nil
			}
			if err != nil || loc.replicating() || !fits(&r, &loc) {
				return err
			}
			done = Deleted{VersionID: id}
			return s.remove(tx, c, &r, Condition{}, &done)
		})
		if !errors.Is(err, errRetry) {
			break
		}
	}
	if isLocked(err) {
		return Deleted{}, nil
	}
	if err != nil {
		return Deleted{}, failed(err)
	}
	return done, nil
}

// isLocked tells the refusal to remove what Object Lock protects.
func isLocked(err error) bool { return failure.CodeOf(err) == "AccessDenied" }

// replicating reports whether a destination of the version is pending or failed.
func (h versionHead) replicating() bool { return h.flags&(flagPending|flagFailed) != 0 }

// Transition moves version id to another storage class, if it is current or not as the
// caller saw it. It reports whether it did; the change does not replicate (S187).
func (s *Store) Transition(ctx context.Context, bucket, key, id, class string, current bool) (done bool, err error) {
	err = s.update(ctx, func(tx kv.Txn, c *change) error {
		done = false
		_, v, loc, err := s.versionForChange(tx, bucket, key, id)
		switch failure.CodeOf(err) {
		case "NoSuchVersion", "NoSuchKey", "MethodNotAllowed":
			return nil
		}
		if err != nil || loc.current != current || loc.replicating() || v.StorageClass == class {
			return err
		}
		v.StorageClass, done = class, true
		return loc.rewrite(tx, v)
	})
	return done && err == nil, failed(err)
}
