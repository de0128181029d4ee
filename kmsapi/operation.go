package kmsapi

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"time"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// Operation is one row of the operation table as the outside sees it.
type Operation struct {
	Name string
	// Action is what policies call it; ReEncrypt has two.
	Action    string
	Supported bool
}

// Operations lists every operation of the KMS API, sorted by name.
func Operations() []Operation {
	rows := table()
	out := make([]Operation, len(rows))
	for i, op := range rows {
		out[i] = Operation{Name: op.Name, Action: op.Action, Supported: op.serve != nil}
	}
	return out
}

// operation is one row of the table.
type operation struct {
	Operation
	// quota is the request quota it counts against: its own name, unless the input is
	// classed (K70).
	quota string
	// readOnly is what the trail says of it (K80).
	readOnly bool
	// crossAccount: a key of another account may be named, by ARN (K20).
	crossAccount bool
	// uses: it is a cryptographic operation with its keys, which GetKeyLastUsage shows.
	uses bool
	// refusal is the HTTP status of an operation that is not built, and lacks what
	// Twinbucket would need for it.
	refusal int
	lacks   string
	// params are the input fields that the trail shows.
	params []param
	// serve decodes a JSON body and performs the operation; nil refuses it.
	serve func(s *Service, ctx context.Context, caller *iamsim.Caller, region string, body []byte) (any, error)
}

// none is the output of operations that answer with an empty body (K3).
type none struct{}

// option changes a row while the table is built.
type option func(*operation)

func readOnly(op *operation)       { op.readOnly = true }
func crossAccount(op *operation)   { op.crossAccount = true }
func symmetricQuota(op *operation) { op.quota = quotaSymmetric }

// cryptographic operations only read, work across accounts and are uses of the key.
func cryptographic(op *operation) { op.readOnly, op.crossAccount, op.uses = true, true, true }

func action(a string) option { return func(op *operation) { op.Action = a } }

// row is a supported operation.
func row[In, Out any](name string, fn func(*Service, *call, *In) (Out, error), options ...option) *operation {
	op := refused(name)
	op.Supported, op.lacks = true, ""
	for _, o := range options {
		o(op)
	}
	op.params = paramsOf(reflect.TypeFor[In]())
	op.serve = func(s *Service, ctx context.Context, caller *iamsim.Caller, region string, body []byte) (any, error) {
		in := new(In)
		if err := json.Unmarshal(body, in); err != nil {
			return nil, refuse(s, ctx, caller, region, op, failure.New(serialization, "").Because(err)) // K6
		}
		out, err := perform(s, ctx, caller, region, op, in, fn)
		if _, empty := any(out).(none); empty || err != nil {
			return nil, err
		}
		return out, nil
	}
	return op
}

// refused is an operation that is known and not built: key encapsulation.
func refused(name string) *operation {
	return &operation{Operation: Operation{Name: name, Action: "kms:" + name}, quota: name, refusal: http.StatusNotImplemented, lacks: "key encapsulation"}
}

// unsupportedHere is an operation that AWS itself refuses where its feature is not to
// be had: custom key stores (K94).
func unsupportedHere(name string) *operation {
	op := refused(name)
	op.refusal, op.lacks = http.StatusBadRequest, "custom key stores"
	return op
}

// call is one request on its way through an operation.
type call struct {
	ctx    context.Context
	caller *iamsim.Caller
	op     *operation
	region string
	// now is the one domain time of the whole request.
	now time.Time
	// keys are the keys it was about, for the trail.
	keys []*target
	// permissions is what the caller was authorized for so far.
	permissions iamsim.Permissions
}

// perform runs one operation for a client or for S3: the only way in. The steps
// and their order stand in the package comment.
func perform[In, Out any](s *Service, ctx context.Context, caller *iamsim.Caller, region string, op *operation, in *In, fn func(*Service, *call, *In) (Out, error)) (Out, error) {
	started := s.realTime()
	c := &call{ctx: ctx, op: op, region: region, now: s.cfg.Clock.Now()}
	observed := caller.Observed(c.permissions.Observe)
	c.caller = &observed
	out, err := guarded(s, c, in, fn)
	if err != nil {
		err = asFailure(err)
	}
	eventID := s.record(c, in, started, err)
	if op.uses && err == nil {
		c.used(eventID)
	}
	return out, err
}

// guarded does what stands before every operation's own function.
func guarded[In, Out any](s *Service, c *call, in *In, fn func(*Service, *call, *In) (Out, error)) (out Out, err error) {
	if err := check(in); err != nil {
		return out, err
	}
	if err := checkOrigin(c); err != nil {
		return out, err
	}
	if err := s.charge(c, in); err != nil {
		return out, err
	}
	if err := s.settle(c.ctx, c.now); err != nil {
		return out, err
	}
	return fn(s, c, in)
}

// checkOrigin refuses callers without an account, such as anonymous ones, and regions
// that can't be one: keys belong to an account and a region.
func checkOrigin(c *call) error {
	if !arn.IsAccount(c.caller.Account()) {
		return failure.New(missingAuthentication, "Missing Authentication Token")
	}
	if !regionPattern.MatchString(c.region) {
		return failure.New(invalidSignature, "Credential should be scoped to a valid region.")
	}
	return nil
}

var regionPattern = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)

// refuse records a call that never reached its operation and returns err.
func refuse(s *Service, ctx context.Context, caller *iamsim.Caller, region string, op *operation, err *failure.Error) error {
	c := &call{ctx: ctx, caller: caller, op: op, region: region, now: s.cfg.Clock.Now()}
	s.record(c, nil, s.realTime(), err)
	return err
}

// param is one input field that the trail shows under its lower-camel name.
type param struct {
	name  string
	index []int
}

// paramsOf lists the fields of an input that may be shown: all but blobs, which are
// plaintexts and ciphertexts, and grant tokens (K81).
func paramsOf(in reflect.Type) []param {
	var out []param
	for _, f := range reflect.VisibleFields(in) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || f.Type == reflect.TypeFor[blob]() || strings.HasPrefix(name, "GrantToken") {
			continue
		}
		out = append(out, param{strings.ToLower(name[:1]) + name[1:], f.Index})
	}
	return out
}
