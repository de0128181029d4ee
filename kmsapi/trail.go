package kmsapi

import (
	"maps"
	"reflect"
	"strings"
	"time"

	"twinbucket/iamsim"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
)

const eventSource = "kms.amazonaws.com"

// record leaves one trail event for a call, done or refused (K80). in is a pointer to
// the input, nil if it could not be read. A key of another account shows by the
// account of the resource; the event is not repeated for its owner. It returns the id
// of the event.
func (s *Service) record(c *call, in any, started time.Time, err error) string {
	if s.cfg.Record == nil {
		return ""
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
	e.Authorizations = c.permissions
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
			e.HTTPStatus = c.op.refusal
		}
		if e.HTTPStatus >= 500 {
			cause = f
		}
	}
	s.cfg.Record(e, s.realTime().Sub(started), cause)
	return id
}

// parameters shows the input fields that were sent.
func parameters(in any, params []param) map[string]any {
	v := reflect.ValueOf(in).Elem()
	out := make(map[string]any, len(params))
	for _, p := range params {
		f := v.FieldByIndex(p.index)
		if f.IsZero() {
			continue
		}
		if f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		v := f.Interface()
		if m, ok := v.(map[string]string); ok {
			v = maps.Clone(m) // the caller may go on to change its encryption context
		}
		out[p.name] = v
	}
	return out
}

// identity describes the caller. Calls that S3 forwards for somebody carry the
// forwarding service; calls with a role that S3 assumed carry S3 itself (K83).
func identity(caller *iamsim.Caller) trail.Identity {
	id := caller.Identity()
	if n := len(caller.Via); n > 0 {
		service, _, _ := strings.Cut(caller.Via[n-1], ".")
		id.InvokedBy = "fas." + service + ".amazonaws.com"
		if caller.Session != nil && caller.Session.InvokedBy != "" {
			id.InvokedBy = caller.Session.InvokedBy
		}
	}
	return id
}
