package iamsim

// passedToInstances is the service that gets the role of an instance profile.
const passedToInstances = "ec2.amazonaws.com"

// profileRoleRequest reads the two names that both operations take.
func (f *form) profileRoleRequest() (profile, role string, err error) {
	profile, role = f.name("InstanceProfileName", 128), f.name("RoleName", 64)
	return profile, role, f.err()
}

// editProfileRole changes the role of a profile.
func (s *Service) editProfileRole(c *call, profileName, roleName string, edit func(*instanceProfile, *entity) error) error {
	return s.change(c.ctx, func(ch *change) error {
		p, err := ch.findProfile(c.account(), profileName)
		if err != nil {
			return err
		}
		role, err := ch.find(roleKind, c.account(), roleName)
		if err != nil {
			return err
		}
		if err := mayModify(role); err != nil {
			return err
		}
		changed := *p
		if err := edit(&changed, role); err != nil {
			return err
		}
		ch.putProfile(&changed)
		return nil
	})
}

// addRoleToInstanceProfile also passes the role to EC2, which the caller must be allowed (I53).
func addRoleToInstanceProfile(s *Service, c *call) (any, error) {
	profile, role, err := c.form.profileRoleRequest()
	if err != nil {
		return nil, err
	}
	if err := s.requirePassRole(c, role, passedToInstances); err != nil {
		return nil, err
	}
	return nil, s.editProfileRole(c, profile, role, func(p *instanceProfile, role *entity) error {
		if p.RoleID != "" {
			return limitExceeded("InstanceSessionsPerInstanceProfile", 1)
		}
		p.RoleID = role.ID
		return nil
	})
}

// requirePassRole decides iam:PassRole on a role of the caller's account, whether it
// exists or not.
func (s *Service) requirePassRole(c *call, roleName, service string) error {
	var role target
	_ = s.view(func(im *image) error {
		role = entityTarget(im, c, roleKind, roleName)
		return nil
	})
	role.text = role.arn // I38
	keys := tagKeysOf(role.tags)
	keys["iam:passedtoservice"] = []string{service}
	return s.require(c, "iam:PassRole", role, keys)
}

func removeRoleFromInstanceProfile(s *Service, c *call) (any, error) {
	profile, role, err := c.form.profileRoleRequest()
	if err != nil {
		return nil, err
	}
	return nil, s.editProfileRole(c, profile, role, func(p *instanceProfile, role *entity) error {
		if p.RoleID != role.ID {
			return noSuchEntity(roleKind, role.Name)
		}
		p.RoleID = ""
		return nil
	})
}
