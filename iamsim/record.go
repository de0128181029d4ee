package iamsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
)

// entityKind tells users from roles. Its value is the word that ARNs and messages use.
type entityKind string

const (
	userKind entityKind = "user"
	roleKind entityKind = "role"
)

// entity is a user or a role. In an image it is immutable: changes work on a copy
// (see [entity.edit]) and replace it.
type entity struct {
	Kind     entityKind
	Account  string
	Path     string
	Name     string
	ID       string // AIDA… or AROA… (I10)
	Created  time.Time
	Tags     []tag          `json:",omitempty"`
	Boundary string         `json:",omitempty"` // ARN of a managed policy
	Inline   []inlinePolicy `json:",omitempty"` // by name
	Attached []string       `json:",omitempty"` // ARNs of managed policies, in the order of attaching

	// Roles only.
	Trust       string            `json:",omitempty"`
	Pins        map[string]string `json:",omitempty"` // of the principals in Trust (I23)
	Description string            `json:",omitempty"`
	MaxSession  int               `json:",omitempty"` // seconds

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

	state *Session // what Callers of this session share; set when it enters an image
}

type sessionPolicy struct{ Owner, Name, Text string }

// Keys of the engine. Names are unique without regard to case (I11), so the keys hold
// the lower-case form and the records the given one.
const (
	keyPrefix     = "iam/"
	userPrefix    = keyPrefix + "u/"
	rolePrefix    = keyPrefix + "r/"
	policyPrefix  = keyPrefix + "p/"
	keysPrefix    = keyPrefix + "k/"
	sessionPrefix = keyPrefix + "s/"
	usedPrefix    = keyPrefix + "l/" // last use of roles, by role id
)

// nameKey identifies a named thing of an account in the maps of an image.
func nameKey(account, name string) string { return account + "/" + strings.ToLower(name) }

func (e *entity) key() string { return nameKey(e.Account, e.Name) }

func (e *entity) storeKey() string {
	if e.Kind == roleKind {
		return rolePrefix + e.key()
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
