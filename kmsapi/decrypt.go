package kmsapi

import (
	"encoding/hex"
	"slices"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type decryptInput struct {
	CiphertextBlob      blob              `json:"CiphertextBlob"`
	KeyID               *string           `json:"KeyId"`
	EncryptionContext   map[string]string `json:"EncryptionContext"`
	EncryptionAlgorithm *string           `json:"EncryptionAlgorithm"`
	GrantTokens         []string          `json:"GrantTokens"`
	Recipient           *recipient        `json:"Recipient"`
	DryRun              *bool             `json:"DryRun"`
	DryRunModifiers     []string          `json:"DryRunModifiers"`
}

func (in *decryptInput) constraints(v *violations) {
	v.ciphertext(in.CiphertextBlob, ignoreCiphertext(in.DryRun, in.DryRunModifiers))
	v.text("keyId", in.KeyID, 1, 2048)
	v.encryptionAlgorithm("encryptionAlgorithm", in.EncryptionAlgorithm)
	v.grantTokens(in.GrantTokens)
}

func (v *violations) ciphertext(b blob, optional bool) {
	if optional || v.required("ciphertextBlob", b != nil) {
		v.secret("ciphertextBlob", b, 1, maxCiphertext)
	}
}

// ignoreCiphertext: a dry run may ask for the authorization alone (K10).
func ignoreCiphertext(dry *bool, modifiers []string) bool {
	return value(dry) && slices.Contains(modifiers, "IGNORE_CIPHERTEXT")
}

// recipient asks for output encrypted to a Nitro enclave, which there is none of.
type recipient struct{}

func (r *recipient) refuse() error {
	if r == nil {
		return nil
	}
	return failure.New(unsupported, "Recipient is not supported by Twinbucket, which has no Nitro enclaves.")
}

func (in *decryptInput) quota() string { return quotaOf(value(in.EncryptionAlgorithm)) }

type decryptOutput struct {
	KeyID               string `json:"KeyId"` // the ARN
	Plaintext           blob   `json:"Plaintext"`
	EncryptionAlgorithm string `json:"EncryptionAlgorithm"`
	KeyMaterialID       string `json:"KeyMaterialId,omitempty"`
}

// decrypt implements Decrypt. Without a KeyId the ciphertext names the key, also in
// another account (K52).
func (s *Service) decrypt(c *call, in *decryptInput) (*decryptOutput, error) {
	in.EncryptionAlgorithm = algorithmOrDefault(in.EncryptionAlgorithm)
	if err := in.Recipient.refuse(); err != nil {
		return nil, err
	}
	src, err := s.source(c, sourceAuth{
		blob: in.CiphertextBlob, keyID: in.KeyID, action: "kms:Decrypt", algorithm: *in.EncryptionAlgorithm,
		encCtx: in.EncryptionContext, tokens: in.GrantTokens, ignore: ignoreCiphertext(in.DryRun, in.DryRunModifiers),
	})
	if err != nil {
		return nil, err
	}
	if err := src.decrypts("Decrypt"); err != nil {
		return nil, err
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return nil, err
	}
	plaintext, err := src.open()
	if err != nil {
		return nil, err
	}
	return &decryptOutput{
		KeyID: src.target.key.arn, Plaintext: plaintext, EncryptionAlgorithm: src.algorithm, KeyMaterialID: src.materialID(),
	}, nil
}

// sourceAuth is what Decrypt and ReEncrypt have in common.
type sourceAuth struct {
	blob      blob
	keyID     *string
	action    string
	algorithm string
	encCtx    map[string]string
	tokens    []string
	more      func(*target) func(policy.Context)
	// ignore: a dry run without a ciphertext; keyID is then required.
	ignore bool
}

// source is a ciphertext with the key that the caller may decrypt it with.
type source struct {
	sourceAuth
	target   *target
	envelope envelope // of a symmetric key's ciphertext
}

// source finds the key of a ciphertext and authorizes the caller on it (K52). The
// key is the ciphertext's; naming another one is an IncorrectKeyException, which
// comes before the checks of state and usage (K53). The ciphertext of an RSA key names
// none, so the request has to.
func (s *Service) source(c *call, a sourceAuth) (*source, error) {
	if err := checkTokens(a.tokens); err != nil {
		return nil, err
	}
	src := &source{sourceAuth: a}
	var foreign error // what keeps the blob from being a symmetric key's
	if !a.ignore {
		src.envelope, foreign = parseEnvelope(a.blob)
	}
	switch {
	case a.keyID != nil:
	case a.ignore:
		return nil, failure.New(validation, "KeyId is required with the IGNORE_CIPHERTEXT modifier.")
	case foreign != nil:
		return nil, failure.New(invalidCiphertext, "").Because(foreign)
	}
	var err error
	if src.target, err = s.sourceKey(c, &src.envelope, a.keyID); err != nil {
		return nil, err
	}
	auth := keyAuth{action: a.action, target: src.target, encCtx: a.encCtx, algorithm: a.algorithm}
	if a.more != nil {
		auth.more = a.more(src.target)
	}
	if err := s.authorize(c, auth); err != nil {
		return nil, err
	}
	switch k := src.target.key; {
	case a.ignore:
	case foreign == nil && !src.envelope.sealedBy(k):
		return nil, failure.New(incorrectKey, "The key ID in the request does not identify a CMK that can perform this operation.")
	case foreign != nil && k.spec.symmetric():
		return nil, failure.New(invalidCiphertext, "").Because(foreign)
	}
	return src, nil
}

// sourceKey is the key that the request names, or else the one of the ciphertext. A
// bare id that equals the ciphertext's means that key, whoever owns it (K52).
func (s *Service) sourceKey(c *call, e *envelope, keyID *string) (*target, error) {
	if keyID != nil && !strings.EqualFold(*keyID, e.key.ID) {
		return s.resolve(c, *keyID, anyID)
	}
	ref := e.key
	if isMultiRegionID(ref.ID) { // any member of the set will do: the one that is here (K85)
		ref.Region = c.region
	}
	t := &target{arn: ref.arn(), account: ref.Account, implied: keyID == nil}
	if ref.Region == c.region { // a key of another Region does not exist here
		t.key = s.key(ref)
	}
	c.keys = append(c.keys, t)
	return t, nil
}

// decrypts checks what follows authorization: the key's state, then usage and algorithm.
func (src *source) decrypts(operation string) error {
	k := src.target.key
	if err := k.usable(); err != nil {
		return err
	}
	if err := k.fits(operation, usageEncryptDecrypt, src.algorithm); err != nil {
		return err
	}
	if k.spec.asymmetric() {
		return noContext(src.encCtx)
	}
	return nil
}

// open decrypts. Whatever is wrong with ciphertext or context has one answer (K54).
func (src *source) open() (plaintext []byte, err error) {
	if p, isRSA := src.target.key.active().pair.(*rsaPair); isRSA {
		plaintext, err = p.decrypt(src.algorithm, src.blob)
	} else {
		plaintext, err = src.target.key.open(&src.envelope, src.encCtx)
	}
	if err != nil {
		return nil, failure.New(invalidCiphertext, "").Because(err)
	}
	return plaintext, nil
}

// materialID is the id of the material of a symmetric key that opened the ciphertext.
func (src *source) materialID() string {
	if !src.target.key.spec.symmetric() {
		return ""
	}
	return hex.EncodeToString(src.envelope.material[:])
}
