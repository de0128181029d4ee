package store

import (
	"encoding/binary"
	"math"
	"time"

	"twinbucket/store/blob"
)

// Every key of this package begins with these bytes and one kind byte.
const namespace = "s3/"

// kind is the first byte of a key after the namespace. The comments give what
// follows it in the key and what the record holds. T ends an escaped component.
type kind byte

const (
	kindFormat    kind = 'F' // nothing: the format of all records
	kindMaster    kind = 'M' // nothing: the master key of SSE-S3
	kindAccount   kind = 'A' // account: accountRecord
	kindBucket    kind = 'B' // name: bucketRecord
	kindHead      kind = 'h' // bucket T key: headRecord, the current version
	kindVersion   kind = 'v' // bucket T key T position: version record, not current
	kindInline    kind = 'd' // data id: sealed bytes
	kindBlob      kind = 'b' // data id: empty; the blob of that id is in use
	kindPartSet   kind = 'm' // set id, chunk number: parts of a version with many
	kindTask      kind = 't' // bucket T rule id T destination T due time, task id: task record
	kindPending   kind = 'k' // bucket T key T version id: where the version's tasks are
	kindTrace     kind = 'r' // bucket T key T version id: traces by destination
	kindWatch     kind = 'w' // time, bucket T key T version id: destinations whose threshold passes then
	kindUpload    kind = 'u' // bucket T key T upload id: upload record
	kindPart      kind = 'p' // upload id T part number: stored part
	kindCompleted kind = 'c' // bucket T key T upload id: what a completed upload became
	kindTrash     kind = 'g' // set id: a part set to be destroyed
	kindEnded     kind = 'e' // upload id: an upload whose parts are to be removed
)

// Components that are not last in a key are escaped so that the encoded order is
// the order of the bytes, whatever they are: 00 becomes 00 ff, and 00 01 ends the
// component. The last component is raw; of head records that is the object key, so
// prefixes and common prefixes of object keys are prefixes of record keys.
func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if b = append(b, s[i]); s[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return b
}

func appendComponent(b []byte, s string) []byte { return append(appendEscaped(b, s), 0, 1) }

// cutComponent undoes appendComponent and returns what follows.
func cutComponent(b []byte) (s string, rest []byte, ok bool) {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] != 0 {
			out = append(out, b[i])
			continue
		}
		if i+1 == len(b) {
			return "", nil, false
		}
		switch b[i+1] {
		case 0xff:
			out = append(out, 0)
			i++
		case 1:
			return string(out), b[i+2:], true
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

// newKey starts a key with room for n more bytes.
func newKey(k kind, n int) []byte {
	b := make([]byte, 0, len(namespace)+1+n)
	return append(append(b, namespace...), byte(k))
}

func plainKey(k kind) []byte { return newKey(k, 0) }

func bucketKey(name string) []byte { return append(newKey(kindBucket, len(name)), name...) }

// inBucket is the prefix of all keys of kind k that belong to a bucket.
func inBucket(k kind, bucket string) []byte {
	return appendComponent(newKey(k, len(bucket)+2), bucket)
}

func headKey(bucket, key string) []byte {
	b := appendComponent(newKey(kindHead, len(bucket)+2+len(key)), bucket)
	return append(b, key...)
}

// inObject is the prefix of all keys of kind k that belong to an object key.
func inObject(k kind, bucket, key string, extra int) []byte {
	b := appendComponent(newKey(k, len(bucket)+len(key)+4+extra), bucket)
	return appendComponent(b, key)
}

func versionKey(bucket, key string, p position) []byte {
	return p.append(inObject(kindVersion, bucket, key, positionLen))
}

// ofVersion is the key of a record that belongs to one version by its id.
func ofVersion(k kind, bucket, key, id string) []byte {
	return append(inObject(k, bucket, key, len(id)), id...)
}

// cutObject splits a key of an inObject kind into its parts.
func cutObject(k []byte) (bucket, key string, rest []byte, ok bool) {
	if len(k) < len(namespace)+1 {
		return "", "", nil, false
	}
	bucket, rest, ok = cutComponent(k[len(namespace)+1:])
	if !ok {
		return "", "", nil, false
	}
	key, rest, ok = cutComponent(rest)
	return bucket, key, rest, ok
}

// cutHead splits the key of a head record.
func cutHead(k []byte) (bucket, key string, ok bool) {
	if len(k) < len(namespace)+1 {
		return "", "", false
	}
	bucket, rest, ok := cutComponent(k[len(namespace)+1:])
	return bucket, string(rest), ok
}

// cutID splits the key of a record by data id.
func cutID(k []byte) (id blob.ID, ok bool) {
	const at = len(namespace) + 1
	if len(k) != at+len(id) {
		return id, false
	}
	return blob.ID(k[at:]), true
}

func idKey(k kind, id blob.ID) []byte { return append(newKey(k, len(id)), id[:]...) }

func partSetKey(set blob.ID, chunk int) []byte {
	b := append(newKey(kindPartSet, len(set)+2), set[:]...)
	return binary.BigEndian.AppendUint16(b, uint16(chunk))
}

// inQueue is the prefix of all tasks of a queue; room is for what follows.
func inQueue(q RuleKey, room int) []byte {
	b := newKey(kindTask, len(q.Bucket)+len(q.RuleID)+len(q.Destination)+6+room)
	return appendComponent(appendComponent(appendComponent(b, q.Bucket), q.RuleID), q.Destination)
}

// dueAt is the place in a queue of the first task that is due at due or later.
func dueAt(q RuleKey, due time.Time, room int) []byte {
	return binary.BigEndian.AppendUint64(inQueue(q, 8+room), nanos(due))
}

func taskKey(q RuleKey, due time.Time, id string) []byte {
	return append(dueAt(q, due, len(id)), id...)
}

// cutTask splits a task key.
func cutTask(k []byte) (q RuleKey, due time.Time, ok bool) {
	if len(k) < len(namespace)+1 {
		return q, due, false
	}
	rest := k[len(namespace)+1:]
	for _, s := range []*string{&q.Bucket, &q.RuleID, &q.Destination} {
		if *s, rest, ok = cutComponent(rest); !ok {
			return q, due, false
		}
	}
	if len(rest) < 8 {
		return q, due, false
	}
	return q, fromNanos(binary.BigEndian.Uint64(rest)), true
}

func uploadKey(bucket, key, id string) []byte { return ofVersion(kindUpload, bucket, key, id) }

func inUpload(id string) []byte { return appendComponent(newKey(kindPart, len(id)+4), id) }

func partKey(upload string, number int) []byte {
	return binary.BigEndian.AppendUint16(inUpload(upload), uint16(number))
}

// nanos is t as unsigned nanoseconds since 1970, which sort as the times do. Times
// out of range become the nearest end of it.
func nanos(t time.Time) uint64 {
	switch y := t.Year(); {
	case y < 1970:
		return 0
	case y > 2261:
		return math.MaxInt64
	}
	return uint64(t.UnixNano())
}

// fromNanos undoes nanos; 0 is the zero time.
func fromNanos(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(min(n, math.MaxInt64))).UTC()
}
