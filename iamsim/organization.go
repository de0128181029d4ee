package iamsim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
)

// Organization is an AWS Organization: its accounts, and the service and resource control
// policies that reach each of them. There is at most one.
type Organization struct {
	ID                string                         `json:"id"` // o-…
	ManagementAccount string                         `json:"managementAccount"`
	Accounts          map[string]OrganizationAccount `json:"accounts"`
}

// OrganizationAccount is one member. SCP and RCP hold one list a level, from the root
// down to the account itself: every level must allow. Without SCP levels service control
// policies are not in use; RCPFullAWSAccess is on every level by itself (P86).
type OrganizationAccount struct {
	Path string                 `json:"path,omitempty"` // o-…/r-…/ou-…/, default o-…/r-root/
	SCP  [][]OrganizationPolicy `json:"scp,omitempty"`
	RCP  [][]OrganizationPolicy `json:"rcp,omitempty"`
}

// OrganizationPolicy is one policy. In JSON it is {"name": …, "document": "the text"},
// a policy document as it is, or a string: the name of an AWS policy ("FullAWSAccess")
// or of a file to read, which must be read before the organization is set.
type OrganizationPolicy struct {
	Name     string `json:"name"`
	Document string `json:"document,omitempty"`
	File     string `json:"-"`
}

const (
	fullAWSAccess    = "FullAWSAccess"
	rcpFullAWSAccess = "RCPFullAWSAccess"
	allowEverything  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
)

// UnmarshalJSON reads the three forms of a policy.
func (p *OrganizationPolicy) UnmarshalJSON(b []byte) error {
	*p = OrganizationPolicy{}
	var text string
	if json.Unmarshal(b, &text) == nil {
		if text == fullAWSAccess || text == rcpFullAWSAccess {
			p.Name = text
			return nil
		}
		p.Name, p.File = text, text
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return errors.New(`a policy is a name, a document, or {"name": …, "document": …}`)
	}
	if _, ok := members["Statement"]; ok {
		p.Document = string(b)
		return nil
	}
	for key, value := range members {
		switch key {
		case "name":
			if err := json.Unmarshal(value, &p.Name); err != nil {
				return errors.New("the name of a policy is a string")
			}
		case "document":
			if json.Unmarshal(value, &p.Document) != nil {
				p.Document = string(value)
			}
		default:
			return fmt.Errorf(`a policy has "name" and "document", not %q`, key)
		}
	}
	return nil
}

// ReadFiles replaces the policies that name a file by its text.
func (o *Organization) ReadFiles(read func(name string) ([]byte, error)) error {
	for _, account := range o.Accounts {
		for _, levels := range [...][][]OrganizationPolicy{account.SCP, account.RCP} {
			for _, level := range levels {
				for i := range level {
					if level[i].File == "" {
						continue
					}
					b, err := read(level[i].File)
					if err != nil {
						return err
					}
					name := level[i].File[strings.LastIndexByte(level[i].File, '/')+1:]
					level[i] = OrganizationPolicy{Name: strings.TrimSuffix(name, ".json"), Document: string(b)}
				}
			}
		}
	}
	return nil
}

var (
	organizationID   = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	organizationPath = regexp.MustCompile(`^o-[a-z0-9]{10,32}/r-[a-z0-9]{4,32}/(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}/)*$`)
	policyIDText     = regexp.MustCompile(`^[0-9a-zA-Z_]{1,120}$`)
)

// organization is an Organization ready for decisions. Immutable.
type organization struct {
	Organization
	members map[string]*orgMember
}

type orgMember struct {
	id, paths []string // values of condition keys
	scp, rcp  [][]policy.Source
	exempt    bool // the management account
}

// compile checks o and parses its policies (P86).
func (s *Service) compile(o *Organization) (*organization, error) {
	switch {
	case !organizationID.MatchString(o.ID):
		return nil, fmt.Errorf("%q is not the id of an organization: write o- and ten or more lower-case letters and digits", o.ID)
	case !arn.IsAccount(o.ManagementAccount):
		return nil, fmt.Errorf("managementAccount: %q is not an account id of twelve digits", o.ManagementAccount)
	}
	org := &organization{Organization: *o, members: map[string]*orgMember{}}
	for _, account := range slices.Sorted(maps.Keys(o.Accounts)) {
		m, err := s.compileMember(o, account)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", account, err)
		}
		org.members[account] = m
	}
	if org.members[o.ManagementAccount] == nil {
		org.members[o.ManagementAccount] = &orgMember{id: []string{o.ID}, paths: []string{o.ID + "/r-root/"}, exempt: true}
	}
	return org, nil
}

func (s *Service) compileMember(o *Organization, account string) (*orgMember, error) {
	a := o.Accounts[account]
	if a.Path == "" {
		a.Path = o.ID + "/r-root/"
	}
	switch {
	case !arn.IsAccount(account):
		return nil, errors.New("an account id has twelve digits")
	case !organizationPath.MatchString(a.Path) || !strings.HasPrefix(a.Path, o.ID+"/"):
		return nil, fmt.Errorf("%q is not a path of %s: write it as %s/r-ab12/ou-ab12-11111111/", a.Path, o.ID, o.ID)
	}
	m := &orgMember{id: []string{o.ID}, paths: []string{a.Path}, exempt: account == o.ManagementAccount}
	var err error
	if m.scp, err = s.compileLevels(o, policy.SCP, a.SCP); err != nil {
		return nil, err
	}
	m.rcp, err = s.compileLevels(o, policy.RCP, a.RCP)
	return m, err
}

