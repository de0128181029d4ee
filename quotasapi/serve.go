package quotasapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"twinbucket/iamsim"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
)

const (
	contentType  = "application/x-amz-json-1.1"
	targetPrefix = "ServiceQuotasV20190624."
	maxBody      = 64 << 10
)

// IsRequest reports whether a request is one for Service Quotas, by its target (K99).
func IsRequest(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
}

// Serve answers one request. signed and signErr are what sigv4.Parse returned. It is the
// one place that authenticates, renders errors, recovers from panics and records the call.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, signErr error) {
	started := s.realTime()
	id := s.newID()
	c := &call{ctx: r.Context(), now: s.cfg.Clock.Now(), caller: iamsim.Anonymous()}
	if signed != nil {
		c.region = signed.Scope.Region
	}
	out, err := s.guarded(c, w, r, id, signed, signErr)
	code, body := render(out, err)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-Requestid", id)
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client may be gone; the call is done either way
	s.record(c, id, code, err, started)
}

// guarded performs the call; a panic becomes an error.
func (s *Service) guarded(c *call, w http.ResponseWriter, r *http.Request, id string, signed *sigv4.Signed, signErr error) (out any, err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			s.cfg.Logger.ErrorContext(context.WithoutCancel(c.ctx), "quotas: panic", "request_id", id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			out, err = nil, fmt.Errorf("quotasapi: panic: %v", p)
		}
	}()
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if c.op = s.ops[name]; !ok || c.op == nil || r.Method != http.MethodPost {
		return nil, failure.New(unknownOperation, "")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if big := new(http.MaxBytesError); errors.As(err, &big) {
			return nil, failure.Newf(tooLarge, "The request body is larger than %d bytes.", maxBody)
		}
		return nil, failure.New(serialization, "").Because(err)
	}
	if err := s.authenticate(c, r, id, signed, signErr, body); err != nil {
		return nil, err
	}
	if c.op.serve == nil {
		return nil, failure.Newf(unsupported, "%s is not supported by Twinbucket, which shows the request quotas of KMS and grants requests to increase them.", name)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	return c.op.serve(s, c, body)
}

func (s *Service) authenticate(c *call, r *http.Request, id string, signed *sigv4.Signed, signErr error, body []byte) error {
	if signErr != nil {
		return signErr
	}
	if signed == nil {
		return sigv4.ErrAnonymous
	}
	caller, err := s.cfg.IAM.Authenticate(c.ctx, r, signed, sigv4.Options{Service: "servicequotas", Body: body})
	if err != nil {
		return err
	}
	if !arn.IsAccount(caller.Account()) {
		return sigv4.ErrAnonymous
	}
	caller.Source.RequestID = id
	c.caller = caller.Observed(c.permissions.Observe)
	return nil
}

// render turns the outcome into a body.
func render(out any, err error) (code int, body []byte) {
	code = http.StatusOK
	if err != nil {
		f := asFailure(err)
		code = status(f.Code)
		fault := map[string]string{"__type": string(f.Code)}
		if f.Message != "" {
			fault["Message"] = f.Message // K101
		}
		out = fault
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		panic("quotasapi: " + err.Error()) // output types always encode
	}
	return code, bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// record leaves the event of one answered request.
func (s *Service) record(c *call, id string, code int, err error, started time.Time) {
	if s.cfg.Record == nil {
		return
	}
	e := trail.Event{
		EventID: s.newID(), EventTime: c.now, EventSource: "servicequotas.amazonaws.com", EventName: "Unknown", AWSRegion: c.region,
		SourceIPAddress: c.caller.Source.IP, UserAgent: c.caller.Source.UserAgent, RequestID: id, UserIdentity: c.caller.Identity(),
		Request: c.shown, Authorizations: c.permissions, Recipient: c.caller.Account(), HTTPStatus: code,
	}
	if c.op != nil {
		e.EventName, e.ReadOnly = c.op.Name, c.op.readOnly
	}
	var cause error
	if err != nil {
		f := asFailure(err)
		e.ErrorCode, e.ErrorMessage = string(f.Code), f.Message
		if f.Code == accessDenied {
			e.ErrorCode = "AccessDenied"
		}
		if code >= http.StatusInternalServerError && f.Code != unsupported {
			cause = f
		}
	}
	s.cfg.Record(e, s.realTime().Sub(started), cause)
}

// newID makes a request or event id.
func (s *Service) newID() string {
	u, err := uuid.NewRandomFromReader(s.cfg.Rand)
	if err != nil {
		return uuid.Nil.String()
	}
	return u.String()
}
