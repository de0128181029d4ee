package s3api

import (
	"time"

	"github.com/google/uuid"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
)

const eventSource = "s3.amazonaws.com"

// record hands the finished call to the recorder, shaped like a CloudTrail event (S13).
func (a *API) record(req *request, out rendered, err error) {
	if a.cfg.Record == nil {
		return
	}
	e := trail.Event{
		EventID: a.newEventID(), EventTime: a.cfg.Clock.Now(), EventSource: eventSource, EventName: req.operationName(),
		AWSRegion: req.region, SourceIPAddress: req.caller.Source.IP, UserAgent: req.caller.Source.UserAgent,
		UserIdentity: identityOf(&req.caller), RequestID: req.id,
		ReadOnly: req.r.Method == "GET" || req.r.Method == "HEAD", HTTPStatus: out.status,
		ErrorCode: out.code, ErrorMessage: out.message, Authorizations: req.permissions,
	}
	if req.bucketName != "" {
		e.Request = map[string]any{"bucketName": req.bucketName}
		bucket := trail.Resource{ARN: req.bucketARN(), Type: "AWS::S3::Bucket"}
		if req.bucket != nil {
			bucket.AccountID, e.Recipient = req.bucket.Account, req.bucket.Account
			e.AWSRegion = req.bucket.Region
		}
		e.Resources = append(e.Resources, bucket)
	}
	if req.key != "" {
		e.Request["key"] = req.key
		e.Resources = append(e.Resources, trail.Resource{ARN: arn.Object(req.bucketName, req.key), Type: "AWS::S3::Object"})
		if v := req.w.Header().Get("X-Amz-Version-Id"); v != "" {
			e.Request["versionId"] = v
		} else if v := req.query.Get("versionId"); v != "" {
			e.Request["versionId"] = v
		}
	}
	var cause error
	if out.status >= 500 {
		if cause = err; failure.Of(err) != nil && failure.Of(err).Cause != nil {
			cause = failure.Of(err).Cause
		}
	}
	a.cfg.Record(e, time.Since(req.start), cause)
}

func (a *API) newEventID() string {
	id, err := uuid.NewRandomFromReader(a.rand)
	if err != nil {
		panic("s3api: no randomness for event ids: " + err.Error())
	}
	return id.String()
}

// identityOf is a caller as events show it.
func identityOf(c *iamsim.Caller) trail.Identity {
	p := &c.Principal
	id := trail.Identity{PrincipalID: c.UserID, ARN: p.ARN, AccountID: p.Account, AccessKeyID: c.AccessKeyID}
	switch p.Type {
	case policy.Account:
		id.Type = "Root"
	case policy.User:
		id.Type = "IAMUser"
	case policy.Service:
		return trail.Identity{Type: "AWSService", InvokedBy: p.ARN}
	case policy.Anonymous, "":
		return trail.Identity{Type: "Anonymous", AccountID: "anonymous"}
	default:
		id.Type = string(p.Type)
	}
	if c.Session != nil {
		id.InvokedBy = c.Session.InvokedBy
	}
	return id
}
