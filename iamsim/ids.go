package iamsim

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"sync"
)

// Prefixes of unique ids (I10).
const (
	userIDPrefix     = "AIDA"
	roleIDPrefix     = "AROA"
	policyIDPrefix   = "ANPA"
	longKeyPrefix    = "AKIA"
	sessionKeyPrefix = "ASIA"
)

// source makes identifiers and secrets. An injected reader may not be safe for
// concurrent use, so reads are serialized.
type source struct {
	mu sync.Mutex
	r  io.Reader
}

// bytes panics when the source of randomness fails: nothing safe can be done without one.
func (s *source) bytes(n int) []byte {
	b := make([]byte, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.r, b); err != nil {
		panic("iamsim: random source: " + err.Error())
	}
	return b
}

// id is prefix and n characters of A-Z2-7 (I10).
func (s *source) id(prefix string, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var b strings.Builder
	b.WriteString(prefix)
	for _, c := range s.bytes(n) {
		b.WriteByte(alphabet[c&31])
	}
	return b.String()
}

// uniqueID is a user's, role's or policy's id: 21 characters.
func (s *source) uniqueID(prefix string) string { return s.id(prefix, 17) }

// keyID is an access key id: 20 characters.
func (s *source) keyID(prefix string) string { return s.id(prefix, 16) }

// secret is 40 characters.
func (s *source) secret() string { return base64.StdEncoding.EncodeToString(s.bytes(30)) }

// token is a session token: opaque, 352 characters.
func (s *source) token() string { return base64.StdEncoding.EncodeToString(s.bytes(264)) }

// requestID is a random UUID.
func (s *source) requestID() string {
	b := s.bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[:8], b[:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
