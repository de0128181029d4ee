package kmsapi

import (
	"context"
	"fmt"
	"slices"
	"time"

	"twinbucket/store/kv"
)

// keyUse is the last successful cryptographic operation with a key. It is kept in memory
// and stored by Close: a write for every Decrypt would cost more than it tells. After a
// crash the uses since the start are forgotten.
type keyUse struct {
	Key       keyRef
	Operation string
	At        time.Time
	EventID   string
	RequestID string `json:",omitempty"`

	saved bool // it is what the engine has
}

func (u *keyUse) record() []byte {
	return []byte(prefixUse + u.Key.Account + "/" + u.Key.Region + "/" + u.Key.ID)
}

// used notes a successful cryptographic operation for each of its keys.
func (c *call) used(eventID string) {
	for _, t := range c.keys {
		if t.key != nil {
			t.key.lastUse.Store(&keyUse{
				Key: t.key.keyRef, Operation: c.op.Name, At: c.now, EventID: eventID, RequestID: c.caller.Source.RequestID,
			})
		}
	}
}

// saveUses stores what was noted since Open.
func (s *Service) saveUses(ctx context.Context) error {
	s.write.Lock()
	defer s.write.Unlock()
	var changes []change
	s.mu.RLock()
	for _, k := range s.state.keys {
		if u := k.lastUse.Load(); u != nil && !u.saved {
			changes = append(changes, change{u.record(), u})
			k.lastUse.CompareAndSwap(u, u.asSaved())
		}
	}
	s.mu.RUnlock()
	for part := range slices.Chunk(changes, kv.MaxOps) {
		if err := s.update(ctx, part...); err != nil {
			return fmt.Errorf("kmsapi: saving when keys were last used: %w", err)
		}
	}
	return nil
}

func (u *keyUse) asSaved() *keyUse {
	saved := *u
	saved.saved = true
	return &saved
}

// getKeyLastUsageOutput has an empty KeyLastUsage for a key that was never used (K93).
type getKeyLastUsageOutput struct {
	KeyID             string       `json:"KeyId"`
	KeyLastUsage      keyLastUsage `json:"KeyLastUsage"`
	TrackingStartDate epoch        `json:"TrackingStartDate"`
	KeyCreationDate   epoch        `json:"KeyCreationDate"`
}

type keyLastUsage struct {
	Operation         string `json:"Operation,omitempty"`
	Timestamp         *epoch `json:"Timestamp,omitempty"`
	CloudTrailEventID string `json:"CloudTrailEventId,omitempty"`
	KMSRequestID      string `json:"KmsRequestId,omitempty"`
}

// getKeyLastUsage implements GetKeyLastUsage. Uses are tracked from the key's creation on.
func (s *Service) getKeyLastUsage(c *call, in *keyInput) (*getKeyLastUsageOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:GetKeyLastUsage", target: t}); err != nil {
		return nil, err
	}
	out := &getKeyLastUsageOutput{KeyID: t.key.ID, TrackingStartDate: epoch(t.key.Created), KeyCreationDate: epoch(t.key.Created)}
	if u := t.key.lastUse.Load(); u != nil {
		out.KeyLastUsage = keyLastUsage{u.Operation, optionalEpoch(u.At), u.EventID, u.RequestID}
	}
	return out, nil
}
