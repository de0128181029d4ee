package s3api

import (
	"context"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// PutReplicaMarker writes the replica of a delete marker, with the marker's own version id:
// the permissions on the source bucket, then s3:ReplicateDelete on the destination (S290).
//
// Errors are *failure.Error with the failureReason as code: SrcBucketNotFound,
// SrcVersionNotFound, SrcGetObjectNotPermitted, DstBucketNotFound, DstBucketUnversioned,
// DstDelObjNotPermitted; or with one that may pass.
func (a *API) PutReplicaMarker(ctx context.Context, caller iamsim.Caller, task store.Task) (err error) {
	to := task.Rule.Destination
	read := a.beginDoor("HeadObject", &caller, task.Bucket, task.Key, task.VersionID)
	src, err := a.openSource(ctx, &read, "SrcGetObjectNotPermitted")
	if err == nil && !src.version.DeleteMarker {
		err = failure.New("SrcVersionNotFound", "The version is no delete marker.")
	}
	read.end(a, err)
	if err != nil {
		return err
	}
	call := a.beginDoor("DeleteObject", &caller, to.Bucket, task.Key, task.VersionID)
	defer func() { call.end(a, err) }()
	dst, err := a.openDestination(ctx, &call, to)
	if err != nil {
		return err
	}
	object := arn.Object(dst.Name, task.Key)
	if err := a.authorizeDoor(ctx, &caller, dst, "s3:ReplicateDelete", object, nil, "DstDelObjNotPermitted"); err != nil {
		return err
	}
	_, err = a.writeVersion(ctx, replicaOf(src.version, dst, to), store.Condition{}, nil)
	return renamed(err, "NoSuchBucket", "DstBucketNotFound")
}
