package kmsapi

import (
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type updatePrimaryRegionInput struct {
	KeyID         *string `json:"KeyId"`
	PrimaryRegion *string `json:"PrimaryRegion"`
}

func (in *updatePrimaryRegionInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.region("primaryRegion", in.PrimaryRegion)
}

// alsoCharges: it counts in both Regions (K92).
func (in *updatePrimaryRegionInput) alsoCharges() []charge {
	return []charge{{*in.PrimaryRegion, "UpdatePrimaryRegion"}}
}

// updatePrimaryRegion implements UpdatePrimaryRegion, which takes permission on the
// primary key and on the replica that takes its place. Both are Updating for a while (K85).
func (s *Service) updatePrimaryRegion(c *call, in *updatePrimaryRegionInput) (none, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return none{}, err
	}
	requested := func(ctx policy.Context) { ctx.Set("kms:PrimaryRegion", *in.PrimaryRegion) }
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t, more: requested}); err != nil {
		return none{}, err
	}
	if err := t.key.primary(); err != nil {
		return none{}, err
	}
	if err := t.key.usable(); err != nil {
		return none{}, err
	}
	if *in.PrimaryRegion == c.region {
		return none{}, failure.Newf(validation, "%s already is the primary Region of %s.", c.region, t.arn)
	}
	there := *c
	there.region = *in.PrimaryRegion
	next, err := s.lookUpKey(&there, keyRef{t.key.Account, *in.PrimaryRegion, t.key.ID})
	if err != nil {
		return none{}, err
	}
	c.keys = append(c.keys, next)
	if err := s.authorize(&there, keyAuth{action: c.op.Action, target: next, more: requested}); err != nil {
		return none{}, err
	}
	return none{}, s.movePrimary(c, t.key.keyRef, next.key.keyRef)
}

// movePrimary makes the replica at to the primary key of its set.
func (s *Service) movePrimary(c *call, from, to keyRef) error {
	_, err := s.changeSet(c.ctx, from, func(r *keyRecord) error {
		if err := r.primary(); err != nil {
			return err
		}
		if err := r.usable(); err != nil {
			return err
		}
		next := s.key(to)
		if next == nil {
			return errKeyGone(to)
		}
		if err := next.usable(); err != nil {
			return err
		}
		r.PrimaryRegion, r.State, r.Ready = to.Region, stateUpdating, c.now.Add(s.cfg.ReplicaDelay)
		return nil
	}, func(r *keyRecord) error {
		r.PrimaryRegion = to.Region
		if r.Region == to.Region {
			r.State, r.Ready = stateUpdating, c.now.Add(s.cfg.ReplicaDelay)
		}
		return nil
	})
	return err
}

// leader is the member of k's multi-Region set that decides for it: k itself for a key
// of a single Region, nil when the primary key has been deleted.
func (s *Service) leader(k *key) *key {
	if k.leads() {
		return s.key(k.keyRef)
	}
	return s.key(keyRef{k.Account, k.PrimaryRegion, k.ID})
}
