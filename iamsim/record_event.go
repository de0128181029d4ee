package iamsim

import (
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
)

// Identity is the caller as the trail shows it.
func (c *Caller) Identity() trail.Identity {
	id := trail.Identity{
		PrincipalID: c.UserID, ARN: c.Principal.ARN, AccountID: c.Principal.Account, AccessKeyID: c.AccessKeyID,
	}
	switch c.Principal.Type {
	case policy.Account:
		id.Type = "Root"
	case policy.User:
		id.Type = "IAMUser"
	case policy.Service:
		return trail.Identity{Type: "AWSService", InvokedBy: c.Principal.ARN}
	case policy.WebIdentity:
		return trail.Identity{Type: "WebIdentityUser", PrincipalID: c.UserID}
	case policy.Anonymous, "":
		return trail.Identity{Type: "Anonymous"}
	default:
		id.Type = string(c.Principal.Type)
	}
	switch {
	case len(c.Via) > 0:
		id.InvokedBy = c.Via[len(c.Via)-1]
	case c.Session != nil:
		id.InvokedBy = c.Session.InvokedBy
	}
	return id
}

// longestParameter bounds what the trail keeps of one request parameter.
const longestParameter = 4096

// record leaves the event of one answered request.
func (s *Service) record(c *call, rendered *rendering, took time.Duration) {
	e := trail.Event{
		EventID:         s.random.requestID(),
		EventTime:       c.now,
		EventSource:     c.service + ".amazonaws.com",
		EventName:       c.action,
		AWSRegion:       c.region,
		SourceIPAddress: c.caller.Source.IP,
		UserAgent:       c.caller.Source.UserAgent,
		UserIdentity:    c.caller.Identity(),
		RequestID:       c.id,
		Request:         c.form.parameters(),
		ReadOnly:        readOnly(c.action),
		ErrorCode:       rendered.code,
		ErrorMessage:    rendered.message,
		HTTPStatus:      rendered.status,
		Recipient:       recipient(c),
		Authorizations:  c.permissions,
	}
	if c.target.arn != "" && c.target.arn != "*" {
		e.Resources = []trail.Resource{{ARN: c.target.arn, AccountID: c.target.account}}
	}
	s.cfg.Record(e, took, rendered.cause)
}

// recipient is whose trail an event belongs to: a web identity's call is the role's account's.
func recipient(c *call) string {
	if account := c.caller.Principal.Account; account != "" {
		return account
	}
	return c.target.account
}

// recordServiceRole leaves the AssumeRole event of a service (I33).
func (s *Service) recordServiceRole(req ServiceRole, session *Caller, needed Permissions, now time.Time, took time.Duration, err error) {
	account := session.Principal.Account
	if account == "" {
		_, account, _, _ = splitEntityARN(req.RoleARN)
	}
	e := trail.Event{
		EventID:         s.random.requestID(),
		EventTime:       now,
		EventSource:     "sts.amazonaws.com",
		EventName:       "AssumeRole",
		AWSRegion:       req.Region,
		SourceIPAddress: req.Service,
		UserAgent:       req.Service,
		UserIdentity:    trail.Identity{Type: "AWSService", InvokedBy: req.Service},
		RequestID:       s.random.requestID(),
		Request:         map[string]any{"roleArn": req.RoleARN, "roleSessionName": req.SessionName},
		Resources:       []trail.Resource{{ARN: req.RoleARN, AccountID: account, Type: "AWS::IAM::Role"}},
		ReadOnly:        true,
		Recipient:       account,
		HTTPStatus:      200,
		Authorizations:  needed,
	}
	var cause error
	if err != nil {
		e.ErrorCode, e.HTTPStatus, cause = "InternalFailure", 500, err
		if f := failure.Of(err); f != nil {
			e.ErrorCode, e.ErrorMessage, e.HTTPStatus, cause = string(f.Code), f.Message, statusOf(f.Code), f.Cause
		}
	}
	s.cfg.Record(e, took, cause)
}

// readOnly follows CloudTrail: reading and getting credentials changes nothing.
func readOnly(action string) bool {
	for _, verb := range [...]string{"Get", "List", "AssumeRole", "Simulate", "Decode"} {
		if strings.HasPrefix(action, verb) {
			return true
		}
	}
	return false
}
