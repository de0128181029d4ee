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
	dst, err := a.openReplicaMarker(ctx, &call, probe{}, to)
	if err != nil {
		return err
	}
	marker := replicaOf(src.version, dst, to)
	if err := a.refuseHardDeleted(ctx, task, &replicaWrite{version: marker}); err != nil {
		return err
	}
	_, err = a.writeVersion(ctx, marker, store.Condition{}, nil)
	return renamed(err, "NoSuchBucket", "DstBucketNotFound")
}

// openReplicaMarker takes the steps before a marker is written.
func (a *API) openReplicaMarker(ctx context.Context, call *doorCall, p probe, to store.Destination) (*store.Bucket, error) {
	dst, err := a.openDestination(ctx, call, p, to)
	if err != nil {
		return nil, err
	}
	err = a.authorizeDoor(ctx, call.caller, dst, "s3:ReplicateDelete", arn.Object(dst.Name, call.key), nil, "DstDelObjNotPermitted")
	return dst, p.step(err)
}
