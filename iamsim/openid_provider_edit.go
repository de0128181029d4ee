package iamsim

import "slices"

// editIssuer changes one provider.
func (s *Service) editIssuer(c *call, arn string, edit func(*oidcProvider) error) error {
	return s.change(c.ctx, func(ch *change) error {
		p, err := ch.findIssuer(c.account(), arn)
		if err != nil {
			return err
		}
		p = p.edit()
		if err := edit(p); err != nil {
			return err
		}
		ch.putIssuer(p)
		return nil
	})
}

// addClientID succeeds for an id that is there already (I58).
func addClientID(s *Service, c *call) (any, error) {
	arn, id := c.form.issuerARN(), c.form.text("ClientID", 1, 255)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.editIssuer(c, arn, func(p *oidcProvider) error {
		if slices.Contains(p.ClientIDs, id) {
			return nil
		}
		p.ClientIDs = append(p.ClientIDs, id)
		return room(len(p.ClientIDs)-1, maxClientIDs, "ClientIdsPerOpenIdConnectProvider")
	})
}

// removeClientID succeeds for an id that is not there (I58).
func removeClientID(s *Service, c *call) (any, error) {
	arn, id := c.form.issuerARN(), c.form.text("ClientID", 1, 255)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.editIssuer(c, arn, func(p *oidcProvider) error {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(have string) bool { return have == id })
		return nil
	})
}

// updateThumbprints replaces the list. Nothing here needs it: keys come from files, not
// from a host with a certificate (I59).
func updateThumbprints(s *Service, c *call) (any, error) {
	arn, list := c.form.issuerARN(), c.form.thumbprints()
	if !c.form.has("ThumbprintList.member.1") {
		c.form.missing("ThumbprintList")
	}
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.editIssuer(c, arn, func(p *oidcProvider) error {
		p.Thumbprints = list
		return nil
	})
}

func taggedIssuer() tagged {
	return tagged{
		name: (*form).issuerARN,
		edit: func(s *Service, c *call, arn string, edit func([]tag) ([]tag, error)) error {
			return s.editIssuer(c, arn, func(p *oidcProvider) (err error) {
				p.Tags, err = edit(p.Tags)
				return err
			})
		},
		read: func(_ *Service, im *image, c *call, arn string) ([]tag, error) {
			p, err := im.findIssuer(c.account(), arn)
			if err != nil {
				return nil, err
			}
			return p.Tags, nil
		},
		fold: asGiven,
	}
}

func issuerTarget(im *image, c *call) target {
	arn := c.form.get("OpenIDConnectProviderArn")
	t := target{arn: arn, text: arn, account: c.account()}
	if p := im.issuer(c.account(), arn); p != nil {
		t.tags = p.Tags
	}
	return t
}

func newIssuerTarget(_ *image, c *call) target {
	f := &form{values: c.form.values} // what is wrong with the URL is told by the handler
	arn := issuerARN(c.account(), f.issuerURL())
	return target{arn: arn, text: arn, account: c.account()}
}
