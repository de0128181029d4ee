// Package blob seals object data and keeps it in files that never change.
//
// # Sealing
//
// [Seal] encrypts a stream of any length under a data key, [Open] reads any range of it back;
// [SealBytes] and [OpenBytes] do the same in memory, in the same format, for objects small
// enough to live in their record. The format is authenticated in every respect: a bit flipped,
// a chunk moved, the end cut off or something appended, data of another blob under this id: all
// are a [*CorruptError], and Open proves the size before it returns, so a reader that promises a
// length to a client keeps it or fails on a damaged chunk in between. A wrong data key is
// [ErrWrongKey].
//
//	header (40 bytes)   "TWBB", version 1, log2 of the chunk size (16), two zero bytes,
//	                    salt (16), key check (16)
//	chunks              65,536 bytes of AES-256-GCM ciphertext and a 16-byte tag each;
//	                    the last one is shorter or full, and empty only if the blob is
//
// HKDF-SHA256 of the data key with the salt, info "twinbucket blob 1", gives 48 bytes: the AES
// key of this blob and the key check, which tells a wrong key from damage and binds the
// ciphertext to one key. The nonce of a chunk is its number (88 bits, big endian) and a byte
// that is 1 for the last chunk only. The associated data of every chunk are the 16 bytes of the
// blob's id and the header. Two blobs of one data key share nothing, so copying an object under
// its old data key is safe.
//
// # Files
//
// [Dir] stores sealed blobs under their [ID]: written under a temporary name, synced, renamed. A
// blob is durable when Commit returns, and nothing may refer to it before. Blobs that nothing
// refers to, because the process died between Commit and the record or between the record and
// Remove, are found by [Dir.Sweep] at the next start.
//
// Memory: a stream of any length holds one buffer of 64 KiB being written and two being read,
// taken from a pool.
package blob

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ID names a blob. It is 16 random bytes, never used twice; its text form is 32 lower-case hex
// digits.
type ID [16]byte

// NewID reads an id from random, crypto/rand.Reader if nil.
func NewID(random io.Reader) (ID, error) {
	var id ID
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return ID{}, fmt.Errorf("blob: reading random bytes: %w", err)
	}
	return id, nil
}

// ParseID parses the text form.
func ParseID(text string) (ID, error) {
	var id ID
	if err := id.UnmarshalText([]byte(text)); err != nil {
		return ID{}, err
	}
	return id, nil
}

// IsZero reports whether id is the zero ID, which names no blob.
func (id ID) IsZero() bool { return id == ID{} }

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It accepts exactly what MarshalText writes.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(id)) {
		return fmt.Errorf("blob: id %q does not have 32 hex digits", text)
	}
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return fmt.Errorf("blob: id %q has a character that is not a lower-case hex digit", text)
		}
	}
	_, err := hex.Decode(id[:], text)
	return err
}

// Errors of sealed data.
var (
	// ErrCorrupt is what every *CorruptError wraps.
	ErrCorrupt = errors.New("blob: sealed data is corrupt")
	// ErrWrongKey is returned when the data key is not the one the blob was sealed with.
	ErrWrongKey = errors.New("blob: data key does not belong to this blob")
)

// ErrNotFound is returned by Dir.Open when there is no blob of that id.
var ErrNotFound = errors.New("blob: not found")

// CorruptError says which part of which blob failed authentication.
type CorruptError struct {
	ID     ID
	Chunk  int64 // counted from 0; -1 for the header or the length
	Reason string
}

func (e *CorruptError) Error() string {
	if e.Chunk < 0 {
		return fmt.Sprintf("%v: %s: %s", ErrCorrupt, e.ID, e.Reason)
	}
	return fmt.Sprintf("%v: %s: chunk %d: %s", ErrCorrupt, e.ID, e.Chunk, e.Reason)
}

// Unwrap makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Unwrap() error { return ErrCorrupt }
