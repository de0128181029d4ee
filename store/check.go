package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// Check walks the whole store and returns every broken invariant: heads, versions,
// blobs, uploads and tasks must agree (see the package comment). It serves tests and
// the operator. The records are those of one snapshot, the blobs and the counts are
// not, so it is exact only while nothing is written; and it holds that snapshot open.
func (s *Store) Check(ctx context.Context) []error {
	c := checker{s: s, buckets: map[string]*Bucket{}, data: map[blob.ID]int64{}, files: map[blob.ID]bool{}, sets: map[blob.ID]bool{}, pending: map[string]pendingOf{}}
	err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		c.r = r
		for _, step := range []func() error{
			c.bucketRecords, c.heads, c.versions, c.uploads, c.parts, c.partSets, c.dataRecords, c.taskIndex, c.tasks, c.traces, c.leftovers,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return c.blobs(ctx)
	})
	if err != nil {
		c.broken("check ended early: %v", err)
	}
	return c.errs
}

// checker collects what one kind of record says about others.
type checker struct {
	s       *Store
	r       kv.Reader
	errs    []error
	buckets map[string]*Bucket
	data    map[blob.ID]int64    // data that versions and parts refer to; their sizes
	files   map[blob.ID]bool     // those that are blobs
	sets    map[blob.ID]bool     // part sets that versions refer to
	pending map[string]pendingOf // version id key -> its Pending destinations
	bytes   int64                // of all tasks
	count   int
}

type pendingOf struct {
	bucket       string
	version      string
	destinations map[string]bool
}

