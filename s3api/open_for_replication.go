package s3api

import (
	"context"
	"io"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// OpenForReplication reads a source version for caller, the session of a rule's role. Every
// step is authorized as a client's would be, in the order AWS takes them (S290): the bucket's
// configuration and list, the version, kms:Decrypt, its ACL, its tags. Delete markers are
// opened without content.
//
// Errors are *failure.Error with the failureReason as code: SrcBucketNotFound,
// SrcObjectNotFound, SrcVersionNotFound, SrcGetObjectNotPermitted, SrcGetAclNotPermitted,
// SrcKmsKeyInvalidState; or with one that may pass, such as ThrottlingException. A denial
// carries its Decision.
func (a *API) OpenForReplication(ctx context.Context, caller iamsim.Caller, bucket, key, versionID string) (out *store.Outgoing, err error) {
	call := a.beginDoor("GetObject", &caller, bucket, key, versionID)
	defer func() { call.end(a, err) }()
	s, err := a.openSource(ctx, &call, "SrcGetObjectNotPermitted")
	if err != nil {
		return nil, err
	}
	out = &store.Outgoing{Version: *s.version}
	if s.version.DeleteMarker {
		return out, nil
	}
	if out.Key, err = a.openDataKey(ctx, caller, s.bucket, key, &s.version.Encryption); err != nil {
		return nil, sourceKeyFailure(err)
	}
	if err := s.authorize("s3:GetObjectVersionAcl", "SrcGetAclNotPermitted"); err != nil {
		return nil, err
	}
	if len(s.version.Tags) > 0 {
		if err := s.authorize("s3:GetObjectVersionTagging", "SrcGetTaggingNotPermitted"); err != nil {
			if !isDenial(err) {
				return nil, err
			}
			out.TagsDenied, out.Version.Tags = err, nil // the replica goes without them (S297)
		}
	}
	out.Open = func(ctx context.Context, part store.Part) (io.ReadCloser, error) {
		content, err := a.cfg.Store.OpenParts(ctx, out.Key, []store.Part{part}, 0, -1)
		if failure.CodeOf(err) == store.DataGone {
			return nil, failure.New("SrcVersionNotFound", "The source version was removed while it was being read.").Because(err)
		}
		return content, err
	}
	return out, nil
}

// replicationSource is a source version that caller may know of.
type replicationSource struct {
	api     *API
	ctx     context.Context
	caller  *iamsim.Caller
	bucket  *store.Bucket
	version *store.Version
}

// openSource takes the steps that all replication tasks have in common: the permissions on
// the source bucket, and the one on the version, whose denial is denied (S290).
func (a *API) openSource(ctx context.Context, call *doorCall, denied failure.Code) (*replicationSource, error) {
	b, err := a.cfg.Store.Bucket(ctx, call.bucket)
	if err != nil {
		return nil, renamed(err, "NoSuchBucket", "SrcBucketNotFound")
	}
	call.owner(b)
	s := &replicationSource{api: a, ctx: ctx, caller: call.caller, bucket: b}
	for _, action := range [...]string{"s3:GetReplicationConfiguration", "s3:ListBucket"} {
		if err := s.decide(action, arn.Bucket(b.Name), nil, denied); err != nil {
			return nil, err
		}
	}
	if s.version, err = a.cfg.Store.Version(ctx, call.bucket, call.key, call.versionID); err != nil {
		return nil, renamed(renamed(err, "NoSuchVersion", "SrcVersionNotFound"), "NoSuchKey", "SrcObjectNotFound")
	}
	if s.version.DeleteMarker {
		return s, nil
	}
	return s, s.authorizeRead(denied)
}

// authorizeRead asks for GetObjectVersionForReplication. For sources that are not SSE-KMS
// GetObjectVersion will do instead, even if the other is denied explicitly (S291).
func (s *replicationSource) authorizeRead(denied failure.Code) error {
	err := s.authorize("s3:GetObjectVersionForReplication", denied)
	if err == nil || !isDenial(err) || s.version.Encryption.KMS() {
		return err
	}
	if other := s.authorize("s3:GetObjectVersion", denied); other == nil || !isDenial(other) {
		return other
	}
	return err
}

// authorize asks for action on the version.
func (s *replicationSource) authorize(action string, denied failure.Code) error {
	keys := make(policy.Context, 4+len(s.version.Tags))
	keys.Set("s3:versionid", s.version.ID)
	existingTags(keys, s.version.Tags)
	return s.decide(action, arn.Object(s.bucket.Name, s.version.Key), keys, denied)
}

func (s *replicationSource) decide(action, resource string, keys policy.Context, denied failure.Code) error {
	return s.api.authorizeDoor(s.ctx, s.caller, s.bucket, action, resource, keys, denied)
}
