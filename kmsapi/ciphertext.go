package kmsapi

import (
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"slices"

	"twinbucket/internal/arn"
)

// A ciphertext names its key and material, so that Decrypt needs neither (K50):
//
//	magic     4 bytes "TBK1"; the last one is the version
//	account   12 digits
//	region    1 length byte, then the name
//	key id    1 length byte, then the id
//	material  32 bytes, the material's id
//	nonce     12 random bytes
//	sealed    AES-256-GCM of the plaintext, 16 bytes longer than it
//
// Everything before the nonce and the encryption context are authenticated with it.
const (
	magic       = "TBK1"
	accountLen  = 12
	materialLen = 32
	nonceLen    = 12
	tagLen      = 16
)

// maxPlaintext and maxCiphertext are KMS's limits in bytes (K51).
const (
	maxPlaintext  = 4096
	maxCiphertext = 6144
)

// envelope is a ciphertext taken apart. Its slices share the ciphertext's memory.
type envelope struct {
	key      keyRef
	material [materialLen]byte
	header   []byte // everything before the nonce
	nonce    []byte
	sealed   []byte
}

var errEnvelope = errors.New("kmsapi: not a ciphertext of this service")

// parseEnvelope takes a ciphertext apart without looking inside. It accepts exactly
// what seal writes, whatever the bytes.
func parseEnvelope(b []byte) (e envelope, err error) {
	rest := b
	take := func(n int) []byte {
		if len(rest) < n {
			err = errEnvelope
			return make([]byte, n)
		}
		out := rest[:n:n]
		rest = rest[n:]
		return out
	}
	if string(take(len(magic))) != magic {
		return e, errEnvelope
	}
	e.key.Account = string(take(accountLen))
	e.key.Region = string(take(int(take(1)[0])))
	e.key.ID = string(take(int(take(1)[0])))
	copy(e.material[:], take(materialLen))
	e.header = b[:len(b)-len(rest)]
	e.nonce = take(nonceLen)
	e.sealed = rest
	switch {
	case err != nil:
		return envelope{}, err
	case !arn.IsAccount(e.key.Account) || e.key.Region == "" || !isKeyID(e.key.ID) || len(rest) < tagLen:
		return envelope{}, errEnvelope
	}
	return e, nil
}

// seal encrypts under the key's current material and returns the ciphertext.
func (s *Service) seal(k *key, plaintext []byte, encCtx map[string]string) ([]byte, error) {
	c := k.active()
	size := len(magic) + accountLen + 2 + len(k.Region) + len(k.ID) + materialLen + nonceLen + len(plaintext) + tagLen
	b := make([]byte, 0, size)
	b = append(b, magic...)
	b = append(b, k.Account...)
	b = append(append(b, byte(len(k.Region))), k.Region...)
	b = append(append(b, byte(len(k.ID))), k.ID...)
	b = append(b, c.id[:]...)
	header := len(b)
	nonce := b[header : header+nonceLen]
	if _, err := io.ReadFull(s.rand, nonce); err != nil {
		return nil, err
	}
	return c.aead.Seal(b[:header+nonceLen], nonce, plaintext, associatedData(b[:header], encCtx)), nil
}

// sealedBy reports whether an envelope can be opened with k: it names k, or another
// member of the same multi-Region key (K85).
func (e *envelope) sealedBy(k *key) bool {
	return e.key == k.keyRef || k.multiRegion() && e.key.Account == k.Account && e.key.ID == k.ID
}

// open decrypts an envelope that k sealed. It fails if k never had the material, or
// if envelope or encryption context are not what was sealed.
func (k *key) open(e *envelope, encCtx map[string]string) ([]byte, error) {
	aead := k.sealer(e.material)
	if aead == nil {
		return nil, errEnvelope
	}
	return aead.Open(nil, e.nonce, e.sealed, associatedData(e.header, encCtx))
}

// associatedData is the header and the encryption context in one canonical form.
// Every part has its length before it: {"a":"bc"} and {"ab":"c"} must differ.
func associatedData(header []byte, encCtx map[string]string) []byte {
	size := 4 + len(header)
	for k, v := range encCtx {
		size += 8 + len(k) + len(v)
	}
	b := make([]byte, 0, size)
	b = appendPart(b, header)
	if len(encCtx) == 1 { // the usual case needs no sorting
		for k, v := range encCtx {
			b = appendPart(appendPart(b, k), v)
		}
		return b
	}
	for _, k := range slices.Sorted(maps.Keys(encCtx)) {
		b = appendPart(appendPart(b, k), encCtx[k])
	}
	return b
}

func appendPart[T string | []byte](b []byte, part T) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
}
