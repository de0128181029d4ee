package s3api

import (
	"context"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
	"twinbucket/store"
)

// PutReplicaTags gives an existing replica the tags that its source has now:
// GetObjectVersionTagging on the source, then s3:ReplicateTags, or s3:ReplicateObject where
// nothing denies the former, on the destination (S290, S297).
//
// Errors are *failure.Error with the failureReason as code: SrcHeadObjectNotPermitted,
// SrcGetTaggingNotPermitted, DstVersionNotFound, DstPutTaggingNotPermitted and those of the
// buckets; or with one that may pass.
func (a *API) PutReplicaTags(ctx context.Context, caller iamsim.Caller, task store.Task) (err error) {
	to := task.Rule.Destination
	read := a.beginDoor("GetObjectTagging", &caller, task.Bucket, task.Key, task.VersionID)
	src, err := a.openSource(ctx, &read, "SrcHeadObjectNotPermitted")
	if err == nil {
		err = src.authorize("s3:GetObjectVersionTagging", "SrcGetTaggingNotPermitted")
	}
	read.end(a, err)
	if err != nil {
		return err
	}
	call := a.beginDoor("PutObjectTagging", &caller, to.Bucket, task.Key, task.VersionID)
	defer func() { call.end(a, err) }()
	dst, err := a.openDestination(ctx, &call, probe{}, to)
	if err != nil {
		return err
	}
	const denied = "DstPutTaggingNotPermitted"
	object := arn.Object(dst.Name, task.Key)
	err = a.authorizeDoor(ctx, &caller, dst, "s3:ReplicateTags", object, tagKeys(src.version.Tags), denied)
	if isDenial(err) && !explicitlyDenied(err) {
		err = a.authorizeDoor(ctx, &caller, dst, "s3:ReplicateObject", object, nil, denied)
	}
	if err != nil {
		return err
	}
	_, err = a.cfg.Store.SetReplicaTags(ctx, dst.Name, task.Key, store.ReplicaID(src.version), src.version.Tags)
	return renamed(renamed(err, "NoSuchVersion", "DstVersionNotFound"), "NoSuchKey", "DstVersionNotFound")
}
