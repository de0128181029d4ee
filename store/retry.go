package store

import (
	"context"
	"slices"

	"twinbucket/store/kv"
)

// retryPage is how many failed versions are looked up before they are put back.
const retryPage = 256

// versionName names a version.
type versionName struct{ bucket, key, id string }

// Retry puts versions whose status towards a destination is FAILED back to PENDING
// with new tasks under the configuration now in force. bucket "" means all buckets;
// key "" all keys, versionID "" all versions. It returns how many tasks it made. A
// destination for which the configuration has no rule any more stays FAILED.
func (s *Store) Retry(ctx context.Context, bucket, key, versionID string) (made int, err error) {
	names := []string{bucket}
	if bucket == "" {
		all, err := s.Buckets(ctx, "")
		if err != nil {
			return 0, err
		}
		names = names[:0]
		for _, b := range all {
			names = append(names, b.Name)
		}
	} else if _, err := s.Bucket(ctx, bucket); err != nil {
		return 0, err
	}
	for _, name := range names {
		for _, k := range []kind{kindHead, kindVersion} {
			n, err := s.retryKind(ctx, k, name, key, versionID)
			made += n
			if err != nil {
				return made, failed(err)
			}
		}
	}
	return made, nil
}

// retryKind puts back what has failed among the current or the other versions of a bucket.
func (s *Store) retryKind(ctx context.Context, k kind, bucket, key, versionID string) (made int, err error) {
	start := inBucket(k, bucket)
	end := kv.PrefixEnd(start)
	switch {
	case key != "" && k == kindHead:
		start = headKey(bucket, key)
		end = append(slices.Clone(start), 0)
	case key != "":
		start = inObject(k, bucket, key, 0)
		end = kv.PrefixEnd(start)
	}
	for start != nil {
		var found []versionName
		found, start, err = s.failedVersions(ctx, k, bucket, start, end)
		if err != nil {
			return made, err
		}
		for _, name := range found {
			if versionID != "" && name.id != versionID {
				continue
			}
			n, err := s.retryVersion(ctx, name)
			made += n
			if err != nil {
				return made, err
			}
		}
	}
	return made, nil
}

// failedVersions finds a page of versions with a failed destination, by the flag in
// the fixed head of their records, and where to go on (nil: nowhere).
func (s *Store) failedVersions(ctx context.Context, k kind, bucket string, start, end []byte) (found []versionName, next []byte, err error) {
	prefix := len(inBucket(k, bucket))
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(start, end, func(key, rec []byte) (bool, error) {
			if len(found) == retryPage {
				next = slices.Clone(key)
				return false, nil
			}
			object := string(key[prefix:])
			if k == kindHead {
				rec = rec[min(headPrefix, len(rec)):]
			} else {
				var ok bool
				if object, _, ok = cutComponent(key[prefix:]); !ok {
					return false, errRecord
				}
			}
			h, err := readHead(rec)
			if err == nil && h.flags&flagFailed != 0 {
				found = append(found, versionName{bucket, object, h.pos.id()})
			}
			return true, err
		})
	})
	return found, next, err
}

// retryVersion puts one version back.
func (s *Store) retryVersion(ctx context.Context, name versionName) (made int, err error) {
	now := s.cfg.Clock.Now()
	var random [12]byte
	s.random(random[:])
	err = s.update(ctx, func(tx kv.Txn, c *change) error {
		made = 0
		b, err := s.bucketIn(tx, name.bucket)
		if err != nil || b.Replication == nil || b.Versioning != VersioningEnabled {
			return ignoreMissing(err)
		}
		loc, err := locate(tx, name.bucket, name.key, name.id)
		if err != nil {
			return ignoreMissing(err)
		}
		v, _, err := decodeVersion(name.bucket, name.key, loc.rec)
		if err != nil {
			return err
		}
		kind := TaskObject
		switch {
		case v.DeleteMarker:
			kind = TaskMarker
		case v.IsReplica:
			kind = TaskTagging
		}
		for i := range v.Destinations {
			d := &v.Destinations[i]
			if d.Status != Failed {
				continue
			}
			rule, ok := b.Replication.ruleFor(v, d)
			if !ok {
				continue
			}
			c.added = append(c.added, makeTask(random, len(c.added), now, b.Replication.Role, v, rule, kind))
			*d = DestinationStatus{RuleID: rule.ID, Bucket: d.Bucket, Status: Pending, Updated: now}
		}
		made = len(c.added)
		if made == 0 {
			return nil
		}
		pending, err := getPending(tx, ofVersion(kindPending, name.bucket, name.key, name.id))
		if err != nil {
			return err
		}
		if err := putTasks(tx, v, pending, c.added); err != nil {
			return err
		}
		return loc.rewrite(tx, v)
	})
	return made, err
}
