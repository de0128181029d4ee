package kmsapi

type updateKeyDescriptionInput struct {
	KeyID       *string `json:"KeyId"`
	Description *string `json:"Description"`
}

func (in *updateKeyDescriptionInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("description", in.Description != nil) {
		v.text("description", in.Description, 0, 8192)
	}
}

// updateKeyDescription implements UpdateKeyDescription.
func (s *Service) updateKeyDescription(c *call, in *updateKeyDescriptionInput) (none, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return none{}, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:UpdateKeyDescription", target: t}); err != nil {
		return none{}, err
	}
	_, err = s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if err := r.changeable(); err != nil {
			return err
		}
		r.Description = *in.Description
		return nil
	})
	return none{}, err
}
