package s3api

import (
	"context"
	"strings"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
)

// Question is what the API would have decided before caller may do action on resource,
// the ARN of a bucket or object: with the bucket's owner, policy, ACLs and public access
// settings, and without condition keys of an HTTP request. The error is failure code
// NoSuchBucket when there is no such bucket.
func (a *API) Question(ctx context.Context, caller *iamsim.Caller, action, resource string) (iamsim.Request, error) {
	parsed, err := arn.Parse(resource)
	if err != nil {
		return iamsim.PlainRequest(caller, action, resource), nil // "*": no bucket is concerned
	}
	name, _, _ := strings.Cut(parsed.Resource, "/")
	bucket, err := a.cfg.Store.Bucket(ctx, name)
	if err != nil {
		return iamsim.Request{}, err
	}
	return a.question(ctx, caller, bucket, bucket.Region, action, resource, nil)
}
