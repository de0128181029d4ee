package store

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io"
)

// NullVersion is the id of versions written while versioning was not enabled.
const NullVersion = "null"

const positionLen = 8 + 16

// position is where a version stands among those of its key, newest first: its
// Order, then random bytes. As bytes it ends the key of the version's record, as
// text it is the version id. Null versions have no random bytes, and their position
// is not in their id: the head record keeps their order.
type position struct {
	order  uint64
	random [16]byte
	null   bool
}

// append appends the sortable form.
func (p position) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, ^p.order)
	if p.null {
		return b
	}
	return append(b, p.random[:]...)
}

// parsePosition undoes append.
func parsePosition(b []byte) (p position, ok bool) {
	switch len(b) {
	case 8:
		p.null = true
	case positionLen:
		copy(p.random[:], b[8:])
	default:
		return position{}, false
	}
	p.order = ^binary.BigEndian.Uint64(b)
	return p, true
}

// newer reports whether p stands before q.
func (p position) newer(q position) bool {
	if p.order != q.order {
		return p.order > q.order
	}
	if p.null != q.null {
		return p.null
	}
	return bytes.Compare(p.random[:], q.random[:]) < 0
}

// idText is base64 with an alphabet in the order of its bytes, so that ids sort as
// positions do, and without "-", which a command line would take for an option.
var idText = base64.NewEncoding("." +
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz").WithPadding(base64.NoPadding).Strict()

// id is the version id: 32 characters, or "null".
func (p position) id() string {
	if p.null {
		return NullVersion
	}
	var b [positionLen]byte
	return idText.EncodeToString(p.append(b[:0]))
}

// parseID undoes id for versions that are not null.
func parseID(id string) (p position, ok bool) {
	if len(id) != 32 {
		return position{}, false
	}
	var b [positionLen]byte
	if n, err := idText.Decode(b[:], []byte(id)); err != nil || n != positionLen {
		return position{}, false
	}
	return parsePosition(b[:])
}

// ValidVersionID reports whether id could be a version id: "null" or one of the
// form this package makes. Others are malformed rather than missing.
func ValidVersionID(id string) bool {
	if id == NullVersion {
		return true
	}
	_, ok := parseID(id)
	return ok
}

// nextOrder is the clock in nanoseconds, or one more than the last if the clock did
// not advance: strictly increasing in this process. A transaction raises it further
// if the key already has a newer version, which happens when an earlier process ran
// on an advanced clock.
func (s *Store) nextOrder(now uint64) uint64 {
	for {
		last := s.lastOrder.Load()
		next := max(now, last+1)
		if s.lastOrder.CompareAndSwap(last, next) {
			return next
		}
	}
}

// random fills b from the configured source. Without randomness nothing can be
// written safely, and crypto/rand never fails.
func (s *Store) random(b []byte) {
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		panic("store: random source failed: " + err.Error())
	}
}
