package store

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"twinbucket/store/blob"
)

// recordFormat is the first byte of every binary record; Open refuses a store
// written in another one.
const recordFormat = 1

// errRecord is returned for a record that this package did not write.
var errRecord = errors.New("store: damaged record")

// encoder builds a record. Integers are varints, strings and lists are preceded by
// their length.
type encoder struct{ b []byte }

func (e *encoder) byte(v byte)      { e.b = append(e.b, v) }
func (e *encoder) uint(v uint64)    { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) fixed(v uint64)   { e.b = binary.BigEndian.AppendUint64(e.b, v) }
func (e *encoder) raw(v []byte)     { e.b = append(e.b, v...) }
func (e *encoder) id(v blob.ID)     { e.b = append(e.b, v[:]...) }
func (e *encoder) time(v time.Time) { e.uint(nanos(v)) }

func (e *encoder) int(v int64) { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

func (e *encoder) string(v string) {
	e.uint(uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) bytes(v []byte) {
	e.uint(uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) strings(v ...string) {
	for _, s := range v {
		e.string(s)
	}
}

func (e *encoder) pairs(m map[string]string) {
	e.uint(uint64(len(m)))
	if len(m) == 0 {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		e.strings(k, m[k])
	}
}

func (e *encoder) tags(tags []Tag) {
	e.uint(uint64(len(tags)))
	for _, t := range tags {
		e.strings(t.Key, t.Value)
	}
}

// acl writes 0 for nil, else one more than the number of grants, and the grants.
func (e *encoder) acl(a *ACL) {
	if a == nil {
		e.uint(0)
		return
	}
	e.uint(uint64(len(a.Grants)) + 1)
	for _, g := range a.Grants {
		e.strings(g.Grantee, g.Permission)
	}
}

// decoder reads a record. The record is a string made once, of which the decoded
// strings are parts: one allocation for all of them. After a failed read everything
// reads as zero; the caller looks at bad once, at the end.
type decoder struct {
	s   string
	bad bool
}

func (d *decoder) err() error {
	if d.bad {
		return errRecord
	}
	return nil
}

// take cuts n bytes.
func (d *decoder) take(n uint64) string {
	if d.bad || n > uint64(len(d.s)) {
		d.bad = true
		return ""
	}
	v := d.s[:n]
	d.s = d.s[n:]
	return v
}

func (d *decoder) byte() byte {
	if v := d.take(1); v != "" {
		return v[0]
	}
	return 0
}

func (d *decoder) bool() bool {
	v := d.byte()
	d.bad = d.bad || v > 1
	return v == 1
}

func (d *decoder) uint() (v uint64) {
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		if shift == 63 && c > 1 {
			break
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) int() int64 {
	v := d.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (d *decoder) time() time.Time { return fromNanos(d.uint()) }
func (d *decoder) string() string  { return d.take(d.uint()) }

func (d *decoder) bytes() []byte {
	if v := d.string(); v != "" {
		return []byte(v)
	}
	return nil
}

func (d *decoder) id() (id blob.ID) {
	copy(id[:], d.take(uint64(len(id))))
	return id
}

// count reads the length of a list whose elements take at least size bytes each, so
// that a damaged record can't ask for more memory than it has bytes.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.s)/size) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) pairs() map[string]string {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := d.string()
		m[k] = d.string()
	}
	return m
}

func (d *decoder) tags() []Tag {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	tags := make([]Tag, n)
	for i := range tags {
		tags[i] = Tag{Key: d.string(), Value: d.string()}
	}
	return tags
}

func (d *decoder) acl() *ACL {
	n := d.count1(2)
	if n == 0 {
		return nil
	}
	a := &ACL{}
	if n > 1 {
		a.Grants = make([]Grant, n-1)
		for i := range a.Grants {
			a.Grants[i] = Grant{Grantee: d.string(), Permission: d.string()}
		}
	}
	return a
}

// count1 is count for a length that was written plus one.
func (d *decoder) count1(size int) int {
	n := d.uint()
	if n > uint64(len(d.s)/size)+1 {
		d.bad = true
		return 0
	}
	return int(n)
}

// format reads and checks the first byte.
func (d *decoder) format() { d.bad = d.byte() != recordFormat || d.bad }
