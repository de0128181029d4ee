package store

import (
	"bytes"
	"context"
	"errors"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// Deleted is what a delete did.
type Deleted struct {
	VersionID    string // of the marker made, or of the version removed
	DeleteMarker bool   // a marker was made, or the removed version was one
	Removed      bool   // a version was removed permanently
}

// Delete deletes key (id "": makes a marker, or removes the null version in an
// unversioned bucket) or removes version id permanently and cancels its tasks.
// A missing key or id succeeds, as on S3, with Removed false; owner is recorded on a
// marker. Markers replicate by the bucket's rules exactly as PutVersion does for
// objects. Preconditions are tested against the current version, whatever id is (D63).
// Removing a version that Object Lock protects is AccessDenied.
func (s *Store) Delete(ctx context.Context, bucket, key, id, owner string, cond Condition) (Deleted, error) {
	if id != "" {
		return s.removeVersion(ctx, bucket, key, id, cond)
	}
	if n := len(key); n == 0 || n > MaxKeyLength {
		return Deleted{}, failure.New("KeyTooLongError", "Your key is too long")
	}
	w := s.newWrite(Version{Bucket: bucket, Key: key, DeleteMarker: true, Owner: owner}, Condition{})
	var done Deleted
	err := s.update(ctx, func(tx kv.Txn, c *change) error {
		b, err := s.bucketIn(tx, bucket)
		if err != nil {
			return err
		}
		head, err := getHead(tx, bucket, key)
		if err != nil {
			return err
		}
		if err := cond.checkDelete(key, &head); err != nil {
			return err
		}
		if b.Versioning != Unversioned {
			marker, err := s.place(tx, c, w)
			if err != nil {
				return err
			}
			done = Deleted{VersionID: marker.ID, DeleteMarker: true}
			return nil
		}
		// The null version is the only one a bucket has that never had versioning.
		done = Deleted{Removed: head.exists()}
		if !head.exists() {
			return nil
		}
		done.VersionID = head.pos.id()
		tx.Delete(headKey(bucket, key))
		return dropVersion(tx, c, bucket, key, head.rec)
	})
	if err != nil {
		return Deleted{}, failed(err)
	}
	return done, nil
}

// checkDelete tests a precondition of a delete (D63).
func (c Condition) checkDelete(key string, head *headRecord) error {
	switch {
	case c.IfMatch == "":
		return nil
	case !head.exists():
		return noSuchKey(key)
	case head.marker():
		return preconditionFailed("If-Match")
	}
	return c.checkETag(head)
}

// removeVersion removes a version permanently. The version that follows a current
// one is found in a snapshot, and the transaction begins anew if another has come
// in between meanwhile.
func (s *Store) removeVersion(ctx context.Context, bucket, key, id string, cond Condition) (done Deleted, err error) {
	for range maxRetries {
		var r removal
		if r, err = s.planRemoval(ctx, bucket, key, id); err != nil {
			return Deleted{}, failed(err)
		}
		err = s.update(ctx, func(tx kv.Txn, c *change) error {
			done = Deleted{VersionID: id}
			return s.remove(tx, c, &r, cond, &done)
		})
		if !errors.Is(err, errRetry) {
			break
		}
	}
	if err != nil {
		return Deleted{}, failed(err)
	}
	return done, nil
}

// removal is what a snapshot says about a version to be removed.
type removal struct {
	bucket, key, id string
	current         bool
	pos             position // of the head
	generation      uint64
	successor       []byte // record key of the version after the current one, nil when there is none
}

func (s *Store) planRemoval(ctx context.Context, bucket, key, id string) (r removal, err error) {
	err = s.cfg.Engine.View(ctx, func(v kv.Reader) error {
		r = removal{bucket: bucket, key: key, id: id}
		head, err := getHead(v, bucket, key)
		if err != nil || !head.exists() {
			return err
		}
		r.pos, r.generation = head.pos, head.generation
		if r.current = head.pos.id() == id; !r.current {
			return nil
		}
		prefix := inObject(kindVersion, bucket, key, 0)
		c := v.Cursor(prefix, kv.PrefixEnd(prefix))
		if k, _ := c.Next(); k != nil {
			r.successor = bytes.Clone(k)
		}
		return c.Err()
	})
	return r, err
}

// remove removes a version within a transaction; errRetry if the plan is out of date.
func (s *Store) remove(tx kv.Txn, c *change, r *removal, cond Condition, done *Deleted) error {
	if _, err := s.bucketIn(tx, r.bucket); err != nil {
		return err
	}
	head, err := getHead(tx, r.bucket, r.key)
	if err != nil {
		return err
	}
	if err := cond.checkDelete(r.key, &head); err != nil {
		return err
	}
	loc, err := locate(tx, r.bucket, r.key, r.id)
	if failure.CodeOf(err) == "NoSuchVersion" {
		return nil
	}
	if err != nil {
		return err
	}
	if loc.flags&flagExtras != 0 {
		var v Version
		if err := decodeSummary(loc.rec, &v); err != nil {
			return err
		}
		if v.Lock.protects(s.cfg.Clock.Now(), cond.BypassGovernance) {
			return errLocked()
		}
	}
	done.DeleteMarker, done.Removed = loc.marker(), true
	if err := dropVersion(tx, c, r.bucket, r.key, loc.rec); err != nil {
		return err
	}
	if !loc.current {
		tx.Delete(versionKey(r.bucket, r.key, loc.pos))
		return forgetNull(tx, r.bucket, r.key, loc.rec)
	}
	if !r.current || head.pos != r.pos || head.generation != r.generation {
		return errRetry
	}
	if r.successor == nil {
		tx.Delete(headKey(r.bucket, r.key))
		return nil
	}
	rec, err := lookup(tx, r.successor)
	if err != nil {
		return err
	}
	if rec == nil {
		return errRetry
	}
	next, err := readHead(rec)
	if err != nil {
		return err
	}
	nullOrder := head.nullOrder
	if next.pos.null {
		nullOrder = 0
	}
	tx.Delete(r.successor)
	tx.Put(headKey(r.bucket, r.key), append(newHead(nullOrder, head.generation+1, len(rec)), rec...))
	return nil
}
