package store

import (
	"encoding/binary"
	"time"

	"twinbucket/internal/checksum"
	"twinbucket/store/blob"
)

// A version record is
//
//	format, flags, order (8), random (16), end of the summary (4), summary, details
//
// so that a transaction learns what it needs from the fixed head and LIST decodes
// the summary only. A head record, one per object key, is
//
//	order of the null version if that is not current (8), generation (8), version record
//
// The version of the head record is the current one, the newest; all others have a
// record of their own, and a version moves between the two as its bytes are. The
// generation counts the changes to the set of the key's versions that leave the
// current one in place.
const (
	flagMarker = 1 << iota
	flagMultipart
	flagReplica
	flagNull
	flagPending // a destination is Pending
	flagFailed  // a destination is Failed
	flagPartSet // the parts are in a part set
	flagExtras  // the summary ends with lock and restore
)

const (
	fixedLen   = 2 + positionLen + 4
	headPrefix = 16
)

// maxParts is how many parts a version record holds; more are in a part set.
const maxParts = 16

// partSet refers to parts kept outside of the version record.
type partSet struct {
	id    blob.ID
	count int
}

func (p partSet) isZero() bool { return p.count == 0 }

// versionHead is the fixed head of a version record.
type versionHead struct {
	flags byte
	pos   position
}

func (h versionHead) marker() bool { return h.flags&flagMarker != 0 }

// readHead reads the fixed head.
func readHead(rec []byte) (h versionHead, err error) {
	if len(rec) < fixedLen || rec[0] != recordFormat {
		return versionHead{}, errRecord
	}
	h.flags = rec[1]
	h.pos.order = binary.BigEndian.Uint64(rec[2:])
	copy(h.pos.random[:], rec[10:])
	h.pos.null = h.flags&flagNull != 0
	return h, nil
}

func versionFlags(v *Version, pos position, set partSet) byte {
	var f byte
	for _, c := range []struct {
		on   bool
		flag byte
	}{
		{v.DeleteMarker, flagMarker},
		{v.Multipart, flagMultipart},
		{v.IsReplica, flagReplica},
		{pos.null, flagNull},
		{!set.isZero(), flagPartSet},
		{v.Lock != Lock{} || v.Restore != Restore{}, flagExtras},
	} {
		if c.on {
			f |= c.flag
		}
	}
	for _, d := range v.Destinations {
		switch d.Status {
		case Pending:
			f |= flagPending
		case Failed:
			f |= flagFailed
		}
	}
	return f
}

// appendVersion appends the record of v at pos; its parts are those of set unless
// that is zero. Bucket and key are not in the record.
func appendVersion(b []byte, v *Version, pos position, set partSet) []byte {
	start := len(b)
	e := encoder{b: append(b, recordFormat, versionFlags(v, pos, set))}
	e.fixed(pos.order)
	e.raw(pos.random[:])
	e.raw([]byte{0, 0, 0, 0})

	e.int(v.Size)
	e.uint(millis(v.LastModified))
	e.strings(v.ETag, v.Owner, v.StorageClass, string(v.Checksum.Algorithm), string(v.Checksum.Type))
	if e.b[start+1]&flagExtras != 0 {
		e.strings(v.Lock.Mode, v.Lock.LegalHold)
		e.time(v.Lock.Until)
		e.time(v.Restore.Ready)
		e.time(v.Restore.Expires)
	}
	binary.BigEndian.PutUint32(e.b[start+2+positionLen:], uint32(len(e.b)-start))

	e.acl(v.ACL)
	e.string(v.Checksum.Value)
	h := &v.Headers
	e.strings(h.ContentType, h.ContentEncoding, h.ContentLanguage, h.ContentDisposition, h.CacheControl, h.Expires, h.WebsiteRedirect)
	e.pairs(v.Metadata)
	e.tags(v.Tags)
	e.strings(v.Encryption.Algorithm, v.Encryption.KeyARN)
	e.pairs(v.Encryption.Context)
	e.bool(v.Encryption.BucketKey)
	e.bytes(v.Encryption.WrappedKey)
	e.uint(uint64(len(v.Destinations)))
	for i := range v.Destinations {
		d := &v.Destinations[i]
		e.strings(d.RuleID, d.Bucket, string(d.Status), d.Reason)
		e.uint(uint64(d.Attempt))
		e.time(d.Updated)
	}
	if !set.isZero() {
		e.id(set.id)
		e.uint(uint64(set.count))
		return e.b
	}
	appendParts(&e, v.Parts)
	return e.b
}

// decodeSummary fills what LIST shows: position, flags, size, date, ETag, owner,
// storage class, checksum algorithm and type, lock, restore.
func decodeSummary(rec []byte, v *Version) error {
	h, err := readHead(rec)
	if err != nil {
		return err
	}
	end := binary.BigEndian.Uint32(rec[2+positionLen:])
	if end < fixedLen || uint64(end) > uint64(len(rec)) {
		return errRecord
	}
	d := decoder{s: string(rec[fixedLen:end])}
	d.summary(h, v)
	return d.err()
}

func (d *decoder) summary(h versionHead, v *Version) {
	v.ID, v.Order = h.pos.id(), h.pos.order
	v.DeleteMarker = h.marker()
	v.Multipart = h.flags&flagMultipart != 0
	v.IsReplica = h.flags&flagReplica != 0
	v.Size = d.int()
	v.LastModified = fromMillis(d.uint())
	v.ETag, v.Owner, v.StorageClass = d.string(), d.string(), d.string()
	v.Checksum.Algorithm, v.Checksum.Type = checksum.Algorithm(d.string()), checksum.Type(d.string())
	if h.flags&flagExtras != 0 {
		v.Lock = Lock{Mode: d.string(), LegalHold: d.string(), Until: d.time()}
		v.Restore = Restore{Ready: d.time(), Expires: d.time()}
	}
}

