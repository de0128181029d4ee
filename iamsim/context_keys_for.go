package iamsim

import "twinbucket/iamsim/policy"

type contextKeysResult struct{ ContextKeyNames []string }

// getContextKeysForCustomPolicy lists the condition keys that documents ask for (P89).
func getContextKeysForCustomPolicy(_ *Service, c *call) (any, error) {
	sources := c.form.policyInputs("PolicyInputList", policy.Identity)
	if len(sources) == 0 && !c.form.has("PolicyInputList.member.1") {
		c.form.missing("PolicyInputList")
	}
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return contextKeysOf(sources), nil
}

// getContextKeysForPrincipalPolicy adds the policies of a user, group or role.
func getContextKeysForPrincipalPolicy(s *Service, c *call) (any, error) {
	source := c.form.text("PolicySourceArn", 20, 2048)
	sources := c.form.policyInputs("PolicyInputList", policy.Identity)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	e, err := s.policySource(c, source)
	if err != nil {
		return nil, err
	}
	eff, err := s.effectiveOf(e.ID)
	if err != nil {
		return nil, err
	}
	if eff != nil {
		sources = append(sources, eff.identity...)
	}
	return contextKeysOf(sources), nil
}

func contextKeysOf(sources []policy.Source) *contextKeysResult {
	docs := make([]*policy.Document, 0, len(sources))
	for _, src := range sources {
		docs = append(docs, src.Doc)
	}
	return &contextKeysResult{policy.ContextKeys(docs...)}
}
