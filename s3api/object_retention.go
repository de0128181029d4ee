package s3api

import (
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getObjectRetention is GetObjectRetention. A retention that has ended is still shown (S315).
func (a *API) getObjectRetention(req *request) error {
	v, err := a.lockableVersion(req)
	if err != nil {
		return err
	}
	if v.Lock.Mode == "" {
		return failure.New("NoSuchObjectLockConfiguration", "")
	}
	const root = "Retention"
	d := newDocument(root)
	d.text("Mode", v.Lock.Mode)
	d.time("RetainUntilDate", v.Lock.Until)
	return req.send(d, root)
}

// putObjectRetention is PutObjectRetention. An empty Retention removes it; making one in
// force laxer takes the bypass header and its permission (S315).
func (a *API) putObjectRetention(req *request) error {
	if _, err := a.lockableVersion(req); err != nil {
		return err
	}
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	l, err := parseRetention(body)
	if err != nil {
		return err
	}
	if l.Mode != "" && !l.Until.After(a.cfg.Clock.Now()) {
		return failure.New("InvalidArgument", "The retain until date must be in the future!",
			"ArgumentName", "RetainUntilDate", "ArgumentValue", l.Until.Format("Mon Jan 02 15:04:05 MST 2006"))
	}
	bypass, err := readBypass(req)
	if err != nil {
		return err
	}
	if bypass {
		if err := a.authorize(req, "s3:BypassGovernanceRetention", req.objectARN(), a.lockKeys(l)); err != nil {
			return err
		}
	}
	v, err := a.cfg.Store.SetRetention(req.ctx, req.bucketName, req.key, req.query.Get("versionId"), l.Mode, l.Until, bypass)
	if err != nil {
		return err
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	return req.ok()
}

func parseRetention(body []byte) (l store.Lock, err error) {
	top, err := parseXML(body, "Retention")
	if err != nil {
		return l, err
	}
	mode, until := top.one("Mode"), top.one("RetainUntilDate")
	if (mode == nil) != (until == nil) {
		top.malformed()
	}
	if mode != nil {
		l.Mode = mode.enum(store.Governance, store.Compliance)
	}
	if until != nil {
		t, err := time.Parse(time.RFC3339, strings.TrimSpace(until.leaf()))
		if err != nil {
			top.malformed()
		}
		l.Until = t.UTC()
	}
	return l, top.end()
}

// retentionKeys adds the condition keys of the retention in the body. One that can't be read
// adds none: the handler will refuse it.
func (a *API) retentionKeys(req *request, keys policy.Context) {
	if body, err := a.readBody(req, maxConfigBody, true); err == nil {
		if l, err := parseRetention(body); err == nil {
			setLockKeys(keys, l, a.cfg.Clock.Now())
		}
	}
	a.existingTagKeys(req, keys)
}

// lockableVersion finds the version whose lock is meant: in a bucket with Object Lock, and no
// delete marker.
func (a *API) lockableVersion(req *request) (*store.Version, error) {
	if err := checkVersionID(req); err != nil {
		return nil, err
	}
	if req.bucket.ObjectLock == nil {
		return nil, errNoBucketLock()
	}
	v, err := a.requestedVersion(req)
	if err != nil {
		return nil, a.hideMissing(req, req.bucket, err)
	}
	if v.DeleteMarker {
		return nil, markerNotAllowed(req, v)
	}
	return v, nil
}
