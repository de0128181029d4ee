package s3api

import (
	"context"
	"time"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
	"twinbucket/store"
)

// replicationAgent is the user agent and source of the calls that replication makes (S299).
const replicationAgent = "s3.amazonaws.com"

// doorCall is one call through a replication door, on its way into the trail.
type doorCall struct {
	name                   string // as a client's call would be named
	caller                 *iamsim.Caller
	bucket, key, versionID string
	region, account        string // of the bucket, once it is known
	start                  time.Time
	permissions            *iamsim.Permissions
}

func (a *API) beginDoor(name string, caller *iamsim.Caller, bucket, key, versionID string) doorCall {
	caller.Source.UserAgent = replicationAgent
	permissions := &iamsim.Permissions{}
	*caller = caller.Observed(permissions.Observe)
	return doorCall{name: name, caller: caller, bucket: bucket, key: key, versionID: versionID, start: time.Now(), permissions: permissions}
}

func (c *doorCall) owner(b *store.Bucket) { c.region, c.account = b.Region, b.Account }

// end records the call as the role session's, coming from S3 itself (S299).
func (c *doorCall) end(a *API, err error) {
	if a.cfg.Record == nil {
		return
	}
	e := trail.Event{
		EventID: a.newEventID(), EventTime: a.cfg.Clock.Now(), EventSource: eventSource, EventName: c.name,
		AWSRegion: c.region, SourceIPAddress: replicationAgent, UserAgent: replicationAgent, UserIdentity: identityOf(c.caller),
		Request: map[string]any{"bucketName": c.bucket, "key": c.key, "x-amz-version-id": c.versionID},
		Resources: []trail.Resource{
			{ARN: arn.Bucket(c.bucket), AccountID: c.account, Type: "AWS::S3::Bucket"},
			{ARN: arn.Object(c.bucket, c.key), Type: "AWS::S3::Object"},
		},
		ReadOnly: c.name == "GetObject", HTTPStatus: 200, Recipient: c.account, Authorizations: *c.permissions,
	}
	if err != nil {
		e.HTTPStatus, e.ErrorCode = 500, "InternalError"
		if f := failure.Of(err); f != nil {
			e.HTTPStatus, e.ErrorCode, e.ErrorMessage = 400, string(f.Code), f.Message
			if f.Decision != nil {
				e.HTTPStatus, e.ErrorCode = 403, "AccessDenied"
			}
		}
	}
	a.cfg.Record(e, time.Since(c.start), nil)
}

// authorizeDoor decides one permission step; a denial becomes the failureReason denied.
func (a *API) authorizeDoor(ctx context.Context, caller *iamsim.Caller, b *store.Bucket, action, resource string, keys policy.Context, denied failure.Code) error {
	d, err := a.decide(ctx, caller, b, b.Region, action, resource, keys)
	if err != nil || d.Permitted() {
		return err
	}
	e := failure.New(denied, d.Message()) // no client sees this text, so it may always say why
	e.Decision = d
	return e
}

// isDenial tells a denied permission from everything else that can go wrong.
func isDenial(err error) bool {
	f := failure.Of(err)
	return f != nil && f.Decision != nil
}

// explicitlyDenied reports whether a policy says no, rather than none yes.
func explicitlyDenied(err error) bool {
	f := failure.Of(err)
	if f == nil {
		return false
	}
	d, ok := f.Decision.(*policy.Decision)
	return ok && d.Outcome == policy.ExplicitDeny
}

// renamed gives a failure with code from the code to; others stay as they are.
func renamed(err error, from, to failure.Code) error {
	f := failure.Of(err)
	if f == nil || f.Code != from {
		return err
	}
	other := *f
	other.Code, other.Cause = to, err
	if other.Message == "" {
		other.Message = wireErrors[from].message
	}
	return &other
}

// sourceKeyFailure gives KMS's refusal to decrypt its failureReason. A source key that does
// not exist has none of its own (S292).
func sourceKeyFailure(err error) error {
	return keyFailure(err, "SrcGetObjectNotPermitted", "SrcKmsKeyInvalidState", "SrcKmsKeyInvalidState")
}

// replicaKeyFailure gives KMS's refusal to encrypt under the replica key its failureReason (S292).
func replicaKeyFailure(err error) error {
	return keyFailure(err, "DstPutObjectNotPermitted", "DstKmsKeyInvalidState", "DstKmsKeyNotFound")
}

// keyFailure renames what is final; throttling and faults of KMS keep their codes and are
// tried again.
func keyFailure(err error, denied, state, missing failure.Code) error {
	switch code := failure.CodeOf(err); code {
	case "AccessDeniedException":
		// A foreign key that does not exist is a denial to clients; its cause tells, and
		// replication does (S292).
		if cause := failure.Of(failure.Of(err).Cause); cause != nil && cause.Code == "NotFoundException" {
			return failure.New(missing, cause.Message).Because(err)
		}
		return renamed(err, code, denied)
	case "DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException", "IncorrectKeyException", "InvalidCiphertextException":
		return renamed(err, code, state)
	case "NotFoundException", "InvalidArnException":
		return renamed(err, code, missing)
	}
	return err
}
