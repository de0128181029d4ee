package cwapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
)

// maxBody bounds a request: 500 metric queries fit many times.
const maxBody = 1 << 20

// Serve answers one CloudWatch request in the protocol it came in. signed and signErr are
// what sigv4.Parse returned. It is the one place that authenticates, authorizes, renders
// errors, recovers from panics and records the call.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, signErr error) {
	started := s.realTime()
	x := &exchange{
		call:  call{ctx: r.Context(), now: s.cfg.Clock.Now(), caller: iamsim.Anonymous()},
		proto: s.protocolOf(r), id: s.newID(), name: "Unknown",
	}
	x.caller.Source = iamsim.Source{UserAgent: r.UserAgent()}
	if signed != nil {
		x.region = signed.Scope.Region
	}
	out, err := s.guarded(x, w, r, signed, signErr)
	status, body := s.render(x, out, err)
	h := w.Header()
	h.Set("Content-Type", x.proto.contentType())
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-Requestid", x.id)
	x.proto.decorate(h, err)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; the call is done either way
	s.record(x, status, err, started)
}

// exchange is one HTTP request and its answer.
type exchange struct {
	call
	proto protocol
	id    string
	name  string // of the operation, for the trail
}

// guarded performs the call; a panic becomes an error.
func (s *Service) guarded(x *exchange, w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, signErr error) (out any, err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			s.cfg.Logger.ErrorContext(context.WithoutCancel(x.ctx), "cwapi: panic", "request_id", x.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			out, err = nil, fmt.Errorf("cwapi: panic: %v", p)
		}
	}()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if big := new(http.MaxBytesError); errors.As(err, &big) {
			return nil, failure.Newf(tooLarge, "The request is larger than %d bytes.", maxBody)
		}
		return nil, failure.New(serialization, "The request body could not be read.").Because(err)
	}
	message, err := x.proto.read(r, body)
	if err != nil {
		return nil, err
	}
	op := s.ops[message.operation]
	if op == nil {
		return nil, failure.Newf(invalidAction, "Could not find operation %s for version %s", message.operation, apiVersion)
	}
	x.name = op.name
	if err := s.authenticate(x, r, signed, signErr, body); err != nil {
		return nil, err
	}
	if err := s.authorize(x, op); err != nil {
		return nil, err
	}
	if op.serve == nil {
		return nil, failure.Newf(notImplemented, "%s is not supported by Twinbucket, which answers GetMetricData, GetMetricStatistics and ListMetrics.", op.name)
	}
	return op.serve(s, &x.call, message.decode)
}

func (s *Service) authenticate(x *exchange, r *http.Request, signed *sigv4.Signed, signErr error, body []byte) error {
	if signErr == nil && signed == nil {
		signErr = sigv4.ErrAnonymous
	}
	if signErr != nil {
		return signatureFailure(signErr)
	}
	caller, err := s.cfg.IAM.Authenticate(x.ctx, r, signed, sigv4.Options{Service: "monitoring", Body: body})
	if err != nil {
		return signatureFailure(err)
	}
	if !arn.IsAccount(caller.Account()) {
		return signatureFailure(sigv4.ErrAnonymous)
	}
	caller.Source.RequestID = x.id
	x.caller = caller.Observed(x.permissions.Observe)
	return nil
}

// authorize asks for the row's action. CloudWatch's reading actions have no resource (B7).
func (s *Service) authorize(x *exchange, op *operation) error {
	d, err := s.cfg.IAM.Authorize(x.ctx, &x.caller, &iamsim.Request{
		Action: op.action(), Resource: "*", ResourceAccount: x.caller.Account(), Region: x.region, Context: policy.Context{},
	})
	if err != nil {
		return err
	}
	if d.Permitted() {
		return nil
	}
	f := failure.New(accessDenied, "User: "+d.Principal.ARN+" is not authorized to perform: "+d.Action+" "+d.Reason())
	f.Decision = d
	return f
}

// render turns the outcome into a body.
func (s *Service) render(x *exchange, out any, err error) (status int, body []byte) {
	if err == nil {
		if body, err = x.proto.write(x.name, x.id, out); err == nil {
			return http.StatusOK, body
		}
		panic("cwapi: response of " + x.name + ": " + err.Error()) // output types always encode
	}
	f := asFailure(err)
	return statusOf(f.Code), x.proto.fault(x.id, f)
}

// record leaves the event of one answered request.
func (s *Service) record(x *exchange, status int, err error, started time.Time) {
	if s.cfg.Record == nil {
		return
	}
	e := trail.Event{
		EventID: s.newID(), EventTime: x.now, EventSource: "monitoring.amazonaws.com", EventName: x.name, AWSRegion: x.region,
		SourceIPAddress: x.caller.Source.IP, UserAgent: x.caller.Source.UserAgent, UserIdentity: x.caller.Identity(),
		RequestID: x.id, ReadOnly: true, HTTPStatus: status, Recipient: x.caller.Account(), Authorizations: x.permissions,
	}
	var cause error
	if err != nil {
		f := asFailure(err)
		e.ErrorCode, e.ErrorMessage = string(f.Code), f.Message
		if status == http.StatusInternalServerError {
			cause = err
		}
	}
	s.cfg.Record(e, s.realTime().Sub(started), cause)
}
