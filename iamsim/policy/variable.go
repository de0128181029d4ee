package policy

import "strings"

// part is a piece of a text with policy variables: literal text (encoded when the
// text is a pattern) or a variable.
type part struct {
	literal string
	key     string // lower case; "" for literal text
	written string // the key as written
	def     string
	hasDef  bool
}

// pattern is a text of a policy that may hold wildcards and variables.
type pattern struct {
	glob  glob
	parts []part // nil: no variables
}

// compilePattern prepares text for matching. Only 2012-10-17 documents know
// variables; in older ones "${" is text (P40). With wild false "*" and "?" are characters.
func compilePattern(text string, vars, wild bool) pattern {
	if !vars || !strings.Contains(text, "${") {
		if wild {
			return pattern{glob: compileGlob(encode(text))}
		}
		return pattern{glob: glob{globExact, text}}
	}
	parts, variables := splitVariables(text, wild)
	if variables {
		return pattern{parts: parts}
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.literal)
	}
	if wild {
		return pattern{glob: compileGlob(b.String())}
	}
	return pattern{glob: glob{globExact, b.String()}}
}

// splitVariables cuts a text at its variables. ${*}, ${?} and ${$} are the characters themselves.
func splitVariables(text string, wild bool) (parts []part, variables bool) {
	enc := func(s string) string {
		if wild {
			return encode(s)
		}
		return s
	}
	for {
		open := strings.Index(text, "${")
		if open < 0 {
			break
		}
		length := strings.IndexByte(text[open:], '}')
		if length < 0 {
			break
		}
		name := text[open+2 : open+length]
		parts = append(parts, part{literal: enc(text[:open])})
		text = text[open+length+1:]
		switch name {
		case "*", "?", "$":
			parts = append(parts, part{literal: name})
		default:
			parts = append(parts, variablePart(name))
			variables = true
		}
	}
	return append(parts, part{literal: enc(text)}), variables
}

// variablePart reads "key" or "key, 'default'".
func variablePart(name string) part {
	key, rest, found := strings.Cut(name, ",")
	key = strings.TrimSpace(key)
	p := part{key: strings.ToLower(key), written: key}
	if found {
		rest = strings.TrimSpace(rest)
		if n := len(rest); n >= 2 && rest[0] == '\'' && rest[n-1] == '\'' {
			p.def, p.hasDef = rest[1:n-1], true
		}
	}
	if p.key == "" {
		p.key = " " // never a condition key: an empty name can't be resolved
	}
	return p
}

// expand puts the values of the request in. It fails when a key without default
// is absent or has several values.
func expand(parts []part, ctx Context) (string, bool) {
	var b strings.Builder
	for _, p := range parts {
		if p.key == "" {
			b.WriteString(p.literal)
			continue
		}
		switch v := ctx[p.key]; {
		case len(v) == 1 && strings.IndexByte(v[0], anyRun) < 0 && strings.IndexByte(v[0], anyChar) < 0:
			b.WriteString(v[0])
		case len(v) == 0 && p.hasDef:
			b.WriteString(p.def)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// match reports whether s fits; resolved is false when a variable had no value.
func (p *pattern) match(s string, ctx Context) (ok, resolved bool) {
	if p.parts == nil {
		return p.glob.match(s), true
	}
	text, resolved := expand(p.parts, ctx)
	return resolved && globMatch(text, s), resolved
}

// value is the text to compare with for operators without wildcards.
func (p *pattern) value(ctx Context) (string, bool) {
	if p.parts == nil {
		return p.glob.text, true
	}
	return expand(p.parts, ctx)
}
