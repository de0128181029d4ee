package checksum

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Type says what a checksum was computed over.
type Type string

const (
	// FullObject: over the object's content.
	FullObject Type = "FULL_OBJECT"
	// Composite: over the digests of a multipart upload's parts.
	Composite Type = "COMPOSITE"
)

// DefaultType is the type of a multipart upload that names an algorithm and no type (A32).
func (a Algorithm) DefaultType() Type {
	if a == CRC64NVME {
		return FullObject
	}
	return Composite
}

// ParseType reads x-amz-checksum-type for a multipart upload with algorithm a; an empty text
// gives the default. The error is a *TypeError: only CRCs can be combined from parts, and
// CRC64NVME has no composite form (A33).
func (a Algorithm) ParseType(text string) (Type, error) {
	t := Type(text)
	switch t {
	case "":
		return a.DefaultType(), nil
	case FullObject:
		if a.width() > 0 {
			return t, nil
		}
	case Composite:
		if a != CRC64NVME {
			return t, nil
		}
	}
	return "", &TypeError{Algorithm: a, Type: text}
}

// TypeError: the algorithm has no such type, or there is no such type at all (Known false).
type TypeError struct {
	Algorithm Algorithm
	Type      string
}

// Known reports whether the type exists for other algorithms.
func (e *TypeError) Known() bool {
	return e.Type == string(FullObject) || e.Type == string(Composite)
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("checksum: %s can't be of type %q", e.Algorithm, e.Type)
}

// CompositeValue is the wire form of a COMPOSITE checksum: base64(hash(digests))-N, where
// digests are those of the N parts in part order (A34).
func CompositeValue(a Algorithm, parts [][]byte) string {
	h := New(a)
	for _, digest := range parts {
		h.Write(digest)
	}
	return Encode(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
}

// DecodeComposite reads the wire form of a COMPOSITE checksum and how many parts it claims
// (1 to 10,000). The error is a *ValueError.
func DecodeComposite(a Algorithm, value string) (digest []byte, parts int, err error) {
	text, count, found := strings.Cut(value, "-")
	n, err := strconv.ParseUint(count, 10, 16)
	if !found || err != nil || n < 1 || n > 10000 || count[0] == '0' ||
		len(text) != base64.StdEncoding.EncodedLen(a.Size()) {
		return nil, 0, &ValueError{Algorithm: a, Value: value}
	}
	if digest, err = Decode(a, text); err != nil {
		return nil, 0, &ValueError{Algorithm: a, Value: value}
	}
	return digest, int(n), nil
}
