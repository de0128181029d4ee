package iamsim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/internal/jwt"
)

type webIdentityResult struct {
	Credentials                 credentialsShape
	SubjectFromWebIdentityToken string
	AssumedRoleUser             assumedRoleUser
	PackedPolicySize            *int
	Provider                    string
	Audience                    string
	SourceIdentity              string
}

// assumeRoleWithWebIdentity needs no signature: the token is the proof (I59). The
// provider is that of the role's account, the trust policy alone decides.
func assumeRoleWithWebIdentity(s *Service, c *call) (any, error) {
	in := c.form.roleRequest("sts:AssumeRoleWithWebIdentity")
	text := c.form.text("WebIdentityToken", 4, jwt.MaxLength)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if c.form.has("ProviderId") {
		return nil, failure.New("NotImplemented", "AssumeRoleWithWebIdentity with ProviderId is not supported by Twinbucket: only OpenID Connect ID tokens are.")
	}
	role, _ := arn.Parse(in.roleARN) // roleRequest has looked at it
	c.target = target{arn: in.roleARN, text: in.roleARN, account: role.Account}
	id, err := s.identify(text, role.Account)
	if err != nil {
		return nil, err
	}
	if err := id.into(in); err != nil {
		return nil, err
	}
	c.caller.Principal = policy.Principal{Type: policy.WebIdentity, ARN: id.provider.arn}
	c.caller.UserID = id.provider.arn + ":" + id.audience + ":" + id.subject
	ses, packed, err := s.assume(c, in)
	if err != nil {
		return nil, err
	}
	return &webIdentityResult{
		Credentials:                 ses.credentials(),
		SubjectFromWebIdentityToken: id.subject,
		AssumedRoleUser:             assumedRoleUser{ses.UserID, ses.Principal.ARN},
		PackedPolicySize:            packed,
		Provider:                    id.issuer,
		Audience:                    id.audience,
		SourceIdentity:              ses.SourceIdentity,
	}, nil
}

// webIdentity is what a verified token says.
type webIdentity struct {
	token    *jwt.Token
	provider *oidcProvider
	issuer   string
	subject  string
	audience string // the client id of the provider that the token is meant for
}

func invalidIdentity(format string, args ...any) error {
	return failure.Newf("InvalidIdentityToken", format, args...)
}

// identify verifies a token against the providers of an account and the keys of their
// issuers (I59).
func (s *Service) identify(text, account string) (*webIdentity, error) {
	token, err := jwt.Parse(text)
	if err != nil {
		return nil, because(invalidIdentity("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"), err)
	}
	id := &webIdentity{token: token, issuer: token.Text("iss"), subject: token.Text("sub")}
	url, ok := strings.CutPrefix(id.issuer, "https://")
	if !ok {
		return nil, invalidIdentity("Issuer must be a valid URL")
	}
	_ = s.view(func(im *image) error {
		id.provider = im.issuers[nameKey(account, strings.TrimSuffix(url, "/"))]
		return nil
	})
	if id.provider == nil {
		return nil, invalidIdentity("No OpenIDConnect provider found in your account for %s", id.issuer)
	}
	switch err := token.Verify(s.issuerKeys[strings.TrimSuffix(id.issuer, "/")]); {
	case errors.Is(err, jwt.ErrSignature):
		return nil, because(invalidIdentity("The ID Token's signature is invalid"), err)
	case err != nil:
		return nil, because(invalidIdentity("Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"), err)
	}
	return id, id.check(s.transportTime())
}

func because(err error, cause error) error { return failure.Of(err).Because(cause) }

// earlyToken is how far the issuer's clock may be ahead (assumed).
const earlyToken = 5 * time.Minute

