package kmsapi

import (
	"slices"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type generateDataKeyPairInput struct {
	KeyID             *string           `json:"KeyId"`
	KeyPairSpec       *string           `json:"KeyPairSpec"`
	EncryptionContext map[string]string `json:"EncryptionContext"`
	GrantTokens       []string          `json:"GrantTokens"`
	Recipient         *recipient        `json:"Recipient"`
	DryRun            *bool             `json:"DryRun"`
}

func (in *generateDataKeyPairInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("keyPairSpec", in.KeyPairSpec != nil) {
		v.enum("keyPairSpec", in.KeyPairSpec, keyPairSpecs()...)
	}
	v.grantTokens(in.GrantTokens)
}

// quota is one for each spec, which both operations share (K91).
func (in *generateDataKeyPairInput) quota() string { return pairQuota + *in.KeyPairSpec }

// generateDataKeyPairWithoutPlaintextOutput is the private key sealed as PKCS #8, and the
// public key as SubjectPublicKeyInfo, both in DER.
type generateDataKeyPairWithoutPlaintextOutput struct {
	PrivateKeyCiphertextBlob blob   `json:"PrivateKeyCiphertextBlob"`
	PublicKey                blob   `json:"PublicKey"`
	KeyID                    string `json:"KeyId"` // the ARN
	KeyPairSpec              string `json:"KeyPairSpec"`
	KeyMaterialID            string `json:"KeyMaterialId"`
}

type generateDataKeyPairOutput struct {
	generateDataKeyPairWithoutPlaintextOutput
	PrivateKeyPlaintext blob `json:"PrivateKeyPlaintext"`
}

// generateDataKeyPair implements GenerateDataKeyPair. The private key opens by an
// ordinary Decrypt with the same context (K91).
func (s *Service) generateDataKeyPair(c *call, in *generateDataKeyPairInput) (*generateDataKeyPairOutput, error) {
	spec, ok := specOf(*in.KeyPairSpec)
	if !ok || !slices.Contains(keyPairSpecs(), spec.name) {
		panic("kmsapi: key pair spec " + *in.KeyPairSpec) // constraints let no other through
	}
	if err := in.Recipient.refuse(); err != nil {
		return nil, err
	}
	t, err := s.wrappingKey(c, *in.KeyID, in.EncryptionContext, in.GrantTokens, func(ctx policy.Context) {
		ctx.Set("kms:DataKeyPairSpec", *in.KeyPairSpec)
	})
	if err != nil {
		return nil, err
	}
	if spec.family == unsupportedFamily {
		return nil, failure.Newf(unsupported, "KeyPairSpec %s is not supported by Twinbucket: %s.", spec.name, spec.why)
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return nil, err
	}
	private, err := newPrivateKey(s.rand, &spec)
	if err != nil {
		return nil, err
	}
	pair, err := parsePrivateKey(&spec, private)
	if err != nil {
		return nil, err
	}
	public, err := pair.public()
	if err != nil {
		return nil, err
	}
	sealed, err := s.seal(t.key, private, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &generateDataKeyPairOutput{generateDataKeyPairWithoutPlaintextOutput{
		sealed, public, t.key.arn, spec.name, t.key.current().ID,
	}, blob(private)}, nil
}

// generateDataKeyPairWithoutPlaintext implements GenerateDataKeyPairWithoutPlaintext, an
// action of its own.
func (s *Service) generateDataKeyPairWithoutPlaintext(c *call, in *generateDataKeyPairInput) (*generateDataKeyPairWithoutPlaintextOutput, error) {
	out, err := s.generateDataKeyPair(c, in)
	if err != nil {
		return nil, err
	}
	return &out.generateDataKeyPairWithoutPlaintextOutput, nil
}
