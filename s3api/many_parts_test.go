package s3api

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/checksum"
	"twinbucket/store"
)

// fullUpload begins an upload and gives it n parts that say they are of 5 MiB. Their one byte
// could not be read as that, so the upload or what becomes of it must go before the test ends.
func (f *fixture) fullUpload(key string, n int) (id string, parts []store.Part) {
	f.t.Helper()
	id = f.upload("/bkt/"+key, "x-amz-checksum-algorithm", "CRC32")
	u, err := f.store.Upload(f.t.Context(), "bkt", key, id)
	must(f.t, err)
	dk, err := f.store.UnwrapDataKey(u.Version.Encryption.WrappedKey)
	must(f.t, err)
	sum := sumOf(checksum.CRC32, "x")
	for i := range n {
		d, err := f.store.WriteData(f.t.Context(), dk, strings.NewReader("x"))
		must(f.t, err)
		d.Size = minPart
		p := store.Part{Number: i + 1, ETag: md5Hex(fmt.Sprint(i)), Checksum: store.Checksum{Algorithm: checksum.CRC32, Value: sum}, Data: d}
		must(f.t, f.store.PutPart(f.t.Context(), u, store.StoredPart{Part: p}))
		parts = append(parts, p)
	}
	return id, parts
}

// The largest upload there is: all 10,000 parts listed, completed, addressed and described.
func TestTenThousandParts(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	id, parts := f.fullUpload("k", maxPartNumber)
	c := f.sdk(root(accountA), "us-east-1")
	var numbers []int32
	for pages := s3.NewListPartsPaginator(c, &s3.ListPartsInput{Bucket: aws.String("bkt"), Key: aws.String("k"), UploadId: &id}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		if len(page.Parts) != 1000 {
			t.Errorf("page of %d", len(page.Parts))
		}
		for _, p := range page.Parts {
			numbers = append(numbers, *p.PartNumber)
		}
	}
	if len(numbers) != maxPartNumber || !slices.IsSorted(numbers) || numbers[0] != 1 {
		t.Fatalf("%d parts listed", len(numbers))
	}
	var list strings.Builder
	etags := md5.New()
	for _, p := range parts {
		list.WriteString(onePart(p.Number, p.ETag, "<ChecksumCRC32>"+p.Checksum.Value+"</ChecksumCRC32>"))
		digest, err := hex.DecodeString(p.ETag)
		must(t, err)
		etags.Write(digest)
	}
	a := f.complete("/bkt/k", id, list.String(), "X-Amz-Mp-Object-Size", fmt.Sprint(maxPartNumber*minPart))
	etag := fmt.Sprintf("%x-10000", etags.Sum(nil))
	if a.status != 200 || !strings.Contains(a.body, etag) {
		t.Fatalf("%d %.300s, want ETag %s", a.status, a.body, etag)
	}
	h := f.head("/bkt/k?partNumber=10000", "x-amz-checksum-mode", "ENABLED")
	want := map[string]string{"X-Amz-Mp-Parts-Count": "10000", "Content-Length": fmt.Sprint(minPart), "X-Amz-Checksum-Crc32": parts[0].Checksum.Value,
		"Content-Range": fmt.Sprintf("bytes %d-%d/%d", (maxPartNumber-1)*minPart, maxPartNumber*minPart-1, maxPartNumber*minPart)}
	if diff := cmp.Diff(want, h.shown("X-Amz-Mp-Parts-Count", "Content-Length", "Content-Range", "X-Amz-Checksum-Crc32")); h.status != 206 || diff != "" {
		t.Errorf("%d (-want +got):\n%s", h.status, diff)
	}
	if a := f.head("/bkt/k?partNumber=10001"); a.status != 400 {
		t.Errorf("part 10001: %d", a.status)
	}
	count, marker := 0, aws.String("")
	for range 20 {
		in := &s3.GetObjectAttributesInput{Bucket: aws.String("bkt"), Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectParts}}
		if *marker != "" {
			in.PartNumberMarker = marker
		}
		out, err := c.GetObjectAttributes(t.Context(), in)
		must(t, err)
		count += len(out.ObjectParts.Parts)
		if marker = out.ObjectParts.NextPartNumberMarker; !*out.ObjectParts.IsTruncated {
			break
		}
	}
	if count != maxPartNumber || *marker != "10000" {
		t.Errorf("%d parts described, up to %s", count, *marker)
	}
	f.do(call{method: "DELETE", target: "/bkt/k"})
}

