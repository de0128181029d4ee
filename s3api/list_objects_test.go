package s3api

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/checksum"
)

func TestListDocuments(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	for _, key := range []string{"a", "b/1", "b/2", "c d+e&<é>", "z\x01"} {
		f.putText("/bkt/"+strings.ReplaceAll(url.PathEscape(key), "%2F", "/"), key)
		f.clock.Advance(time.Second)
	}
	f.putText("/bkt/a", "again", "x-amz-storage-class", "STANDARD_IA", "x-amz-checksum-crc32", sumOf(checksum.CRC32, "again"))
	f.do(call{method: "DELETE", target: "/bkt/b/1"})
	for name, query := range map[string]string{
		"list_v2.xml":              "list-type=2",
		"list_v2_delimiter.xml":    "list-type=2&delimiter=/&encoding-type=url&fetch-owner=true&start-after=a&prefix=",
		"list_v2_page.xml":         "list-type=2&max-keys=1",
		"list_v1.xml":              "encoding-type=url",
		"list_v1_page.xml":         "delimiter=/&max-keys=2&marker=a",
		"list_v1_nodelimiter.xml":  "max-keys=1",
		"list_versions.xml":        "versions&prefix=a",
		"list_versions_marker.xml": "versions&encoding-type=url&max-keys=2&key-marker=a&delimiter=%2B",
		"list_none.xml":            "list-type=2&max-keys=0",
	} {
		a := f.get("/bkt?" + query)
		if a.status != 200 {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
		golden(t, name, ids(a.body))
	}
}

func TestListRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	for query, message := range map[string]string{
		"list-type=2&encoding-type=":                "Invalid Encoding Method specified in Request",
		"encoding-type=base64":                      "Invalid Encoding Method specified in Request",
		"list-type=2&continuation-token=":           "The continuation token provided is incorrect",
		"list-type=2&continuation-token=garbage":    "The continuation token provided is incorrect",
		"versions&version-id-marker=null":           "A version-id marker cannot be specified without a key marker.",
		"versions&key-marker=k&version-id-marker=x": "Invalid version id specified",
		"max-keys=x":              "Provided max-keys not an integer or within integer range",
		"list-type=2&max-keys=-1": "Argument max-keys must be an integer between 0 and 2147483647",
	} {
		f.wantError(f.get("/bkt?"+query), 400, "InvalidArgument", message)
	}
}

// Every way of paging sees every key once, whatever the page size.
func TestListPaging(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	var want []string
	for i := range 25 {
		key := fmt.Sprintf("d%d/k%02d", i%3, i)
		f.putText("/bkt/"+key, "x")
		want = append(want, key)
	}
	slices.Sort(want)
	c := f.sdk(root(accountA), "us-east-1")
	for _, size := range []int32{1, 7, 25, 1000} {
		var v2, v1, versions, prefixes []string
		two := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("bkt"), MaxKeys: &size})
		for two.HasMorePages() {
			page, err := two.NextPage(t.Context())
			must(t, err)
			if int(*page.KeyCount) != len(page.Contents) {
				t.Errorf("KeyCount %d of %d", *page.KeyCount, len(page.Contents))
			}
			for _, o := range page.Contents {
				v2 = append(v2, *o.Key)
			}
		}
		one := &s3.ListObjectsInput{Bucket: aws.String("bkt"), MaxKeys: &size}
		for {
			page, err := c.ListObjects(t.Context(), one)
			must(t, err)
			for _, o := range page.Contents {
				v1 = append(v1, *o.Key)
			}
			if !*page.IsTruncated {
				break
			}
			one.Marker = page.Contents[len(page.Contents)-1].Key
		}
		all := s3.NewListObjectVersionsPaginator(c, &s3.ListObjectVersionsInput{Bucket: aws.String("bkt"), MaxKeys: &size})
		for all.HasMorePages() {
			page, err := all.NextPage(t.Context())
			must(t, err)
			for _, v := range page.Versions {
				versions = append(versions, *v.Key)
			}
		}
		rolled := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("bkt"), MaxKeys: &size, Delimiter: aws.String("/")})
		for rolled.HasMorePages() {
			page, err := rolled.NextPage(t.Context())
			must(t, err)
			for _, p := range page.CommonPrefixes {
				prefixes = append(prefixes, *p.Prefix)
			}
		}
		got := [][]string{v2, v1, versions, prefixes}
		if diff := cmp.Diff([][]string{want, want, want, {"d0/", "d1/", "d2/"}}, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", size, diff)
		}
	}
}

func FuzzContinuationToken(f *testing.F) {
	f.Add("key")
	f.Add("\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		if s != "" {
			if got, err := parseContinuationToken(continuationToken(s)); err != nil || got != s {
				t.Errorf("%q came back as %q %v", s, got, err)
			}
		}
		parseContinuationToken(s)
		if got, err := url.QueryUnescape(string(appendURLEncoded(nil, s))); err != nil || got != s {
			t.Errorf("%q encoded came back as %q %v", s, got, err)
		}
	})
}
