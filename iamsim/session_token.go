package iamsim

import (
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// Lives of GetSessionToken and GetFederationToken credentials in seconds (I34). A root's
// last an hour at most.
const (
	shortestToken = 900
	longestToken  = 129600
	defaultToken  = 43200
	rootToken     = 3600
)

type sessionTokenResult struct{ Credentials credentialsShape }

// tokenLife reads DurationSeconds of the two Get…Token operations.
func tokenLife(c *call) time.Duration {
	seconds := c.form.integer("DurationSeconds", shortestToken, longestToken, defaultToken)
	if c.caller.Principal.Type == policy.Account {
		seconds = min(seconds, rootToken)
	}
	return time.Duration(seconds) * time.Second
}

// getSessionToken needs no permission (I34).
func getSessionToken(s *Service, c *call) (any, error) {
	life := tokenLife(c)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if c.caller.Session != nil {
		return nil, failure.New("AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	ses := &session{Principal: c.caller.Principal, UserName: c.caller.UserName, UserID: c.caller.UserID}
	if err := s.begin(c, ses, life, nil); err != nil {
		return nil, err
	}
	return &sessionTokenResult{ses.credentials()}, nil
}

type federatedUser struct {
	FederatedUserId string
	Arn             string
}

type federationTokenResult struct {
	Credentials      credentialsShape
	FederatedUser    federatedUser
	PackedPolicySize int
}

func federatedARN(account, name string) string {
	return "arn:aws:sts::" + account + ":federated-user/" + name
}

// getFederationToken gives the caller's rights, limited by the session policies; without
// session policies the credentials may do nothing of their own (I35).
func getFederationToken(s *Service, c *call) (any, error) {
	name := c.form.word("Name", 2, 32, "_+=,.@-", `[\w+=,.@-]*`, true)
	in, life := c.form.sessionPolicies(), tokenLife(c)
	in.tags = c.form.tags()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if c.caller.Session != nil {
		return nil, failure.New("AccessDenied", "Cannot call GetFederationToken with session credentials")
	}
	if len(in.tags) > 0 {
		if err := s.require(c, "sts:TagSession", c.target, c.conditionKeys()); err != nil {
			return nil, err
		}
	}
	user := c.caller.Principal
	ses := &session{
		Principal: policy.Principal{
			Type: policy.FederatedUser, Account: user.Account, ARN: federatedARN(user.Account, name),
			UserARN: user.ARN, UniqueID: user.UniqueID,
		},
		UserID: user.Account + ":" + name, Name: name,
	}
	packed, err := s.applyInput(user.Account, ses, &in)
	if err != nil {
		return nil, err
	}
	if err := s.begin(c, ses, life, nil); err != nil {
		return nil, err
	}
	out := &federationTokenResult{Credentials: ses.credentials(), FederatedUser: federatedUser{ses.UserID, ses.Principal.ARN}}
	if packed != nil {
		out.PackedPolicySize = *packed
	}
	return out, nil
}
