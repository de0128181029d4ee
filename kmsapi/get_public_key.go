package kmsapi

import "twinbucket/internal/failure"

type getPublicKeyInput struct {
	KeyID       *string  `json:"KeyId"`
	GrantTokens []string `json:"GrantTokens"`
}

func (in *getPublicKeyInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.grantTokens(in.GrantTokens)
}

type getPublicKeyOutput struct {
	KeyID                  string   `json:"KeyId"` // the ARN
	PublicKey              blob     `json:"PublicKey"`
	CustomerMasterKeySpec  string   `json:"CustomerMasterKeySpec"`
	KeySpec                string   `json:"KeySpec"`
	KeyUsage               string   `json:"KeyUsage"`
	EncryptionAlgorithms   []string `json:"EncryptionAlgorithms,omitempty"`
	SigningAlgorithms      []string `json:"SigningAlgorithms,omitempty"`
	KeyAgreementAlgorithms []string `json:"KeyAgreementAlgorithms,omitempty"`
}

// getPublicKey implements GetPublicKey. Symmetric and HMAC keys have none, which is an
// exception without a message (K97).
func (s *Service) getPublicKey(c *call, in *getPublicKeyInput) (*getPublicKeyOutput, error) {
	t, err := s.cryptoTarget(c, *in.KeyID, in.GrantTokens, keyAuth{action: "kms:GetPublicKey"})
	if err != nil {
		return nil, err
	}
	k := t.key
	if !k.spec.asymmetric() {
		return nil, failure.New(unsupported, "")
	}
	if err := k.usable(); err != nil {
		return nil, err
	}
	der, err := k.active().pair.public()
	if err != nil {
		return nil, err
	}
	m := k.metadata()
	return &getPublicKeyOutput{
		KeyID: k.arn, PublicKey: der, CustomerMasterKeySpec: k.Spec, KeySpec: k.Spec, KeyUsage: k.Usage,
		EncryptionAlgorithms: m.EncryptionAlgorithms, SigningAlgorithms: m.SigningAlgorithms, KeyAgreementAlgorithms: m.KeyAgreementAlgorithms,
	}, nil
}
