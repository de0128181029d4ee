package iamsim

import "twinbucket/internal/failure"

// Results of operations that list what can't exist here (I45). Terraform and cleaners
// ask for these lists before they delete a user or a role.
type (
	noGroups struct {
		Groups []string
		paging
	}
	noInstanceProfiles struct {
		InstanceProfiles []string
		paging
	}
	noMFADevices struct {
		MFADevices []string
		paging
	}
	noSSHPublicKeys struct {
		SSHPublicKeys []string
		paging
	}
	noCertificates struct {
		Certificates []string
		paging
	}
	noServiceCredentials struct{ ServiceSpecificCredentials []string }
)

// listNothing answers with empty once it is sure that the user or role exists.
func listNothing(kind entityKind, empty any) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		c.form.page()
		name := c.form.optionalName(kind.param(), kind.nameLimit())
		if kind == roleKind && name == "" {
			c.form.missing(kind.param())
		}
		if err := c.form.err(); err != nil {
			return nil, err
		}
		if name == "" {
			return empty, nil
		}
		return empty, s.view(func(im *image) error {
			_, err := im.find(kind, c.account(), name)
			return err
		})
	}
}

// getLoginProfile: users have no passwords here.
func getLoginProfile(s *Service, c *call) (any, error) {
	name, err := keyOwner(c)
	if err != nil {
		return nil, err
	}
	return nil, s.view(func(im *image) error {
		user, err := im.find(userKind, c.account(), name)
		if err != nil {
			return err
		}
		return failure.Newf("NoSuchEntity", "Login Profile for User %s cannot be found.", user.Name)
	})
}
