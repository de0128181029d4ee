package kmsapi

import (
	"crypto/hmac"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// macInput are the members that GenerateMac and VerifyMac have in common.
type macInput struct {
	KeyID        *string  `json:"KeyId"`
	Message      blob     `json:"Message"`
	MacAlgorithm *string  `json:"MacAlgorithm"`
	GrantTokens  []string `json:"GrantTokens"`
	DryRun       *bool    `json:"DryRun"`
}

func (in *macInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("message", in.Message != nil) {
		v.secret("message", in.Message, 1, maxPlaintext)
	}
	if v.required("macAlgorithm", in.MacAlgorithm != nil) {
		v.enum("macAlgorithm", in.MacAlgorithm, "HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512")
	}
	v.grantTokens(in.GrantTokens)
}

type generateMacInput struct{ macInput }

type generateMacOutput struct {
	KeyID        string `json:"KeyId"` // the ARN
	Mac          blob   `json:"Mac"`
	MacAlgorithm string `json:"MacAlgorithm"`
}

// generateMac implements GenerateMac.
func (s *Service) generateMac(c *call, in *generateMacInput) (*generateMacOutput, error) {
	k, mac, err := s.computeMAC(c, &in.macInput)
	if err != nil {
		return nil, err
	}
	return &generateMacOutput{k.arn, mac, *in.MacAlgorithm}, nil
}

// computeMAC finds, authorizes and checks the key, and computes the message's code.
func (s *Service) computeMAC(c *call, in *macInput) (*key, []byte, error) {
	t, err := s.cryptoTarget(c, *in.KeyID, in.GrantTokens, keyAuth{action: c.op.Action, more: func(ctx policy.Context) {
		ctx.Set("kms:MacAlgorithm", *in.MacAlgorithm)
	}})
	if err != nil {
		return nil, nil, err
	}
	if err := t.key.usable(); err != nil {
		return nil, nil, err
	}
	if err := t.key.fits(c.op.Name, usageMAC, *in.MacAlgorithm); err != nil {
		return nil, nil, err
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return nil, nil, err
	}
	return t.key, macOf(*in.MacAlgorithm, t.key.active().mac, in.Message), nil
}

func macOf(algorithm string, key secret, message []byte) []byte {
	m := hmac.New(hashOf(algorithm).New, key)
	m.Write(message)
	return m.Sum(nil)
}

type verifyMacInput struct {
	macInput
	Mac blob `json:"Mac"`
}

func (in *verifyMacInput) constraints(v *violations) {
	in.macInput.constraints(v)
	if v.required("mac", in.Mac != nil) {
		v.secret("mac", in.Mac, 1, maxCiphertext)
	}
}

type verifyMacOutput struct {
	KeyID        string `json:"KeyId"` // the ARN
	MacValid     bool   `json:"MacValid"`
	MacAlgorithm string `json:"MacAlgorithm"`
}

// verifyMac implements VerifyMac. A code that is not valid is an exception without a
// message, never a false answer (K96).
func (s *Service) verifyMac(c *call, in *verifyMacInput) (*verifyMacOutput, error) {
	k, mac, err := s.computeMAC(c, &in.macInput)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac, in.Mac) {
		return nil, failure.New(invalidMAC, "")
	}
	return &verifyMacOutput{k.arn, true, *in.MacAlgorithm}, nil
}
