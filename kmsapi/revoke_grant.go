package kmsapi

import "twinbucket/iamsim/policy"

type revokeGrantInput struct {
	KeyID   *string `json:"KeyId"`
	GrantID *string `json:"GrantId"`
	DryRun  *bool   `json:"DryRun"`
}

func (in *revokeGrantInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("grantId", in.GrantID != nil) {
		v.text("grantId", in.GrantID, 1, 128)
	}
}

// revokeGrant implements RevokeGrant. It works in every key state (K32).
func (s *Service) revokeGrant(c *call, in *revokeGrantInput) (none, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return none{}, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:RevokeGrant", target: t, more: func(ctx policy.Context) { grantForService(c, ctx) }}); err != nil {
		return none{}, err
	}
	g := s.grant(t.key.keyRef, *in.GrantID)
	if g == nil {
		return none{}, errGrantGone(*in.GrantID)
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return none{}, err
	}
	return none{}, s.deleteGrant(c, g)
}
