package s3api

import (
	"crypto/md5"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// minPart is the smallest size of every part but the last (S274).
const minPart = 5 << 20

// completeMultipartUpload puts the parts that the client lists together into one version.
// Their bytes stay where they are. With SSE-KMS it needs kms:Decrypt as the parts did (S273).
func (a *API) completeMultipartUpload(req *request) error {
	cond, err := readWriteCondition(req.r.Header)
	if err != nil {
		return err
	}
	body, err := a.readPartList(req)
	if err != nil {
		return err
	}
	listed, err := parseComplete(body)
	if err != nil {
		return err
	}
	u, err := a.addressedUpload(req)
	if failure.CodeOf(err) == "NoSuchUpload" {
		return a.completeAgain(req, err)
	} else if err != nil {
		return err
	}
	if u.Version.Encryption.KMS() {
		if _, err := a.openDataKey(req.ctx, req.caller, req.bucket, req.key, &u.Version.Encryption); err != nil {
			return err
		}
	}
	v, err := a.assemble(req, u, listed)
	if err != nil {
		return err
	}
	stored, err := a.writeVersion(req.ctx, v, cond, u)
	if err != nil {
		return err
	}
	a.created(req, "CompleteMultipartUpload", stored)
	return a.answerComplete(req, stored)
}

// readPartList reads the body. Its x-amz-checksum headers are the object's, not the body's,
// which is why this is not readBody (S275).
func (a *API) readPartList(req *request) ([]byte, error) {
	body, err := a.openBody(req)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(body, maxConfigBody+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxConfigBody {
		return nil, failure.New("MaxMessageLengthExceeded", "")
	}
	_, err = verifyMD5(req, content)
	return content, err
}

// completeAgain answers a repeated request as the first one was answered, if the store still
// remembers the upload; clients repeat when the first answer was lost (S274).
func (a *API) completeAgain(req *request, notFound error) error {
	u := &store.Upload{ID: req.query.Get("uploadId"), Version: store.Version{Bucket: req.bucketName, Key: req.key}}
	stored, err := a.writeVersion(req.ctx, u.Version, store.Condition{}, u)
	if err != nil {
		return notFound
	}
	a.created(req, "CompleteMultipartUpload", stored)
	return a.answerComplete(req, stored)
}

func (a *API) answerComplete(req *request, v *store.Version) error {
	h := req.w.Header()
	setVersionID(h, req.bucket, v.ID)
	setEncryptionHeaders(h, &v.Encryption)
	const root = "CompleteMultipartUploadResult"
	d := newDocument(root)
	d.text("Location", location(req))
	d.text("Bucket", req.bucketName)
	d.text("Key", req.key)
	d.text("ETag", `"`+v.ETag+`"`)
	writeChecksum(d, v.Checksum, true)
	return req.send(d, root)
}

// location is the object's address at the host the client used.
func location(req *request) string {
	scheme := "http"
	if req.r.TLS != nil {
		scheme = "https"
	}
	u := url.URL{Scheme: scheme, Host: req.r.Host, Path: "/" + req.bucketName + "/" + req.key}
	if strings.HasPrefix(req.r.Host, req.bucketName+".") {
		u.Path = "/" + req.key
	}
	return u.String()
}

// completedPart is one part as the client lists it.
type completedPart struct {
	number int
	etag   string
	sums   map[checksum.Algorithm]string
}

func parseComplete(body []byte) ([]completedPart, error) {
	none := failure.New("InvalidRequest", "You must specify at least one part")
	if len(body) == 0 {
		return nil, none
	}
	top, err := parseXML(body, "CompleteMultipartUpload")
	if err != nil {
		return nil, err
	}
	var parts []completedPart
	for _, e := range top.many("Part") {
		p := completedPart{number: int(e.need("PartNumber").integer(1 << 31)), etag: trimETag(e.need("ETag").leaf())}
		for _, algorithm := range checksum.Algorithms() {
			if sum := e.one("Checksum" + string(algorithm)); sum != nil {
				if p.sums == nil {
					p.sums = map[checksum.Algorithm]string{}
				}
				p.sums[algorithm] = strings.TrimSpace(sum.leaf())
			}
		}
		parts = append(parts, p)
	}
	if err := top.end(); err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, none
	}
	return parts, nil
}

// assemble makes the version of the listed parts: order, ETags, sizes and checksums are held
// against what was uploaded, in that order (S274, S275).
func (a *API) assemble(req *request, u *store.Upload, listed []completedPart) (store.Version, error) {
	v := u.Version
	stored, _, err := a.cfg.Store.Parts(req.ctx, u, 0, 0)
	if err != nil {
		return v, err
	}
	byNumber := make(map[int]*store.StoredPart, len(stored))
	for i := range stored {
		byNumber[stored[i].Number] = &stored[i]
	}
	for i, p := range listed {
		if i > 0 && p.number <= listed[i-1].number {
			return v, failure.New("InvalidPartOrder", "", "UploadId", u.ID)
		}
	}
	v.Parts = make([]store.Part, 0, len(listed))
	for _, p := range listed {
		have := byNumber[p.number]
		if have == nil || have.ETag != p.etag {
			return v, invalidPart(u, p)
		}
		if err := checkPartSum(u, p, have); err != nil {
			return v, err
		}
		v.Parts = append(v.Parts, have.Part)
		v.Size += have.Data.Size
	}
	for i, p := range v.Parts[:len(v.Parts)-1] {
		if p.Data.Size < minPart {
			return v, failure.New("EntityTooSmall", "", "ETag", p.ETag, "MinSizeAllowed", strconv.Itoa(minPart),
				"PartNumber", strconv.Itoa(listed[i].number), "ProposedSize", strconv.FormatInt(p.Data.Size, 10))
		}
	}
	if v.ETag, err = multipartETag(v.Parts); err != nil {
		return v, err
	}
	return v, a.sumUp(req.r.Header, &v)
}

func invalidPart(u *store.Upload, p completedPart) error {
	return failure.New("InvalidPart", "", "UploadId", u.ID, "PartNumber", strconv.Itoa(p.number), "ETag", p.etag)
}

// checkPartSum holds the checksums listed for a part against the stored one. COMPOSITE
// uploads must list them; uploads that named no algorithm have none to list (S275).
func checkPartSum(u *store.Upload, p completedPart, have *store.StoredPart) error {
	c := u.Version.Checksum
	for algorithm, value := range p.sums {
		if algorithm != c.Algorithm || value != have.Checksum.Value {
			return invalidPart(u, p)
		}
	}
	if c.Type == checksum.Composite && p.sums[c.Algorithm] == "" {
		return failure.Newf("InvalidRequest", "The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.",
			c.Algorithm.Lower(), p.number)
	}
	return nil
}

// multipartETag is the MD5 over the parts' ETags, and their number (S201).
func multipartETag(parts []store.Part) (string, error) {
	h := md5.New()
	for _, p := range parts {
		digest, err := hex.DecodeString(p.ETag)
		if err != nil {
			return "", failure.New("InternalError", "").Because(err)
		}
		h.Write(digest)
	}
	return hex.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts)), nil
}

