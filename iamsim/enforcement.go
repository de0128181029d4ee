package iamsim

import (
	"context"
	"fmt"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/trail"
)

// Enforcement says what becomes of a denial. Signatures are verified and sessions
// expire in every mode.
type Enforcement string

const (
	// Strict refuses what the policies deny. It is the default.
	Strict Enforcement = "strict"
	// Soft makes, logs, counts and shows every decision, and lets denied requests proceed.
	Soft Enforcement = "soft"
	// Off asks no policy: whoever has credentials may do everything.
	Off Enforcement = "off"
)

// ParseEnforcement reads "strict", "soft" or "off"; "" is strict.
func ParseEnforcement(text string) (Enforcement, error) {
	switch e := Enforcement(text); e {
	case "":
		return Strict, nil
	case Strict, Soft, Off:
		return e, nil
	}
	return "", fmt.Errorf("enforcement is strict, soft or off, not %q", text)
}

// alwaysEnforced reports whether a denial stands in every mode. An unsigned request
// for what no account owns, such as a new bucket, has nobody to act for.
func alwaysEnforced(caller *Caller, req *Request) bool {
	return caller.Principal.Account == "" && req.ResourceAccount == ""
}

// unasked is the decision of a service that asks no policy.
func unasked(caller *Caller, req *Request) *policy.Decision {
	return &policy.Decision{
		Outcome: policy.Allowed, Principal: caller.Principal, Action: req.Action, Resource: req.Resource,
		ResourceAccount: req.ResourceAccount, DecidedBy: policy.Reference{Type: policy.Unenforced},
		Context: req.Context,
	}
}

// soften lets a denied request proceed and tells of it.
func (s *Service) soften(ctx context.Context, caller *Caller, d *policy.Decision) {
	d.NotEnforced = true
	if caller.foreseen {
		return
	}
	s.cfg.Logger.WarnContext(ctx, "denied, not enforced", "principal", d.Principal.ARN, "action", d.Action,
		"resource", d.Resource, "outcome", d.Outcome, "reason", d.Reason())
	if s.cfg.OnSoftDenial != nil {
		s.cfg.OnSoftDenial(d)
	}
}

// Permissions gathers what one call is authorized for, as its event shows it. Its
// Observe method is meant for [Caller.Observed].
type Permissions []trail.Authorization

// mostPermissions bounds what an event keeps: a call may delete a thousand objects.
const mostPermissions = 100

// Observe adds a decision, unless the same one is there already.
func (p *Permissions) Observe(d *policy.Decision) {
	if len(*p) == mostPermissions {
		return
	}
	a := trail.Authorization{Action: d.Action, Resource: d.Resource, Outcome: string(d.Outcome), NotEnforced: d.NotEnforced}
	for i := range *p {
		if (*p)[i] == a {
			return
		}
	}
	*p = append(*p, a)
}
