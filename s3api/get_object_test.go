package s3api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

func TestParseRange(t *testing.T) {
	for _, c := range []struct {
		header string
		size   int64
		want   byteRange
		ok     bool
		bad    bool
	}{
		{"bytes=0-0", 10, byteRange{0, 1}, true, false},
		{"bytes=2-4", 10, byteRange{2, 3}, true, false},
		{"bytes=2-", 10, byteRange{2, 8}, true, false},
		{"bytes=2-100", 10, byteRange{2, 8}, true, false},
		{"bytes=-3", 10, byteRange{7, 3}, true, false},
		{"bytes=-30", 10, byteRange{0, 10}, true, false},
		{"bytes=-0", 10, byteRange{}, false, true},
		{"bytes=10-", 10, byteRange{}, false, true},
		{"bytes=100-200", 10, byteRange{}, false, true},
		{"bytes=0-", 0, byteRange{}, false, true},
		{"bytes=-1", 0, byteRange{}, false, true},
		{"bytes=4-2", 10, byteRange{}, false, false},
		{"bytes=0-1,3-4", 10, byteRange{}, false, false},
		{"bytes=a-b", 10, byteRange{}, false, false},
		{"bytes=-", 10, byteRange{}, false, false},
		{"0-1", 10, byteRange{}, false, false},
		{"bytes=9999999999999999999-", 10, byteRange{}, false, false},
	} {
		got, ok, err := parseRange(c.header, c.size)
		if got != c.want || ok != c.ok || (err != nil) != c.bad {
			t.Errorf("%q of %d: got %v %v %v, want %v %v, error %v", c.header, c.size, got, ok, err, c.want, c.ok, c.bad)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=-5", "bytes=5-", "bytes=1-2,3-4"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		r, ok, err := parseRange(header, size)
		if ok && (err != nil || r.length < 1 || r.offset < 0 || r.offset > size-r.length) {
			t.Errorf("%q of %d: %v %v", header, size, r, err)
		}
		if r, err := parseCopyRange(header, size); err == nil && (r.length < 1 || r.offset < 0 || r.offset > size-r.length) {
			t.Errorf("copy %q of %d: %v", header, size, r)
		}
	})
}

