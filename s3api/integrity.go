package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"io"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
)

// maxConfigBody bounds the bodies that are held in memory. The largest legal one is a
// DeleteObjects of 1,000 keys of 1,024 bytes.
const maxConfigBody = 4 << 20

// openBody is the request's content, without signature framing, verified at io.EOF.
func (a *API) openBody(req *request) (*sigv4.Body, error) {
	if req.signed == nil {
		return sigv4.AnonymousBody(req.r, req.r.Body)
	}
	return req.signed.Body(req.r.Body)
}

// readBody reads and verifies a whole body of at most limit bytes; calling it again
// answers the same again, so that a row's condition keys can look at the body before the
// handler does. With integrity, a body that is not empty must come with Content-MD5 or an
// x-amz-checksum-* header or trailer (S30); whatever it comes with is verified.
func (a *API) readBody(req *request, limit int64, integrity bool) ([]byte, error) {
	if !req.hasBody {
		req.body, req.bodyErr = a.readVerified(req, limit, integrity)
		req.hasBody = true
	}
	return req.body, req.bodyErr
}

func (a *API) readVerified(req *request, limit int64, integrity bool) ([]byte, error) {
	body, err := a.openBody(req)
	if err != nil {
		return nil, err
	}
	if body.DecodedLength() > limit {
		return nil, failure.New("MaxMessageLengthExceeded", "")
	}
	var buf bytes.Buffer
	if n := body.DecodedLength(); n > 0 {
		buf.Grow(int(n) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(io.LimitReader(body, limit+1)); err != nil {
		return nil, err
	}
	if int64(buf.Len()) > limit {
		return nil, failure.New("MaxMessageLengthExceeded", "")
	}
	content := buf.Bytes()
	hasMD5, err := verifyMD5(req, content)
	if err != nil {
		return nil, err
	}
	hasChecksum, err := verifyChecksums(req, body.Trailer(), content)
	if err != nil {
		return nil, err
	}
	if integrity && len(content) > 0 && !hasMD5 && !hasChecksum {
		return nil, failure.New("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	return content, nil
}

// verifyMD5 holds the content against Content-MD5 and reports whether there was one (S31).
func verifyMD5(req *request, content []byte) (bool, error) {
	v, ok := req.r.Header["Content-Md5"]
	if !ok {
		return false, nil
	}
	want, err := base64.StdEncoding.DecodeString(v[0])
	if err != nil || len(want) != md5.Size {
		return false, failure.New("InvalidDigest", "", "Content-MD5", v[0])
	}
	if got := md5.Sum(content); !bytes.Equal(got[:], want) {
		return false, failure.New("BadDigest", "The Content-MD5 you specified did not match what we received.",
			"ExpectedDigest", hex.EncodeToString(want), "CalculatedDigest", base64.StdEncoding.EncodeToString(got[:]))
	}
	return true, nil
}

// verifyChecksums holds the content against every x-amz-checksum-* header and trailer
// and reports whether there was one (S32).
func verifyChecksums(req *request, trailer map[string]string, content []byte) (bool, error) {
	found := false
	check := func(name, value string) error {
		algorithm, ok := checksum.ParseHeader(name)
		if !ok {
			return nil
		}
		found = true
		want, err := checksum.Decode(algorithm, value)
		if err != nil {
			return failure.Newf("InvalidRequest", "Value for %s header is invalid.", algorithm.Header())
		}
		h := checksum.New(algorithm)
		h.Write(content)
		if !bytes.Equal(h.Sum(nil), want) {
			return failure.Newf("BadDigest", "The %s you specified did not match the calculated checksum.", algorithm)
		}
		return nil
	}
	for name, values := range req.r.Header {
		if err := check(name, values[0]); err != nil {
			return false, err
		}
	}
	for name, value := range trailer {
		if err := check(name, value); err != nil {
			return false, err
		}
	}
	return found, nil
}
