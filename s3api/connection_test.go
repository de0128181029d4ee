package s3api

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// dial speaks HTTP by hand to the fixture's server.
func (f *fixture) dial() (net.Conn, *bufio.Reader) {
	f.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.server.URL, "http://"))
	must(f.t, err)
	f.t.Cleanup(func() { conn.Close() })
	return conn, bufio.NewReader(conn)
}

// One connection serves on after every kind of refusal: a body that was not looked at is
// read away, or the connection is closed, but never is its rest taken for a request.
func TestKeepAliveAfterErrors(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	conn, in := f.dial()
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, tt := range []struct {
		request string
		status  int
	}{
		{"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"PUT /bkt/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + fmt.Sprint(len(smuggled)) + "\r\n\r\n" + smuggled, 403},
		{"POST /bkt?delete HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + fmt.Sprint(len(smuggled)) + "\r\n\r\n" + smuggled, 400},
		{"PUT /bkt/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 403},
		{"POST /bkt HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nxx", 412},
		{"HEAD /bkt/k HTTP/1.1\r\nHost: localhost\r\n\r\n", 403},
		{"OPTIONS /bkt/k HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
	} {
		_, err := conn.Write([]byte(tt.request))
		must(t, err)
		method, _, _ := strings.Cut(tt.request, " ")
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		must(t, err)
		var body strings.Builder
		_, err = bufio.NewReader(resp.Body).WriteTo(&body)
		must(t, err)
		if resp.StatusCode != tt.status || resp.Close {
			t.Fatalf("%.30q: %d, close %v, want %d: %s", tt.request, resp.StatusCode, resp.Close, tt.status, body.String())
		}
	}
}

// A client that waits for "100 Continue" is refused without having sent its body, and then
// told that the connection ends.
func TestExpectContinueRefused(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	conn, in := f.dial()
	_, err := conn.Write([]byte("PUT /bkt/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n"))
	must(t, err)
	resp, err := http.ReadResponse(in, nil)
	must(t, err)
	if resp.StatusCode != 403 || !resp.Close {
		t.Errorf("%d, close %v", resp.StatusCode, resp.Close)
	}
}

// Keys are bytes: every one of them in every place, read and deleted under the name it was
// put under, and longest of all.
func TestKeysOfAnyBytes(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	escape := func(key string) string {
		var b strings.Builder
		for i := range len(key) {
			fmt.Fprintf(&b, "%%%02X", key[i])
		}
		return b.String()
	}
	keys := []string{"/", "//", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "./a", "a/.", "+", "%2F", "a b", "ключ", "\xff\xfe", strings.Repeat("k", maxKeyLength), strings.Repeat("\xe9", maxKeyLength)}
	for b := range 256 {
		keys = append(keys, string([]byte{'k', byte(b)}))
	}
	for _, key := range keys {
		target := "/bkt/" + escape(key)
		f.putText(target, key)
		if a := f.get(target); a.body != key {
			t.Errorf("%q: %d %.40q", key, a.status, a.body)
		}
	}
	list := f.get("/bkt?list-type=2&max-keys=1000&encoding-type=url").body
	if got := strings.Count(list, "<Contents>"); got != len(keys) {
		t.Errorf("%d of %d keys listed", got, len(keys))
	}
	for _, key := range keys {
		if a := f.copyTo2("/bkt/copy", "bkt/"+escape(key)); a.status != 200 {
			t.Errorf("copy of %q: %d %s", key, a.status, a.body)
		}
		if a := f.do(call{method: "DELETE", target: "/bkt/" + escape(key)}); a.status != 204 {
			t.Errorf("%q: %d", key, a.status)
		}
	}
	if list := f.get("/bkt?list-type=2").body; strings.Count(list, "<Contents>") != 1 {
		t.Errorf("left: %s", list)
	}
	e := f.wantError(f.do(call{method: "PUT", target: "/bkt/" + strings.Repeat("%C3%A9", 513), body: "x"}), 400, "KeyTooLongError", "Your key is too long")
	if e.field("Size") != "1026" || e.field("MaxSizeAllowed") != "1024" {
		t.Errorf("%+v", e.Fields)
	}
}
