package iamsim

import (
	"maps"
	"slices"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// chainedLimit is the longest session of a role that a role session assumes, in seconds (I28).
const chainedLimit = 3600

type assumedRoleUser struct {
	AssumedRoleId string
	Arn           string
}

type assumeRoleResult struct {
	Credentials      credentialsShape
	AssumedRoleUser  assumedRoleUser
	PackedPolicySize *int
	SourceIdentity   string
}

// assumeRequest is the parameters of AssumeRole.
type assumeRequest struct {
	roleARN        string
	sessionName    string
	externalID     string
	sourceIdentity string
	seconds        int // 0: not given
	sessionInput
	transitive []string
}

func (f *form) assumeRequest() *assumeRequest {
	in := &assumeRequest{
		roleARN:        f.text("RoleArn", 20, 2048),
		sessionName:    f.word("RoleSessionName", 2, 64, "_+=,.@-", `[\w+=,.@-]*`, true),
		externalID:     f.word("ExternalId", 2, 1224, "_+=,.@:/-", `[\w+=,.@:\/-]*`, false),
		sourceIdentity: f.word("SourceIdentity", 2, 64, "_+=,.@-", `[\w+=,.@-]*`, false),
		seconds:        f.integer("DurationSeconds", 900, maxRoleHours, 0),
		sessionInput:   f.sessionInput(),
		transitive:     f.list("TransitiveTagKeys", ""),
	}
	if _, err := arn.Parse(in.roleARN); err != nil {
		f.reject("ValidationError", "%s is invalid", in.roleARN) // I15
	}
	for _, key := range in.transitive {
		if !slices.ContainsFunc(in.tags, func(t tag) bool { return strings.EqualFold(t.Key, key) }) {
			f.reject("InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.") // I29
		}
	}
	return in
}

// assumeRole follows I27: the role's trust policy and the caller's policies decide, and
// a role that does not exist is denied like one that may not be assumed.
func assumeRole(s *Service, c *call) (any, error) {
	in := c.form.assumeRequest()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if err := mayChain(c, in); err != nil {
		return nil, err
	}
	s.mu.RLock()
	role := s.image.entityByARN(in.roleARN)
	s.mu.RUnlock()
	if role == nil || role.Kind != roleKind {
		return nil, s.roleMissing(c, in.roleARN)
	}
	c.target = target{arn: role.arn, text: role.arn, account: role.Account, tags: role.Tags}
	if err := s.authorizeAssume(c, role, in); err != nil {
		return nil, err
	}
	seconds, err := sessionSeconds(c, role, in.seconds)
	if err != nil {
		return nil, err
	}
	ses := assumedSession(c, role, in)
	packed, err := s.applyInput(c, role.Account, ses, &in.sessionInput)
	if err != nil {
		return nil, err
	}
	if err := s.begin(c, ses, time.Duration(seconds)*time.Second, role); err != nil {
		return nil, err
	}
	return &assumeRoleResult{
		Credentials:      ses.credentials(),
		AssumedRoleUser:  assumedRoleUser{ses.UserID, ses.Principal.ARN},
		PackedPolicySize: packed,
		SourceIdentity:   ses.SourceIdentity,
	}, nil
}

// mayChain refuses what no policy can allow.
func mayChain(c *call, in *assumeRequest) error {
	switch {
	case c.caller.Principal.Type == policy.Account: // I26
		return failure.New("AccessDenied", "Roles may not be assumed by root accounts.")
	case c.form.has("SerialNumber") || c.form.has("TokenCode"):
		return failure.New("AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	case c.form.has("ProvidedContexts.member.1.ProviderArn"):
		return failure.New("NotImplemented", "AssumeRole with ProvidedContexts is not supported by Twinbucket; see the list of operations.")
	}
	from := c.caller.Session
	if from == nil {
		return nil
	}
	for _, inherited := range from.TransitiveTags { // I29
		if slices.ContainsFunc(in.tags, func(t tag) bool { return strings.EqualFold(t.Key, inherited) }) {
			return failure.New("InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	if from.SourceIdentity != "" && in.sourceIdentity != "" && from.SourceIdentity != in.sourceIdentity {
		return notAuthorized(c, "sts:SetSourceIdentity", in.roleARN, nil) // I32
	}
	return nil
}

// notAuthorized is STS's denial: without the tail that names a policy (I27).
func notAuthorized(c *call, action, roleARN string, d *policy.Decision) error {
	e := failure.Newf("AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", c.caller.Principal.ARN, action, roleARN)
	if d != nil {
		e.Decision = d
	}
	return e
}

// roleMissing is the denial for a role that does not exist.
func (s *Service) roleMissing(c *call, roleARN string) error {
	d, err := s.denyMissingRole(&c.caller, &Request{Action: "sts:AssumeRole", Resource: roleARN, Region: c.region})
	if err != nil {
		return err
	}
	return notAuthorized(c, "sts:AssumeRole", roleARN, d)
}

// authorizeAssume decides sts:AssumeRole, and what else the parameters need (I30).
func (s *Service) authorizeAssume(c *call, role *entity, in *assumeRequest) error {
	trust, err := s.trustSource(role)
	if err != nil {
		return err
	}
	actions := []string{"sts:AssumeRole"}
	if len(in.tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.sourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	keys := c.conditionKeys()
	for key, value := range map[string]string{
		"sts:rolesessionname": in.sessionName, "sts:externalid": in.externalID, "sts:sourceidentity": in.sourceIdentity,
	} {
		if value != "" {
			keys[key] = []string{value}
		}
	}
	if len(in.transitive) > 0 {
		keys["sts:transitivetagkeys"] = in.transitive
	}
	for _, action := range actions {
		d, err := s.Authorize(c.ctx, &c.caller, &Request{
			Action: action, Resource: role.arn, ResourceAccount: role.Account, Region: c.region,
			Rule: policy.TrustRule, ResourcePolicies: []policy.Source{trust}, Context: keys,
		})
		if err != nil {
			return err
		}
		if !d.Allowed() {
			return notAuthorized(c, action, role.arn, d)
		}
	}
	return nil
}

// sessionSeconds is how long the session lasts (I28).
func sessionSeconds(c *call, role *entity, asked int) (int, error) {
	chained := c.caller.Principal.Type == policy.AssumedRole
	switch {
	case asked == 0:
		return defaultRoleHours, nil
	case chained && asked > chainedLimit:
		return 0, failure.New("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case asked > role.MaxSession:
		return 0, failure.New("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return asked, nil
}

// assumedSession is the session with what it inherits from the caller's (I32).
func assumedSession(c *call, role *entity, in *assumeRequest) *session {
	as := roleCaller(role, in.sessionName)
	ses := &session{
		Principal: as.Principal, UserID: as.UserID, Name: in.sessionName,
		Tags: map[string]string{}, SourceIdentity: in.sourceIdentity,
	}
	if from := c.caller.Session; from != nil {
		ses.TransitiveTags = slices.Clone(from.TransitiveTags)
		maps.Copy(ses.Tags, transitiveTags(from))
		if ses.SourceIdentity == "" {
			ses.SourceIdentity = from.SourceIdentity
		}
	}
	ses.TransitiveTags = append(ses.TransitiveTags, in.transitive...)
	return ses
}

// transitiveTags are the tags that a session hands on.
func transitiveTags(from *Session) map[string]string {
	out := map[string]string{}
	for k, v := range from.Tags {
		if slices.ContainsFunc(from.TransitiveTags, func(t string) bool { return strings.EqualFold(t, k) }) {
			out[k] = v
		}
	}
	return out
}
