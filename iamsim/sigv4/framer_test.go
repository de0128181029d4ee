package sigv4

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
)

const (
	signedChunks    = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedTrailer   = signedChunks + "-TRAILER"
	unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	testTrailer     = "x-amz-checksum-crc32c:sOO8/Q=="
)

// framer writes aws-chunked bodies, with its own idea of the signatures.
type framer struct {
	bytes.Buffer
	key      signingKey
	previous string // signature; empty: chunks are unsigned
}

func newFramer(s *Signed) *framer {
	f := &framer{}
	if s.Payload().signed() {
		f.key, f.previous = deriveKey(testSecret, s.Scope), s.Signature
	}
	return f
}

func (f *framer) sign(algorithm string, hashes ...string) string {
	h := hmac.New(sha256.New, f.key[:])
	h.Write([]byte(strings.Join(append([]string{
		algorithm, "20260304T050607Z", "20260304/us-east-1/s3/aws4_request", f.previous}, hashes...), "\n")))
	f.previous = hex.EncodeToString(h.Sum(nil))
	return f.previous
}

// chunk writes one chunk; the empty one has no line end of its own.
func (f *framer) chunk(data []byte) {
	fmt.Fprintf(f, "%x", len(data))
	if f.previous != "" {
		fmt.Fprintf(f, ";chunk-signature=%s", f.sign("AWS4-HMAC-SHA256-PAYLOAD", emptyHash, hexSHA256(data)))
	}
	f.WriteString("\r\n")
	if f.Write(data); len(data) > 0 {
		f.WriteString("\r\n")
	}
}

func (f *framer) chunks(data []byte, size int) {
	for len(data) > 0 {
		n := min(size, len(data))
		f.chunk(data[:n])
		data = data[n:]
	}
	f.chunk(nil)
}

// trailer writes trailer lines, their signature if chunks are signed, and the final line end.
func (f *framer) trailer(lines ...string) {
	for _, l := range lines {
		f.WriteString(l + "\r\n")
	}
	if f.previous != "" {
		canonical := strings.Join(append(lines, ""), "\n")
		f.WriteString("x-amz-trailer-signature:" + f.sign("AWS4-HMAC-SHA256-TRAILER", hexSHA256([]byte(canonical))) + "\r\n")
	}
	f.WriteString("\r\n")
}

// streaming is a verified PUT of an aws-chunked body with the given decoded length.
func streaming(t testing.TB, payload string, length int, header ...string) *Signed {
	t.Helper()
	r := newRequest(t, "PUT", "/bucket/key", nil)
	if length >= 0 {
		r.Header.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(length))
	}
	if strings.HasSuffix(payload, "TRAILER") && len(header) == 0 {
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32c")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Add(name, value)
	}
	sdkSign(t, r, "s3", "", payload)
	s := mustParse(t, overTheWire(t, r))
	if err := s.Verify(testTime, testSecret, s3Opts); err != nil {
		t.Fatal(err)
	}
	return s
}

func decode(t testing.TB, s *Signed, r io.Reader) ([]byte, *Body, error) {
	t.Helper()
	b, err := s.Body(io.NopCloser(r))
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(b)
	return data, b, err
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}
