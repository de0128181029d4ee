package kmsapi

type listKeysInput struct {
	paging
}

func (in *listKeysInput) constraints(v *violations) { v.paging(in.Limit, in.Marker) }

type listKeysOutput struct {
	Keys []keyListEntry `json:"Keys"`
	more
}

type keyListEntry struct {
	KeyID  string `json:"KeyId"`
	KeyARN string `json:"KeyArn"`
}

// listKeys implements ListKeys: all keys of the account and region, AWS managed ones
// included, sorted by id.
func (s *Service) listKeys(c *call, in *listKeysInput) (*listKeysOutput, error) {
	if _, err := s.authorizeIAM(c, "kms:ListKeys", "*", nil); err != nil {
		return nil, err
	}
	keys, rest, err := page(in.paging, 100, 1000, s.keysOf(c.caller.Account(), c.region), func(k *key) string { return k.ID })
	if err != nil {
		return nil, err
	}
	out := &listKeysOutput{Keys: make([]keyListEntry, 0, len(keys)), more: rest}
	for _, k := range keys {
		out.Keys = append(out.Keys, keyListEntry{k.ID, k.arn})
	}
	return out, nil
}