func TestGetRanges(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/k", "0123456789")
	for header, want := range map[string]string{"bytes=2-4": "234", "bytes=-2": "89", "bytes=5-": "56789", "bytes=0-1,3-4": "0123456789"} {
		a := f.get("/bkt/k", "Range", header)
		status := 206
		if len(want) == 10 {
			status = 200
		}
		if a.body != want || a.status != status {
			t.Errorf("%s: %d %q, want %d %q", header, a.status, a.body, status, want)
		}
	}
	a := f.head("/bkt/k", "Range", "bytes=2-4")
	if diff := cmp.Diff(map[string]string{"Content-Range": "bytes 2-4/10", "Content-Length": "3"}, a.shown("Content-Range", "Content-Length")); diff != "" || a.status != 206 {
		t.Errorf("HEAD %d (-want +got):\n%s", a.status, diff)
	}
	e := f.wantError(f.get("/bkt/k", "Range", "bytes=100-200"), 416, "InvalidRange", "The requested range is not satisfiable")
	if e.field("ActualObjectSize") != "10" || e.field("RangeRequested") != "bytes=100-200" {
		t.Errorf("fields %v", e.Fields)
	}
	f.wantError(f.get("/bkt/k?partNumber=1", "Range", "bytes=0-1"), 400, "InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
	e = f.wantError(f.get("/bkt/k?partNumber=2"), 416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
	if e.field("ActualPartCount") != "1" || e.field("PartNumberRequested") != "2" {
		t.Errorf("fields %v", e.Fields)
	}
	if a := f.get("/bkt/k?partNumber=1"); a.status != 206 || a.body != "0123456789" {
		t.Errorf("part 1 of an object in one piece: %d %q", a.status, a.body)
	}
	if a := f.get("/bkt/k", "Range", "bytes=2-4", "If-Range", `"other"`); a.status != 200 {
		t.Errorf("If-Range with another ETag: %d", a.status)
	}
}

func TestReadConditions(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 8e8, time.UTC)
	v := &store.Version{ETag: "abc", LastModified: now}
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		name string
		in   readConditions
		want string
	}{
		{"none", readConditions{}, ""},
		{"match", readConditions{match: `"abc"`}, ""},
		{"match without quotes", readConditions{match: "abc"}, ""},
		{"match in list", readConditions{match: `"x", W/"abc"`}, ""},
		{"match star", readConditions{match: "*"}, ""},
		{"no match", readConditions{match: "x"}, "If-Match"},
		{"match beats unmodified", readConditions{match: "abc", unmodif: at(-time.Hour)}, ""},
		{"unmodified", readConditions{unmodif: at(0)}, ""},
		{"modified after", readConditions{unmodif: at(-time.Hour)}, "If-Unmodified-Since"},
		{"none match", readConditions{none: "abc"}, "If-None-Match"},
		{"none match other", readConditions{none: "x"}, ""},
		{"none match beats modified", readConditions{none: "x", modified: at(0)}, ""},
		{"not modified", readConditions{modified: at(0)}, "If-Modified-Since"},
		{"modified since", readConditions{modified: at(-time.Hour)}, ""},
		{"modified since the future", readConditions{modified: at(time.Hour)}, ""},
		{"no date", readConditions{modified: "yesterday", unmodif: "-"}, ""},
		{"copy", readConditions{prefix: "x-amz-copy-source-", match: "x"}, "x-amz-copy-source-If-Match"},
	} {
		if got := c.in.check(v, now); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestGetConditions(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	etag := f.putText("/bkt/k", "x").header.Get("ETag")
	a := f.get("/bkt/k", "If-None-Match", etag)
	if a.status != 304 || a.body != "" || a.header.Get("ETag") != etag || a.header.Get("Last-Modified") == "" {
		t.Errorf("If-None-Match: %d %q %v", a.status, a.body, a.header)
	}
	e := f.wantError(f.get("/bkt/k", "If-Match", "x"), 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	if e.field("Condition") != "If-Match" {
		t.Errorf("Condition %q", e.field("Condition"))
	}
	if a := f.head("/bkt/k", "If-Match", "x"); a.status != 412 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
}

func TestGetWhatIsNotThere(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	blind := f.user(accountA, "blind", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`)
	e := f.wantError(f.get("/bkt/none"), 404, "NoSuchKey", "The specified key does not exist.")
	if e.field("Key") != "none" {
		t.Errorf("Key %q", e.field("Key"))
	}
	f.wantError(f.do(call{method: "GET", target: "/bkt/none", as: blind}), 403, "AccessDenied", "")

	put := f.putText("/bkt/k", "x")
	gone := f.do(call{method: "DELETE", target: "/bkt/k"})
	marker := gone.header.Get("x-amz-version-id")
	if gone.status != 204 || gone.header.Get("x-amz-delete-marker") != "true" || marker == "" {
		t.Fatalf("DELETE: %d %v", gone.status, gone.header)
	}
	a := f.get("/bkt/k")
	f.wantError(a, 404, "NoSuchKey", "")
	if diff := cmp.Diff(map[string]string{"x-amz-delete-marker": "true", "x-amz-version-id": marker}, a.shown("x-amz-delete-marker", "x-amz-version-id")); diff != "" {
		t.Errorf("404 (-want +got):\n%s", diff)
	}
	a = f.do(call{method: "GET", target: "/bkt/k", as: blind})
	f.wantError(a, 403, "AccessDenied", "")
	if a.header.Get("x-amz-delete-marker") != "" {
		t.Error("the 403 tells of the delete marker")
	}
	a = f.get("/bkt/k?versionId=" + marker)
	e = f.wantError(a, 405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	if e.field("Method") != "GET" || e.field("ResourceType") != "DeleteMarker" || a.header.Get("Allow") != "DELETE" || a.header.Get("Last-Modified") == "" {
		t.Errorf("405: %v %v", e.Fields, a.header)
	}
	if a := f.head("/bkt/k?versionId=" + marker); a.status != 405 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
	if a := f.get("/bkt/k?versionId=" + put.header.Get("x-amz-version-id")); a.body != "x" {
		t.Errorf("old version: %d %q", a.status, a.body)
	}
	e = f.wantError(f.get("/bkt/k?versionId="+strings.Repeat("A", 32)), 404, "NoSuchVersion", "The specified version does not exist.")
	if e.field("Key") != "k" || e.field("VersionId") != strings.Repeat("A", 32) {
		t.Errorf("fields %v", e.Fields)
	}
	e = f.wantError(f.get("/bkt/k?versionId=bad!"), 400, "InvalidArgument", "Invalid version id specified")
	if e.field("ArgumentName") != "versionId" || e.field("ArgumentValue") != "bad!" {
		t.Errorf("fields %v", e.Fields)
	}
	f.bucket(accountA, "flat", "us-east-1", false)
	f.putText("/flat/k", "x")
	f.wantError(f.get("/flat/k?versionId="+strings.Repeat("A", 32)), 400, "InvalidArgument", "")
	if a := f.get("/flat/k?versionId=null"); a.body != "x" {
		t.Errorf("null version: %d %q", a.status, a.body)
	}
}

func TestGetOverridesAndChecksums(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/k", "hello", "x-amz-checksum-sha256", sumOf(checksum.SHA256, "hello"))
	q := url.Values{"response-content-type": {"text/x"}, "response-content-disposition": {`attachment; filename="a b"`}, "response-expires": {"never"}}
	a := f.get("/bkt/k?" + strings.ReplaceAll(q.Encode(), "+", "%20"))
	want := map[string]string{"Content-Type": "text/x", "Content-Disposition": `attachment; filename="a b"`, "Expires": "never"}
	if diff := cmp.Diff(want, a.shown("Content-Type", "Content-Disposition", "Expires", "x-amz-checksum-sha256")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	a = f.get("/bkt/k", "x-amz-checksum-mode", "ENABLED")
	if got := a.header.Get("x-amz-checksum-sha256"); got != sumOf(checksum.SHA256, "hello") || a.header.Get("x-amz-checksum-type") != "FULL_OBJECT" {
		t.Errorf("checksum %q %q", got, a.header.Get("x-amz-checksum-type"))
	}
	if a := f.get("/bkt/k", "x-amz-checksum-mode", "ENABLED", "Range", "bytes=0-1"); a.header.Get("x-amz-checksum-sha256") != "" {
		t.Error("a range shows the whole object's checksum")
	}
	f.wantError(f.get("/bkt/k", "x-amz-server-side-encryption", "AES256"), 400, "InvalidArgument", "")
	f.putText("/bkt/cold", "x", "x-amz-storage-class", "GLACIER")
	e := f.wantError(f.get("/bkt/cold"), 403, "InvalidObjectState", "The operation is not valid for the object's storage class")
	if e.field("StorageClass") != "GLACIER" {
		t.Errorf("StorageClass %q", e.field("StorageClass"))
	}
}

func TestTagCountNeedsPermission(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/k", "x", "x-amz-tagging", "a=1&b=2")
	reader := f.user(accountA, "reader", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)
	if got := f.head("/bkt/k").header.Get("x-amz-tagging-count"); got != "2" {
		t.Errorf("count %q, want 2", got)
	}
	if a := f.do(call{method: "GET", target: "/bkt/k", as: reader}); a.status != 200 || a.header.Get("x-amz-tagging-count") != "" {
		t.Errorf("%d, count %q shown without permission", a.status, a.header.Get("x-amz-tagging-count"))
	}
}

// A version that is removed between looking and reading is looked up again, a few times.
func TestRetryGone(t *testing.T) {
	gone := failure.New(store.DataGone, "")
	for _, c := range []struct {
		failures int
		want     failure.Code
	}{{0, ""}, {2, ""}, {100, "SlowDown"}} {
		req, calls := &request{hasVersion: true}, 0
		err := retryGone(req, func(r *request) error {
			if calls++; calls > c.failures {
				return nil
			}
			return gone
		})
		if failure.CodeOf(err) != c.want {
			t.Errorf("%d failures: %v, want %q", c.failures, err, c.want)
		}
		if req.hasVersion == (c.failures > 0) {
			t.Errorf("%d failures: hasVersion %v", c.failures, req.hasVersion)
		}
	}
}
