package s3api

import (
	"net/http"
	"strconv"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getObject sends a version, or a range or part of it. For SSE-KMS the caller needs
// kms:Decrypt, which is asked for after everything that S3 decides itself.
func (a *API) getObject(req *request) error { return retryGone(req, a.readObject) }

func (a *API) readObject(req *request) error {
	sel, v, err := a.prepareRead(req)
	if err != nil {
		return err
	}
	if err := a.checkRestored(v); err != nil {
		return err
	}
	if err := requireSignature(req, v.Encryption.KMS()); err != nil {
		return err
	}
	key, err := a.openForRead(req, req.bucket, v, customerPrefix)
	if err != nil {
		return err
	}
	h := req.w.Header()
	if err := a.setReadHeaders(req, v, &sel); err != nil {
		return err
	}
	if err := overrideHeaders(req, h); err != nil {
		return err
	}
	return a.sendContent(req, key, v, &sel)
}

// headObject is getObject without the content. It calls no KMS, except that the checksum of
// an SSE-KMS object is shown only to who may decrypt it (S240).
func (a *API) headObject(req *request) error {
	sel, v, err := a.prepareRead(req)
	if err != nil {
		return err
	}
	if v.Encryption.KMS() && showChecksums(req) {
		if _, err := a.openDataKey(req.ctx, req.caller, req.bucket, req.key, &v.Encryption); err != nil {
			return err
		}
	}
	if err := a.setReadHeaders(req, v, &sel); err != nil {
		return err
	}
	if err := overrideHeaders(req, req.w.Header()); err != nil {
		return err
	}
	req.w.WriteHeader(sel.status())
	return nil
}

// prepareRead is what GET and HEAD check in common: the version, its conditions, the range.
func (a *API) prepareRead(req *request) (selection, *store.Version, error) {
	if err := refuseEncryptionHeaders(req.r.Header); err != nil {
		return selection{}, nil, err
	}
	v, err := a.readableVersion(req)
	if err != nil {
		return selection{}, nil, err
	}
	if err := checkCustomerKey(req.r.Header, customerPrefix, &v.Encryption); err != nil {
		return selection{}, nil, err
	}
	if failed := getConditions(req.r.Header).check(v, a.cfg.Clock.Now()); failed != "" {
		if !notModified(failed) {
			return selection{}, nil, preconditionFailed(failed)
		}
		h := req.w.Header()
		h["Etag"] = []string{`"` + v.ETag + `"`}
		h["Last-Modified"] = []string{v.LastModified.UTC().Format(http.TimeFormat)}
		setVersionID(h, req.bucket, v.ID)
		return selection{}, nil, failure.New("NotModified", "")
	}
	sel, err := selectBytes(req, v)
	return sel, v, err
}

// setReadHeaders describes the version and the selection. The number of tags is for callers
// who may read them (S234).
func (a *API) setReadHeaders(req *request, v *store.Version, sel *selection) error {
	h := req.w.Header()
	setObjectHeaders(h, req.bucket, v)
	setCustomerHeaders(req, &v.Encryption)
	if req.query.Get("versionId") == "" {
		req.setExpiration(v)
	}
	sel.setHeaders(h, v, showChecksums(req))
	if r := restoreHeader(v, a.cfg.Clock.Now()); r != "" {
		h["X-Amz-Restore"] = []string{r}
	}
	if v.Lock != (store.Lock{}) {
		if err := a.setLockHeaders(req, v); err != nil {
			return err
		}
	}
	if len(v.Tags) == 0 {
		return nil
	}
	action := "s3:GetObjectTagging"
	if req.query.Has("versionId") {
		action = "s3:GetObjectVersionTagging"
	}
	ok, err := a.mayAlso(req, action, v)
	if err != nil {
		return err
	}
	if ok {
		h["X-Amz-Tagging-Count"] = []string{strconv.Itoa(len(v.Tags))}
	}
	return nil
}

func showChecksums(req *request) bool {
	return req.r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED"
}

// requireSignature refuses SSE-KMS to anonymous callers, of whom KMS could ask nobody, and to
// the old signature version (S220).
func requireSignature(req *request, kms bool) error {
	if !kms || req.inside || req.signed != nil && req.signed.Form != sigv4.FormQueryV2 && req.signed.Form != sigv4.FormPostV2 {
		return nil
	}
	return invalidHeader("Authorization", "null",
		"Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.")
}
