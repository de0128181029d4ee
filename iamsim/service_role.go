package iamsim

import (
	"context"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// serviceSessionLife is how long a service's session of a role lasts. Nothing checks
// it here: no credentials are handed out, and services assume the role anew.
const serviceSessionLife = time.Hour

// ServiceRole asks for a role on behalf of an AWS service.
type ServiceRole struct {
	Service       string // "s3.amazonaws.com"
	RoleARN       string
	SessionName   string // "s3-replication"
	Region        string
	SourceARN     string // aws:SourceArn
	SourceAccount string // aws:SourceAccount
	// Foresee asks what would happen: no trail event is left, and a session of a role
	// that exists is returned beside the denial, so that its permissions can be looked at.
	Foresee bool
	// Observe is called for the AssumeRole decision and stays on the returned Caller.
	Observe func(*policy.Decision)
}

// AssumeServiceRole is AssumeRole called by a service principal: same checks, same
// trail event (I33). A denial is a *failure.Error with code AccessDenied and its
// Decision; a role that does not exist is denied too, as for every caller.
//
// The session writes nothing to the store, because it has no credentials: the
// Caller is all there is.
func (s *Service) AssumeServiceRole(ctx context.Context, req ServiceRole) (Caller, error) {
	started := s.transportTime()
	now := s.cfg.Clock.Now()
	var needed Permissions
	session, err := s.assumeServiceRole(ctx, req, &needed, now)
	if req.Foresee {
		return session, err
	}
	s.recordServiceRole(req, &session, needed, now, s.transportTime().Sub(started), err)
	return session, err
}

func (s *Service) assumeServiceRole(ctx context.Context, req ServiceRole, needed *Permissions, now time.Time) (Caller, error) {
	service := Caller{
		Principal: policy.Principal{Type: policy.Service, ARN: req.Service},
		Source:    Source{UserAgent: req.Service},
		observe:   req.Observe,
		foreseen:  req.Foresee,
	}.Observed(needed.Observe)
	ask := &Request{Action: "sts:AssumeRole", Resource: req.RoleARN, Region: req.Region, Context: serviceKeys(req)}
	s.mu.RLock()
	role := s.image.entityByARN(req.RoleARN)
	s.mu.RUnlock()
	if role == nil || role.Kind != roleKind {
		return Caller{}, s.missingRole(&service, ask)
	}
	trust, err := s.trustSource(role)
	if err != nil {
		return Caller{}, err
	}
	resourceTags(ask.Context, role.Tags)
	ask.ResourceAccount, ask.Rule, ask.ResourcePolicies = role.Account, policy.TrustRule, []policy.Source{trust}
	decision, err := s.Authorize(ctx, &service, ask)
	if err != nil {
		return Caller{}, err
	}
	session := roleCaller(role, req.SessionName)
	session.Session = &Session{Name: req.SessionName, Issued: now, Expires: now.Add(serviceSessionLife), InvokedBy: req.Service}
	session.Source = service.Source
	session.observe, session.foreseen = req.Observe, req.Foresee
	if decision.Permitted() {
		return session, nil
	}
	denial := &failure.Error{Code: "AccessDenied", Message: decision.Message(), Decision: decision}
	if req.Foresee {
		return session, denial
	}
	return Caller{}, denial
}

// serviceKeys are the condition keys of a service that assumes a role (I33).
func serviceKeys(req ServiceRole) policy.Context {
	keys := policy.Context{"sts:rolesessionname": {req.SessionName}}
	if req.SourceARN != "" {
		keys["aws:sourcearn"] = []string{req.SourceARN}
	}
	if req.SourceAccount != "" {
		keys["aws:sourceaccount"] = []string{req.SourceAccount}
	}
	return keys
}

// missingRole is the denial for a role that does not exist.
func (s *Service) missingRole(service *Caller, req *Request) error {
	d, err := s.denyMissingRole(service, req)
	if err != nil {
		return err
	}
	return &failure.Error{
		Code:     "AccessDenied",
		Message:  d.Message() + ": the role " + req.Resource + " does not exist",
		Decision: d,
	}
}

// roleCaller is a session of role without anything that its credentials carry.
func roleCaller(role *entity, sessionName string) Caller {
	return Caller{
		Principal: policy.Principal{
			Type:     policy.AssumedRole,
			Account:  role.Account,
			ARN:      "arn:aws:sts::" + role.Account + ":assumed-role/" + role.Name + "/" + sessionName,
			RoleARN:  role.arn,
			UniqueID: role.ID,
		},
		UserID: role.ID + ":" + sessionName,
	}
}
