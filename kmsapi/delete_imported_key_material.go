package kmsapi

import (
	"slices"
	"time"

	"twinbucket/internal/failure"
)

type deleteImportedKeyMaterialInput struct {
	KeyID         *string `json:"KeyId"`
	KeyMaterialID *string `json:"KeyMaterialId"`
}

func (in *deleteImportedKeyMaterialInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.materialID(in.KeyMaterialID)
}

// deleteImportedKeyMaterial implements DeleteImportedKeyMaterial: of the current material
// unless another is named. The key can't be used until it is back; material that only
// waits for a rotation goes for good, from the replica keys too (K84).
func (s *Service) deleteImportedKeyMaterial(c *call, in *deleteImportedKeyMaterialInput) (*importKeyMaterialOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t}); err != nil {
		return nil, err
	}
	out := &importKeyMaterialOutput{KeyID: t.arn}
	_, err = s.changeSet(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if err := r.originIs(originExternal); err != nil {
			return err
		}
		if err := r.emptiable(); err != nil {
			return err
		}
		switch {
		case in.KeyMaterialID != nil:
			out.KeyMaterialID = *in.KeyMaterialID
		case len(r.Materials) > 0:
			out.KeyMaterialID = r.current().ID
		default:
			return nil // there is nothing to delete
		}
		return r.empty(out.KeyMaterialID)
	}, func(r *keyRecord) error {
		if waits := r.Imported; waits != nil && waits.ID == out.KeyMaterialID && t.key.leads() {
			r.Imported = nil
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// empty removes one material.
func (r *keyRecord) empty(id string) error {
	if r.Imported != nil && r.Imported.ID == id {
		r.Imported = nil
		return nil
	}
	i := slices.IndexFunc(r.Materials, func(m material) bool { return m.ID == id })
	if i < 0 {
		return failure.Newf(notFound, "Key material %s is not associated with key %s", id, r.arn())
	}
	r.lose(&r.Materials[i])
	return nil
}

// lose removes a material that may come back, and with it the use of the key.
func (r *keyRecord) lose(m *material) {
	m.Sealed, m.Secret = nil, nil
	if !r.pendingDeletion() {
		r.State, r.Ready = statePendingImport, time.Time{}
	}
}

// expire removes the imported material whose time is up at now.
func (r *keyRecord) expire(now time.Time) {
	over := func(m *material) bool { return m.Sealed != nil && !m.ValidTo.IsZero() && !m.ValidTo.After(now) }
	for i := range r.Materials {
		if m := &r.Materials[i]; over(m) {
			r.lose(m)
		}
	}
	if r.Imported != nil && over(r.Imported) {
		r.Imported = nil
	}
}

// firstExpiry is when the first of the key's materials expires; the zero time is never.
func (r *keyRecord) firstExpiry() (first time.Time) {
	for _, m := range r.Materials {
		if m.Sealed != nil && !m.ValidTo.IsZero() && (first.IsZero() || m.ValidTo.Before(first)) {
			first = m.ValidTo
		}
	}
	return first
}
