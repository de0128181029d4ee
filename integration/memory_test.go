package integration

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// memoryAllowed is how far the process may grow above its idle size while one large
// object streams through.
const memoryAllowed = 64 << 20

// TestLargeObjectMemory streams one object in by a single PUT and out again by GET and
// watches how much memory the process takes: 1 GiB, or 5 GiB, the most that AWS takes in
// one PUT, with TWINBUCKET_TEST_LARGE=1.
func TestLargeObjectMemory(t *testing.T) {
	size := int64(1 << 30)
	if os.Getenv("TWINBUCKET_TEST_LARGE") == "1" {
		size = 5 << 30
	}
	e := start(t, "--data", t.TempDir())
	c := s3.NewFromConfig(sdkConfig(t, e, accountA, "us-east-1"), pathStyle)
	must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}))(t)
	must(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("warm"), Body: strings.NewReader("up")}))(t)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	idle := peakMemory(t, e)

	began := time.Now()
	put := must(client.Do(signed(t, http.MethodPut, e.URL+"/bucket/large", io.LimitReader(zeros{}, size), size)))(t)
	if text := read(t, put.Body); put.StatusCode != http.StatusOK {
		t.Fatalf("PUT: %s\n%s", put.Status, text)
	}
	afterPut, putTook := peakMemory(t, e), time.Since(began)

	began = time.Now()
	get := must(client.Do(signed(t, http.MethodGet, e.URL+"/bucket/large", nil, 0)))(t)
	n := must(io.Copy(zeros{}, get.Body))(t)
	if err := get.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if get.StatusCode != http.StatusOK || n != size {
		t.Fatalf("GET: %s, %d bytes of %d", get.Status, n, size)
	}
	afterGet := peakMemory(t, e)
	t.Logf("%d MiB: PUT %.0f MB/s, GET %.0f MB/s; memory idle %d MiB, after PUT %d, after GET %d",
		size>>20, float64(size)/1e6/putTook.Seconds(), float64(size)/1e6/time.Since(began).Seconds(), idle>>20, afterPut>>20, afterGet>>20)
	if grown := max(afterPut, afterGet) - idle; grown > memoryAllowed {
		t.Errorf("the process grew by %d MiB, want at most %d", grown>>20, memoryAllowed>>20)
	}
}

// peakMemory is the most memory that the process has had resident, in bytes.
func peakMemory(t *testing.T, e *emulator) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// zeros reads as zeros without end, and takes nothing else when written to.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (zeros) Write(p []byte) (int, error) {
	for i, b := range p {
		if b != 0 {
			return i, fmt.Errorf("byte %#x is not what was uploaded", b)
		}
	}
	return len(p), nil
}

// signed is a request of account A to S3 whose body is not part of the signature: it
// streams.
func signed(t *testing.T, method, url string, body io.Reader, size int64) *http.Request {
	t.Helper()
	const unsigned = "UNSIGNED-PAYLOAD"
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = size
	req.Header.Set("X-Amz-Content-Sha256", unsigned)
	creds := aws.Credentials{AccessKeyID: accountA, SecretAccessKey: "test"}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, req, unsigned, "s3", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return req
}
