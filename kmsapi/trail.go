package kmsapi

import (
	"reflect"
	"strings"
	"time"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
)

const eventSource = "kms.amazonaws.com"

// record leaves one trail event for a call, done or refused (K80). in is a pointer to
// the input, nil if it could not be read. A key of another account shows by the
// account of the resource; the event is not repeated for its owner.
func (s *Service) record(c *call, in any, started time.Time, err error) {
	if s.cfg.Record == nil {
		return
	}
	id, uuidErr := s.newUUID()
	if uuidErr != nil {
		s.cfg.Logger.ErrorContext(c.ctx, "kms: no randomness for an event id", "error", uuidErr)
	}
	e := trail.Event{
		EventID: id, EventTime: c.now, EventSource: eventSource, EventName: c.op.Name, AWSRegion: c.region,
		SourceIPAddress: c.caller.Source.IP, UserAgent: c.caller.Source.UserAgent, RequestID: c.caller.Source.RequestID,
		UserIdentity: identity(c.caller), ReadOnly: c.op.readOnly, Recipient: c.caller.Account(), HTTPStatus: 200,
	}
	if by := e.UserIdentity.InvokedBy; by != "" {
		e.SourceIPAddress, e.UserAgent = by, by
	}
	for _, t := range c.keys {
		e.Resources = append(e.Resources, trail.Resource{ARN: t.arn, AccountID: t.account, Type: "AWS::KMS::Key"})
	}
	if in != nil {
		e.Request = parameters(in, c.op.params)
	}
	var cause error
	if f := failure.Of(err); f != nil {
		e.ErrorCode, e.ErrorMessage, e.HTTPStatus = string(f.Code), f.Message, status(f.Code)
		if f.Code == accessDenied {
			e.ErrorCode = "AccessDenied" // K82
		}
		if c.op.serve == nil {
			e.HTTPStatus = refusedStatus
		}
		if e.HTTPStatus >= 500 {
			cause = f
		}
	}
	s.cfg.Record(e, time.Since(started), cause)
}

// parameters shows the input fields that were sent.
func parameters(in any, params []param) map[string]any {
	v := reflect.ValueOf(in).Elem()
	out := make(map[string]any, len(params))
	for _, p := range params {
		f := v.Field(p.index)
		if f.IsZero() {
			continue
		}
		if f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		out[p.name] = f.Interface()
	}
	return out
}

// identity describes the caller. Calls that S3 forwards carry who forwarded them (K83).
func identity(caller *iamsim.Caller) trail.Identity {
	p := &caller.Principal
	id := trail.Identity{Type: string(p.Type), PrincipalID: caller.UserID, ARN: p.ARN, AccountID: p.Account, AccessKeyID: caller.AccessKeyID}
	switch p.Type {
	case policy.Account:
		id.Type = "Root"
	case policy.User:
		id.Type = "IAMUser"
	case "":
		id.Type = string(policy.Anonymous)
	}
	if n := len(caller.Via); n > 0 {
		service, _, _ := strings.Cut(caller.Via[n-1], ".")
		id.InvokedBy = "fas." + service + ".amazonaws.com"
		if caller.Session != nil && caller.Session.InvokedBy != "" {
			id.InvokedBy = caller.Session.InvokedBy
		}
	}
	return id
}
