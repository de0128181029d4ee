// Package checksum is S3's additional checksums: their names, values, types and arithmetic.
//
// A checksum's value is the base64 of its big-endian bytes ([Encode], [Decode]). Objects
// uploaded in one piece have a FULL_OBJECT checksum. Multipart uploads have either a
// COMPOSITE one, a hash over the parts' digests ([CompositeValue]), or, for CRCs only, the
// FULL_OBJECT one, which [Combine] computes from the parts' CRCs without their bytes.
// [Multi] computes everything a request needs in one pass over the content.
//
// The package words no S3 error: its typed errors carry what the service needs to do so.
package checksum

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"hash/crc32"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/minio/crc64nvme"
	"github.com/zeebo/xxh3"
)

// Algorithm is a checksum algorithm by its name on the wire. Only the constants, which are
// also all that ParseAlgorithm and ParseHeader return, are valid; methods and functions
// given another one panic.
type Algorithm string

// The supported algorithms (A30).
const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
	SHA512    Algorithm = "SHA512"
	MD5       Algorithm = "MD5"
	XXHASH64  Algorithm = "XXHASH64"
	XXHASH3   Algorithm = "XXHASH3" // XXH3 with 64 bits
	XXHASH128 Algorithm = "XXHASH128"
)

// Default is what S3 computes when the client asks for nothing (A31).
const Default = CRC64NVME

// Algorithms lists the algorithms in the order of S3's messages.
func Algorithms() []Algorithm {
	return []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128}
}

const headerPrefix = "x-amz-checksum-"

// Header is the lower-case name of the header or trailer that carries the value.
func (a Algorithm) Header() string { return headerPrefix + a.Lower() }

// Lower is the name as S3's multipart messages spell it.
func (a Algorithm) Lower() string {
	switch a {
	case CRC32:
		return "crc32"
	case CRC32C:
		return "crc32c"
	case CRC64NVME:
		return "crc64nvme"
	case SHA1:
		return "sha1"
	case SHA256:
		return "sha256"
	case SHA512:
		return "sha512"
	case MD5:
		return "md5"
	case XXHASH64:
		return "xxhash64"
	case XXHASH3:
		return "xxhash3"
	case XXHASH128:
		return "xxhash128"
	}
	panic(unknown(a))
}

// Size is the length of a digest in bytes.
func (a Algorithm) Size() int {
	switch a {
	case CRC32, CRC32C:
		return crc32.Size
	case CRC64NVME:
		return crc64nvme.Size
	case SHA1:
		return sha1.Size
	case SHA256:
		return sha256.Size
	case SHA512:
		return sha512.Size
	case MD5:
		return md5.Size
	case XXHASH64, XXHASH3:
		return 8
	case XXHASH128:
		return 16
	}
	panic(unknown(a))
}

func unknown(a Algorithm) string { return fmt.Sprintf("checksum: unknown algorithm %q", string(a)) }

// ParseAlgorithm reads a name as x-amz-checksum-algorithm and x-amz-sdk-checksum-algorithm
// carry it, in any case (A30). The error is a *UnsupportedError.
func ParseAlgorithm(name string) (Algorithm, error) {
	for _, a := range Algorithms() {
		if strings.EqualFold(name, string(a)) {
			return a, nil
		}
	}
	return "", &UnsupportedError{Name: name}
}

// ParseHeader reads a header's or trailer's name, in any case. Other x-amz-checksum- headers
// (mode, type, algorithm) and unsupported algorithms give false.
func ParseHeader(name string) (Algorithm, bool) {
	if len(name) < len(headerPrefix) || !strings.EqualFold(name[:len(headerPrefix)], headerPrefix) {
		return "", false
	}
	a, err := ParseAlgorithm(name[len(headerPrefix):])
	return a, err == nil
}

// New is a new hash of the algorithm.
func New(a Algorithm) hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64nvme.New()
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	case MD5:
		return md5.New()
	case XXHASH64:
		return xxhash.New()
	case XXHASH3:
		return xxh3.New()
	case XXHASH128:
		return xxh3.New128()
	}
	panic(unknown(a))
}

// Encode is the wire form of a digest.
func Encode(digest []byte) string { return base64.StdEncoding.EncodeToString(digest) }

// Decode reads the wire form of a digest: standard base64 with padding, of exactly the
// algorithm's size. The error is a *ValueError.
func Decode(a Algorithm, value string) ([]byte, error) {
	digest, err := base64.StdEncoding.Strict().DecodeString(value)
	// The decoder skips line ends; a header has none, but a body may.
	if err != nil || len(digest) != a.Size() || len(value) != base64.StdEncoding.EncodedLen(a.Size()) {
		return nil, &ValueError{Algorithm: a, Value: value}
	}
	return digest, nil
}

// UnsupportedError: no algorithm has this name.
type UnsupportedError struct{ Name string }

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("checksum: unsupported algorithm %q", e.Name)
}

// ValueError: the value can't be a digest of the algorithm.
type ValueError struct {
	Algorithm Algorithm
	Value     string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("checksum: %q is no %s value", e.Value, e.Algorithm)
}