func (c *checker) broken(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

// each calls fn for every record of a kind; an error of fn is a broken record.
func (c *checker) each(k kind, fn func(k, v []byte) error) error {
	prefix := plainKey(k)
	return c.r.Scan(prefix, kv.PrefixEnd(prefix), func(key, v []byte) (bool, error) {
		if err := fn(key, v); err != nil {
			c.broken("record %q: %v", key, err)
		}
		return true, nil
	})
}

func (c *checker) bucketRecords() error {
	return c.each(kindBucket, func(k, rec []byte) error {
		b, err := decodeBucket(rec)
		if err != nil {
			return err
		}
		if c.buckets[b.Name] = b; b.Name != string(k[len(plainKey(kindBucket)):]) {
			return fmt.Errorf("holds bucket %q", b.Name)
		}
		return nil
	})
}

func (c *checker) heads() error {
	return c.each(kindHead, func(k, rec []byte) error {
		bucket, key, ok := cutHead(k)
		head, err := parseHead(rec)
		if !ok || err != nil {
			return errRecord
		}
		if c.buckets[bucket] == nil {
			return errors.New("has no bucket")
		}
		if head.nullOrder != 0 {
			if head.pos.null {
				return errors.New("is the null version and points to another")
			}
			null := position{order: head.nullOrder, null: true}
			if _, err := c.r.Get(versionKey(bucket, key, null)); err != nil {
				return fmt.Errorf("points to a null version: %w", err)
			}
		}
		return c.version(bucket, key, head.rec)
	})
}

func (c *checker) versions() error {
	return c.each(kindVersion, func(k, rec []byte) error {
		bucket, key, tail, ok := cutObject(k)
		pos, isPos := parsePosition(tail)
		h, err := readHead(rec)
		if !ok || !isPos || err != nil {
			return errRecord
		}
		if h.pos != pos {
			return fmt.Errorf("holds version %s", h.pos.id())
		}
		head, err := getHead(c.r, bucket, key)
		switch {
		case err != nil:
			return err
		case !head.exists():
			return errors.New("has no head")
		case !head.pos.newer(pos):
			return fmt.Errorf("is not older than the head, %s", head.pos.id())
		case pos.null && pos.order != head.nullOrder:
			return errors.New("is a null version that the head does not know")
		}
		return c.version(bucket, key, rec)
	})
}

// version checks one version record and notes what it refers to.
func (c *checker) version(bucket, key string, rec []byte) error {
	v, set, err := decodeVersion(bucket, key, rec)
	if err != nil {
		return err
	}
	if !set.isZero() {
		if c.sets[set.id] {
			c.broken("part set %s belongs to two versions", set.id)
		}
		c.sets[set.id] = true
		if v.Parts, err = readPartSet(c.r, set); err != nil {
			return fmt.Errorf("part set: %w", err)
		}
	}
	if set.count != 0 && len(v.Parts) != set.count {
		return fmt.Errorf("has %d parts instead of %d", len(v.Parts), set.count)
	}
	var size int64
	for i := range v.Parts {
		size += v.Parts[i].Data.Size
		c.refer(&v.Parts[i].Data)
	}
	if size != v.Size && len(v.Parts) > 0 {
		c.broken("version %s of %s/%q says %d bytes and has %d", v.ID, bucket, key, v.Size, size)
	}
	p := pendingOf{bucket: bucket, version: fmt.Sprintf("version %s of %s/%q", v.ID, bucket, key), destinations: map[string]bool{}}
	for _, d := range v.Destinations {
		if d.Status == Pending {
			p.destinations[d.Bucket] = true
		}
	}
	if len(p.destinations) > 0 {
		c.pending[string(ofVersion(kindPending, bucket, key, v.ID))] = p
	}
	return nil
}

func (c *checker) refer(d *Data) {
	if d.ID.IsZero() {
		return
	}
	if _, twice := c.data[d.ID]; twice {
		c.broken("data %s are referred to twice", d.ID)
	}
	c.data[d.ID] = d.Size
	if d.File {
		c.files[d.ID] = true
	}
}

func (c *checker) uploads() error {
	return c.each(kindUpload, func(k, rec []byte) error {
		bucket, key, id, ok := cutObject(k)
		if !ok || c.buckets[bucket] == nil {
			return errors.New("has no bucket")
		}
		_, err := decodeUpload(bucket, key, string(id), rec)
		return err
	})
}

func (c *checker) parts() error {
	uploads := map[string]bool{}
	err := c.each(kindUpload, func(k, _ []byte) error {
		_, _, id, _ := cutObject(k)
		uploads[string(id)] = true
		return nil
	})
	if err != nil {
		return err
	}
	return c.each(kindPart, func(k, rec []byte) error {
		upload, _, ok := cutComponent(k[len(plainKey(kindPart)):])
		if !ok || !uploads[upload] {
			return fmt.Errorf("is a part of no upload (%s)", upload)
		}
		p, err := decodeStoredPart(rec)
		if err == nil {
			c.refer(&p.Data)
		}
		return err
	})
}

func (c *checker) partSets() error {
	return c.each(kindPartSet, func(k, rec []byte) error {
		at := len(plainKey(kindPartSet))
		if len(k) != at+len(blob.ID{})+2 || !c.sets[blob.ID(k[at:at+len(blob.ID{})])] {
			return errors.New("is a part set of no version")
		}
		_, err := decodeChunk(rec)
		return err
	})
}

// dataRecords checks that what is referred to is there, and what is there referred to.
func (c *checker) dataRecords() error {
	found := map[blob.ID]bool{}
	for _, k := range []kind{kindInline, kindBlob} {
		err := c.each(k, func(key, rec []byte) error {
			id, ok := cutID(key)
			size, referred := c.data[id]
			switch {
			case !ok || !referred:
				return errors.New("is referred to by nothing")
			case c.files[id] != (k == kindBlob):
				return errors.New("is not what its version says")
			case k == kindInline && int64(len(rec)) != blob.SealedSize(size):
				return fmt.Errorf("has %d bytes of %d", len(rec), blob.SealedSize(size))
			}
			found[id] = true
			return nil
		})
		if err != nil {
			return err
		}
	}
	for id := range c.data {
		if !found[id] {
			c.broken("data %s are not there", id)
		}
	}
	return nil
}

// taskIndex compares the tasks of each version with its Pending destinations.
func (c *checker) taskIndex() error {
	err := c.each(kindPending, func(k, rec []byte) error {
		p, ok := c.pending[string(k)]
		if !ok {
			return errors.New("has tasks of a version without Pending destination")
		}
		delete(c.pending, string(k))
		list, err := decodePending(rec)
		if err != nil {
			return err
		}
		for i := range list {
			if !p.destinations[list[i].bucket] {
				c.broken("%s has a task for %s, which is not Pending", p.version, list[i].bucket)
			}
			delete(p.destinations, list[i].bucket)
			t, err := c.r.Get(list[i].key(p.bucket))
			if err != nil {
				c.broken("%s: task %s: %v", p.version, list[i].id, err)
				continue
			}
			task, err := decodeTask(t)
			if err != nil || task.ID != list[i].id || !bytes.Equal(ofVersion(kindPending, task.Bucket, task.Key, task.VersionID), k) {
				c.broken("%s: task %s belongs elsewhere", p.version, list[i].id)
			}
		}
		for d := range p.destinations {
			c.broken("%s is Pending towards %s and has no task", p.version, d)
		}
		return nil
	})
	for _, p := range c.pending {
		c.broken("%s is Pending and has no task", p.version)
	}
	return err
}

func (c *checker) tasks() error {
	err := c.each(kindTask, func(k, rec []byte) error {
		t, err := decodeTask(rec)
		if err != nil {
			return err
		}
		c.count++
		c.bytes += t.Size
		if !bytes.Equal(taskKey(t.Queue(), t.Due, t.ID), k) {
			return errors.New("is not at its due time")
		}
		list, err := getPending(c.r, ofVersion(kindPending, t.Bucket, t.Key, t.VersionID))
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].id == t.ID {
				return nil
			}
		}
		return errors.New("is a task its version does not know")
	})
	if st := c.s.Queue(); st.Pending != c.count || st.Bytes != c.bytes {
		c.broken("the queue counts %d tasks of %d bytes, there are %d of %d", st.Pending, st.Bytes, c.count, c.bytes)
	}
	return err
}

func (c *checker) traces() error {
	return c.each(kindTrace, func(k, rec []byte) error {
		bucket, key, id, ok := cutObject(k)
		if !ok {
			return errRecord
		}
		if _, err := locate(c.r, bucket, key, string(id)); err != nil {
			return fmt.Errorf("explains a version that is not there: %w", err)
		}
		_, err := decodeTraces(rec)
		return err
	})
}

// leftovers finds clean-ups that did not happen.
func (c *checker) leftovers() error {
	for _, k := range []kind{kindTrash, kindEnded} {
		err := c.each(k, func(_, _ []byte) error { return errors.New("was not cleaned up") })
		if err != nil {
			return err
		}
	}
	return nil
}

// blobs compares the blob files with the records.
func (c *checker) blobs(ctx context.Context) error {
	err := c.s.cfg.Blobs.List(ctx, func(id blob.ID) error {
		if !c.files[id] {
			c.broken("blob %s is referred to by nothing", id)
		}
		delete(c.files, id)
		return nil
	})
	for id := range c.files {
		c.broken("blob %s is missing", id)
	}
	return err
}
