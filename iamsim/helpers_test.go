package iamsim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/clock"
	"twinbucket/internal/trail"
	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
)

const (
	accountA = "111111111111"
	accountB = "222222222222"
)

// fixture is a service behind a real listener, on domain time that stands still.
type fixture struct {
	*Service
	t      testing.TB
	engine kv.Engine
	clock  *clock.Manual
	url    string
	logs   *bytes.Buffer

	mu     sync.Mutex
	events []trail.Event
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	engine, err := boltkv.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return serveOn(t, engine)
}

func serveOn(t testing.TB, engine kv.Engine) *fixture {
	t.Helper()
	f := &fixture{t: t, engine: engine, clock: clock.NewManual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)), logs: &bytes.Buffer{}}
	f.Service = New(Config{
		Engine: engine, Clock: f.clock,
		Logger: slog.New(slog.NewTextHandler(f.logs, nil)),
		Record: func(e trail.Event, _ time.Duration, _ error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.events = append(f.events, e)
		},
	})
	if err := f.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed, err := sigv4.Parse(r)
		f.Serve(w, r, signed, err)
	}))
	t.Cleanup(func() {
		srv.Close()
		if err := f.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f.url = srv.URL
	return f
}

// lastEvent is the newest trail event.
func (f *fixture) lastEvent() trail.Event {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.events) == 0 {
		f.t.Fatal("no event was recorded")
	}
	return f.events[len(f.events)-1]
}

// creds are credentials of a client.
type creds = aws.Credentials

func rootOf(account string) creds { return creds{AccessKeyID: account, SecretAccessKey: "test"} }

func (f *fixture) sdk(c creds) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(f.url), RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: ownBody{}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (creds, error) { return c, nil }),
	}
}

// ownBody sends a copy of the request's body. The SDK closes the body once the answer
// begins; when the transport is still looking for its end, it takes that for a failed
// write and drops the connection with the rest of a long answer. Clients retry that, but
// the clients here don't retry.
type ownBody struct{}

func (ownBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(r)
}

func (f *fixture) iam(c creds) *iam.Client { return iam.NewFromConfig(f.sdk(c)) }
func (f *fixture) sts(c creds) *sts.Client { return sts.NewFromConfig(f.sdk(c)) }

// answer is a raw response; Code and Message are those of an error.
type answer struct {
	Status  int
	Code    string
	Message string
	Body    string
	Header  http.Header
}

func serviceOf(action string) (service, version string) {
	if operationTable()["sts:"+action] != nil {
		return "sts", stsVersion
	}
	return "iam", iamVersion
}

// call sends a signed request with parameters in name, value pairs.
func (f *fixture) call(c creds, action string, params ...string) answer {
	f.t.Helper()
	service, version := serviceOf(action)
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i+1 < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	req := f.post(form.Encode())
	f.sign(req, c, service, form.Encode(), time.Now())
	return f.do(req)
}

func (f *fixture) post(body string) *http.Request {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.url+"/", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return req
}

func (f *fixture) sign(req *http.Request, c creds, service, body string, at time.Time) {
	f.t.Helper()
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(f.t.Context(), c, req, hex.EncodeToString(sum[:]), service, "us-east-1", at); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) do(req *http.Request) answer {
	f.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	a := answer{Status: resp.StatusCode, Body: string(body), Header: resp.Header}
	var e struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   struct{ Type, Code, Message string }
	}
	if resp.StatusCode != http.StatusOK {
		if err := xml.Unmarshal(body, &e); err != nil {
			f.t.Fatalf("status %d with a body that is no ErrorResponse: %v\n%s", resp.StatusCode, err, body)
		}
		a.Code, a.Message = e.Error.Code, e.Error.Message
	}
	return a
}

// must makes a raw call that has to succeed.
func (f *fixture) must(c creds, action string, params ...string) answer {
	f.t.Helper()
	a := f.call(c, action, params...)
	if a.Status != http.StatusOK {
		f.t.Fatalf("%s: %d %s: %s", action, a.Status, a.Code, a.Message)
	}
	return a
}

// refused checks a raw call that has to fail.
func (f *fixture) refused(want answer, c creds, action string, params ...string) {
	f.t.Helper()
	got := f.call(c, action, params...)
	if got.Status != want.Status || got.Code != want.Code || got.Message != want.Message {
		f.t.Errorf("%s\n got %d %s: %s\nwant %d %s: %s", action, got.Status, got.Code, got.Message, want.Status, want.Code, want.Message)
	}
}

// newUser creates a user with an access key and, unless it is "", an inline policy.
func (f *fixture) newUser(account, name, policyText string) creds {
	f.t.Helper()
	root := rootOf(account)
	f.must(root, "CreateUser", "UserName", name)
	if policyText != "" {
		f.must(root, "PutUserPolicy", "UserName", name, "PolicyName", "p", "PolicyDocument", policyText)
	}
	out, err := f.iam(root).CreateAccessKey(f.t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		f.t.Fatal(err)
	}
	return creds{AccessKeyID: *out.AccessKey.AccessKeyId, SecretAccessKey: *out.AccessKey.SecretAccessKey}
}

// newRole creates a role, with an inline policy unless it is "", and returns its ARN.
func (f *fixture) newRole(account, name, trust, policyText string) string {
	f.t.Helper()
	root := rootOf(account)
	f.must(root, "CreateRole", "RoleName", name, "AssumeRolePolicyDocument", trust)
	if policyText != "" {
		f.must(root, "PutRolePolicy", "RoleName", name, "PolicyName", "p", "PolicyDocument", policyText)
	}
	return "arn:aws:iam::" + account + ":role/" + name
}

// assume calls AssumeRole through the SDK.
func (f *fixture) assume(c creds, roleARN, session string) creds {
	f.t.Helper()
	out, err := f.sts(c).AssumeRole(f.t.Context(), &sts.AssumeRoleInput{RoleArn: &roleARN, RoleSessionName: &session})
	if err != nil {
		f.t.Fatal(err)
	}
	return creds{
		AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey,
		SessionToken: *out.Credentials.SessionToken,
	}
}

// failed takes an SDK error apart.
func failed(t testing.TB, err error) answer {
	t.Helper()
	var api smithy.APIError
	var resp *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &resp) {
		t.Fatalf("got %v, want an API error", err)
	}
	return answer{Status: resp.HTTPStatusCode(), Code: api.ErrorCode(), Message: api.ErrorMessage()}
}

// trusting is a trust policy for one kind of principal.
func trusting(kind, principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"` + kind + `":"` + principal + `"},"Action":"sts:AssumeRole"}]}`
}

const (
	allowAll   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	denyAll    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"No","Effect":"Deny","Action":"*","Resource":"*"}]}`
	readBucket = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
)
