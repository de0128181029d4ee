package kmsapi

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// blob is binary data; JSON carries it as padded base64, nil as an absent member (K2).
type blob = []byte

// epoch is a point in time; JSON carries it as seconds since 1970 with milliseconds (K2).
type epoch time.Time

// MarshalJSON writes the number.
func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, math.Round(float64(time.Time(e).UnixMicro())/1e3)/1e3, 'f', -1, 64), nil
}

// UnmarshalJSON reads the number.
func (e *epoch) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return err
	}
	if math.IsNaN(f) || math.Abs(f) > maxEpoch {
		return fmt.Errorf("kmsapi: %s seconds are no date", b)
	}
	*e = epoch(time.UnixMilli(int64(math.Round(f * 1e3))).UTC())
	return nil
}

// maxEpoch keeps dates within the years that have four digits.
const maxEpoch = 253402300799

// optionalEpoch is nil for the zero time, so that the member is left out.
func optionalEpoch(t time.Time) *epoch {
	if t.IsZero() {
		return nil
	}
	e := epoch(t)
	return &e
}

// tag is a key's tag, on the wire and in records.
type tag struct {
	Key   string `json:"TagKey"`
	Value string `json:"TagValue"`
}

// keyMetadata describes a key (K30). Members that do not apply to it are left out.
type keyMetadata struct {
	AWSAccountID                string                    `json:"AWSAccountId"`
	KeyID                       string                    `json:"KeyId"`
	ARN                         string                    `json:"Arn"`
	CreationDate                epoch                     `json:"CreationDate"`
	Enabled                     bool                      `json:"Enabled"`
	Description                 string                    `json:"Description"`
	KeyUsage                    string                    `json:"KeyUsage"`
	KeyState                    string                    `json:"KeyState"`
	DeletionDate                *epoch                    `json:"DeletionDate,omitempty"`
	PendingDeletionWindowInDays int                       `json:"PendingDeletionWindowInDays,omitempty"`
	ValidTo                     *epoch                    `json:"ValidTo,omitempty"`
	ExpirationModel             string                    `json:"ExpirationModel,omitempty"`
	Origin                      string                    `json:"Origin"`
	KeyManager                  string                    `json:"KeyManager"`
	CustomerMasterKeySpec       string                    `json:"CustomerMasterKeySpec"`
	KeySpec                     string                    `json:"KeySpec"`
	EncryptionAlgorithms        []string                  `json:"EncryptionAlgorithms,omitempty"`
	SigningAlgorithms           []string                  `json:"SigningAlgorithms,omitempty"`
	MacAlgorithms               []string                  `json:"MacAlgorithms,omitempty"`
	KeyAgreementAlgorithms      []string                  `json:"KeyAgreementAlgorithms,omitempty"`
	MultiRegion                 bool                      `json:"MultiRegion"`
	MultiRegionConfiguration    *multiRegionConfiguration `json:"MultiRegionConfiguration,omitempty"`
	CurrentKeyMaterialID        string                    `json:"CurrentKeyMaterialId,omitempty"`
}

// multiRegionConfiguration lists the members of a multi-Region key (K85).
type multiRegionConfiguration struct {
	MultiRegionKeyType string           `json:"MultiRegionKeyType"`
	PrimaryKey         multiRegionKey   `json:"PrimaryKey"`
	ReplicaKeys        []multiRegionKey `json:"ReplicaKeys"`
}

type multiRegionKey struct {
	ARN    string `json:"Arn"`
	Region string `json:"Region"`
}

// metadata describes a key with the other members of its multi-Region set.
func (s *Service) metadata(k *key) keyMetadata {
	m := k.metadata()
	if !k.multiRegion() {
		return m
	}
	member := func(region string) multiRegionKey {
		return multiRegionKey{keyRef{k.Account, region, k.ID}.arn(), region}
	}
	m.MultiRegion = true
	m.MultiRegionConfiguration = &multiRegionConfiguration{
		MultiRegionKeyType: k.regionType(), PrimaryKey: member(k.PrimaryRegion), ReplicaKeys: []multiRegionKey{},
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, region := range s.state.sets[setRef{k.Account, k.ID}] {
		if region != k.PrimaryRegion {
			m.MultiRegionConfiguration.ReplicaKeys = append(m.MultiRegionConfiguration.ReplicaKeys, member(region))
		}
	}
	return m
}

// metadata describes a key by itself.
func (k *key) metadata() keyMetadata {
	algorithms := func(usage string) []string {
		if k.Usage != usage {
			return nil
		}
		return k.spec.algorithms[usage]
	}
	m := keyMetadata{
		AWSAccountID: k.Account, KeyID: k.ID, ARN: k.arn, CreationDate: epoch(k.Created),
		Enabled: k.State == stateEnabled, Description: k.Description, KeyUsage: k.Usage,
		KeyState: k.State, DeletionDate: optionalEpoch(k.DeletionDate), PendingDeletionWindowInDays: k.Window,
		Origin: k.Origin, KeyManager: k.Manager, CustomerMasterKeySpec: k.Spec, KeySpec: k.Spec,
		EncryptionAlgorithms: algorithms(usageEncryptDecrypt), SigningAlgorithms: algorithms(usageSignVerify),
		MacAlgorithms: algorithms(usageMAC), KeyAgreementAlgorithms: algorithms(usageKeyAgreement),
		CurrentKeyMaterialID: k.currentMaterialID(),
	}
	if k.Origin == originExternal && len(k.prepared) > 0 {
		m.ExpirationModel = neverExpires
		if first := k.firstExpiry(); !first.IsZero() {
			m.ExpirationModel, m.ValidTo = expires, optionalEpoch(first)
		}
	}
	return m
}

// currentMaterialID is shown of symmetric keys only, which may have several materials (K30).
func (k *key) currentMaterialID() string {
	if !k.spec.symmetric() || len(k.Materials) == 0 {
		return ""
	}
	return k.current().ID
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
