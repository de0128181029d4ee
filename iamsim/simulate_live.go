package iamsim

import (
	"maps"
	"slices"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// LiveCaller is the caller that a principal's name stands for (see
// [policy.ParsePrincipal]), without credentials. Users and roles must live: else the
// error is a *failure.Error with code NoSuchEntity. For a text that is no principal it
// is a plain error.
func (s *Service) LiveCaller(text string) (Caller, error) {
	p, err := policy.ParsePrincipal(text)
	if err != nil {
		return Caller{}, err
	}
	c := Caller{Principal: p, UserID: p.UniqueID, foreseen: true}
	var kind entityKind
	switch p.Type {
	case policy.User:
		kind = userKind
	case policy.AssumedRole:
		kind = roleKind
	default:
		return c, nil
	}
	name := p.ARN[strings.LastIndexByte(p.ARN, '/')+1:]
	if kind == roleKind {
		name = p.RoleARN[strings.LastIndexByte(p.RoleARN, '/')+1:]
	}
	var e *entity
	err = s.view(func(im *image) (err error) {
		e, err = im.find(kind, p.Account, name)
		return err
	})
	if err != nil {
		return Caller{}, err
	}
	if given := text; strings.HasPrefix(given, "arn:aws:iam:") && given != e.arn {
		return Caller{}, failure.Newf("NoSuchEntity", "The %s %s has another path: %s.", kind, e.Name, e.arn)
	}
	c.Principal.UniqueID, c.UserID = e.ID, e.ID
	if kind == userKind {
		c.UserName = e.Name
		return c, nil
	}
	session := p.ARN[strings.LastIndexByte(p.ARN, '/')+1:]
	c.Principal.RoleARN, c.UserID = e.arn, e.ID+":"+session
	c.Session = &Session{Name: session, Issued: s.cfg.Clock.Now()}
	return c, nil
}

// SimulateLive decides what caller's request would meet now: ask is the request as a
// service would put it, with the resource's policies. Policies in sim are added to the
// caller's identity policies and replace its boundary, session, organization and resource
// policies; context keys in sim win. Nothing is recorded. Errors are *policy.TextError.
func (s *Service) SimulateLive(caller *Caller, ask *Request, sim *policy.Simulation) (*policy.SimulationResult, error) {
	given, err := sim.Input()
	if err != nil {
		return nil, err
	}
	if err := s.trustOf(ask); err != nil {
		return nil, err
	}
	d := &policy.Input{}
	if err := s.fill(d, caller, ask); err != nil {
		return nil, err
	}
	d.Identity = slices.Concat(d.Identity, given.Identity)
	if len(given.Boundary) > 0 {
		d.Boundary = given.Boundary
	}
	if given.HasSession {
		d.Session, d.HasSession = given.Session, true
	}
	if len(given.Resources) > 0 {
		d.Resources, d.Rule, d.RestrictPublic = given.Resources, given.Rule, false
	}
	if given.SCP != nil {
		d.SCP = given.SCP
	}
	if given.RCP != nil {
		d.RCP = given.RCP
	}
	for key, values := range sim.Context {
		d.Context.Set(key, values...)
	}
	return policy.Result(d), nil
}

// trustOf adds the trust policy of the role that a simulated AssumeRole is about.
func (s *Service) trustOf(ask *Request) error {
	if !strings.HasPrefix(ask.Action, "sts:") {
		return nil
	}
	s.mu.RLock()
	role := s.image.entityByARN(ask.Resource)
	s.mu.RUnlock()
	if role == nil || role.Kind != roleKind {
		return nil
	}
	trust, err := s.trustSource(role)
	if err != nil {
		return err
	}
	ask.ResourceAccount, ask.Rule, ask.ResourcePolicies = role.Account, policy.TrustRule, []policy.Source{trust}
	ask.Context = maps.Clone(ask.Context)
	if ask.Context == nil {
		ask.Context = policy.Context{}
	}
	resourceTags(ask.Context, role.Tags)
	return nil
}

// PlainRequest is a request on a resource that no service knows more about: its ARN
// says who owns it, or else the caller does.
func PlainRequest(caller *Caller, action, resource string) Request {
	owner := caller.Account()
	if a, err := arn.Parse(resource); err == nil && arn.IsAccount(a.Account) {
		owner = a.Account
	}
	return Request{Action: action, Resource: resource, ResourceAccount: owner}
}
