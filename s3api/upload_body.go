package s3api

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxPut is the largest body of one PUT or part, and the most that one CopyObject copies (S208).
const maxPut = 5 << 30

// uploadBody is the content of a PUT or UploadPart on its way into the store: the declared
// checksums are held against what really arrives.
type uploadBody struct {
	body    *sigv4.Body
	digests *checksum.Multi
	sum     declaredChecksum
	md5     []byte // Content-MD5; nil if none was sent
	size    int64
	part    bool // an UploadPart's
}

// declared reports whether the client said what the content's digest must be.
func (u *uploadBody) declared() bool { return u.md5 != nil || u.sum.digest != nil || u.sum.trailer }

// written is content that stands in the store but belongs to no version or part yet.
type written struct {
	data   store.Data
	md5    []byte
	digest []byte // of the checksum algorithm
	sum    checksum.Algorithm
}

// openUpload checks everything about a body that can be known before it is read, so that a
// client waiting for "100 Continue" can be refused without sending it. fallback is the
// algorithm for clients that name none.
func (a *API) openUpload(req *request, fallback checksum.Algorithm) (*uploadBody, error) {
	h := req.r.Header
	sum, err := readDeclaredChecksum(h)
	if err != nil {
		return nil, err
	}
	if sum.algorithm == "" {
		sum.algorithm = fallback
	}
	u := &uploadBody{sum: sum}
	if u.md5, err = readContentMD5(h); err != nil {
		return nil, err
	}
	if u.body, err = a.openBody(req); err != nil {
		return nil, err
	}
	switch u.size = u.body.DecodedLength(); {
	case u.size < 0: // S207
		return nil, failure.New("MissingContentLength", "")
	case u.size > maxPut: // S208
		return nil, failure.New("EntityTooLarge", "",
			"ProposedSize", strconv.FormatInt(u.size, 10), "MaxSizeAllowed", strconv.FormatInt(maxPut, 10))
	}
	u.digests = checksum.NewMulti(true, sum.algorithm)
	return u, nil
}

// store streams the body into the store and returns it only when all that was declared about
// it is true; otherwise nothing stays behind.
func (u *uploadBody) store(ctx context.Context, st *store.Store, key store.DataKey) (*written, error) {
	in := &failingReader{r: u.body}
	data, err := st.WriteData(ctx, key, io.TeeReader(in, u.digests))
	if in.err != nil {
		return nil, in.err
	} else if err != nil {
		return nil, err
	}
	w := &written{data: data, md5: u.digests.MD5(), digest: u.digests.Digest(u.sum.algorithm), sum: u.sum.algorithm}
	if err := u.verify(w); err != nil {
		st.DiscardData(data)
		return nil, err
	}
	return w, nil
}

func (u *uploadBody) verify(w *written) error {
	if w.data.Size != u.size {
		return failure.New("IncompleteBody", "")
	}
	if u.md5 != nil && !bytes.Equal(u.md5, w.md5) {
		expected := hex.EncodeToString(u.md5)
		if u.part { // PutObject quotes it in hex, UploadPart in base64 (S205)
			expected = base64.StdEncoding.EncodeToString(u.md5)
		}
		return failure.New("BadDigest", "",
			"ExpectedDigest", expected, "CalculatedDigest", base64.StdEncoding.EncodeToString(w.md5))
	}
	want := u.sum.digest
	if u.sum.trailer {
		v := u.body.Trailer()[u.sum.algorithm.Header()]
		var err error
		if want, err = checksum.Decode(u.sum.algorithm, v); err != nil {
			return badChecksumValue(u.sum.algorithm)
		}
	}
	if want != nil && !bytes.Equal(want, w.digest) { // S204
		return failure.Newf("BadDigest", "The %s you specified did not match the calculated checksum.", u.sum.algorithm)
	}
	return nil
}

// checksum is the FULL_OBJECT checksum of the content.
func (w *written) checksum() store.Checksum {
	return store.Checksum{Algorithm: w.sum, Type: checksum.FullObject, Value: checksum.Encode(w.digest)}
}

// declaredChecksum is what a request says about its additional checksum.
type declaredChecksum struct {
	algorithm checksum.Algorithm // "" when the client declares none
	digest    []byte             // nil when it comes in the trailer, or not at all
	trailer   bool
}

// readDeclaredChecksum reads the one x-amz-checksum- header or trailer announcement a write
// may carry (S203).
func readDeclaredChecksum(h http.Header) (declaredChecksum, error) {
	var d declaredChecksum
	found := 0
	for name, values := range h {
		if a, ok := checksum.ParseHeader(name); ok {
			found += len(values)
			digest, err := checksum.Decode(a, values[0])
			if err != nil {
				return d, badChecksumValue(a)
			}
			d = declaredChecksum{algorithm: a, digest: digest}
		}
	}
	for name := range strings.SplitSeq(h.Get("X-Amz-Trailer"), ",") {
		if a, ok := checksum.ParseHeader(strings.TrimSpace(name)); ok {
			found++
			d = declaredChecksum{algorithm: a, trailer: true}
		}
	}
	if found > 1 {
		return d, failure.New("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
	}
	named := h.Get("X-Amz-Sdk-Checksum-Algorithm")
	if named == "" {
		return d, nil
	}
	a, err := parseChecksumAlgorithm(named)
	if err != nil {
		return d, err
	}
	if found == 0 { // S206
		return d, failure.New("InvalidRequest",
			"x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
	}
	if a != d.algorithm {
		return d, badChecksumValue(d.algorithm)
	}
	return d, nil
}

func badChecksumValue(a checksum.Algorithm) error {
	return failure.Newf("InvalidRequest", "Value for %s header is invalid.", a.Header())
}

func parseChecksumAlgorithm(name string) (checksum.Algorithm, error) {
	a, err := checksum.ParseAlgorithm(name)
	var unsupported *checksum.UnsupportedError
	if errors.As(err, &unsupported) {
		return "", failure.New("InvalidRequest",
			"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128]")
	}
	return a, err
}

// readContentMD5 returns the digest in Content-MD5, nil without the header (S205).
func readContentMD5(h http.Header) ([]byte, error) {
	values := h.Values("Content-Md5")
	if len(values) == 0 {
		return nil, nil
	}
	digest, err := base64.StdEncoding.DecodeString(values[0])
	if err != nil || len(digest) != md5.Size {
		return nil, failure.New("InvalidDigest", "", "Content-MD5", values[0])
	}
	return digest, nil
}

// setChecksumHeaders shows an additional checksum in a response.
func setChecksumHeaders(h http.Header, c store.Checksum) {
	if c.Value != "" {
		h.Set(c.Algorithm.Header(), c.Value)
		h.Set("X-Amz-Checksum-Type", string(c.Type))
	}
}
