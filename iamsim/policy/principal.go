package policy

import "strings"

// reach says how a Principal element covers a caller. It decides which implicit
// denies of the caller's own policies an allow overrides inside one account (P12).
type reach uint8

const (
	noReach reach = iota
	// accountReach: the caller's account is named. It only delegates: identity policies must allow too.
	accountReach
	// roleReach: the caller's role (or the user behind a federated session) is
	// named. Identity policies are not needed; boundary and session policies still limit.
	roleReach
	// directReach: the caller itself or everyone is named; no implicit deny of its own policies counts.
	directReach
)

type principalForm uint8

const (
	formEveryone  principalForm = iota
	formAccount                 // text is the account id
	formUser                    // user ARN
	formRole                    // role ARN
	formSession                 // assumed-role or federated-user ARN
	formID                      // AIDA… or AROA…
	formService                 // service principal
	formFederated               // identity provider
	formOther                   // canonical user ids and what is no principal at all
)

type principalPattern struct {
	form principalForm
	text string
}

func compilePrincipal(p PrincipalValue) principalPattern {
	if p.Text == "*" && p.Kind != PrincipalService && p.Kind != PrincipalCanonical {
		return principalPattern{form: formEveryone}
	}
	switch p.Kind {
	case PrincipalService:
		return principalPattern{formService, p.Text}
	case PrincipalFederated:
		return principalPattern{formFederated, p.Text}
	case PrincipalAWS:
		return compileAWSPrincipal(p.Text)
	}
	return principalPattern{formOther, p.Text}
}

func compileAWSPrincipal(text string) principalPattern {
	if isAccountID(text) {
		return principalPattern{formAccount, text}
	}
	if isEntityID(text) {
		return principalPattern{formID, text}
	}
	f, ok := arnFields(text)
	if !ok || f[3] != "" || !isAccountID(f[4]) {
		return principalPattern{formOther, text}
	}
	switch name := f[5]; {
	case f[2] == "iam" && name == "root":
		return principalPattern{formAccount, f[4]}
	case f[2] == "iam" && strings.HasPrefix(name, "user/"):
		return principalPattern{formUser, text}
	case f[2] == "iam" && strings.HasPrefix(name, "role/"):
		return principalPattern{formRole, text}
	case f[2] == "sts" && (strings.HasPrefix(name, "assumed-role/") || strings.HasPrefix(name, "federated-user/")):
		return principalPattern{formSession, text}
	}
	return principalPattern{formOther, text}
}

// isEntityARN reports whether text is a user or role ARN, the kind that is pinned to an id on save.
func isEntityARN(text string) bool {
	form := compileAWSPrincipal(text).form
	return form == formUser || form == formRole
}

func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// isEntityID reports whether s is a user's or role's unique id (P11).
func isEntityID(s string) bool {
	return len(s) >= 16 && len(s) <= 128 && (strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA")) &&
		strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// covers reports how the pattern reaches the caller, with pins of the policy it stands in.
func (p *principalPattern) covers(c *Principal, pins map[string]string) reach {
	switch p.form {
	case formEveryone:
		return directReach
	case formAccount:
		if c.Account != p.text || c.Account == "" {
			return noReach
		}
		if c.Type == Account {
			return directReach
		}
		return accountReach
	case formUser:
		if c.Type == FederatedUser && c.UserARN == p.text {
			return roleReach
		}
		if c.Type == User && p.names(c.ARN, c.UniqueID, pins) {
			return directReach
		}
	case formRole:
		if c.Type == AssumedRole && p.names(c.RoleARN, c.UniqueID, pins) {
			return roleReach
		}
	case formID:
		if c.UniqueID != p.text {
			return noReach
		}
		if c.Type == User {
			return directReach
		}
		return roleReach
	case formSession, formFederated:
		if c.ARN == p.text && c.Type != Anonymous {
			return directReach
		}
	case formService:
		if c.Type == Service && c.ARN == p.text {
			return directReach
		}
	}
	return noReach
}

// names compares by the id pinned when the policy was saved; a later entity of the same name has another (P11).
func (p *principalPattern) names(arn, id string, pins map[string]string) bool {
	if pin, ok := pins[p.text]; ok {
		return pin == id
	}
	return arn == p.text
}

// reaches is the strongest way the statement's Principal covers the caller. A
// statement without a principal covers nobody.
func (s *Statement) reaches(c *Principal, pins map[string]string) reach {
	best := noReach
	for i := range s.principal {
		best = max(best, s.principal[i].covers(c, pins))
	}
	if !s.NotPrincipal {
		return best
	}
	if s.Effect == Allow {
		if best == noReach && len(s.principal) > 0 {
			return directReach
		}
		return noReach
	}
	if s.excepts(c, pins) {
		return noReach
	}
	return directReach
}

// excepts reports whether a NotPrincipal of a Deny lists the caller on every
// level: the session, its role (or user) and the account. A level that is not
// listed is still denied (P13).
func (s *Statement) excepts(c *Principal, pins map[string]string) bool {
	var account, entity, session bool
	for i := range s.principal {
		p := &s.principal[i]
		if p.covers(c, pins) == noReach {
			continue
		}
		switch p.form {
		case formEveryone, formService, formFederated:
			return true
		case formAccount:
			account = true
		case formSession:
			session = true
		default:
			entity = true
		}
	}
	switch c.Type {
	case Account:
		return account
	case User:
		return account && entity
	case AssumedRole:
		return account && entity && session
	case FederatedUser:
		return account && session
	}
	return false
}
