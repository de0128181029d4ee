package s3api

import (
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getBucketVersioning is GetBucketVersioning: a bucket that never had versioning has
// no Status (S60).
func (a *API) getBucketVersioning(req *request) error {
	d := newDocument("VersioningConfiguration")
	d.optional("Status", string(req.bucket.Versioning))
	return req.send(d, "VersioningConfiguration")
}

// putBucketVersioning is PutBucketVersioning.
func (a *API) putBucketVersioning(req *request) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	state, err := parseVersioning(body)
	if err != nil {
		return err
	}
	err = a.update(req, func(b *store.Bucket) error {
		if b.Replication != nil && state != store.VersioningEnabled { // S69
			return failure.New("InvalidBucketState", "A replication configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		if b.ObjectLock != nil && state != store.VersioningEnabled { // S69
			return failure.New("InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		b.Versioning = state
		return nil
	})
	if err != nil {
		return err
	}
	return req.ok()
}

// parseVersioning reads a VersioningConfiguration (S70).
func parseVersioning(body []byte) (store.Versioning, error) {
	root, err := parseXML(body, "VersioningConfiguration")
	if err != nil {
		return "", err
	}
	status := root.one("Status")
	if status != nil {
		status.enum(string(store.VersioningEnabled), string(store.VersioningSuspended))
	}
	mfa := ""
	if e := root.one("MfaDelete"); e != nil {
		mfa = e.enum("Enabled", "Disabled")
	}
	if err := root.end(); err != nil {
		return "", err
	}
	if mfa == "Enabled" {
		return "", failure.New("NotImplemented", "MFA Delete is not supported by Twinbucket.")
	}
	if status == nil {
		return "", failure.New("IllegalVersioningConfigurationException", "")
	}
	return store.Versioning(status.text), nil
}
