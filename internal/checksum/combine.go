package checksum

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/minio/crc64nvme"
)

// Part is one part of a multipart upload.
type Part struct {
	Digest []byte // big-endian CRC of the part
	Size   int64  // bytes
}

// Combine computes the CRC of the parts' concatenation from their CRCs (A35). The cost is
// that of a few hundred multiplications per distinct part size, whatever the size. The error
// is a *TypeError for an algorithm that has no FULL_OBJECT type, a *ValueError for a
// digest of the wrong length. A negative size panics.
func Combine(a Algorithm, parts []Part) ([]byte, error) {
	width := a.width()
	if width == 0 {
		return nil, &TypeError{Algorithm: a, Type: string(FullObject)}
	}
	f := field{top: 1 << (width - 1), poly: a.polynomial()}
	var crc, shift uint64
	lastSize := int64(-1)
	for _, p := range parts {
		if len(p.Digest) != a.Size() {
			return nil, &ValueError{Algorithm: a, Value: Encode(p.Digest)}
		}
		if p.Size < 0 {
			panic("checksum: negative part size")
		}
		if p.Size != lastSize { // parts are nearly always of one size
			shift, lastSize = f.shiftBytes(uint64(p.Size)), p.Size
		}
		crc = f.multiply(shift, crc) ^ bigEndian(p.Digest)
	}
	digest := binary.BigEndian.AppendUint64(nil, crc)
	return digest[8-a.Size():], nil
}

// width is the degree of a CRC's polynomial in bits, 0 for a cryptographic hash.
func (a Algorithm) width() int {
	switch a {
	case CRC32, CRC32C:
		return 32
	case CRC64NVME:
		return 64
	}
	return 0
}

// polynomial is in reflected form: the highest bit is the coefficient of x^0.
func (a Algorithm) polynomial() uint64 {
	switch a {
	case CRC32:
		return crc32.IEEE
	case CRC32C:
		return crc32.Castagnoli
	default:
		return crc64nvme.NVME
	}
}

func bigEndian(digest []byte) (v uint64) {
	for _, b := range digest {
		v = v<<8 | uint64(b)
	}
	return v
}

// field is the ring of polynomials over GF(2) modulo a CRC's polynomial, in reflected form.
//
// Appending n zero bytes to a message multiplies its CRC by x^8n there. All our CRCs begin
// with all ones and end inverted, and both cancel out: the CRC of A‖B is crc(A)·x^8|B| + crc(B).
type field struct {
	top  uint64 // the element 1
	poly uint64
}

func (f field) multiply(a, b uint64) (product uint64) {
	for a != 0 {
		if a&f.top != 0 {
			product ^= b
		}
		a = a << 1 & (f.top<<1 - 1)
		if b&1 != 0 {
			b = b>>1 ^ f.poly
		} else {
			b >>= 1
		}
	}
	return product
}

// shiftBytes is x^8n, by squaring.
func (f field) shiftBytes(n uint64) uint64 {
	result := f.top
	square := f.top >> 8 // x^8
	for range bits.Len64(n) {
		if n&1 != 0 {
			result = f.multiply(square, result)
		}
		square = f.multiply(square, square)
		n >>= 1
	}
	return result
}
