package policy

import "strings"

// ValidateSession checks an inline session policy as AssumeRole and
// GetFederationToken do: STS words structural faults like trust policies and
// does not complete short ARNs (P5). The size limit of 2,048 characters is STS's parameter check.
func ValidateSession(text string) (*Document, error) {
	d := &draft{code: codeMalformedDocument, text: text}
	if err := d.readTrust(); err != nil {
		return nil, err
	}
	err := run(
		func() error { return d.each(d.sessionStatement) },
		d.trustSids,
	)
	if err != nil {
		return nil, err
	}
	return d.finish(msgTrustSyntax)
}

func (d *draft) sessionStatement(s *node) error {
	err := run(
		func() error { return d.trustEffect(s) },
		func() error { return d.noPrincipal(s) },
		func() error { return d.trustShape(s) },
	)
	if err != nil {
		return err
	}
	if len(both(s, "Action")) == 0 {
		return d.fail(s.start, "Missing required field Action")
	}
	if err := d.actionForms(s); err != nil {
		return err
	}
	if len(both(s, "Resource")) == 0 {
		return d.fail(s.start, "Missing required field Resource")
	}
	for _, r := range both(s, "Resource") {
		if r.Text != "*" && strings.HasPrefix(r.Text, "arn:") && strings.Count(r.Text, ":") < 5 {
			return d.fail(r.Pos, "Resource "+r.Text+` must be in ARN format or "*".`)
		}
	}
	return d.resourceForms(s)
}
