package iamsim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

// maxBody bounds a request: the largest policy document, escaped, with room to spare (I48).
const maxBody = 1 << 20

// requestIDHeader is written as Go's canonical form; header names compare without case.
const requestIDHeader = "X-Amzn-Requestid"

// call is one IAM or STS request on its way through the service.
type call struct {
	ctx     context.Context
	service string // "iam" or "sts"
	action  string // operation name as sent
	op      *operation
	form    *form
	caller  Caller
	target  target
	id      string // request id
	region  string
	now     time.Time // domain time: one timestamp for the whole call
	// permissions is what the caller was authorized for so far.
	permissions Permissions
}

// account is whose users, roles and policies the call is about.
func (c *call) account() string { return c.caller.Principal.Account }

// Serve answers one IAM or STS request. signed and signErr are what sigv4.Parse returned.
// The request id is the one already in the response's x-amzn-RequestId header, if any.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, signErr error) {
	started := s.transportTime()
	c := &call{ctx: r.Context(), now: s.cfg.Clock.Now(), id: w.Header().Get(requestIDHeader), region: "us-east-1", form: &form{}}
	c.caller = Caller{Source: requestSource(r)}.Observed(c.permissions.Observe)
	if c.id == "" {
		c.id = s.random.requestID()
	}
	result, err := s.perform(c, r, signed, signErr)
	rendered := s.render(c, result, err)
	w.Header().Set(requestIDHeader, c.id)
	w.Header().Set("Content-Type", "text/xml")
	if m := s.AuthorizationMessage(rendered.denied); m != "" {
		w.Header().Set(authorizationMessageHeader, m)
	}
	w.WriteHeader(rendered.status)
	_, _ = w.Write(rendered.body) // the client may be gone; the call is done either way
	s.record(c, rendered, s.transportTime().Sub(started))
}

// perform does everything but answering. A panic of a handler becomes an error.
func (s *Service) perform(c *call, r *http.Request, signed *sigv4.Signed, signErr error) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Logger.ErrorContext(c.ctx, "iamsim: panic", "requestID", c.id, "service", c.service, "operation", c.action, "panic", p, "stack", string(debug.Stack()))
			result, err = nil, fmt.Errorf("iamsim: panic: %v", p)
		}
	}()
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	if err := s.route(c, r, signed, body); err != nil {
		return nil, err
	}
	if !c.op.unsigned {
		if err := s.authenticate(c, r, signed, signErr, body); err != nil {
			return nil, err
		}
	}
	if c.op.handler == nil {
		return nil, notSupported(c)
	}
	if err := sessionMayCall(c); err != nil {
		return nil, err
	}
	if err := s.authorizeCall(c); err != nil {
		return nil, err
	}
	return c.op.handler(s, c)
}

func notSupported(c *call) error {
	return failure.Newf("NotImplemented", "%s is not supported by Twinbucket; see the list of operations.", c.action)
}

// readBody takes the whole body; it is part of what was signed.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, failure.New("IncompleteBody", "The request body could not be read.").Because(err)
	}
	if len(body) > maxBody {
		return nil, failure.New("RequestEntityTooLarge", "The request is larger than 1 MiB.")
	}
	return body, nil
}

// route reads the parameters and finds the operation (I1). Parameters come from the
// body of a POST, else from the query.
func (s *Service) route(c *call, r *http.Request, signed *sigv4.Signed, body []byte) error {
	if signed != nil {
		c.service = signed.Scope.Service
		c.region = signed.Scope.Region
	}
	raw := r.URL.RawQuery
	if r.Method == http.MethodPost && len(body) > 0 {
		raw = string(body)
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return failure.New("MalformedQueryString", "The query string contains a syntax error.").Because(err)
	}
	c.form.values = values
	version := values.Get("Version")
	c.action = values.Get("Action")
	switch version {
	case iamVersion:
		c.service = "iam"
	case stsVersion:
		c.service = "sts"
	default:
		if c.service != "sts" {
			c.service = "iam"
		}
	}
	if c.action == "" {
		return failure.New("MissingAction", "The request must contain the parameter Action.")
	}
	c.op = s.operations[c.service+":"+c.action]
	if c.op == nil || version != "" && version != versionOf(c.service) {
		return failure.Newf("InvalidAction", "Could not find operation %s for version %s", c.action, version) // I6
	}
	c.form.sts = c.service == "sts"
	return nil
}

