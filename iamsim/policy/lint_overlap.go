package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// overlaps reports statements that repeat another one, or that a Deny undoes.
func (l *linter) overlaps() {
	first := map[string]*Statement{}
	prints := make([]string, len(l.doc.Statements))
	for i, s := range l.doc.Statements {
		l.at = s
		prints[i] = s.fingerprint()
		if other := first[prints[i]]; other != nil {
			l.find(Doubtful, s.Start, "remove one of the two", "it repeats "+other.named())
		} else {
			first[prints[i]] = s
		}
	}
	for i, s := range l.doc.Statements {
		l.at = s
		if s.Effect != Allow {
			continue
		}
		for j, other := range l.doc.Statements {
			switch {
			case prints[i] == prints[j] || !undoes(other, s):
			case other.Effect == Deny:
				l.find(Dead, s.Start, "remove it, or narrow the Deny", other.named()+" denies everything that this one allows")
			default:
				l.find(Doubtful, s.Start, "remove it", "it adds nothing to "+other.named())
			}
		}
	}
	l.at = nil
}

// named is how people find the statement.
func (s *Statement) named() string {
	name := "statement " + strconv.Itoa(s.Index)
	if s.Sid != "" {
		name += " (" + s.Sid + ")"
	}
	return name
}

// fingerprint is equal for statements that say the same, in whatever order.
func (s *Statement) fingerprint() string {
	var b strings.Builder
	part := func(negated bool, list []string) {
		slices.Sort(list)
		fmt.Fprintf(&b, "%t%q", negated, slices.Compact(list))
	}
	actions := texts(s.Actions)
	for i := range actions {
		actions[i] = strings.ToLower(actions[i])
	}
	b.WriteString(string(s.Effect))
	part(s.NotAction, actions)
	part(s.NotResource, texts(s.Resources))
	part(s.NotPrincipal, s.principalTexts())
	part(false, s.conditionTexts())
	return b.String()
}

func (s *Statement) principalTexts() []string {
	list := make([]string, len(s.Principals))
	for i, p := range s.Principals {
		list[i] = string(p.Kind) + " " + p.Text
	}
	return list
}

func (s *Statement) conditionTexts() []string {
	list := make([]string, len(s.Conditions))
	for i, c := range s.Conditions {
		list[i] = strings.ToLower(c.Operator) + "\x00" + c.key + "\x00" + strings.Join(texts(c.Values), "\x00")
	}
	return list
}

// undoes reports whether outer, whatever its effect, matches every request that inner
// matches. It may say no when the answer is yes.
func undoes(outer, inner *Statement) bool {
	if len(outer.Conditions) > 0 || outer.NotAction || outer.NotResource || outer.NotPrincipal ||
		inner.NotAction || inner.NotResource || inner.NotPrincipal {
		return false
	}
	for _, a := range inner.Actions {
		if !coveredBy(outer.Actions, strings.ToLower(a.Text), strings.ToLower) {
			return false
		}
	}
	for _, r := range inner.Resources {
		if !coveredBy(outer.Resources, r.Text, strings.Clone) {
			return false
		}
	}
	return len(inner.Resources) > 0 == (len(outer.Resources) > 0) && coversPrincipals(outer, inner)
}

func coveredBy(outer []Value, inner string, fold func(string) string) bool {
	for _, o := range outer {
		text := fold(o.Text)
		if text == inner || strings.Trim(text, "*") == "" && text != "" {
			return true
		}
		// Fields of an ARN are compared one by one; a "*" before the last one stays inside it.
		if strings.HasPrefix(text, "arn:") {
			of, in := splitFields(text), splitFields(inner)
			if len(of) != 6 || len(in) != 6 || hasWildcard(strings.Join(of[:5], "")) || strings.Join(of[:5], ":") != strings.Join(in[:5], ":") {
				continue
			}
			if patternCovers(of[5], in[5]) {
				return true
			}
			continue
		}
		if patternCovers(text, inner) {
			return true
		}
	}
	return false
}

func coversPrincipals(outer, inner *Statement) bool {
	if len(outer.Principals) == 0 {
		return len(inner.Principals) == 0
	}
	for _, o := range outer.Principals {
		if o.Kind == PrincipalAny || o.Kind == PrincipalAWS && o.Text == "*" {
			return true
		}
	}
	names := outer.principalTexts()
	for _, name := range inner.principalTexts() {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}
