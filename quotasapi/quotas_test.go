package quotasapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"twinbucket/iamsim"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/clock"
	"twinbucket/internal/quota"
	"twinbucket/internal/trail"
	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	accountA  = "111111111111"
	accountB  = "222222222222"
	east      = "us-east-1"
	west      = "us-west-2"
	symmetric = "L-6E3AF000"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// env is the service with the IAM service it asks, behind HTTP.
type env struct {
	testing.TB
	clock  *clock.Manual
	engine kv.Engine
	limits *quota.Limiter
	iam    *iamsim.Service
	quotas *Service
	url    string
	client *http.Client

	mu      sync.Mutex
	events  []trail.Event
	granted chan struct{}
}

// defaults are two quotas with different values in the Regions.
func defaults(region, name string) (float64, bool) {
	switch {
	case name == "symmetric" && region == east:
		return 100_000, true
	case name == "symmetric":
		return 10_000, true
	case name == "CreateKey":
		return 5, true
	}
	return 0, false
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
	e := &env{TB: t, clock: clock.NewManual(start), engine: engine, limits: new(quota.Limiter), granted: make(chan struct{}, 9)}
	log := slog.New(slog.DiscardHandler)
	e.iam = iamsim.New(iamsim.Config{Engine: engine, Clock: e.clock, Logger: log})
	if err := e.iam.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.quotas = New(Config{Engine: engine, IAM: e.iam, Clock: e.clock, Limits: e.limits, Quotas: []string{"symmetric", "CreateKey"}, Default: defaults,
		OnGrant: func(context.Context) { e.granted <- struct{}{} }, Record: e.record, Logger: log})
	if err := e.quotas.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	e.client = &http.Client{Transport: transport}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed, err := sigv4.Parse(r)
		if IsRequest(r) {
			e.quotas.Serve(w, r, signed, err)
			return
		}
		e.iam.Serve(w, r, signed, err)
	}))
	e.url = srv.URL
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		srv.Close()
		ctx := context.WithoutCancel(t.Context())
		if err := errors.Join(e.quotas.Close(ctx), e.quotas.Close(ctx), e.iam.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	return e
}

func (e *env) record(ev trail.Event, _ time.Duration, _ error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, ev)
}

func (e *env) last() trail.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.events[len(e.events)-1]
}

func (e *env) config(key, secret, region string) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: &e.url, HTTPClient: e.client, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}, nil
		})}
}

func (e *env) root(account, region string) *servicequotas.Client {
	return servicequotas.NewFromConfig(e.config(account, "test", region))
}

// user makes an IAM user with one inline policy and gives its client.
func (e *env) user(name, policy string) (*servicequotas.Client, string) {
	e.Helper()
	ctx, c := e.Context(), iam.NewFromConfig(e.config(accountA, "test", east))
	u, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
	if err != nil {
		e.Fatal(err)
	}
	if _, err := c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: &policy}); err != nil {
		e.Fatal(err)
	}
	k, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		e.Fatal(err)
	}
	return servicequotas.NewFromConfig(e.config(*k.AccessKey.AccessKeyId, *k.AccessKey.SecretAccessKey, east)), *u.User.Arn
}

func wantError(t testing.TB, what string, err error, code, message string) {
	t.Helper()
	gotCode, gotMessage := "", ""
	var api smithy.APIError
	if errors.As(err, &api) {
		gotCode, gotMessage = api.ErrorCode(), api.ErrorMessage()
	} else if err != nil {
		gotMessage = err.Error()
	}
	if gotCode != code || message != "*" && gotMessage != message {
		t.Errorf("%s: got %s %q\nwant %s %q", what, gotCode, gotMessage, code, message)
	}
}

func must[T any](out T, err error) T {
	if err != nil {
		panic(err)
	}
	return out
}

var ignoreUnexported = cmp.FilterPath(func(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && f.Name() == "noSmithyDocumentSerde"
}, cmp.Ignore())

func (e *env) value(account, region, code string) float64 {
	e.Helper()
	out, err := e.root(account, region).GetServiceQuota(e.Context(), &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("kms"), QuotaCode: &code})
	if err != nil {
		e.Fatal(err)
	}
	return *out.Quota.Value
}