func (s *Service) authenticate(c *call, r *http.Request, signed *sigv4.Signed, signErr error, body []byte) error {
	if signErr != nil {
		return signErr
	}
	if signed == nil {
		return &sigv4.Error{Kind: sigv4.MissingToken}
	}
	// The scope's region is not checked: clients with an endpoint of their own sign IAM
	// requests for the region they are configured with (I9).
	caller, err := s.Authenticate(c.ctx, r, signed, sigv4.Options{Service: c.service, Body: body})
	if err != nil {
		return err
	}
	caller.Source.RequestID = c.id
	c.caller = caller.Observed(c.permissions.Observe)
	return nil
}

// sessionMayCall applies what GetSessionToken and GetFederationToken credentials are
// barred from whatever their policies say (I34).
func sessionMayCall(c *call) error {
	p := c.caller.Principal.Type
	if c.caller.Session == nil || p == policy.AssumedRole {
		return nil
	}
	if c.service == "iam" {
		return failure.New("InvalidClientTokenId", invalidToken)
	}
	if c.action == "GetCallerIdentity" || c.action == "AssumeRole" && p != policy.FederatedUser {
		return nil
	}
	return failure.Newf("AccessDenied", "Cannot call %s with session credentials", c.action)
}

// authorizeCall decides the row's action, and tagging on create beside it.
func (s *Service) authorizeCall(c *call) error {
	if c.op.own {
		return nil
	}
	_ = s.view(func(im *image) error {
		c.target = c.op.target(im, c)
		return nil
	})
	keys := c.conditionKeys()
	if err := s.require(c, c.op.action(), c.target, keys); err != nil {
		return err
	}
	// Tags in a Create call need the right to tag as well (I39).
	if what, ok := strings.CutPrefix(c.action, "Create"); ok && c.form.has("Tags.member.1.Key") {
		return s.require(c, c.service+":Tag"+what, c.target, keys)
	}
	return nil
}

// require turns a denial into the error that clients see (I38).
func (s *Service) require(c *call, action string, t target, keys policy.Context) error {
	d, err := s.Authorize(c.ctx, &c.caller, &Request{
		Action: action, Resource: t.arn, ResourceAccount: t.account, Region: c.region, Context: keys,
	})
	if err != nil || d.Permitted() {
		return err
	}
	message := "User: " + d.Principal.ARN + " is not authorized to perform: " + action +
		" on resource: " + t.text + " " + d.Reason()
	return &failure.Error{Code: "AccessDenied", Message: message, Decision: d}
}

// rendering is a finished answer.
type rendering struct {
	status        int
	body          []byte
	code, message string // of an error
	cause         error  // private: for the log and the recorder
	denied        *policy.Decision
}

func (s *Service) render(c *call, result any, err error) *rendering {
	if err == nil {
		return &rendering{status: http.StatusOK, body: encodeResponse(c.service, c.action, result, c.id)}
	}
	var refused *sigv4.Error
	if errors.As(err, &refused) {
		err = signatureFailure(refused)
	}
	f := failure.Of(err)
	if f == nil {
		f = failure.New("InternalFailure", "The request processing has failed because of an unknown error, exception or failure.").Because(err)
	}
	out := &rendering{status: statusOf(f.Code), code: string(f.Code), message: f.Message, denied: deniedBy(f)}
	if out.status >= 500 && out.status != http.StatusNotImplemented {
		out.cause = f.Cause
	}
	out.body = encodeError(c.service, f, out.status, c.id)
	return out
}
