package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The benchmarks drive a whole server over TCP in this process: signature, policies,
// encryption, store. Each reports the process's CPU time a request, client included;
// BenchmarkBareHandler is the same client against a handler that does nothing, so the
// difference is the server's.

const benchAccount = "111122223333"

// rig is one server with a client.
type rig struct {
	*Server
	http *http.Client
	cfg  aws.Config
}

func newRig(b testing.TB, data string) *rig {
	b.Helper()
	s := New(Config{Listen: "127.0.0.1:0", Data: data})
	if err := s.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		for _, err := range s.Check(context.Background()) {
			b.Error(err)
		}
		if err := s.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return &rig{Server: s, http: benchClient(b), cfg: aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(benchAccount, "test", ""),
	}}
}

func benchClient(b testing.TB) *http.Client {
	t := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	b.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

func (r *rig) s3(region string) *s3.Client {
	return s3.NewFromConfig(r.cfg, func(o *s3.Options) { o.UsePathStyle, o.Region = true, region })
}

// bucket makes a bucket; versioned as asked.
func (r *rig) bucket(b testing.TB, name, region string, versioned bool) {
	b.Helper()
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	must(b)(r.s3(region).CreateBucket(b.Context(), in))
	if versioned {
		must(b)(r.s3(region).PutBucketVersioning(b.Context(), &s3.PutBucketVersioningInput{Bucket: &name,
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}))
	}
}

func (r *rig) key(b testing.TB, region string) string {
	b.Helper()
	out, err := kms.NewFromConfig(r.cfg, func(o *kms.Options) { o.Region = region }).CreateKey(b.Context(), &kms.CreateKeyInput{})
	if err != nil {
		b.Fatal(err)
	}
	return *out.KeyMetadata.Arn
}

func must(b testing.TB) func(any, error) {
	b.Helper()
	return func(_ any, err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
}

// signedHeader signs one request once: within the 15 minutes of a signature it may be
// sent again and again, so that the benchmark measures the server's side.
func (r *rig) signedHeader(b testing.TB, method, url string, body []byte, extra map[string]string) http.Header {
	b.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	for k, v := range extra {
		req.Header.Set(k, v)
	}
	creds := aws.Credentials{AccessKeyID: benchAccount, SecretAccessKey: "test"}
	if err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(b.Context(), creds, req, hash, "s3", "us-east-1", time.Now()); err != nil {
		b.Fatal(err)
	}
	return req.Header
}

// send does one request and reads the answer to the end.
func send(client *http.Client, method, url string, header http.Header, body []byte) error {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, b)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// cpu is the time this process has spent on its processors.
func cpu(b testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// load runs b.N requests from n clients.
func load(b *testing.B, clients, size int, do func(client int) error) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(size))
	b.ResetTimer()
	before := cpu(b)
	var wg sync.WaitGroup
	errs := make(chan error, clients)
	for c := range clients {
		share := b.N / clients
		if c < b.N%clients {
			share++
		}
		wg.Add(1)
		go func() { // ends with its share
			defer wg.Done()
			for range share {
				if err := do(c); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	select {
	case err := <-errs:
		b.Fatal(err)
	default:
	}
}

var sizes = []struct {
	name  string
	bytes int
}{{"4KiB", 4 << 10}, {"8MiB", 8 << 20}}

func BenchmarkBareHandler(b *testing.B) {
	for _, size := range sizes {
		body := bytes.Repeat([]byte("x"), size.bytes)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
				_, _ = w.Write(body)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
		}))
		b.Cleanup(srv.Close)
		client := benchClient(b)
		for _, method := range []string{"PUT", "GET"} {
			for _, clients := range []int{1, 32} {
				b.Run(fmt.Sprintf("%s/%s/%dclients", method, size.name, clients), func(b *testing.B) {
					payload := body
					if method == "GET" {
						payload = nil
					}
					load(b, clients, size.bytes, func(int) error { return send(client, method, srv.URL+"/k", http.Header{}, payload) })
				})
			}
		}
	}
}

// objectRequests runs PUT or GET over every combination.
func objectRequests(b *testing.B, method string) {
	for _, store := range []string{"memory", "data"} {
		for _, sse := range []string{"SSE-S3", "SSE-KMS"} {
			for _, size := range sizes {
				for _, clients := range []int{1, 32} {
					b.Run(fmt.Sprintf("%s/%s/%s/%dclients", store, sse, size.name, clients), func(b *testing.B) {
						objectRequest(b, method, store, sse, size.bytes, clients)
					})
				}
			}
		}
	}
}

func objectRequest(b *testing.B, method, store, sse string, size, clients int) {
	dir := ""
	if store == "data" {
		dir = b.TempDir()
	}
	r := newRig(b, dir)
	r.bucket(b, "bench", "us-east-1", false) // overwrites keep the store small
	extra := map[string]string{}
	if sse == "SSE-KMS" {
		extra["X-Amz-Server-Side-Encryption"] = "aws:kms"
		extra["X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"] = r.key(b, "us-east-1")
	}
	body := bytes.Repeat([]byte("twinbucket "), size/11+1)[:size]
	urls := make([]string, clients)
	puts, gets := make([]http.Header, clients), make([]http.Header, clients)
	for c := range clients {
		urls[c] = fmt.Sprintf("%s/bench/key-%d", r.URL(), c)
		puts[c] = r.signedHeader(b, "PUT", urls[c], body, extra)
		gets[c] = r.signedHeader(b, "GET", urls[c], nil, nil)
		if err := send(r.http, "PUT", urls[c], puts[c], body); err != nil {
			b.Fatal(err)
		}
	}
	load(b, clients, size, func(c int) error {
		if method == "PUT" {
			return send(r.http, "PUT", urls[c], puts[c], body)
		}
		return send(r.http, "GET", urls[c], gets[c], nil)
	})
}

func BenchmarkPutObject(b *testing.B) { objectRequests(b, "PUT") }
func BenchmarkGetObject(b *testing.B) { objectRequests(b, "GET") }

// BenchmarkListObjectsV2 lists 1,000 of 100,000 keys from the middle of the bucket.
func BenchmarkListObjectsV2(b *testing.B) {
	r := newRig(b, "")
	r.bucket(b, "bench", "us-east-1", false)
	const keys, writers = 100_000, 8
	var wg sync.WaitGroup
	client := r.s3("us-east-1")
	errs := make(chan error, writers)
	for w := range writers {
		wg.Add(1)
		go func() { // ends with its share of the keys
			defer wg.Done()
			for i := w; i < keys; i += writers {
				if _, err := client.PutObject(b.Context(), &s3.PutObjectInput{Bucket: aws.String("bench"), Key: aws.String(fmt.Sprintf("dir-%02d/key-%06d", i%50, i)), Body: strings.NewReader("x")}); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	wg.Wait()
	select {
	case err := <-errs:
		b.Fatal(err)
	default:
	}
	for _, q := range []struct{ name, query string }{
		{"1000of100k", "list-type=2&max-keys=1000&start-after=dir-25%2F"},
		{"delimiter50prefixes", "delimiter=%2F&list-type=2"},
	} {
		b.Run(q.name, func(b *testing.B) {
			url := r.URL() + "/bench?" + q.query
			header := r.signedHeader(b, "GET", url, nil, nil)
			load(b, 1, 0, func(int) error { return send(r.http, "GET", url, header, nil) })
		})
	}
}
