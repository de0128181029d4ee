package s3api

import (
	"errors"
	"net/http"

	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// createMultipartUpload begins an upload: the version it will become is settled here, with
// headers, tags, encryption and data key. All parts are sealed under that one key.
func (a *API) createMultipartUpload(req *request) error {
	h := req.r.Header
	v, err := a.newVersion(req)
	if err != nil {
		return err
	}
	if v.Checksum, err = readUploadChecksum(h); err != nil {
		return err
	}
	choice, err := chooseEncryption(h, req.bucket, req.key)
	if err != nil {
		return err
	}
	if err := requireSignature(req, choice.kms()); err != nil {
		return err
	}
	if v.Encryption, _, err = a.newDataKey(req.ctx, req.caller, req.bucket, req.key, choice); err != nil {
		return err
	}
	v.Multipart = true
	u, err := a.cfg.Store.CreateUpload(req.ctx, store.Upload{Version: v, Initiator: req.caller.Principal.ARN})
	if err != nil {
		return err
	}
	out := req.w.Header()
	setEncryptionHeaders(out, &v.Encryption)
	setContextHeader(out, &v.Encryption)
	setCustomerHeaders(req, &v.Encryption)
	if v.Checksum.Algorithm != "" {
		out.Set("X-Amz-Checksum-Algorithm", string(v.Checksum.Algorithm))
		out.Set("X-Amz-Checksum-Type", string(v.Checksum.Type))
	}
	const root = "InitiateMultipartUploadResult"
	d := newDocument(root)
	d.text("Bucket", req.bucketName)
	d.text("Key", req.key)
	d.text("UploadId", u.ID)
	return req.send(d, root)
}

// readUploadChecksum reads the algorithm and type that an upload's checksum is to have (S270).
// Without an algorithm S3 computes its default over the whole object and calls the type null.
func readUploadChecksum(h http.Header) (store.Checksum, error) {
	name, kind := h.Get("X-Amz-Checksum-Algorithm"), h.Get("X-Amz-Checksum-Type")
	if name == "" {
		if kind != "" {
			return store.Checksum{}, failure.New("InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return store.Checksum{}, nil
	}
	a, err := parseChecksumAlgorithm(name)
	if err != nil {
		return store.Checksum{}, err
	}
	t, err := a.ParseType(kind)
	var wrong *checksum.TypeError
	if errors.As(err, &wrong) {
		if !wrong.Known() {
			return store.Checksum{}, failure.New("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
		}
		return store.Checksum{}, failure.Newf("InvalidRequest", "The %s checksum type cannot be used with the %s checksum algorithm.", kind, a.Lower())
	}
	return store.Checksum{Algorithm: a, Type: t}, err
}
