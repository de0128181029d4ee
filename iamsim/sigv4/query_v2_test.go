package sigv4

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	docKey    = "AKIAIOSFODNN7EXAMPLE"
	docSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// docQuery is AWS's published example of a version 2 URL (A36).
const docQuery = "AWSAccessKeyId=" + docKey + "&Expires=1175139620&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"

func TestQueryV2(t *testing.T) {
	before := time.Unix(1175139600, 0)
	for name, tt := range map[string]struct {
		method, target, host string
		header               map[string]string
		now                  time.Time
		secret               string
		want                 Kind
	}{
		"published example, virtual host":  {"GET", "/photos/puppy.jpg?" + docQuery, "johnsmith.s3.amazonaws.com", nil, before, docSecret, None},
		"published example, path style":    {"GET", "/johnsmith/photos/puppy.jpg?" + docQuery, "localhost", nil, before, docSecret, None},
		"at its last second":               {"GET", "/johnsmith/photos/puppy.jpg?" + docQuery, "localhost", nil, time.Unix(1175139620, 0), docSecret, None},
		"expired":                          {"GET", "/johnsmith/photos/puppy.jpg?" + docQuery, "localhost", nil, time.Unix(1175139621, 0), docSecret, Expired},
		"another secret":                   {"GET", "/johnsmith/photos/puppy.jpg?" + docQuery, "localhost", nil, before, docSecret + "x", BadSignature},
		"another method":                   {"PUT", "/johnsmith/photos/puppy.jpg?" + docQuery, "localhost", nil, before, docSecret, BadSignature},
		"another key":                      {"GET", "/johnsmith/photos/kitten.jpg?" + docQuery, "localhost", nil, before, docSecret, BadSignature},
		"another bucket":                   {"GET", "/photos/puppy.jpg?" + docQuery, "janesmith.s3.amazonaws.com", nil, before, docSecret, BadSignature},
		"a signed sub-resource added":      {"GET", "/johnsmith/photos/puppy.jpg?acl&" + docQuery, "localhost", nil, before, docSecret, BadSignature},
		"an x-amz header added":            {"GET", "/johnsmith/photos/puppy.jpg?" + docQuery, "localhost", map[string]string{"X-Amz-Acl": "public-read"}, before, docSecret, BadSignature},
		"a content type added":             {"GET", "/johnsmith/photos/puppy.jpg?" + docQuery, "localhost", map[string]string{"Content-Type": "text/html"}, before, docSecret, BadSignature},
		"an unsigned parameter is no harm": {"GET", "/johnsmith/photos/puppy.jpg?x=y&" + docQuery, "localhost", nil, before, docSecret, None},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, received(t, tt.method, tt.target, tt.host, tt.header))
			if s.Form != FormQueryV2 || s.AccessKeyID != docKey || s.Scope.Service != "s3" {
				t.Errorf("parsed %+v", s)
			}
			err := s.Verify(tt.now, tt.secret, Options{S3: true, Service: "s3"})
			if got := KindOf(err); got != tt.want {
				t.Errorf("%v, want kind %v", err, tt.want)
			}
		})
	}
}

func TestQueryV2Faults(t *testing.T) {
	for name, tt := range map[string]struct {
		query   string
		want    Kind
		missing string
	}{
		"no key":            {"Signature=s&Expires=1", SigV2, "AWSAccessKeyId"},
		"nothing but a key": {"AWSAccessKeyId=AKID", SigV2, "Signature,Expires"},
		"expires text":      {"AWSAccessKeyId=AKID&Signature=s&Expires=soon", ExpiresNotNumber, ""},
		"expires negative":  {"AWSAccessKeyId=AKID&Signature=s&Expires=-1", ExpiresNotNumber, ""},
		"expires huge":      {"AWSAccessKeyId=AKID&Signature=s&Expires=" + strconv.FormatUint(1<<63, 10), ExpiresNotNumber, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(newRequest(t, "GET", "/b/k?"+tt.query, nil))
			e := asError(t, err, tt.want)
			if got := strings.Join(e.Missing, ","); got != tt.missing {
				t.Errorf("missing %q, want %q", got, tt.missing)
			}
		})
	}
}

// Sub-resources are signed decoded and sorted, headers where they are or in the query.
func TestStringToSignV2(t *testing.T) {
	q := url.Values{"AWSAccessKeyId": {"AKID"}, "Signature": {"s"}, "Expires": {"9"}, "versionId": {"v"}, "response-content-type": {"a/b c"},
		"uploads": {""}, "x-amz-security-token": {"token"}, "content-type": {"text/plain"}}
	r := received(t, "PUT", "/b/k%20x?"+q.Encode(), "localhost", map[string]string{"X-Amz-Acl": " private "})
	want := "PUT\n\ntext/plain\n9\nx-amz-acl:private\nx-amz-security-token:token\n/b/k%20x?response-content-type=a/b c&uploads&versionId=v"
	if got := mustParse(t, r).stringToSignV2(""); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// received is a request as the server reads it.
func received(t *testing.T, method, target, host string, header map[string]string) *http.Request {
	t.Helper()
	r := newRequest(t, method, target, nil)
	r.Host = host
	for k, v := range header {
		r.Header.Set(k, v)
	}
	return overTheWire(t, r)
}
