package kmsapi

import (
	"io"

	"twinbucket/internal/failure"
)

type generateRandomInput struct {
	NumberOfBytes    *int32     `json:"NumberOfBytes"`
	CustomKeyStoreID *string    `json:"CustomKeyStoreId"`
	Recipient        *recipient `json:"Recipient"`
}

func (in *generateRandomInput) constraints(v *violations) {
	v.number("numberOfBytes", in.NumberOfBytes, 1, 1024)
}

type generateRandomOutput struct {
	Plaintext blob `json:"Plaintext"`
}

// generateRandom implements GenerateRandom.
func (s *Service) generateRandom(c *call, in *generateRandomInput) (*generateRandomOutput, error) {
	if _, err := s.authorizeIAM(c, "kms:GenerateRandom", "*", nil); err != nil {
		return nil, err
	}
	if in.NumberOfBytes == nil {
		return nil, failure.New(validation, "NumberOfBytes is required.") // K57
	}
	if in.CustomKeyStoreID != nil {
		return nil, failure.New(unsupported, "CustomKeyStoreId is not supported by Twinbucket, which has no custom key stores.")
	}
	if err := in.Recipient.refuse(); err != nil {
		return nil, err
	}
	b := make([]byte, *in.NumberOfBytes)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, err
	}
	return &generateRandomOutput{b}, nil
}
