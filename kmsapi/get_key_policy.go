package kmsapi

type getKeyPolicyInput struct {
	KeyID      *string `json:"KeyId"`
	PolicyName *string `json:"PolicyName"`
}

func (in *getKeyPolicyInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.policyName(in.PolicyName)
}

type getKeyPolicyOutput struct {
	Policy     string `json:"Policy"`
	PolicyName string `json:"PolicyName"`
}

// getKeyPolicy implements GetKeyPolicy: the text as given, printed as AWS prints it,
// with the unique ids of principals that no longer live (K63, K64).
func (s *Service) getKeyPolicy(c *call, in *getKeyPolicyInput) (*getKeyPolicyOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:GetKeyPolicy", target: t}); err != nil {
		return nil, err
	}
	if err := checkPolicyName(in.PolicyName); err != nil {
		return nil, err
	}
	dead := map[string]string{}
	for arn, id := range t.key.Pins {
		if !s.lives(arn, id) {
			dead[arn] = id
		}
	}
	text, err := printPolicy(t.key.Policy, dead)
	if err != nil {
		return nil, err
	}
	return &getKeyPolicyOutput{Policy: text, PolicyName: policyName}, nil
}

// lives reports whether an ARN still means the entity with this unique id.
func (s *Service) lives(arn, id string) bool {
	now, ok := s.cfg.IAM.PrincipalID(arn)
	return ok && now == id
}

type listKeyPoliciesInput struct {
	KeyID *string `json:"KeyId"`
	paging
}

func (in *listKeyPoliciesInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.paging(in.Limit, in.Marker)
}

type listKeyPoliciesOutput struct {
	PolicyNames []string `json:"PolicyNames"`
	more
}

// listKeyPolicies implements ListKeyPolicies: always the one name.
func (s *Service) listKeyPolicies(c *call, in *listKeyPoliciesInput) (*listKeyPoliciesOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:ListKeyPolicies", target: t}); err != nil {
		return nil, err
	}
	names, rest, err := page(in.paging, 100, 1000, []string{policyName}, func(n string) string { return n })
	if err != nil {
		return nil, err
	}
	return &listKeyPoliciesOutput{PolicyNames: names, more: rest}, nil
}
