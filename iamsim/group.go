package iamsim

import (
	"slices"
	"time"

	"twinbucket/internal/failure"
)

type groupShape struct {
	Path       string
	GroupName  string
	GroupId    string
	Arn        string
	CreateDate time.Time
}

type groupResult struct{ Group groupShape }

func (e *entity) groupShape() groupShape {
	return groupShape{Path: e.Path, GroupName: e.Name, GroupId: e.ID, Arn: e.arn, CreateDate: e.Created}
}

func createGroup(s *Service, c *call) (any, error) {
	f := c.form
	group := &entity{
		Kind: groupKind, Account: c.account(), Name: f.name("GroupName", 128), Path: f.path("Path"),
		Created: c.now, ID: s.random.uniqueID(groupIDPrefix),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	err := s.change(c.ctx, func(ch *change) error {
		if err := ch.mayCreate(c, group); err != nil {
			return err
		}
		if err := ch.roomFor(group); err != nil {
			return err
		}
		ch.putEntity(group)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &groupResult{group.groupShape()}, nil
}

type groupUsersResult struct {
	Group groupShape
	Users []userShape
	paging
}

// getGroup shows the group with a page of its users.
func getGroup(s *Service, c *call) (any, error) {
	name, page := c.form.name("GroupName", 128), c.form.page()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	out := &groupUsersResult{}
	var users []*entity
	err := s.view(func(im *image) error {
		group, err := im.find(groupKind, c.account(), name)
		if err != nil {
			return err
		}
		out.Group, users = group.groupShape(), im.members(group)
		return nil
	})
	if err != nil {
		return nil, err
	}
	users, out.paging = cut(page, users, (*entity).key)
	out.Users = shapes(users, (*entity).userShape)
	return out, nil
}

// members are the users of a group.
func (im *image) members(group *entity) []*entity {
	var users []*entity
	for _, user := range im.users {
		if slices.Contains(user.Groups, group.ID) {
			users = append(users, user)
		}
	}
	return users
}

// groupsOf are the groups of a user.
func (im *image) groupsOf(user *entity) []*entity {
	groups := make([]*entity, 0, len(user.Groups))
	for _, id := range user.Groups {
		groups = append(groups, im.byID[id])
	}
	return groups
}

func deleteGroup(s *Service, c *call) (any, error) {
	name := c.form.name("GroupName", 128)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		group, err := ch.find(groupKind, c.account(), name)
		if err != nil {
			return err
		}
		if err := group.mayDelete(); err != nil {
			return err
		}
		if len(ch.members(group)) > 0 {
			return stillMember()
		}
		ch.deleteEntity(group)
		return nil
	})
}

// stillMember keeps users in groups, and groups with users, from being deleted (I18).
func stillMember() error {
	return failure.New("DeleteConflict", "Cannot delete entity, must remove users from group first.")
}

type groupsResult struct {
	Groups []groupShape
	paging
}

func listGroups(s *Service, c *call) (any, error) {
	page, prefix := c.form.page(), c.form.pathPrefix()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	groups, paging := cut(page, s.list(groupKind, c.account(), prefix), (*entity).key)
	return &groupsResult{shapes(groups, (*entity).groupShape), paging}, nil
}
