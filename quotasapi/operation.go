package quotasapi

import (
	"context"
	"encoding/json"
	"time"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// Operation is one row of the operation table as the outside sees it.
type Operation struct {
	Name      string
	Action    string // what policies call it
	Supported bool
}

// Operations lists every operation of Service Quotas, sorted by name.
func Operations() []Operation {
	rows := table()
	out := make([]Operation, len(rows))
	for i, op := range rows {
		out[i] = op.Operation
	}
	return out
}

// operation is one row of the table.
type operation struct {
	Operation
	readOnly bool
	// serve decodes a JSON body and performs the operation; nil refuses it.
	serve func(s *Service, c *call, body []byte) (any, error)
}

// row is a supported operation. Its function authorizes.
func row[In, Out any](name string, readOnly bool, fn func(*Service, *call, *In) (*Out, error)) *operation {
	op := refused(name)
	op.Supported, op.readOnly = true, readOnly
	op.serve = func(s *Service, c *call, body []byte) (any, error) {
		in := new(In)
		if err := json.Unmarshal(body, in); err != nil {
			return nil, failure.New(serialization, "").Because(err)
		}
		if err := s.settle(c.ctx, c.now); err != nil {
			return nil, err
		}
		out, err := fn(s, c, in)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
	return op
}

// refused is an operation that is known and not built.
func refused(name string) *operation {
	return &operation{Operation: Operation{Name: name, Action: "servicequotas:" + name}}
}

// call is one request on its way through an operation.
type call struct {
	ctx    context.Context
	caller iamsim.Caller
	op     *operation
	region string
	// now is the one domain time of the whole request.
	now time.Time
	// shown are the parameters that the trail shows.
	shown map[string]any
	// permissions is what the caller was authorized for so far.
	permissions iamsim.Permissions
}

// authorize asks IAM for the operation's action. A request for an increase is decided on
// the quota's ARN and knows the service; all others have no resource (K103).
func (s *Service) authorize(c *call, resource string) error {
	ctx := policy.Context{}
	if resource != "*" {
		ctx.Set("servicequotas:service", serviceCode)
	}
	d, err := s.cfg.IAM.Authorize(c.ctx, &c.caller, &iamsim.Request{
		Action: c.op.Action, Resource: resource, ResourceAccount: c.caller.Account(), Region: c.region, Context: ctx,
	})
	if err != nil {
		return err
	}
	if d.Permitted() {
		return nil
	}
	f := failure.New(accessDenied, d.Message())
	f.Decision = d
	return f
}
