package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask sends one operator call and decodes the answer.
func (r *rig) ask(t testing.TB, method, path, body string, want int, out any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != want {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, want, b)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
}

const op = "/_twinbucket/"

func TestOperatorAnswers(t *testing.T) {
	r := newRig(t, "")
	for _, tt := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"GET", op + "health", "", 200, `"s3": "running"`},
		{"GET", "/_localstack/health", "", 200, `"kms": "running"`},
		{"GET", "/_localstack/init", "", 200, `"READY": true`},
		{"GET", op + "metrics", "", 200, "twinbucket_build_info"},
		{"GET", op + "openapi.json", "", 200, `"openapi": "3.1.0"`},
		{"GET", op + "nothing", "", 404, "openapi.json lists them"},
		{"GET", op + "replication", "", 200, `"pending": 0`},
		{"GET", op + "replication/explain", "", 400, "needs bucket and key"},
		{"GET", op + "replication/explain?bucket=none&key=k", "", 404, "NoSuchBucket"},
		{"POST", op + "replication/wait?timeout=1s", "", 200, `"pending": 0`},
		{"POST", op + "replication/wait?timeout=soon", "", 400, "duration"},
		{"POST", op + "replication/step", "", 409, "pause them first"},
		{"POST", op + "replication/pause", "", 200, `"paused": true`},
		{"POST", op + "replication/step?n=0", "", 400, "1 or more"},
		{"POST", op + "replication/step?n=3", "", 200, `"ran": 0`},
		{"POST", op + "replication/resume", "", 200, `"paused": false`},
		{"POST", op + "replication/retry?status=PENDING", "", 400, "only status=FAILED"},
		{"POST", op + "replication/retry?status=FAILED", "", 200, `"retried": 0`},
		{"PUT", op + "quotas", `{"service":"kms","perSecond":5}`, 200, `"perSecond": 5`},
		{"PUT", op + "quotas", `{"service":"kms","tps":5}`, 400, "perSecond"},
		{"PUT", op + "quotas", `{"service":"kms","perSecond":-1}`, 400, "0 or more"},
		{"POST", op + "clock", `{"advance":"15m"}`, 200, `"offset": "15m0s"`},
		{"POST", op + "clock", `{"advance":"-1s"}`, 400, "never runs backwards"},
		{"POST", op + "clock", `15m`, 400, "advance"},
		{"GET", op + "trail?limit=x", "", 400, "limit"},
		{"POST", op + "reset?account=111122223333", "", 200, "111122223333"},
		{"POST", op + "reset", "", 200, "all accounts"},
	} {
		var got json.RawMessage
		out := any(&got)
		if strings.HasSuffix(tt.path, "metrics") {
			out = nil
		}
		r.ask(t, tt.method, tt.path, tt.body, tt.status, out)
		if out != nil && !strings.Contains(string(got), tt.has) {
			t.Errorf("%s %s: %s does not contain %q", tt.method, tt.path, got, tt.has)
		}
	}
}

func TestOperatorKeepsForeignPagesOut(t *testing.T) {
	s := New(Config{Listen: "127.0.0.1:0", OperatorToken: "let-me-in"})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	client := benchClient(t)
	for _, tt := range []struct {
		name, method string
		host         string
		header       map[string]string
		want         int
	}{
		{"a person with the token", "POST", "", map[string]string{"Authorization": "Bearer let-me-in"}, 200},
		{"no token", "POST", "", nil, 401},
		{"wrong token", "POST", "", map[string]string{"Authorization": "Bearer let-me"}, 401},
		{"reading needs none", "GET", "", nil, 200},
		{"cross-site browser", "POST", "", map[string]string{"Authorization": "Bearer let-me-in", "Sec-Fetch-Site": "cross-site"}, 403},
		{"foreign origin", "POST", "", map[string]string{"Authorization": "Bearer let-me-in", "Origin": "http://evil.example"}, 403},
		{"rebound name", "GET", "evil.example", nil, 403},
		{"compose service", "GET", "twinbucket:4566", nil, 200},
		{"localstack's name", "GET", "s3.localhost.localstack.cloud:4566", nil, 200},
		{"a name that only ends alike", "GET", "evillocalhost.localstack.cloud", nil, 403},
	} {
		path := op + "replication/pause"
		if tt.method == "GET" {
			path = op + "health"
		}
		req, err := http.NewRequestWithContext(t.Context(), tt.method, s.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = tt.host
		for k, v := range tt.header {
			req.Header.Set(k, v)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, resp.StatusCode, tt.want)
		}
	}
}

