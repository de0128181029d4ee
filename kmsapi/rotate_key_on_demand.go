package kmsapi

import (
	"time"

	"twinbucket/internal/failure"
)

// maxOnDemand is how often one key can be rotated on demand; quiet is how long before an
// automatic rotation it can't (K33).
const (
	maxOnDemand = 25
	quiet       = 20 * time.Minute
)

type rotateKeyOnDemandOutput struct {
	KeyID string `json:"KeyId"` // the ARN
}

// rotateKeyOnDemand implements RotateKeyOnDemand: KMS makes new material, or takes what
// was imported for it. The dates of automatic rotation stay (K33).
func (s *Service) rotateKeyOnDemand(c *call, in *keyInput) (*rotateKeyOnDemandOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t}); err != nil {
		return nil, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	k := s.key(t.key.keyRef)
	if k == nil {
		return nil, errKeyGone(t.key.keyRef)
	}
	if err := k.rotatesOnDemand(c.now); err != nil {
		return nil, err
	}
	if k.Origin == originExternal {
		return s.rotateImported(c, k)
	}
	b, err := s.newSecret(&k.spec)
	if err != nil {
		return nil, err
	}
	m := material{ID: materialID(k.ID, b), Since: c.now, Rotation: rotatedOnDemand, Secret: b}
	if _, err := s.appendMaterial(c.ctx, k, m, k.Rotation.Next); err != nil {
		return nil, err
	}
	return &rotateKeyOnDemandOutput{k.arn}, nil
}

// rotatesOnDemand checks the key. Its state comes first, also for keys that could not be
// rotated in any (K33).
func (k *key) rotatesOnDemand(now time.Time) error {
	if err := k.enabled(); err != nil {
		return err
	}
	if err := k.rotatable(); err != nil {
		return err
	}
	onDemand := 0
	for i := range k.Materials {
		if k.Materials[i].Rotation == rotatedOnDemand {
			onDemand++
		}
	}
	switch {
	case onDemand >= maxOnDemand:
		return failure.New(limitExceeded, "The on-demand rotations limit has been reached for the given keyId. "+
			"No more on-demand rotations can be performed for this key: "+k.arn)
	case k.rotates() && k.Rotation.Next.Sub(now) <= quiet:
		return failure.New(conflict, "An automatic rotation of "+k.arn+" is in progress or begins within 20 minutes.")
	}
	return nil
}

// rotateImported makes the imported material current that waits for it, in every Region.
// The caller holds the write lock.
func (s *Service) rotateImported(c *call, k *key) (*rotateKeyOnDemandOutput, error) {
	if k.Imported == nil || !s.importedEverywhere(k) {
		return nil, failure.Newf(invalidState, "No available key material pending rotation for the key: %s.", k.arn)
	}
	advance := func(r *keyRecord) error {
		m := *r.Imported
		m.Since, m.Rotation = c.now, rotatedOnDemand
		r.Materials, r.Imported = append(r.Materials, m), nil
		return nil
	}
	if _, err := s.replaceSet(c.ctx, k, advance, advance); err != nil {
		return nil, err
	}
	return &rotateKeyOnDemandOutput{k.arn}, nil
}

// importedEverywhere reports whether every other member of the set has the material that
// k has waiting.
func (s *Service) importedEverywhere(k *key) bool {
	for _, other := range s.relatives(k) {
		if other.Imported == nil || other.Imported.ID != k.Imported.ID {
			return false
		}
	}
	return true
}
