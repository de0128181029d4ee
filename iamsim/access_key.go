package iamsim

import (
	"time"

	"twinbucket/internal/failure"
)

type accessKeyShape struct {
	UserName        string
	AccessKeyId     string
	Status          string
	SecretAccessKey string // only in the answer of CreateAccessKey
	CreateDate      time.Time
}

func (k *accessKey) shape(user *entity) accessKeyShape {
	status := "Inactive"
	if k.Active {
		status = "Active"
	}
	return accessKeyShape{UserName: user.Name, AccessKeyId: k.ID, Status: status, CreateDate: k.Created}
}

// keyOwner reads whose keys the call is about: the named user's or the caller's (I37).
func keyOwner(c *call) (string, error) {
	name := c.form.optionalName("UserName", 128)
	if err := c.form.err(); err != nil || name != "" {
		return name, err
	}
	return callersUser(c)
}

type accessKeyResult struct{ AccessKey accessKeyShape }

func createAccessKey(s *Service, c *call) (any, error) {
	name, err := keyOwner(c)
	if err != nil {
		return nil, err
	}
	key := &accessKey{
		ID: s.random.keyID(longKeyPrefix, c.account()), Secret: s.random.secret(),
		Account: c.account(), Active: true, Created: c.now,
	}
	var shape accessKeyShape
	err = s.change(c.ctx, func(ch *change) error {
		user, err := ch.find(userKind, c.account(), name)
		if err != nil {
			return err
		}
		if len(ch.keysOf(user.ID)) >= maxAccessKeys {
			return limitExceeded("AccessKeysPerUser", maxAccessKeys)
		}
		key.UserID = user.ID
		shape = key.shape(user)
		shape.SecretAccessKey = key.Secret
		ch.putKey(key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &accessKeyResult{shape}, nil
}

// keyID reads a required access key id (I12, I14).
func (f *form) keyID() string {
	id := f.text("AccessKeyId", 16, 128)
	if !allOf(id, "_") {
		f.reject("ValidationError", "The specified value for accessKeyId is invalid. It must contain only alphanumeric characters.")
	}
	return id
}

// keyOf finds a key of the named user.
func (im *image) keyOf(c *call, name, id string) (*accessKey, error) {
	user, err := im.find(userKind, c.account(), name)
	if err != nil {
		return nil, err
	}
	if k := im.keys[id]; k != nil && k.UserID == user.ID {
		return k, nil
	}
	return nil, noSuchKey(id)
}

func noSuchKey(id string) error {
	return failure.Newf("NoSuchEntity", "The Access Key with id %s cannot be found", id)
}

func updateAccessKey(s *Service, c *call) (any, error) {
	f := c.form
	id := f.keyID()
	status := f.enum("Status", "Active", "Inactive")
	if !f.has("Status") {
		f.missing("Status")
	}
	name, err := keyOwner(c)
	if err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		k, err := ch.keyOf(c, name, id)
		if err != nil {
			return err
		}
		changed := *k
		changed.Active = status == "Active"
		ch.putKey(&changed)
		return nil
	})
}

func deleteAccessKey(s *Service, c *call) (any, error) {
	id := c.form.keyID()
	name, err := keyOwner(c)
	if err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		k, err := ch.keyOf(c, name, id)
		if err != nil {
			return err
		}
		ch.deleteKey(k)
		return nil
	})
}

type accessKeysResult struct {
	AccessKeyMetadata []accessKeyShape
	paging
}

func listAccessKeys(s *Service, c *call) (any, error) {
	page := c.form.page()
	name, err := keyOwner(c)
	if err != nil {
		return nil, err
	}
	var user *entity
	var keys []*accessKey
	err = s.view(func(im *image) (err error) {
		if user, err = im.find(userKind, c.account(), name); err == nil {
			keys = im.keysOf(user.ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	keys, paging := cut(page, keys, func(k *accessKey) string { return k.ID })
	return &accessKeysResult{shapes(keys, func(k *accessKey) accessKeyShape { return k.shape(user) }), paging}, nil
}

type keyLastUsed struct {
	LastUsedDate *time.Time
	ServiceName  string
	Region       string
}

type keyLastUsedResult struct {
	UserName          string
	AccessKeyLastUsed keyLastUsed
}

// getAccessKeyLastUsed knows uses to the minute, and those of earlier processes if they
// ended in order (I43).
func getAccessKeyLastUsed(s *Service, c *call) (any, error) {
	id := c.form.keyID()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	out := &keyLastUsedResult{AccessKeyLastUsed: keyLastUsed{ServiceName: "N/A", Region: "N/A"}}
	err := s.view(func(im *image) error {
		k := im.keys[id]
		if k == nil || k.Account != c.account() || im.byID[k.UserID] == nil {
			return noSuchKey(id)
		}
		out.UserName = im.byID[k.UserID].Name
		if use := k.used.last.Load(); use != nil {
			out.AccessKeyLastUsed = keyLastUsed{&use.At, use.Service, use.Region}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
