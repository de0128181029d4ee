package kmsapi

import (
	"io"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type generateDataKeyInput struct {
	KeyID             *string           `json:"KeyId"`
	EncryptionContext map[string]string `json:"EncryptionContext"`
	NumberOfBytes     *int32            `json:"NumberOfBytes"`
	KeySpec           *string           `json:"KeySpec"`
	GrantTokens       []string          `json:"GrantTokens"`
	Recipient         *recipient        `json:"Recipient"`
	DryRun            *bool             `json:"DryRun"`
}

func (in *generateDataKeyInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.number("numberOfBytes", in.NumberOfBytes, 1, 1024)
	v.enum("keySpec", in.KeySpec, specAES256, specAES128)
	v.grantTokens(in.GrantTokens)
}

// size is the length of the data key in bytes. Exactly one member must tell it (K55).
func (in *generateDataKeyInput) size() (int, error) {
	switch {
	case (in.KeySpec == nil) == (in.NumberOfBytes == nil):
		return 0, failure.New(validation, "Please specify either number of bytes or key spec.")
	case in.NumberOfBytes != nil:
		return int(*in.NumberOfBytes), nil
	case *in.KeySpec == specAES128:
		return 16, nil
	}
	return 32, nil
}

type generateDataKeyOutput struct {
	CiphertextBlob blob   `json:"CiphertextBlob"`
	Plaintext      blob   `json:"Plaintext"`
	KeyID          string `json:"KeyId"` // the ARN
	KeyMaterialID  string `json:"KeyMaterialId"`
}

// generateDataKey implements GenerateDataKey. What it returns sealed is an ordinary
// ciphertext that Decrypt opens with the same context (K55).
func (s *Service) generateDataKey(c *call, in *generateDataKeyInput) (*generateDataKeyOutput, error) {
	size, err := in.size()
	if err != nil {
		return nil, err
	}
	if err := in.Recipient.refuse(); err != nil {
		return nil, err
	}
	t, err := s.wrappingKey(c, *in.KeyID, in.EncryptionContext, in.GrantTokens, nil)
	if err != nil {
		return nil, err
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return nil, err
	}
	plaintext := make([]byte, size)
	if _, err := io.ReadFull(s.rand, plaintext); err != nil {
		return nil, err
	}
	b, err := s.seal(t.key, plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &generateDataKeyOutput{CiphertextBlob: b, Plaintext: plaintext, KeyID: t.key.arn, KeyMaterialID: t.key.current().ID}, nil
}

// wrappingKey resolves, authorizes and checks the symmetric key that data keys and data
// key pairs are sealed under.
func (s *Service) wrappingKey(c *call, id string, encCtx map[string]string, tokens []string, more func(policy.Context)) (*target, error) {
	t, err := s.cryptoTarget(c, id, tokens, keyAuth{action: c.op.Action, encCtx: encCtx, algorithm: algSymmetric, more: more})
	if err != nil {
		return nil, err
	}
	if err := t.key.usable(); err != nil {
		return nil, err
	}
	return t, t.key.fits(c.op.Name, usageEncryptDecrypt, algSymmetric)
}

type generateDataKeyWithoutPlaintextOutput struct {
	CiphertextBlob blob   `json:"CiphertextBlob"`
	KeyID          string `json:"KeyId"`
	KeyMaterialID  string `json:"KeyMaterialId"`
}

// generateDataKeyWithoutPlaintext implements GenerateDataKeyWithoutPlaintext, an
// action of its own.
func (s *Service) generateDataKeyWithoutPlaintext(c *call, in *generateDataKeyInput) (*generateDataKeyWithoutPlaintextOutput, error) {
	out, err := s.generateDataKey(c, in)
	if err != nil {
		return nil, err
	}
	return &generateDataKeyWithoutPlaintextOutput{out.CiphertextBlob, out.KeyID, out.KeyMaterialID}, nil
}
