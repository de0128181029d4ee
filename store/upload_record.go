package store

import (
	"encoding/binary"
	"time"
)

// uploadRecord is a multipart upload as it is kept. revision counts the changes to
// its parts and fences Complete against a part that is replaced meanwhile.
type uploadRecord struct {
	Upload
	revision uint64
	existed  bool // the key had a live current version when the upload began
}

func encodeUpload(u *uploadRecord) []byte {
	e := encoder{b: make([]byte, 0, 256)}
	e.fixed(u.revision)
	e.byte(recordFormat)
	e.bool(u.existed)
	e.string(u.Initiator)
	e.time(u.Initiated)
	return appendVersion(e.b, &u.Version, position{}, partSet{})
}

// uploadRevision reads the revision of an upload record.
func uploadRevision(rec []byte) (uint64, error) {
	if len(rec) < 8 {
		return 0, errRecord
	}
	return binary.BigEndian.Uint64(rec), nil
}

func decodeUpload(bucket, key, id string, rec []byte) (*uploadRecord, error) {
	revision, err := uploadRevision(rec)
	if err != nil {
		return nil, err
	}
	u := &uploadRecord{Upload: Upload{ID: id}, revision: revision}
	d := decoder{s: string(rec[8:])}
	d.format()
	u.existed, u.Initiator, u.Initiated = d.bool(), d.string(), d.time()
	if d.bad {
		return nil, errRecord
	}
	v, set, err := decodeVersion(bucket, key, rec[len(rec)-len(d.s):])
	if err != nil || !set.isZero() {
		return nil, errRecord
	}
	u.Version = *v
	u.Version.ID = ""
	return u, nil
}

func encodeStoredPart(p *StoredPart) []byte {
	e := encoder{b: make([]byte, 0, 96)}
	e.byte(recordFormat)
	e.time(p.Modified)
	appendPart(&e, &p.Part)
	return e.b
}

func decodeStoredPart(rec []byte) (p StoredPart, err error) {
	d := decoder{s: string(rec)}
	d.format()
	p.Modified = d.time()
	p.Part = d.part()
	d.bad = d.bad || d.s != ""
	return p, d.err()
}

// versionRef names one version for good: a null version that takes the place of
// another has another order.
type versionRef struct {
	bucket, key string
	pos         position
	at          time.Time
}

func encodeRef(r *versionRef) []byte {
	e := encoder{}
	e.byte(recordFormat)
	e.strings(r.bucket, r.key)
	e.bytes(r.pos.append(nil))
	e.time(r.at)
	return e.b
}

func decodeRef(rec []byte) (r versionRef, err error) {
	d := decoder{s: string(rec)}
	d.format()
	r.bucket, r.key = d.string(), d.string()
	var ok bool
	r.pos, ok = parsePosition([]byte(d.string()))
	r.at = d.time()
	d.bad = d.bad || !ok || d.s != ""
	return r, d.err()
}
