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

type encryptOutput struct {
	CiphertextBlob      blob   `json:"CiphertextBlob"`
	KeyID               string `json:"KeyId"` // the ARN
	EncryptionAlgorithm string `json:"EncryptionAlgorithm"`
}

// encrypt implements Encrypt.
func (s *Service) encrypt(c *call, in *encryptInput) (*encryptOutput, error) {
	in.EncryptionAlgorithm = algorithmOrDefault(in.EncryptionAlgorithm)
	t, err := s.cryptoTarget(c, *in.KeyID, "kms:Encrypt", in.EncryptionContext, in.GrantTokens)
	if err != nil {
		return nil, err
	}
	if err := ready(t.key, *in.EncryptionAlgorithm, in.DryRun); err != nil {
		return nil, err
	}
	b, err := s.seal(t.key, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &encryptOutput{CiphertextBlob: b, KeyID: t.key.arn, EncryptionAlgorithm: algSymmetric}, nil
}

// cryptoTarget resolves the key of an operation that encrypts and authorizes it.
func (s *Service) cryptoTarget(c *call, id, action string, encCtx map[string]string, tokens []string) (*target, error) {
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, id, anyID)
	if err != nil {
		return nil, err
	}
	return t, s.authorize(c, keyAuth{action: action, target: t, encCtx: encCtx, crypto: true})
}

// ready checks what follows authorization: key state, then usage, then dry run (K40).
func ready(k *key, algorithm string, dry *bool) error {
	if err := k.usable(); err != nil {
		return err
	}
	if algorithm != algSymmetric {
		return failure.Newf(invalidKeyUsage, "Algorithm %s is incompatible with key spec %s.", algorithm, specSymmetric)
	}
	return dryRunEnd(dry)
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
