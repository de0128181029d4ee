package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/checksum"
)

// upload begins an upload of target and returns its id.
func (f *fixture) upload(target string, header ...string) string {
	f.t.Helper()
	a := f.do(call{method: "POST", target: target + "?uploads", header: headers(header...)})
	var out struct{ UploadId string }
	if err := xml.Unmarshal([]byte(a.body), &out); a.status != 200 || err != nil {
		f.t.Fatalf("create upload: %d %s", a.status, a.body)
	}
	return out.UploadId
}

// part uploads a part, which must succeed, and returns its ETag.
func (f *fixture) part(target, id string, number int, text string, header ...string) string {
	f.t.Helper()
	return f.putText(fmt.Sprintf("%s?partNumber=%d&uploadId=%s", target, number, id), text, header...).header.Get("ETag")
}

// complete asks for completion with parts as XML.
func (f *fixture) complete(target, id, parts string, header ...string) answer {
	f.t.Helper()
	return f.do(call{method: "POST", target: target + "?uploadId=" + id, body: "<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>", header: headers(header...)})
}

func onePart(number int, etag string, more ...string) string {
	return fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag>%s</Part>", number, etag, strings.Join(more, ""))
}

func TestMultipartThroughTheSDK(t *testing.T) {
	for _, algorithm := range []types.ChecksumAlgorithm{"", types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmSha256, types.ChecksumAlgorithmCrc64nvme} {
		for _, kms := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,kms=%v", algorithm, kms), func(t *testing.T) {
				f, keys := newKMSFixture(t)
				f.bucket(accountA, "bkt", "us-east-1", true)
				c := f.sdk(root(accountA), "us-east-1")
				create := &s3.CreateMultipartUploadInput{Bucket: aws.String("bkt"), Key: aws.String("k"), ChecksumAlgorithm: algorithm, Metadata: map[string]string{"a": "b"}}
				if kms {
					create.ServerSideEncryption, create.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String("cmk")
				}
				u, err := c.CreateMultipartUpload(t.Context(), create)
				must(t, err)
				contents := []string{strings.Repeat("a", minPart), strings.Repeat("b", minPart+1), "end"}
				etags := md5.New()
				var parts []types.CompletedPart
				for i, content := range contents {
					p, err := c.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId, PartNumber: aws.Int32(int32(2*i + 1)),
						Body: strings.NewReader(content), ChecksumAlgorithm: algorithm})
					must(t, err)
					digest, err := hex.DecodeString(strings.Trim(*p.ETag, `"`))
					must(t, err)
					etags.Write(digest)
					done := types.CompletedPart{PartNumber: aws.Int32(int32(2*i + 1)), ETag: p.ETag}
					if algorithm != "" {
						done.ChecksumCRC32, done.ChecksumSHA256, done.ChecksumCRC64NVME = p.ChecksumCRC32, p.ChecksumSHA256, p.ChecksumCRC64NVME
					}
					parts = append(parts, done)
				}
				finish := &s3.CompleteMultipartUploadInput{Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}
				out, err := c.CompleteMultipartUpload(t.Context(), finish)
				must(t, err)
				if got, want := *out.ETag, `"`+hex.EncodeToString(etags.Sum(nil))+`-3"`; got != want {
					t.Errorf("ETag %s, want %s", got, want)
				}
				again, err := c.CompleteMultipartUpload(t.Context(), finish)
				must(t, err)
				if *again.VersionId != *out.VersionId {
					t.Errorf("completing again made version %s", *again.VersionId)
				}
				got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: u.Bucket, Key: u.Key})
				must(t, err)
				body, err := io.ReadAll(got.Body)
				must(t, err)
				whole := strings.Join(contents, "")
				if string(body) != whole || got.Metadata["a"] != "b" {
					t.Errorf("got %d bytes, want %d; metadata %v", len(body), len(whole), got.Metadata)
				}
				if algorithm == "" || algorithm == types.ChecksumAlgorithmCrc64nvme {
					if want := sumOf(checksum.CRC64NVME, whole); aws.ToString(got.ChecksumCRC64NVME) != want {
						t.Errorf("CRC64NVME %s, want %s", aws.ToString(got.ChecksumCRC64NVME), want)
					}
				}
				second, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: u.Bucket, Key: u.Key, PartNumber: aws.Int32(3)})
				must(t, err)
				body, err = io.ReadAll(second.Body)
				must(t, err)
				if string(body) != contents[1] || *second.PartsCount != 3 {
					t.Errorf("part 3: %d bytes of %d parts", len(body), *second.PartsCount)
				}
				across, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: u.Bucket, Key: u.Key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", minPart-2, minPart+1))})
				must(t, err)
				if body, err = io.ReadAll(across.Body); err != nil || string(body) != "aabb" {
					t.Errorf("range across parts: %q %v", body, err)
				}
				var ops []string
				for _, c := range keys.taken() {
					ops = append(ops, c.Op)
				}
				want := []string{"GenerateDataKey", "Decrypt", "Decrypt", "Decrypt", "Decrypt", "Decrypt", "Decrypt", "Decrypt"}
				if !kms {
					want = nil
				}
				if !slices.Equal(ops, want) { // S273: one for each part, for completing, for each GET
					t.Errorf("KMS calls %v, want %v", ops, want)
				}
			})
		}
	}
}

