package s3api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// keyCall is one call that S3 made to KMS.
type keyCall struct {
	Op, Caller, Via, Region, Key string
	Context                      map[string]string
}

// watchedKeys keeps what S3 asked of KMS, and fails operations on request.
type watchedKeys struct {
	fakeKeys
	mu    sync.Mutex
	calls []keyCall
	fails map[string]error // by operation
}

func (k *watchedKeys) note(op string, c iamsim.Caller, region, key string, encCtx map[string]string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, keyCall{op, c.Principal.ARN, strings.Join(c.Via, ","), region, key, maps.Clone(encCtx)})
	return k.fails[op]
}

// taken returns the calls since the last time.
func (k *watchedKeys) taken() []keyCall {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := k.calls
	k.calls = nil
	return out
}

func (k *watchedKeys) fail(op string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fails = map[string]error{op: err}
}

func (k *watchedKeys) GenerateDataKey(ctx context.Context, c iamsim.Caller, region, id string, encCtx map[string]string) (DataKey, error) {
	if err := k.note("GenerateDataKey", c, region, id, encCtx); err != nil {
		return DataKey{}, err
	}
	return k.fakeKeys.GenerateDataKey(ctx, c, region, id, encCtx)
}

func (k *watchedKeys) Decrypt(ctx context.Context, c iamsim.Caller, region string, ciphertext []byte, encCtx map[string]string) ([]byte, string, error) {
	if err := k.note("Decrypt", c, region, "", encCtx); err != nil {
		return nil, "", err
	}
	return k.fakeKeys.Decrypt(ctx, c, region, ciphertext, encCtx)
}

func (k *watchedKeys) Encrypt(ctx context.Context, c iamsim.Caller, region, id string, plain []byte, encCtx map[string]string) ([]byte, string, error) {
	if err := k.note("Encrypt", c, region, id, encCtx); err != nil {
		return nil, "", err
	}
	return k.fakeKeys.Encrypt(ctx, c, region, id, plain, encCtx)
}

func newKMSFixture(t testing.TB) (*fixture, *watchedKeys) {
	keys := &watchedKeys{}
	return newFixture(t, func(c *Config) { c.Keys = keys }), keys
}

const (
	rootA  = "arn:aws:iam::" + accountA + ":root"
	viaUSE = "s3.us-east-1.amazonaws.com"
)

func TestChooseEncryption(t *testing.T) {
	const sse, id, bk = "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-bucket-key-enabled"
	s3Default := store.DefaultEncryption{Algorithm: "AES256"}
	kmsDefault := store.DefaultEncryption{Algorithm: "aws:kms", KeyID: "cmk", BucketKey: true}
	for _, c := range []struct {
		name   string
		def    store.DefaultEncryption
		header []string
		want   string // algorithm key bucketKey
	}{
		{"factory default", s3Default, nil, "AES256  false"},
		{"bucket default with key", kmsDefault, nil, "aws:kms cmk true"},
		{"header wins", kmsDefault, []string{sse, "AES256"}, "AES256  false"},
		{"kms without key is aws/s3", kmsDefault, []string{sse, "aws:kms"}, "aws:kms alias/aws/s3 true"},
		{"kms with key", s3Default, []string{sse, "aws:kms", id, "k"}, "aws:kms k false"},
		{"bucket key asked for", s3Default, []string{sse, "aws:kms", id, "k", bk, "true"}, "aws:kms k true"},
		{"bucket key refused", kmsDefault, []string{bk, "false"}, "aws:kms cmk false"},
		{"dsse has no bucket key", kmsDefault, []string{sse, "aws:kms:dsse", id, "k", bk, "true"}, "aws:kms:dsse k false"},
		{"default without key", store.DefaultEncryption{Algorithm: "aws:kms"}, nil, "aws:kms alias/aws/s3 false"},
		{"bucket key means nothing to AES256", s3Default, []string{bk, "true"}, "AES256  false"},
	} {
		got, err := chooseEncryption(headers(c.header...), &store.Bucket{Name: "bkt", Encryption: c.def}, "k")
		if s := fmt.Sprint(got.algorithm, " ", got.keyID, " ", got.bucketKey); err != nil || s != c.want {
			t.Errorf("%s: %q %v, want %q", c.name, s, err, c.want)
		}
	}
}

