package store

import (
	"bytes"
	"context"
	"slices"

	"twinbucket/internal/failure"
	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// Version returns one version or marker; id "" is the current one. A missing key is
// NoSuchKey, a missing id NoSuchVersion; a current delete marker is returned as such.
// The data of a version of one inline part come along in Parts[0].Data.Inline, so
// that a reader of small objects can't miss them.
func (s *Store) Version(ctx context.Context, bucket, key, id string) (v *Version, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		loc, err := locate(r, bucket, key, id)
		if err != nil {
			return s.orNoBucket(r, bucket, err)
		}
		if v, err = loadVersion(r, bucket, key, loc.rec); err != nil {
			return err
		}
		if len(v.Parts) != 1 || v.Parts[0].Data.File || v.Parts[0].Data.ID.IsZero() {
			return nil
		}
		sealed, err := r.Get(idKey(kindInline, v.Parts[0].Data.ID))
		v.Parts[0].Data.Inline = slices.Clone(sealed)
		return err
	})
	if err != nil {
		return nil, failed(err)
	}
	return v, nil
}

// orNoBucket replaces the error of a missing key by that of a missing bucket. A
// version that is found proves its bucket, so only misses look.
func (s *Store) orNoBucket(g getter, bucket string, err error) error {
	switch failure.CodeOf(err) {
	case "NoSuchKey", "NoSuchVersion", "NoSuchUpload":
		if rec, e := lookup(g, bucketKey(bucket)); e == nil && rec == nil {
			return noSuchBucket(bucket)
		}
	}
	return err
}

// located is a version in its place.
type located struct {
	versionHead
	rec     []byte     // version record
	head    headRecord // of the key
	current bool       // the version is in the head record
}

// getHead reads the head record of a key; exists is false when there is none.
func getHead(g getter, bucket, key string) (headRecord, error) {
	b, err := lookup(g, headKey(bucket, key))
	if err != nil || b == nil {
		return headRecord{}, err
	}
	return parseHead(b)
}

// locate finds a version by its id, "" being the current one. Errors: NoSuchKey if
// id is "", else NoSuchVersion.
func locate(g getter, bucket, key, id string) (located, error) {
	head, err := getHead(g, bucket, key)
	if err != nil {
		return located{}, err
	}
	if !head.exists() {
		if id == "" {
			return located{}, noSuchKey(key)
		}
		return located{}, noSuchVersion(key, id)
	}
	var pos position
	switch ok := true; {
	case id == "", id == head.pos.id():
		return located{versionHead: head.versionHead, rec: head.rec, head: head, current: true}, nil
	case id == NullVersion && head.nullOrder != 0:
		pos = position{order: head.nullOrder, null: true}
	case id == NullVersion:
		return located{}, noSuchVersion(key, id)
	default:
		if pos, ok = parseID(id); !ok {
			return located{}, noSuchVersion(key, id)
		}
	}
	rec, err := lookup(g, versionKey(bucket, key, pos))
	if err != nil {
		return located{}, err
	}
	if rec == nil {
		return located{}, noSuchVersion(key, id)
	}
	vh, err := readHead(rec)
	return located{versionHead: vh, rec: rec, head: head}, err
}

// loadVersion decodes a version with all its parts.
func loadVersion(g getter, bucket, key string, rec []byte) (*Version, error) {
	v, set, err := decodeVersion(bucket, key, rec)
	if err == nil && !set.isZero() {
		v.Parts, err = readPartSet(g, set)
	}
	return v, err
}

// rewrite stores a changed version in its place. Position and parts stay as they are.
func (l *located) rewrite(tx kv.Txn, v *Version) error {
	set, err := partSetOf(l.rec)
	if err != nil {
		return err
	}
	if !l.current {
		tx.Put(versionKey(v.Bucket, v.Key, l.pos), appendVersion(make([]byte, 0, len(l.rec)+64), v, l.pos, set))
		return nil
	}
	b := newHead(l.head.nullOrder, l.head.generation, len(l.rec)+64)
	tx.Put(headKey(v.Bucket, v.Key), appendVersion(b, v, l.pos, set))
	return nil
}

