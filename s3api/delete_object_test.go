package s3api

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDeleteVersions(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	id := f.putText("/bkt/k", "x").header.Get("x-amz-version-id")
	del := func(target string) map[string]string {
		t.Helper()
		a := f.do(call{method: "DELETE", target: target})
		if a.status != 204 {
			t.Fatalf("DELETE %s: %d %s", target, a.status, a.body)
		}
		return a.shown("x-amz-version-id", "x-amz-delete-marker")
	}
	marker := del("/bkt/k")["x-amz-version-id"]
	if diff := cmp.Diff(map[string]string{"x-amz-version-id": marker, "x-amz-delete-marker": "true"}, del("/bkt/k?versionId="+marker)); diff != "" {
		t.Errorf("marker (-want +got):\n%s", diff)
	}
	if a := f.get("/bkt/k"); a.body != "x" {
		t.Errorf("after the marker went: %d %q", a.status, a.body)
	}
	if diff := cmp.Diff(map[string]string{"x-amz-version-id": id}, del("/bkt/k?versionId="+id)); diff != "" {
		t.Errorf("version (-want +got):\n%s", diff)
	}
	if got := del("/bkt/never"); got["x-amz-delete-marker"] != "true" { // S242
		t.Errorf("key that never was: %v", got)
	}
	f.bucket(accountA, "flat", "us-east-1", false)
	f.putText("/flat/k", "x")
	if got := del("/flat/k"); len(got) != 0 {
		t.Errorf("unversioned: %v", got)
	}
	if got := del("/flat/k"); len(got) != 0 {
		t.Errorf("unversioned, again: %v", got)
	}
}

func TestDeleteRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/k", "x")
	for _, c := range []struct {
		header []string
		target string
		status int
		code   string
	}{
		{[]string{"If-Match", `"x"`}, "/bkt/k", 412, "PreconditionFailed"},
		{[]string{"x-amz-if-match-size", "1"}, "/bkt/k", 501, "NotImplemented"},
		{[]string{"x-amz-if-match-last-modified-time", "x"}, "/bkt/k", 501, "NotImplemented"},
		{[]string{"x-amz-bypass-governance-retention", "true"}, "/bkt/k", 400, "InvalidArgument"},
		{nil, "/bkt/k?versionId=HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD", 400, "InvalidArgument"},
	} {
		f.wantError(f.do(call{method: "DELETE", target: c.target, header: headers(c.header...)}), c.status, c.code, "")
	}
	if a := f.do(call{method: "DELETE", target: "/bkt/k", header: headers("If-Match", md5Hex("x"))}); a.status != 204 {
		t.Errorf("If-Match: %d %s", a.status, a.body)
	}
}

// ids replaces what is different in every run.
func ids(s string) string {
	for i, id := range regexp.MustCompile(`[A-Za-z0-9._-]{32,}`).FindAllString(s, -1) {
		if strings.Contains(s, id) && !strings.HasPrefix(id, "http") && !strings.Contains(id, "amazonaws") {
			s = strings.ReplaceAll(s, id, fmt.Sprintf("ID%d", i))
		}
	}
	return strings.ReplaceAll(s, "><", ">\n<")
}

func TestDeleteObjects(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	f.putText("/bkt/a", "x")
	old := f.putText("/bkt/b", "x").header.Get("x-amz-version-id")
	f.putText("/bkt/kept", "x")
	u := f.user(accountA, "u", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:DeleteObject*","s3:ListBucket"],"Resource":"*"},
		{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::bkt/kept"}]}`)
	body := `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>` + old +
		`</VersionId></Object><Object><Key>kept</Key></Object><Object><Key>none &amp; never</Key></Object><Object><Key>c</Key><VersionId>bad</VersionId></Object>%s</Delete>`
	a := f.do(call{method: "POST", target: "/bkt?delete", as: u, body: fmt.Sprintf(body, "")})
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	golden(t, "delete_objects.xml", ids(a.body))
	a = f.do(call{method: "POST", target: "/bkt?delete", as: u, body: fmt.Sprintf(body, "<Quiet>true</Quiet>")})
	golden(t, "delete_objects_quiet.xml", ids(a.body))
	if a := f.get("/bkt/kept"); a.status != 200 {
		t.Errorf("denied key: %d", a.status)
	}
	f.wantError(f.do(call{method: "POST", target: "/bkt?delete", body: "<Delete></Delete>"}), 400, "MalformedXML", "")
	f.wantError(f.do(call{method: "POST", target: "/bkt?delete", body: "<Delete>" + strings.Repeat("<Object><Key>k</Key></Object>", 1001) + "</Delete>"}), 400, "MalformedXML", "")
	f.wantError(f.do(call{method: "POST", target: "/bkt?delete", body: "<Delete><Object><Key>k</Key></Object></Delete>", noMD5: true}), 400, "InvalidRequest", "")
}

func FuzzParseDelete(f *testing.F) {
	f.Add([]byte("<Delete><Quiet>true</Quiet><Object><Key>k</Key><VersionId>v</VersionId></Object></Delete>"))
	f.Add([]byte("<Delete/>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, _, err := parseDelete(body)
		if err == nil && (len(list) == 0 || len(list) > maxDeleted) {
			t.Errorf("%d keys accepted", len(list))
		}
	})
}
