package kmsapi

import (
	"maps"
	"slices"
	"strings"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// keyAuth asks whether the caller may do something with a key.
type keyAuth struct {
	action string // "kms:Decrypt"
	target *target
	// encCtx is the encryption context, for conditions and for grants' constraints.
	encCtx map[string]string
	// algorithm is the encryption algorithm of operations that have one, else "".
	algorithm string
	// more adds the operation's own condition keys.
	more func(policy.Context)
	// grant replaces the search for a grant that covers the operation.
	grant *policy.GrantMatch
}

// authorize decides with the key policy, IAM policies and grants together (K41). A
// denial is an AccessDeniedException that carries its Decision.
func (s *Service) authorize(c *call, a keyAuth) error {
	t := a.target
	req := iamsim.Request{
		Action: a.action, Resource: t.arn, ResourceAccount: t.account, Region: c.region,
		Rule: policy.KeyRule, Grant: a.grant, Context: s.keyContext(c, &a),
	}
	if t.key != nil {
		req.ResourcePolicies = t.key.policies
		req.AWSManaged = t.key.Manager == managerAWS
		if req.Grant == nil {
			req.Grant = s.grantFor(c.caller, t.key.keyRef, strings.TrimPrefix(a.action, "kms:"), a.encCtx)
		}
	}
	d, err := s.cfg.IAM.Authorize(c.ctx, c.caller, &req)
	if err != nil {
		return err
	}
	if d.Permitted() && t.key != nil {
		return nil
	}
	return denied(c, t, d)
}

// keyContext fills in the condition keys of operations on keys (K44). Every decision
// gets its own map, because Authorize adds the global keys to it.
func (s *Service) keyContext(c *call, a *keyAuth) policy.Context {
	var fixed policy.Context
	if a.target.key != nil {
		fixed = a.target.key.context
	}
	ctx := make(policy.Context, len(fixed)+len(a.encCtx)+8)
	maps.Copy(ctx, fixed)
	callerContext(c, ctx)
	if a.target.alias != "" {
		ctx.Set("kms:RequestAlias", a.target.alias)
	}
	if a.algorithm != "" {
		ctx.Set("kms:EncryptionAlgorithm", a.algorithm)
	}
	contextKeys(ctx, a.encCtx)
	if a.more != nil {
		a.more(ctx)
	}
	return ctx
}

// callerContext sets what every KMS operation knows of its caller (K45).
func callerContext(c *call, ctx policy.Context) {
	ctx.Set("kms:CallerAccount", c.caller.Account())
	if via := c.caller.Via; len(via) > 0 {
		ctx.Set("kms:ViaService", via[len(via)-1])
	}
}

// contextKeys sets the condition keys of an encryption context (K46).
func contextKeys(ctx policy.Context, encCtx map[string]string) {
	if len(encCtx) == 0 {
		return
	}
	names := make([]string, 0, len(encCtx))
	for k, v := range encCtx {
		names = append(names, k)
		ctx.Set("kms:EncryptionContext:"+k, v)
	}
	slices.Sort(names)
	ctx.Set("kms:EncryptionContextKeys", names...)
}

// authorizeIAM decides an operation that only IAM policies control: on "*" or on an
// alias, in the caller's own account (K42).
func (s *Service) authorizeIAM(c *call, action, resource string, more func(policy.Context)) (*policy.Decision, error) {
	ctx := policy.Context{}
	callerContext(c, ctx)
	if more != nil {
		more(ctx)
	}
	d, err := s.cfg.IAM.Authorize(c.ctx, c.caller, &iamsim.Request{
		Action: action, Resource: resource, ResourceAccount: c.caller.Account(), Region: c.region, Context: ctx,
	})
	if err != nil || d.Permitted() {
		return d, err
	}
	return d, deniedText(d, d.Message())
}

// denied words a denial on a key. To a caller outside the owner's account, or whose
// ciphertext names a key that is not there, it does not tell whether the key exists
// unless it is the caller's own side that refuses (K43).
func denied(c *call, t *target, d *policy.Decision) *failure.Error {
	own := t.account == c.caller.Account()
	if own && t.key != nil {
		return deniedText(d, d.Message())
	}
	what := "on this resource "
	if t.implied {
		what = "on the resource associated with this ciphertext "
	}
	why := hiddenReason
	if by := d.DecidedBy.Type; !d.Permitted() && by != policy.Resource && by != policy.Grant {
		why = d.Reason()
		if !t.implied {
			what = "on resource: " + t.arn + " "
		}
	}
	e := deniedText(d, who(d.Principal)+" is not authorized to perform: "+d.Action+" "+what+why)
	if t.key == nil {
		e.Cause = failure.Newf(notFound, "Key '%s' does not exist", t.arn) // for explanations, never sent
	}
	return e
}

const hiddenReason = "because the resource does not exist in this Region, no resource-based policies allow access, " +
	"or a resource-based policy explicitly denies access"

// hidden is the denial of an operation that never works across accounts (K20).
func (s *Service) hidden(c *call, action string, t *target) error {
	return failure.New(accessDenied, who(c.caller.Principal)+" is not authorized to perform: "+action+" on this resource "+hiddenReason).
		Because(failure.Newf(unsupported, "%s does not work on keys of another account", c.op.Name))
}

func deniedText(d *policy.Decision, text string) *failure.Error {
	e := failure.New(accessDenied, text)
	e.Decision = d
	return e
}

func who(p policy.Principal) string {
	if p.ARN == "" {
		return "User: anonymous"
	}
	return "User: " + p.ARN
}
