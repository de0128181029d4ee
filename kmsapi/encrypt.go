package kmsapi

import "twinbucket/internal/failure"

type encryptInput struct {
	KeyID               *string           `json:"KeyId"`
	Plaintext           blob              `json:"Plaintext"`
	EncryptionContext   map[string]string `json:"EncryptionContext"`
	EncryptionAlgorithm *string           `json:"EncryptionAlgorithm"`
	GrantTokens         []string          `json:"GrantTokens"`
	DryRun              *bool             `json:"DryRun"`
}

func (in *encryptInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("plaintext", in.Plaintext != nil) {
		v.secret("plaintext", in.Plaintext, 1, maxPlaintext)
	}
	v.encryptionAlgorithm("encryptionAlgorithm", in.EncryptionAlgorithm)
	v.grantTokens(in.GrantTokens)
}

func (in *encryptInput) quota() string { return quotaOf(value(in.EncryptionAlgorithm)) }

type encryptOutput struct {
	CiphertextBlob      blob   `json:"CiphertextBlob"`
	KeyID               string `json:"KeyId"` // the ARN
	EncryptionAlgorithm string `json:"EncryptionAlgorithm"`
}

// encrypt implements Encrypt.
func (s *Service) encrypt(c *call, in *encryptInput) (*encryptOutput, error) {
	in.EncryptionAlgorithm = algorithmOrDefault(in.EncryptionAlgorithm)
	algorithm := *in.EncryptionAlgorithm
	t, err := s.cryptoTarget(c, *in.KeyID, in.GrantTokens, keyAuth{action: "kms:Encrypt", encCtx: in.EncryptionContext, algorithm: algorithm})
	if err != nil {
		return nil, err
	}
	if err := t.key.encrypts("Encrypt", algorithm, in.EncryptionContext, len(in.Plaintext)); err != nil {
		return nil, err
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return nil, err
	}
	b, err := s.encryptWith(t.key, algorithm, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &encryptOutput{CiphertextBlob: b, KeyID: t.key.arn, EncryptionAlgorithm: algorithm}, nil
}

// cryptoTarget resolves the key of a cryptographic operation and authorizes it.
func (s *Service) cryptoTarget(c *call, id string, tokens []string, a keyAuth) (t *target, err error) {
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	if t, err = s.resolve(c, id, anyID); err != nil {
		return nil, err
	}
	a.target = t
	return t, s.authorize(c, a)
}

// encrypts checks what stands before encryption of size bytes: state, usage and
// algorithm of the key, then what an RSA key can't do (K88, K89).
func (k *key) encrypts(operation, algorithm string, encCtx map[string]string, size int) error {
	if err := k.usable(); err != nil {
		return err
	}
	if err := k.fits(operation, usageEncryptDecrypt, algorithm); err != nil {
		return err
	}
	p, isRSA := k.active().pair.(*rsaPair)
	if !isRSA {
		return nil
	}
	if most := p.most(algorithm); size > most {
		return failure.Newf(validation, "Algorithm %s and key spec %s cannot encrypt data larger than %d bytes.", algorithm, k.Spec, most)
	}
	return noContext(encCtx)
}

// noContext refuses an encryption context, which asymmetric encryption can't bind (K89).
func noContext(encCtx map[string]string) error {
	if len(encCtx) > 0 {
		return failure.New(validation, "EncryptionContext is not supported by asymmetric encryption algorithms.")
	}
	return nil
}

// encryptWith encrypts under a key that encrypts has been asked about.
func (s *Service) encryptWith(k *key, algorithm string, plaintext []byte, encCtx map[string]string) ([]byte, error) {
	if p, isRSA := k.active().pair.(*rsaPair); isRSA {
		return p.encrypt(s.rand, algorithm, plaintext)
	}
	return s.seal(k, plaintext, encCtx)
}

// dryRunEnd ends a dry run that passed all checks: a dry run always fails (K10).
func dryRunEnd(dry *bool) error {
	if value(dry) {
		return failure.New(dryRun, "The request would have succeeded, but the DryRun option is set.")
	}
	return nil
}

func algorithmOrDefault(a *string) *string {
	if a == nil {
		usual := algSymmetric
		return &usual
	}
	return a
}
