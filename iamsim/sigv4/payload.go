package sigv4

// Payload is a meaning of x-amz-content-sha256 (A13).
type Payload uint8

const (
	// PayloadInvalid: a value that means nothing.
	PayloadInvalid Payload = iota
	// PayloadMissing: no value.
	PayloadMissing
	// PayloadHash: the hex SHA-256 of the body.
	PayloadHash
	// PayloadUnsigned: UNSIGNED-PAYLOAD.
	PayloadUnsigned
	// PayloadSignedChunks: STREAMING-AWS4-HMAC-SHA256-PAYLOAD.
	PayloadSignedChunks
	// PayloadSignedTrailer: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER.
	PayloadSignedTrailer
	// PayloadUnsignedTrailer: STREAMING-UNSIGNED-PAYLOAD-TRAILER.
	PayloadUnsignedTrailer
	// PayloadSigV4A: one of the two ECDSA forms, which are refused.
	PayloadSigV4A
)

const unsignedPayload = "UNSIGNED-PAYLOAD"

// ParsePayload reads a value of x-amz-content-sha256.
func ParsePayload(v string) Payload {
	switch v {
	case "":
		return PayloadMissing
	case unsignedPayload:
		return PayloadUnsigned
	case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
		return PayloadSignedChunks
	case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
		return PayloadSignedTrailer
	case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
		return PayloadUnsignedTrailer
	case "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER":
		return PayloadSigV4A
	}
	if isHexSHA256(v) {
		return PayloadHash
	}
	return PayloadInvalid
}

// Chunked reports whether the body carries aws-chunked framing, whatever Content-Encoding says (A21).
func (p Payload) Chunked() bool {
	return p == PayloadSignedChunks || p == PayloadSignedTrailer || p == PayloadUnsignedTrailer
}

// signed reports whether each chunk carries a signature.
func (p Payload) signed() bool { return p == PayloadSignedChunks || p == PayloadSignedTrailer }

// trailer reports whether trailers may follow the last chunk.
func (p Payload) trailer() bool { return p == PayloadSignedTrailer || p == PayloadUnsignedTrailer }

func isHexSHA256(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if _, ok := unhex(s[i]); !ok {
			return false
		}
	}
	return true
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
