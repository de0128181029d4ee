package sigv4

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// BenchmarkAuthenticate is what every signed request costs: parse and verify, key cached.
func BenchmarkAuthenticate(b *testing.B) {
	lookup := func(string, string) (string, error) { return testSecret, nil }
	for name, r := range map[string]*http.Request{"header": signedPut(b), "presigned": presignedPut(b)} {
		b.Run(name, func(b *testing.B) {
			var v Verifier
			b.ReportAllocs()
			for b.Loop() {
				s, err := Parse(r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := v.Authenticate(s, testTime, lookup, s3Opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBody is the price of each payload form, 8 MiB in chunks of 64 KiB and a PUT of 4 KiB.
func BenchmarkBody(b *testing.B) {
	for _, size := range []int{4 << 10, 8 << 20} {
		content := pattern(size)
		for _, payload := range []string{hexSHA256(content), unsignedPayload, signedChunks, signedTrailer, unsignedTrailer} {
			name := payload
			if ParsePayload(payload) == PayloadHash {
				name = "SHA-256"
			}
			s := streaming(b, payload, size)
			stream := content
			if s.Payload().Chunked() {
				f := newFramer(s)
				f.chunks(content, 64<<10)
				if s.Payload().trailer() {
					f.trailer(testTrailer)
				} else {
					f.WriteString("\r\n")
				}
				stream = f.Bytes()
			} else {
				s.req.ContentLength = int64(size)
			}
			b.Run(fmt.Sprintf("%d KiB/%s", size>>10, name), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				buf := make([]byte, 64<<10)
				for b.Loop() {
					body, err := s.Body(io.NopCloser(bytes.NewReader(stream)))
					if err != nil {
						b.Fatal(err)
					}
					if n, err := io.CopyBuffer(writer{}, body, buf); err != nil || n != int64(size) {
						b.Fatal(n, err)
					}
				}
			})
		}
	}
}

// writer is io.Discard without its ReadFrom, which would bring its own buffer.
type writer struct{}

func (writer) Write(p []byte) (int, error) { return len(p), nil }
