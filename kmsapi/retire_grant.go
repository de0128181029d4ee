package kmsapi

import (
	"slices"
	"strings"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type retireGrantInput struct {
	GrantToken *string `json:"GrantToken"`
	KeyID      *string `json:"KeyId"`
	GrantID    *string `json:"GrantId"`
	DryRun     *bool   `json:"DryRun"`
}

func (in *retireGrantInput) constraints(v *violations) {
	v.text("grantToken", in.GrantToken, 1, 8192)
	v.text("keyId", in.KeyID, 1, 2048)
	v.text("grantId", in.GrantID, 1, 128)
}

// retireGrant implements RetireGrant: the grant itself says who may retire it (K69).
func (s *Service) retireGrant(c *call, in *retireGrantInput) (none, error) {
	t, id, err := s.retired(c, in)
	if err != nil {
		return none{}, err
	}
	var g *grant
	if t.key != nil {
		g = s.grant(t.key.keyRef, id)
	}
	if g == nil && t.account == c.caller.Account() {
		return none{}, errGrantGone(id)
	}
	if err := s.authorizeRetire(c, t, g); err != nil {
		return none{}, err
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return none{}, err
	}
	return none{}, s.deleteGrant(c, g)
}

// retired is the key and the grant id that the request names: by token, or by key
// ARN and grant id.
func (s *Service) retired(c *call, in *retireGrantInput) (*target, string, error) {
	switch {
	case in.GrantToken != nil && in.KeyID == nil && in.GrantID == nil:
		token, err := parseGrantToken(*in.GrantToken)
		if err != nil {
			return nil, "", err
		}
		t, err := s.resolve(c, token.Key.arn(), keyOnly)
		return t, token.Grant, err
	case in.GrantToken == nil && in.KeyID != nil && in.GrantID != nil:
		if !strings.HasPrefix(*in.KeyID, "arn:") {
			return nil, "", failure.New(notFound, "Invalid arn "+*in.KeyID) // K24
		}
		t, err := s.resolve(c, *in.KeyID, keyOnly)
		return t, *in.GrantID, err
	}
	return nil, "", failure.New(validation, "Please specify either a grant token, or both a key ARN and a grant ID.")
}

// authorizeRetire: the retiring principal and a grantee with the RetireGrant
// operation may retire by the grant alone; others of the issuing account need
// kms:RetireGrant in an IAM policy. A deny anywhere still wins (K69).
func (s *Service) authorizeRetire(c *call, t *target, g *grant) error {
	if g == nil { // a foreign key or grant that is not there
		return s.authorize(c, keyAuth{action: "kms:RetireGrant", target: &target{arn: t.arn, account: t.account}})
	}
	p := &c.caller.Principal
	retiring, session := isPrincipal(p, g.Retiring, g.RetiringPin)
	if !retiring && slices.Contains(g.Operations, "RetireGrant") {
		retiring, session = isPrincipal(p, g.Grantee, g.GranteePin)
	}
	if retiring {
		return s.authorize(c, keyAuth{
			action: "kms:RetireGrant", target: t, grant: &policy.GrantMatch{ID: g.ID, Owner: g.Key.Account, Session: session},
		})
	}
	if c.caller.Account() != g.IssuingAccount {
		return s.authorize(c, keyAuth{action: "kms:RetireGrant", target: &target{arn: t.arn, account: t.account}})
	}
	d, err := s.cfg.IAM.Authorize(c.ctx, c.caller, &iamsim.Request{
		Action: "kms:RetireGrant", Resource: t.arn, ResourceAccount: g.IssuingAccount, Region: c.region,
		Context: s.keyContext(c, &keyAuth{target: t}), ResourcePolicies: t.key.policies,
	})
	if err != nil || d.Permitted() {
		return err
	}
	return denied(c, t, d)
}
