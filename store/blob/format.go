package blob

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"sync"
)

const (
	// ChunkSize is how many bytes of plaintext are sealed together: the unit of a random read.
	ChunkSize = 1 << chunkBits
	chunkBits = 16

	tagSize    = 16
	nonceSize  = 12
	sealedSize = ChunkSize + tagSize // of a full chunk

	saltSize   = 16
	checkSize  = 16
	headerSize = 8 + saltSize + checkSize

	keyInfo = "twinbucket blob 1"
)

// prologue is the constant part of the header: magic, version, chunk size, reserved.
var prologue = [8]byte{'T', 'W', 'B', 'B', 1, chunkBits, 0, 0}

// Overhead is how much longer a sealed blob of one chunk is than its plaintext.
const Overhead = headerSize + tagSize

// SealedSize returns the length of the sealed form of size bytes.
func SealedSize(size int64) int64 {
	chunks := max(1, (size+ChunkSize-1)/ChunkSize)
	return headerSize + size + chunks*tagSize
}

// plainSize undoes SealedSize and counts the chunks; ok is false for a length no blob has.
func plainSize(sealed int64) (size, chunks int64, ok bool) {
	body := sealed - headerSize
	full, rest := body/sealedSize, body%sealedSize
	switch {
	case body < tagSize:
		return 0, 0, false
	case rest == 0:
		return full * ChunkSize, full, true
	case rest < tagSize, rest == tagSize && full > 0:
		return 0, 0, false
	}
	return full*ChunkSize + rest - tagSize, full + 1, true
}

// box seals and opens the chunks of one blob. It is safe for concurrent use.
type box struct {
	aead cipher.AEAD
	aad  [16 + headerSize]byte // id and header
}

// header returns the part of the associated data that is stored.
func (b *box) header() []byte { return b.aad[16:] }

// init derives the keys of a new blob from its salt.
func (b *box) init(key *[32]byte, id ID, salt []byte) error {
	okm, err := derive(key, salt)
	if err != nil {
		return err
	}
	copy(b.aad[:], id[:])
	header := b.header()
	copy(header, prologue[:])
	copy(header[8:], salt)
	copy(header[8+saltSize:], okm[32:])
	return b.setKey(okm[:32])
}

// open checks a stored header and derives the keys. It returns a reason for damage, or an error.
func (b *box) open(key *[32]byte, id ID, header []byte) (reason string, err error) {
	switch {
	case [4]byte(header) != [4]byte(prologue[:]):
		return "it does not begin like a sealed blob", nil
	case [8]byte(header) != prologue:
		return fmt.Sprintf("format version %d is not known", header[4]), nil
	}
	okm, err := derive(key, header[8:8+saltSize])
	if err != nil {
		return "", err
	}
	if subtle.ConstantTimeCompare(okm[32:], header[8+saltSize:]) != 1 {
		return "", ErrWrongKey
	}
	copy(b.aad[:], id[:])
	copy(b.header(), header)
	return "", b.setKey(okm[:32])
}

func derive(key *[32]byte, salt []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, key[:], salt, keyInfo, 32+checkSize)
}

func (b *box) setKey(key []byte) error {
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	b.aead, err = cipher.NewGCM(block)
	return err
}

// buffer holds one sealed chunk with room for the header before it, so that a blob of one chunk
// is read and written in one piece.
type buffer struct {
	data  [headerSize + sealedSize]byte
	nonce [nonceSize]byte
}

// chunk returns the place of a sealed chunk with n bytes of plaintext.
func (b *buffer) chunk(n int) []byte { return b.data[headerSize : headerSize+n+tagSize] }

// number sets nonce to that of a chunk.
func number(nonce *[nonceSize]byte, chunk int64, last bool) []byte {
	binary.BigEndian.PutUint64(nonce[3:], uint64(chunk))
	nonce[11] = 0
	if last {
		nonce[11] = 1
	}
	return nonce[:]
}

// buffers is a cache, not state: it only spares allocations.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

// seal encrypts the n bytes of plaintext in the buffer where they are and returns the sealed chunk.
func (b *box) seal(buf *buffer, n int, chunk int64, last bool) []byte {
	sealed := buf.chunk(n)
	return b.aead.Seal(sealed[:0], number(&buf.nonce, chunk, last), sealed[:n], b.aad[:])
}

// unseal decrypts a chunk where it is; ok is false if it is not authentic.
func (b *box) unseal(buf *buffer, sealed []byte, chunk int64, last bool) (plain []byte, ok bool) {
	plain, err := b.aead.Open(sealed[:0], number(&buf.nonce, chunk, last), sealed, b.aad[:])
	return plain, err == nil
}
