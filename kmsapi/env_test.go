package kmsapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/internal/quota"
	"twinbucket/internal/rootkey"
	"twinbucket/internal/trail"
	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	accountA = "111111111111"
	accountB = "222222222222"
	east     = "us-east-1"
	west     = "us-west-2"
	viaS3    = "s3.us-east-1.amazonaws.com"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// env is a key service with the IAM service it asks, behind HTTP.
type env struct {
	testing.TB
	clock  *clock.Manual
	engine kv.Engine
	iam    *iamsim.Service
	kms    *Service
	limits *quota.Limiter
	url    string
	client *http.Client

	mu     sync.Mutex
	events []trail.Event
}

func newEnv(t testing.TB) *env {
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
	return newEnvOn(t, engine)
}

func newEnvOn(t testing.TB, engine kv.Engine) *env {
	t.Helper()
	return newEnvWith(t, engine, Config{})
}

// newEnvWith lets a test set parts of the Config.
func newEnvWith(t testing.TB, engine kv.Engine, cfg Config) *env {
	t.Helper()
	e := &env{TB: t, clock: clock.NewManual(start), engine: engine, limits: new(quota.Limiter)}
	log := slog.New(slog.DiscardHandler)
	e.iam = iamsim.New(iamsim.Config{Engine: engine, Clock: e.clock, Logger: log})
	if err := e.iam.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Engine, cfg.IAM, cfg.Clock, cfg.Limits, cfg.Logger, cfg.Record = engine, e.iam, e.clock, e.limits, log, e.record
	if cfg.RootKey == nil {
		cfg.RootKey = rootkey.New([rootkey.Size]byte{1})
	}
	e.kms = New(cfg)
	if err := e.kms.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	e.client = &http.Client{Transport: transport}
	srv := httptest.NewServer(http.HandlerFunc(e.serve))
	e.url = srv.URL
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		srv.Close()
		ctx := context.WithoutCancel(t.Context())
		if err := errors.Join(e.kms.Close(ctx), e.iam.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	return e
}

func (e *env) serve(w http.ResponseWriter, r *http.Request) {
	signed, err := sigv4.Parse(r)
	if signed != nil && signed.Scope.Service != "kms" {
		e.iam.Serve(w, r, signed, err)
		return
	}
	e.kms.Serve(w, r, signed, err)
}

func (e *env) record(ev trail.Event, _ time.Duration, _ error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, ev)
}

// last is the newest trail event.
func (e *env) last() trail.Event {
	e.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.events) == 0 {
		e.Fatal("no trail event")
	}
	return e.events[len(e.events)-1]
}

func (e *env) config(c aws.Credentials, region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &e.url, HTTPClient: e.client, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil }),
	}
}

func rootCredentials(account string) aws.Credentials {
	return aws.Credentials{AccessKeyID: account, SecretAccessKey: "test"}
}

// root is the client of an account's root user.
func (e *env) root(account, region string) *kms.Client {
	return kms.NewFromConfig(e.config(rootCredentials(account), region))
}

// actor is a user or role session with clients of its own.
type actor struct {
	e     *env
	arn   string // of the user or the session
	creds aws.Credentials
}

func (a *actor) kms(region string) *kms.Client { return kms.NewFromConfig(a.e.config(a.creds, region)) }

// user makes an IAM user with an inline policy; an empty one is none.
func (e *env) user(account, name, policyText string) *actor {
	e.Helper()
	ctx, c := e.Context(), iam.NewFromConfig(e.config(rootCredentials(account), east))
	u, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
	if err != nil {
		e.Fatal(err)
	}
	if policyText != "" {
		e.userPolicy(account, name, policyText)
	}
	k, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		e.Fatal(err)
	}
	return &actor{e, *u.User.Arn, aws.Credentials{AccessKeyID: *k.AccessKey.AccessKeyId, SecretAccessKey: *k.AccessKey.SecretAccessKey}}
}

func (e *env) userPolicy(account, name, text string) {
	e.Helper()
	c := iam.NewFromConfig(e.config(rootCredentials(account), east))
	if _, err := c.PutUserPolicy(e.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: &text}); err != nil {
		e.Fatal(err)
	}
}

