package iamsim

import "twinbucket/internal/failure"

// Results of operations that list what can't exist here (I45). Terraform and cleaners
// ask for these lists before they delete a user, or an account's contents.
type (
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
	noVirtualMFADevices  struct {
		VirtualMFADevices []string
		paging
	}
	noServerCertificates struct {
		ServerCertificateMetadataList []string
		paging
	}
	noSAMLProviders struct{ SAMLProviderList []string }
)

// listNoneOf answers with empty once it is sure that the user exists.
func listNoneOf(empty any) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		c.form.page()
		name := c.form.optionalName("UserName", 128)
		if err := c.form.err(); err != nil {
			return nil, err
		}
		if name == "" {
			return empty, nil
		}
		return empty, s.view(func(im *image) error {
			_, err := im.find(userKind, c.account(), name)
			return err
		})
	}
}

// listNone answers with empty.
func listNone(empty any) func(*Service, *call) (any, error) {
	return func(_ *Service, c *call) (any, error) {
		c.form.page()
		return empty, c.form.err()
	}
}

// noLoginProfile answers for users, who have no passwords here. Terraform's force_destroy
// tries to delete one and expects to hear this.
func noLoginProfile(s *Service, c *call) (any, error) {
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
