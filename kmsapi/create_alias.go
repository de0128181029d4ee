package kmsapi

import (
	"twinbucket/internal/failure"
)

type createAliasInput struct {
	AliasName   *string `json:"AliasName"`
	TargetKeyID *string `json:"TargetKeyId"`
}

func (in *createAliasInput) constraints(v *violations) {
	v.aliasName(in.AliasName)
	v.keyID("targetKeyId", in.TargetKeyID)
}

// createAlias implements CreateAlias (K26, K42). The name of an alias whose key is
// pending deletion stays taken (K34).
func (s *Service) createAlias(c *call, in *createAliasInput) (none, error) {
	ref, err := ownAlias(c, *in.AliasName)
	if err != nil {
		return none{}, err
	}
	t, err := s.resolve(c, *in.TargetKeyID, aliasErr)
	if err != nil {
		return none{}, err
	}
	if err := s.authorizeAlias(c, ref, t); err != nil {
		return none{}, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	k := s.key(t.key.keyRef)
	switch {
	case k == nil:
		return none{}, errKeyGone(t.key.keyRef)
	case s.alias(ref) != nil:
		return none{}, failure.Newf(alreadyExists, "An alias with the name %s already exists", ref.arn())
	case len(k.aliases) >= maxAliases:
		return none{}, failure.Newf(limitExceeded, "%s already has %d aliases.", k.arn, maxAliases)
	}
	if err := k.changeable(); err != nil {
		return none{}, err
	}
	a := &alias{aliasRef: ref, KeyID: k.ID, Created: c.now, Updated: c.now}
	if err := s.put(c.ctx, a.record(), a); err != nil {
		return none{}, err
	}
	return none{}, s.publishAlias(ref, nil, a)
}
