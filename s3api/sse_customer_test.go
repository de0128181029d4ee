package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// ssec are the three headers of a customer's key made of b, after prefix; change may replace
// or, with "", drop some.
func ssec(prefix string, b byte, change ...string) []string {
	key := bytes.Repeat([]byte{b}, 32)
	sum := md5.Sum(key)
	h := map[string]string{"Algorithm": "AES256", "Key": base64.StdEncoding.EncodeToString(key), "Key-Md5": base64.StdEncoding.EncodeToString(sum[:])}
	for i := 0; i < len(change); i += 2 {
		h[change[i]] = change[i+1]
	}
	var out []string
	for _, name := range []string{"Algorithm", "Key", "Key-Md5"} {
		if h[name] != "" {
			out = append(out, prefix+name, h[name])
		}
	}
	return out
}

const (
	wrongCustomerKey = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."
	storedEncrypted  = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
)

func TestCustomerKeyRefusals(t *testing.T) { // S300, S301
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	if a := f.putText("/bkt/k", "secret", ssec(customerPrefix, 1)...); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	f.putText("/bkt/plain", "open")
	const algorithm = "The Encryption request you specified is not valid. Supported value: AES256."
	tests := []struct {
		name, method, target string
		header               []string
		status               int
		code, message, value string // value: ArgumentValue
	}{
		{"both encryptions", "PUT", "/bkt/x", append(ssec(customerPrefix, 1), sseHeader, "AES256"), 400, "InvalidArgument",
			"Server Side Encryption with Customer provided key is incompatible with the encryption method specified", "AES256"},
		{"algorithm", "PUT", "/bkt/x", ssec(customerPrefix, 1, "Algorithm", "KMS"), 400, "InvalidEncryptionAlgorithmError", algorithm, "KMS"},
		{"no algorithm", "PUT", "/bkt/x", ssec(customerPrefix, 1, "Algorithm", ""), 400, "InvalidArgument",
			"Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.", ""},
		{"no key", "PUT", "/bkt/x", ssec(customerPrefix, 1, "Key", ""), 400, "InvalidArgument",
			"Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.", ""},
		{"no digest", "PUT", "/bkt/x", ssec(customerPrefix, 1, "Key-Md5", ""), 400, "InvalidArgument", "The secret key was invalid for the specified algorithm.", ""},
		{"short key", "PUT", "/bkt/x", ssec(customerPrefix, 1, "Key", "AAAA"), 400, "InvalidArgument", "The secret key was invalid for the specified algorithm.", ""},
		{"no base64", "PUT", "/bkt/x", ssec(customerPrefix, 1, "Key", "?"), 400, "InvalidArgument", "The secret key was invalid for the specified algorithm.", ""},
		{"digest", "PUT", "/bkt/x", ssec(customerPrefix, 1, "Key-Md5", "AAAA"), 400, "InvalidArgument",
			"The calculated MD5 hash of the key did not match the hash that was provided.", ""},
		{"read without", "GET", "/bkt/k", nil, 400, "InvalidRequest", storedEncrypted, ""},
		{"read with another", "GET", "/bkt/k", ssec(customerPrefix, 2), 403, "AccessDenied", wrongCustomerKey, ""},
		{"read without digest", "GET", "/bkt/k", ssec(customerPrefix, 1, "Key-Md5", ""), 403, "AccessDenied", wrongCustomerKey, ""},
		{"read algorithm", "GET", "/bkt/k", ssec(customerPrefix, 1, "Algorithm", "KMS"), 400, "InvalidEncryptionAlgorithmError", algorithm, "KMS"},
		{"attributes", "GET", "/bkt/k?attributes", append(ssec(customerPrefix, 1, "Algorithm", "KMS"), "X-Amz-Object-Attributes", "ETag"), 400, "InvalidEncryptionAlgorithmError", algorithm, "KMS"},
		{"attributes without", "GET", "/bkt/k?attributes", []string{"X-Amz-Object-Attributes", "ETag"}, 400, "InvalidRequest", storedEncrypted, ""},
		{"key for an object without", "GET", "/bkt/plain", ssec(customerPrefix, 1), 400, "InvalidRequest", "The encryption parameters are not applicable to this object.", ""},
		{"copy without", "PUT", "/bkt/x", []string{"X-Amz-Copy-Source", "bkt/k"}, 400, "InvalidRequest", storedEncrypted, ""},
		{"copy algorithm", "PUT", "/bkt/x", append(ssec(sourceCustomerPrefix, 1, "Algorithm", "KMS"), "X-Amz-Copy-Source", "bkt/k"), 400, "InvalidEncryptionAlgorithmError", algorithm, "KMS"},
		{"copy to both", "PUT", "/bkt/x", append(append(ssec(sourceCustomerPrefix, 1), ssec(customerPrefix, 1)...), "X-Amz-Copy-Source", "bkt/k", sseHeader, "AES256"), 400, "InvalidArgument",
			"Server Side Encryption with Customer provided key is incompatible with the encryption method specified", "AES256"},
		{"upload", "POST", "/bkt/x?uploads", ssec(customerPrefix, 1, "Key", ""), 400, "InvalidArgument",
			"Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := f.wantError(f.do(call{method: tt.method, target: tt.target, header: headers(tt.header...)}), tt.status, tt.code, tt.message)
			name := ""
			if strings.HasPrefix(tt.code, "Invalid") && tt.code != "InvalidRequest" {
				name = "x-amz-server-side-encryption"
			}
			if e.field("ArgumentName") != name || e.field("ArgumentValue") != tt.value {
				t.Errorf("argument %q %q, want %q %q", e.field("ArgumentName"), e.field("ArgumentValue"), name, tt.value)
			}
		})
	}
	for name, tt := range map[string]struct {
		header []string
		status int
	}{"without": {nil, 400}, "algorithm": {ssec(customerPrefix, 1, "Algorithm", "KMS"), 400}, "no digest": {ssec(customerPrefix, 1, "Key-Md5", ""), 403}} {
		if a := f.head("/bkt/k", tt.header...); a.status != tt.status || a.body != "" {
			t.Errorf("HEAD %s: %d %q, want %d", name, a.status, a.body, tt.status)
		}
	}
}

