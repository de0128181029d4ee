package policy

import (
	"slices"
	"strings"
)

// Messages for role trust policies (P5).
const (
	msgInvalidJSON       = "This policy contains invalid Json"
	msgTrustVersion      = "The policy must contain a valid version string"
	msgEmptyStatement    = "Could not parse the policy: Statement is empty!"
	msgTrustSids         = "The Statement Ids in the policy are not unique"
	msgTrustSyntax       = "Syntax error in policy."
	msgMissingPrincipal  = "Missing required field Principal"
	msgEmptyPrincipal    = "Missing required field Principal cannot be empty!"
	msgTrustStar         = `AssumeRolepolicy contained an invalid principal: "STAR":"*".`
	msgPrincipalObject   = "Principal must be a JSON object."
	msgAllowNotPrincipal = "Allow with NotPrincipal is not allowed."
	msgNotPrincipal      = "AssumeRole policy must not contain NotPrincipal field."
	msgOnlySTS           = "AssumeRole policy may only specify STS AssumeRole actions."
	msgNoResource        = "Has prohibited field Resource"
	msgNoNotResource     = "AssumeRole policy must not contain resources."
	msgCognito           = "A condition block must be present for the Cognito provider"
)

const cognitoProvider = "cognito-identity.amazonaws.com"

// ValidateTrust checks a role trust policy as CreateRole and
// UpdateAssumeRolePolicy do (P5). r resolves the principals; nil accepts every well-formed one.
func ValidateTrust(text string, r Resolver) (*Document, error) {
	d := &draft{code: codeMalformedDocument, text: text}
	if err := d.readTrust(); err != nil {
		return nil, err
	}
	err := run(
		func() error { return d.each(func(s *node) error { return d.trustStatement(s, r) }) },
		d.trustSids,
	)
	if err != nil {
		return nil, err
	}
	return d.finish(msgTrustSyntax)
}

// readTrust reads JSON and checks what stands outside the statements.
func (d *draft) readTrust() error {
	root, err := readJSON(d.text)
	if err != nil {
		return d.failSyntax(err, msgInvalidJSON)
	}
	if root.kind != kindObject {
		return d.fail(root.start, msgInvalidJSON)
	}
	d.root, d.statements = root, statementNodes(root.get("Statement"))
	if n := d.badVersion(); n != nil {
		return d.fail(n.start, msgTrustVersion)
	}
	if len(d.statements) == 0 || d.statements[0].kind == kindNull {
		return d.fail(root.start, msgEmptyStatement)
	}
	if id := root.get("Id"); id != nil && id.kind != kindString {
		return d.fail(id.start, msgTrustSyntax)
	}
	for _, s := range d.statements {
		if s.kind != kindObject {
			return d.fail(s.start, msgTrustSyntax)
		}
	}
	if m, found := d.unknownElement(); found {
		return d.fail(m.pos, msgTrustSyntax)
	}
	return nil
}

func (d *draft) trustSids() error {
	if sid := d.repeatedSid(); sid != nil {
		return d.fail(sid.start, msgTrustSids)
	}
	return nil
}

func (d *draft) trustStatement(s *node, r Resolver) error {
	return run(
		func() error { return d.trustEffect(s) },
		func() error { return d.trustPrincipal(s, r) },
		func() error { return d.trustShape(s) },
		func() error { return d.trustActions(s) },
		func() error { return d.trustResources(s) },
	)
}

func (d *draft) trustEffect(s *node) error {
	e := s.get("Effect")
	switch {
	case e == nil:
		return d.fail(s.start, "Missing required field Effect")
	case e.kind != kindString || e.text != string(Allow) && e.text != string(Deny):
		return d.fail(e.start, "Invalid effect: "+e.text)
	}
	return nil
}

