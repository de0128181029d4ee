package policy

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

type setMode uint8

const (
	single setMode = iota
	forAllValues
	forAnyValue
)

type family uint8

const (
	stringFamily family = iota
	stringFoldFamily
	likeFamily
	numericFamily
	dateFamily
	boolFamily
	binaryFamily
	ipFamily
	arnFamily
	nullFamily
)

type comparison uint8

const (
	equal comparison = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// operator is a condition operator taken apart: "ForAnyValue:StringNotLikeIfExists".
type operator struct {
	family   family
	compare  comparison
	negated  bool // every value must fail: StringNot…, NotIpAddress, …
	set      setMode
	ifExists bool
}

// parseOperator reads an operator's name; names compare without case (P31).
func parseOperator(name string) (operator, bool) {
	var o operator
	base := strings.ToLower(name)
	if rest, ok := strings.CutPrefix(base, "forallvalues:"); ok {
		base, o.set = rest, forAllValues
	} else if rest, ok := strings.CutPrefix(base, "foranyvalue:"); ok {
		base, o.set = rest, forAnyValue
	}
	base, o.ifExists = strings.CutSuffix(base, "ifexists")
	switch base {
	case "stringequalsignorecase":
		o.family = stringFoldFamily
	case "stringnotequalsignorecase":
		o.family, o.negated = stringFoldFamily, true
	case "stringlike":
		o.family = likeFamily
	case "stringnotlike":
		o.family, o.negated = likeFamily, true
	case "bool":
		o.family = boolFamily
	case "binaryequals":
		o.family = binaryFamily
	case "ipaddress":
		o.family = ipFamily
	case "notipaddress":
		o.family, o.negated = ipFamily, true
	case "arnequals", "arnlike": // the two are the same (P34)
		o.family = arnFamily
	case "arnnotequals", "arnnotlike":
		o.family, o.negated = arnFamily, true
	case "null":
		o.family = nullFamily
		return o, !o.ifExists
	default:
		return o, o.comparing(base)
	}
	return o, true
}

// comparing reads the operators made of a type and a comparison.
func (o *operator) comparing(base string) bool {
	rest := base
	switch {
	case strings.HasPrefix(base, "string"):
		o.family, rest = stringFamily, base[len("string"):]
	case strings.HasPrefix(base, "numeric"):
		o.family, rest = numericFamily, base[len("numeric"):]
	case strings.HasPrefix(base, "date"):
		o.family, rest = dateFamily, base[len("date"):]
	default:
		return false
	}
	switch rest {
	case "equals":
		return true
	case "notequals":
		o.negated = true
		return true
	}
	if o.family == stringFamily {
		return false
	}
	switch rest {
	case "lessthan":
		o.compare = less
	case "lessthanequals":
		o.compare = lessOrEqual
	case "greaterthan":
		o.compare = greater
	case "greaterthanequals":
		o.compare = greaterOrEqual
	default:
		return false
	}
	return true
}

// matcher compares one value of the request with one value of the policy. What
// can't be compared does not match, so a negated operator then holds (P33).
type matcher interface {
	match(value string, ctx Context) bool
}

// compileValue prepares a policy value for the operator.
func (o operator) compileValue(text string, vars bool) matcher {
	switch o.family {
	case stringFoldFamily:
		return foldMatcher{compilePattern(text, vars, false)}
	case likeFamily:
		return &likeMatcher{compilePattern(text, vars, true)}
	case numericFamily:
		n, ok := parseNumber(text)
		return numericMatcher{n, ok, o.compare}
	case dateFamily:
		t, ok := parseDate(text)
		return dateMatcher{t, ok, o.compare}
	case boolFamily:
		return boolMatcher{compilePattern(text, vars, false)}
	case binaryFamily:
		b, err := base64.StdEncoding.DecodeString(text)
		return binaryMatcher{b, err == nil}
	case ipFamily:
		p, ok := parsePrefix(text)
		return ipMatcher{p, ok}
	case arnFamily:
		return compileARNMatcher(text, vars)
	}
	return stringMatcher{compilePattern(text, vars, false)}
}

type stringMatcher struct{ text pattern }

func (m stringMatcher) match(v string, ctx Context) bool {
	text, ok := m.text.value(ctx)
	return ok && v == text
}

type foldMatcher struct{ text pattern }

func (m foldMatcher) match(v string, ctx Context) bool {
	text, ok := m.text.value(ctx)
	return ok && strings.EqualFold(v, text)
}

type likeMatcher struct{ text pattern }

func (m *likeMatcher) match(v string, ctx Context) bool {
	ok, _ := m.text.match(v, ctx)
	return ok
}

type boolMatcher struct{ text pattern }

func (m boolMatcher) match(v string, ctx Context) bool {
	text, ok := m.text.value(ctx)
	return ok && isBool(text) && strings.EqualFold(v, text)
}

func isBool(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }

type numericMatcher struct {
	n       float64
	ok      bool
	compare comparison
}

func (m numericMatcher) match(v string, _ Context) bool {
	n, ok := parseNumber(v)
	if !ok || !m.ok {
		return false
	}
	switch {
	case n < m.n:
		return m.compare == less || m.compare == lessOrEqual
	case n > m.n:
		return m.compare == greater || m.compare == greaterOrEqual
	}
	return m.compare != less && m.compare != greater
}

// parseNumber reads a decimal number; Go's other forms (hex, Inf, 1_000) are not numbers to AWS.
func parseNumber(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

type dateMatcher struct {
	t       time.Time
	ok      bool
	compare comparison
}

func (m dateMatcher) match(v string, _ Context) bool {
	t, ok := parseDate(v)
	if !ok || !m.ok {
		return false
	}
	switch t.Compare(m.t) {
	case -1:
		return m.compare == less || m.compare == lessOrEqual
	case 1:
		return m.compare == greater || m.compare == greaterOrEqual
	}
	return m.compare != less && m.compare != greater
}

// parseDate reads the W3C profile of ISO 8601 or epoch seconds (P35). Four
// digits are a year.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04",
		"20060102T150405Z", "2006-01-02", "2006-01", "2006",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	sec, ok := parseNumber(s)
	if !ok || sec < -1e11 || sec > 1e12 {
		return time.Time{}, false
	}
	whole := int64(sec)
	return time.Unix(whole, int64((sec-float64(whole))*1e9)), true
}

type binaryMatcher struct {
	bytes []byte
	ok    bool
}

func (m binaryMatcher) match(v string, _ Context) bool {
	b, err := base64.StdEncoding.DecodeString(v)
	return err == nil && m.ok && bytes.Equal(b, m.bytes)
}

type ipMatcher struct {
	prefix netip.Prefix
	ok     bool
}

func (m ipMatcher) match(v string, _ Context) bool {
	addr, err := netip.ParseAddr(v)
	return err == nil && m.ok && m.prefix.Contains(addr.Unmap())
}

// parsePrefix reads a CIDR block or a single address.
func parsePrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, true
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), true
}

// arnMatcher compares field by field, so a "*" stays inside its field except in the last (P34).
type arnMatcher struct {
	fields [6]pattern
	ok     bool
}

func compileARNMatcher(text string, vars bool) *arnMatcher {
	fields := splitFields(text)
	m := &arnMatcher{ok: len(fields) == 6 && fields[0] == "arn"}
	for i, f := range fields {
		m.fields[i] = compilePattern(f, vars, true)
	}
	return m
}

func (m *arnMatcher) match(v string, ctx Context) bool {
	fields, ok := arnFields(v)
	if !ok || !m.ok {
		return false
	}
	for i := range fields {
		if ok, _ := m.fields[i].match(fields[i], ctx); !ok {
			return false
		}
	}
	return true
}
