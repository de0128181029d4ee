package s3api

import (
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// headBucket is HeadBucket.
func (a *API) headBucket(req *request) error {
	h := req.w.Header()
	h.Set("X-Amz-Bucket-Arn", req.bucketARN())
	h.Set("X-Amz-Access-Point-Alias", "false")
	h.Set("Content-Type", "application/xml")
	return req.ok()
}

// deleteBucket is DeleteBucket. Configuration goes with the bucket.
func (a *API) deleteBucket(req *request) error {
	err := a.cfg.Store.DeleteBucket(req.ctx, req.bucketName)
	if failure.CodeOf(err) == "BucketNotEmpty" { // S67
		message := ""
		if req.bucket.Versioning != store.Unversioned {
			message = "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
		}
		return failure.New("BucketNotEmpty", message, "BucketName", req.bucketName)
	}
	if err != nil {
		return err
	}
	return req.noContent()
}

// getBucketLocation is GetBucketLocation: us-east-1 is the empty constraint, and the
// constraint is the root element itself (S68).
func (a *API) getBucketLocation(req *request) error {
	d := newDocument("LocationConstraint")
	if req.bucket.Region != defaultRegion {
		d.buf = appendEscaped(d.buf, req.bucket.Region)
	}
	return req.send(d, "LocationConstraint")
}

// update changes the addressed bucket's record in one transaction. fn sees the record
// as it is then, which may be newer than req.bucket.
func (a *API) update(req *request, fn func(*store.Bucket) error) error {
	_, err := a.cfg.Store.UpdateBucket(req.ctx, req.bucketName, fn)
	return err
}

// notConfigured is the 404 of a bucket setting that is not there.
func notConfigured(code failure.Code, req *request) error {
	return failure.New(code, "", "BucketName", req.bucketName)
}
