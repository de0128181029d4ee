package policy

import (
	"fmt"
	"strings"
)

// maxOrganizationPolicy is the largest SCP or RCP in characters (P82).
const maxOrganizationPolicy = 10240

const msgOrganization = "The provided policy document does not meet the requirements of the specified policy type."

// ValidateSCP checks a service control policy as AWS Organizations does when it is
// created: the grammar of identity policies, without principals (P82). Errors are
// *ValidationError with code MalformedPolicyDocumentException.
func ValidateSCP(text string) (*Document, error) {
	d, doc, err := readOrganizationPolicy(text)
	if err != nil {
		return nil, err
	}
	for _, s := range doc.Statements {
		switch {
		case len(s.Principals) > 0:
			return nil, d.fail(s.Principals[0].Pos, msgOrganization+" A service control policy has no Principal.")
		case len(s.Resources) == 0:
			return nil, d.fail(s.Start, msgOrganization+" A statement has no Resource.")
		}
	}
	return doc, nil
}

// rcpServices are the services that resource control policies cover (P83).
const rcpServices = " s3 sts kms sqs secretsmanager cognito-identity cognito-idp logs dynamodb ecr aoss "

// ValidateRCP checks a resource control policy: it only denies, names everyone as its
// principal, and covers only some services, by name (P83).
func ValidateRCP(text string) (*Document, error) {
	d, doc, err := readOrganizationPolicy(text)
	if err != nil {
		return nil, err
	}
	for _, s := range doc.Statements {
		if err := d.rcpStatement(s); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

func (d *draft) rcpStatement(s *Statement) error {
	switch {
	case s.Effect != Deny:
		return d.fail(s.Start, msgOrganization+" A resource control policy only denies; RCPFullAWSAccess, which allows, is always attached.")
	case len(s.Principals) != 1 || s.NotPrincipal || s.Principals[0].Text != "*" ||
		s.Principals[0].Kind != PrincipalAny && s.Principals[0].Kind != PrincipalAWS:
		return d.fail(s.Start, msgOrganization+` The Principal of a resource control policy is "*".`)
	case len(s.Resources) == 0:
		return d.fail(s.Start, msgOrganization+" A statement has no Resource.")
	case s.NotAction:
		return d.fail(s.Actions[0].Pos, msgOrganization+" A resource control policy has no NotAction.")
	}
	for _, a := range s.Actions {
		service, _, found := strings.Cut(strings.ToLower(a.Text), ":")
		if !found || !strings.Contains(rcpServices, " "+service+" ") {
			return d.fail(a.Pos, fmt.Sprintf("%s Resource control policies don't cover %q.", msgOrganization, a.Text))
		}
	}
	return nil
}

func readOrganizationPolicy(text string) (*draft, *Document, error) {
	d := &draft{code: "MalformedPolicyDocumentException", text: text}
	if n := len([]rune(text)); n > maxOrganizationPolicy {
		return nil, nil, &ValidationError{
			Code:    "ConstraintViolationException",
			Message: fmt.Sprintf("The policy is %d characters long; %d are the most.", n, maxOrganizationPolicy),
		}
	}
	doc, err := Parse(text)
	if err != nil {
		return nil, nil, d.failSyntax(err, "The provided policy document does not meet the requirements of the specified policy type: "+syntaxText(err))
	}
	for _, s := range doc.Statements {
		for _, a := range s.Actions {
			if msg := actionFault(a.Text); msg != "" {
				return nil, nil, d.fail(a.Pos, msgOrganization+" "+msg)
			}
		}
	}
	return d, doc, nil
}