func TestListAndGet(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	list := must(root.ListServiceQuotas(ctx, &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("kms")})).Quotas
	want := []types.ServiceQuota{
		quotaOf("L-32B67F4A", "CreateKey request rate", "arn:aws:servicequotas:us-east-1:111111111111:kms/L-32B67F4A", 5),
		quotaOf(symmetric, "Cryptographic operations (symmetric) request rate", "arn:aws:servicequotas:us-east-1:111111111111:kms/L-6E3AF000", 100_000),
	}
	if diff := cmp.Diff(list, want, ignoreUnexported); diff != "" {
		t.Errorf("quotas (-got +want):\n%s", diff)
	}
	got := must(root.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("kms"), QuotaCode: aws.String(symmetric)})).Quota
	if diff := cmp.Diff(*got, want[1], ignoreUnexported); diff != "" {
		t.Errorf("quota (-got +want):\n%s", diff)
	}
	if err := e.limits.Set(quota.Limit{Service: "kms", Quota: "symmetric", PerSecond: 5}); err != nil {
		t.Fatal(err)
	}
	if got := e.value(accountA, west, symmetric); got != 5 {
		t.Errorf("%v a second, the operator has set 5", got)
	}
	usual := must(e.root(accountA, west).GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{ServiceCode: aws.String("kms"), QuotaCode: aws.String(symmetric)})).Quota
	if *usual.Value != 10_000 || *usual.QuotaArn != "arn:aws:servicequotas:us-west-2::kms/L-6E3AF000" {
		t.Errorf("default %v %s", *usual.Value, *usual.QuotaArn)
	}
	if all := must(root.ListAWSDefaultServiceQuotas(ctx, &servicequotas.ListAWSDefaultServiceQuotasInput{ServiceCode: aws.String("kms")})).Quotas; len(all) != 2 || *all[1].Value != 100_000 {
		t.Errorf("defaults %+v", all)
	}
	if services := must(root.ListServices(ctx, &servicequotas.ListServicesInput{})).Services; len(services) != 1 || *services[0].ServiceCode != "kms" {
		t.Errorf("services %+v", services)
	}
	n := 0
	for pages := servicequotas.NewListServiceQuotasPaginator(root, &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("kms"), MaxResults: aws.Int32(1)}); pages.HasMorePages(); n++ {
		if page := must(pages.NextPage(ctx)); len(page.Quotas) != 1 || *page.Quotas[0].QuotaCode != *want[n].QuotaCode {
			t.Errorf("page %d: %+v", n, page.Quotas)
		}
	}
	if n != 2 {
		t.Errorf("%d pages", n)
	}
}

func quotaOf(code, name, arn string, value float64) types.ServiceQuota {
	return types.ServiceQuota{ServiceCode: aws.String("kms"), ServiceName: aws.String(serviceName), QuotaCode: &code, QuotaName: &name, QuotaArn: &arn, Value: &value,
		Unit: aws.String("None"), Adjustable: true, QuotaAppliedAtLevel: "ACCOUNT", Period: &types.QuotaPeriod{PeriodUnit: "SECOND", PeriodValue: aws.Int32(1)}}
}

func (e *env) ask(account, region, code string, value float64) (*types.RequestedServiceQuotaChange, error) {
	out, err := e.root(account, region).RequestServiceQuotaIncrease(e.Context(), &servicequotas.RequestServiceQuotaIncreaseInput{ServiceCode: aws.String("kms"), QuotaCode: &code, DesiredValue: &value})
	if err != nil {
		return nil, err
	}
	return out.RequestedQuota, nil
}

