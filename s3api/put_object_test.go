package s3api

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/checksum"
)

// sdk is an SDK client with the SDK's own defaults, among them checksums on everything.
func (f *fixture) sdk(id identity, region string) *s3.Client {
	return s3.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: aws.String(f.server.URL), Credentials: id.provider(),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	},
		func(o *s3.Options) { o.UsePathStyle, o.RetryMaxAttempts = true, 1 })
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sumOf(a checksum.Algorithm, s string) string {
	h := checksum.New(a)
	io.WriteString(h, s)
	return checksum.Encode(h.Sum(nil))
}

// putText stores text with further headers, which must succeed.
func (f *fixture) putText(target, text string, header ...string) answer {
	f.t.Helper()
	a := f.do(call{method: "PUT", target: target, body: text, header: headers(header...)})
	if a.status != 200 {
		f.t.Fatalf("PUT %s: %d %s", target, a.status, a.body)
	}
	return a
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func (f *fixture) get(target string, header ...string) answer {
	f.t.Helper()
	return f.do(call{method: "GET", target: target, header: headers(header...)})
}

func (f *fixture) head(target string, header ...string) answer {
	f.t.Helper()
	return f.do(call{method: "HEAD", target: target, header: headers(header...)})
}

// shown picks headers out of an answer.
func (a answer) shown(names ...string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		if v, ok := a.header[http.CanonicalHeaderKey(n)]; ok {
			out[n] = strings.Join(v, "|")
		}
	}
	return out
}

