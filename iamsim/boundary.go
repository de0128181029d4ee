package iamsim

import "twinbucket/internal/failure"

// boundary reads the optional PermissionsBoundary of a Create call.
func (f *form) boundary() string {
	arn := f.optional("PermissionsBoundary", 20, 2048)
	f.checkPolicyARN(arn)
	return arn
}

// boundaryExists refuses a boundary that is no policy (I40). "" is no boundary.
func (s *Service) boundaryExists(im *image, c *call, arn string) error {
	if arn == "" || s.visible(im, c, arn) != nil {
		return nil
	}
	return failure.Newf("NoSuchEntity", "Scope ARN: %s does not exist or is not attachable.", arn)
}

func putBoundary(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, arn := c.form.name(kind.param(), kind.nameLimit()), c.form.policyARN("PermissionsBoundary")
		if err := c.form.err(); err != nil {
			return nil, err
		}
		_, err := s.editPolicies(c, kind, name, func(e *entity) error {
			e.Boundary = arn
			return s.boundaryExists(s.image, c, arn)
		})
		return nil, err
	}
}

func deleteBoundary(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name := c.form.name(kind.param(), kind.nameLimit())
		if err := c.form.err(); err != nil {
			return nil, err
		}
		_, err := s.editPolicies(c, kind, name, func(e *entity) error {
			if e.Boundary == "" {
				return failure.Newf("NoSuchEntity", "%s %s does not have a permissions boundary.", kind.title(), e.Name)
			}
			e.Boundary = ""
			return nil
		})
		return nil, err
	}
}
