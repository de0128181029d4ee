package kmsapi

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// Values of key members.
const (
	stateEnabled         = "Enabled"
	stateDisabled        = "Disabled"
	statePendingDeletion = "PendingDeletion"

	managerCustomer = "CUSTOMER"
	managerAWS      = "AWS"

	specSymmetric       = "SYMMETRIC_DEFAULT"
	algSymmetric        = "SYMMETRIC_DEFAULT"
	usageEncryptDecrypt = "ENCRYPT_DECRYPT"
	originKMS           = "AWS_KMS"

	specAES256 = "AES_256"
	specAES128 = "AES_128"
)

// keyRef names a key.
type keyRef struct{ Account, Region, ID string }

func (r keyRef) arn() string { return arn.Key(r.Region, r.Account, r.ID) }

// keyRecord is what is stored of a key. Times are UTC.
type keyRecord struct {
	keyRef
	Created     time.Time
	Description string `json:",omitempty"`
	Manager     string
	State       string
	// DeletionDate is set in state PendingDeletion.
	DeletionDate time.Time `json:",omitzero"`
	// Policy is the text as given; Pins are the principals it named when it was saved.
	Policy string
	Pins   map[string]string `json:",omitempty"`
	Tags   []tag             `json:",omitempty"` // sorted by key
	// Materials are all that ever encrypted, oldest first; the last one is current.
	Materials []material
	Rotation  rotation `json:",omitzero"`
}

// rotation is automatic rotation. Its settings survive while the key is disabled
// or pending deletion, when nothing is rotated (K33).
type rotation struct {
	Enabled bool
	Days    int
	Next    time.Time
}

// material is one AES-256 key behind a KMS key.
type material struct {
	ID      string // 64 hex digits
	Secret  secret
	Created time.Time
}

// secret is key material; printing it shows nothing.
type secret []byte

// Format implements [fmt.Formatter] for every verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[key material]") }

// newMaterial makes material for the key with this id. The material's id is
// computed from both, as AWS does, and tells nothing about the material (K31).
func (s *Service) newMaterial(keyID string, now time.Time) (material, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return material{}, err
	}
	mac := hmac.New(sha256.New, b)
	mac.Write([]byte(keyID))
	return material{ID: hex.EncodeToString(mac.Sum(nil)), Secret: b, Created: now}, nil
}

func (r *keyRecord) current() *material { return &r.Materials[len(r.Materials)-1] }

// due is when the key has to be deleted or rotated; the far future if never.
func (r *keyRecord) due() int64 {
	switch {
	case r.State == statePendingDeletion:
		return r.DeletionDate.UnixNano()
	case r.State == stateEnabled && r.Rotation.Enabled:
		return r.Rotation.Next.UnixNano()
	}
	return math.MaxInt64
}

// clone copies r so that the copy may be changed.
func (r *keyRecord) clone() *keyRecord {
	c := *r
	c.Tags = slices.Clone(r.Tags)
	c.Materials = slices.Clone(r.Materials)
	return &c
}

// key is one version of a key, ready for use. It never changes; the next version
// replaces it.
type key struct {
	keyRecord
	arn      string
	policies []policy.Source // one, as Authorize takes it
	ciphers  []sealer        // one for each material
	aliases  []string        // names of its aliases, sorted
	// context holds the condition keys that are the same in every request.
	context policy.Context
}

// sealer is the cipher of one material.
type sealer struct {
	id   [sha256.Size]byte
	aead cipher.AEAD
}

// newKey prepares a record. It fails only for records that this package did not write.
func newKey(r *keyRecord, aliases []string) (*key, error) {
	k := &key{keyRecord: *r, arn: r.arn(), aliases: aliases}
	doc, err := policy.Parse(r.Policy)
	if err != nil {
		return nil, fmt.Errorf("kmsapi: policy of %s: %w", k.arn, err)
	}
	k.policies = []policy.Source{{Type: policy.Resource, Owner: r.Account, Name: "key policy of " + k.arn, Doc: doc, Pins: r.Pins}}
	if len(r.Materials) == 0 {
		return nil, fmt.Errorf("kmsapi: %s has no key material", k.arn)
	}
	for i := range r.Materials {
		c, err := newSealer(&r.Materials[i])
		if err != nil {
			return nil, fmt.Errorf("kmsapi: material of %s: %w", k.arn, err)
		}
		k.ciphers = append(k.ciphers, c)
	}
	k.context = policy.Context{}
	k.context.Set("kms:KeySpec", specSymmetric)
	k.context.Set("kms:KeyUsage", usageEncryptDecrypt)
	k.context.Set("kms:KeyOrigin", originKMS)
	k.context.Set("kms:MultiRegion", "false")
	for _, t := range r.Tags {
		k.context.Set("aws:ResourceTag/"+t.Key, t.Value)
	}
	if len(aliases) > 0 {
		k.context.Set("kms:ResourceAliases", aliases...)
	}
	return k, nil
}

func newSealer(m *material) (s sealer, err error) {
	if n, err := hex.Decode(s.id[:], []byte(m.ID)); err != nil || n != len(s.id) || len(m.ID) != 2*len(s.id) {
		return s, fmt.Errorf("id %q is not 64 hex digits", m.ID)
	}
	block, err := aes.NewCipher(m.Secret)
	if err != nil {
		return s, err
	}
	s.aead, err = cipher.NewGCM(block)
	return s, err
}

// sealer returns the cipher of a material, nil if the key never had it.
func (k *key) sealer(id [sha256.Size]byte) *sealer {
	for i := len(k.ciphers) - 1; i >= 0; i-- {
		if k.ciphers[i].id == id {
			return &k.ciphers[i]
		}
	}
	return nil
}

// Key states and what they allow (K32). Reads and policy changes need no check.

// usable is for cryptographic operations, grants and rotation settings.
func (r *keyRecord) usable() error {
	if r.State == stateDisabled {
		return failure.New(disabled, r.arn()+" is disabled.")
	}
	return r.notPendingDeletion()
}

// notPendingDeletion is for every other change.
func (r *keyRecord) notPendingDeletion() error {
	if r.State == statePendingDeletion {
		return failure.New(invalidState, r.arn()+" is pending deletion.")
	}
	return nil
}