func TestKMSObject(t *testing.T) {
	f, keys := newKMSFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	const context = "eyJ0ZWFtIjoidGF4In0=" // {"team":"tax"}
	put := f.putText("/bkt/dir/k", "hello", sseHeader, "aws:kms", sseKeyIDHeader, "cmk", sseContextHeader, context)
	keyARN := "arn:aws:kms:us-east-1:" + accountA + ":key/cmk"
	shown := []string{"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-context", "x-amz-server-side-encryption-bucket-key-enabled"}
	want := map[string]string{shown[0]: "aws:kms", shown[1]: keyARN, shown[2]: context}
	if diff := cmp.Diff(want, put.shown(shown...)); diff != "" {
		t.Errorf("PUT (-want +got):\n%s", diff)
	}
	encCtx := map[string]string{"team": "tax", "aws:s3:arn": "arn:aws:s3:::bkt/dir/k"}
	if diff := cmp.Diff([]keyCall{{"GenerateDataKey", rootA, viaUSE, "us-east-1", "cmk", encCtx}}, keys.taken()); diff != "" {
		t.Errorf("PUT's calls (-want +got):\n%s", diff)
	}
	if etag := put.header.Get("ETag"); etag == `"`+md5Hex("hello")+`"` || len(etag) != 34 {
		t.Errorf("ETag %s: 32 digits that are not the MD5 wanted", etag)
	}

	got := f.get("/bkt/dir/k", "Range", "bytes=1-2")
	delete(want, shown[2]) // only writes tell the context
	if diff := cmp.Diff(want, got.shown(shown...)); diff != "" || got.body != "el" {
		t.Errorf("GET %q (-want +got):\n%s", got.body, diff)
	}
	if diff := cmp.Diff([]keyCall{{"Decrypt", rootA, viaUSE, "us-east-1", "", encCtx}}, keys.taken()); diff != "" {
		t.Errorf("GET's calls (-want +got):\n%s", diff)
	}
	f.head("/bkt/dir/k")
	if calls := keys.taken(); len(calls) != 0 { // S240
		t.Errorf("HEAD called KMS: %v", calls)
	}
	f.head("/bkt/dir/k", "x-amz-checksum-mode", "ENABLED")
	if calls := keys.taken(); len(calls) != 1 || calls[0].Op != "Decrypt" {
		t.Errorf("HEAD with checksums: %v", calls)
	}
	again := f.putText("/bkt/dir/k", "hello", sseHeader, "aws:kms", sseKeyIDHeader, "cmk")
	if again.header.Get("ETag") == put.header.Get("ETag") {
		t.Error("the same bytes under another data key have the same ETag")
	}
}

func TestKMSFailures(t *testing.T) {
	f, keys := newKMSFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.putText("/bkt/k", "hello", sseHeader, "aws:kms", sseKeyIDHeader, "cmk")
	for _, c := range []struct {
		kms           *failure.Error
		status        int
		code, message string
	}{
		{failure.New("NotFoundException", "Invalid keyId 'fake'"), 400, "KMS.NotFoundException", "Invalid keyId 'fake'"},
		{failure.New("DisabledException", "arn:x is disabled."), 400, "KMS.DisabledException", "arn:x is disabled."},
		{failure.New("KMSInvalidStateException", "arn:x is pending deletion."), 400, "KMS.KMSInvalidStateException", "arn:x is pending deletion."},
		{failure.New("AccessDeniedException", "User: u is not authorized"), 403, "AccessDenied", "User: u is not authorized"},
		{failure.New("ThrottlingException", "You have exceeded the rate"), 503, "SlowDown", "Please reduce your request rate for operations involving AWS KMS."},
	} {
		keys.fail("GenerateDataKey", c.kms)
		a := f.do(call{method: "PUT", target: "/bkt/new", body: "x", header: headers(sseHeader, "aws:kms", sseKeyIDHeader, "cmk")})
		f.wantError(a, c.status, c.code, c.message)
		keys.fail("Decrypt", c.kms)
		f.wantError(f.get("/bkt/k"), c.status, c.code, c.message)
	}
	f.wantError(f.get("/bkt/new"), 404, "NoSuchKey", "")
}

