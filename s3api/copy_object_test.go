package s3api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/checksum"
)

func TestParseCopySource(t *testing.T) {
	for in, want := range map[string]string{
		"b/k":                         "b|k|",
		"/b/k":                        "b|k|",
		"/b//k/":                      "b|/k/|",
		"b/a%20b%2Fc%3Fd?versionId=v": "b|a b/c?d|v",
		"b%2Fk":                       "b|k|",
		"b/a+b":                       "b|a+b|",
		"b/%C3%A9":                    "b|é|",
		"b":                           "",
		"/b/":                         "",
		"b/k?versionId=":              "",
		"b/k?x=y":                     "",
		"b/%zz":                       "",
		"":                            "",
	} {
		bucket, key, version, err := parseCopySource(in)
		got := strings.Join([]string{bucket, key, version}, "|")
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%q: got %q %v, want %q", in, got, err, want)
		}
	}
}

func FuzzParseCopySource(f *testing.F) {
	f.Add("/b/k?versionId=v")
	f.Add("b%2Fk%")
	f.Fuzz(func(t *testing.T, in string) {
		if bucket, key, _, err := parseCopySource(in); err == nil && (bucket == "" || key == "" || strings.Contains(bucket, "/")) {
			t.Errorf("%q: %q %q", in, bucket, key)
		}
	})
}

func (f *fixture) copyTo(target, source string, header ...string) answer {
	f.t.Helper()
	return f.do(call{method: "PUT", target: target, header: headers(append(header, "x-amz-copy-source", source)...)})
}

func TestCopy(t *testing.T) {
	f, keys := newKMSFixture(t)
	f.bucket(accountA, "src", "us-east-1", true)
	f.bucket(accountA, "dst", "us-east-1", true)
	id := f.putText("/src/a%20b", "hello", "x-amz-meta-m", "1", "Content-Type", "text/plain", "x-amz-tagging", "t=1", sseHeader, "aws:kms", sseKeyIDHeader, "cmk",
		"x-amz-website-redirect-location", "/x", "x-amz-checksum-sha1", sumOf(checksum.SHA1, "hello")).header.Get("x-amz-version-id")
	keys.taken()
	a := f.copyTo("/dst/copy", "/src/a%20b")
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got := a.header.Get("x-amz-copy-source-version-id"); got != id {
		t.Errorf("source version %q, want %q", got, id)
	}
	golden(t, "copy_object.xml", ids(a.body))
	got := f.get("/dst/copy", "x-amz-checksum-mode", "ENABLED")
	names := []string{"x-amz-meta-m", "Content-Type", "x-amz-tagging-count", "x-amz-server-side-encryption", "ETag", "x-amz-checksum-sha1", "x-amz-website-redirect-location"}
	want := map[string]string{names[0]: "1", names[1]: "text/plain", names[2]: "1", names[3]: "AES256", names[4]: `"` + md5Hex("hello") + `"`, names[5]: sumOf(checksum.SHA1, "hello")}
	if diff := cmp.Diff(want, got.shown(names...)); diff != "" || got.body != "hello" {
		t.Errorf("copy %q (-want +got):\n%s", got.body, diff)
	}
	if calls := keys.taken(); len(calls) != 1 || calls[0].Op != "Decrypt" || calls[0].Context["aws:s3:arn"] != "arn:aws:s3:::src/a b" {
		t.Errorf("KMS calls %v", calls)
	}
	f.copyTo("/dst/new", "src/a%20b?versionId="+id, "x-amz-metadata-directive", "REPLACE", "x-amz-tagging-directive", "REPLACE",
		"x-amz-meta-n", "2", "x-amz-tagging", "u=1&v=2", "x-amz-storage-class", "ONEZONE_IA", "x-amz-checksum-algorithm", "crc32")
	got = f.get("/dst/new", "x-amz-checksum-mode", "ENABLED")
	names = []string{"x-amz-meta-m", "x-amz-meta-n", "Content-Type", "x-amz-tagging-count", "x-amz-storage-class", "x-amz-checksum-crc32"}
	want = map[string]string{names[1]: "2", names[2]: "binary/octet-stream", names[3]: "2", names[4]: "ONEZONE_IA", names[5]: sumOf(checksum.CRC32, "hello")}
	if diff := cmp.Diff(want, got.shown(names...)); diff != "" {
		t.Errorf("replaced (-want +got):\n%s", diff)
	}
}

func TestCopyRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "src", "us-east-1", true)
	f.putText("/src/k", "hello")
	f.putText("/src/gone", "hello")
	marker := f.do(call{method: "DELETE", target: "/src/gone"}).header.Get("x-amz-version-id")
	for _, c := range []struct {
		name, source string
		header       []string
		status       int
		code         string
		message      string
	}{
		{"malformed", "k", nil, 400, "InvalidArgument", "Invalid copy source object key"},
		{"no bucket", "none/k", nil, 404, "NoSuchBucket", ""},
		{"no key", "src/none", nil, 404, "NoSuchKey", ""},
		{"delete marker", "src/gone", nil, 404, "NoSuchKey", ""},
		{"delete marker by id", "src/gone?versionId=" + marker, nil, 400, "InvalidRequest", "The source of a copy request may not specifically refer to a delete marker by version id."},
		{"condition", "src/k", []string{"x-amz-copy-source-if-match", "x"}, 412, "PreconditionFailed", ""},
		{"not modified is 412", "src/k", []string{"x-amz-copy-source-if-none-match", md5Hex("hello")}, 412, "PreconditionFailed", ""},
		{"directive", "src/k", []string{"x-amz-metadata-directive", "MOVE"}, 400, "InvalidArgument", ""},
		{"onto itself", "src/k", nil, 400, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			f.wantError(f.copyTo("/src/k", c.source, c.header...), c.status, c.code, c.message)
		})
	}
	f.t = t
	for name, header := range map[string][]string{
		"metadata": {"x-amz-metadata-directive", "REPLACE"}, "class": {"x-amz-storage-class", "STANDARD_IA"}, "encryption": {sseHeader, "AES256"}, "checksum": {"x-amz-checksum-algorithm", "SHA256"},
	} {
		if a := f.copyTo("/src/k", "src/k", header...); a.status != 200 {
			t.Errorf("onto itself with new %s: %d %s", name, a.status, a.body)
		}
	}
}

// The source is authorized in its own bucket's context, the destination in its (S251).
func TestCopyPermissions(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "src", "us-east-1", false)
	f.bucket(accountA, "dst", "us-east-1", false)
	f.putText("/src/k", "hello", "x-amz-tagging", "t=1")
	statement := func(actions, resource string) string {
		return `{"Effect":"Allow","Action":[` + actions + `],"Resource":"arn:aws:s3:::` + resource + `"}`
	}
	for name, c := range map[string]struct {
		statements []string
		want       int
	}{
		"nothing at the source":      {[]string{statement(`"s3:PutObject*"`, "dst/*")}, 403},
		"nothing at the destination": {[]string{statement(`"s3:GetObject*"`, "src/*")}, 403},
		"no tags to read":            {[]string{statement(`"s3:GetObject"`, "src/*"), statement(`"s3:PutObject*"`, "dst/*")}, 403},
		"no tags to write":           {[]string{statement(`"s3:GetObject*"`, "src/*"), statement(`"s3:PutObject"`, "dst/*")}, 403},
		"all":                        {[]string{statement(`"s3:GetObject","s3:GetObjectTagging"`, "src/*"), statement(`"s3:PutObject","s3:PutObjectTagging"`, "dst/*")}, 200},
	} {
		u := f.user(accountA, strings.ReplaceAll(name, " ", "-"), `{"Version":"2012-10-17","Statement":[`+strings.Join(c.statements, ",")+`]}`)
		a := f.do(call{method: "PUT", target: "/dst/k", as: u, header: headers("x-amz-copy-source", "src/k")})
		if a.status != c.want {
			t.Errorf("%s: %d, want %d: %s", name, a.status, c.want, a.body)
		}
	}
}
