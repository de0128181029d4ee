package kmsapi

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"regexp"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// Values of ExpirationModel and ImportType.
const (
	expires      = "KEY_MATERIAL_EXPIRES"
	neverExpires = "KEY_MATERIAL_DOES_NOT_EXPIRE"

	importNew      = "NEW_KEY_MATERIAL"
	importExisting = "EXISTING_KEY_MATERIAL"
)

const longestImport = 365 * 24 * time.Hour // before imported material expires (K84)

type importKeyMaterialInput struct {
	KeyID                  *string `json:"KeyId"`
	ImportToken            blob    `json:"ImportToken"`
	EncryptedKeyMaterial   blob    `json:"EncryptedKeyMaterial"`
	ValidTo                *epoch  `json:"ValidTo"`
	ExpirationModel        *string `json:"ExpirationModel"`
	ImportType             *string `json:"ImportType"`
	KeyMaterialDescription *string `json:"KeyMaterialDescription"`
	KeyMaterialID          *string `json:"KeyMaterialId"`
}

var materialIDPattern = regexp.MustCompile(`^[a-f0-9]+$`)

func (v *violations) materialID(id *string) {
	v.text("keyMaterialId", id, 64, 64)
	v.pattern("keyMaterialId", id, materialIDPattern)
}

func (in *importKeyMaterialInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("importToken", in.ImportToken != nil) {
		v.secret("importToken", in.ImportToken, 1, maxImport)
	}
	if v.required("encryptedKeyMaterial", in.EncryptedKeyMaterial != nil) {
		v.secret("encryptedKeyMaterial", in.EncryptedKeyMaterial, 1, maxImport)
	}
	v.enum("expirationModel", in.ExpirationModel, expires, neverExpires)
	v.enum("importType", in.ImportType, importNew, importExisting)
	v.text("keyMaterialDescription", in.KeyMaterialDescription, 0, 256)
	v.materialID(in.KeyMaterialID)
}

type importKeyMaterialOutput struct {
	KeyID         string `json:"KeyId"` // the ARN
	KeyMaterialID string `json:"KeyMaterialId"`
}

// importKeyMaterial implements ImportKeyMaterial: the first material of a key, the same
// again, or for symmetric keys new material that waits for a rotation on demand (K84).
func (s *Service) importKeyMaterial(c *call, in *importKeyMaterialInput) (*importKeyMaterialOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t, more: in.conditions}); err != nil {
		return nil, err
	}
	if err := t.key.originIs(originExternal); err != nil {
		return nil, err
	}
	if err := t.key.importable(); err != nil {
		return nil, err
	}
	validTo, err := in.validTo(c.now)
	if err != nil {
		return nil, err
	}
	token, err := s.openToken(in.ImportToken, t.key.keyRef, c.now)
	if err != nil {
		return nil, err
	}
	b, err := unwrap(token, in.EncryptedKeyMaterial)
	if err != nil {
		return nil, failure.New(invalidCiphertext, "").Because(err)
	}
	if b, err = importable(&t.key.spec, b); err != nil {
		return nil, failure.New(incorrectMaterial, "").Because(err)
	}
	m, err := s.sealMaterial(t.key.keyRef, b, c.now)
	if err != nil {
		return nil, err
	}
	m.ValidTo = validTo
	k, err := s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if err := r.importable(); err != nil {
			return err
		}
		if err := s.place(r, &m, in); err != nil {
			return err
		}
		if r.State == statePendingImport && r.complete() {
			r.State = stateEnabled
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &importKeyMaterialOutput{k.arn, m.ID}, nil
}

func (in *importKeyMaterialInput) model() string {
	if in.ExpirationModel == nil {
		return expires
	}
	return *in.ExpirationModel
}

func (in *importKeyMaterialInput) conditions(ctx policy.Context) {
	ctx.Set("kms:ExpirationModel", in.model())
	if in.ValidTo != nil {
		ctx.Set("kms:ValidTo", time.Time(*in.ValidTo).Format(time.RFC3339))
	}
}

// validTo is when the material expires; the zero time is never (K84).
func (in *importKeyMaterialInput) validTo(now time.Time) (time.Time, error) {
	bad := func(text string) (time.Time, error) { return time.Time{}, failure.New(validation, text) }
	if in.model() == neverExpires {
		if in.ValidTo != nil {
			return bad("A validTo date must not be set if the ExpirationModel is " + neverExpires)
		}
		return time.Time{}, nil
	}
	if in.ValidTo == nil {
		return bad("A validTo date must be set if the ExpirationModel is " + expires)
	}
	switch at := time.Time(*in.ValidTo); {
	case !at.After(now):
		return bad("ValidTo must be in the future")
	case at.Sub(now) > longestImport:
		return bad("ValidTo must be within 365 days")
	default:
		return at, nil
	}
}

