package kmsapi

import (
	"strconv"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type enableKeyRotationInput struct {
	KeyID                *string `json:"KeyId"`
	RotationPeriodInDays *int32  `json:"RotationPeriodInDays"`
}

func (in *enableKeyRotationInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.number("rotationPeriodInDays", in.RotationPeriodInDays, 90, 2560)
}

// enableKeyRotation implements EnableKeyRotation. Calling it again changes the
// period; the next rotation is one period from now (K33).
func (s *Service) enableKeyRotation(c *call, in *enableKeyRotationInput) (none, error) {
	period := rotationUsual
	if in.RotationPeriodInDays != nil {
		period = int(*in.RotationPeriodInDays)
	}
	return none{}, s.setRotation(c, *in.KeyID, rotation{Enabled: true, Days: period, Next: c.now.Add(days(period))},
		func(ctx policy.Context) {
			if in.RotationPeriodInDays != nil {
				ctx.Set("kms:RotationPeriodInDays", strconv.Itoa(period))
			}
		})
}

// disableKeyRotation implements DisableKeyRotation.
func (s *Service) disableKeyRotation(c *call, in *keyInput) (none, error) {
	return none{}, s.setRotation(c, *in.KeyID, rotation{}, nil)
}

// setRotation changes automatic rotation, of all members of a multi-Region key at once.
// Keys that can't rotate say so in every state (K32).
func (s *Service) setRotation(c *call, id string, to rotation, more func(policy.Context)) error {
	t, err := s.resolve(c, id, keyOnly)
	if err != nil {
		return err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t, more: more}); err != nil {
		return err
	}
	set := func(r *keyRecord) error { r.Rotation = to; return nil }
	_, err = s.changeSet(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if err := r.rotatable(); err != nil {
			return err
		}
		if err := r.originIs(originKMS); err != nil {
			return err
		}
		if err := r.usable(); err != nil {
			return err
		}
		return set(r)
	}, set)
	return err
}

// rotatable refuses keys that never rotate: all but symmetric ones, without a message
// (K33), and replica keys, which follow their primary.
func (r *keyRecord) rotatable() error {
	switch {
	case r.Spec != specSymmetric:
		return failure.New(unsupported, "")
	case !r.leads():
		return errNotPrimary(r)
	}
	return nil
}

type getKeyRotationStatusOutput struct {
	KeyRotationEnabled   bool   `json:"KeyRotationEnabled"`
	KeyID                string `json:"KeyId"` // the ARN
	RotationPeriodInDays int    `json:"RotationPeriodInDays,omitempty"`
	NextRotationDate     *epoch `json:"NextRotationDate,omitempty"`
}

// getKeyRotationStatus implements GetKeyRotationStatus. Rotation pauses while the
// key is pending deletion, and then reads as off (K33). Keys that never rotate read as off
// too. A rotation on demand is over when it is answered, so none is ever in progress.
func (s *Service) getKeyRotationStatus(c *call, in *keyInput) (*getKeyRotationStatusOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:GetKeyRotationStatus", target: t}); err != nil {
		return nil, err
	}
	out := &getKeyRotationStatusOutput{KeyID: t.key.arn}
	if r := t.key.Rotation; r.Enabled && !t.key.pendingDeletion() {
		out.KeyRotationEnabled, out.RotationPeriodInDays, out.NextRotationDate = true, r.Days, optionalEpoch(r.Next)
	}
	return out, nil
}
