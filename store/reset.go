package store

import (
	"context"

	"golang.org/x/sync/errgroup"

	"twinbucket/store/kv"
)

// resetters is how many transactions of a Reset run at once, so that they share
// commits.
const resetters = 16

// Reset forgets all buckets of account, or everything when account is "". The master
// key stays. It fences each bucket, then removes version by version what belongs to
// it, so a crash in between leaves a smaller bucket and not a broken one.
func (s *Store) Reset(ctx context.Context, account string) error {
	all, err := s.allBuckets(ctx, account)
	if err != nil {
		return failed(err)
	}
	for _, b := range all {
		if err := s.resetBucket(ctx, b); err != nil {
			return failed(err)
		}
	}
	return s.resetAccounts(ctx, account)
}

func (s *Store) resetBucket(ctx context.Context, b *Bucket) error {
	ctx = context.WithoutCancel(ctx) // a bucket must not stay fenced
	if !b.Deleting {
		if err := s.setDeleting(ctx, b.Name, true); err != nil {
			return ignoreMissing(err)
		}
	}
	// Heads go last: a version record without a head would be unreachable.
	for _, k := range []kind{kindUpload, kindVersion, kindHead} {
		prefix := inBucket(k, b.Name)
		for {
			keys, err := s.keysUnder(ctx, prefix, 4096)
			if err != nil {
				return err
			}
			if len(keys) == 0 {
				break
			}
			group, ctx := errgroup.WithContext(ctx)
			group.SetLimit(resetters)
			for _, key := range keys {
				group.Go(func() error { return s.resetRecord(ctx, k, key) })
			}
			if err := group.Wait(); err != nil {
				return err
			}
		}
	}
	if err := s.removeRange(ctx, inBucket(kindCompleted, b.Name)); err != nil {
		return err
	}
	return s.removeBucketRecord(ctx, b.Name)
}

// resetRecord removes one version or upload of a fenced bucket with all that belongs
// to it.
func (s *Store) resetRecord(ctx context.Context, k kind, key []byte) error {
	return s.update(ctx, func(tx kv.Txn, c *change) error {
		rec, err := lookup(tx, key)
		if err != nil || rec == nil {
			return err
		}
		tx.Delete(key)
		if k == kindHead {
			bucket, object, ok := cutHead(key)
			if !ok || len(rec) < headPrefix {
				return errRecord
			}
			return dropVersion(tx, c, bucket, object, rec[headPrefix:])
		}
		bucket, object, tail, ok := cutObject(key)
		if !ok {
			return errRecord
		}
		if k == kindVersion {
			if err := forgetNull(tx, bucket, object, rec); err != nil {
				return err
			}
			return dropVersion(tx, c, bucket, object, rec)
		}
		tx.Put(endedKey(string(tail)), nil)
		c.ended = append(c.ended, string(tail))
		return nil
	})
}

// forgetNull takes a null version that is being removed out of the head record.
func forgetNull(tx kv.Txn, bucket, key string, rec []byte) error {
	h, err := readHead(rec)
	if err != nil || !h.pos.null {
		return err
	}
	head, err := getHead(tx, bucket, key)
	if err != nil || !head.exists() {
		return err
	}
	tx.Put(headKey(bucket, key), append(newHead(0, head.generation, len(head.rec)), head.rec...))
	return nil
}
