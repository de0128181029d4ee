package policy

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a policy text. AWS's largest document parameter is 131,072
// characters; the grammar itself nests seven levels.
const (
	maxText  = 131072
	maxDepth = 32
)

// SyntaxError says where a text stops being a policy. Its message is our own
// wording; the Validate functions answer with AWS's.
type SyntaxError struct {
	Message string
	// Line and Column count from 1, columns in characters.
	Line, Column int
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// node is a JSON value with its place in the text. Only one of the payload
// fields is used: text for scalars (numbers and booleans as written), items for
// arrays, members for objects.
type node struct {
	kind       kind
	start, end Pos
	text       string
	items      []*node
	members    []member
}

type member struct {
	key   string
	pos   Pos
	value *node
}

// get returns the member of that exact name, or nil.
func (n *node) get(key string) *node {
	for i := range n.members {
		if n.members[i].key == key {
			return n.members[i].value
		}
	}
	return nil
}

// reader is a JSON reader that is stricter than encoding/json (no duplicate
// keys, no invalid UTF-8) and knows the line and column of every value.
type reader struct {
	text  string
	off   int
	line  int
	col   int
	depth int
}

// readJSON reads a whole text as one JSON value.
func readJSON(text string) (*node, error) {
	r := &reader{text: text, line: 1, col: 1}
	if len(text) > maxText {
		return nil, r.fail("the document is longer than %d bytes", maxText)
	}
	r.space()
	n, err := r.value()
	if err != nil {
		return nil, err
	}
	r.space()
	if r.off < len(r.text) {
		return nil, r.fail("the document ends before %s", r.here())
	}
	return n, nil
}

func (r *reader) pos() Pos { return Pos{Line: r.line, Column: r.col} }

func (r *reader) fail(format string, args ...any) error {
	return failAt(r.pos(), format, args...)
}

func failAt(p Pos, format string, args ...any) error {
	return &SyntaxError{Message: fmt.Sprintf(format, args...), Line: p.Line, Column: p.Column}
}

// here describes the next character for a message.
func (r *reader) here() string {
	if r.off >= len(r.text) {
		return "the end of the text"
	}
	c, _ := utf8.DecodeRuneInString(r.text[r.off:])
	return strconv.QuoteRune(c)
}

func (r *reader) peek() byte {
	if r.off < len(r.text) {
		return r.text[r.off]
	}
	return 0
}

// next consumes one byte; the continuation bytes of a character don't move the column.
func (r *reader) next() byte {
	c := r.text[r.off]
	r.off++
	switch {
	case c == '\n':
		r.line++
		r.col = 1
	case c&0xC0 != 0x80:
		r.col++
	}
	return c
}

func (r *reader) space() {
	for r.off < len(r.text) {
		switch r.text[r.off] {
		case ' ', '\t', '\n', '\r':
			r.next()
		default:
			return
		}
	}
}

func (r *reader) value() (*node, error) {
	n := &node{start: r.pos()}
	var err error
	switch c := r.peek(); {
	case c == '{':
		n.kind = kindObject
		err = r.nested(n, r.object)
	case c == '[':
		n.kind = kindArray
		err = r.nested(n, r.array)
	case c == '"':
		n.kind = kindString
		n.text, err = r.str()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = kindNumber
		n.text, err = r.number()
	default:
		err = r.word(n)
	}
	n.end = r.pos()
	if err == nil && (n.kind == kindObject || n.kind == kindArray) {
		n.end.Column-- // the closing bracket itself, not what follows
	}
	return n, err
}

func (r *reader) nested(n *node, read func(*node) error) error {
	if r.depth++; r.depth > maxDepth {
		return r.fail("nested deeper than %d levels", maxDepth)
	}
	err := read(n)
	r.depth--
	return err
}

func (r *reader) object(n *node) error {
	r.next()
	seen := make(map[string]bool)
	for first := true; ; first = false {
		r.space()
		if r.peek() == '}' && first {
			r.next()
			return nil
		}
		pos := r.pos()
		if r.peek() != '"' {
			return r.fail("expected a quoted name, found %s", r.here())
		}
		key, err := r.str()
		if err != nil {
			return err
		}
		if seen[key] {
			return failAt(pos, "%q is written twice in one object", key)
		}
		seen[key] = true
		r.space()
		if r.peek() != ':' {
			return r.fail("expected ':' after %q, found %s", key, r.here())
		}
		r.next()
		r.space()
		v, err := r.value()
		if err != nil {
			return err
		}
		n.members = append(n.members, member{key, pos, v})
		if more, err := r.more('}'); err != nil || !more {
			return err
		}
	}
}

func (r *reader) array(n *node) error {
	r.next()
	for first := true; ; first = false {
		r.space()
		if r.peek() == ']' && first {
			r.next()
			return nil
		}
		v, err := r.value()
		if err != nil {
			return err
		}
		n.items = append(n.items, v)
		if more, err := r.more(']'); err != nil || !more {
			return err
		}
	}
}

// more consumes what follows an element: a comma (another one must come) or the closing bracket.
func (r *reader) more(closing byte) (bool, error) {
	r.space()
	pos := r.pos()
	switch r.peek() {
	case closing:
		r.next()
		return false, nil
	case ',':
		r.next()
		r.space()
		if c := r.peek(); c == '}' || c == ']' {
			return false, failAt(pos, "a comma before %q: JSON allows no trailing comma", c)
		}
		return true, nil
	}
	return false, r.fail("expected ',' or %q, found %s", closing, r.here())
}

func (r *reader) word(n *node) error {
	for _, w := range [...]struct {
		text string
		kind kind
	}{{"true", kindBool}, {"false", kindBool}, {"null", kindNull}} {
		if strings.HasPrefix(r.text[r.off:], w.text) {
			for range len(w.text) {
				r.next()
			}
			n.kind, n.text = w.kind, w.text
			return nil
		}
	}
	return r.fail("expected a value, found %s", r.here())
}

// number keeps the text: conditions compare numbers as they were written.
func (r *reader) number() (string, error) {
	start := r.off
	digits := func() bool {
		from := r.off
		for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
			r.next()
		}
		return r.off > from
	}
	if r.peek() == '-' {
		r.next()
	}
	zero := r.peek() == '0'
	whole := r.off
	if !digits() || zero && r.off > whole+1 {
		return "", r.fail("not a JSON number")
	}
	if r.peek() == '.' {
		r.next()
		if !digits() {
			return "", r.fail("not a JSON number")
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.next()
		if c := r.peek(); c == '+' || c == '-' {
			r.next()
		}
		if !digits() {
			return "", r.fail("not a JSON number")
		}
	}
	return r.text[start:r.off], nil
}
