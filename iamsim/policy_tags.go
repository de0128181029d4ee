package iamsim

func tagPolicy(s *Service, c *call) (any, error) {
	arn, tags := c.form.policyARN("PolicyArn"), c.form.requiredTags()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.editPolicy(c, arn, func(p *managedPolicy) (err error) {
		p.Tags, err = merge(p.Tags, tags)
		return err
	})
}

func untagPolicy(s *Service, c *call) (any, error) {
	arn, keys := c.form.policyARN("PolicyArn"), c.form.tagKeys()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.editPolicy(c, arn, func(p *managedPolicy) error {
		p.Tags = without(p.Tags, keys)
		return nil
	})
}

func listPolicyTags(s *Service, c *call) (any, error) {
	arn, page := c.form.policyARN("PolicyArn"), c.form.page()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	var tags []tag
	err := s.view(func(im *image) error {
		p := s.visible(im, c, arn)
		if p == nil {
			return noSuchPolicy(arn)
		}
		tags = p.Tags
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pageOfTags(page, tags), nil
}
