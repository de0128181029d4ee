package s3api

import (
	"net/http"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// deleteObject makes a delete marker, or removes the version that versionId names. A key or
// version that is not there counts as deleted (S242).
func (a *API) deleteObject(req *request) error {
	if err := checkVersionID(req); err != nil {
		return err
	}
	cond, err := readDeleteCondition(req.r.Header)
	if err != nil {
		return err
	}
	if err := refuseGovernanceBypass(req.r.Header); err != nil {
		return err
	}
	done, err := a.cfg.Store.Delete(req.ctx, req.bucketName, req.key, req.query.Get("versionId"), a.newOwner(req), cond)
	if err != nil {
		return err
	}
	h := req.w.Header()
	if done.VersionID != "" {
		setVersionID(h, req.bucket, done.VersionID)
	}
	if done.DeleteMarker {
		h["X-Amz-Delete-Marker"] = []string{"true"}
	}
	return req.noContent()
}

// refuseGovernanceBypass: the header has a meaning only with Object Lock, which no bucket has
// here (S245).
func refuseGovernanceBypass(h http.Header) error {
	const name = "X-Amz-Bypass-Governance-Retention"
	if h.Get(name) == "" {
		return nil
	}
	return failure.New("InvalidArgument", "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
		"ArgumentName", "x-amz-bypass-governance-retention")
}

// shownVersionID is a version's id in documents: "" in buckets that were never versioned (S237).
func shownVersionID(bucket *store.Bucket, id string) string {
	if bucket.Versioning == store.Unversioned {
		return ""
	}
	return id
}
