package kmsapi

type describeCustomKeyStoresInput struct {
	CustomKeyStoreID   *string `json:"CustomKeyStoreId"`
	CustomKeyStoreName *string `json:"CustomKeyStoreName"`
	paging
}

func (in *describeCustomKeyStoresInput) constraints(v *violations) {
	v.text("customKeyStoreId", in.CustomKeyStoreID, 1, 64)
	v.text("customKeyStoreName", in.CustomKeyStoreName, 1, 256)
	v.paging(in.Limit, in.Marker)
}

type describeCustomKeyStoresOutput struct {
	CustomKeyStores []struct{} `json:"CustomKeyStores"`
	more
}

// describeCustomKeyStores implements DescribeCustomKeyStores: there are none (K94).
func (s *Service) describeCustomKeyStores(c *call, in *describeCustomKeyStoresInput) (*describeCustomKeyStoresOutput, error) {
	if _, err := s.authorizeIAM(c, "kms:DescribeCustomKeyStores", "*", nil); err != nil {
		return nil, err
	}
	return &describeCustomKeyStoresOutput{CustomKeyStores: []struct{}{}}, nil
}
