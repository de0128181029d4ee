package store

import (
	"context"
	"slices"
	"time"

	"twinbucket/store/kv"
)

// metadata is a set of what replicates by itself when it changes after the version was
// written.
type metadata byte

const (
	metaTags metadata = 1 << iota
	metaLock
	metaACL

	metaAll = metaTags | metaLock | metaACL
)

// taskKinds are the tasks that bring one kind of metadata each, in the order they run.
var taskKinds = [...]struct {
	meta metadata
	kind TaskKind
}{{metaTags, TaskTagging}, {metaLock, TaskLock}, {metaACL, TaskACL}}

// kind is the task that replicates the first of the set.
func (m metadata) kind() TaskKind {
	for _, t := range taskKinds {
		if m&t.meta != 0 {
			return t.kind
		}
	}
	panic("store: no task replicates this metadata")
}

// brings is what a task of kind k replicates: the whole version has everything.
func (k TaskKind) brings() metadata {
	for _, t := range taskKinds {
		if t.kind == k {
			return t.meta
		}
	}
	return metaAll
}

// versionForChange finds a version whose metadata are to be changed, and its bucket. A
// delete marker is MethodNotAllowed.
func (s *Store) versionForChange(tx kv.Txn, bucket, key, id string) (b *Bucket, v *Version, loc located, err error) {
	if b, err = s.bucketIn(tx, bucket); err != nil {
		return nil, nil, located{}, err
	}
	if loc, err = locate(tx, bucket, key, id); err != nil {
		return nil, nil, located{}, err
	}
	if loc.marker() {
		return nil, nil, located{}, methodNotAllowed()
	}
	v, err = loadVersion(tx, bucket, key, loc.rec)
	return b, v, loc, err
}

// changeMetadata changes what of a version and queues the change. fn may run twice; its
// error aborts. A replica's change goes back to its source only if there was one, or two
// buckets would send it back and forth for ever.
func (s *Store) changeMetadata(ctx context.Context, bucket, key, id string, what metadata, fn func(*Version) error) (*Version, error) {
	now := s.cfg.Clock.Now()
	var random [12]byte
	s.random(random[:])
	var stored *Version
	err := s.update(ctx, func(tx kv.Txn, c *change) error {
		b, v, loc, err := s.versionForChange(tx, bucket, key, id)
		if err != nil {
			return err
		}
		tags, lock, acl := v.Tags, v.Lock, v.ACL
		if err := fn(v); err != nil {
			return err
		}
		changed := !slices.Equal(v.Tags, tags) || v.Lock != lock || !acl.equal(v.ACL)
		if changed || !v.IsReplica {
			if err := requeue(tx, c, b, v, what, now, random); err != nil {
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

// requeue queues a change of metadata of v.
func requeue(tx kv.Txn, c *change, b *Bucket, v *Version, what metadata, now time.Time, random [12]byte) error {
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
			if err := markAgain(tx, v.Bucket, pending, d.Bucket, what); err != nil {
				return err
			}
			continue
		}
		rule, ok := b.Replication.ruleFor(v, d)
		if !ok {
			continue
		}
		kind := what.kind()
		if d.Status == Failed && !v.IsReplica {
			kind = TaskObject
		}
		tasks = append(tasks, makeTask(random, len(tasks), now, b.Replication.Role, v, rule, kind))
		*d = DestinationStatus{RuleID: rule.ID, Bucket: d.Bucket, Status: Pending, Updated: now}
	}
	c.added = append(c.added, tasks...)
	return putTasks(tx, v, pending, tasks)
}

// markAgain notes on a task that metadata changed which it will not bring, or may have
// read before. A task that has not begun will read everything it brings as it is then.
func markAgain(tx kv.Txn, bucket string, pending []pendingTask, destination string, what metadata) error {
	i := slices.IndexFunc(pending, func(p pendingTask) bool { return p.bucket == destination })
	if i < 0 {
		return errRecord
	}
	rec, err := tx.Get(pending[i].key(bucket))
	if err != nil {
		return err
	}
	t, err := decodeTask(rec)
	if err != nil || t.Attempt == 0 && t.Kind.brings()&what == what {
		return err
	}
	t.again |= what
	tx.Put(pending[i].key(bucket), encodeTask(&t))
	return nil
}
