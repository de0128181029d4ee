package kmsapi

import (
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type deriveSharedSecretInput struct {
	KeyID                 *string    `json:"KeyId"`
	KeyAgreementAlgorithm *string    `json:"KeyAgreementAlgorithm"`
	PublicKey             blob       `json:"PublicKey"`
	GrantTokens           []string   `json:"GrantTokens"`
	Recipient             *recipient `json:"Recipient"`
	DryRun                *bool      `json:"DryRun"`
}

func (in *deriveSharedSecretInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("keyAgreementAlgorithm", in.KeyAgreementAlgorithm != nil) {
		v.enum("keyAgreementAlgorithm", in.KeyAgreementAlgorithm, algECDH)
	}
	if v.required("publicKey", in.PublicKey != nil) {
		v.secret("publicKey", in.PublicKey, 1, 8192)
	}
	v.grantTokens(in.GrantTokens)
}

func (in *deriveSharedSecretInput) quota() string { return quotaECC }

type deriveSharedSecretOutput struct {
	KeyID                 string `json:"KeyId"` // the ARN
	SharedSecret          blob   `json:"SharedSecret"`
	KeyAgreementAlgorithm string `json:"KeyAgreementAlgorithm"`
	KeyOrigin             string `json:"KeyOrigin"`
}

// deriveSharedSecret implements DeriveSharedSecret. A peer's key that is none, or on
// another curve, is a ValidationException without a message (K98).
func (s *Service) deriveSharedSecret(c *call, in *deriveSharedSecretInput) (*deriveSharedSecretOutput, error) {
	if err := in.Recipient.refuse(); err != nil {
		return nil, err
	}
	t, err := s.cryptoTarget(c, *in.KeyID, in.GrantTokens, keyAuth{action: "kms:DeriveSharedSecret", more: func(ctx policy.Context) {
		ctx.Set("kms:KeyAgreementAlgorithm", *in.KeyAgreementAlgorithm)
	}})
	if err != nil {
		return nil, err
	}
	k := t.key
	if err := k.usable(); err != nil {
		return nil, err
	}
	if err := k.fits("DeriveSharedSecret", usageKeyAgreement, *in.KeyAgreementAlgorithm); err != nil {
		return nil, err
	}
	pair, ok := k.active().pair.(*nistPair)
	if !ok {
		panic("kmsapi: a key agreement key of spec " + k.Spec) // fits lets no other through
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return nil, err
	}
	shared, err := pair.agree(in.PublicKey)
	if err != nil {
		return nil, failure.New(validation, "").Because(err)
	}
	return &deriveSharedSecretOutput{k.arn, shared, *in.KeyAgreementAlgorithm, k.Origin}, nil
}