// TestIncrease: a request waits, is granted at its time to its account and Region alone,
// and stays granted after a restart (K102).
func TestIncrease(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	if err := e.limits.Set(quota.Limit{Service: "kms", Quota: "symmetric", PerSecond: 5}); err != nil {
		t.Fatal(err)
	}
	r, err := e.ask(accountA, east, symmetric, 500)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != "PENDING" || *r.DesiredValue != 500 || !r.Created.Equal(start) || !r.LastUpdated.Equal(start) || *r.QuotaName != "Cryptographic operations (symmetric) request rate" ||
		*r.Requester != `{"accountId":"111111111111","callerArn":"arn:aws:iam::111111111111:root"}` {
		t.Errorf("request %+v", r)
	}
	_, err = e.ask(accountA, east, symmetric, 600)
	wantError(t, "a second one", err, "ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota.")
	get := func() *types.RequestedServiceQuotaChange {
		t.Helper()
		return must(root.GetRequestedServiceQuotaChange(ctx, &servicequotas.GetRequestedServiceQuotaChangeInput{RequestId: r.Id})).RequestedQuota
	}
	e.clock.Advance(time.Minute - time.Millisecond)
	if got := get(); got.Status != "PENDING" || e.value(accountA, east, symmetric) != 5 {
		t.Errorf("too early: %+v", got)
	}
	e.clock.Advance(time.Millisecond)
	if got := get(); got.Status != "APPROVED" || !got.LastUpdated.Equal(start.Add(time.Minute)) {
		t.Errorf("at its time: %+v", got)
	}
	for _, tt := range []struct {
		account, region string
		want            float64
	}{{accountA, east, 500}, {accountA, west, 5}, {accountB, east, 5}} {
		if got := e.value(tt.account, tt.region, symmetric); got != tt.want {
			t.Errorf("%s in %s has %v, want %v", tt.account, tt.region, got, tt.want)
		}
		if got, _ := e.limits.Of("kms", tt.account, tt.region, "symmetric"); got != tt.want {
			t.Errorf("%s in %s is limited to %v, want %v", tt.account, tt.region, got, tt.want)
		}
	}
	_, err = e.ask(accountA, east, symmetric, 500)
	wantError(t, "no more than there is", err, "IllegalArgumentException", "You must provide a quota value greater than the current quota value")
	if _, err := e.ask(accountA, east, symmetric, 600); err != nil {
		t.Errorf("another one after the grant: %v", err)
	}
	history := must(root.ListRequestedServiceQuotaChangeHistory(ctx, &servicequotas.ListRequestedServiceQuotaChangeHistoryInput{ServiceCode: aws.String("kms")})).RequestedQuotas
	if len(history) != 2 || *history[0].DesiredValue != 600 || *history[1].DesiredValue != 500 {
		t.Errorf("history %+v", history)
	}
	pending := must(root.ListRequestedServiceQuotaChangeHistoryByQuota(ctx, &servicequotas.ListRequestedServiceQuotaChangeHistoryByQuotaInput{
		ServiceCode: aws.String("kms"), QuotaCode: aws.String(symmetric), Status: "PENDING"})).RequestedQuotas
	if len(pending) != 1 || *pending[0].DesiredValue != 600 {
		t.Errorf("pending %+v", pending)
	}
	if other := must(e.root(accountB, east).ListRequestedServiceQuotaChangeHistory(ctx, &servicequotas.ListRequestedServiceQuotaChangeHistoryInput{})).RequestedQuotas; len(other) != 0 {
		t.Errorf("another account sees %+v", other)
	}

	again := newEnvOn(t, e.engine)
	if got, ok := again.limits.Of("kms", accountA, east, "symmetric"); got != 500 || !ok {
		t.Errorf("after a restart %v, %v", got, ok)
	}
	again.clock.Advance(2 * time.Minute)
	<-again.granted
	if got, _ := again.limits.Of("kms", accountA, east, "symmetric"); got != 600 {
		t.Errorf("what was open before the restart: %v", got)
	}
	if err := again.quotas.Reset(ctx, accountA); err != nil {
		t.Fatal(err)
	}
	if _, ok := again.limits.Of("kms", accountA, east, "symmetric"); ok {
		t.Error("a reset left the granted limit")
	}
}

// TestGrantsWithoutCalls: the limit is set at its time although nobody calls.
func TestGrantsWithoutCalls(t *testing.T) {
	e := newEnv(t)
	if _, err := e.ask(accountA, east, "L-32B67F4A", 50); err != nil {
		t.Fatal(err)
	}
	e.clock.Advance(time.Minute)
	<-e.granted
	if got, ok := e.limits.Of("kms", accountA, east, "CreateKey"); got != 50 || !ok {
		t.Errorf("%v, %v", got, ok)
	}
}

