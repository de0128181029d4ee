package s3api

import (
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"

	"twinbucket/internal/failure"
)

func TestParseXML(t *testing.T) {
	read := func(body string) (string, error) {
		root, err := parseXML([]byte(body), "R")
		if err != nil {
			return "", err
		}
		out := root.one("A").leaf()
		for _, b := range root.many("B") {
			out += "," + b.need("C").enum("x", "y")
		}
		return out, root.end()
	}
	for _, tc := range []struct{ name, body, want string }{
		{"empty root", "<R/>", ""},
		{"elements in any order", "<R><B><C>x</C></B><A>1</A><B><C>y</C></B></R>", "1,x,y"},
		{"namespace", `<R xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><A>1</A></R>`, "1"},
		{"prefixed", `<s:R xmlns:s="urn:x"><s:A>1</s:A></s:R>`, "1"},
		{"declaration, comments, space", "<?xml version=\"1.0\"?>\n<!-- c -->\n<R>\n  <A>1</A>\n</R>\n", "1"},
		{"text keeps its space", "<R><A> 1\n</A></R>", " 1\n"},
		{"CDATA", "<R><A><![CDATA[<1>]]></A></R>", "<1>"},
		{"references", "<R><A>&lt;&#x31;&amp;</A></R>", "<1&"},
	} {
		got, err := read(tc.body)
		if err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
	for name, body := range map[string]string{
		"other root": "<X/>", "not XML": "R", "unterminated": "<R>", "two roots": "<R/><R/>", "text after": "<R/>x",
		"unknown element": "<R><Z/></R>", "unknown below": "<R><B><C>x</C><Z/></B></R>", "duplicate": "<R><A>1</A><A>2</A></R>",
		"enum": "<R><B><C>X</C></B></R>", "missing": "<R><B/></R>", "text between": "<R>x<A>1</A></R>", "children in a leaf": "<R><A><Z/></A></R>",
		"document type": `<!DOCTYPE R [<!ENTITY e "x">]><R><A>&e;</A></R>`, "unknown entity": "<R><A>&e;</A></R>",
		"too deep": "<R>" + strings.Repeat("<A>", 20) + strings.Repeat("</A>", 20) + "</R>",
	} {
		if _, err := read(body); failure.CodeOf(err) != "MalformedXML" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := read(""); failure.CodeOf(err) != "MissingRequestBodyError" {
		t.Errorf("no body: %v", err)
	}
}

// TestEscaping: text survives the way through an XML reader; what XML can't hold is
// replaced or written as a reference, never written raw.
func TestEscaping(t *testing.T) {
	for _, s := range []string{"", "plain", `<a href="x">&amp;</a>`, "tab\tnew\nline\r", "ü€😀", "it's"} {
		d := &document{}
		d.text("T", s)
		var got struct {
			Text string `xml:",chardata"`
		}
		if err := xml.Unmarshal(d.buf, &got); err != nil || got.Text != s {
			t.Errorf("%q came back as %q, %v, written %s", s, got.Text, err, d.buf)
		}
	}
	for in, want := range map[string]string{"\x01": "<T>&#x1;</T>", "a\xffb": "<T>a\uFFFDb</T>", "\x7f": "<T>&#x7f;</T>"} {
		d := &document{}
		d.text("T", in)
		if string(d.buf) != want {
			t.Errorf("%q: got %s, want %s", in, d.buf, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a<b>&\"\x00\xff\n")
	f.Fuzz(func(t *testing.T, s string) {
		got := appendEscaped(nil, s)
		if !utf8.Valid(got) || strings.ContainsAny(string(got), "<>\"\x00\n\r") {
			t.Errorf("%q escaped to %q", s, got)
		}
	})
}
