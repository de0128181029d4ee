package store

import (
	"context"
	"slices"
	"time"

	"twinbucket/store/kv"
)

// SetTags replaces the tags of a version (id "" is the current one). A version that
// was replicated (or failed) gets Pending destinations and tagging tasks again, under
// the configuration now in force (D57). Towards a destination that failed the whole
// version is due again, which heals it once the cause is repaired. A replica's tags go
// back the same way if they changed and the rule has ReplicaModifications Enabled (D51).
// A delete marker is MethodNotAllowed.
func (s *Store) SetTags(ctx context.Context, bucket, key, id string, tags []Tag) (*Version, error) {
	return s.setTags(ctx, bucket, key, id, tags, true)
}

// SetReplicaTags is SetTags as replication does it: nothing is queued, so two buckets
// that replicate to each other don't send the same change back and forth.
func (s *Store) SetReplicaTags(ctx context.Context, bucket, key, id string, tags []Tag) (*Version, error) {
	return s.setTags(ctx, bucket, key, id, tags, false)
}

func (s *Store) setTags(ctx context.Context, bucket, key, id string, tags []Tag, replicate bool) (*Version, error) {
	tags = sortTags(tags)
	now := s.cfg.Clock.Now()
	var random [12]byte
	s.random(random[:])
	var stored *Version
	err := s.update(ctx, func(tx kv.Txn, c *change) error {
		b, err := s.bucketIn(tx, bucket)
		if err != nil {
			return err
		}
		loc, err := locate(tx, bucket, key, id)
		if err != nil {
			return err
		}
		if loc.marker() {
			return methodNotAllowed()
		}
		v, err := loadVersion(tx, bucket, key, loc.rec)
		if err != nil {
			return err
		}
		changed := !slices.Equal(v.Tags, tags)
		v.Tags = tags
		if replicate && (changed || !v.IsReplica) {
			if err := retag(tx, c, b, v, now, random); err != nil {
				return err
			}
		}
		stored = v
		return loc.rewrite(tx, v)
	})
	if err != nil {
		return nil, failed(err)
	}
	return stored, nil
}

// retag queues a change of tags of v.
func retag(tx kv.Txn, c *change, b *Bucket, v *Version, now time.Time, random [12]byte) error {
	if b.Replication == nil || b.Versioning != VersioningEnabled {
		return nil
	}
	if v.IsReplica {
		b.Replication.addReturnPaths(v)
	}
	pending, err := getPending(tx, ofVersion(kindPending, v.Bucket, v.Key, v.ID))
	if err != nil {
		return err
	}
	var tasks []Task
	for i := range v.Destinations {
		d := &v.Destinations[i]
		if d.Status == Pending {
			if err := markAgain(tx, pending, d.Bucket); err != nil {
				return err
			}
			continue
		}
		rule, ok := b.Replication.ruleFor(v, d)
		if !ok {
			continue
		}
		kind := TaskTagging
		if d.Status == Failed && !v.IsReplica {
			kind = TaskObject
		}
		tasks = append(tasks, makeTask(random, len(tasks), now, b.Replication.Role, v, rule, kind))
		*d = DestinationStatus{RuleID: rule.ID, Bucket: d.Bucket, Status: Pending, Updated: now}
	}
	c.added = append(c.added, tasks...)
	return putTasks(tx, v, pending, tasks)
}

// markAgain notes on a task whose attempt is under way that the tags have changed
// since it may have read them. One that has not begun will read the new ones.
func markAgain(tx kv.Txn, pending []pendingTask, destination string) error {
	i := slices.IndexFunc(pending, func(p pendingTask) bool { return p.bucket == destination })
	if i < 0 {
		return errRecord
	}
	rec, err := tx.Get(pending[i].key())
	if err != nil {
		return err
	}
	t, err := decodeTask(rec)
	if err != nil || t.Attempt == 0 {
		return err
	}
	t.again = true
	tx.Put(pending[i].key(), encodeTask(&t))
	return nil
}
