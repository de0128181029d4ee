package iamsim

import "slices"

// memberRequest reads the two names that the membership operations take.
func (f *form) memberRequest() (group, user string, err error) {
	group, user = f.name("GroupName", 128), f.name("UserName", 128)
	return group, user, f.err()
}

// editMember changes the groups of one user: edit gets the user and the group's id.
func (s *Service) editMember(c *call, edit func(user *entity, group string) error) error {
	groupName, userName, err := c.form.memberRequest()
	if err != nil {
		return err
	}
	return s.change(c.ctx, func(ch *change) error {
		group, err := ch.find(groupKind, c.account(), groupName)
		if err != nil {
			return err
		}
		user, err := ch.find(userKind, c.account(), userName)
		if err != nil {
			return err
		}
		user = user.edit()
		if err := edit(user, group.ID); err != nil {
			return err
		}
		ch.putEntity(user)
		return nil
	})
}

// addUserToGroup succeeds for a user who is in the group already.
func addUserToGroup(s *Service, c *call) (any, error) {
	return nil, s.editMember(c, func(user *entity, group string) error {
		if slices.Contains(user.Groups, group) {
			return nil
		}
		if err := room(len(user.Groups), maxGroupsPerUser, "GroupsPerUser"); err != nil {
			return err
		}
		user.Groups = append(user.Groups, group)
		return nil
	})
}

// removeUserFromGroup succeeds for a user who is not in the group (I52).
func removeUserFromGroup(s *Service, c *call) (any, error) {
	return nil, s.editMember(c, func(user *entity, group string) error {
		user.Groups = slices.DeleteFunc(user.Groups, func(id string) bool { return id == group })
		return nil
	})
}

func listGroupsForUser(s *Service, c *call) (any, error) {
	name, page := c.form.name("UserName", 128), c.form.page()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	var groups []*entity
	err := s.view(func(im *image) error {
		user, err := im.find(userKind, c.account(), name)
		if err == nil {
			groups = im.groupsOf(user)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	groups, paging := cut(page, groups, (*entity).key)
	return &groupsResult{shapes(groups, (*entity).groupShape), paging}, nil
}
