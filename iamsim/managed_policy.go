package iamsim

import (
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type policyShape struct {
	PolicyName                    string
	PolicyId                      string
	Arn                           string
	Path                          string
	DefaultVersionId              string
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string
	CreateDate                    time.Time
	UpdateDate                    time.Time
	Tags                          []tagShape
}

type policyResult struct{ Policy policyShape }

// usage is how often a policy is attached, and used as a boundary, in an account.
type usage struct{ attached, boundary int }

func (im *image) usage(account, arn string) usage { return im.usages(account)[arn] }

// usages counts all policies that an account uses, by ARN.
func (im *image) usages(account string) map[string]usage {
	out := map[string]usage{}
	for _, e := range im.byID {
		if e.Account != account {
			continue
		}
		for _, arn := range e.Attached {
			u := out[arn]
			u.attached++
			out[arn] = u
		}
		if e.Boundary != "" {
			u := out[e.Boundary]
			u.boundary++
			out[e.Boundary] = u
		}
	}
	return out
}

// policyShape is the policy as lists show it: without description and tags (I22).
func (p *managedPolicy) shape(u usage) policyShape {
	return policyShape{
		PolicyName: p.Name, PolicyId: p.ID, Arn: p.arn, Path: p.Path, DefaultVersionId: p.Default,
		AttachmentCount: u.attached, PermissionsBoundaryUsageCount: u.boundary, IsAttachable: true,
		CreateDate: p.Created, UpdateDate: p.Updated,
	}
}

func noSuchPolicy(arn string) error {
	return failure.Newf("NoSuchEntity", "Policy %s was not found.", arn)
}

// checkManaged validates the document of a managed policy.
func checkManaged(text string) error {
	if _, err := policy.ValidateIdentity(text, true); err != nil {
		return malformed(err)
	}
	if sizeOf(text) > maxManagedSize {
		return limitExceeded("PolicySize", maxManagedSize)
	}
	return nil
}

func createPolicy(s *Service, c *call) (any, error) {
	f := c.form
	p := &managedPolicy{
		Account: c.account(), Name: f.name("PolicyName", 128), Path: f.path("Path"), Description: f.description(),
		Tags: f.tags(), ID: s.random.uniqueID(policyIDPrefix), Created: c.now, Updated: c.now, Default: "v1", Next: 2,
		Versions: []policyVersion{{ID: "v1", Text: f.document("PolicyDocument"), Created: c.now}},
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	err := s.change(c.ctx, func(ch *change) error {
		if ch.image.policies[p.key()] != nil {
			return failure.Newf("EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", p.Name)
		}
		if err := checkManaged(p.text()); err != nil {
			return err
		}
		if err := room(count(ch.image.policies, p.Account), maxPolicies, "PoliciesPerAccount"); err != nil {
			return err
		}
		ch.putPolicy(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &policyResult{p.shape(usage{})}, nil
}

func getPolicy(s *Service, c *call) (any, error) {
	arn := c.form.policyARN("PolicyArn")
	if err := c.form.err(); err != nil {
		return nil, err
	}
	var shape policyShape
	err := s.view(func(im *image) error {
		p := s.visible(im, c, arn)
		if p == nil {
			return noSuchPolicy(arn)
		}
		shape = p.shape(im.usage(c.account(), arn))
		shape.Description, shape.Tags = p.Description, tagShapes(p.Tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &policyResult{shape}, nil
}

// own finds a policy that the caller's account may change. AWS's are read only (I41).
func (ch *change) own(c *call, arn string) (*managedPolicy, error) {
	p := ch.service.visible(ch.image, c, arn)
	switch {
	case p == nil:
		return nil, noSuchPolicy(arn)
	case p.Account == awsAccount:
		return nil, failure.Newf("AccessDenied", "User: %s is not authorized to perform: %s on resource: policy %s",
			c.caller.Principal.ARN, c.op.action(), arn)
	}
	return p, nil
}

// editPolicy changes one customer managed policy.
func (s *Service) editPolicy(c *call, arn string, edit func(*managedPolicy) error) error {
	return s.change(c.ctx, func(ch *change) error {
		p, err := ch.own(c, arn)
		if err != nil {
			return err
		}
		p = p.edit()
		if err := edit(p); err != nil {
			return err
		}
		ch.putPolicy(p)
		return nil
	})
}

func deletePolicy(s *Service, c *call) (any, error) {
	arn := c.form.policyARN("PolicyArn")
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		p, err := ch.own(c, arn)
		if err != nil {
			return err
		}
		switch u := ch.usage(p.Account, arn); {
		case u.attached+u.boundary > 0:
			return failure.New("DeleteConflict", "Cannot delete a policy attached to entities.")
		case len(p.Versions) > 1:
			return failure.New("DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		ch.deletePolicy(p)
		return nil
	})
}
