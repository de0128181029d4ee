package iamsim

import (
	"slices"
	"strings"

	"twinbucket/internal/failure"
)

// visible finds a managed policy that the caller's account may use: its own or AWS's.
func (s *Service) visible(im *image, c *call, arn string) *managedPolicy {
	if p := s.managed(im, arn); p != nil && (p.Account == c.account() || p.Account == awsAccount) {
		return p
	}
	return nil
}

func attachPolicy(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, arn := c.form.name(kind.param(), kind.nameLimit()), c.form.policyARN("PolicyArn")
		if err := c.form.err(); err != nil {
			return nil, err
		}
		_, err := s.editPolicies(c, kind, name, func(e *entity) error {
			p := s.visible(s.image, c, arn)
			if p == nil {
				return failure.Newf("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
			}
			if p.Path == serviceRolePath {
				return failure.New("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.") // I57
			}
			if slices.Contains(e.Attached, arn) {
				return nil
			}
			if len(e.Attached) >= maxAttached {
				return limitExceeded("PoliciesPer"+kind.title(), maxAttached)
			}
			e.Attached = append(e.Attached, arn)
			return nil
		})
		return nil, err
	}
}

func detachPolicy(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, arn := c.form.name(kind.param(), kind.nameLimit()), c.form.policyARN("PolicyArn")
		if err := c.form.err(); err != nil {
			return nil, err
		}
		_, err := s.editPolicies(c, kind, name, func(e *entity) error {
			i := slices.Index(e.Attached, arn)
			if i < 0 {
				return noSuchPolicy(arn)
			}
			e.Attached = slices.Delete(e.Attached, i, i+1)
			return nil
		})
		return nil, err
	}
}

type attachedPolicy struct {
	PolicyName string
	PolicyArn  string
}

type attachedPoliciesResult struct {
	AttachedPolicies []attachedPolicy
	paging
}

func listAttachedPolicies(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		f := c.form
		name, page, prefix := f.name(kind.param(), kind.nameLimit()), f.page(), f.pathPrefix()
		if err := f.err(); err != nil {
			return nil, err
		}
		var attached []attachedPolicy
		err := s.view(func(im *image) error {
			e, err := im.find(kind, c.account(), name)
			if err != nil {
				return err
			}
			for _, arn := range e.Attached {
				if p := s.managed(im, arn); p != nil && strings.HasPrefix(p.Path, prefix) {
					attached = append(attached, attachedPolicy{p.Name, arn})
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		attached, paging := cut(page, attached, func(p attachedPolicy) string { return p.PolicyArn })
		return &attachedPoliciesResult{shapes(attached, func(p attachedPolicy) attachedPolicy { return p }), paging}, nil
	}
}
