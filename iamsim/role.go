package iamsim

import (
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// Lengths of role sessions in seconds (I12).
const (
	defaultRoleHours = 3600
	maxRoleHours     = 12 * 3600
)

type roleShape struct {
	Path                     string
	RoleName                 string
	RoleId                   string
	Arn                      string
	CreateDate               time.Time
	AssumeRolePolicyDocument document
	Description              string
	MaxSessionDuration       *int
	details
	RoleLastUsed *roleLastUsed
}

type roleLastUsed struct {
	LastUsedDate *time.Time
	Region       string
}

type roleResult struct{ Role roleShape }

// shape is the role as lists show it (I21).
func (s *Service) shape(im *image, role *entity) roleShape {
	return roleShape{
		Path: role.Path, RoleName: role.Name, RoleId: role.ID, Arn: role.arn, CreateDate: role.Created,
		AssumeRolePolicyDocument: document(s.shownTrust(im, role)), Description: role.Description,
		MaxSessionDuration: &role.MaxSession,
	}
}

// fullShape is the role as GetRole shows it.
func (s *Service) fullShape(im *image, role *entity) roleShape {
	shape := s.shape(im, role)
	shape.details = role.details()
	shape.RoleLastUsed = &roleLastUsed{}
	if use, ok := im.roleUsed[role.ID]; ok {
		shape.RoleLastUsed = &roleLastUsed{&use.At, use.Region}
	}
	return shape
}

func createRole(s *Service, c *call) (any, error) {
	f := c.form
	role := &entity{
		Kind: roleKind, Account: c.account(), Name: f.name("RoleName", 64), Path: f.path("Path"),
		Trust: f.document("AssumeRolePolicyDocument"), Description: f.description(),
		MaxSession: f.integer("MaxSessionDuration", 3600, maxRoleHours, defaultRoleHours),
		Tags:       f.tags(), Boundary: f.boundary(), Created: c.now, ID: s.random.uniqueID(roleIDPrefix),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	var shape roleShape
	err := s.change(c.ctx, func(ch *change) (err error) {
		if err := ch.mayCreate(c, role); err != nil {
			return err
		}
		if role.Pins, err = ch.checkTrust(role.Trust); err != nil {
			return err
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
	shape.details = role.details()
	shape.MaxSessionDuration = nil // I21
	return &roleResult{shape}, nil
}

// checkTrust validates a trust policy and pins its principals (I23, I24).
func (ch *change) checkTrust(text string) (pins map[string]string, err error) {
	doc, err := policy.ValidateTrust(text, ch.service)
	if err != nil {
		return nil, malformed(err)
	}
	if sizeOf(text) > maxTrustSize {
		return nil, limitExceeded("ACLSizePerRole", maxTrustSize)
	}
	return ch.pin(doc), nil
}

// pin finds the ids of the principals that a document names.
func (im *image) pin(doc *policy.Document) map[string]string {
	var pins map[string]string
	for _, arn := range doc.PrincipalARNs() {
		if id, ok := im.principalID(arn); ok && id != "" {
			if pins == nil {
				pins = map[string]string{}
			}
			pins[arn] = id
		}
	}
	return pins
}

func getRole(s *Service, c *call) (any, error) {
	if !c.form.has("RoleName") {
		return nil, failure.New("MissingParameter", "The request must contain the parameter RoleName.") // I14
	}
	name := c.form.name("RoleName", 64)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	var shape roleShape
	err := s.view(func(im *image) error {
		role, err := im.find(roleKind, c.account(), name)
		if err == nil {
			shape = s.fullShape(im, role)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &roleResult{shape}, nil
}

// updateRole sets the description and the session limit to what is given, each to its
// default when it is not given.
func updateRole(s *Service, c *call) (any, error) {
	f := c.form
	name := f.name("RoleName", 64)
	description := f.description()
	longest := f.integer("MaxSessionDuration", 3600, maxRoleHours, 0)
	if err := f.err(); err != nil {
		return nil, err
	}
	_, err := s.editEntity(c, roleKind, name, func(role *entity) error {
		if f.has("Description") {
			role.Description = description
		}
		if longest != 0 {
			role.MaxSession = longest
			return mayModify(role) // a description may be changed (I57)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &struct{}{}, nil // I2
}

func updateRoleDescription(s *Service, c *call) (any, error) {
	f := c.form
	name := f.name("RoleName", 64)
	if !f.has("Description") {
		f.missing("Description")
	}
	description := f.description()
	if err := f.err(); err != nil {
		return nil, err
	}
	role, err := s.editEntity(c, roleKind, name, func(role *entity) error {
		role.Description = description
		return nil
	})
	if err != nil {
		return nil, err
	}
	var shape roleShape
	err = s.view(func(im *image) error {
		shape = s.fullShape(im, role)
		return nil
	})
	return &roleResult{shape}, err
}

// editEntity changes one user or role.
func (s *Service) editEntity(c *call, kind entityKind, name string, edit func(*entity) error) (*entity, error) {
	var changed *entity
	err := s.change(c.ctx, func(ch *change) error {
		e, err := ch.find(kind, c.account(), name)
		if err != nil {
			return err
		}
		changed = e.edit()
		if err := edit(changed); err != nil {
			return err
		}
		ch.putEntity(changed)
		return nil
	})
	return changed, err
}

func deleteRole(s *Service, c *call) (any, error) {
	name := c.form.name("RoleName", 64)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		role, err := ch.find(roleKind, c.account(), name)
		if err != nil {
			return err
		}
		if err := mayModify(role); err != nil {
			return err
		}
		if len(ch.profilesOf(role)) > 0 {
			return roleInProfile()
		}
		if err := role.mayDelete(); err != nil {
			return err
		}
		ch.deleteEntity(role)
		return nil
	})
}

type rolesResult struct {
	Roles []roleShape
	paging
}

func listRoles(s *Service, c *call) (any, error) {
	page, prefix := c.form.page(), c.form.pathPrefix()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	roles, paging := cut(page, s.list(roleKind, c.account(), prefix), (*entity).key)
	out := &rolesResult{paging: paging}
	err := s.view(func(im *image) error {
		out.Roles = shapes(roles, func(role *entity) roleShape { return s.shape(im, role) })
		return nil
	})
	return out, err
}
