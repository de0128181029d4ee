package kmsapi

import "fmt"

// Values of IncludeKeyMaterial.
const (
	allMaterial   = "ALL_KEY_MATERIAL"
	rotationsOnly = "ROTATIONS_ONLY"
)

type listKeyRotationsInput struct {
	KeyID              *string `json:"KeyId"`
	IncludeKeyMaterial *string `json:"IncludeKeyMaterial"`
	paging
}

func (in *listKeyRotationsInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.enum("includeKeyMaterial", in.IncludeKeyMaterial, allMaterial, rotationsOnly)
	v.paging(in.Limit, in.Marker)
}

type listKeyRotationsOutput struct {
	Rotations []rotationEntry `json:"Rotations"`
	more
}

// rotationEntry is one material. The members from ImportState on are shown of imported
// material only.
type rotationEntry struct {
	KeyID                  string `json:"KeyId"`
	KeyMaterialID          string `json:"KeyMaterialId"`
	KeyMaterialState       string `json:"KeyMaterialState"`
	RotationDate           *epoch `json:"RotationDate,omitempty"`
	RotationType           string `json:"RotationType,omitempty"`
	ImportState            string `json:"ImportState,omitempty"`
	KeyMaterialDescription string `json:"KeyMaterialDescription,omitempty"`
	ExpirationModel        string `json:"ExpirationModel,omitempty"`
	ValidTo                *epoch `json:"ValidTo,omitempty"`

	position string // orders the pages
}

// listKeyRotations implements ListKeyRotations, oldest first. The first material, and
// what waits for its rotation, are listed with ALL_KEY_MATERIAL only (K33).
func (s *Service) listKeyRotations(c *call, in *listKeyRotationsInput) (*listKeyRotationsOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t}); err != nil {
		return nil, err
	}
	all := s.rotationsOf(t.key, value(in.IncludeKeyMaterial) == allMaterial)
	entries, rest, err := page(in.paging, 100, 1000, all, func(e rotationEntry) string { return e.position })
	if err != nil {
		return nil, err
	}
	return &listKeyRotationsOutput{Rotations: append([]rotationEntry{}, entries...), more: rest}, nil
}

func (s *Service) rotationsOf(k *key, all bool) []rotationEntry {
	if !k.spec.symmetric() {
		return nil
	}
	var out []rotationEntry
	defer func() {
		for i := range out {
			out[i].position = fmt.Sprintf("%06d", i) // a key is rotated less than a million times
		}
	}()
	for i := range k.Materials {
		m := &k.Materials[i]
		if m.Rotation == "" && !all {
			continue
		}
		state := "NON_CURRENT"
		if i == len(k.Materials)-1 {
			state = "CURRENT"
		}
		e := k.rotationEntry(m, state)
		if m.Rotation != "" {
			e.RotationType, e.RotationDate = m.Rotation, optionalEpoch(m.Since)
		}
		out = append(out, e)
	}
	if k.Imported != nil && all {
		state := "PENDING_ROTATION"
		if lead := s.leader(k); lead == nil || lead.Imported == nil || !s.importedEverywhere(lead) {
			state = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
		}
		out = append(out, k.rotationEntry(k.Imported, state))
	}
	return out
}

func (k *key) rotationEntry(m *material, state string) rotationEntry {
	e := rotationEntry{KeyID: k.ID, KeyMaterialID: m.ID, KeyMaterialState: state}
	if k.Origin == originExternal {
		e.KeyMaterialDescription = m.Description
		e.ImportState, e.ExpirationModel = "IMPORTED", neverExpires
		if m.Sealed == nil {
			e.ImportState = "PENDING_IMPORT"
		}
		if !m.ValidTo.IsZero() {
			e.ExpirationModel, e.ValidTo = expires, optionalEpoch(m.ValidTo)
		}
	}
	return e
}
