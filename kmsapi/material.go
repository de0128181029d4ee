package kmsapi

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// Values of RotationType.
const (
	rotatedAutomatic = "AUTOMATIC"
	rotatedOnDemand  = "ON_DEMAND"
)

// material is one version of what is behind a KMS key, as stored. Symmetric keys may
// have many, all others have one.
type material struct {
	ID string // 64 hex digits
	// Sealed is the secret under the root key; nil when imported material has been
	// deleted or has expired, and must come back before the key can be used.
	Sealed []byte `json:",omitempty"`
	// Since is when it became the current one, and Rotation by what: "" for the first.
	Since    time.Time
	Rotation string `json:",omitempty"`
	// Of imported material: when it expires, if ever, and what its owner calls it.
	ValidTo     time.Time `json:",omitzero"`
	Description string    `json:",omitempty"`

	Secret secret `json:"-"` // Sealed, opened
}

// secret is key material in the clear: the bytes of an AES or HMAC key, or a private key
// as PKCS #8. Printing it shows nothing.
type secret []byte

// Format implements [fmt.Formatter] for every verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[key material]") }

// SealError is key material that the root key does not open: the root key is another
// one than that which sealed it, or the record is damaged.
type SealError struct {
	KeyARN string
	Cause  error
}

// Error names the key.
func (e *SealError) Error() string {
	return "the material of " + e.KeyARN + " can't be opened: " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *SealError) Unwrap() error { return e.Cause }

// materialID is computed from key id and material, as on AWS, and tells nothing about
// the material (K31). The members of a multi-Region key have the same id for the same
// material.
func materialID(keyID string, b secret) string {
	mac := hmac.New(sha256.New, b)
	mac.Write([]byte(keyID))
	return hex.EncodeToString(mac.Sum(nil))
}

// newMaterial makes material for a key.
func (s *Service) newMaterial(ref keyRef, spec keySpec, now time.Time) (material, error) {
	b, err := s.newSecret(&spec)
	if err != nil {
		return material{}, err
	}
	return s.sealMaterial(ref, b, now)
}

// sealMaterial makes a record of a secret.
func (s *Service) sealMaterial(ref keyRef, b secret, now time.Time) (material, error) {
	m := material{ID: materialID(ref.ID, b), Since: now, Secret: b}
	return m, s.sealSecret(ref, &m)
}

// sealSecret puts m.Secret under the root key. It is bound to the key and to the material's id.
func (s *Service) sealSecret(ref keyRef, m *material) (err error) {
	m.Sealed, err = s.root.Seal(s.rand, m.Secret, "kms material", ref.arn(), m.ID)
	return err
}

// unseal opens all materials of a record that was read from the engine.
func (s *Service) unseal(r *keyRecord) error {
	for _, m := range r.all() {
		if m.Sealed == nil {
			continue
		}
		b, err := s.root.Open(m.Sealed, "kms material", r.arn(), m.ID)
		if err != nil {
			return &SealError{r.arn(), err}
		}
		m.Secret = b
	}
	return nil
}

// newSecret makes the secret of a key of this spec. The standard library takes its own
// randomness for RSA and elliptic curves, whatever reader it is given.
func (s *Service) newSecret(spec *keySpec) (secret, error) {
	size := 0
	switch spec.family {
	case aesFamily:
		size = 32
	case hmacFamily:
		size = spec.bits / 8
	default:
		return newPrivateKey(s.rand, spec)
	}
	b := make(secret, size)
	_, err := io.ReadFull(s.rand, b)
	return b, err
}

// prepared is one material, ready for use. One of its last three members is set.
type prepared struct {
	id   [sha256.Size]byte
	aead cipher.AEAD
	mac  secret
	pair keyPair
}

// prepare makes a material ready. It fails for what this package did not write.
func prepare(spec *keySpec, m *material) (p prepared, err error) {
	if n, err := hex.Decode(p.id[:], []byte(m.ID)); err != nil || n != len(p.id) || len(m.ID) != 2*len(p.id) {
		return p, fmt.Errorf("id %q is not 64 hex digits", m.ID)
	}
	switch spec.family {
	case aesFamily:
		var block cipher.Block
		if block, err = aes.NewCipher(m.Secret); err == nil {
			p.aead, err = cipher.NewGCM(block)
		}
	case hmacFamily:
		p.mac = m.Secret
	default:
		p.pair, err = parsePrivateKey(spec, m.Secret)
	}
	return p, err
}

// sealer is the cipher of one material of a symmetric key.
func (k *key) sealer(id [sha256.Size]byte) cipher.AEAD {
	for i := len(k.prepared) - 1; i >= 0; i-- {
		if k.prepared[i].id == id {
			return k.prepared[i].aead
		}
	}
	return nil
}

// active is the current material. The caller has checked that the key is usable, so it
// has one.
func (k *key) active() *prepared {
	return &k.prepared[len(k.prepared)-1]
}
