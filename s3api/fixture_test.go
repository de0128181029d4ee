package s3api

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
	"twinbucket/store"
	"twinbucket/store/blob"
	"twinbucket/store/kv/boltkv"
)

var update = flag.Bool("update", false, "write golden files")

const (
	accountA = "111111111111"
	accountB = "222222222222"
)

// fixture is an API with everything around it, served over HTTP: S3, and IAM for the
// requests that are signed for it. Its store is checked after the test.
type fixture struct {
	t      testing.TB
	clock  *clock.Manual
	store  *store.Store
	iam    *iamsim.Service
	keys   *fakeKeys
	api    *API
	server *httptest.Server

	mu     sync.Mutex
	events []trail.Event
}

// newFixture starts an empty service; change may alter the settings.
func newFixture(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: clock.NewManual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)), keys: &fakeKeys{}}
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	engine, err := boltkv.OpenMemory()
	must(t, err)
	blobs, err := blob.OpenMemory()
	must(t, err)
	f.store = store.New(store.Config{Engine: engine, Blobs: blobs, Clock: f.clock, Logger: logger})
	must(t, f.store.Open(t.Context()))
	f.iam = iamsim.New(iamsim.Config{Engine: engine, Clock: f.clock, Logger: logger})
	must(t, f.iam.Open(t.Context()))
	cfg := Config{Store: f.store, IAM: f.iam, Keys: f.keys, Clock: f.clock, Logger: logger, Record: f.record}
	for _, c := range change {
		c(&cfg)
	}
	f.api = New(cfg)
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.server.Close()
		ctx := context.Background()
		for _, err := range f.store.Check(ctx) {
			t.Errorf("store check: %v", err)
		}
		must(t, f.iam.Close(ctx))
		must(t, f.store.Close(ctx))
		must(t, blobs.Close())
		must(t, engine.Close())
	})
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) serve(w http.ResponseWriter, r *http.Request) {
	signed, err := sigv4.Parse(r)
	if signed != nil && signed.Scope.Service != "s3" {
		f.iam.Serve(w, r, signed, err)
		return
	}
	f.api.Serve(w, r, signed, err)
}

func (f *fixture) record(e trail.Event, _ time.Duration, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, e)
}

// lastEvent is the newest event called name.
func (f *fixture) lastEvent(name string) trail.Event {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.events) - 1; i >= 0; i-- {
		if f.events[i].EventName == name {
			return f.events[i]
		}
	}
	f.t.Fatalf("no event %s", name)
	return trail.Event{}
}

// identity signs requests.
type identity struct{ key, secret string }

func root(account string) identity { return identity{account, "test"} }

// user makes an IAM user with an inline policy and returns its access key.
func (f *fixture) user(account, name, document string) identity {
	f.t.Helper()
	ctx := f.t.Context()
	c := f.iamClient(account)
	_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
	must(f.t, err)
	if document != "" {
		_, err = c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: &document})
		must(f.t, err)
	}
	key, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	must(f.t, err)
	return identity{*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey}
}

func (f *fixture) deleteUser(account, name string, key identity) {
	f.t.Helper()
	ctx := f.t.Context()
	c := f.iamClient(account)
	_, err := c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &key.key})
	must(f.t, err)
	_, err = c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
	must(f.t, err)
}

func (id identity) provider() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(id.key, id.secret, "")
}

// client is an SDK client of id in region, path style, without retries.
func (f *fixture) client(id identity, region string) *s3.Client {
	return s3.New(s3.Options{
		Region: region, BaseEndpoint: aws.String(f.server.URL), UsePathStyle: true,
		Credentials: id.provider(), RetryMaxAttempts: 1,
	})
}

// call is a raw request.
type call struct {
	method, target string // target is path and query, escaped as it goes over the wire
	host           string
	header         http.Header
	body           string
	region         string // default us-east-1
	as             identity
	unsigned       bool
	noMD5          bool // PUT and POST with a body carry Content-MD5 otherwise
}

// answer is what came back.
type answer struct {
	status int
	phrase string
	header http.Header
	body   string
}

