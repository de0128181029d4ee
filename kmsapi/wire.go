package kmsapi

import (
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

// keyMetadata describes a key (K30). Members that a symmetric single-Region key
// never has are left out.
type keyMetadata struct {
	AWSAccountID          string   `json:"AWSAccountId"`
	KeyID                 string   `json:"KeyId"`
	ARN                   string   `json:"Arn"`
	CreationDate          epoch    `json:"CreationDate"`
	Enabled               bool     `json:"Enabled"`
	Description           string   `json:"Description"`
	KeyUsage              string   `json:"KeyUsage"`
	KeyState              string   `json:"KeyState"`
	DeletionDate          *epoch   `json:"DeletionDate,omitempty"`
	Origin                string   `json:"Origin"`
	KeyManager            string   `json:"KeyManager"`
	CustomerMasterKeySpec string   `json:"CustomerMasterKeySpec"`
	KeySpec               string   `json:"KeySpec"`
	EncryptionAlgorithms  []string `json:"EncryptionAlgorithms"`
	MultiRegion           bool     `json:"MultiRegion"`
	CurrentKeyMaterialID  string   `json:"CurrentKeyMaterialId"`
}

func (k *key) metadata() keyMetadata {
	return keyMetadata{
		AWSAccountID: k.Account, KeyID: k.ID, ARN: k.arn, CreationDate: epoch(k.Created),
		Enabled: k.State == stateEnabled, Description: k.Description, KeyUsage: usageEncryptDecrypt,
		KeyState: k.State, DeletionDate: optionalEpoch(k.DeletionDate), Origin: originKMS, KeyManager: k.Manager,
		CustomerMasterKeySpec: specSymmetric, KeySpec: specSymmetric, EncryptionAlgorithms: []string{algSymmetric},
		CurrentKeyMaterialID: k.current().ID,
	}
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