func TestRefusals(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	const noService, noQuota = "The request failed because the specified service does not exist.", "The request failed because the specified quota does not exist."
	for _, tt := range []struct {
		name, code, message string
		call                func() error
	}{
		{"another service", "NoSuchResourceException", noService, func() error {
			_, err := root.ListServiceQuotas(ctx, &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("KMS")})
			return err
		}},
		{"another service's quota", "NoSuchResourceException", noService, func() error {
			_, err := root.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String(symmetric)})
			return err
		}},
		{"no quota", "NoSuchResourceException", noQuota, func() error {
			_, err := root.GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{ServiceCode: aws.String("kms"), QuotaCode: aws.String("L-00000000")})
			return err
		}},
		{"increase of nothing", "NoSuchResourceException", noQuota, func() error { _, err := e.ask(accountA, east, "L-00000000", 1); return err }},
		{"decrease", "IllegalArgumentException", "You must provide a quota value greater than the current quota value", func() error { _, err := e.ask(accountA, east, symmetric, 1); return err }},
		{"negative", "IllegalArgumentException", "*", func() error { _, err := e.ask(accountA, east, symmetric, -1); return err }},
		{"too much", "IllegalArgumentException", "*", func() error { _, err := e.ask(accountA, east, symmetric, 1e11); return err }},
		{"a context", "IllegalArgumentException", "*", func() error {
			_, err := root.RequestServiceQuotaIncrease(ctx, &servicequotas.RequestServiceQuotaIncreaseInput{ServiceCode: aws.String("kms"), QuotaCode: aws.String(symmetric), DesiredValue: aws.Float64(1e6), ContextId: aws.String("x")})
			return err
		}},
		{"no request", "NoSuchResourceException", "*", func() error {
			_, err := root.GetRequestedServiceQuotaChange(ctx, &servicequotas.GetRequestedServiceQuotaChangeInput{RequestId: aws.String("x")})
			return err
		}},
		{"bad token", "InvalidPaginationTokenException", "*", func() error {
			_, err := root.ListServices(ctx, &servicequotas.ListServicesInput{NextToken: aws.String("x")})
			return err
		}},
		{"too many results", "IllegalArgumentException", "*", func() error {
			_, err := root.ListServices(ctx, &servicequotas.ListServicesInput{MaxResults: aws.Int32(101)})
			return err
		}},
	} {
		wantError(t, tt.name, tt.call(), tt.code, tt.message)
	}
}

// TestPermissions: every operation asks for its own action; a request for an increase is
// decided on the quota (K103).
func TestPermissions(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	arn := "arn:aws:servicequotas:us-east-1:111111111111:kms/" + symmetric
	none, user := e.user("none", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}`)
	increase := func(c *servicequotas.Client, code string) error {
		_, err := c.RequestServiceQuotaIncrease(ctx, &servicequotas.RequestServiceQuotaIncreaseInput{ServiceCode: aws.String("kms"), QuotaCode: &code, DesiredValue: aws.Float64(1e6)})
		return err
	}
	wantError(t, "increase", increase(none, symmetric), "AccessDeniedException", "User: "+user+" is not authorized to perform: servicequotas:RequestServiceQuotaIncrease on resource: "+
		arn+" because no identity-based policy allows the servicequotas:RequestServiceQuotaIncrease action")
	if ev := e.last(); ev.ErrorCode != "AccessDenied" || ev.EventSource != "servicequotas.amazonaws.com" || len(ev.Authorizations) != 1 {
		t.Errorf("trail %+v", ev)
	}
	_, err := none.ListServices(ctx, &servicequotas.ListServicesInput{})
	wantError(t, "list", err, "AccessDeniedException", "*")
	one, _ := e.user("one", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"servicequotas:RequestServiceQuotaIncrease","Resource":"`+arn+`","Condition":{"StringEquals":{"servicequotas:service":"kms"}}}]}`)
	wantError(t, "its own quota", increase(one, symmetric), "", "")
	wantError(t, "another quota", increase(one, "L-32B67F4A"), "AccessDeniedException", "*")
}

// TestTableCoversTheSDK: each method of the SDK's client is implemented or refused.
func TestTableCoversTheSDK(t *testing.T) {
	known := map[string]bool{}
	for _, op := range Operations() {
		known[op.Name] = true
	}
	client := reflect.TypeFor[*servicequotas.Client]()
	seen := 0
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() < 3 || m.Type.In(1) != reflect.TypeFor[context.Context]() {
			continue // not an operation
		}
		seen++
		if !known[m.Name] {
			t.Errorf("%s is neither implemented nor refused: add a row to table.go", m.Name)
		}
		delete(known, m.Name)
	}
	for name := range known {
		t.Errorf("table.go has %s, which the SDK does not know", name)
	}
	if !slices.IsSortedFunc(Operations(), func(a, b Operation) int { return strings.Compare(a.Name, b.Name) }) || seen < 20 {
		t.Errorf("%d operations, or not sorted", seen)
	}
}

