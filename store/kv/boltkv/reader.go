package boltkv

import (
	"bytes"

	"go.etcd.io/bbolt"

	"twinbucket/store/kv"
)

// reader is one snapshot. Its slices point into the memory map, which stays as it is until the
// bbolt transaction ends, that is until View returns.
type reader struct {
	bucket *bbolt.Bucket
}

var _ kv.Reader = (*reader)(nil)

func (r *reader) Get(key []byte) ([]byte, error) {
	return get(r.bucket, key)
}

func get(b *bbolt.Bucket, key []byte) ([]byte, error) {
	if v := b.Get(key); v != nil {
		return v, nil
	}
	return nil, kv.ErrNotFound
}

func (r *reader) Scan(start, end []byte, fn func(k, v []byte) (bool, error)) error {
	c := cursor{c: r.bucket.Cursor(), start: start, end: end}
	for k, v := c.Next(); k != nil; k, v = c.Next() {
		if more, err := fn(k, v); err != nil || !more {
			return err
		}
	}
	return nil
}

func (r *reader) Cursor(start, end []byte) kv.Cursor {
	return &cursor{c: r.bucket.Cursor(), start: start, end: end}
}

// cursor bounds a bbolt cursor to a range.
type cursor struct {
	c          *bbolt.Cursor
	start, end []byte
	started    bool
	done       bool
}

func (c *cursor) Seek(key []byte) (k, v []byte) {
	if bytes.Compare(key, c.start) < 0 {
		key = c.start
	}
	c.started, c.done = true, false
	return c.bound(c.c.Seek(key))
}

func (c *cursor) Next() (k, v []byte) {
	switch {
	case c.done:
		return nil, nil
	case !c.started:
		return c.Seek(c.start)
	}
	return c.bound(c.c.Next())
}

func (c *cursor) bound(k, v []byte) ([]byte, []byte) {
	if k == nil || c.end != nil && bytes.Compare(k, c.end) >= 0 {
		c.done = true
		return nil, nil
	}
	return k, v
}

// Err is always nil: reading the memory map either works or kills the process.
func (c *cursor) Err() error { return nil }