func (s *Service) compileLevels(o *Organization, typ policy.Type, levels [][]OrganizationPolicy) ([][]policy.Source, error) {
	var list [][]policy.Source
	for n, level := range levels {
		sources := []policy.Source{}
		if typ == policy.RCP {
			level = append([]OrganizationPolicy{{Name: rcpFullAWSAccess}}, level...)
		}
		for _, p := range level {
			src, err := s.compilePolicy(o, typ, p)
			if err != nil {
				return nil, fmt.Errorf("%s %q on level %d: %w", typ, p.Name, n+1, err)
			}
			sources = append(sources, src)
		}
		list = append(list, sources)
	}
	return list, nil
}

func (s *Service) compilePolicy(o *Organization, typ policy.Type, p OrganizationPolicy) (policy.Source, error) {
	src := policy.Source{Type: typ, Owner: o.ManagementAccount, Name: organizationPolicyARN(o, typ, p)}
	validate := policy.ValidateSCP
	if typ == policy.RCP {
		validate = policy.ValidateRCP
	}
	var err error
	switch {
	case p.File != "":
		return src, fmt.Errorf("send the document instead of the name of the file; the AWS policies are %s and %s", fullAWSAccess, rcpFullAWSAccess)
	case p.Document == "" && (p.Name == fullAWSAccess && typ == policy.SCP || p.Name == rcpFullAWSAccess && typ == policy.RCP):
		src.Owner = "aws"
		src.Doc, err = s.ParsePolicy(allowEverything)
	case p.Document == "":
		err = errors.New("it has no document")
	default:
		src.Doc, err = validate(p.Document)
	}
	var refused *policy.ValidationError
	if errors.As(err, &refused) && refused.Line > 0 {
		err = fmt.Errorf("line %d, column %d: %w", refused.Line, refused.Column, err)
	}
	return src, err
}

// organizationPolicyARN names a policy as denials do (P81). The id is made of the
// policy's name, so that people recognize it; without a usable name, of its text.
func organizationPolicyARN(o *Organization, typ policy.Type, p OrganizationPolicy) string {
	word := strings.ReplaceAll(string(typ), " ", "_")
	if p.Document == "" {
		return "arn:aws:organizations::aws:policy/" + word + "/p-" + p.Name
	}
	id := p.Name
	if !policyIDText.MatchString(id) || len(id) < 8 {
		sum := sha256.Sum256([]byte(p.Name + "\x00" + p.Document))
		id = strings.Trim(regexpNotID.ReplaceAllString(p.Name, "_")+"_"+hex.EncodeToString(sum[:4]), "_")
	}
	return "arn:aws:organizations::" + o.ManagementAccount + ":policy/" + o.ID + "/" + word + "/p-" + id
}

var regexpNotID = regexp.MustCompile(`[^0-9a-zA-Z_]+`)

func (s *Service) loadOrganization(im *image, value []byte) error {
	var o Organization
	if err := json.Unmarshal(value, &o); err != nil {
		return err
	}
	org, err := s.compile(&o)
	im.organization = org
	return err
}

// Organization returns the organization, nil when there is none.
func (s *Service) Organization() *Organization {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.image.organization == nil {
		return nil
	}
	o := s.image.organization.Organization
	return &o
}

// SetOrganization replaces the organization, or removes it when o is nil. It takes effect
// with the next decision. Errors of o itself are *OrganizationError.
func (s *Service) SetOrganization(ctx context.Context, o *Organization) error {
	var org *organization
	if o != nil {
		var err error
		if org, err = s.compile(o); err != nil {
			return &OrganizationError{err}
		}
		s.warnClosed(ctx, org)
	}
	return s.change(ctx, func(c *change) error {
		var value []byte
		if org != nil {
			value = encode(o)
		}
		c.add(organizationKey, value, func(im *image) { im.organization = org })
		return nil
	})
}

// OrganizationError says what is wrong with an Organization that somebody gave.
type OrganizationError struct{ err error }

func (e *OrganizationError) Error() string { return "organization: " + e.err.Error() }

// Unwrap returns the reason, which may be a *policy.ValidationError.
func (e *OrganizationError) Unwrap() error { return e.err }

// warnClosed tells of levels that nothing can pass: AWS attaches FullAWSAccess to every
// level, and people forget it here.
func (s *Service) warnClosed(ctx context.Context, org *organization) {
	for account, m := range org.members {
		for n, level := range m.scp {
			allows := slices.ContainsFunc(level, func(src policy.Source) bool {
				return slices.ContainsFunc(src.Doc.Statements, func(st *policy.Statement) bool { return st.Effect == policy.Allow })
			})
			if !allows {
				s.cfg.Logger.WarnContext(ctx, "the service control policies of a level allow nothing, so the account may do nothing; attach FullAWSAccess beside them",
					"account", account, "level", n+1)
			}
		}
	}
}

// govern adds to a request what the organization says about it: condition keys, the
// service control policies of the caller's account and the resource control policies of
// the resource's (P86, P18). The management account and service-linked roles are spared.
func (org *organization) govern(in *policy.Input, req *Request) {
	linked := strings.Contains(in.Principal.RoleARN, ":role/aws-service-role/")
	if m := org.members[in.Principal.Account]; m != nil {
		in.Context["aws:principalorgid"], in.Context["aws:principalorgpaths"] = m.id, m.paths
		if !m.exempt && !linked {
			in.SCP = m.scp
		}
	}
	if m := org.members[in.ResourceAccount]; m != nil {
		in.Context["aws:resourceorgid"], in.Context["aws:resourceorgpaths"] = m.id, m.paths
		if !m.exempt && !linked && !req.AWSManaged && in.Action != "kms:RetireGrant" {
			in.RCP = m.rcp
		}
	}
	if source := in.Context["aws:sourceaccount"]; len(source) == 1 {
		if m := org.members[source[0]]; m != nil {
			in.Context["aws:sourceorgid"], in.Context["aws:sourceorgpaths"] = m.id, m.paths
		}
	}
}
