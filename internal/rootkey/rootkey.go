// Package rootkey seals small secrets at rest, such as key material and the store's
// master key, under one key that is kept apart from them: in a file that only its
// owner may read, or in the environment of the process.
//
// A sealed secret is bound to a context, the name of the place where it is kept, so
// that it can't be moved to another one. Whoever has the state but not the root key
// has nothing; whoever loses the root key has lost every secret.
package rootkey

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Size is the length of a root key in bytes.
const Size = 32

// version is the first byte of a sealed secret: AES-256-GCM with a random nonce of 12
// bytes, which follows it.
const version = 1

// ErrSealed is what Open returns for a secret that was sealed under another root key or
// in another context, or that is damaged. Which of them it is can't be told.
var ErrSealed = errors.New("rootkey: the secret was sealed under another root key, or is damaged")

// Key is a root key, ready for use by any number of goroutines. Printing it shows nothing.
type Key struct{ aead cipher.AEAD }

// New makes a Key of its bytes.
func New(secret [Size]byte) *Key {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		panic("rootkey: " + err.Error()) // 32 bytes always are an AES key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("rootkey: " + err.Error())
	}
	return &Key{aead}
}

// Random makes a Key that lasts as long as the process.
func Random(random io.Reader) (*Key, error) {
	var secret [Size]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return nil, fmt.Errorf("rootkey: %w", err)
	}
	return New(secret), nil
}

// Parse reads the text form of a root key: 32 bytes in base64, padded or not, with
// space around it. Errors don't repeat the text.
func Parse(text string) (*Key, error) {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
	if err != nil {
		return nil, errors.New("a root key is 32 bytes in base64; this is not base64")
	}
	if len(b) != Size {
		return nil, fmt.Errorf("a root key is 32 bytes in base64; this has %d", len(b))
	}
	return New([Size]byte(b)), nil
}

// Format implements [fmt.Formatter] for every verb.
func (*Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[root key]") }

// Seal encrypts a secret so that only Open with the same context gives it back.
func (k *Key) Seal(random io.Reader, secret []byte, context ...string) ([]byte, error) {
	n := 1 + k.aead.NonceSize()
	b := make([]byte, n, n+len(secret)+k.aead.Overhead())
	b[0] = version
	if _, err := io.ReadFull(random, b[1:]); err != nil {
		return nil, fmt.Errorf("rootkey: %w", err)
	}
	return k.aead.Seal(b, b[1:], secret, associatedData(context)), nil
}

// Open decrypts what Seal made, or returns ErrSealed.
func (k *Key) Open(sealed []byte, context ...string) ([]byte, error) {
	n := 1 + k.aead.NonceSize()
	if len(sealed) < n || sealed[0] != version {
		return nil, ErrSealed
	}
	secret, err := k.aead.Open(nil, sealed[1:n], sealed[n:], associatedData(context))
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}

// associatedData joins the parts of a context, each with its length before it.
func associatedData(context []string) []byte {
	b := []byte{version}
	for _, part := range context {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}
