package iamsim

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Prefixes of unique ids (I10).
const (
	userIDPrefix     = "AIDA"
	roleIDPrefix     = "AROA"
	policyIDPrefix   = "ANPA"
	groupIDPrefix    = "AGPA"
	profileIDPrefix  = "AIPA"
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

// keyID is an access key id of an account: 20 characters. AWS's ids carry the account
// they belong to, and so do these (I50).
func (s *source) keyID(prefix, account string) string {
	b := s.bytes(10)
	n, err := strconv.ParseUint(account, 10, 64)
	if err != nil || n > 999_999_999_999 {
		panic("iamsim: access key for account " + account)
	}
	b[0] = 0x80 | byte(n>>33)
	b[1], b[2], b[3], b[4] = byte(n>>25), byte(n>>17), byte(n>>9), byte(n>>1)
	b[5] = byte(n<<7) | b[5]&0x7f
	return prefix + base32.StdEncoding.EncodeToString(b)
}

// accountOfKey reads the account out of an access key id; "" when it has none (I50).
func accountOfKey(id string) string {
	if len(id) != 20 || !strings.HasPrefix(id, longKeyPrefix) && !strings.HasPrefix(id, sessionKeyPrefix) {
		return ""
	}
	b, err := base32.StdEncoding.DecodeString(id[4:])
	if err != nil || b[0]&0x80 == 0 {
		return ""
	}
	n := uint64(b[0]&0x7f)<<33 | uint64(b[1])<<25 | uint64(b[2])<<17 | uint64(b[3])<<9 | uint64(b[4])<<1 | uint64(b[5])>>7
	if n > 999_999_999_999 {
		return ""
	}
	return fmt.Sprintf("%012d", n)
}

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
