package iamsim

import (
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type userShape struct {
	Path       string
	UserName   string
	UserId     string
	Arn        string
	CreateDate time.Time
	details
}

type userResult struct{ User userShape }

func (e *entity) userShape() userShape {
	return userShape{Path: e.Path, UserName: e.Name, UserId: e.ID, Arn: e.arn, CreateDate: e.Created}
}

func createUser(s *Service, c *call) (any, error) {
	f := c.form
	user := &entity{
		Kind: userKind, Account: c.account(), Name: f.name("UserName", 64), Path: f.path("Path"),
		Tags: f.tags(), Boundary: f.boundary(), Created: c.now, ID: s.random.uniqueID(userIDPrefix),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	err := s.change(c.ctx, func(ch *change) error {
		if err := ch.mayCreate(c, user); err != nil {
			return err
		}
		if err := ch.roomFor(user); err != nil {
			return err
		}
		ch.putEntity(user)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shape := user.userShape()
	shape.details = user.details()
	return &userResult{shape}, nil
}

// mayCreate refuses names that are taken and boundaries that don't exist (I17).
func (ch *change) mayCreate(c *call, e *entity) error {
	if ch.entity(e.Kind, e.Account, e.Name) != nil {
		return nameTaken(e.Kind, e.Name)
	}
	return ch.service.boundaryExists(ch.image, c, e.Boundary)
}

// roomFor refuses one entity too many (I51).
func (ch *change) roomFor(e *entity) error {
	return room(count(ch.entities(e.Kind), e.Account), e.Kind.mostOf(), e.Kind.title()+"sPerAccount")
}

func nameTaken(kind entityKind, name string) error {
	return failure.Newf("EntityAlreadyExists", "%s with name %s already exists.", kind.title(), name)
}

// callersUser is the user that calls without a UserName are about (I37).
func callersUser(c *call) (string, error) {
	if c.caller.UserName == "" {
		return "", failure.New("ValidationError", "Must specify userName when calling with non-User credentials")
	}
	return c.caller.UserName, nil
}

func getUser(s *Service, c *call) (any, error) {
	name := c.form.optionalName("UserName", 128)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if name == "" && c.caller.Principal.Type == policy.Account {
		root := userShape{Path: "/", UserId: c.account(), Arn: c.caller.Principal.ARN, CreateDate: accountCreated()}
		return &userResult{root}, nil
	}
	if name == "" {
		var err error
		if name, err = callersUser(c); err != nil {
			return nil, err
		}
	}
	var shape userShape
	err := s.view(func(im *image) error {
		user, err := im.find(userKind, c.account(), name)
		if err == nil {
			shape = user.userShape()
			shape.details = user.details()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &userResult{shape}, nil
}

// accountCreated is when every account of the emulator was made: accounts have no record.
func accountCreated() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }

func deleteUser(s *Service, c *call) (any, error) {
	name := c.form.name("UserName", 128)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		user, err := ch.find(userKind, c.account(), name)
		if err != nil {
			return err
		}
		if err := user.mayDelete(); err != nil {
			return err
		}
		switch {
		case len(ch.keysOf(user.ID)) > 0:
			return failure.New("DeleteConflict", "Cannot delete entity, must delete access keys first.")
		case len(user.Groups) > 0:
			return stillMember()
		}
		ch.deleteEntity(user)
		return nil
	})
}

// mayDelete refuses entities that still have policies (I18).
func (e *entity) mayDelete() error {
	switch {
	case len(e.Attached) > 0:
		return failure.New("DeleteConflict", "Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return failure.New("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	return nil
}

type usersResult struct {
	Users []userShape
	paging
}

func listUsers(s *Service, c *call) (any, error) {
	page, prefix := c.form.page(), c.form.pathPrefix()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	users, paging := cut(page, s.list(userKind, c.account(), prefix), (*entity).key)
	return &usersResult{shapes(users, (*entity).userShape), paging}, nil
}

// list returns the entities of an account whose path begins with prefix, unsorted.
func (s *Service) list(kind entityKind, account, prefix string) []*entity {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*entity
	for _, e := range s.image.entities(kind) {
		if e.Account == account && strings.HasPrefix(e.Path, prefix) {
			out = append(out, e)
		}
	}
	return out
}
