package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// A bucket record is the format byte, 16 random bytes that differ with every write,
// and the bucket as JSON. Every write to an object reads it, so the decoded form is
// kept and found to be current by the random bytes.
const bucketHeader = 1 + stampLen

const stampLen = 16

type stamp [stampLen]byte

// bucketCache holds decoded bucket records by name.
type bucketCache struct{ m sync.Map } // string -> *cachedBucket

type cachedBucket struct {
	stamp  stamp
	bucket *Bucket
}

// decode returns the bucket of a record. The result is shared and must not be changed.
func (c *bucketCache) decode(name string, rec []byte) (*Bucket, error) {
	if len(rec) < bucketHeader || rec[0] != recordFormat {
		return nil, errRecord
	}
	if hit, ok := c.m.Load(name); ok {
		if hit := hit.(*cachedBucket); bytes.Equal(hit.stamp[:], rec[1:bucketHeader]) {
			return hit.bucket, nil
		}
	}
	b, err := decodeBucket(rec)
	if err != nil {
		return nil, err
	}
	entry := &cachedBucket{bucket: b}
	copy(entry.stamp[:], rec[1:])
	c.m.Store(name, entry)
	return b, nil
}

func (c *bucketCache) forget(name string) { c.m.Delete(name) }

func decodeBucket(rec []byte) (*Bucket, error) {
	if len(rec) < bucketHeader || rec[0] != recordFormat {
		return nil, errRecord
	}
	b := new(Bucket)
	if err := json.Unmarshal(rec[bucketHeader:], b); err != nil {
		return nil, errors.Join(errRecord, err)
	}
	return b, nil
}

func encodeBucket(b *Bucket, st stamp) ([]byte, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	rec := make([]byte, 0, bucketHeader+len(text))
	rec = append(append(rec, recordFormat), st[:]...)
	return append(rec, text...), nil
}

func (s *Store) newStamp() (st stamp) {
	s.random(st[:])
	return st
}

// bucketIn reads a bucket that may be written to.
func (s *Store) bucketIn(g getter, name string) (*Bucket, error) {
	rec, err := lookup(g, bucketKey(name))
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, noSuchBucket(name)
	}
	b, err := s.buckets.decode(name, rec)
	if err == nil && b.Deleting {
		return nil, noSuchBucket(name)
	}
	return b, err
}

// CreateBucket writes b. An existing name is BucketAlreadyOwnedByYou or BucketAlreadyExists (D52).
func (s *Store) CreateBucket(ctx context.Context, b Bucket) error {
	b.Deleting = false
	rec, err := encodeBucket(&b, s.newStamp())
	if err != nil {
		return failed(err)
	}
	return failed(s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		old, err := lookup(tx, bucketKey(b.Name))
		if err != nil {
			return err
		}
		if old == nil {
			tx.Put(bucketKey(b.Name), rec)
			return nil
		}
		owner, err := s.buckets.decode(b.Name, old)
		switch {
		case err != nil:
			return err
		case owner.Deleting:
			return operationAborted()
		case owner.Account == b.Account:
			return failure.New("BucketAlreadyOwnedByYou",
				"Your previous request to create the named bucket succeeded and you already own it.", "BucketName", b.Name)
		}
		return failure.New("BucketAlreadyExists",
			"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
			"BucketName", b.Name)
	}))
}

// Bucket returns a bucket that callers may change only through UpdateBucket.
func (s *Store) Bucket(ctx context.Context, name string) (b *Bucket, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) (err error) {
		b, err = s.bucketIn(r, name)
		return err
	})
	if err != nil {
		return nil, failed(err)
	}
	return b, nil
}

// Buckets lists account's buckets by name, all accounts when account is "".
func (s *Store) Buckets(ctx context.Context, account string) ([]*Bucket, error) {
	all, err := s.allBuckets(ctx, account)
	list := all[:0]
	for _, b := range all {
		if !b.Deleting {
			list = append(list, b)
		}
	}
	return list, failed(err)
}

// allBuckets lists buckets, those being deleted included.
func (s *Store) allBuckets(ctx context.Context, account string) (list []*Bucket, err error) {
	prefix := plainKey(kindBucket)
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(k, rec []byte) (bool, error) {
			b, err := s.buckets.decode(string(k[len(prefix):]), rec)
			if err == nil && (account == "" || b.Account == account) {
				list = append(list, b)
			}
			return true, err
		})
	})
	return list, err
}

// UpdateBucket changes a bucket in one transaction; fn may run twice and its error
// aborts. fn gets a copy of its own; name, account and creation date stay as they are.
func (s *Store) UpdateBucket(ctx context.Context, name string, fn func(*Bucket) error) (*Bucket, error) {
	st := s.newStamp()
	var result *Bucket
	err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		old, err := s.bucketIn(tx, name)
		if err != nil {
			return err
		}
		rec, err := tx.Get(bucketKey(name))
		if err != nil {
			return err
		}
		b, err := decodeBucket(rec)
		if err != nil {
			return err
		}
		if err := fn(b); err != nil {
			return err
		}
		b.Name, b.Account, b.Created, b.Deleting = old.Name, old.Account, old.Created, false
		if b.Versioning == Unversioned && old.Versioning != Unversioned {
			return failure.New("IllegalVersioningConfigurationException",
				"Versioning of a bucket can be suspended but not be taken back.", "BucketName", name)
		}
		if b.ObjectLock == nil && old.ObjectLock != nil {
			return failure.New("InvalidBucketState", "Object Lock of a bucket can't be taken back.", "BucketName", name)
		}
		if rec, err = encodeBucket(b, st); err != nil {
			return err
		}
		tx.Put(bucketKey(name), rec)
		result = b
		return nil
	})
	if err != nil {
		return nil, failed(err)
	}
	return result, nil
}
