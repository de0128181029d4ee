package s3api

import (
	"context"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// PutReplicaLock gives an existing replica the retention and legal hold that its source has
// now: GetObjectRetention and GetObjectLegalHold on the source, then s3:PutObjectRetention
// and s3:PutObjectLegalHold, or s3:ReplicateObject where nothing denies them, on the
// destination (S319).
//
// Errors are *failure.Error with the failureReason as code: SrcHeadObjectNotPermitted,
// SrcGetRetentionNotPermitted, SrcGetLegalHoldNotPermitted, DstVersionNotFound,
// DstPutRetentionNotPermitted, DstPutLegalHoldNotPermitted, DstBucketObjectLockConfigMissing
// and those of the buckets; or with one that may pass.
func (a *API) PutReplicaLock(ctx context.Context, caller iamsim.Caller, task store.Task) (err error) {
	to := task.Rule.Destination
	read := a.beginDoor("GetObjectRetention", &caller, task.Bucket, task.Key, task.VersionID)
	src, err := a.openSource(ctx, &read, "SrcHeadObjectNotPermitted")
	if err == nil {
		err = src.authorizeLock()
	}
	read.end(a, err)
	if err != nil {
		return err
	}
	call := a.beginDoor("PutObjectRetention", &caller, to.Bucket, task.Key, task.VersionID)
	defer func() { call.end(a, err) }()
	dst, err := a.openDestination(ctx, &call, probe{}, to)
	if err != nil {
		return err
	}
	lock := src.version.Lock
	if lock.Mode != "" {
		if err := a.authorizeReplicaLock(ctx, &caller, dst, task.Key, "s3:PutObjectRetention", lock, "DstPutRetentionNotPermitted"); err != nil {
			return err
		}
	}
	if lock.LegalHold != "" {
		if err := a.authorizeReplicaLock(ctx, &caller, dst, task.Key, "s3:PutObjectLegalHold", lock, "DstPutLegalHoldNotPermitted"); err != nil {
			return err
		}
	}
	_, err = a.cfg.Store.SetReplicaLock(ctx, dst.Name, task.Key, store.ReplicaID(src.version), lock)
	return renamed(renamed(err, "NoSuchVersion", "DstVersionNotFound"), "NoSuchKey", "DstVersionNotFound")
}

// authorizeReplicaLock: like tags, the lock is covered by ReplicateObject unless its own
// action is denied explicitly (S319).
func (a *API) authorizeReplicaLock(ctx context.Context, caller *iamsim.Caller, dst *store.Bucket, key, action string, l store.Lock, denied failure.Code) error {
	object := arn.Object(dst.Name, key)
	err := a.authorizeDoor(ctx, caller, dst, action, object, a.lockKeys(l), denied)
	if isDenial(err) && !explicitlyDenied(err) {
		err = a.authorizeDoor(ctx, caller, dst, "s3:ReplicateObject", object, a.lockKeys(l), denied)
	}
	return err
}
