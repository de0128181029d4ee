package kmsapi

type deleteAliasInput struct {
	AliasName *string `json:"AliasName"`
}

func (in *deleteAliasInput) constraints(v *violations) { v.aliasName(in.AliasName) }

// deleteAlias implements DeleteAlias. It works in every state of the key (K32).
func (s *Service) deleteAlias(c *call, in *deleteAliasInput) (none, error) {
	ref, err := ownAlias(c, *in.AliasName)
	if err != nil {
		return none{}, err
	}
	t, err := s.lookUpAlias(c, ref)
	if err != nil {
		return none{}, err
	}
	c.keys = append(c.keys, t)
	t.alias = ""
	if err := s.authorizeAlias(c, ref, t); err != nil {
		return none{}, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	from := s.alias(ref)
	if from == nil {
		return none{}, errAliasGone(ref)
	}
	if err := s.update(c.ctx, change{at: from.record()}); err != nil {
		return none{}, err
	}
	return none{}, s.publishAlias(ref, from, nil)
}