// sumUp gives v its checksum and holds it, the type and the size against what the request
// says they must be (S275, S276).
func (a *API) sumUp(h http.Header, v *store.Version) error {
	kind := string(v.Checksum.Type)
	if kind == "" {
		kind = "null"
	}
	if want := h.Get("X-Amz-Checksum-Type"); want != "" && want != kind {
		return failure.Newf("InvalidRequest", "The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", kind)
	}
	if want := h.Get("X-Amz-Mp-Object-Size"); want != "" && want != strconv.FormatInt(v.Size, 10) {
		return failure.Newf("InvalidRequest", "The provided 'x-amz-mp-object-size' header value %s does not match what was computed: %d", want, v.Size)
	}
	if v.Checksum.Algorithm == "" { // the client named none (S270)
		v.Checksum = store.Checksum{Algorithm: checksum.Default, Type: checksum.FullObject}
	}
	if err := combine(v); err != nil {
		return err
	}
	want := h.Get(v.Checksum.Algorithm.Header())
	bare, _, _ := strings.Cut(v.Checksum.Value, "-")
	if want != "" && want != v.Checksum.Value && want != bare {
		return failure.Newf("BadDigest", "The %s you specified did not match the calculated checksum.", v.Checksum.Algorithm.Lower())
	}
	return nil
}

// combine computes the checksum of the whole from those of the parts.
func combine(v *store.Version) error {
	c := &v.Checksum
	digests := make([][]byte, len(v.Parts))
	parts := make([]checksum.Part, len(v.Parts))
	for i, p := range v.Parts {
		digest, err := checksum.Decode(c.Algorithm, p.Checksum.Value)
		if err != nil {
			return failure.New("InternalError", "").Because(err)
		}
		digests[i], parts[i] = digest, checksum.Part{Digest: digest, Size: p.Data.Size}
	}
	if c.Type == checksum.Composite {
		c.Value = checksum.CompositeValue(c.Algorithm, digests)
		return nil
	}
	whole, err := checksum.Combine(c.Algorithm, parts)
	c.Value = checksum.Encode(whole)
	return err
}
