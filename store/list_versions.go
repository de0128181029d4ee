package store

import (
	"bytes"
	"context"

	"twinbucket/store/kv"
)

// ListVersions lists all versions and markers, by key, newest first. A version id to
// continue after need not exist any more; if it is "null" and that is gone, the key is
// listed from its newest version again.
func (s *Store) ListVersions(ctx context.Context, q ListQuery) (*ListPage, error) {
	var l *versionLister
	err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		l = &versionLister{lister: *newLister(&q)}
		if _, err := s.bucketIn(r, q.Bucket); err != nil || q.Max <= 0 {
			return err
		}
		return l.walk(r)
	})
	if err != nil {
		return nil, failed(err)
	}
	return &l.page, nil
}

// versionLister walks the head records and, beside them, the records of the other
// versions: both are ordered by key, so the second cursor only follows the first.
type versionLister struct {
	lister
	versions kv.Cursor
	k, rec   []byte // where versions stands
}

func (l *versionLister) walk(r kv.Reader) error {
	start, end := l.bounds()
	heads := r.Cursor(start, end)
	all := inBucket(kindVersion, l.q.Bucket)
	l.versions = r.Cursor(all, kv.PrefixEnd(all))
	for k, rec := heads.Next(); k != nil; {
		key := string(k[len(l.bucket):])
		if common, ok := l.rollUp(key); ok {
			if l.full() {
				return nil
			}
			l.addPrefix(common)
			l.k = nil
			k, rec = l.skip(heads, common)
			continue
		}
		head, err := parseHead(rec)
		if err != nil {
			return err
		}
		if more, err := l.object(key, &head); err != nil || !more {
			return err
		}
		k, rec = heads.Next()
	}
	return heads.Err()
}

// object lists the versions of one key; more is false when the page is full.
func (l *versionLister) object(key string, head *headRecord) (more bool, err error) {
	after, skipping := l.resume(key, head)
	if !skipping || after.newer(head.pos) {
		if l.full() {
			return false, nil
		}
		if err := l.version(key, head.rec, true); err != nil {
			return false, err
		}
	}
	prefix := inObject(kindVersion, l.q.Bucket, key, positionLen)
	for l.seek(prefix); bytes.HasPrefix(l.k, prefix); l.k, l.rec = l.versions.Next() {
		pos, ok := parsePosition(l.k[len(prefix):])
		if !ok {
			return false, errRecord
		}
		if skipping && !after.newer(pos) {
			continue
		}
		if l.full() {
			return false, nil
		}
		if err := l.version(key, l.rec, false); err != nil {
			return false, err
		}
	}
	return true, l.versions.Err()
}

// seek brings the version cursor to the key's versions, where it mostly stands.
func (l *versionLister) seek(prefix []byte) {
	if l.k == nil || bytes.Compare(l.k, prefix) < 0 {
		l.k, l.rec = l.versions.Seek(prefix)
	}
}

// resume returns the position after which the first key goes on.
func (l *versionLister) resume(key string, head *headRecord) (after position, skipping bool) {
	if l.q.AfterVersion == "" || key != l.q.After {
		return position{}, false
	}
	switch {
	case l.q.AfterVersion != NullVersion:
		return parseID(l.q.AfterVersion)
	case head.pos.null:
		return head.pos, true
	case head.nullOrder != 0:
		return position{order: head.nullOrder, null: true}, true
	}
	return position{}, false
}

func (l *versionLister) version(key string, rec []byte, latest bool) error {
	if err := l.add(key, rec); err != nil {
		return err
	}
	l.page.Latest = append(l.page.Latest, latest)
	l.page.NextVersion = l.page.Versions[len(l.page.Versions)-1].ID
	return nil
}
