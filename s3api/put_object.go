package s3api

import (
	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// putObject stores the body as a new version. Everything that headers can tell is checked
// before the first byte is read.
func (a *API) putObject(req *request) error {
	h := req.r.Header
	cond, err := readWriteCondition(h)
	if err != nil {
		return err
	}
	v, err := a.newVersion(req)
	if err != nil {
		return err
	}
	choice, err := chooseEncryption(h, req.bucket, req.key)
	if err != nil {
		return err
	}
	body, err := a.openUpload(req, checksum.Default) // S202
	if err != nil {
		return err
	}
	if hasLockHeaders(h) && !body.declared() { // S317
		return failure.New("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
	}
	if err := requireSignature(req, choice.kms()); err != nil {
		return err
	}
	var key store.DataKey
	if v.Encryption, key, err = a.newDataKey(req.ctx, req.caller, req.bucket, req.key, choice); err != nil {
		return err
	}
	content, err := body.store(req.ctx, a.cfg.Store, key)
	if err != nil {
		return err
	}
	content.fill(&v, key)
	stored, err := a.writeVersion(req.ctx, v, cond, nil)
	if err != nil {
		return err
	}
	a.created(req, "Put", stored)
	out := req.w.Header()
	setWritten(req, stored)
	out["Etag"] = []string{`"` + stored.ETag + `"`}
	setChecksumHeaders(out, stored.Checksum)
	return req.ok()
}

// fill makes content the whole of v.
func (w *written) fill(v *store.Version, key store.DataKey) {
	v.Size = w.data.Size
	v.ETag = contentETag(&v.Encryption, key, w.md5)
	v.Checksum = w.checksum()
	v.Parts = []store.Part{{ETag: v.ETag, Data: w.data}}
}

// setWritten is what all writes of a version answer.
func setWritten(req *request, v *store.Version) {
	h := req.w.Header()
	setVersionID(h, req.bucket, v.ID)
	setEncryptionHeaders(h, &v.Encryption)
	setContextHeader(h, &v.Encryption)
	setCustomerHeaders(req, &v.Encryption)
	req.setExpiration(v)
}
