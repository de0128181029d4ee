package iamsim

import (
	"context"

	"twinbucket/iamsim/policy"
)

// Authorize decides req for caller and shows the decision to the caller's observers.
// A denial is a Decision, not an error; errors are failures of the store. Callers go by
// [policy.Decision.Permitted], because a denial need not be enforced.
//
// req is read only: the decision's Context is a new map with the global condition
// keys beside those of req.Context.
func (s *Service) Authorize(ctx context.Context, caller *Caller, req *Request) (*policy.Decision, error) {
	if s.cfg.Enforce == Off && !alwaysEnforced(caller, req) {
		d := unasked(caller, req)
		if caller.observe != nil {
			caller.observe(d)
		}
		return d, nil
	}
	d, err := s.decide(caller, req)
	if err != nil {
		return nil, err
	}
	if s.cfg.Enforce == Soft && !d.Allowed() && !req.Optional && !alwaysEnforced(caller, req) {
		s.soften(ctx, caller, d)
	}
	if caller.observe != nil && !(req.Optional && !d.Allowed()) {
		caller.observe(d)
	}
	return d, nil
}

func (s *Service) decide(caller *Caller, req *Request) (*policy.Decision, error) {
	var in policy.Input
	if err := s.fill(&in, caller, req); err != nil {
		return nil, err
	}
	return policy.Evaluate(&in), nil
}

// fill makes in everything that the decision is made from.
func (s *Service) fill(in *policy.Input, caller *Caller, req *Request) error {
	eff, err := s.effectiveFor(caller)
	if err != nil {
		return err
	}
	*in = policy.Input{
		Principal:       caller.Principal,
		Action:          req.Action,
		Resource:        req.Resource,
		ResourceAccount: req.ResourceAccount,
		Context:         requestContext(s.cfg.Clock.Now(), caller, eff, req),
		Rule:            req.Rule,
		Resources:       req.ResourcePolicies,
		Grant:           req.Grant,
		RestrictPublic:  req.RestrictPublic,
	}
	if eff != nil {
		in.Identity, in.Boundary = eff.identity, eff.boundary
	}
	s.mu.RLock()
	org := s.image.organization
	s.mu.RUnlock()
	if org != nil {
		org.govern(in, req)
	}
	if caller.Session != nil {
		in.Session, in.HasSession = caller.Session.Policies, caller.Session.HasPolicies
	}
	return nil
}

// denyMissingRole is the decision on assuming a role that does not exist: there is no
// trust policy, and the near miss says why.
func (s *Service) denyMissingRole(caller *Caller, req *Request) (*policy.Decision, error) {
	_, account, name, _ := splitEntityARN(req.Resource)
	req.ResourceAccount, req.Rule, req.ResourcePolicies = account, policy.TrustRule, nil
	d, err := s.decide(caller, req)
	if err != nil {
		return nil, err
	}
	d.NearMisses = append(d.NearMisses, policy.NearMiss{
		Policy: "trust policy of " + req.Resource, Type: policy.Trust, FailedOn: "resource",
		Expected: "an existing role", Got: req.Resource,
		Hint: "the role " + name + " does not exist in account " + account,
	})
	if caller.observe != nil {
		caller.observe(d)
	}
	return d, nil
}

// effectiveFor returns the policies of the caller's own account that speak for it: nil
// for roots, services, anonymous callers, and users and roles that were deleted.
func (s *Service) effectiveFor(caller *Caller) (*effective, error) {
	switch p := &caller.Principal; p.Type {
	case policy.User, policy.AssumedRole:
		return s.effectiveOf(p.UniqueID)
	case policy.FederatedUser:
		if p.UniqueID == "" {
			return s.federatedRoot()
		}
		return s.effectiveOf(p.UniqueID)
	}
	return nil, nil
}

// federatedRoot is what a federated user whom an account's root made has before its
// session policies limit it: everything.
func (s *Service) federatedRoot() (*effective, error) {
	src, err := s.managedSource(policy.Identity, s.aws[awsPolicyPrefix+"AdministratorAccess"])
	if err != nil {
		return nil, err
	}
	return &effective{identity: []policy.Source{src}}, nil
}
