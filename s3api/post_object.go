package s3api

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// postObject is POST Object, the upload of a browser's form. Who calls and which object is
// meant stands in the form, so the row's action is authorized here, once the form has been
// read up to its file (S330).
func (a *API) postObject(req *request) error {
	body, err := a.openBody(req)
	if err != nil {
		return err
	}
	if body.DecodedLength() < 0 {
		return failure.New("MissingContentLength", "")
	}
	form, err := readPostForm(req.r.Header.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	allowed, err := a.enterForm(req, form)
	if err != nil {
		return err
	}
	keys := make(policy.Context, 16)
	a.putKeys(req, keys)
	if err := a.authorizeWrite(req, req.op.Action, keys); err != nil {
		return err
	}
	stored, err := a.storeForm(req, form, allowed, body)
	if err != nil {
		return err
	}
	a.created(req, "Post", stored)
	setWritten(req, stored)
	setChecksumHeaders(req.w.Header(), stored.Checksum)
	return answerForm(req, form, stored)
}

// enterForm makes the request one of whom the form says: it verifies the signature over the
// policy, holds the form against the policy, and takes key and headers from the fields. The
// policy is nil for a form without one.
func (a *API) enterForm(req *request, form *postForm) (allowed *postPolicy, err error) {
	var faulty error
	if encoded, sent := form.field("policy"); sent {
		allowed, faulty = parsePostPolicy(encoded)
	}
	if err := a.authenticateForm(req, form, allowed); err != nil {
		return nil, err
	}
	if faulty != nil {
		return nil, faulty
	}
	if req.key, err = form.key(); err != nil {
		return nil, err
	}
	if n := len(req.key); n > maxKeyLength {
		return nil, failure.New("KeyTooLongError", "", "Size", strconv.Itoa(n), "MaxSizeAllowed", strconv.Itoa(maxKeyLength))
	}
	if allowed != nil {
		if err := allowed.check(form, req.bucketName, req.key); err != nil {
			return nil, err
		}
	}
	h, err := form.headers()
	if err != nil {
		return nil, err
	}
	req.r = req.r.Clone(req.ctx)
	req.r.Header = h
	return allowed, nil
}

// authenticateForm finds out who signed the form. A policy without signature is refused; a
// form with neither is anonymous, or whoever signed the request itself.
func (a *API) authenticateForm(req *request, form *postForm, allowed *postPolicy) error {
	var ends time.Time
	if allowed != nil {
		ends = allowed.expires
	}
	signed, err := sigv4.ParsePost(req.r, form.field, ends)
	if errors.Is(err, sigv4.ErrAnonymous) {
		if _, sent := form.field("policy"); sent {
			return failure.New("AccessDenied", "")
		}
		return nil
	}
	if err != nil {
		return err
	}
	caller, err := a.cfg.IAM.Authenticate(req.ctx, req.r, signed, sigv4.Options{S3: true, Service: "s3"})
	if err != nil {
		return err
	}
	caller.Source.RequestID = req.id
	req.signed, req.region = signed, signed.Scope.Region
	req.caller = caller.Observed(req.permissions.Observe)
	return nil
}

// storeForm stores the file as a new version. Its size is known only at its end.
func (a *API) storeForm(req *request, form *postForm, allowed *postPolicy, body io.Reader) (*store.Version, error) {
	h := req.r.Header
	v, err := a.newVersion(req)
	if err != nil {
		return nil, err
	}
	choice, err := chooseEncryption(h, req.bucket, req.key)
	if err != nil {
		return nil, err
	}
	if err := requireSignature(req, choice.kms()); err != nil {
		return nil, err
	}
	declared, err := readDeclaredChecksum(h)
	if err != nil {
		return nil, err
	}
	if declared.algorithm == "" {
		declared.algorithm = checksum.Default
	}
	md5, err := readContentMD5(h)
	if err != nil {
		return nil, err
	}
	var key store.DataKey
	if v.Encryption, key, err = a.newDataKey(req.ctx, req.caller, req.bucket, req.key, choice); err != nil {
		return nil, err
	}
	content, err := a.storeFile(req, form.file, body, key, declared.algorithm)
	if err != nil {
		return nil, err
	}
	if err := checkFile(content, allowed, declared, md5); err != nil {
		a.cfg.Store.DiscardData(content.data)
		return nil, err
	}
	content.fill(&v, key)
	return a.writeVersion(req.ctx, v, store.Condition{}, nil)
}

// storeFile streams the file into the store. The rest of the body is read too, for only at
// its end is it known to be what the request declared.
func (a *API) storeFile(req *request, file, body io.Reader, key store.DataKey, algorithm checksum.Algorithm) (*written, error) {
	digests := checksum.NewMulti(true, algorithm)
	in := &failingReader{r: file}
	data, err := a.cfg.Store.WriteData(req.ctx, key, io.TeeReader(in, digests))
	switch {
	case errors.Is(in.err, io.ErrUnexpectedEOF): // no boundary ends the file
		return nil, failure.New("MalformedPOSTRequest", "").Because(in.err)
	case in.err != nil:
		return nil, in.err
	case err != nil:
		return nil, err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		a.cfg.Store.DiscardData(data)
		return nil, err
	}
	return &written{data: data, md5: digests.MD5(), digest: digests.Digest(algorithm), sum: algorithm}, nil
}

func checkFile(w *written, allowed *postPolicy, declared declaredChecksum, md5 []byte) error {
	if w.data.Size > maxPut {
		return failure.New("EntityTooLarge", "", "ProposedSize", strconv.FormatInt(w.data.Size, 10), "MaxSizeAllowed", strconv.FormatInt(maxPut, 10))
	}
	if md5 != nil && !bytes.Equal(md5, w.md5) {
		return failure.New("BadDigest", "", "ExpectedDigest", hex.EncodeToString(md5), "CalculatedDigest", base64.StdEncoding.EncodeToString(w.md5))
	}
	if declared.digest != nil && !bytes.Equal(declared.digest, w.digest) {
		return failure.Newf("BadDigest", "The %s you specified did not match the calculated checksum.", declared.algorithm)
	}
	return allowed.checkSize(w.data.Size)
}

// answerForm answers as the form asks: by a redirect, or with 200, 201 and a document, or
// 204, which is also the answer to anything else (S334).
func answerForm(req *request, form *postForm, v *store.Version) error {
	at := location(req)
	h := req.w.Header()
	h["Etag"] = []string{`"` + v.ETag + `"`}
	h["Location"] = []string{at}
	target, sent := form.field("success_action_redirect")
	if !sent {
		target, sent = form.field("redirect")
	}
	if to, err := url.Parse(target); sent && err == nil && to.Scheme != "" && to.Host != "" {
		query := to.RawQuery
		if query != "" {
			query += "&"
		}
		to.RawQuery = query + "bucket=" + url.QueryEscape(v.Bucket) + "&key=" + url.QueryEscape(v.Key) + "&etag=" + url.QueryEscape(`"`+v.ETag+`"`)
		h["Location"] = []string{to.String()}
		h["Content-Length"] = []string{"0"}
		req.w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	switch status, _ := form.field("success_action_status"); status {
	case "200":
		return req.ok()
	case "201":
		d := document{buf: append(make([]byte, 0, 512), xmlDeclaration...)}
		d.open("PostResponse")
		d.text("Location", at)
		d.text("Bucket", v.Bucket)
		d.text("Key", v.Key)
		d.text("ETag", `"`+v.ETag+`"`)
		d.close("PostResponse")
		h["Content-Type"] = []string{"application/xml"}
		h["Content-Length"] = []string{strconv.Itoa(len(d.buf))}
		req.w.WriteHeader(http.StatusCreated)
		_, err := req.w.Write(d.buf)
		return clientGone(err)
	}
	return req.noContent()
}
