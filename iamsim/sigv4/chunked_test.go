package sigv4

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestChunkedForms(t *testing.T) {
	sizes := []struct{ length, chunk int }{
		{0, 8192}, {1, 8192}, {8192, 8192}, {8193, 8192}, {200_000, 65536},
		{3 << 20, 1 << 20}, {3<<20 + 5, 1<<20 + 1}, {5 << 20, 5 << 20}, // at and above maxBuffered
	}
	for _, payload := range []string{signedChunks, signedTrailer, unsignedTrailer} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%d by %d", payload, size.length, size.chunk), func(t *testing.T) {
				content := pattern(size.length)
				s := streaming(t, payload, size.length)
				f := newFramer(s)
				f.chunks(content, size.chunk)
				var want map[string]string
				if s.Payload().trailer() {
					f.trailer(testTrailer)
					want = map[string]string{"x-amz-checksum-crc32c": "sOO8/Q=="}
				} else {
					f.WriteString("\r\n")
				}
				for name, reader := range map[string]io.Reader{
					"whole": bytes.NewReader(f.Bytes()),
					"half":  iotest.HalfReader(bytes.NewReader(f.Bytes())),
					"eof":   iotest.DataErrReader(bytes.NewReader(f.Bytes())),
				} {
					got, b, err := decode(t, s, reader)
					if err != nil || !bytes.Equal(got, content) {
						t.Fatalf("%s: %d bytes, %v", name, len(got), err)
					}
					if b.DecodedLength() != int64(size.length) {
						t.Errorf("length %d", b.DecodedLength())
					}
					if d := cmp.Diff(b.Trailer(), want); d != "" {
						t.Errorf("%s: trailer %s", name, d)
					}
				}
			})
		}
	}
}

func TestChunkedByteByByte(t *testing.T) {
	s := streaming(t, signedTrailer, 9000)
	f := newFramer(s)
	f.chunks(pattern(9000), 8192)
	f.trailer(testTrailer)
	b, err := s.Body(io.NopCloser(iotest.OneByteReader(&f.Buffer)))
	if err != nil {
		t.Fatal(err)
	}
	if b.Trailer() != nil {
		t.Error("trailers before the end")
	}
	if err := iotest.TestReader(b, pattern(9000)); err != nil {
		t.Error(err)
	}
	if b.Trailer() == nil || b.Close() != nil {
		t.Errorf("trailer %v", b.Trailer())
	}
}

