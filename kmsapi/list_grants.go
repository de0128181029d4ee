package kmsapi

import (
	"slices"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

type listGrantsInput struct {
	KeyID            *string `json:"KeyId"`
	GrantID          *string `json:"GrantId"`
	GranteePrincipal *string `json:"GranteePrincipal"`
	paging
}

func (in *listGrantsInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.text("grantId", in.GrantID, 1, 128)
	v.principal("granteePrincipal", in.GranteePrincipal)
	v.paging(in.Limit, in.Marker)
}

type listGrantsOutput struct {
	Grants []grantListEntry `json:"Grants"`
	more
}

type grantListEntry struct {
	KeyID             string       `json:"KeyId"` // the ARN
	GrantID           string       `json:"GrantId"`
	Name              string       `json:"Name"`
	CreationDate      epoch        `json:"CreationDate"`
	GranteePrincipal  string       `json:"GranteePrincipal"`
	RetiringPrincipal string       `json:"RetiringPrincipal,omitempty"`
	IssuingAccount    string       `json:"IssuingAccount"`
	Operations        []string     `json:"Operations"`
	Constraints       *constraints `json:"Constraints,omitempty"`
}

// entry shows a grant. Principals whose entity is gone show as its unique id (K64).
func (s *Service) entry(g *grant) grantListEntry {
	e := grantListEntry{
		KeyID: g.Key.arn(), GrantID: g.ID, Name: g.Name, CreationDate: epoch(g.Created), Operations: g.Operations,
		GranteePrincipal: s.shown(g.Grantee, g.GranteePin), RetiringPrincipal: s.shown(g.Retiring, g.RetiringPin),
		IssuingAccount: arn.Root(g.IssuingAccount),
	}
	if !g.Constraints.none() {
		e.Constraints = &g.Constraints
	}
	return e
}

func (s *Service) shown(name, pin string) string {
	if pin == "" || s.lives(name, pin) {
		return name
	}
	return pin
}

// listGrants implements ListGrants, sorted by grant id.
func (s *Service) listGrants(c *call, in *listGrantsInput) (*listGrantsOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:ListGrants", target: t, more: func(ctx policy.Context) { grantForService(c, ctx) }}); err != nil {
		return nil, err
	}
	return s.grantPage(in.paging, s.grantsOf(t.key.keyRef, func(g *grant) bool {
		return (in.GrantID == nil || *in.GrantID == g.ID) && (in.GranteePrincipal == nil || *in.GranteePrincipal == g.Grantee)
	}))
}

func (s *Service) grantPage(p paging, all []*grant) (*listGrantsOutput, error) {
	grants, rest, err := page(p, 50, 100, all, func(g *grant) string { return g.ID })
	if err != nil {
		return nil, err
	}
	out := &listGrantsOutput{Grants: make([]grantListEntry, 0, len(grants)), more: rest}
	for _, g := range grants {
		out.Grants = append(out.Grants, s.entry(g))
	}
	return out, nil
}

type listRetirableGrantsInput struct {
	RetiringPrincipal *string `json:"RetiringPrincipal"`
	paging
}

func (in *listRetirableGrantsInput) constraints(v *violations) {
	if v.required("retiringPrincipal", in.RetiringPrincipal != nil) {
		v.principal("retiringPrincipal", in.RetiringPrincipal)
	}
	v.paging(in.Limit, in.Marker)
}

// listRetirableGrants implements ListRetirableGrants: the grants of the region, on
// keys of any account, that a principal of the caller's account may retire (K69).
func (s *Service) listRetirableGrants(c *call, in *listRetirableGrantsInput) (*listGrantsOutput, error) {
	if _, err := s.authorizeIAM(c, "kms:ListRetirableGrants", "*", nil); err != nil {
		return nil, err
	}
	a, err := arn.Parse(*in.RetiringPrincipal)
	if err != nil || a.Account != c.caller.Account() {
		return nil, failure.New(invalidARN, "ARN does not refer to a principal of this account: "+*in.RetiringPrincipal).Because(err)
	}
	var all []*grant
	s.mu.RLock()
	for ref, set := range s.state.grants {
		if ref.Region != c.region {
			continue
		}
		for _, g := range set.byID {
			if g.Retiring == *in.RetiringPrincipal {
				all = append(all, g)
			}
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b *grant) int { return strings.Compare(a.ID, b.ID) })
	return s.grantPage(in.paging, all)
}
