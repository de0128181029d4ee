package sigv4

// escapeMode says what text escape looks at.
type escapeMode uint8

const (
	inPath  escapeMode = iota // "/" separates, "+" is a plus
	inQuery                   // "+" is a space
)

const upperHex = "0123456789ABCDEF"

// escape brings percent-encoded text into the one form that SigV4 signs: unreserved
// characters bare, everything else as %XX with upper-case digits (A3, A5). Text that is
// in that form already, the usual case, is returned as it is.
func escape(s string, mode escapeMode) string {
	i := 0
	for i < len(s) {
		n := canonicalLen(s[i:], mode)
		if n == 0 {
			break
		}
		i += n
	}
	if i == len(s) {
		return s
	}
	b := append(make([]byte, 0, len(s)+16), s[:i]...)
	for i < len(s) {
		c := s[i]
		i++
		switch {
		case c == '/' && mode == inPath:
			b = append(b, c)
			continue
		case c == '+' && mode == inQuery:
			c = ' '
		case c == '%':
			if d, ok := unhexPair(s[i:]); ok {
				c = d
				i += 2
			}
		}
		b = appendEscaped(b, c)
	}
	return string(b)
}

// canonicalLen is the length of the canonical character s begins with, 0 if it is not canonical.
func canonicalLen(s string, mode escapeMode) int {
	switch c := s[0]; {
	case unreserved(c), c == '/' && mode == inPath:
		return 1
	case c == '%':
		d, ok := unhexPair(s[1:])
		if ok && !unreserved(d) && s[1] < 'a' && s[2] < 'a' {
			return 3
		}
	}
	return 0
}

// doubleEscape encodes an encoded path once more, as all services but S3 do.
func doubleEscape(path string) string {
	b := make([]byte, 0, len(path)+16)
	for i := range len(path) {
		if c := path[i]; c == '/' {
			b = append(b, c)
		} else {
			b = appendEscaped(b, c)
		}
	}
	return string(b)
}

func appendEscaped(b []byte, c byte) []byte {
	if unreserved(c) {
		return append(b, c)
	}
	return append(b, '%', upperHex[c>>4], upperHex[c&15])
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func unhexPair(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	hi, ok1 := unhex(s[0])
	lo, ok2 := unhex(s[1])
	return hi<<4 | lo, ok1 && ok2
}