func TestKMSNeedsSignature(t *testing.T) {
	f, _ := newKMSFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.openToPolicies(accountA, "bkt")
	f.put(accountA, "/bkt?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*Object","Resource":"arn:aws:s3:::bkt/*"}]}`)
	f.putText("/bkt/k", "hello", sseHeader, "aws:kms", sseKeyIDHeader, "cmk")
	f.putText("/bkt/open", "hello")
	e := f.wantError(f.do(call{method: "GET", target: "/bkt/k", unsigned: true}), 400, "InvalidArgument",
		"Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.")
	if e.field("ArgumentName") != "authorization" {
		t.Errorf("ArgumentName %q", e.field("ArgumentName"))
	}
	if a := f.do(call{method: "GET", target: "/bkt/open", unsigned: true}); a.body != "hello" {
		t.Errorf("public object: %d %s", a.status, a.body)
	}
	f.wantError(f.do(call{method: "GET", target: "/bkt/open?response-content-type=x", unsigned: true}), 400, "InvalidRequest", "")
	if a := f.do(call{method: "PUT", target: "/bkt/anon", unsigned: true, body: "x"}); a.status != 200 {
		t.Errorf("anonymous PUT: %d %s", a.status, a.body)
	}
}

// One bucket-level key serves a requester for a limited time; another requester and the time
// after need KMS again (S218).
func TestBucketKey(t *testing.T) {
	f, keys := newKMSFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	f.put(accountA, "/bkt?encryption", `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>cmk</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`)
	other := f.user(accountA, "other", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`)
	ops := func() (out []string) {
		for _, c := range keys.taken() {
			if want := "arn:aws:s3:::bkt"; c.Context["aws:s3:arn"] != want {
				t.Errorf("%s with context %v, want %s", c.Op, c.Context, want)
			}
			out = append(out, c.Op)
		}
		return out
	}
	want := func(step string, want ...string) {
		t.Helper()
		if got := ops(); !slices.Equal(got, want) {
			t.Errorf("%s: KMS calls %v, want %v", step, got, want)
		}
	}
	for i := range 3 {
		a := f.putText(fmt.Sprintf("/bkt/k%d", i), strings.Repeat("x", i))
		if a.header.Get(sseBucketKeyHeader) != "true" {
			t.Error("PUT does not show the bucket key")
		}
	}
	want("three PUTs", "GenerateDataKey")
	for i := range 3 {
		if a := f.get(fmt.Sprintf("/bkt/k%d", i)); a.body != strings.Repeat("x", i) {
			t.Errorf("GET %d: %q", i, a.body)
		}
	}
	want("three GETs", "Decrypt") // the key made for writing does not serve reading
	f.do(call{method: "GET", target: "/bkt/k1", as: other})
	want("another requester", "Decrypt")
	f.clock.Advance(defaultBucketKeyTTL - time.Second)
	f.get("/bkt/k1")
	want("before the end of its life")
	f.clock.Advance(time.Second)
	f.get("/bkt/k1")
	f.putText("/bkt/k1", "y")
	want("after it", "Decrypt", "GenerateDataKey")
	f.get("/bkt/k1")
	want("an object under the new key", "Decrypt")
}

func TestBucketKeysAreBounded(t *testing.T) {
	f, keys := newKMSFixture(t)
	b := &store.Bucket{Name: "bkt", Region: "us-east-1"}
	k := newBucketKeys(f.clock, time.Minute)
	for i := range maxBucketKeys + 10 {
		_, err := k.forWriting(t.Context(), keys, iamsim.Caller{AccessKeyID: fmt.Sprint(i)}, b, "cmk", nil)
		must(t, err)
	}
	if len(k.held) > maxBucketKeys {
		t.Errorf("%d keys held", len(k.held))
	}
}

func FuzzSplitWrapped(f *testing.F) {
	f.Add(joinWrapped(underBucketKey, []byte("ciphertext"), []byte("rest")))
	f.Add(joinWrapped(underKMSKey, []byte("ciphertext"), nil))
	f.Fuzz(func(t *testing.T, w []byte) {
		form, ciphertext, rest, err := splitWrapped(w)
		if err == nil && string(joinWrapped(form, ciphertext, rest)) != string(w) {
			t.Errorf("%x came back as %x", w, joinWrapped(form, ciphertext, rest))
		}
	})
}
