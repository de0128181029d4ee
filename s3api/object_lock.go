package s3api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	lockModeHeader  = "X-Amz-Object-Lock-Mode"
	lockUntilHeader = "X-Amz-Object-Lock-Retain-Until-Date"
	lockHoldHeader  = "X-Amz-Object-Lock-Legal-Hold"
	bypassHeader    = "X-Amz-Bypass-Governance-Retention"
)

func hasLockHeaders(h http.Header) bool {
	return h.Get(lockModeHeader) != "" || h.Get(lockUntilHeader) != "" || h.Get(lockHoldHeader) != ""
}

// newLock reads the Object Lock headers of a write (S236, S310), which need permissions of
// their own and a bucket with Object Lock.
func (a *API) newLock(req *request) (store.Lock, error) {
	h := req.r.Header
	if !hasLockHeaders(h) {
		return store.Lock{}, nil
	}
	l, err := readLock(h, a.cfg.Clock.Now())
	if err != nil {
		return l, err
	}
	if req.bucket.ObjectLock == nil {
		return l, errNoBucketLock()
	}
	if l.Mode != "" {
		if err := a.authorizeWrite(req, "s3:PutObjectRetention", a.lockKeys(l)); err != nil {
			return l, err
		}
	}
	if l.LegalHold != "" {
		return l, a.authorizeWrite(req, "s3:PutObjectLegalHold", a.lockKeys(l))
	}
	return l, nil
}

func errNoBucketLock() error {
	return failure.New("InvalidRequest", "Bucket is missing Object Lock Configuration")
}

// readLock reads the three headers; mode and date go together.
func readLock(h http.Header, now time.Time) (store.Lock, error) {
	mode, until, hold := h.Get(lockModeHeader), h.Get(lockUntilHeader), h.Get(lockHoldHeader)
	const both = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
	l := store.Lock{Mode: mode, LegalHold: hold}
	switch {
	case mode != "" && mode != store.Governance && mode != store.Compliance:
		return l, invalidHeader(lockModeHeader, mode, "Unknown wormMode directive.")
	case mode != "" && until == "":
		return l, failure.New("InvalidArgument", both, "ArgumentName", "x-amz-object-lock-retain-until-date")
	case mode == "" && until != "":
		return l, failure.New("InvalidArgument", both, "ArgumentName", "x-amz-object-lock-mode")
	case hold != "" && hold != store.HoldOn && hold != store.HoldOff:
		return l, invalidHeader(lockHoldHeader, hold, "Legal Hold must be either of 'ON' or 'OFF'")
	case until == "":
		return l, nil
	}
	t, err := time.Parse(time.RFC3339, until)
	if err != nil {
		return l, invalidHeader(lockUntilHeader, until, "The retain until date must be provided in ISO 8601 format")
	}
	if l.Until = t.UTC(); !l.Until.After(now) {
		return l, invalidHeader(lockUntilHeader, until, "The retain until date must be in the future!")
	}
	return l, nil
}

// lockKeys are the condition keys of a lock that is put (S311).
func (a *API) lockKeys(l store.Lock) policy.Context {
	keys := make(policy.Context, 16)
	setLockKeys(keys, l, a.cfg.Clock.Now())
	return keys
}

func setLockKeys(keys policy.Context, l store.Lock, now time.Time) {
	if l.Mode != "" {
		keys.Set("s3:object-lock-mode", l.Mode)
		keys.Set("s3:object-lock-retain-until-date", l.Until.UTC().Format(time.RFC3339))
		days := int64(max(0, l.Until.Sub(now)+24*time.Hour-1) / (24 * time.Hour))
		keys.Set("s3:object-lock-remaining-retention-days", strconv.FormatInt(days, 10))
	}
	if l.LegalHold != "" {
		keys.Set("s3:object-lock-legal-hold", l.LegalHold)
	}
}

// setLockHeaders shows the lock of v to callers who may read it (S312).
func (a *API) setLockHeaders(req *request, v *store.Version) error {
	h := req.w.Header()
	if v.Lock.Mode != "" {
		ok, err := a.mayAlso(req, "s3:GetObjectRetention", v)
		if err != nil {
			return err
		}
		if ok {
			h.Set(lockModeHeader, v.Lock.Mode)
			h.Set(lockUntilHeader, lockDate(v.Lock.Until))
		}
	}
	if v.Lock.LegalHold != "" {
		ok, err := a.mayAlso(req, "s3:GetObjectLegalHold", v)
		if err != nil {
			return err
		}
		if ok {
			h.Set(lockHoldHeader, v.Lock.LegalHold)
		}
	}
	return nil
}

func lockDate(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// mayAlso decides whether the caller sees more of v than the operation shows to all who may
// do it. Being refused is nothing to report.
func (a *API) mayAlso(req *request, action string, v *store.Version) (bool, error) {
	keys := commonKeys(req, nil)
	existingTags(keys, v.Tags)
	ask, err := a.question(req.ctx, &req.caller, req.bucket, req.region, action, req.objectARN(), keys)
	if err != nil {
		return false, err
	}
	ask.Optional = true
	d, err := a.cfg.IAM.Authorize(req.ctx, &req.caller, &ask)
	if err != nil {
		return false, err
	}
	return d.Allowed(), nil
}

// readBypass reads x-amz-bypass-governance-retention, which has a meaning only in buckets
// with Object Lock (S245).
func readBypass(req *request) (bool, error) {
	v := req.r.Header.Get(bypassHeader)
	if v == "" {
		return false, nil
	}
	if req.bucket.ObjectLock == nil {
		return false, failure.New("InvalidArgument", "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
			"ArgumentName", "x-amz-bypass-governance-retention")
	}
	return strings.EqualFold(v, "true"), nil
}

// removeVersion deletes a key or version. The right to bypass governance retention counts
// only where the request asks for it and something is retained: the console always asks (S313).
func (a *API) removeVersion(req *request, key, versionID string, bypass bool, cond store.Condition) (store.Deleted, error) {
	done, err := a.cfg.Store.Delete(req.ctx, req.bucketName, key, versionID, a.newOwner(req), cond)
	if bypass && isLocked(err) {
		return a.bypassGovernance(req, key, versionID, cond)
	}
	return done, err
}

// isLocked tells the store's refusal to remove what Object Lock protects from denials.
func isLocked(err error) bool {
	return failure.CodeOf(err) == "AccessDenied" && !isDenial(err)
}

// bypassGovernance deletes a version although it is under governance retention.
func (a *API) bypassGovernance(req *request, key, versionID string, cond store.Condition) (store.Deleted, error) {
	keys := policy.Context{}
	keys.Set("s3:versionid", versionID)
	if err := a.authorize(req, "s3:BypassGovernanceRetention", arn.Object(req.bucketName, key), keys); err != nil {
		return store.Deleted{}, err
	}
	cond.BypassGovernance = true
	return a.cfg.Store.Delete(req.ctx, req.bucketName, key, versionID, a.newOwner(req), cond)
}
