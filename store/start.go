package store

import (
	"context"
	"fmt"
	"slices"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// StartReplication replicates an existing version for a batch job, under the configuration
// now in force: replicas, versions that were there before the rule, and those that have
// failed or were delivered before. versionID "" is the current version. It returns a task
// for every destination; one that is queued already is returned as it is.
//
// Errors have the failureReason as code (B50): SrcBucketNotFound, SrcKeyNotFound,
// SrcVersionNotFound, SrcBucketReplicationConfigMissing, SrcObjectNotEligible.
func (s *Store) StartReplication(ctx context.Context, bucket, key, versionID, job string) (tasks []Task, err error) {
	now := s.cfg.Clock.Now()
	var random [12]byte
	s.random(random[:])
	err = s.update(ctx, func(tx kv.Txn, c *change) error {
		tasks = nil
		b, v, loc, err := s.startable(tx, bucket, key, versionID)
		if err != nil {
			return err
		}
		rules, err := eligible(b, v)
		if err != nil {
			return err
		}
		pending, err := getPending(tx, ofVersion(kindPending, bucket, key, v.ID))
		if err != nil {
			return err
		}
		kind := TaskObject
		if v.DeleteMarker {
			kind = TaskMarker
		}
		for _, rule := range rules {
			d := v.towards(rule.Destination.Bucket)
			if d.Status == Pending {
				t, err := pendingTaskOf(tx, bucket, pending, d.Bucket)
				if err != nil {
					return err
				}
				tasks = append(tasks, *t)
				continue
			}
			t := makeTask(random, len(c.added), now, b.Replication.Role, v, rule, kind)
			t.Job, t.Delivered = job, d.Status == Completed
			*d = DestinationStatus{RuleID: rule.ID, Bucket: d.Bucket, Status: Pending, Updated: now}
			c.added, tasks = append(c.added, t), append(tasks, t)
		}
		if len(c.added) == 0 {
			return nil
		}
		if err := putTasks(tx, v, pending, c.added); err != nil {
			return err
		}
		return loc.rewrite(tx, v)
	})
	if err != nil {
		return nil, failed(err)
	}
	return tasks, nil
}

// startable finds a version and its bucket.
func (s *Store) startable(tx kv.Txn, bucket, key, id string) (*Bucket, *Version, located, error) {
	b, err := s.bucketIn(tx, bucket)
	if failure.CodeOf(err) == "NoSuchBucket" {
		return nil, nil, located{}, failure.Newf("SrcBucketNotFound", "the source bucket %s does not exist", bucket)
	}
	if err != nil {
		return nil, nil, located{}, err
	}
	loc, err := locate(tx, bucket, key, id)
	switch failure.CodeOf(err) {
	case "NoSuchKey":
		return nil, nil, located{}, failure.Newf("SrcKeyNotFound", "the source object %s does not exist", key)
	case "NoSuchVersion":
		return nil, nil, located{}, failure.Newf("SrcVersionNotFound", "version %s of the source object does not exist", id)
	}
	if err != nil {
		return nil, nil, located{}, err
	}
	v, err := loadVersion(tx, bucket, key, loc.rec)
	return b, v, loc, err
}

// Eligible returns the rules that a batch job replicates v by. Replicas are eligible
// here, as they never are for live replication. Errors are those of StartReplication.
func Eligible(b *Bucket, v *Version) ([]ReplicationRule, error) { return eligible(b, v) }

func eligible(b *Bucket, v *Version) ([]ReplicationRule, error) {
	if b.Replication == nil {
		return nil, failure.Newf("SrcBucketReplicationConfigMissing", "the source bucket %s has no replication configuration", b.Name)
	}
	own := *v
	own.IsReplica = false
	var rules []ReplicationRule
	why := ""
	for _, m := range b.Replication.Select(&own) {
		if m.Selected {
			rules = append(rules, m.Rule)
		} else {
			why += fmt.Sprintf("; rule %s: %s", m.Rule.ID, m.Why)
		}
	}
	if len(rules) == 0 {
		return nil, failure.New("SrcObjectNotEligible", "no rule replicates the version"+why)
	}
	return rules, nil
}

// towards is the version's state towards a destination, made when there is none.
func (v *Version) towards(bucket string) *DestinationStatus {
	i := slices.IndexFunc(v.Destinations, func(d DestinationStatus) bool { return d.Bucket == bucket })
	if i < 0 {
		i = len(v.Destinations)
		v.Destinations = append(v.Destinations, DestinationStatus{Bucket: bucket})
	}
	return &v.Destinations[i]
}

// pendingTaskOf loads the task of one destination.
func pendingTaskOf(tx kv.Txn, source string, pending []pendingTask, destination string) (*Task, error) {
	i := slices.IndexFunc(pending, func(p pendingTask) bool { return p.bucket == destination })
	if i < 0 {
		return nil, errRecord
	}
	rec, err := tx.Get(pending[i].key(source))
	if err != nil {
		return nil, err
	}
	t, err := decodeTask(rec)
	return &t.Task, err
}

// ReplicaID is the version id of v's replica: its own, or for a null version, which the
// versioned destination can't have, one made of its place in time (B51).
func ReplicaID(v *Version) string {
	if v.ID == NullVersion {
		return position{order: v.Order}.id()
	}
	return v.ID
}
