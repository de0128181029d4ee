package iamsim

import (
	"strings"
	"time"

	"twinbucket/internal/failure"
)

// instanceProfile holds a role for machines. Immutable in an image.
type instanceProfile struct {
	Account string
	Path    string
	Name    string
	ID      string // AIPA…
	Created time.Time
	Tags    []tag  `json:",omitempty"`
	RoleID  string `json:",omitempty"` // "": it has no role

	arn string
}

func (p *instanceProfile) key() string { return nameKey(p.Account, p.Name) }

func profileARN(account, path, name string) string {
	return "arn:aws:iam::" + account + ":instance-profile" + path + name
}

func (im *image) putProfile(p *instanceProfile) {
	p.arn = profileARN(p.Account, p.Path, p.Name)
	im.profiles[p.key()] = p
}

// findProfile finds a profile by name, without regard to case.
func (im *image) findProfile(account, name string) (*instanceProfile, error) {
	if p := im.profiles[nameKey(account, name)]; p != nil {
		return p, nil
	}
	return nil, failure.Newf("NoSuchEntity", "Instance Profile %s cannot be found.", name) // I53
}

// profilesOf are the profiles that hold a role.
func (im *image) profilesOf(role *entity) []*instanceProfile {
	var out []*instanceProfile
	for _, p := range im.profiles {
		if p.RoleID == role.ID {
			out = append(out, p)
		}
	}
	return out
}

type profileShape struct {
	Path                string
	InstanceProfileName string
	InstanceProfileId   string
	Arn                 string
	CreateDate          time.Time
	Roles               []roleShape
	Tags                []tagShape
}

// profileShape is the profile as lists show it: without tags (I21).
func (s *Service) profileShape(im *image, p *instanceProfile) profileShape {
	shape := profileShape{
		Path: p.Path, InstanceProfileName: p.Name, InstanceProfileId: p.ID, Arn: p.arn, CreateDate: p.Created,
		Roles: []roleShape{},
	}
	if role := im.byID[p.RoleID]; role != nil {
		shape.Roles = append(shape.Roles, s.shape(im, role))
	}
	return shape
}

type profileResult struct{ InstanceProfile profileShape }

func createInstanceProfile(s *Service, c *call) (any, error) {
	f := c.form
	p := &instanceProfile{
		Account: c.account(), Name: f.name("InstanceProfileName", 128), Path: f.path("Path"), Tags: f.tags(),
		Created: c.now, ID: s.random.uniqueID(profileIDPrefix),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	err := s.change(c.ctx, func(ch *change) error {
		if ch.profiles[p.key()] != nil {
			return failure.Newf("EntityAlreadyExists", "Instance Profile %s already exists.", p.Name)
		}
		if err := room(count(ch.profiles, p.Account), maxInstanceProfiles, "InstanceProfilesPerAccount"); err != nil {
			return err
		}
		ch.putProfile(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shape := s.profileShape(newImage(), p)
	shape.Tags = tagShapes(p.Tags)
	return &profileResult{shape}, nil
}

func getInstanceProfile(s *Service, c *call) (any, error) {
	name := c.form.name("InstanceProfileName", 128)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	var shape profileShape
	err := s.view(func(im *image) error {
		p, err := im.findProfile(c.account(), name)
		if err == nil {
			shape = s.profileShape(im, p)
			shape.Tags = tagShapes(p.Tags)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &profileResult{shape}, nil
}

func deleteInstanceProfile(s *Service, c *call) (any, error) {
	name := c.form.name("InstanceProfileName", 128)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		p, err := ch.findProfile(c.account(), name)
		if err != nil {
			return err
		}
		if p.RoleID != "" {
			return roleInProfile()
		}
		ch.deleteProfile(p)
		return nil
	})
}

// roleInProfile keeps profiles with a role, and roles in profiles, from being deleted (I18).
func roleInProfile() error {
	return failure.New("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
}

type profilesResult struct {
	InstanceProfiles []profileShape
	paging
}

func listInstanceProfiles(s *Service, c *call) (any, error) {
	page, prefix := c.form.page(), c.form.pathPrefix()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	out := &profilesResult{}
	err := s.view(func(im *image) error {
		var list []*instanceProfile
		for _, p := range im.profiles {
			if p.Account == c.account() && strings.HasPrefix(p.Path, prefix) {
				list = append(list, p)
			}
		}
		s.pageOfProfiles(im, page, list, out)
		return nil
	})
	return out, err
}

func listInstanceProfilesForRole(s *Service, c *call) (any, error) {
	name, page := c.form.name("RoleName", 64), c.form.page()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	out := &profilesResult{}
	err := s.view(func(im *image) error {
		role, err := im.find(roleKind, c.account(), name)
		if err == nil {
			s.pageOfProfiles(im, page, im.profilesOf(role), out)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) pageOfProfiles(im *image, page pageRequest, list []*instanceProfile, out *profilesResult) {
	list, out.paging = cut(page, list, (*instanceProfile).key)
	out.InstanceProfiles = shapes(list, func(p *instanceProfile) profileShape { return s.profileShape(im, p) })
}
