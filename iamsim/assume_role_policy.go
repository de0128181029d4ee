package iamsim

import (
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// authorizeAssume decides the action itself, and what else the session needs (I30).
func (s *Service) authorizeAssume(c *call, role *entity, in *assumeRequest) error {
	trust, err := s.trustSource(role)
	if err != nil {
		return err
	}
	keys := in.conditionKeys(c, role)
	for _, action := range in.actions(c) {
		d, err := s.Authorize(c.ctx, &c.caller, &Request{
			Action: action, Resource: role.arn, ResourceAccount: role.Account, Region: c.region,
			Rule: policy.TrustRule, ResourcePolicies: []policy.Source{trust}, Context: keys,
		})
		if err != nil {
			return err
		}
		if !d.Permitted() {
			return notAuthorized(c, in, action, d)
		}
	}
	return nil
}

// actions are what the trust policy, and where it only delegates the caller's policies,
// must allow. What a chain of sessions hands on needs the same rights as what is passed anew.
func (in *assumeRequest) actions(c *call) []string {
	from := c.caller.Session
	actions := []string{in.action}
	if len(in.tags) > 0 || from != nil && len(from.TransitiveTags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.sourceIdentity != "" || from != nil && from.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	return actions
}

// conditionKeys are the keys of the request beside the global ones (I39).
func (in *assumeRequest) conditionKeys(c *call, role *entity) policy.Context {
	keys := tagKeysOf(role.Tags)
	requestTags(keys, in.tags)
	source := in.sourceIdentity
	if from := c.caller.Session; source == "" && from != nil {
		source = from.SourceIdentity
	}
	for key, value := range map[string]string{
		"sts:rolesessionname": in.sessionName, "sts:externalid": in.externalID,
		"sts:sourceidentity": source, "aws:federatedprovider": in.provider,
	} {
		if value != "" {
			keys[key] = []string{value}
		}
	}
	if len(in.transitive) > 0 {
		keys["sts:transitivetagkeys"] = in.transitive
	}
	for key, values := range in.claims {
		keys[key] = values
	}
	return keys
}

// requestTags sets the keys of tags that a request passes.
func requestTags(keys policy.Context, tags []tag) {
	names := make([]string, 0, len(tags))
	for _, t := range tags {
		keys["aws:requesttag/"+strings.ToLower(t.Key)] = []string{t.Value}
		names = append(names, t.Key)
	}
	if len(names) > 0 {
		keys["aws:tagkeys"] = names
	}
}

// notAuthorized is STS's denial: without the tail that names a policy (I27), and without
// a name for callers that AWS does not know.
func notAuthorized(c *call, in *assumeRequest, action string, d *policy.Decision) error {
	e := failure.Newf("AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", c.caller.Principal.ARN, action, in.roleARN)
	if in.provider != "" {
		e.Message = "Not authorized to perform " + action
	}
	if d != nil {
		e.Decision = d
	}
	return e
}

// roleMissing is the denial for a role that does not exist.
func (s *Service) roleMissing(c *call, in *assumeRequest) error {
	d, err := s.denyMissingRole(&c.caller, &Request{Action: in.action, Resource: in.roleARN, Region: c.region})
	if err != nil {
		return err
	}
	return notAuthorized(c, in, in.action, d)
}
