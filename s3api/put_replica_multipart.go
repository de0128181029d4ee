package s3api

import (
	"context"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// S3 writes the replica of a multipart object by a multipart upload of its own, so that
// s3:ReplicateObject is asked for when it begins, for each part and when it completes, each
// with a failureReason of its own (R20).
const (
	multipartInitDenied     = "DstMultipartInitNotPermitted"
	multipartUploadDenied   = "DstMultipartUploadNotPermitted"
	multipartCompleteDenied = "DstMultipartCompleteNotPermitted"
)

// askAgain returns the question whether the replica of src may still be written. Only a
// denial is shown to the caller's observers: thousands of parts are allowed alike. It is nil
// for objects that were not uploaded in parts, which are written by one call.
func (a *API) askAgain(ctx context.Context, call *doorCall, to store.Destination, src *store.Version) func(denied failure.Code) error {
	if !src.Multipart {
		return nil
	}
	quiet, object := call.caller.Unobserved(), arn.Object(to.Bucket, src.Key)
	return func(denied failure.Code) error {
		dst, err := a.cfg.Store.Bucket(ctx, to.Bucket) // its policy may be another by now
		if err != nil {
			return renamed(err, "NoSuchBucket", "DstBucketNotFound")
		}
		if err := a.authorizeDoor(ctx, &quiet, dst, "s3:ReplicateObject", object, a.replicaKeys(to, src), denied); !isDenial(err) {
			return err
		}
		return a.authorizeDoor(ctx, call.caller, dst, "s3:ReplicateObject", object, a.replicaKeys(to, src), denied)
	}
}
