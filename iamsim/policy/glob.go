package policy

import (
	"strings"
	"unicode/utf8"
)

// A compiled pattern is text in which two bytes that never occur in UTF-8 stand
// for the wildcards. A "*" that came from a variable or from ${*} stays a
// character, so substituted text can never widen a pattern (P41).
const (
	anyRun  = 0xFF // "*": any run of characters, also none
	anyChar = 0xFE // "?": exactly one character
)

type globClass uint8

const (
	globExact  globClass = iota
	globPrefix           // one "*", at the end
	globAny              // only "*"
	globFull
)

type glob struct {
	class globClass
	text  string // literal text of exact and prefix patterns, else the encoded pattern
}

// compileGlob classifies an encoded pattern so that most matches are one comparison.
func compileGlob(encoded string) glob {
	trimmed := trimStars(encoded)
	switch {
	case strings.IndexByte(trimmed, anyRun) >= 0 || strings.IndexByte(trimmed, anyChar) >= 0:
		return glob{globFull, encoded}
	case trimmed == encoded:
		return glob{globExact, encoded}
	case trimmed == "":
		return glob{globAny, encoded}
	}
	return glob{globPrefix, trimmed}
}

func (g *glob) match(s string) bool {
	switch g.class {
	case globExact:
		return s == g.text
	case globPrefix:
		return strings.HasPrefix(s, g.text)
	case globAny:
		return true
	}
	return globMatch(g.text, s)
}

// matchFold is match for ASCII text whatever its case; the pattern is in lower case.
func (g *glob) matchFold(s string) bool {
	switch g.class {
	case globExact:
		return len(s) == len(g.text) && foldPrefix(s, g.text)
	case globPrefix:
		return foldPrefix(s, g.text)
	case globAny:
		return true
	}
	return globMatch(g.text, strings.ToLower(s))
}

func foldPrefix(s, lower string) bool {
	if len(s) < len(lower) {
		return false
	}
	for i := range len(lower) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// globMatch matches an encoded pattern, trying again only from the last "*": its
// time is bounded by len(p)*len(s).
func globMatch(p, s string) bool {
	ok, _ := globWalk(p, s)
	return ok
}

// globWalk is globMatch with the number of steps it took, which tests bound.
func globWalk(p, s string) (ok bool, steps int) {
	i, j := 0, 0
	star, from := -1, 0
	for j < len(s) {
		steps++
		switch {
		case i < len(p) && p[i] == anyRun:
			star, from = i, j
			i++
			continue
		case i < len(p) && p[i] == anyChar:
			_, size := utf8.DecodeRuneInString(s[j:])
			i++
			j += size
			continue
		case i < len(p) && p[i] == s[j]:
			i++
			j++
			continue
		case star < 0:
			return false, steps
		}
		_, size := utf8.DecodeRuneInString(s[from:])
		from += size
		i, j = star+1, from
	}
	return trimStars(p[i:]) == "", steps
}

// trimStars cuts the "*" at the end of a pattern. (strings.TrimRight would take
// the pattern bytes for broken UTF-8, all alike.)
func trimStars(p string) string {
	for len(p) > 0 && p[len(p)-1] == anyRun {
		p = p[:len(p)-1]
	}
	return p
}

// encode turns the wildcards of a text into pattern bytes.
func encode(text string) string {
	if !strings.ContainsAny(text, "*?") {
		return text
	}
	b := []byte(text)
	for i, c := range b {
		switch c {
		case '*':
			b[i] = anyRun
		case '?':
			b[i] = anyChar
		}
	}
	return string(b)
}

func hasWildcard(text string) bool { return strings.ContainsAny(text, "*?") }
