package s3api

import (
	"fmt"
	"strings"
	"testing"
)

func tagSet(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "<Tag><Key>%s</Key><Value>%s</Value></Tag>", pairs[i], pairs[i+1])
	}
	return "<Tagging><TagSet>" + b.String() + "</TagSet></Tagging>"
}

func TestObjectTagging(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	id := f.putText("/bkt/k", "x").header.Get("x-amz-version-id")
	golden(t, "get_object_tagging_none.xml", ids(f.get("/bkt/k?tagging").body))
	a := f.do(call{method: "PUT", target: "/bkt/k?tagging", body: tagSet("b", "2", "a", "1 +-=._:/@")})
	if a.status != 200 || a.header.Get("x-amz-version-id") != id {
		t.Fatalf("PUT: %d %s", a.status, a.body)
	}
	golden(t, "get_object_tagging.xml", ids(f.get("/bkt/k?tagging&versionId="+id).body))
	if a := f.do(call{method: "DELETE", target: "/bkt/k?tagging"}); a.status != 204 {
		t.Fatalf("DELETE: %d %s", a.status, a.body)
	}
	if a := f.head("/bkt/k"); a.header.Get("x-amz-tagging-count") != "" {
		t.Error("tags left after DELETE")
	}
}

func TestObjectTaggingRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	f.putText("/bkt/k", "x")
	for _, c := range []struct{ body, code, message string }{
		{tagSet("Key1", "1", "Key1", "2"), "InvalidTag", "Cannot provide multiple Tags with the same key"},
		{tagSet("Key1,Key2", "1"), "InvalidTag", "The TagKey you have provided is invalid"},
		{tagSet("k", "1,2"), "InvalidTag", "The TagValue you have provided is invalid"},
		{tagSet("aws:prefixed", "1"), "InvalidTag", "Your TagKey cannot be prefixed with aws:"},
		{tagSet(strings.Repeat("k", 129), "1"), "InvalidTag", "The TagKey you have provided is invalid"},
		{tagSet("k", strings.Repeat("v", 257)), "InvalidTag", "The TagValue you have provided is invalid"},
		{tagSet("a", "", "b", "", "c", "", "d", "", "e", "", "f", "", "g", "", "h", "", "i", "", "j", "", "k", ""), "BadRequest", "Object tags cannot be greater than 10"},
		{"<Tagging><TagSet><Tag><Value>x</Value></Tag></TagSet></Tagging>", "MalformedXML", ""},
	} {
		f.wantError(f.do(call{method: "PUT", target: "/bkt/k?tagging", body: c.body}), 400, c.code, c.message)
	}
	e := f.wantError(f.get("/bkt/fake-key?tagging"), 404, "NoSuchKey", "")
	if e.field("Key") != "bkt/fake-key" {
		t.Errorf("GET's Key %q", e.field("Key"))
	}
	e = f.wantError(f.do(call{method: "PUT", target: "/bkt/fake-key?tagging", body: tagSet("a", "b")}), 404, "NoSuchKey", "")
	if e.field("Key") != "fake-key" {
		t.Errorf("PUT's Key %q", e.field("Key"))
	}
	e = f.wantError(f.get("/bkt/k?tagging&versionId="+strings.Repeat("A", 32)), 404, "NoSuchVersion", "")
	if e.field("Key") != "bkt/k" {
		t.Errorf("missing version's Key %q", e.field("Key"))
	}
	marker := f.do(call{method: "DELETE", target: "/bkt/k"}).header.Get("x-amz-version-id")
	for _, target := range []string{"/bkt/k?tagging", "/bkt/k?tagging&versionId=" + marker} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			c := call{method: method, target: target}
			if method == "PUT" {
				c.body = tagSet("a", "b")
			}
			e := f.wantError(f.do(c), 405, "MethodNotAllowed", "")
			if e.field("Method") != method || e.field("ResourceType") != "DeleteMarker" {
				t.Errorf("fields %v", e.Fields)
			}
		}
	}
}

func FuzzParseTagHeader(f *testing.F) {
	f.Add("a=b&c=d%20e")
	f.Add("=&&==")
	f.Fuzz(func(t *testing.T, header string) {
		tags, err := parseTagHeader(header)
		if err != nil {
			return
		}
		if err := checkObjectTags(tags); err != nil {
			t.Errorf("%q gave tags that are refused: %v", header, err)
		}
		seen := map[string]bool{}
		for _, tag := range tags {
			if seen[tag.Key] {
				t.Errorf("%q gave %q twice", header, tag.Key)
			}
			seen[tag.Key] = true
		}
	})
}

func TestGetObjectAttributes(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	id := f.putText("/bkt/k", "hello").header.Get("x-amz-version-id")
	a := f.get("/bkt/k?attributes", "x-amz-object-attributes", "ETag, Checksum", "x-amz-object-attributes", "ObjectParts,StorageClass,ObjectSize")
	if a.header.Get("x-amz-version-id") != id || a.header.Get("Last-Modified") == "" {
		t.Errorf("headers %v", a.header)
	}
	golden(t, "get_object_attributes_one.xml", ids(a.body))
	f.wantError(f.get("/bkt/k?attributes"), 400, "InvalidRequest", "")
	f.wantError(f.get("/bkt/k?attributes", "x-amz-object-attributes", "Colour"), 400, "InvalidArgument", "")
	f.wantError(f.get("/bkt/none?attributes", "x-amz-object-attributes", "ETag"), 404, "NoSuchKey", "")
	half := f.user(accountA, "half", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)
	f.wantError(f.do(call{method: "GET", target: "/bkt/k?attributes", as: half, header: headers("x-amz-object-attributes", "ETag")}), 403, "AccessDenied", "")
}