// A25: minio-go's way of writing the signed trailer.
func TestTrailerVariants(t *testing.T) {
	variants := map[string]func(string) string{
		"line feed and empty line": func(s string) string { return strings.Replace(s, "==\r\n", "==\n\r\n", 1) },
		"line feed":                func(s string) string { return strings.Replace(s, "==\r\n", "==\n", 1) },
		"space and case": func(s string) string {
			return strings.Replace(s, "x-amz-checksum-crc32c:", "X-Amz-Checksum-CRC32C: ", 1)
		},
	}
	for name, change := range variants {
		t.Run(name, func(t *testing.T) {
			s := streaming(t, signedTrailer, 5)
			f := newFramer(s)
			f.chunks([]byte("hello"), 8192)
			f.trailer(testTrailer)
			got, b, err := decode(t, s, strings.NewReader(change(f.String())))
			if err != nil || string(got) != "hello" || b.Trailer()["x-amz-checksum-crc32c"] != "sOO8/Q==" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	t.Run("announced nothing, sent nothing", func(t *testing.T) {
		s := streaming(t, unsignedTrailer, 5, "X-Amz-Meta-A:b")
		if got, _, err := decode(t, s, strings.NewReader("5\r\nhello\r\n0\r\n\r\n")); err != nil || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// Every byte of a signed stream counts: flipping any one must be found.
func TestChunkedEveryByte(t *testing.T) {
	s := streaming(t, signedTrailer, 5)
	f := newFramer(s)
	f.chunks([]byte("hello"), 8192)
	f.trailer(testTrailer)
	stream := f.Bytes()
	for i := range stream {
		for _, flip := range []byte{0x01, 0x80} {
			changed := bytes.Clone(stream)
			changed[i] ^= flip
			got, _, err := decode(t, s, bytes.NewReader(changed))
			if KindOf(err) == None {
				t.Errorf("byte %d (%q) changed to %q: %q, %v", i, stream[i], changed[i], got, err)
			}
		}
		if _, _, err := decode(t, s, bytes.NewReader(stream[:i])); KindOf(err) == None {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func TestChunkedFaults(t *testing.T) {
	body := pattern(2 * 8192)
	whole := func(f *framer) { f.chunks(body, 8192); f.WriteString("\r\n") }
	plain := func(text string) func(*framer) { return func(f *framer) { f.WriteString(text) } }
	tests := map[string]struct {
		payload string
		length  int
		build   func(*framer)
		want    Error
	}{
		"short chunk inside": {signedChunks, 200, func(f *framer) { f.chunks(body[:200], 100); f.WriteString("\r\n") },
			Error{Kind: InvalidChunkSize, Chunk: 1, ChunkSize: 100}},
		"short unsigned chunk inside": {unsignedTrailer, 10, plain("5\r\nhello\r\n5\r\nworld\r\n0\r\n" + testTrailer + "\r\n\r\n"),
			Error{Kind: InvalidChunkSize, Chunk: 1, ChunkSize: 5}},
		"less than declared": {signedChunks, len(body) + 1, whole, Error{Kind: IncompleteBody, ExpectedLength: 16385, ActualLength: 16384}},
		"more than declared": {signedChunks, len(body) - 1, whole, Error{Kind: IncompleteBody, ExpectedLength: 16383, ActualLength: 16384}},
		"cut in a chunk":     {unsignedTrailer, 5, plain("5\r\nhel"), Error{Kind: IncompleteBody, ExpectedLength: 5, ActualLength: 3}},
		"cut in a signed chunk": {signedChunks, 5, func(f *framer) { f.chunk([]byte("hello")); f.Truncate(f.Len() - 4) },
			Error{Kind: IncompleteBody, ExpectedLength: 5, ActualLength: 3}},
		"empty body":          {unsignedTrailer, 0, plain(""), Error{Kind: IncompleteBody}},
		"no last chunk":       {unsignedTrailer, 5, plain("5\r\nhello\r\n"), Error{Kind: IncompleteBody, ExpectedLength: 5, ActualLength: 5}},
		"no last line end":    {signedChunks, 0, func(f *framer) { f.chunk(nil) }, Error{Kind: IncompleteBody}},
		"bad size":            {unsignedTrailer, 5, plain("0x5\r\nhello\r\n"), Error{Kind: MalformedChunk, Chunk: 1}},
		"no size":             {unsignedTrailer, 5, plain("\r\nhello\r\n"), Error{Kind: MalformedChunk, Chunk: 1}},
		"negative size":       {unsignedTrailer, 5, plain("-5\r\nhello\r\n"), Error{Kind: MalformedChunk, Chunk: 1}},
		"size overflows":      {unsignedTrailer, 5, plain("ffffffffffffffff\r\nhello\r\n"), Error{Kind: MalformedChunk, Chunk: 1}},
		"size beyond":         {unsignedTrailer, 5, plain("fffffff\r\nhello\r\n"), Error{Kind: IncompleteBody, ExpectedLength: 5, ActualLength: 0xfffffff}},
		"bare line feed":      {unsignedTrailer, 5, plain("5\nhello\r\n"), Error{Kind: MalformedChunk, Chunk: 1}},
		"endless header":      {unsignedTrailer, 5, plain("5;" + strings.Repeat("x", 5000)), Error{Kind: MalformedChunk, Chunk: 1}},
		"no line end":         {unsignedTrailer, 5, plain("5\r\nhelloworld"), Error{Kind: MalformedChunk, Chunk: 1}},
		"unsigned chunk":      {signedChunks, 5, plain("5\r\nhello\r\n0\r\n\r\n"), Error{Kind: MalformedChunk, Chunk: 1}},
		"bytes after":         {signedChunks, len(body), func(f *framer) { whole(f); f.WriteString("x") }, Error{Kind: MalformedTrailer}},
		"bytes after trailer": {unsignedTrailer, 0, plain("0\r\n" + testTrailer + "\r\n\r\nx"), Error{Kind: MalformedTrailer}},
		"trailer unasked":     {signedChunks, 0, func(f *framer) { f.chunk(nil); f.WriteString(testTrailer + "\r\n\r\n") }, Error{Kind: MalformedChunk, Chunk: 1}},
		"trailer missing":     {unsignedTrailer, 0, plain("0\r\n\r\n"), Error{Kind: MalformedTrailer, Value: "x-amz-checksum-crc32c"}},
		"trailer other":       {unsignedTrailer, 0, plain("0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"), Error{Kind: MalformedTrailer, Value: "x-amz-checksum-crc32"}},
		"trailer twice":       {unsignedTrailer, 0, plain("0\r\n" + testTrailer + "\r\n" + testTrailer + "\r\n\r\n"), Error{Kind: MalformedTrailer, Value: "x-amz-checksum-crc32c"}},
		"trailer no colon":    {unsignedTrailer, 0, plain("0\r\nx\r\n\r\n"), Error{Kind: MalformedTrailer, Value: "x"}},
		"trailer no value":    {unsignedTrailer, 0, plain("0\r\nx-amz-checksum-crc32c:\r\n\r\n"), Error{Kind: MalformedTrailer, Value: "x-amz-checksum-crc32c"}},
		"trailer long line":   {unsignedTrailer, 0, plain("0\r\nx:" + strings.Repeat("y", 5000)), Error{Kind: MalformedTrailer}},
		"trailer cut":         {unsignedTrailer, 0, plain("0\r\n" + testTrailer), Error{Kind: IncompleteBody}},
		"empty lines":         {signedTrailer, 0, func(f *framer) { f.chunk(nil); f.WriteString(strings.Repeat("\r\n", 5000)) }, Error{Kind: MalformedTrailer}},
		"line after signature": {signedTrailer, 0, func(f *framer) {
			f.chunk(nil)
			f.trailer(testTrailer)
			f.Truncate(f.Len() - 2)
			f.WriteString("x:y\r\n\r\n")
		}, Error{Kind: MalformedTrailer, Value: "x"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := streaming(t, tt.payload, tt.length)
			f := newFramer(s)
			tt.build(f)
			_, b, err := decode(t, s, &f.Buffer)
			got := *asError(t, err, tt.want.Kind)
			tt.want.Form, tt.want.AccessKeyID, tt.want.Scope = FormHeader, testKey, testScope
			got.cause = nil
			if d := cmp.Diff(got, tt.want, cmp.AllowUnexported(Error{})); d != "" {
				t.Error(d)
			}
			if b.Trailer() != nil {
				t.Error("trailers of a refused body were handed out")
			}
			if _, again := b.Read(make([]byte, 10)); again != err {
				t.Errorf("the error must stay: %v", again)
			}
		})
	}
}

func TestChunkSignatureFaults(t *testing.T) {
	first, second := pattern(8192), bytes.Repeat([]byte("x"), 8192)
	big := pattern(maxBuffered + 10)
	tests := map[string]struct {
		length int
		build  func(f *framer) []byte
		chunk  int
	}{
		"content": {8192, func(f *framer) []byte {
			f.chunks(first, 8192)
			return bytes.Replace(f.Bytes(), first[100:110], second[100:110], 1)
		}, 1},
		"content of a large chunk": {len(big), func(f *framer) []byte {
			f.chunks(big, len(big))
			f.Bytes()[200] ^= 1
			return f.Bytes()
		}, 1},
		"swapped": {16384, func(f *framer) []byte {
			f.chunk(first)
			n := f.Len()
			f.chunk(second)
			return append(bytes.Clone(f.Bytes()[n:]), f.Bytes()[:n]...)
		}, 1},
		"repeated": {16384, func(f *framer) []byte {
			f.chunk(first)
			return append(bytes.Clone(f.Bytes()), f.Bytes()...)
		}, 2},
		"left out": {8192, func(f *framer) []byte {
			f.chunk(first)
			n := f.Len()
			f.chunk(second)
			f.chunk(nil)
			return f.Bytes()[n:]
		}, 1},
		"last chunk of another stream": {8192, func(f *framer) []byte {
			f.chunk(first)
			f.previous = testSignature
			f.chunk(nil)
			return f.Bytes()
		}, 2},
		"other seed": {8192, func(f *framer) []byte {
			f.previous = testSignature
			f.chunks(first, 8192)
			return f.Bytes()
		}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := streaming(t, signedChunks, tt.length)
			got, _, err := decode(t, s, bytes.NewReader(append(tt.build(newFramer(s)), '\r', '\n')))
			e := asError(t, err, BadChunkSignature)
			if e.Chunk != tt.chunk || len(e.SignatureProvided) != 64 || !strings.HasPrefix(e.StringToSign, "AWS4-HMAC-SHA256-PAYLOAD\n20260304T050607Z\n") {
				t.Errorf("%+v", e)
			}
			if tt.length <= maxBuffered && len(got) != (tt.chunk-1)*8192 {
				t.Errorf("%d bytes were released", len(got))
			}
			if len(got) >= tt.length && tt.chunk == 1 {
				t.Error("the end of a bad chunk was released")
			}
		})
	}
}

func TestTrailerSignatureFault(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"value": func(s string) string { return strings.Replace(s, "sOO8/Q==", "AAAAAA==", 1) },
		"signature": func(s string) string {
			i := strings.Index(s, "x-amz-trailer-signature:")
			return s[:i] + "x-amz-trailer-signature:" + testSignature + "\r\n\r\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := streaming(t, signedTrailer, 5)
			f := newFramer(s)
			f.chunks([]byte("hello"), 8192)
			f.trailer(testTrailer)
			_, b, err := decode(t, s, strings.NewReader(change(f.String())))
			if e := asError(t, err, BadTrailerSignature); !strings.HasPrefix(e.StringToSign, "AWS4-HMAC-SHA256-TRAILER\n") {
				t.Errorf("%+v", e)
			}
			if b.Trailer() != nil {
				t.Error("a bad trailer was handed out")
			}
		})
	}
}

// The streaming examples of the S3 API reference: 65 KiB of "a" in two chunks.
func TestPublishedChunks(t *testing.T) {
	tests := map[string]struct {
		extra, payload, signed, seed string
		chunks                       [3]string
		trailer                      string
	}{
		"signed chunks": {
			payload: signedChunks,
			signed:  "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
			seed:    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
			chunks: [3]string{"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
				"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
				"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
		},
		"signed trailer": {
			extra:   "x-amz-trailer: x-amz-checksum-crc32c\r\n",
			payload: signedTrailer,
			signed:  "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
			seed:    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
			chunks: [3]string{"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
				"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
				"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"},
			trailer: testTrailer + "\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			raw := "PUT /examplebucket/chunkObject.txt HTTP/1.1\r\nHost: s3.amazonaws.com\r\nx-amz-date: 20130524T000000Z\r\n" +
				"x-amz-storage-class: REDUCED_REDUNDANCY\r\nContent-Encoding: aws-chunked\r\nContent-Length: 66824\r\n" +
				"x-amz-decoded-content-length: 66560\r\nx-amz-content-sha256: " + tt.payload + "\r\n" + tt.extra +
				"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=" +
				tt.signed + ",Signature=" + tt.seed + "\r\n\r\n"
			s := mustParse(t, readRequest(t, []byte(raw)))
			now := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
			if err := s.Verify(now, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", s3Opts); err != nil {
				t.Fatalf("Verify: %v\n%s", err, asError(t, err, BadSignature).CanonicalRequest)
			}
			body := "10000;chunk-signature=" + tt.chunks[0] + "\r\n" + strings.Repeat("a", 65536) + "\r\n" +
				"400;chunk-signature=" + tt.chunks[1] + "\r\n" + strings.Repeat("a", 1024) + "\r\n" +
				"0;chunk-signature=" + tt.chunks[2] + "\r\n" + tt.trailer + "\r\n"
			got, _, err := decode(t, s, strings.NewReader(body))
			if err != nil || string(got) != strings.Repeat("a", 66560) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}
