package kmsapi

import "twinbucket/internal/failure"

type updateAliasInput struct {
	AliasName   *string `json:"AliasName"`
	TargetKeyID *string `json:"TargetKeyId"`
}

func (in *updateAliasInput) constraints(v *violations) {
	v.aliasName(in.AliasName)
	v.keyID("targetKeyId", in.TargetKeyID)
}

// replaceableBy refuses to move an alias to a key of another usage or kind: what its
// users do with it would fail (K26).
func (k *key) replaceableBy(to *key, alias aliasRef) error {
	kind := func(k *key) string {
		switch {
		case k.spec.symmetric():
			return "symmetric"
		case k.spec.asymmetric():
			return "asymmetric"
		}
		return "HMAC"
	}
	switch {
	case k.Usage != to.Usage:
		return failure.Newf(validation, "Alias %s cannot be changed from a CMK with key usage %s to a CMK with key usage %s",
			alias.arn(), k.Usage, to.Usage)
	case kind(k) != kind(to):
		return failure.Newf(validation, "Alias %s cannot be changed from a CMK that is %s to a CMK that is %s", alias.arn(), kind(k), kind(to))
	}
	return nil
}

// updateAlias implements UpdateAlias: permission is needed on the alias and on both
// keys (K42). The key it leaves may be pending deletion, the new one may not (K32).
func (s *Service) updateAlias(c *call, in *updateAliasInput) (none, error) {
	ref, err := ownAlias(c, *in.AliasName)
	if err != nil {
		return none{}, err
	}
	old, err := s.lookUpAlias(c, ref)
	if err != nil {
		return none{}, err
	}
	t, err := s.resolve(c, *in.TargetKeyID, aliasErr)
	if err != nil {
		return none{}, err
	}
	old.alias = "" // the request does not name the old key by the alias
	if err := s.authorizeAlias(c, ref, old, t); err != nil {
		return none{}, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	k, from := s.key(t.key.keyRef), s.alias(ref)
	switch {
	case k == nil:
		return none{}, errKeyGone(t.key.keyRef)
	case from == nil:
		return none{}, errAliasGone(ref)
	}
	if err := k.changeable(); err != nil {
		return none{}, err
	}
	if before := s.key(from.key()); before != nil {
		if err := before.replaceableBy(k, ref); err != nil {
			return none{}, err
		}
	}
	to := &alias{aliasRef: ref, KeyID: k.ID, Created: from.Created, Updated: c.now}
	if err := s.put(c.ctx, to.record(), to); err != nil {
		return none{}, err
	}
	return none{}, s.publishAlias(ref, from, to)
}
