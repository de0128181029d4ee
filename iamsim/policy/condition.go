package policy

import "strings"

// Condition is one key under one operator of a statement. All conditions of a
// statement must hold; the values of one are alternatives (P30).
type Condition struct {
	Operator string // as written
	Key      string // as written
	Values   []Value
	Pos      Pos // of the key

	op     operator
	key    string // lower case
	values []matcher
}

func newCondition(operatorName string, op operator, key string, pos Pos, values []Value, vars bool) Condition {
	c := Condition{Operator: operatorName, Key: key, Values: values, Pos: pos, op: op, key: strings.ToLower(key)}
	for _, v := range values {
		c.values = append(c.values, op.compileValue(v.Text, vars))
	}
	return c
}

// holds applies the truth rules for absent keys and sets (P32, P36, P37).
func (c *Condition) holds(ctx Context) bool {
	values := ctx[c.key]
	if c.op.family == nullFamily {
		return c.holdsNull(len(values) > 0)
	}
	if len(values) == 0 {
		switch c.op.set {
		case forAllValues:
			return true
		case forAnyValue:
			return c.op.ifExists
		}
		return c.op.ifExists || c.op.negated
	}
	switch c.op.set {
	case forAllValues:
		for _, v := range values {
			if c.matches(v, ctx) == c.op.negated {
				return false
			}
		}
		return true
	case forAnyValue:
		for _, v := range values {
			if c.matches(v, ctx) != c.op.negated {
				return true
			}
		}
		return false
	}
	// A list never satisfies an operator that compares one value (P36).
	return len(values) == 1 && c.matches(values[0], ctx) != c.op.negated
}

// matches reports whether a request value equals any value of the policy, before negation.
func (c *Condition) matches(v string, ctx Context) bool {
	for _, m := range c.values {
		if m.match(v, ctx) {
			return true
		}
	}
	return false
}

// holdsNull: "true" asks for an absent key, "false" for a present one.
func (c *Condition) holdsNull(present bool) bool {
	for _, v := range c.Values {
		if isBool(v.Text) && strings.EqualFold(v.Text, "false") == present {
			return true
		}
	}
	return false
}
