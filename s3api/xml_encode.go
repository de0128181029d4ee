package s3api

import (
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	xmlDeclaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	xmlNamespace   = "http://s3.amazonaws.com/doc/2006-03-01/"
	xsiNamespace   = "http://www.w3.org/2001/XMLSchema-instance"
)

// document writes an XML document front to back. Element names are ours and need no
// escaping; text is escaped.
type document struct{ buf []byte }

// newDocument starts a success document: root has S3's namespace (S33).
func newDocument(root string) *document {
	d := &document{buf: make([]byte, 0, 1024)}
	d.buf = append(d.buf, xmlDeclaration...)
	d.buf = append(d.buf, '<')
	d.buf = append(d.buf, root...)
	d.buf = append(d.buf, ` xmlns="`+xmlNamespace+`">`...)
	return d
}

// open starts an element; attributes is written as it is (` xsi:type="Group"`).
func (d *document) open(name string, attributes ...string) {
	d.buf = append(append(d.buf, '<'), name...)
	for _, a := range attributes {
		d.buf = append(d.buf, a...)
	}
	d.buf = append(d.buf, '>')
}

func (d *document) close(name string) {
	d.buf = append(append(append(d.buf, '<', '/'), name...), '>')
}

// text writes an element with text; an empty text too.
func (d *document) text(name, value string) {
	d.open(name)
	d.buf = appendEscaped(d.buf, value)
	d.close(name)
}

// optional writes an element unless its text is empty.
func (d *document) optional(name, value string) {
	if value != "" {
		d.text(name, value)
	}
}

func (d *document) number(name string, value int64) {
	d.open(name)
	d.buf = strconv.AppendInt(d.buf, value, 10)
	d.close(name)
}

func (d *document) boolean(name string, value bool) {
	d.open(name)
	d.buf = strconv.AppendBool(d.buf, value)
	d.close(name)
}

// time writes an element with a time in milliseconds, as lists show it (S33).
func (d *document) time(name string, t time.Time) {
	d.open(name)
	d.buf = t.UTC().AppendFormat(d.buf, "2006-01-02T15:04:05.000Z")
	d.close(name)
}

// appendEscaped appends s as XML text. Control characters become references and bytes
// that are not UTF-8 become U+FFFD: keys may hold what XML 1.0 can't (S34).
func appendEscaped(buf []byte, s string) []byte {
	last := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				buf = append(append(buf, s[last:i]...), "\uFFFD"...)
				last = i + 1
			}
			i += size
			continue
		}
		var escape string
		switch {
		case c == '&':
			escape = "&amp;"
		case c == '<':
			escape = "&lt;"
		case c == '>':
			escape = "&gt;"
		case c == '"':
			escape = "&quot;"
		case c < 0x20 || c == 0x7f:
			escape = "&#x" + strconv.FormatUint(uint64(c), 16) + ";"
		}
		if escape != "" {
			buf = append(append(buf, s[last:i]...), escape...)
			last = i + 1
		}
		i++
	}
	return append(buf, s[last:]...)
}

// send closes root and answers 200 with the document.
func (req *request) send(d *document, root string) error {
	d.close(root)
	h := req.w.Header()
	h["Content-Type"] = []string{"application/xml"}
	h["Content-Length"] = []string{strconv.Itoa(len(d.buf))}
	req.w.WriteHeader(http.StatusOK)
	_, err := req.w.Write(d.buf)
	return clientGone(err)
}

// noContent answers 204.
func (req *request) noContent() error {
	req.w.WriteHeader(http.StatusNoContent)
	return nil
}

// ok answers 200 without a body.
func (req *request) ok() error {
	req.w.Header()["Content-Length"] = []string{"0"}
	req.w.WriteHeader(http.StatusOK)
	return nil
}