// check looks at the claims that say whether the token counts here and now. Tokens are
// made with real clocks, so now is real time.
func (id *webIdentity) check(now time.Time) error {
	audiences := id.token.Texts("azp")
	if len(audiences) == 0 {
		audiences = id.token.Texts("aud")
	}
	ends, ok := id.token.Time("exp")
	for _, claim := range [...]struct {
		name    string
		missing bool
	}{{"sub", id.subject == ""}, {"aud", len(audiences) == 0}, {"exp", !ok}} {
		if claim.missing {
			return invalidIdentity("Missing a required claim: %s", claim.name)
		}
	}
	if !now.Before(ends) {
		return failure.Newf("ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), ends.Unix())
	}
	for _, name := range [...]string{"iat", "nbf"} {
		if starts, ok := id.token.Time(name); ok && starts.After(now.Add(earlyToken)) {
			return invalidIdentity("The ID Token is not valid yet: %s is %d, and it is %d", name, starts.Unix(), now.Unix())
		}
	}
	i := slices.IndexFunc(audiences, func(a string) bool { return slices.Contains(id.provider.ClientIDs, a) })
	if i < 0 {
		return invalidIdentity("Incorrect token audience")
	}
	id.audience = audiences[i]
	return nil
}

// Claims with a meaning for sessions (I60).
const (
	tagsClaim           = "https://aws.amazon.com/tags"
	sourceIdentityClaim = "https://aws.amazon.com/source_identity"
)

// into adds to a request what the token says.
func (id *webIdentity) into(in *assumeRequest) error {
	in.provider = id.provider.arn
	in.claims = id.conditionKeys()
	in.sourceIdentity = id.token.Text(sourceIdentityClaim)
	var passed struct {
		Tags       map[string][]string `json:"principal_tags"`
		Transitive []string            `json:"transitive_tag_keys"`
	}
	if !id.token.Claim(tagsClaim, &passed) {
		return nil
	}
	f := &form{sts: true}
	for key, values := range passed.Tags {
		if len(values) != 1 {
			return failure.Newf("IDPRejectedClaim", "The principal tag %s must have one value", key)
		}
		in.tags = append(in.tags, tag{key, values[0]})
	}
	slices.SortFunc(in.tags, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	f.checkTags(in.tags, strings.ToLower)
	in.transitive = passed.Transitive
	f.checkTransitive(in)
	return f.err()
}

// conditionKeys are the claims that policies can ask for (I59).
func (id *webIdentity) conditionKeys() map[string][]string {
	prefix := strings.ToLower(id.provider.URL) + ":"
	keys := map[string][]string{prefix + "aud": {id.audience}, prefix + "sub": {id.subject}}
	if amr := id.token.Texts("amr"); len(amr) > 0 {
		keys[prefix+"amr"] = amr
	}
	if id.token.Text("azp") != "" {
		keys[prefix+"oaud"] = id.token.Texts("aud")
	}
	for _, name := range providerClaims(id.provider.URL) {
		if v := id.token.Text(name); v != "" {
			keys[prefix+name] = []string{v}
		}
	}
	return keys
}

// providerClaims are the further claims that AWS makes condition keys of, for issuers it
// knows (I59).
func providerClaims(url string) []string {
	if url == "token.actions.githubusercontent.com" || strings.HasPrefix(url, "token.actions.githubusercontent.com/") {
		return []string{
			"actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository",
			"repository_id", "repository_owner_id", "workflow",
		}
	}
	return nil
}

// parseIssuers reads the keys of the configured issuers, by issuer URL.
func parseIssuers(issuers map[string][]byte) (map[string]jwt.Keys, error) {
	out := map[string]jwt.Keys{}
	for url, b := range issuers {
		if !strings.HasPrefix(url, "https://") {
			return nil, fmt.Errorf("OpenID Connect issuer %q: it must begin with https://", url)
		}
		keys, err := jwt.ParseKeys(b)
		if err != nil {
			return nil, fmt.Errorf("OpenID Connect issuer %q: %w", url, err)
		}
		out[strings.TrimSuffix(url, "/")] = keys
	}
	return out, nil
}
