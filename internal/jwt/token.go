package jwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// MaxLength is the longest token that Parse takes, in bytes.
const MaxLength = 20000

// ErrMalformed is returned for texts that are no signed token.
var ErrMalformed = errors.New("jwt: not a signed JSON Web Token")

// Token is a parsed token.
type Token struct {
	algorithm string
	keyID     string
	signed    string // what the signature is about
	signature []byte
	claims    map[string]json.RawMessage
}

// Parse takes a token apart. The error wraps ErrMalformed.
func Parse(text string) (*Token, error) {
	if len(text) > MaxLength {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, MaxLength)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: %d parts instead of 3", ErrMalformed, len(parts))
	}
	var header struct {
		Algorithm string          `json:"alg"`
		KeyID     string          `json:"kid"`
		Critical  json.RawMessage `json:"crit"`
	}
	if err := decode(parts[0], &header); err != nil {
		return nil, fmt.Errorf("%w: header: %v", ErrMalformed, err)
	}
	if header.Critical != nil {
		return nil, fmt.Errorf("%w: critical extensions are not supported", ErrMalformed)
	}
	t := &Token{algorithm: header.Algorithm, keyID: header.KeyID, signed: parts[0] + "." + parts[1]}
	if err := decode(parts[1], &t.claims); err != nil {
		return nil, fmt.Errorf("%w: claims: %v", ErrMalformed, err)
	}
	if t.claims == nil { // "null" is JSON too
		return nil, fmt.Errorf("%w: claims: not an object", ErrMalformed)
	}
	var err error
	if t.signature, err = base64.RawURLEncoding.Strict().DecodeString(parts[2]); err != nil {
		return nil, fmt.Errorf("%w: signature: %v", ErrMalformed, err)
	}
	return t, nil
}

// decode reads one part: base64url of one JSON value.
func decode(part string, v any) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// Claim decodes a claim into v. It reports false when the claim is absent, null, or of
// another type.
func (t *Token) Claim(name string, v any) bool {
	raw, ok := t.claims[name]
	return ok && string(raw) != "null" && json.Unmarshal(raw, v) == nil
}

// Text is a claim that is a string; "" when it is absent or something else.
func (t *Token) Text(name string) string {
	var s string
	if !t.Claim(name, &s) {
		return ""
	}
	return s
}

// Texts is a claim that is a string or a list of strings, such as "aud".
func (t *Token) Texts(name string) []string {
	var list []string
	if t.Claim(name, &list) {
		return list
	}
	if s := t.Text(name); s != "" {
		return []string{s}
	}
	return nil
}

// Time is a claim that is a NumericDate, to the second; ok is false when it is absent
// or no time of this calendar.
func (t *Token) Time(name string) (at time.Time, ok bool) {
	var seconds float64
	if !t.Claim(name, &seconds) || math.Abs(seconds) > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