// What is put, copied or uploaded in parts under a customer's key is read back with it, and
// the answers name the key by its digest and no other encryption.
func TestCustomerKeyRoundTrips(t *testing.T) { // S302
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	shown := []string{customerPrefix + "Algorithm", customerPrefix + "Key-Md5", sseHeader}
	want := map[string]string{shown[0]: "AES256", shown[1]: ssec(customerPrefix, 1)[5]}
	check := func(what string, a answer) {
		t.Helper()
		if a.status/100 != 2 {
			t.Fatalf("%s: %d %s", what, a.status, a.body)
		}
		if diff := cmp.Diff(want, a.shown(shown...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	content := strings.Repeat("0123456789", 30_000)
	put := f.putText("/bkt/k", content, ssec(customerPrefix, 1)...)
	check("put", put)
	if got := put.header.Get("Etag"); got == `"`+md5Hex(content)+`"` || len(got) != 34 {
		t.Errorf("ETag %s", got)
	}
	read := func(target, want string) {
		t.Helper()
		a := f.get(target, ssec(customerPrefix, 1)...)
		check("get "+target, a)
		if a.body != want {
			t.Errorf("%s: %d bytes of %d", target, len(a.body), len(want))
		}
		check("head "+target, f.head(target, ssec(customerPrefix, 1)...))
	}
	read("/bkt/k", content)
	if a := f.get("/bkt/k", append(ssec(customerPrefix, 1), "Range", "bytes=5-9")...); a.status != 206 || a.body != "56789" {
		t.Errorf("range: %d %q", a.status, a.body)
	}

	// From one key to another, and from and to none.
	copied := f.copyTo("/bkt/again", "bkt/k", append(ssec(sourceCustomerPrefix, 1), ssec(customerPrefix, 1)...)...)
	check("copy", copied)
	read("/bkt/again", content)
	if a := f.copyTo("/bkt/open", "bkt/k", ssec(sourceCustomerPrefix, 1)...); a.status != 200 || a.header.Get(sseHeader) != "AES256" {
		t.Errorf("copy to SSE-S3: %d %v", a.status, a.header)
	}
	check("copy in place", f.copyTo("/bkt/open", "bkt/open", ssec(customerPrefix, 1)...))
	read("/bkt/open", content)

	// In parts, each of which needs the key of the beginning.
	part := strings.Repeat("p", minPart)
	created := f.do(call{method: "POST", target: "/bkt/parts?uploads", header: headers(ssec(customerPrefix, 1)...)})
	check("create", created)
	id := between(created.body, "<UploadId>", "</UploadId>")
	target := "/bkt/parts?uploadId=" + id + "&partNumber="
	const other = "The provided encryption parameters did not match the ones used originally."
	const missing = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters."
	f.wantError(f.do(call{method: "PUT", target: target + "1", body: "x", header: headers(ssec(customerPrefix, 2)...)}), 400, "InvalidRequest", other)
	f.wantError(f.do(call{method: "PUT", target: target + "1", body: "x"}), 400, "InvalidRequest", missing)
	one := f.do(call{method: "PUT", target: target + "1", body: part, header: headers(ssec(customerPrefix, 1)...)})
	check("part", one)
	two := f.do(call{method: "PUT", target: target + "2", header: headers(append(append(ssec(sourceCustomerPrefix, 1), ssec(customerPrefix, 1)...), "X-Amz-Copy-Source", "bkt/k")...)})
	check("part copy", two)
	done := f.complete("/bkt/parts", id, "<Part><PartNumber>1</PartNumber><ETag>"+one.header.Get("Etag")+"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>"+
		strings.ReplaceAll(between(two.body, "<ETag>", "</ETag>"), "&quot;", "")+"</ETag></Part>")
	if done.status != 200 {
		t.Fatalf("complete: %d %s", done.status, done.body)
	}
	read("/bkt/parts", part+content)
	plain := f.upload("/bkt/plain")
	f.wantError(f.do(call{method: "PUT", target: "/bkt/plain?partNumber=1&uploadId=" + plain, body: "x", header: headers(ssec(customerPrefix, 1)...)}), 400, "InvalidRequest", missing)
}

func between(s, begin, end string) string {
	_, s, _ = strings.Cut(s, begin)
	s, _, _ = strings.Cut(s, end)
	return s
}

// The key itself is stored nowhere, and without it nothing can be read: not even by the store.
func TestCustomerKeyIsNotStored(t *testing.T) { // S303
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/k", "secret", ssec(customerPrefix, 1)...)
	v, err := f.store.Version(t.Context(), "bkt", "k", "")
	must(t, err)
	if !v.Encryption.Customer() || bytes.Contains(v.Encryption.WrappedKey, bytes.Repeat([]byte{1}, 8)) {
		t.Errorf("%+v", v.Encryption)
	}
	if _, err := f.store.UnwrapDataKey(v.Encryption.WrappedKey); failure.CodeOf(err) != "InternalError" {
		t.Errorf("the master key opens it: %v", err)
	}
	other := &customerKey{key: [32]byte{9}}
	if _, ok, err := other.unwrap(v.Encryption.WrappedKey); ok || err != nil {
		t.Errorf("another key: %v, %v", ok, err)
	}
	for _, damaged := range [][]byte{nil, {customerFormat}, make([]byte, 60)} {
		if _, ok, err := other.unwrap(damaged); ok || failure.CodeOf(err) != "InternalError" {
			t.Errorf("%x: %v, %v", damaged, ok, err)
		}
	}
}

func TestCustomerKeyBlocked(t *testing.T) { // S304
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	_, err := f.store.UpdateBucket(t.Context(), "bkt", func(b *store.Bucket) error { b.Encryption.Blocked = []string{store.SSEC}; return nil })
	must(t, err)
	f.wantError(f.do(call{method: "PUT", target: "/bkt/k", body: "x", header: headers(ssec(customerPrefix, 1)...)}), 403, "AccessDenied", "")
	f.wantError(f.do(call{method: "POST", target: "/bkt/k?uploads", header: headers(ssec(customerPrefix, 1)...)}), 403, "AccessDenied", "")
	if a := f.putText("/bkt/k", "x"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestCustomerKeyThroughTheSDK(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	c := f.sdk(root(accountA), "us-east-1")
	key := strings.Repeat("k", 32)
	encoded := base64.StdEncoding.EncodeToString([]byte(key))
	sum := md5.Sum([]byte(key))
	digest := base64.StdEncoding.EncodeToString(sum[:])
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("sdk"),
		SSECustomerAlgorithm: aws.String("AES256"), SSECustomerKey: &encoded, SSECustomerKeyMD5: &digest})
	must(t, err)
	got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), SSECustomerAlgorithm: aws.String("AES256"), SSECustomerKey: &encoded, SSECustomerKeyMD5: &digest})
	must(t, err)
	body, err := io.ReadAll(got.Body)
	must(t, err)
	if string(body) != "sdk" || got.ServerSideEncryption != types.ServerSideEncryption("") {
		t.Errorf("%q, %s", body, got.ServerSideEncryption)
	}
}

