package kmsapi

import "twinbucket/internal/failure"

type verifyInput struct {
	signedMessage
	Signature blob `json:"Signature"`
}

func (in *verifyInput) constraints(v *violations) {
	in.signedMessage.constraints(v)
	if v.required("signature", in.Signature != nil) {
		v.secret("signature", in.Signature, 1, maxCiphertext)
	}
}

type verifyOutput struct {
	KeyID            string `json:"KeyId"` // the ARN
	SignatureValid   bool   `json:"SignatureValid"`
	SigningAlgorithm string `json:"SigningAlgorithm"`
}

// verify implements Verify. A signature that is not valid is an exception without a
// message, never a false answer (K95).
func (s *Service) verify(c *call, in *verifyInput) (*verifyOutput, error) {
	k, input, err := s.signingKey(c, &in.signedMessage)
	if err != nil {
		return nil, err
	}
	if !k.active().pair.verify(*in.SigningAlgorithm, input, in.Signature) {
		return nil, failure.New(wrongSignature, "")
	}
	return &verifyOutput{k.arn, true, *in.SigningAlgorithm}, nil
}
