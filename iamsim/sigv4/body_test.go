package sigv4

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBodyDeclarations(t *testing.T) {
	_, _, err := decode(t, streaming(t, signedChunks, -1), strings.NewReader(""))
	asError(t, err, MissingDecodedLength)
	for _, v := range []string{"-1", "x", "1.5", "99999999999999999999"} {
		_, _, err = decode(t, streaming(t, signedChunks, -1, "X-Amz-Decoded-Content-Length:"+v), strings.NewReader(""))
		if e := asError(t, err, MissingDecodedLength); e.Value != v {
			t.Errorf("got %q, want %q", e.Value, v)
		}
	}
	_, _, err = decode(t, streaming(t, unsignedTrailer, 1, "X-Amz-Trailer:x-amz-checksum-crc32, x-amz-meta-a"), strings.NewReader(""))
	if e := asError(t, err, UnsupportedTrailer); e.Value != "x-amz-meta-a" {
		t.Errorf("got %q", e.Value)
	}
}

func TestPlainBodies(t *testing.T) {
	request := func(payload string, length int64) *Signed {
		r := newRequest(t, "PUT", "/bucket/key", nil)
		sdkSign(t, r, "s3", "", payload)
		s := mustParse(t, overTheWire(t, r))
		if err := s.Verify(testTime, testSecret, s3Opts); err != nil {
			t.Fatal(err)
		}
		s.req.ContentLength = length
		return s
	}
	hello := hexSHA256([]byte("hello"))
	tests := map[string]struct {
		payload string
		length  int64
		body    io.Reader
		want    Kind
	}{
		"hash":            {hello, 5, strings.NewReader("hello"), None},
		"upper-case hash": {strings.ToUpper(hello), 5, strings.NewReader("hello"), None},
		"unknown length":  {hello, -1, strings.NewReader("hello"), None},
		"mismatch":        {hello, 5, strings.NewReader("hellO"), ContentSHA256Mismatch},
		"mismatch at EOF": {hello, 5, iotest.DataErrReader(strings.NewReader("hellO")), ContentSHA256Mismatch},
		"short":           {hello, 6, strings.NewReader("hello"), IncompleteBody},
		"unsigned":        {unsignedPayload, 5, strings.NewReader("jello"), None},
		"unsigned short":  {unsignedPayload, 5, strings.NewReader("jell"), IncompleteBody},
		"cut":             {unsignedPayload, -1, iotest.ErrReader(io.ErrUnexpectedEOF), IncompleteBody},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := request(tt.payload, tt.length)
			_, b, err := decode(t, s, tt.body)
			if tt.want == None {
				if err != nil || b.DecodedLength() != tt.length || b.Trailer() != nil {
					t.Errorf("%v, length %d", err, b.DecodedLength())
				}
				return
			}
			e := asError(t, err, tt.want)
			if tt.want == ContentSHA256Mismatch && (e.ClientSHA256 != hello || e.ComputedSHA256 != hexSHA256([]byte("hellO"))) {
				t.Errorf("%+v", e)
			}
		})
	}
	broken := errors.New("connection reset")
	for _, payload := range []string{hello, unsignedPayload, signedChunks, unsignedTrailer} {
		s := streaming(t, payload, 5)
		if _, _, err := decode(t, s, iotest.ErrReader(broken)); err != broken {
			t.Errorf("%s: got %v, want the body's own error", payload, err)
		}
	}
}

func TestAnonymousBody(t *testing.T) {
	request := func(payload string) *http.Request {
		r := newRequest(t, "PUT", "/bucket/key", []byte("hello"))
		r.Header.Set("X-Amz-Content-Sha256", payload)
		r.Header.Set("X-Amz-Decoded-Content-Length", "5")
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32c")
		return r
	}
	for payload, body := range map[string]string{
		"": "hello", unsignedPayload: "hello", hexSHA256([]byte("hello")): "hello",
		unsignedTrailer: "5\r\nhello\r\n0\r\n" + testTrailer + "\r\n\r\n",
	} {
		b, err := AnonymousBody(request(payload), io.NopCloser(strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(b); err != nil || string(got) != "hello" {
			t.Errorf("%s: %q, %v", payload, got, err)
		}
	}
	for payload, want := range map[string]Kind{
		signedChunks: InvalidContentSHA256, signedTrailer: InvalidContentSHA256, "x": InvalidContentSHA256,
		"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD": SigV4A,
	} {
		_, err := AnonymousBody(request(payload), http.NoBody)
		asError(t, err, want)
	}
	b, err := AnonymousBody(request(emptyHash), io.NopCloser(strings.NewReader("hello")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(b)
	asError(t, err, ContentSHA256Mismatch)
}