// role makes an IAM role that its account may assume, and a session of it.
func (e *env) role(account, name, policyText string) (roleARN string, session *actor) {
	e.Helper()
	ctx, c := e.Context(), iam.NewFromConfig(e.config(rootCredentials(account), east))
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root","Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	r, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	if err != nil {
		e.Fatal(err)
	}
	if policyText != "" {
		if _, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &policyText}); err != nil {
			e.Fatal(err)
		}
	}
	assumer := e.user(account, "assumer-of-"+name, allow("sts:AssumeRole", *r.Role.Arn))
	out, err := sts.NewFromConfig(e.config(assumer.creds, east)).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: r.Role.Arn, RoleSessionName: aws.String("session")})
	if err != nil {
		e.Fatal(err)
	}
	return *r.Role.Arn, &actor{e, *out.AssumedRoleUser.Arn, aws.Credentials{
		AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken,
	}}
}

func statement(effect, action, resource, more string) string {
	return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"` + more + `}`
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func allow(action, resource string) string { return document(statement("Allow", action, resource, "")) }

// principal is the part of a key policy statement that names who.
func principal(arns ...string) string {
	return `,"Principal":{"AWS":["` + strings.Join(arns, `","`) + `"]}`
}

func rootARN(account string) string { return "arn:aws:iam::" + account + ":root" }

// keyPolicy delegates to the account and adds statements.
func keyPolicy(account string, more ...string) string {
	return document(append([]string{statement("Allow", "kms:*", "*", principal(rootARN(account)))}, more...)...)
}

// key makes a key as root; text "" is the default policy.
func (e *env) key(account, region, text string) *types.KeyMetadata {
	e.Helper()
	in := &kms.CreateKeyInput{BypassPolicyLockoutSafetyCheck: true}
	if text != "" {
		in.Policy = &text
	}
	out, err := e.root(account, region).CreateKey(e.Context(), in)
	if err != nil {
		e.Fatal(err)
	}
	return out.KeyMetadata
}

// keyOf makes a key of a spec and usage in account A, in the east.
func (e *env) keyOf(spec types.KeySpec, usage types.KeyUsageType) *types.KeyMetadata {
	e.Helper()
	out, err := e.root(accountA, east).CreateKey(e.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
	if err != nil {
		e.Fatal(err)
	}
	return out.KeyMetadata
}

// viaService is an account's root as S3 forwards it.
func viaService(account string) iamsim.Caller {
	return iamsim.Root(account).ThroughService(viaS3)
}

// wantFailure checks code and message of an error of client or core. message "*" is any.
func wantFailure(t testing.TB, what string, err error, code, message string) {
	t.Helper()
	gotCode, gotMessage := "", ""
	var api smithy.APIError
	switch f := failure.Of(err); {
	case errors.As(err, &api):
		gotCode, gotMessage = api.ErrorCode(), api.ErrorMessage()
	case f != nil:
		gotCode, gotMessage = string(f.Code), f.Message
	case err != nil:
		gotMessage = err.Error()
	}
	if gotCode != code || message != "*" && gotMessage != message {
		t.Errorf("%s: got %s %q\nwant %s %q", what, gotCode, gotMessage, code, message)
	}
}

// must is for set-up calls that can't fail.
func must[T any](out T, err error) T {
	if err != nil {
		panic(err)
	}
	return out
}

// post sends a raw request, signed as an account's root unless account is "".
func (e *env) post(account, target, body string) (*http.Response, string) {
	e.Helper()
	req, err := http.NewRequestWithContext(e.Context(), http.MethodPost, e.url+"/", strings.NewReader(body))
	if err != nil {
		e.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", contentType)
	if account != "" {
		sign(e, req, rootCredentials(account), body)
	}
	res, err := e.client.Do(req)
	if err != nil {
		e.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		e.Fatal(err)
	}
	return res, string(b)
}

// caller is what an actor's signature is authenticated as.
func (e *env) caller(a *actor) *iamsim.Caller {
	e.Helper()
	req, err := http.NewRequestWithContext(e.Context(), http.MethodPost, e.url+"/", nil)
	if err != nil {
		e.Fatal(err)
	}
	sign(e, req, a.creds, "")
	signed, err := sigv4.Parse(req)
	if err != nil {
		e.Fatal(err)
	}
	c, err := e.iam.Authenticate(e.Context(), req, signed, sigv4.Options{})
	if err != nil {
		e.Fatal(err)
	}
	return &c
}

func keysIn(e *env, account string) map[string]*key {
	out := map[string]*key{}
	for _, k := range e.kms.keysOf(account, east) {
		out[k.ID] = k
	}
	return out
}

func ptr[T any](v T) *T { return &v }

type grantOp = types.GrantOperation

var _ policy.Resolver = (*iamsim.Service)(nil)
