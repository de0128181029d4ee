package s3api

import (
	"mime"
	"net/url"
	"strings"
	"testing"
)

// Overrides are sent in ISO 8859-1, and refused if that has not the characters (S239).
func TestResponseOverrideCharacters(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/k", "x", "Content-Disposition", "inline")
	a := f.get("/bkt/k?response-content-disposition=" + url.QueryEscape(`attachment; filename="é.txt"`) + "&response-expires=Thu%2C%2001%20Dec%202033%2016%3A00%3A00%20GMT")
	if got, want := a.header.Get("Content-Disposition"), "attachment; filename=\"\xe9.txt\""; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := a.header.Get("Expires"); got != "Thu, 01 Dec 2033 16:00:00 GMT" {
		t.Errorf("got %q", got)
	}
	value := "non-ascii-%E2%80%94_—_é_"
	e := f.wantError(f.get("/bkt/k?response-cache-control="+url.QueryEscape(value)), 400, "InvalidArgument", "Header value cannot be represented using ISO-8859-1.")
	if e.field("ArgumentName") != "response-cache-control" || e.field("ArgumentValue") != value {
		t.Errorf("%+v", e.Fields)
	}
}

// Metadata of any length and script comes back as it was put, once decoded (S231).
func TestUnicodeMetadata(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	value := strings.Repeat("é界", 100)
	f.putText("/bkt/k", "x", "X-Amz-Meta-Long", value, "X-Amz-Meta-Plain", "a b")
	h := f.head("/bkt/k").header
	if strings.Contains(h.Get("X-Amz-Meta-Long"), "?q?") || !strings.HasPrefix(h.Get("X-Amz-Meta-Long"), "=?UTF-8?Q?") {
		t.Errorf("got %q", h.Get("X-Amz-Meta-Long"))
	}
	got, err := new(mime.WordDecoder).DecodeHeader(h.Get("X-Amz-Meta-Long"))
	must(t, err)
	if got != value || h.Get("X-Amz-Meta-Plain") != "a b" {
		t.Errorf("got %q, %q", got, h.Get("X-Amz-Meta-Plain"))
	}
	e := f.wantError(f.do(call{method: "PUT", target: "/bkt/k", body: "x", header: headers("X-Amz-Meta-A", strings.Repeat("v", 2048))}), 400, "MetadataTooLarge", "")
	if e.field("Size") != "2049" || e.field("MaxSizeAllowed") != "2048" {
		t.Errorf("%+v", e.Fields)
	}
	f.putText("/bkt/k", "x", "X-Amz-Meta-A", strings.Repeat("v", 2047))
}