// do sends c, signed unless it says otherwise.
func (f *fixture) do(c call) answer {
	f.t.Helper()
	r := f.request(c)
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(f.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(f.t, err)
	return answer{resp.StatusCode, resp.Status, resp.Header, string(body)}
}

func (f *fixture) request(c call) *http.Request {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), c.method, f.server.URL+c.target, strings.NewReader(c.body))
	must(f.t, err)
	if c.host != "" {
		r.Host = c.host
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	if c.body != "" && !c.noMD5 {
		sum := md5.Sum([]byte(c.body))
		r.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	if c.unsigned {
		return r
	}
	if c.as == (identity{}) {
		c.as = root(accountA)
	}
	if c.region == "" {
		c.region = "us-east-1"
	}
	hash := sha256.Sum256([]byte(c.body))
	payload := hex.EncodeToString(hash[:])
	r.Header.Set("X-Amz-Content-Sha256", payload)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	creds, err := c.as.provider().Retrieve(f.t.Context())
	must(f.t, err)
	must(f.t, signer.SignHTTP(f.t.Context(), creds, r, payload, "s3", c.region, time.Now()))
	return r
}

// bucket makes a bucket of account in region, versioned if asked.
func (f *fixture) bucket(account, name, region string, versioned bool) {
	f.t.Helper()
	c := call{method: "PUT", target: "/" + name, as: root(account), region: region}
	if region != "us-east-1" {
		c.body = "<CreateBucketConfiguration><LocationConstraint>" + region + "</LocationConstraint></CreateBucketConfiguration>"
	}
	if a := f.do(c); a.status != 200 {
		f.t.Fatalf("create bucket %s: %d %s", name, a.status, a.body)
	}
	if versioned {
		f.put(account, "/"+name+"?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	}
}

// put makes a configuration call that must succeed.
func (f *fixture) put(account, target, body string) {
	f.t.Helper()
	if a := f.do(call{method: "PUT", target: target, body: body, as: root(account)}); a.status/100 != 2 {
		f.t.Fatalf("PUT %s: %d %s", target, a.status, a.body)
	}
}

// openToPolicies lets bucket take public policies and share with the world.
func (f *fixture) openToPolicies(account, bucket string) {
	f.t.Helper()
	if a := f.do(call{method: "DELETE", target: "/" + bucket + "?publicAccessBlock", as: root(account)}); a.status != 204 {
		f.t.Fatalf("DeletePublicAccessBlock: %d %s", a.status, a.body)
	}
}

// errorBody is an error document.
type errorBody struct {
	XMLName   xml.Name
	Code      string
	Message   string
	RequestId string
	HostId    string
	Fields    []struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	} `xml:",any"`
}

func (a answer) error(t testing.TB) errorBody {
	t.Helper()
	var e errorBody
	if err := xml.Unmarshal([]byte(a.body), &e); err != nil {
		t.Fatalf("status %d, error body %q: %v", a.status, a.body, err)
	}
	return e
}

func (e errorBody) field(name string) string {
	for _, f := range e.Fields {
		if f.XMLName.Local == name {
			return f.Value
		}
	}
	return ""
}

// wantError checks status, code and message; message "" means any.
func (f *fixture) wantError(a answer, status int, code, message string) errorBody {
	f.t.Helper()
	e := a.error(f.t)
	if a.status != status || e.Code != code || message != "" && e.Message != message {
		f.t.Errorf("got %d %s %q\nwant %d %s %q", a.status, e.Code, e.Message, status, code, message)
	}
	return e
}

// golden compares got with testdata/name.
func golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// fakeKeys is a key service without policies: data keys are wrapped by hiding them in
// a ciphertext that names the key. fail, if set, is the answer to everything.
type fakeKeys struct {
	mu    sync.Mutex
	fail  error
	calls []string
	last  byte
}

func (k *fakeKeys) begin(op string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, op)
	return k.fail
}

func (k *fakeKeys) failWith(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = err
}

func (k *fakeKeys) GenerateDataKey(_ context.Context, c iamsim.Caller, region, id string, encCtx map[string]string) (DataKey, error) {
	if err := k.begin("GenerateDataKey"); err != nil {
		return DataKey{}, err
	}
	k.mu.Lock()
	k.last++
	plain := bytes.Repeat([]byte{k.last}, 32)
	k.mu.Unlock()
	arn := fakeKeyARN(c, region, id)
	return DataKey{Plaintext: plain, Ciphertext: fakeWrap(arn, encCtx, plain), KeyARN: arn}, nil
}

func (k *fakeKeys) Encrypt(_ context.Context, c iamsim.Caller, region, id string, plain []byte, encCtx map[string]string) ([]byte, string, error) {
	if err := k.begin("Encrypt"); err != nil {
		return nil, "", err
	}
	arn := fakeKeyARN(c, region, id)
	return fakeWrap(arn, encCtx, plain), arn, nil
}

func (k *fakeKeys) Decrypt(_ context.Context, _ iamsim.Caller, _ string, ciphertext []byte, encCtx map[string]string) ([]byte, string, error) {
	if err := k.begin("Decrypt"); err != nil {
		return nil, "", err
	}
	arn, rest, _ := bytes.Cut(ciphertext, []byte("|"))
	plain := rest[len(rest)-32:]
	if !bytes.Equal(ciphertext, fakeWrap(string(arn), encCtx, plain)) {
		return nil, "", failure.New("InvalidCiphertextException", "")
	}
	return plain, string(arn), nil
}

func fakeKeyARN(c iamsim.Caller, region, id string) string {
	if strings.HasPrefix(id, "arn:") && strings.Contains(id, ":key/") {
		return id
	}
	return "arn:aws:kms:" + region + ":" + c.Account() + ":key/" + strings.TrimPrefix(id[strings.LastIndexByte(id, ':')+1:], "key/")
}

func fakeWrap(arn string, encCtx map[string]string, plain []byte) []byte {
	return fmt.Appendf(nil, "%s|%v|%s", arn, encCtx, plain)
}

func (f *fixture) iamClient(account string) *iam.Client {
	return iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: aws.String(f.server.URL), Credentials: root(account).provider()})
}

func deleteUserPolicy(user string) *iam.DeleteUserPolicyInput {
	return &iam.DeleteUserPolicyInput{UserName: &user, PolicyName: aws.String("p")}
}