func (d *draft) trustPrincipal(s *node, r Resolver) error {
	if n := s.get("NotPrincipal"); n != nil {
		if s.get("Effect").text == string(Allow) {
			return d.fail(n.start, msgAllowNotPrincipal)
		}
		return d.fail(n.start, msgNotPrincipal)
	}
	n := s.get("Principal")
	switch {
	case n == nil:
		return d.fail(s.start, msgMissingPrincipal)
	case n.kind == kindString && n.text == "*":
		return d.fail(n.start, msgTrustStar)
	case n.kind == kindString:
		return d.fail(n.start, msgPrincipalObject)
	case n.kind != kindObject:
		return d.fail(n.start, msgTrustSyntax)
	case len(n.members) == 0:
		return d.fail(n.start, msgEmptyPrincipal)
	}
	for _, m := range n.members {
		if err := d.trustPrincipals(s, m, r); err != nil {
			return err
		}
	}
	return nil
}

// trustPrincipals checks the values of one kind of principal.
func (d *draft) trustPrincipals(s *node, m member, r Resolver) error {
	kind := PrincipalKind(m.key)
	if kind != PrincipalAWS && kind != PrincipalService && kind != PrincipalFederated {
		return d.fail(m.pos, `Invalid principal in policy: "`+m.key+`"`)
	}
	list, err := stringsOf(m)
	if err != nil {
		return d.failSyntax(err, msgTrustSyntax)
	}
	for _, v := range list {
		if principalFault(PrincipalValue{kind, v}, r) {
			return d.fail(v.Pos, invalidTrustPrincipal(PrincipalValue{kind, v}))
		}
		if kind == PrincipalFederated && v.Text == cognitoProvider && !conditionOn(s, cognitoProvider+":aud") {
			return d.fail(v.Pos, msgCognito)
		}
	}
	return nil
}

// invalidTrustPrincipal is IAM's refusal of a principal in a trust policy (P5).
func invalidTrustPrincipal(p PrincipalValue) string {
	name := string(p.Kind)
	if p.Kind != PrincipalAWS {
		name = strings.ToUpper(name)
	}
	return `Invalid principal in policy: "` + name + `":"` + p.Text + `"`
}

// conditionOn reports whether a statement has a condition on the key.
func conditionOn(s *node, key string) bool {
	n := s.get("Condition")
	if n == nil {
		return false
	}
	list, err := conditions(n, false)
	return err == nil && slices.ContainsFunc(list, func(c Condition) bool { return strings.EqualFold(c.Key, key) })
}

// trustShape checks types and exclusive elements.
func (d *draft) trustShape(s *node) error {
	if c := s.get("Condition"); c != nil {
		if _, err := conditions(c, false); err != nil {
			return d.failSyntax(err, msgTrustSyntax)
		}
	}
	if sid := s.get("Sid"); sid != nil && sid.kind != kindString {
		return d.fail(sid.start, msgTrustSyntax)
	}
	for _, key := range [...]string{"Action", "Resource"} {
		plain, not := s.get(key), s.get("Not"+key)
		if plain != nil && not != nil {
			return d.fail(not.start, msgTrustSyntax)
		}
		for _, n := range [...]*node{plain, not} {
			if n == nil {
				continue
			}
			if _, err := stringsOf(member{key: key, value: n}); err != nil {
				return d.failSyntax(err, msgTrustSyntax)
			}
		}
	}
	return nil
}

func (d *draft) trustActions(s *node) error {
	actions := both(s, "Action")
	if len(actions) == 0 {
		return d.fail(s.start, "Missing required field Action")
	}
	for _, a := range actions {
		if vendor, _, found := strings.Cut(a.Text, ":"); !found || !strings.EqualFold(vendor, "sts") {
			return d.fail(a.Pos, msgOnlySTS)
		}
	}
	return nil
}

func (d *draft) trustResources(s *node) error {
	if n := s.get("Resource"); n != nil {
		return d.fail(n.start, msgNoResource)
	}
	if n := s.get("NotResource"); n != nil {
		return d.fail(n.start, msgNoNotResource)
	}
	return nil
}