// TestEverythingDenied: a deny on everything refuses every operation; unsigned requests
// and refused operations have their own answers.
func TestEverythingDenied(t *testing.T) {
	e := newEnv(t)
	name := `{"ServiceCode":"kms","QuotaCode":"` + symmetric + `","DesiredValue":1000000,"RequestId":"x"}`
	denied, _ := e.user("denied", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}`)
	creds := must(denied.Options().Credentials.Retrieve(t.Context()))
	for _, op := range Operations() {
		status, body := e.post("", op.Name, name)
		if status != 400 || !strings.Contains(body, "MissingAuthenticationTokenException") {
			t.Errorf("%s unsigned: %d %s", op.Name, status, body)
		}
		status, body = e.post(creds.AccessKeyID+" "+creds.SecretAccessKey, op.Name, name)
		if op.Supported && (status != 400 || !strings.Contains(body, "with an explicit deny in an identity-based policy")) {
			t.Errorf("%s denied: %d %s", op.Name, status, body)
		}
		if !op.Supported && (status != 501 || !strings.Contains(body, op.Name+" is not supported by Twinbucket")) {
			t.Errorf("%s refused: %d %s", op.Name, status, body)
		}
	}
	if status, body := e.post(accountA+" test", "Nothing", "{}"); status != 404 || body != `{"__type":"UnknownOperationException"}` {
		t.Errorf("unknown: %d %s", status, body)
	}
	for _, bad := range []string{"{", `{"ServiceCode":1}`, "[]"} {
		if status, body := e.post(accountA+" test", "ListServiceQuotas", bad); status != 400 || body != `{"__type":"SerializationException"}` {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	if status, _ := e.post(accountA+" test", "ListServiceQuotas", strings.Repeat(" ", maxBody+1)); status != 413 {
		t.Errorf("too large: %d", status)
	}
}

// post sends a raw request, signed with "key secret" unless that is "".
func (e *env) post(credentials, operation, body string) (int, string) {
	e.Helper()
	req, err := http.NewRequestWithContext(e.Context(), http.MethodPost, e.url+"/", strings.NewReader(body))
	if err != nil {
		e.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", targetPrefix+operation)
	req.Header.Set("Content-Type", contentType)
	if key, secret, ok := strings.Cut(credentials, " "); ok {
		sign(e, req, key, secret, body)
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
	return res.StatusCode, string(b)
}

// TestCatalogue: codes are AWS's where they are public, in AWS's form and unique (K100).
func TestCatalogue(t *testing.T) {
	for quota, want := range map[string]string{"symmetric": symmetric, "rsa": "L-2AC98190", "ecc": "L-DC14942D", "DescribeKey": "L-FAE8F084"} {
		if got := codeOf(quota); got != want {
			t.Errorf("%s has %s, want %s", quota, got, want)
		}
	}
	seen := map[string]string{}
	for _, quota := range []string{"symmetric", "rsa", "ecc", "ml-dsa", "GenerateDataKeyPair/RSA_2048", "GenerateDataKeyPair/RSA_4096", "PutKeyPolicy", "TagResource", "CreateKey"} {
		code := codeOf(quota)
		if other, twice := seen[code]; twice || len(code) != 10 || !strings.HasPrefix(code, "L-") {
			t.Errorf("%s and %s have %s", quota, other, code)
		}
		seen[code] = quota
	}
	if got := nameOf("GenerateDataKeyPair/RSA_2048"); got != "GenerateDataKeyPair (RSA_2048) request rate" {
		t.Error(got)
	}
	if got := nameOf("ml-dsa"); got != "Cryptographic operations (ML-DSA) request rate" {
		t.Error(got)
	}
}

// FuzzRequests: no body of any operation fails otherwise than by the service's exceptions.
func FuzzRequests(f *testing.F) {
	e := newEnv(f)
	e.quotas.cfg.Record = nil
	for i := range table() {
		f.Add(uint8(i), `{"ServiceCode":"kms","QuotaCode":"`+symmetric+`","DesiredValue":1e6,"MaxResults":1,"NextToken":"YWZ0ZXI6MQ"}`)
		f.Add(uint8(i), `{"ServiceCode":null,"DesiredValue":-1,"MaxResults":-1,"NextToken":"YWZ0ZXI6LTE"}`)
	}
	root := iamsim.Root(accountA)
	f.Fuzz(func(t *testing.T, n uint8, body string) {
		op := table()[int(n)%len(table())]
		if op.serve == nil {
			return
		}
		c := &call{ctx: t.Context(), caller: root, op: op, region: east, now: start}
		if _, err := op.serve(e.quotas, c, []byte(body)); err != nil {
			if failed := asFailure(err); failed.Code == serviceError {
				t.Errorf("%s %q: %v", op.Name, body, fmt.Sprint(err))
			}
		}
	})
}
