package iamsim

import (
	"strconv"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// maxSessionPolicy is the size of all session policies together, in characters (I31).
const maxSessionPolicy = 2048

// sessionInput is what AssumeRole and GetFederationToken put into a session.
type sessionInput struct {
	policy string
	arns   []string
	tags   []tag
}

// sessionPolicies reads the policies of a session, not its tags.
func (f *form) sessionPolicies() sessionInput {
	in := sessionInput{policy: f.optional("Policy", 1, maxSessionPolicy), arns: f.list("PolicyArns", ".arn")}
	if len(in.arns) > 10 {
		f.violate("policyArns", strconv.Itoa(len(in.arns)), "have length less than or equal to 10")
	}
	for _, arn := range in.arns {
		f.checkPolicyARN(arn)
	}
	return in
}

// word reads an STS parameter of letters, digits and the characters of more.
func (f *form) word(param string, min, max int, more, pattern string, required bool) string {
	if !required && !f.has(param) {
		return ""
	}
	v := f.text(param, min, max)
	if !allOf(v, more) {
		f.violate(member(param), v, "satisfy regular expression pattern: "+pattern)
	}
	return v
}

// applyInput copies session policies and tags into ses. packed is the share of the size
// limit that they take, in percent; nil when there are none (I31).
func (s *Service) applyInput(account string, ses *session, in *sessionInput) (packed *int, err error) {
	size, tagSize := 0, 0
	if in.policy != "" {
		if _, err := policy.ValidateSession(in.policy); err != nil {
			return nil, malformed(err)
		}
		ses.Policies = append(ses.Policies, sessionPolicy{account, "session policy of " + ses.Principal.ARN, in.policy})
		size += len(in.policy)
	}
	err = s.view(func(im *image) error {
		for _, arn := range in.arns {
			p := s.managed(im, arn)
			if p == nil || p.Account != account && p.Account != awsAccount {
				return failure.Newf("MalformedPolicyDocument", "Policy %s does not exist or is not attachable.", arn) // I49
			}
			ses.Policies = append(ses.Policies, sessionPolicy{p.Account, p.arn, p.text()})
			size += sizeOf(p.text())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range in.tags {
		if ses.Tags == nil {
			ses.Tags = map[string]string{}
		}
		ses.Tags[t.Key] = t.Value
		tagSize += len(t.Key) + len(t.Value)
	}
	if size == 0 && len(in.tags) == 0 {
		return nil, nil
	}
	percent := ((size+tagSize)*100 + maxSessionPolicy - 1) / maxSessionPolicy // rounded up
	if percent > 100 {
		if size == 0 {
			return nil, failure.Newf("PackedPolicyTooLarge", "Packed size of session tags consumes %d%% of allotted space.", percent)
		}
		return nil, failure.Newf("PackedPolicyTooLarge", "Packed policy consumes %d%% of allotted space, please use smaller policy.", percent)
	}
	return &percent, nil
}

// begin makes credentials for ses and stores it. role is the assumed role, or nil.
func (s *Service) begin(c *call, ses *session, life time.Duration, role *entity) error {
	ses.AccessKeyID = s.random.keyID(sessionKeyPrefix, ses.Principal.Account)
	ses.Secret, ses.Token = s.random.secret(), s.random.token()
	// Whole seconds: it is what clients are told.
	ses.Issued = c.now.Truncate(time.Second)
	ses.Expires = ses.Issued.Add(life)
	return s.change(c.ctx, func(ch *change) error {
		if role != nil {
			ch.useRole(role, roleUse{c.now, c.region})
		}
		return ch.putSession(ses)
	})
}

func (ses *session) credentials() credentialsShape {
	return credentialsShape{ses.AccessKeyID, ses.Secret, ses.Token, ses.Expires}
}