// Whatever the size of a page, every part and upload is listed once, in order.
func TestListUploadsAtEveryBoundary(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	var all []string
	for _, key := range []string{"a", "b/1", "b/2", "b0", "c", "c"} {
		id := f.upload("/bkt/" + key)
		all = append(all, key+" "+id)
	}
	for max := 1; max <= len(all)+1; max++ {
		for _, query := range []string{"", "&prefix=b", "&delimiter=%2F"} {
			var want, got []string
			for _, s := range all {
				key, _, _ := strings.Cut(s, " ")
				switch {
				case query == "&prefix=b" && !strings.HasPrefix(key, "b"):
				case query == "&delimiter=%2F" && strings.HasPrefix(key, "b/"):
					want = append(want, "b/")
				default:
					want = append(want, s)
				}
			}
			want = slices.Compact(want)
			next := ""
			for range 10 {
				a := f.get(fmt.Sprintf("/bkt?uploads&max-uploads=%d%s%s", max, query, next))
				if a.status != 200 {
					t.Fatalf("%d %s", a.status, a.body)
				}
				for _, u := range strings.Split(a.body, "<Upload>")[1:] {
					got = append(got, between(u, "<Key>", "</Key>")+" "+between(u, "<UploadId>", "</UploadId>"))
				}
				if p := between(a.body, "<CommonPrefixes><Prefix>", "</Prefix>"); p != "" {
					got = append(got, p)
				}
				if !strings.Contains(a.body, "<IsTruncated>true") {
					break
				}
				next = "&key-marker=" + strings.ReplaceAll(between(a.body, "<NextKeyMarker>", "</NextKeyMarker>"), "/", "%2F") +
					"&upload-id-marker=" + between(a.body, "<NextUploadIdMarker>", "</NextUploadIdMarker>")
			}
			slices.Sort(got) // prefixes come after the keys of their page
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages of %d%s (-want +got):\n%s", max, query, diff)
			}
		}
	}
	_, id, _ := strings.Cut(all[0], " ")
	for _, marker := range []string{id, "unknown"} {
		e := f.wantError(f.get("/bkt?uploads&key-marker=c&upload-id-marker="+marker), 400, "InvalidArgument", "Invalid uploadId marker")
		if e.field("ArgumentName") != "upload-id-marker" || e.field("ArgumentValue") != marker {
			t.Errorf("%+v", e.Fields)
		}
	}
	if a := f.get("/bkt?uploads&upload-id-marker=unknown"); a.status != 200 { // means nothing alone
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Whoever begins an upload may list and abort it, unless that is denied explicitly (S305).
func TestInitiatorRights(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	ada := f.user(accountA, "ada", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}`)
	bob := f.user(accountA, "bob", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}`)
	begin := func() string {
		return "/bkt/k?uploadId=" + between(f.do(call{method: "POST", target: "/bkt/k?uploads", as: ada}).body, "<UploadId>", "</UploadId>")
	}
	target := begin()
	for _, method := range []string{"GET", "DELETE"} {
		f.wantError(f.do(call{method: method, target: target, as: bob}), 403, "AccessDenied", "")
		f.wantError(f.do(call{method: method, target: target, unsigned: true}), 403, "AccessDenied", "")
	}
	if a := f.do(call{method: "GET", target: target, as: ada}); a.status != 200 {
		t.Errorf("list: %d %s", a.status, a.body)
	}
	if a := f.do(call{method: "DELETE", target: target, as: ada}); a.status != 204 {
		t.Errorf("abort: %d %s", a.status, a.body)
	}
	f.wantError(f.do(call{method: "DELETE", target: target, as: ada}), 403, "AccessDenied", "") // nobody's upload
	target = begin()
	f.put(accountA, "/bkt?policy", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:AbortMultipartUpload","Resource":"arn:aws:s3:::bkt/*"}}`)
	f.wantError(f.do(call{method: "DELETE", target: target, as: ada}), 403, "AccessDenied", "")
}
