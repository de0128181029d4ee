package iamsim

import "strings"

type policiesResult struct {
	Policies []policyShape
	paging
}

func listPolicies(s *Service, c *call) (any, error) {
	f := c.form
	scope := f.enum("Scope", "All", "AWS", "Local")
	used := f.enum("PolicyUsageFilter", "PermissionsPolicy", "PermissionsBoundary")
	onlyAttached, prefix, page := f.boolean("OnlyAttached"), f.pathPrefix(), f.page()
	if err := f.err(); err != nil {
		return nil, err
	}
	var list []policyShape
	err := s.view(func(im *image) error {
		usages := im.usages(c.account())
		for _, p := range s.scoped(im, c.account(), scope) {
			u := usages[p.arn]
			switch {
			case !strings.HasPrefix(p.Path, prefix),
				onlyAttached && u.attached == 0,
				used == "PermissionsPolicy" && u.attached == 0,
				used == "PermissionsBoundary" && u.boundary == 0:
				continue
			}
			list = append(list, p.shape(u))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list, paging := cut(page, list, func(p policyShape) string { return p.Arn })
	return &policiesResult{shapes(list, func(p policyShape) policyShape { return p }), paging}, nil
}

// scoped returns the managed policies of AWS, of the account, or of both.
func (s *Service) scoped(im *image, account, scope string) []*managedPolicy {
	var out []*managedPolicy
	if scope != "Local" {
		for _, p := range s.aws {
			out = append(out, p)
		}
	}
	if scope != "AWS" {
		for _, p := range im.policies {
			if p.Account == account {
				out = append(out, p)
			}
		}
	}
	return out
}

type policyUser struct {
	UserName string
	UserId   string
}

type policyGroup struct {
	GroupName string
	GroupId   string
}

type policyRole struct {
	RoleName string
	RoleId   string
}

type policyEntitiesResult struct {
	PolicyGroups []policyGroup
	PolicyUsers  []policyUser
	PolicyRoles  []policyRole
	paging
}

func listEntitiesForPolicy(s *Service, c *call) (any, error) {
	f := c.form
	arn, prefix, page := f.policyARN("PolicyArn"), f.pathPrefix(), f.page()
	filter := f.enum("EntityFilter", "User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy")
	used := f.enum("PolicyUsageFilter", "PermissionsPolicy", "PermissionsBoundary")
	if err := f.err(); err != nil {
		return nil, err
	}
	var with []*entity
	err := s.view(func(im *image) error {
		if s.visible(im, c, arn) == nil {
			return noSuchPolicy(arn)
		}
		for _, e := range im.byID {
			if e.Account == c.account() && strings.HasPrefix(e.Path, prefix) && e.uses(arn, used) &&
				(filter == "" || filter == e.Kind.title()) {
				with = append(with, e)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	with, paging := cut(page, with, func(e *entity) string { return string(e.Kind) + "/" + e.key() })
	out := &policyEntitiesResult{PolicyGroups: []policyGroup{}, PolicyUsers: []policyUser{}, PolicyRoles: []policyRole{}, paging: paging}
	for _, e := range with {
		switch e.Kind {
		case roleKind:
			out.PolicyRoles = append(out.PolicyRoles, policyRole{e.Name, e.ID})
		case groupKind:
			out.PolicyGroups = append(out.PolicyGroups, policyGroup{e.Name, e.ID})
		default:
			out.PolicyUsers = append(out.PolicyUsers, policyUser{e.Name, e.ID})
		}
	}
	return out, nil
}

// uses reports whether the entity has the policy attached or as its boundary.
func (e *entity) uses(arn, filter string) bool {
	if filter != "PermissionsPolicy" && e.Boundary == arn {
		return true
	}
	if filter == "PermissionsBoundary" {
		return false
	}
	for _, a := range e.Attached {
		if a == arn {
			return true
		}
	}
	return false
}