// decodeVersion decodes a whole version record. Parts of a part set are left out.
func decodeVersion(bucket, key string, rec []byte) (*Version, partSet, error) {
	h, err := readHead(rec)
	if err != nil {
		return nil, partSet{}, err
	}
	v := &Version{Bucket: bucket, Key: key}
	d := decoder{s: string(rec[fixedLen:])}
	before := len(d.s)
	d.summary(h, v)
	if uint64(binary.BigEndian.Uint32(rec[2+positionLen:])) != uint64(fixedLen+before-len(d.s)) {
		return nil, partSet{}, errRecord
	}
	v.ACL, v.Checksum.Value = d.acl(), d.string()
	v.Headers = Headers{
		ContentType: d.string(), ContentEncoding: d.string(), ContentLanguage: d.string(),
		ContentDisposition: d.string(), CacheControl: d.string(), Expires: d.string(), WebsiteRedirect: d.string(),
	}
	v.Metadata = d.pairs()
	v.Tags = d.tags()
	v.Encryption = Encryption{
		Algorithm: d.string(), KeyARN: d.string(), Context: d.pairs(), BucketKey: d.bool(), WrappedKey: d.bytes(),
	}
	if n := d.count(6); n > 0 {
		v.Destinations = make([]DestinationStatus, n)
		for i := range v.Destinations {
			v.Destinations[i] = DestinationStatus{
				RuleID: d.string(), Bucket: d.string(), Status: ReplicationStatus(d.string()), Reason: d.string(),
				Attempt: int(d.uint() & 0x7fffffff), Updated: d.time(),
			}
		}
	}
	var set partSet
	if h.flags&flagPartSet != 0 {
		set.id, set.count = d.id(), int(d.uint()&0xffff)
		d.bad = d.bad || set.isZero()
	} else {
		v.Parts = d.parts()
	}
	if d.bad || d.s != "" || versionFlags(v, h.pos, set) != h.flags {
		return nil, partSet{}, errRecord
	}
	return v, set, nil
}

// partSetOf reads the part set of a version record, which ends it; zero if it has none.
func partSetOf(rec []byte) (set partSet, err error) {
	if len(rec) < fixedLen || rec[1]&flagPartSet == 0 {
		return partSet{}, nil
	}
	_, set, err = decodeVersion("", "", rec)
	return set, err
}

// partLen is the least length of an encoded part.
const partLen = 1 + 1 + 3 + 16 + 1 + 1

func appendParts(e *encoder, parts []Part) {
	e.uint(uint64(len(parts)))
	for i := range parts {
		appendPart(e, &parts[i])
	}
}

func appendPart(e *encoder, p *Part) {
	e.uint(uint64(p.Number))
	e.strings(p.ETag, string(p.Checksum.Algorithm), string(p.Checksum.Type), p.Checksum.Value)
	e.id(p.Data.ID)
	form := byte(0)
	if p.Data.File {
		form |= dataFile
	}
	if !p.Data.Sealed.IsZero() {
		form |= dataCopied
	}
	e.byte(form)
	e.int(p.Data.Size)
	if form&dataCopied != 0 {
		e.id(p.Data.Sealed)
	}
}

// The form of a part's data: where they are, and whether they were sealed under
// another id than they have.
const (
	dataFile byte = 1 << iota
	dataCopied
)

func (d *decoder) parts() []Part {
	n := d.count(partLen)
	if n == 0 {
		return nil
	}
	parts := make([]Part, n)
	for i := range parts {
		parts[i] = d.part()
	}
	return parts
}

func (d *decoder) part() (p Part) {
	p.Number = int(d.uint() & 0xffff)
	p.ETag = d.string()
	p.Checksum = Checksum{Algorithm: checksum.Algorithm(d.string()), Type: checksum.Type(d.string()), Value: d.string()}
	p.Data.ID = d.id()
	form := d.byte()
	p.Data.File, p.Data.Size = form&dataFile != 0, d.int()
	if form&dataCopied != 0 {
		p.Data.Sealed = d.id()
		d.bad = d.bad || p.Data.Sealed.IsZero()
	}
	d.bad = d.bad || form > dataFile|dataCopied
	return p
}

// headRecord is the decoded frame of a head record.
type headRecord struct {
	versionHead
	nullOrder  uint64 // order of the null version when it is not current, else 0
	generation uint64
	rec        []byte // the current version's record; nil when the key has no versions
}

func (h *headRecord) exists() bool { return h.rec != nil }

// live reports whether the key has a current version that is not a delete marker.
func (h *headRecord) live() bool { return h.exists() && !h.marker() }

func parseHead(b []byte) (headRecord, error) {
	if len(b) < headPrefix {
		return headRecord{}, errRecord
	}
	vh, err := readHead(b[headPrefix:])
	return headRecord{
		versionHead: vh,
		nullOrder:   binary.BigEndian.Uint64(b),
		generation:  binary.BigEndian.Uint64(b[8:]),
		rec:         b[headPrefix:],
	}, err
}

// newHead starts a head record; the caller appends the version record.
func newHead(nullOrder, generation uint64, room int) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, headPrefix+room), nullOrder)
	return binary.BigEndian.AppendUint64(b, generation)
}

// LastModified is kept in milliseconds, the precision S3 shows in XML; 0 is the
// zero time.
func millis(t time.Time) uint64 { return nanos(t) / uint64(time.Millisecond) }

func fromMillis(ms uint64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms & (1<<53 - 1))).UTC()
}
