package s3api

import (
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxRetentionYears bounds default retention periods (S314).
const maxRetentionYears = 100

// getObjectLockConfiguration is GetObjectLockConfiguration.
func (a *API) getObjectLockConfiguration(req *request) error {
	l := req.bucket.ObjectLock
	if l == nil {
		return notConfigured("ObjectLockConfigurationNotFoundError", req)
	}
	const root = "ObjectLockConfiguration"
	d := newDocument(root)
	d.text("ObjectLockEnabled", "Enabled")
	if l.Mode != "" {
		d.open("Rule")
		d.open("DefaultRetention")
		d.text("Mode", l.Mode)
		if l.Days > 0 {
			d.number("Days", int64(l.Days))
		} else {
			d.number("Years", int64(l.Years))
		}
		d.close("DefaultRetention")
		d.close("Rule")
	}
	return req.send(d, root)
}

// putObjectLockConfiguration is PutObjectLockConfiguration: it enables Object Lock, for good,
// and replaces the default retention of new versions (S314).
func (a *API) putObjectLockConfiguration(req *request) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	l, err := parseObjectLock(body)
	if err != nil {
		return err
	}
	err = a.update(req, func(b *store.Bucket) error {
		if b.Versioning != store.VersioningEnabled {
			return failure.New("InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		b.ObjectLock = l
		return nil
	})
	if err != nil {
		return err
	}
	return req.ok()
}

func parseObjectLock(body []byte) (*store.ObjectLock, error) {
	root, err := parseXML(body, "ObjectLockConfiguration")
	if err != nil {
		return nil, err
	}
	root.need("ObjectLockEnabled").enum("Enabled")
	l := &store.ObjectLock{}
	var period int64 = 1
	if rule := root.one("Rule"); rule != nil {
		r := rule.need("DefaultRetention")
		l.Mode = r.need("Mode").enum(store.Governance, store.Compliance)
		days, years := r.one("Days"), r.one("Years")
		if (days == nil) == (years == nil) {
			r.malformed()
		}
		if days != nil {
			period = days.integer(1<<31 - 1)
			l.Days = int(period)
		}
		if years != nil {
			period = years.integer(1<<31 - 1)
			l.Years = int(period)
		}
	}
	if err := root.end(); err != nil {
		return nil, err
	}
	switch {
	case period <= 0:
		return nil, failure.New("InvalidArgument", "Default retention period must be a positive integer value.")
	case l.Years > maxRetentionYears || l.Days > 365*maxRetentionYears:
		return nil, failure.New("InvalidArgument", "Default retention period too large.")
	}
	return l, nil
}
