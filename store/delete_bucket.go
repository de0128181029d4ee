package store

import (
	"context"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// DeleteBucket removes an empty bucket (no versions, markers or uploads). A range
// can't be read in a transaction, so it looks for anything first, then fences the
// bucket against writes, looks again, and removes or restores it. While the fence
// stands, which it does only if the first look found nothing, writers are told that
// there is no such bucket.
func (s *Store) DeleteBucket(ctx context.Context, name string) error {
	b, err := s.Bucket(ctx, name)
	if err != nil {
		return err
	}
	if empty, err := s.bucketEmpty(ctx, name); err != nil || !empty {
		return orNotEmpty(err, b)
	}
	if err := s.setDeleting(ctx, name, true); err != nil {
		return failed(err)
	}
	// From here on the bucket must not stay fenced because a client went away.
	empty, err := s.finishDeletion(context.WithoutCancel(ctx), name)
	if err != nil || !empty {
		return orNotEmpty(err, b)
	}
	return nil
}

// orNotEmpty is err, or the refusal to delete a bucket with contents (D53).
func orNotEmpty(err error, b *Bucket) error {
	if err != nil {
		return failed(err)
	}
	text := "The bucket you tried to delete is not empty"
	if b.Versioning != Unversioned {
		text += ". You must delete all versions in the bucket."
	}
	return failure.New("BucketNotEmpty", text, "BucketName", b.Name)
}

// bucketEmpty looks for versions and uploads.
func (s *Store) bucketEmpty(ctx context.Context, name string) (empty bool, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		empty = true
		for _, k := range []kind{kindHead, kindUpload} {
			p := inBucket(k, name)
			c := r.Cursor(p, kv.PrefixEnd(p))
			if found, _ := c.Next(); found != nil {
				empty = false
			}
			if err := c.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	return empty, err
}

// setDeleting sets the fence, or takes it away.
func (s *Store) setDeleting(ctx context.Context, name string, fence bool) error {
	st := s.newStamp()
	return s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		rec, err := lookup(tx, bucketKey(name))
		if err != nil {
			return err
		}
		if rec == nil {
			return noSuchBucket(name)
		}
		b, err := decodeBucket(rec)
		if err != nil {
			return err
		}
		if fence && b.Deleting {
			return noSuchBucket(name)
		}
		b.Deleting = fence
		if rec, err = encodeBucket(b, st); err != nil {
			return err
		}
		tx.Put(bucketKey(name), rec)
		return nil
	})
}

// finishDeletion removes a fenced bucket if it is empty and restores it otherwise.
func (s *Store) finishDeletion(ctx context.Context, name string) (empty bool, err error) {
	if empty, err = s.bucketEmpty(ctx, name); err != nil {
		return false, err
	}
	if !empty {
		return false, s.setDeleting(ctx, name, false)
	}
	if err := s.removeRange(ctx, inBucket(kindCompleted, name)); err != nil {
		return false, err
	}
	return true, s.removeBucketRecord(ctx, name)
}

func (s *Store) removeBucketRecord(ctx context.Context, name string) error {
	err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		tx.Delete(bucketKey(name))
		return nil
	})
	s.buckets.forget(name)
	return err
}

// finishDeletions ends the DeleteBuckets that a crash interrupted.
func (s *Store) finishDeletions(ctx context.Context) error {
	all, err := s.allBuckets(ctx, "")
	if err != nil {
		return err
	}
	for _, b := range all {
		if !b.Deleting {
			continue
		}
		if _, err := s.finishDeletion(ctx, b.Name); err != nil {
			return err
		}
	}
	return nil
}
