package cwapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/smithy-go"

	"twinbucket/iamsim"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/clock"
	"twinbucket/internal/trail"
	"twinbucket/store/kv/boltkv"
)

const account = "000000000000"

// noon is where the tests' clock stands.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// env is a service behind an HTTP server, with IAM.
type env struct {
	*Service
	iam    *iamsim.Service
	clock  *clock.Manual
	url    string
	http   *http.Client
	events []trail.Event
}

func newEnv(t testing.TB) *env {
	t.Helper()
	engine, err := boltkv.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	e := &env{clock: clock.NewManual(noon)}
	e.iam = iamsim.New(iamsim.Config{Engine: engine, Clock: e.clock, RootSecret: "test", Record: func(trail.Event, time.Duration, error) {}})
	if err := e.iam.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Service = New(Config{IAM: e.iam, Clock: e.clock, Record: func(ev trail.Event, _ time.Duration, _ error) { e.events = append(e.events, ev) }})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed, err := sigv4.Parse(r)
		if signed != nil && signed.Scope.Service == "iam" {
			e.iam.Serve(w, r, signed, err)
			return
		}
		e.Serve(w, r, signed, err)
	}))
	e.url, e.http = server.URL, server.Client()
	t.Cleanup(func() {
		server.Close()
		_ = e.iam.Close(context.Background())
		_ = engine.Close()
	})
	return e
}

// client is an SDK client, which speaks CBOR.
func (e *env) client(key, secret string) *cloudwatch.Client {
	return cloudwatch.New(cloudwatch.Options{
		Region: "us-east-1", BaseEndpoint: &e.url, HTTPClient: e.http, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}, nil
		}),
	})
}

// send signs and sends a request and returns status, headers and body.
func (e *env) send(t testing.TB, method, path string, header map[string]string, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, req,
		hex.EncodeToString(sum[:]), "monitoring", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := e.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// codeOf is the code that an SDK caller sees.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// failed is the series of failed operations of a rule.
func failed(rule string) Series {
	return Series{
		Account: account, Region: "us-east-1", Namespace: "AWS/S3", Name: "OperationsFailedReplication", Unit: "Count",
		Dimensions: []Dimension{{"SourceBucket", "src"}, {"DestinationBucket", "dst"}, {"RuleId", rule}},
	}
}

// captured is the minute that AWS was seen to publish: three successes, one failure.
func (e *env) captured() {
	for i, v := range []float64{0, 0, 1, 0} {
		e.Record(failed("r1"), noon.Add(time.Duration(i)*time.Second), v)
	}
	e.Record(failed("r1"), noon.Add(2*time.Minute), 1)
	e.Record(failed("r2"), noon.Add(time.Minute), 0)
}
