package kmsapi

import (
	"crypto/aes"
	"encoding/binary"
	"errors"
)

// errKeyWrap is wrapped material that the AES key does not open.
var errKeyWrap = errors.New("kmsapi: the key material is not wrapped with AES key wrap with padding, or under another key")

// wrapBlock is the unit of AES key wrap, and wrapMark what an unwrapped block begins
// with (RFC 5649).
const (
	wrapBlock = 8
	wrapMark  = 0xA65959A6
)

// unwrapWithPadding undoes AES key wrap with padding (KWP, RFC 5649): the standard
// library has no key wrap.
func unwrapWithPadding(kek, wrapped []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	if len(wrapped)%wrapBlock != 0 || len(wrapped) < 2*wrapBlock {
		return nil, errKeyWrap
	}
	b := make([]byte, len(wrapped)) // the integrity block, then the padded material
	copy(b, wrapped)
	n := len(b)/wrapBlock - 1
	if n == 1 {
		block.Decrypt(b, b)
	} else {
		var x [2 * wrapBlock]byte
		for t := 6 * n; t > 0; t-- {
			at := ((t-1)%n + 1) * wrapBlock
			binary.BigEndian.PutUint64(x[:], binary.BigEndian.Uint64(b)^uint64(t))
			copy(x[wrapBlock:], b[at:at+wrapBlock])
			block.Decrypt(x[:], x[:])
			copy(b, x[:wrapBlock])
			copy(b[at:], x[wrapBlock:])
		}
	}
	size := int64(binary.BigEndian.Uint32(b[4:]))
	padded := b[wrapBlock:]
	if binary.BigEndian.Uint32(b) != wrapMark || size > int64(len(padded)) || size <= int64(len(padded)-wrapBlock) {
		return nil, errKeyWrap
	}
	for _, pad := range padded[size:] {
		if pad != 0 {
			return nil, errKeyWrap
		}
	}
	return padded[:size], nil
}
