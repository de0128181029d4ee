package iamsim

import (
	"context"

	"twinbucket/iamsim/policy"
)

// Authorize decides req for caller and shows the decision to the caller's observers.
// A denial is a Decision, not an error; errors are failures of the store.
//
// req is read only: the decision's Context is a new map with the global condition
// keys beside those of req.Context.
func (s *Service) Authorize(_ context.Context, caller *Caller, req *Request) (*policy.Decision, error) {
	d, err := s.decide(caller, req)
	if err == nil && caller.observe != nil {
		caller.observe(d)
	}
	return d, err
}

func (s *Service) decide(caller *Caller, req *Request) (*policy.Decision, error) {
	eff, err := s.effectiveFor(caller)
	if err != nil {
		return nil, err
	}
	in := policy.Input{
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
	if caller.Session != nil {
		in.Session, in.HasSession = caller.Session.Policies, caller.Session.HasPolicies
	}
	return policy.Evaluate(&in), nil
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
