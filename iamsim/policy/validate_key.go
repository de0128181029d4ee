package policy

import (
	"errors"
	"strings"
)

// Messages for KMS key policies (P7, P8).
const (
	msgKeyPrincipal = "Policy contains a statement with one or more invalid principals."
	// msgKeyInvalid is our wording: AWS's is not recorded (P7).
	msgKeyInvalid = "The new key policy is not valid: "
	msgForAll     = "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches requests without the specified [encryption context or tag] or with an unspecified [encryption context or tag]. To fix, remove ForAllValues."
)

// maxKeyPolicy is the largest key policy in bytes (P8).
const maxKeyPolicy = 32768

// ValidateKey checks a key policy as CreateKey and PutKeyPolicy do (P7, P8). The
// lockout check needs the caller's own policies and is made by KMS with Evaluate.
func ValidateKey(text string, r Resolver) (*Document, error) {
	d := &draft{code: "MalformedPolicyDocumentException", text: text}
	if len(text) > maxKeyPolicy {
		return nil, &ValidationError{Code: "LimitExceededException", Message: "The key policy is longer than 32768 bytes."}
	}
	doc, err := Parse(text)
	if err != nil {
		return nil, d.failSyntax(err, msgKeyInvalid+syntaxText(err))
	}
	for _, s := range doc.Statements {
		if err := d.keyStatement(s, r); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

func (d *draft) keyStatement(s *Statement, r Resolver) error {
	if len(s.Principals) == 0 {
		return d.fail(s.Start, msgKeyPrincipal)
	}
	for _, p := range s.Principals {
		// The bare "*" is refused, {"AWS": "*"} is not (P7).
		if p.Kind == PrincipalAny || p.Kind == PrincipalCanonical || principalFault(p, r) {
			return d.fail(p.Pos, msgKeyPrincipal)
		}
	}
	if len(s.Resources) == 0 {
		return d.fail(s.Start, msgKeyInvalid+"a statement has no Resource element")
	}
	for _, a := range s.Actions {
		if msg := actionFault(a.Text); msg != "" {
			return d.fail(a.Pos, msgKeyInvalid+msg)
		}
	}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if c.op.set == forAllValues && (strings.HasPrefix(c.key, "kms:encryptioncontext:") || strings.HasPrefix(c.key, "aws:requesttag/")) {
			return d.fail(c.Pos, msgForAll)
		}
	}
	return nil
}

func syntaxText(err error) string {
	var at *SyntaxError
	if errors.As(err, &at) {
		return at.Error()
	}
	return err.Error()
}
