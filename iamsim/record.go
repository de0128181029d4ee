package iamsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
)

// entityKind tells users, groups and roles apart. Its value is the word that ARNs and
// messages use.
type entityKind string

const (
	userKind  entityKind = "user"
	groupKind entityKind = "group"
	roleKind  entityKind = "role"
)

// entity is a user, a group or a role: what policies are attached to. In an image it is
// immutable: changes work on a copy (see [entity.edit]) and replace it.
type entity struct {
	Kind     entityKind
	Account  string
	Path     string
	Name     string
	ID       string // AIDA…, AGPA… or AROA… (I10)
	Created  time.Time
	Tags     []tag          `json:",omitempty"`
	Boundary string         `json:",omitempty"` // ARN of a managed policy
	Inline   []inlinePolicy `json:",omitempty"` // by name
	Attached []string       `json:",omitempty"` // ARNs of managed policies, in the order of attaching

	// Groups are the ids of a user's groups.
	Groups []string `json:",omitempty"`

	// Roles only.
	Trust       string            `json:",omitempty"`
	Pins        map[string]string `json:",omitempty"` // of the principals in Trust (I23)
	Description string            `json:",omitempty"`
	MaxSession  int               `json:",omitempty"` // seconds
	Service     string            `json:",omitempty"` // whose service-linked role it is (I57)

	arn string // set when the entity enters an image
}

type tag struct{ Key, Value string }

type inlinePolicy struct{ Name, Text string }

// edit returns a copy whose lists may be changed.
func (e *entity) edit() *entity {
	c := *e
	c.Tags = append([]tag(nil), e.Tags...)
	c.Inline = append([]inlinePolicy(nil), e.Inline...)
	c.Attached = append([]string(nil), e.Attached...)
	c.Groups = append([]string(nil), e.Groups...)
	return &c
}

func (e *entity) inline(name string) (int, bool) {
	for i := range e.Inline {
		if strings.EqualFold(e.Inline[i].Name, name) {
			return i, true
		}
	}
	return 0, false
}

func entityARN(kind entityKind, account, path, name string) string {
	return "arn:aws:iam::" + account + ":" + string(kind) + path + name
}

// trustSource is the role's trust policy as a decision takes it.
func (s *Service) trustSource(role *entity) (policy.Source, error) {
	doc, err := s.ParsePolicy(role.Trust)
	if err != nil {
		return policy.Source{}, fmt.Errorf("iamsim: stored trust policy of %s: %w", role.arn, err)
	}
	return policy.Source{Type: policy.Trust, Owner: role.Account, Name: "trust policy of " + role.arn, Doc: doc, Pins: role.Pins}, nil
}

// managedPolicy is a customer managed policy, or an AWS managed one (Account "aws").
// Immutable in an image.
type managedPolicy struct {
	Account     string
	Path        string
	Name        string
	ID          string // ANPA…
	Description string `json:",omitempty"`
	Created     time.Time
	Updated     time.Time
	Default     string // version id
	Next        int    // number of the next version: numbers are never used twice
	Versions    []policyVersion
	Tags        []tag `json:",omitempty"`

	arn string
}

type policyVersion struct {
	ID      string // v1, v2, …
	Text    string
	Created time.Time
}

func (p *managedPolicy) edit() *managedPolicy {
	c := *p
	c.Versions = append([]policyVersion(nil), p.Versions...)
	c.Tags = append([]tag(nil), p.Tags...)
	return &c
}

// version returns the version of that id, or nil.
func (p *managedPolicy) version(id string) *policyVersion {
	for i := range p.Versions {
		if p.Versions[i].ID == id {
			return &p.Versions[i]
		}
	}
	return nil
}

// text is the document of the default version.
func (p *managedPolicy) text() string { return p.version(p.Default).Text }

func policyARN(account, path, name string) string {
	return "arn:aws:iam::" + account + ":policy" + path + name
}

// accessKey is a user's long-term key.
type accessKey struct {
	ID      string // AKIA…
	Secret  string
	Account string
	UserID  string
	Active  bool
	Created time.Time

	used *lastUse // in memory only (I43)
}

// session is a set of temporary credentials.
type session struct {
	AccessKeyID string // ASIA…
	Secret      string
	Token       string
	Principal   policy.Principal
	UserName    string `json:",omitempty"` // GetSessionToken of a user
	UserID      string // aws:userid
	Name        string `json:",omitempty"`
	Issued      time.Time
	Expires     time.Time
	// Policies are the session policies, copied when the session began.
	Policies       []sessionPolicy   `json:",omitempty"`
	Tags           map[string]string `json:",omitempty"`
	TransitiveTags []string          `json:",omitempty"`
	SourceIdentity string            `json:",omitempty"`
	// Provider and Claims are those of AssumeRoleWithWebIdentity.
	Provider string              `json:",omitempty"` // ARN
	Claims   map[string][]string `json:",omitempty"` // by condition key (I59)

	state *Session // what Callers of this session share; set when it enters an image
}

type sessionPolicy struct{ Owner, Name, Text string }

// Keys of the engine. Names are unique without regard to case (I11), so the keys hold
// the lower-case form and the records the given one.
const (
	keyPrefix    = "iam/"
	userPrefix   = keyPrefix + "u/"
	rolePrefix   = keyPrefix + "r/"
	policyPrefix = keyPrefix + "p/"
	// organizationKey is one record, not a prefix: there is one organization.
	organizationKey = keyPrefix + "o/"
	keysPrefix      = keyPrefix + "k/"
	sessionPrefix   = keyPrefix + "s/"
	usedPrefix      = keyPrefix + "l/" // last use of roles, by role id
	groupPrefix     = keyPrefix + "g/"
	profilePrefix   = keyPrefix + "i/"
	aliasPrefix     = keyPrefix + "a/" // by account
	issuerPrefix    = keyPrefix + "f/" // OpenID Connect providers
	taskPrefix      = keyPrefix + "d/" // deletions of service-linked roles
	keyUsePrefix    = keyPrefix + "t/" // last use of access keys, by key id
)

// nameKey identifies a named thing of an account in the maps of an image.
func nameKey(account, name string) string { return account + "/" + strings.ToLower(name) }

func (e *entity) key() string { return nameKey(e.Account, e.Name) }

func (e *entity) storeKey() string {
	switch e.Kind {
	case roleKind:
		return rolePrefix + e.key()
	case groupKind:
		return groupPrefix + e.key()
	}
	return userPrefix + e.key()
}

func (p *managedPolicy) key() string { return nameKey(p.Account, p.Name) }

// encode renders a record. The types hold nothing that JSON can't express.
func encode(record any) []byte {
	b, err := json.Marshal(record)
	if err != nil {
		panic("iamsim: record: " + err.Error())
	}
	return b
}
