package s3api

import (
	"context"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// PutReplicaACL gives an existing replica the ACL that its source has now:
// GetObjectVersionAcl on the source, then s3:ReplicateObject on the destination (S189). A
// replica that the rule or the destination's ownership gave to the destination's account
// keeps that account's ACL.
//
// Errors are *failure.Error with the failureReason as code: SrcHeadObjectNotPermitted,
// SrcGetAclNotPermitted, DstVersionNotFound, DstPutAclNotPermitted and those of the
// buckets; or with one that may pass.
func (a *API) PutReplicaACL(ctx context.Context, caller iamsim.Caller, task store.Task) (err error) {
	to := task.Rule.Destination
	read := a.beginDoor("GetObjectAcl", &caller, task.Bucket, task.Key, task.VersionID)
	src, err := a.openSource(ctx, &read, "SrcHeadObjectNotPermitted")
	if err == nil {
		err = src.authorize("s3:GetObjectVersionAcl", "SrcGetAclNotPermitted")
	}
	read.end(a, err)
	if err != nil {
		return err
	}
	call := a.beginDoor("PutObjectAcl", &caller, to.Bucket, task.Key, task.VersionID)
	defer func() { call.end(a, err) }()
	dst, err := a.openDestination(ctx, &call, probe{}, to)
	if err != nil || takesOver(dst, to) {
		return err
	}
	const denied = "DstPutAclNotPermitted"
	if err := a.authorizeDoor(ctx, &caller, dst, "s3:ReplicateObject", arn.Object(dst.Name, task.Key), nil, denied); err != nil {
		return err
	}
	if err := a.acceptReplicaACL(ctx, dst, src.version.ACL); err != nil {
		return err
	}
	_, err = a.cfg.Store.SetReplicaACL(ctx, dst.Name, task.Key, store.ReplicaID(src.version), src.version.ACL)
	return renamed(renamed(err, "NoSuchVersion", "DstVersionNotFound"), "NoSuchKey", "DstVersionNotFound")
}

// takesOver reports whether replicas become the destination account's, without their
// source's ACL (S298).
func takesOver(dst *store.Bucket, to store.Destination) bool {
	return to.OwnerOverride || dst.Ownership == store.BucketOwnerEnforced
}

// acceptReplicaACL refuses to copy a public ACL where public ACLs are blocked (S189).
func (a *API) acceptReplicaACL(ctx context.Context, dst *store.Bucket, acl *store.ACL) error {
	if !publicACL(acl) {
		return nil
	}
	p, err := a.publicAccess(ctx, dst)
	if err != nil || !p.BlockPublicAcls {
		return err
	}
	return failure.Newf("DstPutAclNotPermitted", "The source's ACL is public, and Block Public Access of the destination bucket %s blocks public ACLs.", dst.Name)
}
