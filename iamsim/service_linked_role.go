package iamsim

import (
	_ "embed"
	"slices"
	"strings"

	"twinbucket/internal/failure"
)

// serviceLinkedRoleData names the services that have a role of their own (I57).
//
//go:embed data/service_linked_roles.csv
var serviceLinkedRoleData string

const (
	serviceDomain     = ".amazonaws.com"
	serviceRolePrefix = "AWSServiceRoleFor"
	serviceRolePath   = "/aws-service-role/"
)

// linkedRole is what a service's role is called and made of.
type linkedRole struct {
	service string // "mrk.kms.amazonaws.com"
	role    string // "AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
	policy  string // name of the AWS managed policy
	suffix  bool   // several such roles, told apart by a suffix, may exist
}

func linkedRoles() []linkedRole {
	var out []linkedRole
	for line := range strings.Lines(serviceLinkedRoleData) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ",")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 4 {
			panic("iamsim: data/service_linked_roles.csv: " + line)
		}
		out = append(out, linkedRole{f[0] + serviceDomain, serviceRolePrefix + f[1], f[2], f[3] != ""})
	}
	return out
}

// linkedRoleOf finds the role of a service.
func linkedRoleOf(service string) (linkedRole, bool) {
	all := linkedRoles()
	i := slices.IndexFunc(all, func(l linkedRole) bool { return l.service == service })
	if i < 0 {
		return linkedRole{}, false
	}
	return all[i], true
}

// mayModify refuses changes of roles that belong to a service (I57).
func mayModify(e *entity) error {
	if e.Service == "" {
		return nil
	}
	return failure.Newf("UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", e.Name)
}

// editPolicies changes what an entity may do or who may become it, unless it is a service's.
func (s *Service) editPolicies(c *call, kind entityKind, name string, edit func(*entity) error) (*entity, error) {
	return s.editEntity(c, kind, name, func(e *entity) error {
		if err := mayModify(e); err != nil {
			return err
		}
		return edit(e)
	})
}

// linkedRoleName is the name that CreateServiceLinkedRole makes of its parameters.
func linkedRoleName(service, suffix string) string {
	name := serviceRolePrefix + strings.TrimSuffix(service, serviceDomain)
	if l, ok := linkedRoleOf(service); ok {
		name = l.role
	}
	if suffix != "" {
		name += "_" + suffix
	}
	return name
}

func newLinkedRoleTarget(_ *image, c *call) target {
	service := c.form.get("AWSServiceName")
	arn := entityARN(roleKind, c.account(), serviceRolePath+service+"/", linkedRoleName(service, c.form.get("CustomSuffix")))
	return target{arn: arn, text: arn, account: c.account()}
}

func createServiceLinkedRole(s *Service, c *call) (any, error) {
	f := c.form
	service := f.linkedService()
	suffix, description := f.optionalName("CustomSuffix", 64), f.description()
	if err := f.err(); err != nil {
		return nil, err
	}
	linked, ok := linkedRoleOf(service)
	switch {
	case !ok:
		return nil, failure.Newf("InvalidInput", "Service role is not supported for %s in Twinbucket", service)
	case suffix != "" && !linked.suffix:
		return nil, failure.Newf("InvalidInput", "Custom suffix is not allowed for %s", service)
	}
	role := &entity{
		Kind: roleKind, Account: c.account(), Name: linkedRoleName(service, suffix), Path: serviceRolePath + service + "/",
		Trust:       `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`,
		Description: description, MaxSession: defaultRoleHours, Created: c.now, ID: s.random.uniqueID(roleIDPrefix), Service: service,
		Attached: []string{awsPolicyPrefix + "aws-service-role/" + linked.policy},
	}
	var shape roleShape
	err := s.change(c.ctx, func(ch *change) error {
		if ch.entity(roleKind, role.Account, role.Name) != nil {
			return failure.Newf("InvalidInput", "Service role name %s has been taken in this account, please try a different suffix.", role.Name)
		}
		if err := ch.roomFor(role); err != nil {
			return err
		}
		ch.putEntity(role)
		shape = s.shape(ch.image, role)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shape.MaxSessionDuration = nil // I21
	return &roleResult{shape}, nil
}

// linkedService reads a required service name.
func (f *form) linkedService() string {
	v := f.text("AWSServiceName", 1, 128)
	if !allOf(v, "_+=,.@-") {
		f.violate("aWSServiceName", v, `satisfy regular expression pattern: [\w+=,.@-]+`)
	}
	return v
}