func TestDispatch(t *testing.T) {
	r := newRig(t, "")
	for _, tt := range []struct {
		name, method, path string
		header             map[string]string
		body               string
		status             int
		has                string
	}{
		{"unsigned S3", "GET", "/", nil, "", 403, "AccessDenied"},
		{"unsigned KMS", "POST", "/", map[string]string{"X-Amz-Target": "TrentService.ListKeys"}, "{}", 400, "MissingAuthenticationToken"},
		{"unsigned IAM", "POST", "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, "Action=ListUsers&Version=2010-05-08", 403, "MissingAuthenticationToken"},
		{"unsigned STS by query", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", nil, "", 403, "MissingAuthenticationToken"},
		{"IAM with a date that is none", "POST", "/", map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=00", "X-Amz-Date": "today"}, "", 400, "https://iam.amazonaws.com/"},
		{"another service", "POST", "/", map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00", "X-Amz-Date": "20260101T000000Z"}, "{}", 501, "dynamodb"},
		{"unsigned S3 Control", "GET", "/v20180820/jobs", map[string]string{"X-Amz-Account-Id": "111122223333"}, "", 403, "<ErrorResponse"},
		{"a bucket called like S3 Control's version", "GET", "/v20180820/jobs", nil, "", 404, "NoSuchBucket"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, r.URL()+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range tt.header {
			req.Header.Set(k, v)
		}
		resp, err := r.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != tt.status || !strings.Contains(string(b), tt.has) {
			t.Errorf("%s: status %d (want %d), body %s (want %q in it)", tt.name, resp.StatusCode, tt.status, b, tt.has)
		}
	}
}

func TestTrailHoldsTheServicesOwnCalls(t *testing.T) {
	r := newRig(t, "")
	r.bucket(t, "bench", "us-east-1", false)
	key := r.key(t, "us-east-1")
	must(t)(r.s3("us-east-1").PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bench"), Key: aws.String("k"), Body: strings.NewReader("x"),
		ServerSideEncryption: "aws:kms", SSEKMSKeyId: &key}))
	var out struct{ Records []TrailEvent }
	r.ask(t, "GET", op+"trail?service=kms&name=GenerateDataKey", "", 200, &out)
	if len(out.Records) != 1 || out.Records[0].UserIdentity.InvokedBy == "" || out.Records[0].UserIdentity.AccountID != benchAccount {
		t.Errorf("trail of S3's KMS call: %+v", out.Records)
	}
}

func TestStateSurvivesAndSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := New(Config{Listen: "127.0.0.1:0", Data: dir})
	if err := first.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := New(Config{Listen: "127.0.0.1:0", Data: dir})
	err := second.Open(t.Context())
	if !InUse(err) || !strings.Contains(err.Error(), "listening on "+first.listener.Addr().String()) {
		t.Errorf("second server on the same directory: %v", err)
	}
	r := &rig{Server: first, http: benchClient(t)}
	r.cfg = aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(first.URL()), Credentials: newRig(t, "").cfg.Credentials}
	r.bucket(t, "kept", "us-east-1", true)
	key := r.key(t, "us-east-1")
	for range 2 {
		if err := first.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	again := newRig(t, dir)
	must(t)(again.s3("us-east-1").HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("kept")}))
	must(t)(kms.NewFromConfig(again.cfg).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key}))
}

func TestOpenFailsSynchronously(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := New(Config{Listen: l.Addr().String()}).Open(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("busy port: %v", err)
	}
	if err := New(Config{Listen: "127.0.0.1:0", Data: "/dev/null/x"}).Open(t.Context()); err == nil {
		t.Error("a data directory under a file was accepted")
	}
}