// SSE-C replicates by itself, needs no permission beyond the usual and keeps its ETag; the
// replica opens with the same key (S303).
func TestCustomerKeyReplicates(t *testing.T) {
	for name, content := range map[string]string{"small": "small", "large": strings.Repeat("large", 60_000), "empty": ""} {
		t.Run(name, func(t *testing.T) {
			x := newCrossing(t)
			put := x.putText("/src/k", content, append(ssec(customerPrefix, 1), "X-Amz-Tagging", "a=b")...)
			id := put.header.Get("X-Amz-Version-Id")
			task := x.task("k", id)
			must(t, x.replicate(task))
			must(t, x.replicate(task)) // again: nothing changes
			as := root(accountB)
			got := x.do(call{method: "GET", target: "/dst/k", as: as, region: "eu-west-1", header: headers(ssec(customerPrefix, 1)...)})
			if got.status != 200 || got.body != content || got.header.Get("Etag") != put.header.Get("Etag") || got.header.Get("X-Amz-Version-Id") != id {
				t.Errorf("%d %d bytes, %v", got.status, len(got.body), got.header)
			}
			x.wantError(x.do(call{method: "GET", target: "/dst/k", as: as, region: "eu-west-1"}), 400, "InvalidRequest", storedEncrypted)
			x.wantError(x.do(call{method: "GET", target: "/dst/k", as: as, region: "eu-west-1", header: headers(ssec(customerPrefix, 2)...)}), 403, "AccessDenied", wrongCustomerKey)
			// Each has bytes of its own.
			if a := x.do(call{method: "DELETE", target: "/src/k?versionId=" + id}); a.status != 204 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if a := x.do(call{method: "GET", target: "/dst/k", as: as, region: "eu-west-1", header: headers(ssec(customerPrefix, 1)...)}); a.body != content {
				t.Errorf("after the source is gone: %d", a.status)
			}
		})
	}
}
