package s3api

import (
	"net/url"
	"strings"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// copySource is the object a copy reads: authorized, checked and opened in the context of its
// own bucket (S251).
type copySource struct {
	bucket  *store.Bucket
	version *store.Version
	key     store.DataKey
	byID    bool // the source was named by version id
}

// parseCopySource reads x-amz-copy-source: bucket/key, with or without a slash before it,
// percent-encoded, and perhaps a version id (S250).
func parseCopySource(header string) (bucket, key, versionID string, err error) {
	bad := failure.New("InvalidArgument", "Invalid copy source object key",
		"ArgumentName", "x-amz-copy-source", "ArgumentValue", "x-amz-copy-source")
	path, query, _ := strings.Cut(header, "?")
	if query != "" {
		id, ok := strings.CutPrefix(query, "versionId=")
		if !ok || id == "" {
			return "", "", "", bad
		}
		versionID = id
	}
	bucket, key, found := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if unescaped, e := url.PathUnescape(bucket); e == nil && !found {
		bucket, key, found = strings.Cut(strings.TrimPrefix(unescaped, "/"), "/") // the slash was encoded too
	} else if key, err = url.PathUnescape(key); err != nil {
		return "", "", "", bad
	}
	if !found || bucket == "" || key == "" {
		return "", "", "", bad
	}
	return bucket, key, versionID, nil
}

// openCopySource finds the source of a copy and asks for the permission to read it. Its data
// key is opened last, after everything S3 decides itself.
func (a *API) openCopySource(req *request) (*copySource, error) {
	bucketName, key, versionID, err := parseCopySource(req.r.Header.Get("X-Amz-Copy-Source"))
	if err != nil {
		return nil, err
	}
	s := &copySource{byID: versionID != ""}
	if s.bucket, err = a.cfg.Store.Bucket(req.ctx, bucketName); err != nil {
		return nil, err
	}
	if s.byID && !validVersionID(versionID, s.bucket) {
		return nil, invalidVersionID(versionID)
	}
	action := "s3:GetObject"
	if s.byID {
		action = "s3:GetObjectVersion"
	}
	resource := arn.Object(bucketName, key)
	if err := a.authorizeOn(req, s.bucket, action, resource, sourceKeys(versionID)); err != nil {
		return nil, err
	}
	if s.version, err = a.cfg.Store.Version(req.ctx, bucketName, key, versionID); err != nil {
		return nil, a.hideMissing(req, s.bucket, err)
	}
	if err := a.checkSource(s); err != nil {
		return nil, err
	}
	if err := checkCustomerKey(req.r.Header, sourceCustomerPrefix, &s.version.Encryption); err != nil {
		return nil, err
	}
	if failed := copySourceConditions(req.r.Header).check(s.version, a.cfg.Clock.Now()); failed != "" {
		return nil, preconditionFailed(failed) // a copy knows no 304 (S223)
	}
	if err := requireSignature(req, s.version.Encryption.KMS()); err != nil {
		return nil, err
	}
	s.key, err = a.openForRead(req, s.bucket, s.version, sourceCustomerPrefix)
	return s, err
}

func sourceKeys(versionID string) map[string][]string {
	keys := map[string][]string{}
	if versionID != "" {
		keys["s3:versionid"] = []string{versionID}
	}
	return keys
}

// checkSource refuses delete markers (S254) and archived objects.
func (a *API) checkSource(s *copySource) error {
	switch v := s.version; {
	case v.DeleteMarker && s.byID:
		return failure.New("InvalidRequest", "The source of a copy request may not specifically refer to a delete marker by version id.")
	case v.DeleteMarker:
		return noSuchKey(v.Key)
	}
	return a.checkRestored(s.version)
}

// setSourceVersion tells which version was copied.
func (s *copySource) setVersion(req *request) {
	if s.bucket.Versioning != store.Unversioned {
		req.w.Header()["X-Amz-Copy-Source-Version-Id"] = []string{s.version.ID}
	}
}
