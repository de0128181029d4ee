package kmsapi

import (
	"regexp"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type putKeyPolicyInput struct {
	KeyID                          *string `json:"KeyId"`
	PolicyName                     *string `json:"PolicyName"`
	Policy                         *string `json:"Policy"`
	BypassPolicyLockoutSafetyCheck *bool   `json:"BypassPolicyLockoutSafetyCheck"`
}

var policyNamePattern = regexp.MustCompile(`^[\w]+$`)

func (v *violations) policyName(name *string) {
	v.text("policyName", name, 1, 128)
	v.pattern("policyName", name, policyNamePattern)
}

func (in *putKeyPolicyInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.policyName(in.PolicyName)
	if v.required("policy", in.Policy != nil) {
		v.policy(in.Policy)
	}
}

// checkPolicyName: a key has one policy, and its name is default (K60).
func checkPolicyName(name *string) error {
	if name != nil && *name != policyName {
		return failure.New(notFound, "No such policy exists")
	}
	return nil
}

// putKeyPolicy implements PutKeyPolicy. It works in every key state (K32).
func (s *Service) putKeyPolicy(c *call, in *putKeyPolicyInput) (none, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return none{}, err
	}
	bypass := func(ctx policy.Context) { bypassKey(ctx, in.BypassPolicyLockoutSafetyCheck) }
	if err := s.authorize(c, keyAuth{action: "kms:PutKeyPolicy", target: t, more: bypass}); err != nil {
		return none{}, err
	}
	if err := checkPolicyName(in.PolicyName); err != nil {
		return none{}, err
	}
	// The lockout check asks for a plain later call, with this key's own properties.
	later := s.keyContext(c, &keyAuth{target: t})
	pins, err := s.newPolicy(c, t.key.keyRef, *in.Policy, value(in.BypassPolicyLockoutSafetyCheck), later)
	if err != nil {
		return none{}, err
	}
	_, err = s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		r.Policy, r.Pins = *in.Policy, pins
		return nil
	})
	return none{}, err
}
