package policy

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// str reads a quoted string.
func (r *reader) str() (string, error) {
	r.next()
	start := r.off
	for r.off < len(r.text) { // the common case has no escapes and needs no copy
		c := r.text[r.off]
		if c == '"' {
			s := r.text[start:r.off]
			if !utf8.ValidString(s) {
				return "", r.fail("a string is not valid UTF-8")
			}
			r.next()
			return s, nil
		}
		if c == '\\' {
			return r.escaped(start)
		}
		if c < ' ' {
			return "", r.fail("a control character in a string must be escaped")
		}
		r.next()
	}
	return "", r.fail("a string is not closed")
}

func (r *reader) escaped(start int) (string, error) {
	var b strings.Builder
	b.WriteString(r.text[start:r.off])
	for r.off < len(r.text) {
		switch c := r.text[r.off]; {
		case c == '"':
			if !utf8.ValidString(b.String()) {
				return "", r.fail("a string is not valid UTF-8")
			}
			r.next()
			return b.String(), nil
		case c == '\\':
			r.next()
			if err := r.escape(&b); err != nil {
				return "", err
			}
		case c < ' ':
			return "", r.fail("a control character in a string must be escaped")
		default:
			b.WriteByte(r.next())
		}
	}
	return "", r.fail("a string is not closed")
}

func (r *reader) escape(b *strings.Builder) error {
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := r.peek()
	if i := strings.IndexByte(from, c); i >= 0 {
		r.next()
		b.WriteByte(to[i])
		return nil
	}
	if c != 'u' {
		return r.fail("unknown escape in a string")
	}
	r.next()
	u, err := r.hex4()
	if err != nil {
		return err
	}
	if u >= 0xD800 && u < 0xDC00 && strings.HasPrefix(r.text[r.off:], `\u`) {
		r.next()
		r.next()
		low, err := r.hex4()
		if err != nil {
			return err
		}
		if low < 0xDC00 || low > 0xDFFF {
			return r.fail("half a surrogate pair in a string")
		}
		b.WriteRune(0x10000 + (u-0xD800)<<10 + (low - 0xDC00))
		return nil
	}
	if u >= 0xD800 && u <= 0xDFFF {
		return r.fail("half a surrogate pair in a string")
	}
	b.WriteRune(u)
	return nil
}

func (r *reader) hex4() (rune, error) {
	if len(r.text)-r.off < 4 {
		return 0, r.fail("unknown escape in a string")
	}
	u, err := strconv.ParseUint(r.text[r.off:r.off+4], 16, 16)
	if err != nil {
		return 0, r.fail("unknown escape in a string")
	}
	for range 4 {
		r.next()
	}
	return rune(u), nil
}