func TestCompositeChecksum(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	id := f.upload("/bkt/k", "x-amz-checksum-algorithm", "CRC32C")
	big := strings.Repeat("a", minPart)
	s1, s2 := sumOf(checksum.CRC32C, big), sumOf(checksum.CRC32C, "end")
	e1, e2 := f.part("/bkt/k", id, 1, big, "x-amz-checksum-crc32c", s1), f.part("/bkt/k", id, 2, "end")
	tag := func(s string) string { return "<ChecksumCRC32C>" + s + "</ChecksumCRC32C>" }
	f.wantError(f.complete("/bkt/k", id, onePart(1, e1, tag(s1))+onePart(2, e2)), 400, "InvalidRequest",
		"The upload was created using a crc32c checksum. The complete request must include the checksum for each part. It was missing for part 2 in the request.")
	f.wantError(f.complete("/bkt/k", id, onePart(1, e1, tag(s1))+onePart(2, e2, tag(s1))), 400, "InvalidPart", "")
	a := f.complete("/bkt/k", id, onePart(1, e1, tag(s1))+onePart(2, e2, tag(s2)), "x-amz-checksum-type", "COMPOSITE")
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	golden(t, "complete_multipart_upload.xml", ids(strings.ReplaceAll(a.body, f.server.URL, "http://host")))
	digest := func(s string) []byte {
		d, err := checksum.Decode(checksum.CRC32C, s)
		must(t, err)
		return d
	}
	want := checksum.CompositeValue(checksum.CRC32C, [][]byte{digest(s1), digest(s2)})
	got := f.head("/bkt/k", "x-amz-checksum-mode", "ENABLED").shown("x-amz-checksum-crc32c", "x-amz-checksum-type")
	if diff := cmp.Diff(map[string]string{"x-amz-checksum-crc32c": want, "x-amz-checksum-type": "COMPOSITE"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := f.head("/bkt/k?partNumber=2", "x-amz-checksum-mode", "ENABLED").header.Get("x-amz-checksum-crc32c"); got != s2 {
		t.Errorf("part's checksum %q, want %q", got, s2)
	}
	a = f.get("/bkt/k?attributes", "x-amz-object-attributes", "ETag,Checksum,ObjectParts,StorageClass,ObjectSize", "x-amz-max-parts", "1")
	golden(t, "get_object_attributes.xml", ids(a.body))
}

func TestFullObjectChecksum(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	id := f.upload("/bkt/k", "x-amz-checksum-algorithm", "CRC32", "x-amz-checksum-type", "FULL_OBJECT")
	big := strings.Repeat("a", minPart)
	parts := onePart(1, f.part("/bkt/k", id, 1, big)) + onePart(2, f.part("/bkt/k", id, 2, "end"))
	whole := sumOf(checksum.CRC32, big+"end")
	f.wantError(f.complete("/bkt/k", id, parts, "x-amz-checksum-crc32", sumOf(checksum.CRC32, "x")), 400, "BadDigest", "The crc32 you specified did not match the calculated checksum.")
	f.wantError(f.complete("/bkt/k", id, parts, "x-amz-checksum-type", "COMPOSITE"), 400, "InvalidRequest",
		"The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same checksum mode.")
	f.wantError(f.complete("/bkt/k", id, parts, "x-amz-mp-object-size", "5"), 400, "InvalidRequest",
		fmt.Sprintf("The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: %d", minPart+3))
	if a := f.complete("/bkt/k", id, parts, "x-amz-checksum-crc32", whole); a.status != 200 || !strings.Contains(a.body, whole) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestMultipartRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	refuse := func(status int, code, message string, header ...string) {
		t.Helper()
		f.wantError(f.do(call{method: "POST", target: "/bkt/k?uploads", header: headers(header...)}), status, code, message)
	}
	const sum, kind = "x-amz-checksum-algorithm", "x-amz-checksum-type"
	refuse(400, "InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128]", sum, "XX")
	refuse(400, "InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.", kind, "COMPOSITE")
	refuse(400, "InvalidRequest", "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.", sum, "CRC64NVME", kind, "COMPOSITE")
	refuse(400, "InvalidRequest", "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.", sum, "SHA256", kind, "FULL_OBJECT")
	refuse(400, "InvalidRequest", "", sum, "SHA256", kind, "HALF")

	for _, number := range []string{"0", "-1", "10001", "x", ""} {
		e := f.wantError(f.do(call{method: "PUT", target: "/bkt/k?partNumber=" + number + "&uploadId=u", body: "x"}), 400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
		if e.field("ArgumentName") != "partNumber" || e.field("ArgumentValue") != number {
			t.Errorf("fields %v", e.Fields)
		}
	}
	for _, c := range []call{{method: "PUT", target: "/bkt/k?partNumber=1&uploadId=fakeid", body: "x"}, {method: "GET", target: "/bkt/k?uploadId=fakeid"}, {method: "DELETE", target: "/bkt/k?uploadId=fakeid"}} {
		if e := f.wantError(f.do(c), 404, "NoSuchUpload", ""); e.field("UploadId") != "fakeid" {
			t.Errorf("UploadId %q", e.field("UploadId"))
		}
	}
	f.wantError(f.complete("/bkt/k", "fakeid", onePart(1, "x")), 404, "NoSuchUpload", "")

	id := f.upload("/bkt/k", sum, "SHA256")
	f.wantError(f.do(call{method: "PUT", target: "/bkt/other?partNumber=1&uploadId=" + id, body: "x"}), 404, "NoSuchUpload", "")
	f.wantError(f.do(call{method: "PUT", target: "/bkt/k?partNumber=1&uploadId=" + id, body: "x", header: headers("x-amz-checksum-crc32", sumOf(checksum.CRC32, "x"))}), 400, "InvalidRequest",
		"Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32")

	id = f.upload("/bkt/k")
	e := f.wantError(f.do(call{method: "PUT", target: "/bkt/k?partNumber=1&uploadId=" + id, body: "x", noMD5: true, header: headers("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")}), 400, "BadDigest", "")
	if e.field("ExpectedDigest") != "AAAAAAAAAAAAAAAAAAAAAA==" {
		t.Errorf("ExpectedDigest %q", e.field("ExpectedDigest"))
	}
	one, two := f.part("/bkt/k", id, 1, "test"), f.part("/bkt/k", id, 2, "test2")
	f.wantError(f.complete("/bkt/k", id, ""), 400, "InvalidRequest", "You must specify at least one part")
	f.wantError(f.do(call{method: "POST", target: "/bkt/k?uploadId=" + id}), 400, "InvalidRequest", "You must specify at least one part")
	f.wantError(f.complete("/bkt/k", id, onePart(2, two)+onePart(1, one)), 400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
	f.wantError(f.complete("/bkt/k", id, "<Part><PartNumber>1</PartNumber></Part>"), 400, "MalformedXML", "")
	e = f.wantError(f.complete("/bkt/k", id, onePart(1, one)+onePart(2, one)), 400, "InvalidPart", "")
	if e.field("PartNumber") != "2" || e.field("ETag") != strings.Trim(one, `"`) || e.field("UploadId") != id {
		t.Errorf("fields %v", e.Fields)
	}
	e = f.wantError(f.complete("/bkt/k", id, onePart(1, one)+onePart(2, two)), 400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
	if e.field("MinSizeAllowed") != "5242880" || e.field("PartNumber") != "1" || e.field("ProposedSize") != "4" || e.field("ETag") != strings.Trim(one, `"`) {
		t.Errorf("fields %v", e.Fields)
	}
	f.wantError(f.complete("/bkt/k", id, onePart(2, two, "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>")), 400, "InvalidPart", "")
	f.wantError(f.complete("/bkt/k", id, onePart(2, two), kind, "FULL_OBJECT"), 400, "InvalidRequest",
		"The upload was created using the null checksum mode. The complete request must use the same checksum mode.")
	f.putText("/bkt/k", "in between")
	f.wantError(f.complete("/bkt/k", id, onePart(2, two), "If-None-Match", "*"), 412, "PreconditionFailed", "")
	if a := f.do(call{method: "DELETE", target: "/bkt/k?uploadId=" + id}); a.status != 204 {
		t.Errorf("abort: %d %s", a.status, a.body)
	}
	f.wantError(f.complete("/bkt/k", id, onePart(2, two)), 404, "NoSuchUpload", "")
	f.do(call{method: "DELETE", target: "/bkt/k?uploadId=" + f.upload("/bkt/k")})
}

func TestUploadPartCopy(t *testing.T) {
	f, keys := newKMSFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	version := f.putText("/bkt/src", "0123456789").header.Get("x-amz-version-id")
	id := f.upload("/bkt/k", sseHeader, "aws:kms", sseKeyIDHeader, "cmk", "x-amz-checksum-algorithm", "SHA1")
	copyPart := func(header ...string) answer {
		return f.do(call{method: "PUT", target: "/bkt/k?partNumber=1&uploadId=" + id, header: headers(append(header, "x-amz-copy-source", "bkt/src")...)})
	}
	const form = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
	for header, want := range map[string]string{
		"0-8": form, "bytes=1-0": form, "bytes=-1-": form, "bytes=0--1": form, "bytes=0-1,3-4,7-9": form, "bytes=-": form, "bytes=-0": form, "bytes=1-": form, "bytes=-2": form,
		"bytes=0-100": "Range specified is not valid for source object of size: 10",
	} {
		e := f.wantError(copyPart("x-amz-copy-source-range", header), 400, "InvalidArgument", want)
		if e.field("ArgumentName") != "x-amz-copy-source-range" || e.field("ArgumentValue") != header {
			t.Errorf("fields %v", e.Fields)
		}
	}
	f.wantError(copyPart("x-amz-copy-source-range", "bytes=100-200"), 400, "InvalidRequest", "The specified copy range is invalid for the source object size")
	f.wantError(copyPart("x-amz-copy-source-if-match", "x"), 412, "PreconditionFailed", "")
	keys.taken()
	a := copyPart("x-amz-copy-source-range", "bytes=2-5")
	if a.status != 200 || a.header.Get("x-amz-copy-source-version-id") != version || a.header.Get(sseHeader) != "aws:kms" {
		t.Fatalf("%d %s %v", a.status, a.body, a.header)
	}
	var out struct{ ETag, ChecksumSHA1 string }
	must(t, xml.Unmarshal([]byte(a.body), &out))
	if out.ChecksumSHA1 != sumOf(checksum.SHA1, "2345") {
		t.Errorf("checksum %q", out.ChecksumSHA1)
	}
	if a := f.complete("/bkt/k", id, onePart(1, out.ETag, "<ChecksumSHA1>"+out.ChecksumSHA1+"</ChecksumSHA1>")); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := f.get("/bkt/k"); a.body != "2345" {
		t.Errorf("%q", a.body)
	}
}

func TestListPartsAndUploads(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	id := f.upload("/bkt/a%20b", "x-amz-checksum-algorithm", "CRC32", "x-amz-storage-class", "GLACIER_IR")
	for i := range 3 {
		f.part("/bkt/a%20b", id, i+1, fmt.Sprint(i))
	}
	golden(t, "list_parts.xml", ids(f.get("/bkt/a%20b?uploadId="+id+"&max-parts=2").body))
	golden(t, "list_parts_rest.xml", ids(f.get("/bkt/a%20b?uploadId="+id+"&part-number-marker=2").body))
	for _, key := range []string{"dir/x", "dir/y", "dir2/z", "e"} {
		f.upload("/bkt/" + key)
	}
	golden(t, "list_multipart_uploads.xml", ids(f.get("/bkt?uploads&encoding-type=url").body))

	var seen []string
	c := f.sdk(root(accountA), "us-east-1")
	in := &s3.ListMultipartUploadsInput{Bucket: aws.String("bkt"), Delimiter: aws.String("/"), MaxUploads: aws.Int32(1)}
	for range 10 {
		out, err := c.ListMultipartUploads(t.Context(), in)
		must(t, err)
		for _, u := range out.Uploads {
			seen = append(seen, *u.Key)
		}
		for _, p := range out.CommonPrefixes {
			seen = append(seen, *p.Prefix)
		}
		if !*out.IsTruncated {
			break
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
	if diff := cmp.Diff([]string{"a b", "dir/", "dir2/", "e"}, seen); diff != "" {
		t.Errorf("pages of one (-want +got):\n%s", diff)
	}
}

func TestReplacedPart(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	id := f.upload("/bkt/k")
	f.part("/bkt/k", id, 1, "first")
	etag := f.part("/bkt/k", id, 1, "second")
	if a := f.complete("/bkt/k", id, onePart(1, etag)); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := f.get("/bkt/k"); a.body != "second" {
		t.Errorf("%q", a.body)
	}
}

func FuzzParseComplete(f *testing.F) {
	f.Add([]byte("<CompleteMultipartUpload>" + onePart(1, "x", "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>") + "</CompleteMultipartUpload>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := parseComplete(body)
		if err == nil && len(parts) == 0 && !bytes.Contains(body, []byte("Part")) {
			t.Error("no parts accepted")
		}
	})
}
