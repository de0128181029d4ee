package policy

import "strings"

// element is a part of a statement that holds values.
type element uint8

const (
	actionElement element = iota
	resourceElement
	principalElement
)

// refusal is what AWS says to a value of a statement when nothing else is wrong with the
// policy; "" when it takes the value. It words single values as the Validate functions do,
// which report the first fault of a text only.
func (l *linter) refusal(e element, text string) (code, message string) {
	switch l.options.Kind {
	case BucketDocument:
		return "MalformedPolicy", l.bucketRefusal(e, text)
	case KeyDocument:
		if message = l.keyRefusal(e, text); message != "" {
			return "MalformedPolicyDocumentException", message
		}
	case TrustDocument:
		return codeMalformedDocument, l.trustRefusal(e, text)
	case IdentityDocument, SessionDocument:
		return codeMalformedDocument, identityRefusalOf(e, text, l.options.Kind == IdentityDocument)
	}
	return "", ""
}

func identityRefusalOf(e element, text string, completes bool) string {
	switch {
	case e == actionElement:
		return actionFault(text)
	case e == principalElement:
		return ""
	case completes && failsLegacy(text):
		return msgLegacy
	case !completes && strings.HasPrefix(text, "arn:") && strings.Count(text, ":") < 5:
		return "Resource " + text + ` must be in ARN format or "*".`
	}
	return resourceFault(text)
}

func (l *linter) bucketRefusal(e element, text string) string {
	switch e {
	case actionElement:
		if len(bucketActionsOf(text)) == 0 {
			return msgBadAction
		}
	case resourceElement:
		if _, ok := bucketTarget(text, l.options.Bucket); !ok {
			return msgBadResource
		}
	case principalElement:
		if principalFault(l.principal, l.options.Resolver) {
			return msgBadPrincipal
		}
	}
	return ""
}

func (l *linter) keyRefusal(e element, text string) string {
	switch e {
	case actionElement:
		if fault := actionFault(text); fault != "" {
			return msgKeyInvalid + fault
		}
	case principalElement:
		if k := l.principal.Kind; k == PrincipalAny || k == PrincipalCanonical || principalFault(l.principal, l.options.Resolver) {
			return msgKeyPrincipal
		}
	}
	return ""
}

func (l *linter) trustRefusal(e element, text string) string {
	switch p := l.principal; e {
	case actionElement:
		if vendor, _, found := strings.Cut(text, ":"); !found || !strings.EqualFold(vendor, "sts") {
			return msgOnlySTS
		}
	case principalElement:
		if p.Kind != PrincipalAny && p.Kind != PrincipalCanonical && principalFault(p, l.options.Resolver) {
			return invalidTrustPrincipal(p)
		}
	}
	return ""
}