// check tests a write precondition against the current version (D54).
func (c Condition) check(key string, head *headRecord) error {
	if c.IfNoneMatch && head.live() {
		return preconditionFailed("If-None-Match")
	}
	if c.IfMatch == "" {
		return nil
	}
	if !head.live() {
		return noSuchKey(key)
	}
	return c.checkETag(head)
}

func (c Condition) checkETag(head *headRecord) error {
	var current Version
	if err := decodeSummary(head.rec, &current); err != nil {
		return err
	}
	if c.IfMatch != "*" && c.IfMatch != current.ETag {
		return preconditionFailed("If-Match")
	}
	return nil
}

// holdData writes the records that keep the data of parts: the sealed bytes, or the
// note that the blob is in use.
func holdData(tx kv.Txn, parts []Part) {
	for i := range parts {
		d := &parts[i].Data
		switch {
		case d.ID.IsZero():
		case d.File:
			tx.Put(idKey(kindBlob, d.ID), nil)
		default:
			tx.Put(idKey(kindInline, d.ID), d.Inline)
		}
	}
}

// dropData removes what holdData wrote, and the blobs after the commit.
func dropData(tx kv.Txn, c *change, parts []Part) {
	for i := range parts {
		d := &parts[i].Data
		switch {
		case d.ID.IsZero():
		case d.File:
			tx.Delete(idKey(kindBlob, d.ID))
			c.files = append(c.files, d.ID)
		default:
			tx.Delete(idKey(kindInline, d.ID))
		}
	}
}

// dropVersion removes what belongs to a version that is removed in this transaction,
// other than its record: data, tasks, traces.
func dropVersion(tx kv.Txn, c *change, bucket, key string, rec []byte) error {
	v, set, err := decodeVersion(bucket, key, rec)
	if err != nil {
		return err
	}
	if set.isZero() {
		dropData(tx, c, v.Parts)
	} else {
		tx.Put(idKey(kindTrash, set.id), []byte{trashWithData})
		c.sets = append(c.sets, set.id)
	}
	if len(v.Destinations) == 0 {
		return nil
	}
	tx.Delete(ofVersion(kindTrace, bucket, key, v.ID))
	if rec[1]&flagPending == 0 {
		return nil
	}
	k := ofVersion(kindPending, bucket, key, v.ID)
	pending, err := getPending(tx, k)
	if err != nil {
		return err
	}
	for i := range pending {
		rec, err := tx.Get(pending[i].key(bucket))
		if err != nil {
			return err
		}
		t, err := decodeTask(rec)
		if err != nil {
			return err
		}
		tx.Delete(pending[i].key(bucket))
		c.removed = append(c.removed, countedOf(&t.Task))
	}
	tx.Delete(k)
	return nil
}

// checkData refuses parts that PutVersion could not store: a caller's mistake that
// would otherwise lose data.
func checkData(parts []Part) error {
	for i := range parts {
		d := &parts[i].Data
		lost := d.ID.IsZero() && d.Size != 0 || !d.ID.IsZero() && !d.File && len(d.Inline) == 0
		if lost || d.File && len(d.Inline) > 0 || d.Size < 0 {
			return failure.Newf("InternalError", "part %d has no data", parts[i].Number)
		}
	}
	return nil
}

// sortTags returns a sorted copy.
func sortTags(tags []Tag) []Tag {
	sorted := slices.Clone(tags)
	slices.SortFunc(sorted, func(a, b Tag) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	return sorted
}

// dataIDs are the ids of the data of parts.
func dataIDs(parts []Part) map[blob.ID]bool {
	ids := make(map[blob.ID]bool, len(parts))
	for i := range parts {
		ids[parts[i].Data.ID] = true
	}
	return ids
}
