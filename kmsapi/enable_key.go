package kmsapi

// keyInput is the input of operations that take a key and nothing else.
type keyInput struct {
	KeyID *string `json:"KeyId"`
}

func (in *keyInput) constraints(v *violations) { v.keyID("keyId", in.KeyID) }

// enableKey implements EnableKey. Enabling an enabled key is no error (K32).
func (s *Service) enableKey(c *call, in *keyInput) (none, error) {
	return none{}, s.switchKey(c, *in.KeyID, stateEnabled)
}

// disableKey implements DisableKey. Disabling a disabled key is no error (K32).
func (s *Service) disableKey(c *call, in *keyInput) (none, error) {
	return none{}, s.switchKey(c, *in.KeyID, stateDisabled)
}

func (s *Service) switchKey(c *call, id, state string) error {
	t, err := s.resolve(c, id, keyOnly)
	if err != nil {
		return err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t}); err != nil {
		return err
	}
	_, err = s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if err := r.switchable(); err != nil {
			return err
		}
		r.State = state
		return nil
	})
	return err
}
