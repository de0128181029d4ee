package sigv4

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzParse: whatever stands in the Authorization header, the query and the path, Parse and
// Verify answer with one typed error or a scope that is whole.
func FuzzParse(f *testing.F) {
	f.Add(testAuth, "20260304T050607Z", "/bucket/key", "")
	f.Add("AWS AKID:sig=", "Wed, 04 Mar 2026 05:06:07 GMT", "/", "x=1")
	f.Add("", "", "/bucket/%2F//..", presigned(nil))
	f.Add("", "", "//%zz?", "AWSAccessKeyId=a&Signature=b&Expires=1")
	f.Add("", "", "*", "X-Amz-Algorithm=AWS4-HMAC-SHA256&%58-Amz-Signature=%&+=&&")
	f.Fuzz(func(t *testing.T, auth, date, target, query string) {
		r := &http.Request{
			Method: "GET", RequestURI: target, Host: testHost, URL: &url.URL{RawQuery: query}, Header: http.Header{},
		}
		if auth != "" {
			r.Header["Authorization"] = []string{auth}
		}
		r.Header["X-Amz-Date"] = []string{date}
		s, err := Parse(r)
		if err != nil {
			if s != nil || KindOf(err) == None {
				t.Fatalf("got %v, %v", s, err)
			}
			return
		}
		if s.AccessKeyID == "" || s.Scope.Date == "" && s.Form != FormQueryV2 || s.Scope.Region == "" || s.Scope.Service == "" || s.Time.IsZero() {
			t.Fatalf("incomplete: %+v", s)
		}
		for _, s3 := range []bool{true, false} {
			err := s.Verify(s.Time, "secret", Options{S3: s3})
			if KindOf(err) == None {
				t.Fatalf("a made-up signature passed or failed without a kind: %v", err)
			}
		}
	})
}

// FuzzEscape: canonical text is stable, and names the same bytes as what it was made of.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"/a b", "a+b", "%2f%7E", "%", "%4", "%zz", "€", "a%2Fb/c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, mode := range []escapeMode{inPath, inQuery} {
			got := escape(s, mode)
			if again := escape(got, mode); again != got {
				t.Fatalf("%q becomes %q, then %q", s, got, again)
			}
			decode := url.PathUnescape
			if mode == inQuery {
				decode = url.QueryUnescape
			}
			if want, err := decode(s); err == nil {
				if plain, err := decode(got); err != nil || plain != want {
					t.Fatalf("%q becomes %q, which names %q (%v)", s, got, plain, err)
				}
			}
		}
		if clean := removeDotSegments("/" + s); !strings.HasPrefix(clean, "/") || strings.Contains(clean, "//") {
			t.Fatalf("removeDotSegments(%q) = %q", "/"+s, clean)
		}
	})
}

// FuzzChunked: no body makes the reader panic, release more than was declared, end without a
// verdict, or depend on how the bytes were cut up on the way.
func FuzzChunked(f *testing.F) {
	unsigned := "5\r\nhello\r\n0\r\n" + testTrailer + "\r\n\r\n"
	f.Add([]byte(unsigned), uint8(0), 5)
	f.Add([]byte("5;chunk-signature="+testSignature+"\r\nhello\r\n0;chunk-signature="+testSignature+"\r\n\r\n"), uint8(1), 5)
	f.Add([]byte("0\r\n\n\nx:y\nx-amz-trailer-signature:"+testSignature+"\r\n\r\n"), uint8(2), 0)
	f.Add([]byte("fffffffffffffff\r\n"), uint8(0), 1<<40)
	f.Fuzz(func(t *testing.T, stream []byte, form uint8, length int) {
		if length < 0 {
			return
		}
		payload := []string{unsignedTrailer, signedChunks, signedTrailer}[form%3]
		s := &Signed{
			req: &http.Request{Header: http.Header{}}, ContentSHA256: payload, Scope: testScope,
			dateText: "20260304T050607Z", Signature: testSignature, verified: true,
		}
		read := func(source io.Reader) ([]byte, error) {
			b := &Body{source: io.NopCloser(nil), length: int64(length)}
			b.chunks = newChunkReader(s, source, s.Payload(), b.length, []string{"x-amz-checksum-crc32c"})
			b.reader = b.chunks
			return io.ReadAll(b)
		}
		got, err := read(bytes.NewReader(stream))
		if len(got) > length {
			t.Fatalf("%d bytes released of %d declared", len(got), length)
		}
		if err == nil && len(got) != length {
			t.Fatalf("%d bytes of %d and no error", len(got), length)
		}
		if err == nil && s.Payload().signed() {
			t.Fatal("a made-up signature passed")
		}
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("not a typed error: %v", err)
		}
		_, again := read(iotest.OneByteReader(bytes.NewReader(stream)))
		if KindOf(again) != KindOf(err) {
			t.Fatalf("whole: %v, byte by byte: %v", err, again)
		}
	})
}
