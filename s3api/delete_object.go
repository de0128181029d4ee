package s3api

import (
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
	bypass, err := readBypass(req)
	if err != nil {
		return err
	}
	done, err := a.removeVersion(req, req.key, req.query.Get("versionId"), bypass, cond)
	if err != nil {
		return err
	}
	a.removed(req, req.key, done)
	h := req.w.Header()
	if done.VersionID != "" {
		setVersionID(h, req.bucket, done.VersionID)
	}
	if done.DeleteMarker {
		h["X-Amz-Delete-Marker"] = []string{"true"}
	}
	return req.noContent()
}

// ShownVersionID is a version's id in documents and events: "" in buckets that were never
// versioned (S237).
func ShownVersionID(bucket *store.Bucket, id string) string { return shownVersionID(bucket, id) }

func shownVersionID(bucket *store.Bucket, id string) string {
	if bucket.Versioning == store.Unversioned {
		return ""
	}
	return id
}
