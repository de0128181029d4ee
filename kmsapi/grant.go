package kmsapi

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// grant is a grant as stored. It never changes.
type grant struct {
	Key     keyRef
	ID      string // 64 hex digits
	Name    string `json:",omitempty"`
	Created time.Time
	// Grantee and Retiring are ARNs; the pins are the unique ids of the user or role
	// that they named when the grant was made.
	Grantee        string
	GranteePin     string `json:",omitempty"`
	Retiring       string `json:",omitempty"`
	RetiringPin    string `json:",omitempty"`
	IssuingAccount string
	Operations     []string // sorted as given, without repeats
	Constraints    constraints
}

func (g *grant) record() []byte {
	return []byte(prefixGrant + g.Key.Account + "/" + g.Key.Region + "/" + g.Key.ID + "/" + g.ID)
}

// constraints limit a grant to encryption contexts; at most one member is set (K66).
type constraints struct {
	Equals map[string]string `json:"EncryptionContextEquals,omitempty"`
	Subset map[string]string `json:"EncryptionContextSubset,omitempty"`
	// SourceARN is always nil in a grant: CreateGrant refuses it.
	SourceARN *string `json:"SourceArn,omitempty"`
}

func (c constraints) none() bool { return len(c.Equals) == 0 && len(c.Subset) == 0 }

// admits reports whether a request's encryption context satisfies the constraints.
func (c constraints) admits(encCtx map[string]string) bool {
	if len(c.Equals) > 0 {
		return maps.Equal(c.Equals, encCtx)
	}
	return contains(encCtx, c.Subset)
}

// contains reports whether all pairs of part are in whole.
func contains(whole, part map[string]string) bool {
	for k, v := range part {
		if got, ok := whole[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// atLeast reports whether c is as strict as parent: a grant made through a grant
// must not reach further (K68).
func (c constraints) atLeast(parent constraints) bool {
	switch {
	case parent.none():
		return true
	case len(parent.Equals) > 0:
		return maps.Equal(c.Equals, parent.Equals)
	case len(c.Equals) > 0:
		return contains(c.Equals, parent.Subset)
	}
	return contains(c.Subset, parent.Subset)
}

// covers reports whether the grant permits an operation with this encryption
// context. Constraints don't apply to operations without one (K66).
func (g *grant) covers(operation string, encCtx map[string]string) bool {
	if !slices.Contains(g.Operations, operation) {
		return false
	}
	return operation == "DescribeKey" || operation == "RetireGrant" || g.Constraints.admits(encCtx)
}

// isPrincipal reports whether name, with its pin, means the caller, and whether it
// means exactly its role session. An account's ARN means its root user only (K67).
func isPrincipal(p *policy.Principal, name, pin string) (is, session bool) {
	if name == "" || pin != "" && pin != p.UniqueID {
		return false, false
	}
	switch name {
	case p.ARN:
		return true, p.Type == policy.AssumedRole
	case p.RoleARN, p.UserARN:
		return true, false
	}
	return false, false
}

// grantSet are the grants of one key. It is guarded by Service.mu.
type grantSet struct {
	byID      map[string]*grant
	byGrantee map[string][]*grant // by the grantee's ARN
}

func (st *state) addGrant(g *grant) {
	set := st.grants[g.Key]
	if set == nil {
		set = &grantSet{byID: map[string]*grant{}, byGrantee: map[string][]*grant{}}
		st.grants[g.Key] = set
	}
	set.byID[g.ID] = g
	set.byGrantee[g.Grantee] = append(set.byGrantee[g.Grantee], g)
}

func (st *state) removeGrant(g *grant) {
	set := st.grants[g.Key]
	if set == nil {
		return
	}
	delete(set.byID, g.ID)
	rest := slices.DeleteFunc(set.byGrantee[g.Grantee], func(o *grant) bool { return o.ID == g.ID })
	if set.byGrantee[g.Grantee] = rest; len(rest) == 0 {
		delete(set.byGrantee, g.Grantee)
	}
	if len(set.byID) == 0 {
		delete(st.grants, g.Key)
	}
}

// findGrant calls fit for the caller's grants on a key until it returns true.
func (s *Service) findGrant(caller *iamsim.Caller, key keyRef, fit func(*grant) bool) *policy.GrantMatch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	set := s.state.grants[key]
	if set == nil {
		return nil
	}
	p := &caller.Principal
	for _, name := range [...]string{p.ARN, p.RoleARN, p.UserARN} {
		if name == "" {
			continue
		}
		for _, g := range set.byGrantee[name] {
			if is, session := isPrincipal(p, g.Grantee, g.GranteePin); is && fit(g) {
				return &policy.GrantMatch{ID: g.ID, Owner: g.Key.Account, Session: session}
			}
		}
	}
	return nil
}

// grantFor finds a grant that covers an operation of the caller, nil if none does.
func (s *Service) grantFor(caller *iamsim.Caller, key keyRef, operation string, encCtx map[string]string) *policy.GrantMatch {
	if operation == "CreateGrant" || operation == "RetireGrant" {
		return nil // these have rules of their own
	}
	return s.findGrant(caller, key, func(g *grant) bool { return g.covers(operation, encCtx) })
}

// grantsOf lists a key's grants that fit, sorted by id.
func (s *Service) grantsOf(key keyRef, fit func(*grant) bool) []*grant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	set := s.state.grants[key]
	if set == nil {
		return nil
	}
	var out []*grant
	for _, g := range set.byID {
		if fit(g) {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b *grant) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (s *Service) grant(key keyRef, id string) *grant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if set := s.state.grants[key]; set != nil {
		return set.byID[id]
	}
	return nil
}

// deleteGrant removes a grant from store and memory.
func (s *Service) deleteGrant(c *call, g *grant) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.grant(g.Key, g.ID) == nil {
		return errGrantGone(g.ID)
	}
	if err := s.update(c.ctx, change{at: g.record()}); err != nil {
		return err
	}
	s.mu.Lock()
	s.state.removeGrant(g)
	s.mu.Unlock()
	return nil
}

func errGrantGone(id string) error {
	return failure.Newf(notFound, "Grant ID %s not found", id) // K69
}

// grantToken is what a grant token says inside. Tokens are not secret: they name a
// grant, and whoever uses one still has to be its principal (K65).
type grantToken struct {
	Key   keyRef
	Grant string
	Nonce string
}

func (t grantToken) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		panic("kmsapi: grant token: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseGrantToken(text string) (t grantToken, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil || t.Grant == "" || !isKeyID(t.Key.ID) {
		return grantToken{}, failure.New(invalidGrantToken, "The grant token is not valid.").Because(err)
	}
	return t, nil
}

// checkTokens refuses requests with malformed grant tokens. Good ones change
// nothing: grants take effect at once here (K65).
func checkTokens(tokens []string) error {
	for _, t := range tokens {
		if _, err := parseGrantToken(t); err != nil {
			return err
		}
	}
	return nil
}
