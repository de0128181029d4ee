package kmsapi

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

	"github.com/google/uuid"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

const (
	contentType  = "application/x-amz-json-1.1"
	targetPrefix = "TrentService."
	// maxBody bounds a request body; the largest request KMS knows is a tenth of it.
	maxBody = 1 << 20
)

// Serve answers one KMS request (K1 to K8). signed and signErr are what sigv4.Parse
// returned.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, signErr error) {
	x := &exchange{s: s, w: w, r: r}
	id, err := s.newUUID()
	if err != nil {
		id = uuid.Nil.String()
	}
	x.requestID = id
	defer x.recover()
	out, err := x.answer(signed, signErr)
	if err != nil {
		x.fail(asFailure(err))
		return
	}
	x.succeed(out)
}

// exchange is one HTTP request and its answer.
type exchange struct {
	s         *Service
	w         http.ResponseWriter
	r         *http.Request
	requestID string
	op        *operation
	region    string
	caller    iamsim.Caller
	status    int // of the answer, where the code alone does not tell it
	written   bool
}

// answer authenticates the caller and performs the operation.
func (x *exchange) answer(signed *sigv4.Signed, signErr error) (any, error) {
	name, ok := strings.CutPrefix(x.r.Header.Get("X-Amz-Target"), targetPrefix)
	if x.op = x.s.ops[name]; !ok || x.op == nil || x.r.Method != http.MethodPost {
		return nil, failure.New(unknownOperation, "")
	}
	x.caller.Principal.Type = policy.Anonymous
	if signed != nil {
		x.region = signed.Scope.Region
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxBody))
	if err != nil {
		if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
			return nil, x.refuse(failure.Newf(tooLarge, "The request body is larger than %d bytes.", maxBody))
		}
		return nil, x.refuse(failure.New(serialization, "").Because(err))
	}
	if err := x.authenticate(signed, signErr, body); err != nil {
		return nil, x.refuse(asFailure(err))
	}
	if x.op.serve == nil {
		x.status = x.op.refusal
		return nil, x.refuse(failure.Newf(unsupported, "%s is not supported by Twinbucket, which has no %s.", x.op.Name, x.op.lacks))
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	return x.op.serve(x.s, x.r.Context(), &x.caller, x.region, body)
}

func (x *exchange) authenticate(signed *sigv4.Signed, signErr error, body []byte) error {
	if signErr != nil {
		return authFailure(signErr)
	}
	if signed == nil {
		return authFailure(sigv4.ErrAnonymous)
	}
	caller, err := x.s.cfg.IAM.Authenticate(x.r.Context(), x.r, signed, sigv4.Options{Service: "kms", Body: body})
	if err != nil {
		return authFailure(err)
	}
	if caller.Principal.Type == policy.Anonymous {
		return authFailure(sigv4.ErrAnonymous)
	}
	x.caller = caller
	x.caller.Source.RequestID = x.requestID
	return nil
}

// refuse records a request that is turned away before its operation runs.
func (x *exchange) refuse(err *failure.Error) error {
	x.caller.Source.RequestID = x.requestID
	return refuse(x.s, x.r.Context(), &x.caller, x.region, x.op, err)
}

func (x *exchange) succeed(out any) {
	var body []byte
	if out != nil {
		var err error
		if body, err = encode(out); err != nil {
			panic("kmsapi: " + err.Error()) // output types always encode
		}
	}
	x.write(http.StatusOK, body)
}

// fail writes an error body: the bare code, and the message unless there is none
// (K5). Denials spell the member with a capital (K5).
func (x *exchange) fail(e *failure.Error) {
	code := x.status
	if code == 0 {
		code = status(e.Code)
	}
	body := map[string]string{"__type": string(e.Code)}
	switch {
	case e.Message == "":
	case e.Code == accessDenied:
		body["Message"] = e.Message
	default:
		body["message"] = e.Message
	}
	b, err := encode(body)
	if err != nil {
		panic("kmsapi: " + err.Error())
	}
	x.write(code, b)
}

func (x *exchange) write(code int, body []byte) {
	x.written = true
	h := x.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-Requestid", x.requestID)
	x.w.WriteHeader(code)
	if _, err := x.w.Write(body); err != nil {
		x.s.cfg.Logger.DebugContext(x.r.Context(), "kms: client is gone", "request_id", x.requestID, "error", err)
	}
}

// recover answers a panic of a handler with an internal error and logs it.
func (x *exchange) recover() {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	ctx := context.WithoutCancel(x.r.Context())
	x.s.cfg.Logger.ErrorContext(ctx, "kms: panic", "request_id", x.requestID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	err := failure.New(internal, "").Because(fmt.Errorf("panic: %v", p))
	if x.op != nil {
		_ = x.refuse(err) // recorded
	}
	if !x.written {
		x.status = 0
		x.fail(err)
	}
}

// encode is JSON as AWS writes it: "<", ">" and "&" stay as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// newUUID makes a random UUID, the form of key ids, request ids and event ids.
func (s *Service) newUUID() (string, error) {
	u, err := uuid.NewRandomFromReader(s.rand)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}