// unwrap decrypts wrapped material: by RSA-OAEP, or by RSA-OAEP an AES key that wraps it.
func unwrap(t *importToken, wrapped []byte) (secret, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(t.Private)
	if err != nil {
		return nil, err
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("kmsapi: the wrapping key is a %T", parsed)
	}
	pair := &rsaPair{private}
	if !strings.HasPrefix(t.Algorithm, "RSA_AES_") {
		return pair.decrypt(t.Algorithm, wrapped)
	}
	if len(wrapped) < private.Size() {
		return nil, errKeyWrap
	}
	kek, err := pair.decrypt(t.Algorithm, wrapped[:private.Size()])
	if err != nil {
		return nil, err
	}
	return unwrapWithPadding(kek, wrapped[private.Size():])
}

// importable checks that b can be the material of a key of this spec, and returns its
// canonical form.
func importable(spec *keySpec, b secret) (secret, error) {
	least, most := 0, 0
	switch spec.family {
	case aesFamily:
		least, most = 32, 32
	case hmacFamily: // from the length of the digest to that of the hash function's block
		least, most = spec.bits/8, hashOf(spec.algorithms[usageMAC][0]).New().BlockSize()
	default:
		return canonicalPrivateKey(spec, b)
	}
	if len(b) < least || len(b) > most {
		return nil, fmt.Errorf("kmsapi: %d bytes are no key material of %s", len(b), spec.name)
	}
	return b, nil
}

// place puts imported material where it belongs, or says why it belongs nowhere.
func (s *Service) place(r *keyRecord, m *material, in *importKeyMaterialInput) error {
	symmetric := r.Spec == specSymmetric
	if !symmetric && (in.ImportType != nil || in.KeyMaterialID != nil || in.KeyMaterialDescription != nil) {
		return failure.New(validation, "ImportType, KeyMaterialId and KeyMaterialDescription are valid for symmetric encryption keys only.")
	}
	m.Description = value(in.KeyMaterialDescription)
	fresh := len(r.Materials) == 0
	if in.ImportType != nil {
		fresh = *in.ImportType == importNew
	}
	if fresh {
		return s.placeNew(r, m, in)
	}
	if in.KeyMaterialID != nil && *in.KeyMaterialID != m.ID {
		return failure.New(incorrectMaterial, "")
	}
	for _, known := range r.all() {
		if known.ID == m.ID {
			known.renew(m, in.KeyMaterialDescription)
			return nil
		}
	}
	// A replica takes what waits in its primary key.
	if lead := s.key(keyRef{r.Account, r.PrimaryRegion, r.ID}); !r.leads() && lead != nil && lead.Imported != nil && lead.Imported.ID == m.ID {
		r.Imported = m
		return nil
	}
	return failure.New(incorrectMaterial, "")
}

// placeNew takes material that the key never had.
func (s *Service) placeNew(r *keyRecord, m *material, in *importKeyMaterialInput) error {
	switch {
	case in.KeyMaterialID != nil:
		return failure.New(validation, "KeyMaterialId is not valid with the ImportType "+importNew+".")
	case !r.leads():
		return errNotPrimary(r)
	case len(r.Materials) == 0:
		r.Materials = []material{*m}
		return nil
	case r.Imported != nil && r.Imported.ID == m.ID:
		r.Imported.renew(m, in.KeyMaterialDescription)
		return nil
	case r.Imported != nil:
		return failure.Newf(invalidState, "New key material (id: %s) cannot be imported into KMS key %s, "+
			"because another key material (id: %s) is pending rotation.", m.ID, r.ID, r.Imported.ID)
	}
	for _, known := range r.all() {
		if known.ID == m.ID { // it is not new
			return failure.New(incorrectMaterial, "")
		}
	}
	r.Imported = m
	return nil
}

// renew puts the same material in place again, with its new date.
func (m *material) renew(again *material, description *string) {
	m.Sealed, m.Secret, m.ValidTo = again.Sealed, again.Secret, again.ValidTo
	if description != nil {
		m.Description = *description
	}
}
