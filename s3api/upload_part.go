package s3api

import (
	"strconv"

	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxPartNumber bounds part numbers from above (S271).
const maxPartNumber = 10000

// uploadPart stores one part; sending a number again replaces the part. With SSE-KMS each
// part needs kms:Decrypt on the upload's data key (S273).
func (a *API) uploadPart(req *request) error {
	number, u, err := a.addressedPart(req)
	if err != nil {
		return err
	}
	if err := refuseEncryptionHeaders(req.r.Header); err != nil {
		return err
	}
	algorithm := partAlgorithm(u)
	body, err := a.openUpload(req, algorithm)
	if err != nil {
		return err
	}
	body.part = true
	if declared := body.sum.algorithm; declared != algorithm {
		if u.Version.Checksum.Algorithm != "" { // S270
			return failure.Newf("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
				algorithm.Lower(), declared.Lower())
		}
		body.digests = checksum.NewMulti(true, declared, algorithm)
	}
	key, err := a.openForPart(req, u)
	if err != nil {
		return err
	}
	content, err := body.store(req.ctx, a.cfg.Store, key)
	if err != nil {
		return err
	}
	shown := content.checksum()
	content.sum, content.digest = algorithm, body.digests.Digest(algorithm)
	part, err := a.putPart(req, u, number, content, key)
	if err != nil {
		return err
	}
	h := req.w.Header()
	h["Etag"] = []string{`"` + part.ETag + `"`}
	setEncryptionHeaders(h, &u.Version.Encryption)
	setCustomerHeaders(req, &u.Version.Encryption)
	h.Set(shown.Algorithm.Header(), shown.Value)
	return req.ok()
}

// putPart makes content a part of u.
func (a *API) putPart(req *request, u *store.Upload, number int, content *written, key store.DataKey) (*store.StoredPart, error) {
	p := store.StoredPart{
		Part: store.Part{
			Number: number, ETag: contentETag(&u.Version.Encryption, key, content.md5),
			Checksum: store.Checksum{Algorithm: content.sum, Value: checksum.Encode(content.digest)}, Data: content.data,
		},
		Modified: a.cfg.Clock.Now(),
	}
	err := a.cfg.Store.PutPart(req.ctx, u, p)
	if err != nil {
		a.cfg.Store.DiscardData(content.data)
	}
	return &p, err
}

// partAlgorithm is what every part of u is summed with, so that the whole can be.
func partAlgorithm(u *store.Upload) checksum.Algorithm {
	if a := u.Version.Checksum.Algorithm; a != "" {
		return a
	}
	return checksum.Default
}

// addressedPart reads partNumber and finds the upload.
func (a *API) addressedPart(req *request) (int, *store.Upload, error) {
	text := req.query.Get("partNumber")
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 || number > maxPartNumber {
		return 0, nil, badPartNumber(text)
	}
	u, err := a.addressedUpload(req)
	return number, u, err
}

func badPartNumber(text string) error {
	return failure.New("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive",
		"ArgumentName", "partNumber", "ArgumentValue", text)
}

// addressedUpload finds the upload that uploadId names under the addressed key (S272).
func (a *API) addressedUpload(req *request) (*store.Upload, error) {
	return a.cfg.Store.Upload(req.ctx, req.bucketName, req.key, req.query.Get("uploadId"))
}

// isInitiator reports whether the caller began the addressed upload (S305). An upload that
// is not there nobody began.
func (a *API) isInitiator(req *request) bool {
	u, err := a.addressedUpload(req)
	return err == nil && req.signed != nil && u.Initiator == req.caller.Principal.ARN
}
