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
// configuration and list, the version, kms:Decrypt, its ACL, its lock, its tags. Delete
// markers and SSE-C objects are opened without content.
//
// Errors are *failure.Error with the failureReason as code: SrcBucketNotFound,
// SrcObjectNotFound, SrcVersionNotFound, SrcGetObjectNotPermitted, SrcGetAclNotPermitted,
// SrcGetRetentionNotPermitted, SrcGetLegalHoldNotPermitted, SrcKmsKeyInvalidState; or with one that may pass, such as ThrottlingException. A denial
// carries its Decision.
func (a *API) OpenForReplication(ctx context.Context, caller iamsim.Caller, bucket, key, versionID string) (out *store.Outgoing, err error) {
	call := a.beginDoor("GetObject", &caller, bucket, key, versionID)
	defer func() { call.end(a, err) }()
	s, err := a.openSource(ctx, &call, "SrcGetObjectNotPermitted")
	if err != nil {
		return nil, err
	}
	if out, err = s.open(); err != nil || s.version.DeleteMarker || s.version.Encryption.Customer() {
		return out, err // what only the customer can open goes as it is (S303)
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

// open takes the steps between reading a version and its bytes.
func (s *replicationSource) open() (out *store.Outgoing, err error) {
	out = &store.Outgoing{Version: *s.version}
	if s.version.DeleteMarker {
		return out, nil
	}
	if !s.version.Encryption.Customer() {
		out.Key, err = s.api.openDataKey(s.ctx, *s.caller, s.bucket, s.version.Key, &s.version.Encryption)
	}
	if err := s.probe.step(sourceKeyFailure(err)); err != nil {
		return nil, err
	}
	if err := s.authorize("s3:GetObjectVersionAcl", "SrcGetAclNotPermitted"); err != nil {
		return nil, err
	}
	if err := s.authorizeLock(); err != nil {
		return nil, err
	}
	if len(s.version.Tags) > 0 {
		if err := s.decideVersion("s3:GetObjectVersionTagging", "SrcGetTaggingNotPermitted"); err != nil {
			if !isDenial(err) {
				return nil, err
			}
			out.TagsDenied, out.Version.Tags = err, nil // the replica goes without them (S297)
			s.probe.outlived(err)
		}
	}
	return out, nil
}

// replicationSource is a source version that caller may know of.
type replicationSource struct {
	api     *API
	ctx     context.Context
	caller  *iamsim.Caller
	probe   probe
	bucket  *store.Bucket
	version *store.Version
}

// openSource takes the steps that all replication tasks have in common: the permissions on
// the source bucket, and the one on the version, whose denial is denied (S290).
func (a *API) openSource(ctx context.Context, call *doorCall, denied failure.Code) (*replicationSource, error) {
	s, err := a.openSourceBucket(ctx, call, probe{}, denied)
	if err != nil {
		return nil, err
	}
	if s.version, err = a.cfg.Store.Version(ctx, call.bucket, call.key, call.versionID); err != nil {
		return nil, renamed(renamed(err, "NoSuchVersion", "SrcVersionNotFound"), "NoSuchKey", "SrcObjectNotFound")
	}
	return s, s.authorizeRead(denied)
}

// openSourceBucket takes the steps on the source bucket.
func (a *API) openSourceBucket(ctx context.Context, call *doorCall, p probe, denied failure.Code) (*replicationSource, error) {
	b, err := a.cfg.Store.Bucket(ctx, call.bucket)
	if err != nil {
		return nil, p.end(renamed(err, "NoSuchBucket", "SrcBucketNotFound"))
	}
	call.owner(b)
	s := &replicationSource{api: a, ctx: ctx, caller: call.caller, probe: p, bucket: b}
	for _, action := range [...]string{"s3:GetReplicationConfiguration", "s3:ListBucket"} {
		if err := p.step(s.decide(action, arn.Bucket(b.Name), nil, denied)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// authorizeRead asks for GetObjectVersionForReplication. For sources that are not SSE-KMS
// GetObjectVersion will do instead, even if the other is denied explicitly (S291).
func (s *replicationSource) authorizeRead(denied failure.Code) error {
	if s.version.DeleteMarker {
		return nil
	}
	err := s.decideVersion("s3:GetObjectVersionForReplication", denied)
	if err != nil && isDenial(err) && !s.version.Encryption.KMS() {
		if other := s.decideVersion("s3:GetObjectVersion", denied); other == nil || !isDenial(other) {
			err = other
		}
	}
	return s.probe.step(err)
}

// authorizeLock asks for the permissions to read retention and legal hold, which every
// version of a bucket with Object Lock takes (S318).
func (s *replicationSource) authorizeLock() error {
	if s.bucket.ObjectLock == nil {
		return nil
	}
	if err := s.authorize("s3:GetObjectRetention", "SrcGetRetentionNotPermitted"); err != nil {
		return err
	}
	return s.authorize("s3:GetObjectLegalHold", "SrcGetLegalHoldNotPermitted")
}

// authorize is the step that asks for action on the version.
func (s *replicationSource) authorize(action string, denied failure.Code) error {
	return s.probe.step(s.decideVersion(action, denied))
}

// decideVersion asks for action on the version.
func (s *replicationSource) decideVersion(action string, denied failure.Code) error {
	keys := make(policy.Context, 4+len(s.version.Tags))
	keys.Set("s3:versionid", s.version.ID)
	existingTags(keys, s.version.Tags)
	return s.decide(action, arn.Object(s.bucket.Name, s.version.Key), keys, denied)
}

func (s *replicationSource) decide(action, resource string, keys policy.Context, denied failure.Code) error {
	return s.api.authorizeDoor(s.ctx, s.caller, s.bucket, action, resource, keys, denied)
}
