package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"twinbucket/internal/checksum"
)

// Body is the verified content of an S3 request: what is to be stored, without framing. Its
// Read returns io.EOF only when everything declared about the content has been found true;
// until then nothing that was read may be committed. Errors are sticky.
type Body struct {
	source io.Closer
	reader io.Reader // a *plainReader or a *chunkReader
	chunks *chunkReader
	length int64
	err    error
}

// Body wraps the body of an S3 request whose signature has been verified. It reads nothing
// yet, so a client that waits for "100 Continue" can still be refused. Errors are an *Error
// of kind MissingDecodedLength, UnsupportedTrailer or one of checkPayload's.
//
// While reading, the kinds ContentSHA256Mismatch, IncompleteBody, MalformedChunk,
// InvalidChunkSize, BadChunkSignature, MalformedTrailer and BadTrailerSignature can occur;
// other errors are body's own.
func (s *Signed) Body(body io.ReadCloser) (*Body, error) {
	if !s.verified {
		panic("sigv4: Body called before Verify succeeded")
	}
	return s.body(body)
}

// AnonymousBody is Signed.Body for a request without a signature: payload hashes and
// unsigned chunks with trailers mean the same there, and no payload header is needed.
func AnonymousBody(r *http.Request, body io.ReadCloser) (*Body, error) {
	s := &Signed{req: r, ContentSHA256: r.Header.Get("X-Amz-Content-Sha256")}
	switch p := s.Payload(); {
	case p == PayloadMissing:
		s.ContentSHA256 = unsignedPayload
	case p.signed(): // there is no signature for the chunks to continue
		return nil, s.fail(InvalidContentSHA256).withValue(s.ContentSHA256)
	}
	return s.body(body)
}

func (s *Signed) body(body io.ReadCloser) (*Body, error) {
	if err := s.checkPayload(); err != nil {
		return nil, err
	}
	b := &Body{source: body, length: s.req.ContentLength}
	payload := s.Payload()
	if !payload.Chunked() {
		r := &plainReader{signed: s, source: body, length: b.length}
		if payload == PayloadHash {
			r.hash = sha256.New()
		}
		b.reader = r
		return b, nil
	}
	var err error
	if b.length, err = s.decodedLength(); err != nil {
		return nil, err
	}
	announced, err := s.announcedTrailers()
	if err != nil {
		return nil, err
	}
	b.chunks = newChunkReader(s, body, payload, b.length, announced)
	b.reader = b.chunks
	return b, nil
}

func (b *Body) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	n, b.err = b.reader.Read(p)
	return n, b.err
}

// Close closes the body it reads from.
func (b *Body) Close() error { return b.source.Close() }

// DecodedLength is the declared length of the content in bytes, -1 if unknown.
func (b *Body) DecodedLength() int64 { return b.length }

// Trailer holds the trailers by lower-case name once Read has returned io.EOF; nil before,
// and for bodies that have none.
func (b *Body) Trailer() map[string]string {
	if b.chunks == nil || b.err != io.EOF {
		return nil
	}
	return b.chunks.trailer
}

// decodedLength reads x-amz-decoded-content-length, without which the end of an aws-chunked
// body can't be told from a cut (A22).
func (s *Signed) decodedLength() (int64, error) {
	v := s.req.Header.Get("X-Amz-Decoded-Content-Length")
	n, err := strconv.ParseUint(v, 10, 63)
	if err != nil {
		return 0, s.fail(MissingDecodedLength).withValue(v)
	}
	return int64(n), nil
}

// announcedTrailers reads x-amz-trailer; only checksums can be announced (A26).
func (s *Signed) announcedTrailers() ([]string, error) {
	if !s.Payload().trailer() {
		return nil, nil
	}
	var names []string
	for _, v := range s.req.Header["X-Amz-Trailer"] {
		for name := range strings.SplitSeq(v, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			if name == "" {
				continue
			}
			if _, ok := checksum.ParseHeader(name); !ok {
				return nil, s.fail(UnsupportedTrailer).withValue(name)
			}
			names = append(names, name)
		}
	}
	return names, nil
}

// plainReader reads a body without framing and, if hash is set, holds its SHA-256 against
// the declared one at the end.
type plainReader struct {
	signed *Signed
	source io.Reader
	hash   hash.Hash
	length int64 // -1: unknown
	read   int64
}

func (r *plainReader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	r.read += int64(n)
	if r.hash != nil {
		r.hash.Write(p[:n])
	}
	if err == nil {
		return n, nil
	}
	if end := r.atEnd(err); end != io.EOF {
		return 0, end // the last bytes are held back with the verdict on them
	}
	return n, io.EOF
}

func (r *plainReader) atEnd(err error) error {
	if err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if err != io.EOF || r.length >= 0 && r.read != r.length {
		return r.signed.incomplete(r.length, r.read, err)
	}
	if r.hash == nil {
		return io.EOF
	}
	if sum := hex.EncodeToString(r.hash.Sum(nil)); !strings.EqualFold(sum, r.signed.ContentSHA256) {
		e := r.signed.fail(ContentSHA256Mismatch)
		e.ClientSHA256, e.ComputedSHA256 = r.signed.ContentSHA256, sum
		return e
	}
	return io.EOF
}

// incomplete is the error for a body that has fewer or more bytes than it should.
func (s *Signed) incomplete(want, got int64, cause error) *Error {
	e := s.fail(IncompleteBody)
	e.ExpectedLength, e.ActualLength = want, got
	if cause != io.EOF {
		e.cause = cause
	}
	return e
}
