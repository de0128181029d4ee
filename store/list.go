package store

import (
	"bytes"
	"context"
	"strings"

	"twinbucket/store/kv"
)

// ListQuery pages through keys. Keys sort by their bytes.
type ListQuery struct {
	Bucket, Prefix, Delimiter string
	After                     string // start strictly after this key or common prefix
	AfterVersion              string // ListVersions: continue within key After, after this version id
	Max                       int
}

// ListPage is one page. Entries and Prefixes together hold at most Max items;
// Next (and NextVersion) continue when Truncated.
//
// The versions are summaries, which cost no look at anything but the record at hand:
// Bucket, Key, ID, Order, DeleteMarker, Multipart, IsReplica, Size, ETag, LastModified,
// Owner, StorageClass, Checksum.Algorithm, Checksum.Type, Lock and Restore. Version has
// the rest.
type ListPage struct {
	Versions          []*Version
	Latest            []bool // ListVersions: parallel to Versions
	Prefixes          []string
	Truncated         bool
	Next, NextVersion string
}

// List lists current versions that are not delete markers. Its cost is that of the
// page: a common prefix is one seek, however many keys it hides, and one more for
// every key that is deleted.
func (s *Store) List(ctx context.Context, q ListQuery) (*ListPage, error) {
	var l *lister
	err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		l = newLister(&q)
		if _, err := s.bucketIn(r, q.Bucket); err != nil || q.Max <= 0 {
			return err
		}
		return l.current(r)
	})
	if err != nil {
		return nil, failed(err)
	}
	return &l.page, nil
}

// lister fills a page.
type lister struct {
	q      *ListQuery
	page   ListPage
	bucket []byte    // prefix of the bucket's head records
	slab   []Version // versions of the page that are still free
}

func newLister(q *ListQuery) *lister {
	return &lister{q: q, bucket: inBucket(kindHead, q.Bucket)}
}

// bounds returns the range of the bucket's head records to look at. A page that
// starts after a common prefix, or after a key within one, starts after all its keys,
// for they were rolled up in a page before (D64).
func (l *lister) bounds() (start, end []byte) {
	prefix := append(bytes.Clone(l.bucket), l.q.Prefix...)
	start, end = prefix, kv.PrefixEnd(prefix)
	if l.q.After == "" {
		return start, end
	}
	after := append(bytes.Clone(l.bucket), l.q.After...)
	if common, ok := l.rollUp(l.q.After); ok {
		after = kv.PrefixEnd(append(bytes.Clone(l.bucket), common...))
	} else if l.q.AfterVersion == "" {
		after = append(after, 0)
	}
	if bytes.Compare(after, start) > 0 {
		start = after
	}
	return start, end
}

// rollUp returns the common prefix that stands for key, if one does.
func (l *lister) rollUp(key string) (common string, ok bool) {
	if l.q.Delimiter == "" || !strings.HasPrefix(key, l.q.Prefix) {
		return "", false
	}
	n := len(l.q.Prefix)
	i := strings.Index(key[n:], l.q.Delimiter)
	if i < 0 {
		return "", false
	}
	return key[:n+i+len(l.q.Delimiter)], true
}

// full reports whether the page is full, and marks it truncated: it is asked when
// there is one more item.
func (l *lister) full() bool {
	l.page.Truncated = len(l.page.Versions)+len(l.page.Prefixes) >= l.q.Max
	return l.page.Truncated
}

// addPrefix adds a common prefix.
func (l *lister) addPrefix(common string) {
	l.page.Prefixes = append(l.page.Prefixes, common)
	l.page.Next, l.page.NextVersion = common, ""
}

// add adds the summary of a version.
func (l *lister) add(key string, rec []byte) error {
	if len(l.slab) == 0 {
		n := len(l.page.Versions)
		l.slab = make([]Version, min(max(8, n), 256, l.q.Max-n))
	}
	v := &l.slab[0]
	l.slab = l.slab[1:]
	v.Bucket, v.Key = l.q.Bucket, key
	l.page.Versions = append(l.page.Versions, v)
	l.page.Next = key
	return decodeSummary(rec, v)
}

// current walks the head records.
func (l *lister) current(r kv.Reader) error {
	start, end := l.bounds()
	c := r.Cursor(start, end)
	for k, rec := c.Next(); k != nil; {
		head, err := parseHead(rec)
		if err != nil {
			return err
		}
		if head.marker() {
			k, rec = c.Next()
			continue
		}
		if l.full() {
			return nil
		}
		key := string(k[len(l.bucket):])
		if common, ok := l.rollUp(key); ok {
			l.addPrefix(common)
			k, rec = l.skip(c, common)
			continue
		}
		if err := l.add(key, head.rec); err != nil {
			return err
		}
		k, rec = c.Next()
	}
	return c.Err()
}

// skip seeks past all keys of a common prefix.
func (l *lister) skip(c kv.Cursor, common string) (k, rec []byte) {
	past := kv.PrefixEnd(append(bytes.Clone(l.bucket), common...))
	return c.Seek(past)
}
