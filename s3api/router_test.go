package s3api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/failure"
)

func TestLocate(t *testing.T) {
	rt := newRouter(operationTable(), []string{"twinbucket", "s3.example.net"})
	for _, tc := range []struct {
		name, host, target string
		want               address
	}{
		{"service", "localhost:4566", "/", address{}},
		{"bucket", "localhost:4566", "/b", address{scope: bucketScope, bucket: "b"}},
		{"bucket with slash", "localhost:4566", "/b/", address{scope: bucketScope, bucket: "b"}},
		{"object", "localhost:4566", "/b/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"address as host", "127.0.0.1:4566", "/b/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"IPv6 host", "[::1]:4566", "/b/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"unknown host", "emulator.internal", "/b/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"key is a slash", "localhost", "/b//", address{scope: objectScope, bucket: "b", key: "/"}},
		{"key begins with slashes", "localhost", "/b///a", address{scope: objectScope, bucket: "b", key: "//a"}},
		{"dots stay", "localhost", "/b/a/../b/./c", address{scope: objectScope, bucket: "b", key: "a/../b/./c"}},
		{"encoded slash", "localhost", "/b/a%2Fb", address{scope: objectScope, bucket: "b", key: "a/b"}},
		{"decoded once", "localhost", "/b/a%252Fb", address{scope: objectScope, bucket: "b", key: "a%2Fb"}},
		{"plus is a plus", "localhost", "/b/a+b%2Bc", address{scope: objectScope, bucket: "b", key: "a+b+c"}},
		{"space and newline", "localhost", "/b/a%20b%0Ac", address{scope: objectScope, bucket: "b", key: "a b\nc"}},
		{"UTF-8", "localhost", "/b/%C3%BC", address{scope: objectScope, bucket: "b", key: "ü"}},
		{"key ends in slash", "localhost", "/b/dir/", address{scope: objectScope, bucket: "b", key: "dir/"}},
		{"encoded dot-dot", "localhost", "/b/%2e%2e/x", address{scope: objectScope, bucket: "b", key: "../x"}},

		{"hosted", "b.localhost:4566", "/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"hosted bucket", "b.localhost:4566", "/", address{scope: bucketScope, bucket: "b"}},
		{"hosted with dots", "my.b.localhost", "/k", address{scope: objectScope, bucket: "my.b", key: "k"}},
		{"hosted s3 label", "b.s3.localhost", "/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"hosted region", "b.s3.eu-west-1.localhost:4566", "/k", address{scope: objectScope, bucket: "b", key: "k", region: "eu-west-1"}},
		{"hosted upper case", "B.S3.EU-West-1.LOCALHOST", "/k", address{scope: objectScope, bucket: "b", key: "k", region: "eu-west-1"}},
		{"hosted object with slashes", "b.localhost", "//k//", address{scope: objectScope, bucket: "b", key: "/k//"}},
		{"localstack hosted", "b.s3.localhost.localstack.cloud:4566", "/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"localstack hosted region", "b.s3.us-west-2.localhost.localstack.cloud", "/k", address{scope: objectScope, bucket: "b", key: "k", region: "us-west-2"}},
		{"localstack without s3 is path style", "b.localhost.localstack.cloud", "/x/k", address{scope: objectScope, bucket: "x", key: "k"}},
		{"localstack service", "s3.localhost.localstack.cloud:4566", "/x", address{scope: bucketScope, bucket: "x"}},
		{"localstack itself", "localhost.localstack.cloud", "/x", address{scope: bucketScope, bucket: "x"}},
		{"aws hosted", "b.s3.amazonaws.com", "/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"aws hosted region", "b.s3.eu-central-1.amazonaws.com", "/k", address{scope: objectScope, bucket: "b", key: "k", region: "eu-central-1"}},
		{"aws hosted old region", "b.s3-us-west-2.amazonaws.com", "/k", address{scope: objectScope, bucket: "b", key: "k", region: "us-west-2"}},
		{"aws dualstack", "b.s3.dualstack.eu-west-1.amazonaws.com", "/k", address{scope: objectScope, bucket: "b", key: "k", region: "eu-west-1"}},
		{"aws path", "s3.eu-west-1.amazonaws.com", "/b/k", address{scope: objectScope, bucket: "b", key: "k", region: "eu-west-1"}},
		{"aws path old region", "s3-eu-west-1.amazonaws.com", "/b/k", address{scope: objectScope, bucket: "b", key: "k", region: "eu-west-1"}},
		{"aws global path", "s3.amazonaws.com", "/", address{}},
		{"bucket called s3-like", "my.s3.files.s3.us-east-1.amazonaws.com", "/k", address{scope: objectScope, bucket: "my.s3.files", key: "k", region: "us-east-1"}},
		{"own domain", "b.twinbucket:4566", "/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"own domain itself", "twinbucket:4566", "/b/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"own longer domain", "b.s3.example.net", "/k", address{scope: objectScope, bucket: "b", key: "k"}},
		{"trailing dot", "b.localhost.", "/k", address{scope: objectScope, bucket: "b", key: "k"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tc.target, nil)
			r.Host = tc.host
			got, _, err := rt.locate(r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(address{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFind(t *testing.T) {
	rt := newRouter(operationTable(), nil)
	for _, tc := range []struct{ method, target, header, want string }{
		{"GET", "/b?list-type=2&prefix=a", "", "ListObjectsV2"},
		{"GET", "/b?list-type=1", "", "ListObjects"},
		{"GET", "/b?prefix=a&delimiter=/", "", "ListObjects"},
		{"GET", "/b?versions&prefix=uploads", "", "ListObjectVersions"},
		{"GET", "/b?analytics", "", "ListBucketAnalyticsConfigurations"},
		{"GET", "/b?analytics&id=1", "", "GetBucketAnalyticsConfiguration"},
		{"GET", "/b/k?partNumber=1", "", "GetObject"},
		{"GET", "/b/k?versionId=1&response-content-type=x", "", "GetObject"},
		{"GET", "/b/k?versioning", "", "GetObject"}, // a sub-resource of buckets means nothing to an object
		{"PUT", "/b/k?partNumber=1&uploadId=u", "", "UploadPart"},
		{"PUT", "/b/k?partNumber=1&uploadId=u", "X-Amz-Copy-Source", "UploadPartCopy"},
		{"PUT", "/b/k", "X-Amz-Copy-Source", "CopyObject"},
		{"PUT", "/b/k?tagging", "X-Amz-Copy-Source", "PutObjectTagging"},
		{"POST", "/b?delete", "", "DeleteObjects"},
		{"POST", "/b", "", "PostObject"},
		{"GET", "/?x-id=ListBuckets", "", "ListBuckets"},
		{"GET", "/?x-id=ListDirectoryBuckets", "", "ListDirectoryBuckets"},
		{"POST", "/WriteGetObjectResponse", "", "WriteGetObjectResponse"},
		{"GET", "/WriteGetObjectResponse", "", "ListObjects"},
		{"POST", "/b?policy", "", "405 POLICY"},
		{"DELETE", "/b?versioning", "", "405 VERSIONING"},
		{"PATCH", "/b/k", "", "405 OBJECT"},
		{"PATCH", "/b", "", "405 BUCKET"},
		{"DELETE", "/", "", "405 SERVICE"},
		{"GET", "/b?acl&versioning", "", "GetBucketAcl"},
		{"GET", "/b?delete&versioning", "", "GetBucketVersioning"},
	} {
		t.Run(tc.method+" "+tc.target+" "+tc.header, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, tc.target, nil)
			if tc.header != "" {
				r.Header.Set(tc.header, "/s/k")
			}
			at, route, err := rt.locate(r)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if op, err := rt.find(r, at, route, r.URL.Query()); err == nil {
				got = op.Name
			} else if e := failure.Of(err); e.Code == "MethodNotAllowed" {
				got = "405 " + e.Fields[1].Value
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// FuzzLocate: whatever path a client sends, no byte of the key is lost or made up, and
// nothing panics.
func FuzzLocate(f *testing.F) {
	for _, seed := range [][2]string{
		{"localhost", "/b/k"}, {"b.localhost", "//"}, {"b.s3.us-east-1.amazonaws.com:443", "/a/../b%2F+%20"},
		{"s3", "/%"}, {"[::1]:80", "/b/%00%ff"}, {"..localhost", "/x"}, {".s3.localhost", "/b/k"}, {"s3-.localhost", "/k?acl&acl"},
	} {
		f.Add(seed[0], seed[1])
	}
	rt := newRouter(operationTable(), []string{"twinbucket"})
	f.Fuzz(func(t *testing.T, host, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") {
			return
		}
		r := &http.Request{Method: "GET", URL: u, Host: host, RequestURI: target, Header: http.Header{}}
		at, route, err := rt.locate(r)
		if err != nil {
			if failure.CodeOf(err) != "InvalidURI" {
				t.Fatalf("locate: %v", err)
			}
			return
		}
		if route == routePath {
			path := "/" + at.bucket
			if at.scope == objectScope {
				path += "/" + at.key
			}
			if want, _ := url.PathUnescape(u.EscapedPath()); path != want && path+"/" != want {
				t.Errorf("path %q gave bucket %q and key %q", u.EscapedPath(), at.bucket, at.key)
			}
		}
		if _, err := rt.find(r, at, route, u.Query()); err != nil && failure.CodeOf(err) != "MethodNotAllowed" {
			t.Errorf("find: %v", err)
		}
	})
}

func BenchmarkRouter(b *testing.B) {
	rt := newRouter(operationTable(), nil)
	for _, bc := range []struct{ name, method, host, target string }{
		{"PutObject", "PUT", "127.0.0.1:4566", "/bucket/some/key?x-id=PutObject"},
		{"hosted GetObject", "GET", "bucket.s3.eu-west-1.localhost:4566", "/some/key"},
		{"GetBucketReplication", "GET", "127.0.0.1:4566", "/bucket?replication"},
		{"escaped key", "GET", "127.0.0.1:4566", "/bucket/some%2Fkey%20x"},
	} {
		b.Run(bc.name, func(b *testing.B) {
			r := httptest.NewRequest(bc.method, bc.target, nil)
			r.Host = bc.host
			query := r.URL.Query()
			b.ReportAllocs()
			for b.Loop() {
				at, route, err := rt.locate(r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := rt.find(r, at, route, query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
