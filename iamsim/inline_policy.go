package iamsim

import (
	"slices"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// inlineLimit is the size of all inline policies of an entity together (I19).
func (k entityKind) inlineLimit() int {
	switch k {
	case roleKind:
		return maxRoleInline
	case groupKind:
		return maxGroupInline
	}
	return maxUserInline
}

func putInlinePolicy(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		f := c.form
		name := f.name(kind.param(), kind.nameLimit())
		p := inlinePolicy{f.name("PolicyName", 128), f.document("PolicyDocument")}
		if err := f.err(); err != nil {
			return nil, err
		}
		_, err := s.editPolicies(c, kind, name, func(e *entity) error {
			if _, err := policy.ValidateIdentity(p.Text, false); err != nil {
				return malformed(err)
			}
			return e.putInline(p)
		})
		return nil, err
	}
}

// putInline adds or replaces an inline policy; the list stays sorted by name.
func (e *entity) putInline(p inlinePolicy) error {
	if i, ok := e.inline(p.Name); ok {
		e.Inline[i] = p
	} else {
		i, _ := slices.BinarySearchFunc(e.Inline, p.Name, func(q inlinePolicy, name string) int {
			return strings.Compare(strings.ToLower(q.Name), strings.ToLower(name))
		})
		e.Inline = slices.Insert(e.Inline, i, p)
	}
	size := 0
	for i := range e.Inline {
		size += sizeOf(e.Inline[i].Text)
	}
	if limit := e.Kind.inlineLimit(); size > limit {
		return failure.Newf("LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", limit, e.Kind, e.Name)
	}
	return nil
}

func noSuchInline(kind entityKind, name string) error {
	return failure.Newf("NoSuchEntity", "The %s policy with name %s cannot be found.", kind, name)
}

// inlineResult has one of the names, whichever the operation is about.
type inlineResult struct {
	UserName       string
	GroupName      string
	RoleName       string
	PolicyName     string
	PolicyDocument document
}

func getInlinePolicy(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, policyName := c.form.name(kind.param(), kind.nameLimit()), c.form.name("PolicyName", 128)
		if err := c.form.err(); err != nil {
			return nil, err
		}
		out := &inlineResult{}
		err := s.view(func(im *image) error {
			e, err := im.find(kind, c.account(), name)
			if err != nil {
				return err
			}
			i, ok := e.inline(policyName)
			if !ok {
				return noSuchInline(kind, policyName)
			}
			out.PolicyName, out.PolicyDocument = e.Inline[i].Name, document(e.Inline[i].Text)
			switch kind {
			case roleKind:
				out.RoleName = e.Name
			case groupKind:
				out.GroupName = e.Name
			default:
				out.UserName = e.Name
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

func deleteInlinePolicy(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, policyName := c.form.name(kind.param(), kind.nameLimit()), c.form.name("PolicyName", 128)
		if err := c.form.err(); err != nil {
			return nil, err
		}
		_, err := s.editPolicies(c, kind, name, func(e *entity) error {
			i, ok := e.inline(policyName)
			if !ok {
				return noSuchInline(kind, policyName)
			}
			e.Inline = slices.Delete(e.Inline, i, i+1)
			return nil
		})
		return nil, err
	}
}

type policyNamesResult struct {
	PolicyNames []string
	paging
}

func listInlinePolicies(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, page := c.form.name(kind.param(), kind.nameLimit()), c.form.page()
		if err := c.form.err(); err != nil {
			return nil, err
		}
		var names []string
		err := s.view(func(im *image) error {
			e, err := im.find(kind, c.account(), name)
			if err == nil {
				names = shapes(e.Inline, func(p inlinePolicy) string { return p.Name })
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		names, paging := cut(page, names, func(n string) string { return n })
		return &policyNamesResult{names, paging}, nil
	}
}
