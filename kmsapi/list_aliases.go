package kmsapi

import "slices"

type listAliasesInput struct {
	KeyID *string `json:"KeyId"`
	paging
}

func (in *listAliasesInput) constraints(v *violations) {
	v.text("keyId", in.KeyID, 1, 2048)
	v.paging(in.Limit, in.Marker)
}

type listAliasesOutput struct {
	Aliases []aliasListEntry `json:"Aliases"`
	more
}

type aliasListEntry struct {
	AliasName       string `json:"AliasName"`
	AliasARN        string `json:"AliasArn"`
	TargetKeyID     string `json:"TargetKeyId"` // the id, never the ARN (K26)
	CreationDate    epoch  `json:"CreationDate"`
	LastUpdatedDate epoch  `json:"LastUpdatedDate"`
}

// listAliases implements ListAliases: the aliases of the account and region, or of
// one key, sorted by name.
func (s *Service) listAliases(c *call, in *listAliasesInput) (*listAliasesOutput, error) {
	if _, err := s.authorizeIAM(c, "kms:ListAliases", "*", nil); err != nil {
		return nil, err
	}
	all := s.aliasesOf(c.caller.Account(), c.region)
	if in.KeyID != nil {
		t, err := s.resolve(c, *in.KeyID, keyOnly)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(a *alias) bool { return a.key() != t.key.keyRef })
	}
	aliases, rest, err := page(in.paging, 50, 100, all, func(a *alias) string { return a.Name })
	if err != nil {
		return nil, err
	}
	out := &listAliasesOutput{Aliases: make([]aliasListEntry, 0, len(aliases)), more: rest}
	for _, a := range aliases {
		out.Aliases = append(out.Aliases, aliasListEntry{a.Name, a.arn(), a.KeyID, epoch(a.Created), epoch(a.Updated)})
	}
	return out, nil
}
