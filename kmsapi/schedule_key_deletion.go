package kmsapi

import (
	"strconv"
	"time"

	"twinbucket/iamsim/policy"
)

// The waiting period before a key is deleted, in days (K34).
const (
	minWindow   = 7
	maxWindow   = 30
	usualWindow = 30
)

type scheduleKeyDeletionInput struct {
	KeyID               *string `json:"KeyId"`
	PendingWindowInDays *int32  `json:"PendingWindowInDays"`
}

func (in *scheduleKeyDeletionInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.number("pendingWindowInDays", in.PendingWindowInDays, minWindow, maxWindow)
}

type scheduleKeyDeletionOutput struct {
	KeyID               string `json:"KeyId"`
	DeletionDate        *epoch `json:"DeletionDate,omitempty"`
	KeyState            string `json:"KeyState"`
	PendingWindowInDays int32  `json:"PendingWindowInDays"`
}

// scheduleKeyDeletion implements ScheduleKeyDeletion. The waiting period runs on the
// domain clock. That of a primary key begins when its last replica has been deleted (K85).
func (s *Service) scheduleKeyDeletion(c *call, in *scheduleKeyDeletionInput) (*scheduleKeyDeletionOutput, error) {
	window := int32(usualWindow)
	if in.PendingWindowInDays != nil {
		window = *in.PendingWindowInDays
	}
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t, more: func(ctx policy.Context) {
		ctx.Set("kms:ScheduleKeyDeletionPendingWindowInDays", strconv.Itoa(int(window)))
	}}); err != nil {
		return nil, err
	}
	k, err := s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if err := r.schedulable(); err != nil {
			return err
		}
		r.Ready = time.Time{}
		if r.leads() && len(s.relatives(t.key)) > 0 {
			r.State, r.Window = statePendingReplicaDeletion, int(window)
			return nil
		}
		r.State, r.DeletionDate = statePendingDeletion, c.now.Add(days(int(window)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &scheduleKeyDeletionOutput{k.arn, optionalEpoch(k.DeletionDate), k.State, window}, nil
}

type cancelKeyDeletionOutput struct {
	KeyID string `json:"KeyId"`
}

// cancelKeyDeletion implements CancelKeyDeletion. The key comes back disabled,
// whatever it was before (K34); without its imported material, pending import.
func (s *Service) cancelKeyDeletion(c *call, in *keyInput) (*cancelKeyDeletionOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t}); err != nil {
		return nil, err
	}
	k, err := s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if err := r.cancellable(); err != nil {
			return err
		}
		r.State, r.DeletionDate, r.Window = stateDisabled, time.Time{}, 0
		if !r.complete() {
			r.State = statePendingImport
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cancelKeyDeletionOutput{k.arn}, nil
}
