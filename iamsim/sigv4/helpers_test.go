package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	testKey    = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	testHost   = "127.0.0.1:4566"
	emptyHash  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

var (
	testTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s3Opts   = Options{S3: true, Service: "s3", Region: "us-east-1"}
)

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// newRequest is a client's request; target is an escaped path with an optional query.
func newRequest(t testing.TB, method, target string, body []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+testHost+target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// overTheWire is r as a server reads it.
func overTheWire(t testing.TB, r *http.Request) *http.Request {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return readRequest(t, b.Bytes())
}

func readRequest(t testing.TB, raw []byte) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func signerOptions(service string) func(*v4.SignerOptions) {
	return func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" }
}

// sdkSign signs r in its header with the AWS SDK.
func sdkSign(t testing.TB, r *http.Request, service, token, payloadHash string) {
	t.Helper()
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", payloadHash)
	}
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{
		AccessKeyID: testKey, SecretAccessKey: testSecret, SessionToken: token,
	}, r, payloadHash, service, "us-east-1", testTime, signerOptions(service))
	if err != nil {
		t.Fatal(err)
	}
}

// sdkPresign gives the request that a holder of a presigned URL of the AWS SDK sends.
func sdkPresign(t testing.TB, r *http.Request, service, token, expires, payloadHash string) *http.Request {
	t.Helper()
	if expires != "" {
		q := r.URL.Query()
		q.Set("X-Amz-Expires", expires)
		r.URL.RawQuery = q.Encode()
	}
	uri, header, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{
		AccessKeyID: testKey, SecretAccessKey: testSecret, SessionToken: token,
	}, r, payloadHash, service, "us-east-1", testTime, signerOptions(service))
	if err != nil {
		t.Fatal(err)
	}
	p, err := http.NewRequestWithContext(t.Context(), r.Method, uri, r.Body)
	if err != nil {
		t.Fatal(err)
	}
	p.ContentLength = r.ContentLength
	p.Header = header
	p.Header.Del("Host")
	p.Header.Del("Content-Length")
	return p
}

func mustParse(t testing.TB, r *http.Request) *Signed {
	t.Helper()
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return s
}

// asError is the *Error in err's chain; it fails the test if there is none of that kind.
func asError(t testing.TB, err error, kind Kind) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("got error %v, want kind %q", err, kind)
	}
	return e
}
