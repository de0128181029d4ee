package s3api

import (
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getObjectLegalHold is GetObjectLegalHold: OFF is an answer, never set is none (S316).
func (a *API) getObjectLegalHold(req *request) error {
	v, err := a.lockableVersion(req)
	if err != nil {
		return err
	}
	if v.Lock.LegalHold == "" {
		return failure.New("NoSuchObjectLockConfiguration", "")
	}
	const root = "LegalHold"
	d := newDocument(root)
	d.text("Status", v.Lock.LegalHold)
	return req.send(d, root)
}

// putObjectLegalHold is PutObjectLegalHold.
func (a *API) putObjectLegalHold(req *request) error {
	if _, err := a.lockableVersion(req); err != nil {
		return err
	}
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	hold, err := parseLegalHold(body)
	if err != nil {
		return err
	}
	v, err := a.cfg.Store.SetLegalHold(req.ctx, req.bucketName, req.key, req.query.Get("versionId"), hold)
	if err != nil {
		return err
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	return req.ok()
}

func parseLegalHold(body []byte) (string, error) {
	if len(body) == 0 {
		return "", errMalformedXML // S316
	}
	top, err := parseXML(body, "LegalHold")
	if err != nil {
		return "", err
	}
	hold := top.need("Status").enum(store.HoldOn, store.HoldOff)
	return hold, top.end()
}

// legalHoldKeys adds the condition key of the hold in the body.
func (a *API) legalHoldKeys(req *request, keys policy.Context) {
	if body, err := a.readBody(req, maxConfigBody, true); err == nil {
		if hold, err := parseLegalHold(body); err == nil {
			setLockKeys(keys, store.Lock{LegalHold: hold}, a.cfg.Clock.Now())
		}
	}
	a.existingTagKeys(req, keys)
}
