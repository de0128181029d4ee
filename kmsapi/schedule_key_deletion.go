package kmsapi

import (
	"strconv"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
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
	DeletionDate        epoch  `json:"DeletionDate"`
	KeyState            string `json:"KeyState"`
	PendingWindowInDays int32  `json:"PendingWindowInDays"`
}

// scheduleKeyDeletion implements ScheduleKeyDeletion. The waiting period runs on the
// domain clock.
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
		if err := r.notPendingDeletion(); err != nil {
			return err
		}
		r.State = statePendingDeletion
		r.DeletionDate = c.now.Add(days(int(window)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &scheduleKeyDeletionOutput{k.arn, epoch(k.DeletionDate), k.State, window}, nil
}

type cancelKeyDeletionOutput struct {
	KeyID string `json:"KeyId"`
}

// cancelKeyDeletion implements CancelKeyDeletion. The key comes back disabled,
// whatever it was before (K34).
func (s *Service) cancelKeyDeletion(c *call, in *keyInput) (*cancelKeyDeletionOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t}); err != nil {
		return nil, err
	}
	k, err := s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if r.State != statePendingDeletion {
			return failure.New(invalidState, r.arn()+" is not pending deletion.")
		}
		r.State, r.DeletionDate = stateDisabled, time.Time{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cancelKeyDeletionOutput{k.arn}, nil
}
