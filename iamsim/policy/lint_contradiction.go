package policy

import (
	"slices"
	"strings"
)

// contradiction says why two conditions of a statement can't both hold; "" if they can.
func contradiction(a, b *Condition) string {
	if a.key != b.key {
		return ""
	}
	if a.op.family == nullFamily || b.op.family == nullFamily {
		return nullContradiction(a, b)
	}
	if a.op.ifExists || b.op.ifExists || a.op.set != single || b.op.set != single {
		return ""
	}
	if a.op.negated {
		a, b = b, a
	}
	switch {
	case a.op.negated: // both exclude
		return ""
	case b.op.negated && slices.ContainsFunc(a.Values, func(v Value) bool { return b.holds(Context{b.key: {v.Text}}) }):
		return ""
	case b.op.negated && exactFamily(a):
		return b.Operator + " excludes every value that " + a.Operator + " asks for"
	case exactFamily(a) && comparable(a.op.family, b.op.family):
		for _, v := range a.Values {
			if b.holds(Context{b.key: {v.Text}}) {
				return ""
			}
		}
		return "no value of " + a.Operator + " satisfies " + b.Operator
	case a.op.family == b.op.family && (a.op.family == numericFamily || a.op.family == dateFamily):
		return emptyRange(a, b)
	}
	return ""
}

// exactFamily: the values of the condition are the only ones that satisfy it.
func exactFamily(c *Condition) bool {
	for _, v := range c.Values {
		if strings.Contains(v.Text, "${") {
			return false
		}
	}
	switch c.op.family {
	case stringFamily, boolFamily:
		return true
	case numericFamily, dateFamily:
		return c.op.compare == equal
	}
	return false
}

// comparable reports whether a value of one family can be put to the other.
func comparable(a, b family) bool {
	text := func(f family) bool {
		return f == stringFamily || f == stringFoldFamily || f == likeFamily || f == arnFamily
	}
	return a == b || text(a) && text(b)
}

// emptyRange finds "less than 5" beside "greater than 7".
func emptyRange(a, b *Condition) string {
	if len(a.Values) != 1 || len(b.Values) != 1 {
		return ""
	}
	upper := func(c *Condition) bool { return c.op.compare == less || c.op.compare == lessOrEqual }
	if a.op.compare == equal || b.op.compare == equal || upper(a) == upper(b) {
		return ""
	}
	// If each refuses the other's bound, nothing lies between.
	if !a.holds(Context{a.key: {b.Values[0].Text}}) && !b.holds(Context{b.key: {a.Values[0].Text}}) {
		return "nothing satisfies both " + a.Operator + " " + a.Values[0].Text + " and " + b.Operator + " " + b.Values[0].Text
	}
	return ""
}

func nullContradiction(a, b *Condition) string {
	if a.op.family != nullFamily {
		a, b = b, a
	}
	absent := a.holdsNull(false) && !a.holdsNull(true)
	present := a.holdsNull(true) && !a.holdsNull(false)
	switch {
	case absent && b.op.family == nullFamily && !b.holdsNull(false), present && b.op.family == nullFamily && !b.holdsNull(true):
		return "Null asks for the key " + a.Key + " to be there and not to be there"
	case absent && b.op.family != nullFamily && !b.absentTrue():
		return "Null asks for the key " + a.Key + " to be absent, and " + b.Operator + " needs it"
	}
	return ""
}
