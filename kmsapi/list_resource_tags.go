package kmsapi

type listResourceTagsInput struct {
	KeyID *string `json:"KeyId"`
	paging
}

func (in *listResourceTagsInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.paging(in.Limit, in.Marker)
}

type listResourceTagsOutput struct {
	Tags []tag `json:"Tags"`
	more
}

// listResourceTags implements ListResourceTags, sorted by tag key. A key without
// tags has an empty list (K27).
func (s *Service) listResourceTags(c *call, in *listResourceTagsInput) (*listResourceTagsOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:ListResourceTags", target: t}); err != nil {
		return nil, err
	}
	tags, rest, err := page(in.paging, 50, 50, t.key.Tags, func(t tag) string { return t.Key })
	if err != nil {
		return nil, err
	}
	return &listResourceTagsOutput{Tags: append([]tag{}, tags...), more: rest}, nil
}
