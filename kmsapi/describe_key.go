package kmsapi

type describeKeyInput struct {
	KeyID       *string  `json:"KeyId"`
	GrantTokens []string `json:"GrantTokens"`
}

func (in *describeKeyInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.grantTokens(in.GrantTokens)
}

type describeKeyOutput struct {
	KeyMetadata keyMetadata `json:"KeyMetadata"`
}

// describeKey implements DescribeKey. It works in every key state and brings S3's
// AWS managed key into being (K35).
func (s *Service) describeKey(c *call, in *describeKeyInput) (*describeKeyOutput, error) {
	if err := checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, *in.KeyID, anyID)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:DescribeKey", target: t}); err != nil {
		return nil, err
	}
	return &describeKeyOutput{s.metadata(t.key)}, nil
}
