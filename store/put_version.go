package store

import (
	"context"
	"errors"
	"strconv"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// MaxKeyLength is the longest object key in bytes (D55).
const MaxKeyLength = 1024

// maxDestinations bounds the destinations of one version: their tasks are written in
// one transaction.
const maxDestinations = 64

// PutVersion commits v: in one transaction it checks cond, assigns ID, Order and
// LastModified (kept when v.IsReplica), replaces a null version where the bucket's
// versioning says so, sets Destinations from the bucket's replication configuration
// (not for replicas) and writes one task per destination. It returns the stored
// version; blobs that fell out of use are removed after the commit.
// For a replica: the same id with the same ETag already there is success without a
// write, except that its tags become v's if v has any; another ETag under that id is
// OperationAborted. A bucket without versioning Enabled is failure code
// DstBucketUnversioned (D56).
func (s *Store) PutVersion(ctx context.Context, v Version, cond Condition) (*Version, error) {
	if err := checkData(v.Parts); err != nil {
		return nil, err
	}
	stored, err := s.commit(ctx, s.newWrite(v, cond))
	if err != nil {
		return nil, failed(err)
	}
	return stored, nil
}

// write is a version on its way into the store. What is random or taken from the
// clock is taken once, before the transaction, which may run twice.
type write struct {
	v      Version
	cond   Condition
	now    time.Time
	order  uint64
	random [16]byte
	tasks  [12]byte // task ids are these bytes and a number
	set    partSet  // where the parts are if they are many
	held   bool     // the data of the parts are already in the store
	local  bool     // does not replicate, whatever the rules say
	// before runs first in the transaction, after the bucket and the head were read.
	before func(tx kv.Txn, c *change, head *headRecord) error
	// done runs last.
	done func(tx kv.Txn, c *change, pos position)
}

func (s *Store) newWrite(v Version, cond Condition) *write {
	now := s.cfg.Clock.Now()
	w := &write{v: v, cond: cond, now: now, order: s.nextOrder(nanos(now))}
	w.v.Tags = sortTags(v.Tags)
	w.v.Destinations = nil
	s.random(w.random[:])
	s.random(w.tasks[:])
	return w
}

// commit stages the parts where they are many and runs the transaction. Its errors
// are as they came.
func (s *Store) commit(ctx context.Context, w *write) (*Version, error) {
	if n := len(w.v.Key); n == 0 || n > MaxKeyLength {
		return nil, failure.New("KeyTooLongError", "Your key is too long",
			"Size", strconv.Itoa(n), "MaxSizeAllowed", strconv.Itoa(MaxKeyLength))
	}
	if err := s.stageParts(ctx, w); err != nil {
		return nil, err
	}
	var stored *Version
	err := s.update(ctx, func(tx kv.Txn, c *change) (err error) {
		stored, err = s.place(tx, c, w)
		return err
	})
	if err != nil {
		s.unstageParts(ctx, w, err)
		return nil, err
	}
	return stored, nil
}

// place writes a version within a transaction.
func (s *Store) place(tx kv.Txn, c *change, w *write) (*Version, error) {
	b, err := s.bucketIn(tx, w.v.Bucket)
	if err != nil {
		return nil, err
	}
	head, err := getHead(tx, w.v.Bucket, w.v.Key)
	if err != nil {
		return nil, err
	}
	if err := w.cond.check(w.v.Key, &head); err != nil {
		return nil, err
	}
	if w.before != nil {
		if err := w.before(tx, c, &head); err != nil {
			return nil, err
		}
	}
	v := w.v
	pos, err := w.position(&v, b, &head)
	if err != nil {
		return nil, err
	}
	if v.IsReplica && v.Lock != (Lock{}) && b.ObjectLock == nil {
		return nil, failure.New("DstBucketObjectLockConfigMissing",
			"Object Lock is not enabled on the destination bucket.", "BucketName", b.Name)
	}
	v.Lock = initialLock(b, &v)
	if v.IsReplica {
		same, err := existingReplica(tx, &v)
		if err != nil {
			return nil, err
		}
		if same != nil {
			w.giveUp(tx, c, same)
			return same, nil
		}
	} else if !w.local {
		if err := w.selectDestinations(tx, c, b, &v); err != nil {
			return nil, err
		}
	}
	if w.set.isZero() && !w.held {
		holdData(tx, v.Parts)
	}
	if !w.set.isZero() {
		tx.Delete(idKey(kindTrash, w.set.id))
	}
	if err := insert(tx, c, &v, pos, w.set, &head); err != nil {
		return nil, err
	}
	if w.done != nil {
		w.done(tx, c, pos)
	}
	return &v, nil
}

// position assigns ID, Order and LastModified.
func (w *write) position(v *Version, b *Bucket, head *headRecord) (pos position, err error) {
	if v.IsReplica {
		if b.Versioning != VersioningEnabled {
			return position{}, failure.New("DstBucketUnversioned",
				"Versioning is not enabled on the destination bucket.", "BucketName", b.Name)
		}
		pos, ok := parseID(v.ID)
		if !ok || v.Order != 0 && v.Order != pos.order {
			return position{}, failure.New("InvalidArgument", "Invalid version id specified",
				"ArgumentName", "versionId", "ArgumentValue", v.ID)
		}
		v.Order = pos.order
		v.LastModified = fromMillis(millis(v.LastModified))
		return pos, nil
	}
	pos = position{order: w.order, null: b.Versioning != VersioningEnabled}
	if head.exists() {
		pos.order = max(pos.order, head.pos.order+1)
	}
	if !pos.null {
		pos.random = w.random
	}
	v.ID, v.Order = pos.id(), pos.order
	v.LastModified = fromMillis(millis(w.now))
	return pos, nil
}

// existingReplica finds the version that an earlier attempt delivered, or nil.
func existingReplica(tx kv.Txn, v *Version) (*Version, error) {
	loc, err := locate(tx, v.Bucket, v.Key, v.ID)
	if failure.CodeOf(err) == "NoSuchVersion" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	old, err := loadVersion(tx, v.Bucket, v.Key, loc.rec)
	if err != nil {
		return nil, err
	}
	if old.ETag != v.ETag || old.DeleteMarker != v.DeleteMarker {
		return nil, operationAborted()
	}
	if len(v.Tags) > 0 {
		old.Tags = v.Tags
		return old, loc.rewrite(tx, old)
	}
	return old, nil
}

// giveUp drops the data of w, whose version is already there with data of its own.
// A caller that repeats a write of unknown outcome brings the same data: they stay.
func (w *write) giveUp(tx kv.Txn, c *change, same *Version) {
	used := dataIDs(same.Parts)
	repeated := false
	for i := range w.v.Parts {
		switch d := &w.v.Parts[i].Data; {
		case used[d.ID]:
			repeated = true
		case d.File && w.set.isZero():
			c.files = append(c.files, d.ID)
		}
	}
	if w.set.isZero() {
		return
	}
	if repeated {
		tx.Put(idKey(kindTrash, w.set.id), []byte{trashSetOnly})
	}
	c.sets = append(c.sets, w.set.id)
}

// selectDestinations sets the destinations of a new version and makes their tasks.
func (w *write) selectDestinations(tx kv.Txn, c *change, b *Bucket, v *Version) error {
	if b.Replication == nil || b.Versioning != VersioningEnabled {
		return nil
	}
	kind := TaskObject
	if v.DeleteMarker {
		kind = TaskMarker
	}
	for _, r := range b.Replication.selected(v) {
		c.added = append(c.added, w.newTask(b, v, *r, kind, len(c.added)))
		v.Destinations = append(v.Destinations, DestinationStatus{
			RuleID: r.ID, Bucket: r.Destination.Bucket, Status: Pending, Updated: w.now,
		})
	}
	return putTasks(tx, v, nil, c.added)
}

// insert puts a version in its place among those of the key.
func insert(tx kv.Txn, c *change, v *Version, pos position, set partSet, head *headRecord) error {
	const room = 320
	k := headKey(v.Bucket, v.Key)
	if pos.null {
		if err := dropNull(tx, c, v.Bucket, v.Key, head); err != nil {
			return err
		}
	}
	switch {
	case !head.exists():
		tx.Put(k, appendVersion(newHead(0, 0, room), v, pos, set))
	case head.pos.newer(pos):
		tx.Put(versionKey(v.Bucket, v.Key, pos), appendVersion(make([]byte, 0, room), v, pos, set))
		tx.Put(k, append(newHead(head.nullOrder, head.generation+1, len(head.rec)), head.rec...))
	default:
		nullOrder := head.nullOrder
		switch {
		case pos.null:
			nullOrder = 0
		case head.pos.null:
			nullOrder = head.pos.order
		}
		if !(pos.null && head.pos.null) {
			tx.Put(versionKey(v.Bucket, v.Key, head.pos), head.rec)
		}
		tx.Put(k, appendVersion(newHead(nullOrder, head.generation+1, room), v, pos, set))
	}
	return nil
}

// dropNull removes what belongs to the null version that a new one replaces; the
// record of a current one is overwritten by insert.
func dropNull(tx kv.Txn, c *change, bucket, key string, head *headRecord) error {
	if !head.exists() {
		return nil
	}
	if head.pos.null {
		return dropVersion(tx, c, bucket, key, head.rec)
	}
	if head.nullOrder == 0 {
		return nil
	}
	k := versionKey(bucket, key, position{order: head.nullOrder, null: true})
	rec, err := lookup(tx, k)
	if err != nil {
		return err
	}
	if rec == nil {
		return errors.Join(errRecord, errors.New("null version missing"))
	}
	tx.Delete(k)
	return dropVersion(tx, c, bucket, key, rec)
}