func TestPutGetThroughTheSDK(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "photos", "us-east-1", true)
	c := f.sdk(root(accountA), "us-east-1")
	for _, size := range []int{0, 1, 4096, 300_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			content := strings.Repeat("x", size)
			key := fmt.Sprintf("dir//%d é", size)
			put, err := c.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("photos"), Key: &key, Body: strings.NewReader(content), ContentType: aws.String("text/plain"),
				CacheControl: aws.String("no-cache"), Metadata: map[string]string{"Camera": "X100"}, Tagging: aws.String("class=a&year=2026"),
			})
			must(t, err)
			if got, want := aws.ToString(put.ETag), `"`+md5Hex(content)+`"`; got != want {
				t.Errorf("ETag %s, want %s", got, want)
			}
			if got, want := aws.ToString(put.ChecksumCRC32), sumOf(checksum.CRC32, content); got != want {
				t.Errorf("ChecksumCRC32 %s, want %s", got, want)
			}
			got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("photos"), Key: &key})
			must(t, err)
			body, err := io.ReadAll(got.Body)
			must(t, err)
			type view struct {
				Body, Type, Cache, Version, SSE string
				Tags                            int32
				Metadata                        map[string]string
				Modified                        time.Time
			}
			diff := cmp.Diff(view{content, "text/plain", "no-cache", *put.VersionId, "AES256", 2, map[string]string{"camera": "X100"}, f.clock.Now()},
				view{string(body), *got.ContentType, *got.CacheControl, *got.VersionId, string(got.ServerSideEncryption), aws.ToInt32(got.TagCount), got.Metadata, *got.LastModified})
			if diff != "" {
				t.Errorf("GET (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPutResponseHeaders(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "plain", "us-east-1", false)
	a := f.putText("/plain/k", "hello")
	got := a.shown("ETag", "x-amz-version-id", "x-amz-server-side-encryption", "x-amz-checksum-crc64nvme", "x-amz-checksum-type", "Content-Length")
	want := map[string]string{ // S202, S237
		"ETag": `"` + md5Hex("hello") + `"`, "x-amz-server-side-encryption": "AES256", "Content-Length": "0",
		"x-amz-checksum-crc64nvme": sumOf(checksum.CRC64NVME, "hello"), "x-amz-checksum-type": "FULL_OBJECT",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPutRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/there", "x")
	other := base64.StdEncoding.EncodeToString(make([]byte, 16))
	const ssec = "x-amz-server-side-encryption-customer-"
	for _, c := range []struct {
		name    string
		key     string
		header  []string
		status  int
		code    string
		message string
		fields  map[string]string
	}{
		{"MD5 no base64", "k", []string{"Content-Md5", "000"}, 400, "InvalidDigest", "The Content-MD5 you specified was invalid.", map[string]string{"Content-MD5": "000"}},
		{"MD5 wrong", "k", []string{"Content-Md5", other}, 400, "BadDigest", "The Content-MD5 you specified did not match what we received.",
			map[string]string{"ExpectedDigest": strings.Repeat("0", 32), "CalculatedDigest": "XUFAKrxLKna5cZ2REBfFkg=="}},
		{"checksum no base64", "k", []string{"x-amz-checksum-crc32", "!"}, 400, "InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid.", nil},
		{"checksum wrong", "k", []string{"x-amz-checksum-sha1", base64.StdEncoding.EncodeToString(make([]byte, 20))}, 400, "BadDigest", "The SHA1 you specified did not match the calculated checksum.", nil},
		{"two checksums", "k", []string{"x-amz-checksum-crc32", sumOf(checksum.CRC32, "hello"), "x-amz-checksum-crc32c", sumOf(checksum.CRC32C, "hello")}, 400, "InvalidRequest",
			"Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.", nil},
		{"algorithm without checksum", "k", []string{"x-amz-sdk-checksum-algorithm", "CRC32"}, 400, "InvalidRequest",
			"x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.", nil},
		{"algorithm unknown", "k", []string{"x-amz-sdk-checksum-algorithm", "XX"}, 400, "InvalidRequest", "", nil},
		{"storage class", "k", []string{"x-amz-storage-class", "OUTPOSTS"}, 400, "InvalidStorageClass", "The storage class you specified is not valid", map[string]string{"StorageClassRequested": "OUTPOSTS"}},
		{"tags twice", "k", []string{"x-amz-tagging", "key1=val1&key1=val2"}, 400, "InvalidArgument",
			"The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", map[string]string{"ArgumentValue": "key1=val1&key1=val2"}},
		{"tags not pairs", "k", []string{"x-amz-tagging", "key1=val1,key2=val2"}, 400, "InvalidArgument", "", map[string]string{"ArgumentName": "x-amz-tagging"}},
		{"tag prefix", "k", []string{"x-amz-tagging", "aws:x=1"}, 400, "InvalidTag", "Your TagKey cannot be prefixed with aws:", map[string]string{"TagKey": "aws:x"}},
		{"11 tags", "k", []string{"x-amz-tagging", "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k="}, 400, "BadRequest", "Object tags cannot be greater than 10", nil},
		{"metadata", "k", []string{"x-amz-meta-big", strings.Repeat("v", 2046)}, 400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", map[string]string{"MaxSizeAllowed": "2048"}},
		{"key length", strings.Repeat("k", 1025), nil, 400, "KeyTooLongError", "Your key is too long", map[string]string{"Size": "1025", "MaxSizeAllowed": "1024"}},
		{"canned ACL", "k", []string{"x-amz-acl", "fake-acl"}, 400, "InvalidArgument", "", map[string]string{"ArgumentName": "x-amz-acl", "ArgumentValue": "fake-acl"}},
		{"ACL on enforced bucket", "k", []string{"x-amz-acl", "public-read"}, 400, "AccessControlListNotSupported", "The bucket does not allow ACLs", nil},
		{"grant on enforced bucket", "k", []string{"x-amz-grant-read", `id="` + canonicalID(accountB) + `"`}, 400, "AccessControlListNotSupported", "", nil},
		{"lock mode", "k", []string{"x-amz-object-lock-mode", "BAD-VALUE"}, 400, "InvalidArgument", "Unknown wormMode directive.", map[string]string{"ArgumentValue": "BAD-VALUE"}},
		{"lock without date", "k", []string{"x-amz-object-lock-mode", "GOVERNANCE"}, 400, "InvalidArgument", "", map[string]string{"ArgumentName": "x-amz-object-lock-retain-until-date"}},
		{"legal hold", "k", []string{"x-amz-object-lock-legal-hold", "ON"}, 400, "InvalidRequest", "Bucket is missing Object Lock Configuration", nil},
		{"SSE algorithm", "k", []string{"x-amz-server-side-encryption", "aes:kms"}, 400, "InvalidArgument", "The encryption method specified is not supported", map[string]string{"ArgumentName": "x-amz-server-side-encryption"}},
		{"key id with AES256", "k", []string{"x-amz-server-side-encryption", "AES256", "x-amz-server-side-encryption-aws-kms-key-id", "k1"}, 400, "InvalidArgument",
			"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms", nil},
		{"context", "k", []string{"x-amz-server-side-encryption", "aws:kms", "x-amz-server-side-encryption-context", "e30"}, 400, "InvalidArgument",
			"The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map", nil},
		{"SSE-C and SSE", "k", []string{"x-amz-server-side-encryption", "AES256", ssec + "algorithm", "AES256"}, 400, "InvalidArgument",
			"Server Side Encryption with Customer provided key is incompatible with the encryption method specified", map[string]string{"ArgumentValue": "AES256"}},
		{"If-None-Match there", "there", []string{"If-None-Match", "*"}, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", map[string]string{"Condition": "If-None-Match"}},
		{"If-None-Match ETag", "k", []string{"If-None-Match", `"x"`}, 501, "NotImplemented", "A header you provided implies functionality that is not implemented",
			map[string]string{"Header": "If-None-Match", "additionalMessage": "We don't accept the provided value of If-None-Match header for this API"}},
		{"If-Match star", "there", []string{"If-Match", "*"}, 501, "NotImplemented", "", map[string]string{"Header": "If-Match"}},
		{"both", "k", []string{"If-Match", "x", "If-None-Match", "*"}, 501, "NotImplemented", "", map[string]string{"Header": "If-Match,If-None-Match", "additionalMessage": "Multiple conditional request headers present in the request"}},
		{"If-Match wrong", "there", []string{"If-Match", `"x"`}, 412, "PreconditionFailed", "", map[string]string{"Condition": "If-Match"}},
		{"If-Match missing", "k", []string{"If-Match", `"x"`}, 404, "NoSuchKey", "The specified key does not exist.", map[string]string{"Key": "k"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			a := f.do(call{method: "PUT", target: "/bkt/" + c.key, body: "hello", header: headers(c.header...), noMD5: true})
			e := f.wantError(a, c.status, c.code, c.message)
			for name, want := range c.fields {
				if got := e.field(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
	f.t = t
	if a := f.get("/bkt?list-type=2"); strings.Count(a.body, "<Key>") != 1 {
		t.Errorf("a refused PUT left something: %s", a.body)
	}
}

func TestPutNeedsLength(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	r := f.request(call{method: "PUT", target: "/bkt/k", body: "hello", noMD5: true})
	r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader("hello"))
	// A body of unknown length is not signed with content-length.
	unsigned := r.Header.Get("X-Amz-Content-Sha256")
	r.Header.Del("Authorization")
	creds, err := root(accountA).provider().Retrieve(t.Context())
	must(t, err)
	must(t, v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
		SignHTTP(t.Context(), creds, r, unsigned, "s3", "us-east-1", time.Now()))
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	f.wantError(answer{status: resp.StatusCode, body: string(body)}, 411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
}

// chunkedPut sends content in the aws-chunked form with an unsigned trailer.
func (f *fixture) chunkedPut(ctx context.Context, target, content, trailer, value string) answer {
	f.t.Helper()
	var b bytes.Buffer
	for rest := content; rest != ""; {
		n := min(len(rest), 8192)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	fmt.Fprintf(&b, "0\r\n%s:%s\r\n\r\n", trailer, value)
	r, err := http.NewRequestWithContext(ctx, "PUT", f.server.URL+target, &b)
	must(f.t, err)
	const mode = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	for name, v := range map[string]string{"X-Amz-Content-Sha256": mode, "X-Amz-Trailer": trailer, "Content-Encoding": "aws-chunked,br",
		"X-Amz-Decoded-Content-Length": fmt.Sprint(len(content))} {
		r.Header.Set(name, v)
	}
	creds, err := root(accountA).provider().Retrieve(ctx)
	must(f.t, err)
	must(f.t, v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(ctx, creds, r, mode, "s3", "us-east-1", time.Now()))
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(f.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(f.t, err)
	return answer{resp.StatusCode, resp.Status, resp.Header, string(body)}
}

func TestPutChunkedWithTrailer(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	content := strings.Repeat("0123456789", 2000)
	a := f.chunkedPut(t.Context(), "/bkt/k", content, "x-amz-checksum-crc32c", sumOf(checksum.CRC32C, content))
	if a.status != 200 {
		t.Fatalf("PUT: %d %s", a.status, a.body)
	}
	got := f.get("/bkt/k", "x-amz-checksum-mode", "ENABLED")
	if got.body != content {
		t.Errorf("content has %d bytes, want %d without framing", len(got.body), len(content))
	}
	want := map[string]string{"Content-Encoding": "br", "x-amz-checksum-crc32c": sumOf(checksum.CRC32C, content)}
	if diff := cmp.Diff(want, got.shown("Content-Encoding", "x-amz-checksum-crc32c")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	a = f.chunkedPut(t.Context(), "/bkt/bad", content, "x-amz-checksum-crc32", sumOf(checksum.CRC32, "other"))
	f.wantError(a, 400, "BadDigest", "The CRC32 you specified did not match the calculated checksum.")
	f.wantError(f.get("/bkt/bad"), 404, "NoSuchKey", "")
}

// A payload that is not what was signed is never committed, whatever its size.
func TestPutTamperedBody(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	for _, size := range []int{10, 1 << 20} {
		r := f.request(call{method: "PUT", target: "/bkt/k", body: strings.Repeat("a", size), noMD5: true})
		r.Body = io.NopCloser(strings.NewReader(strings.Repeat("b", size)))
		resp, err := http.DefaultTransport.RoundTrip(r)
		must(t, err)
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		resp.Body.Close()
		e := f.wantError(answer{status: resp.StatusCode, body: string(body)}, 400, "XAmzContentSHA256Mismatch", "")
		sum := sha256.Sum256([]byte(strings.Repeat("b", size)))
		if got, want := e.field("S3ComputedContentSHA256"), hex.EncodeToString(sum[:]); got != want {
			t.Errorf("S3ComputedContentSHA256 %s, want %s", got, want)
		}
		f.wantError(f.get("/bkt/k"), 404, "NoSuchKey", "")
	}
}

func TestPutOwner(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	f.openToPolicies(accountA, "bkt")
	f.put(accountA, "/bkt?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+accountB+`"},"Action":"s3:*","Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]}]}`)
	owner := func(key string) string {
		v, err := f.store.Version(t.Context(), "bkt", key, "")
		must(t, err)
		return v.Owner
	}
	write := func(key string, h ...string) {
		if a := f.do(call{method: "PUT", target: "/bkt/" + key, body: "x", as: root(accountB), header: headers(h...)}); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	write("enforced")
	f.put(accountA, "/bkt?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>")
	write("kept")
	write("given", "x-amz-acl", "bucket-owner-full-control")
	f.openToPolicies(accountA, "bkt")
	got := map[string]string{"enforced": owner("enforced"), "kept": owner("kept"), "given": owner("given")}
	if diff := cmp.Diff(map[string]string{"enforced": accountA, "kept": accountB, "given": accountA}, got); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func TestPutNeedsPermissionToTag(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	u := f.user(accountA, "u", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"},
		{"Effect":"Allow","Action":"s3:PutObjectTagging","Resource":"*","Condition":{"StringEquals":{"s3:RequestObjectTag/class":"a"}}}]}`)
	put := func(tags string) int {
		return f.do(call{method: "PUT", target: "/bkt/k", body: "x", as: u, header: headers("x-amz-tagging", tags)}).status
	}
	if got := put("class=a"); got != 200 {
		t.Errorf("allowed tag: %d", got)
	}
	if got := put("class=b"); got != 403 {
		t.Errorf("other tag: %d, want 403", got)
	}
}

func TestPutMetadataOfManyKinds(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/k", "x", "x-amz-meta-text", "grüß", "x-amz-meta-two", "a", "x-amz-meta-two", "b",
		"Expires", "tomorrow", "Content-Language", "de", "Content-Disposition", "inline", "x-amz-website-redirect-location", "/other", "x-amz-storage-class", "STANDARD_IA")
	got := f.get("/bkt/k").shown("x-amz-meta-text", "x-amz-meta-two", "Expires", "Content-Language", "Content-Disposition",
		"x-amz-website-redirect-location", "x-amz-storage-class", "Content-Type", "Accept-Ranges")
	want := map[string]string{
		"x-amz-meta-text": "=?UTF-8?Q?gr=C3=BC=C3=9F?=", "x-amz-meta-two": "a,b", "Expires": "tomorrow", "Content-Language": "de",
		"Content-Disposition": "inline", "x-amz-website-redirect-location": "/other", "x-amz-storage-class": "STANDARD_IA",
		"Content-Type": "binary/octet-stream", "Accept-Ranges": "bytes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A client that waits for "100 Continue" is refused without being asked for its body.
func TestPutExpectContinue(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	for _, c := range []struct {
		class     string
		status    int
		continued bool
	}{{"STANDARD_IA", 200, true}, {"WARM", 400, false}} {
		r := f.request(call{method: "PUT", target: "/bkt/k", body: "hello", header: headers("Expect", "100-continue", "x-amz-storage-class", c.class)})
		continued := false
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got100Continue: func() { continued = true }}))
		transport := &http.Transport{ExpectContinueTimeout: time.Minute}
		resp, err := transport.RoundTrip(r)
		must(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		must(t, err)
		resp.Body.Close()
		transport.CloseIdleConnections()
		if resp.StatusCode != c.status || continued != c.continued {
			t.Errorf("%s: %d, continue %v, want %d, %v", c.class, resp.StatusCode, continued, c.status, c.continued)
		}
	}
}
