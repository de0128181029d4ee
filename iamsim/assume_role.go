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

// assumeRequest is what the operations that assume a role are asked for.
type assumeRequest struct {
	action         string // "sts:AssumeRole" or "sts:AssumeRoleWithWebIdentity"
	roleARN        string
	sessionName    string
	externalID     string
	sourceIdentity string
	seconds        int // 0: not given
	sessionInput
	transitive []string
	// claims are the condition keys of a web identity, and provider is its ARN.
	claims   map[string][]string
	provider string
}

// roleRequest reads the parameters that all of them have.
func (f *form) roleRequest(action string) *assumeRequest {
	in := &assumeRequest{
		action:       action,
		roleARN:      f.text("RoleArn", 20, 2048),
		sessionName:  f.word("RoleSessionName", 2, 64, "_+=,.@-", `[\w+=,.@-]*`, true),
		seconds:      f.integer("DurationSeconds", 900, maxRoleHours, 0),
		sessionInput: f.sessionPolicies(),
	}
	if _, err := arn.Parse(in.roleARN); err != nil {
		f.reject("ValidationError", "%s is invalid", in.roleARN) // I15
	}
	return in
}

func (f *form) assumeRequest() *assumeRequest {
	in := f.roleRequest("sts:AssumeRole")
	in.externalID = f.word("ExternalId", 2, 1224, "_+=,.@:/-", `[\w+=,.@:\/-]*`, false)
	in.sourceIdentity = f.word("SourceIdentity", 2, 64, "_+=,.@-", `[\w+=,.@-]*`, false)
	in.tags, in.transitive = f.tags(), f.list("TransitiveTagKeys", "")
	f.checkTransitive(in)
	return in
}

// checkTransitive refuses transitive keys that are no tags of the request (I29).
func (f *form) checkTransitive(in *assumeRequest) {
	for _, key := range in.transitive {
		if !slices.ContainsFunc(in.tags, func(t tag) bool { return strings.EqualFold(t.Key, key) }) {
			f.reject("InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")
		}
	}
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
	ses, packed, err := s.assume(c, in)
	if err != nil {
		return nil, err
	}
	return &assumeRoleResult{
		Credentials:      ses.credentials(),
		AssumedRoleUser:  assumedRoleUser{ses.UserID, ses.Principal.ARN},
		PackedPolicySize: packed,
		SourceIdentity:   ses.SourceIdentity,
	}, nil
}

// assume decides whether the caller may assume the role and begins the session. packed
// is what applyInput says.
func (s *Service) assume(c *call, in *assumeRequest) (ses *session, packed *int, err error) {
	s.mu.RLock()
	role := s.image.entityByARN(in.roleARN)
	s.mu.RUnlock()
	if role == nil || role.Kind != roleKind {
		return nil, nil, s.roleMissing(c, in)
	}
	c.target = target{arn: role.arn, text: role.arn, account: role.Account, tags: role.Tags}
	if err := s.authorizeAssume(c, role, in); err != nil {
		return nil, nil, err
	}
	seconds, err := sessionSeconds(c, role, in.seconds)
	if err != nil {
		return nil, nil, err
	}
	ses = assumedSession(c, role, in)
	if packed, err = s.applyInput(role.Account, ses, &in.sessionInput); err != nil {
		return nil, nil, err
	}
	return ses, packed, s.begin(c, ses, time.Duration(seconds)*time.Second, role)
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
		return notAuthorized(c, in, "sts:SetSourceIdentity", nil) // I32
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
		Tags: map[string]string{}, SourceIdentity: in.sourceIdentity, Provider: in.provider, Claims: in.claims,
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
