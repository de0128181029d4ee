package s3api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// benchClient sends signed requests to a fixture over its own connections.
type benchClient struct {
	f         *fixture
	transport *http.Transport
	signer    *v4.Signer
	creds     aws.Credentials
	header    http.Header
}

func newBenchClient(b *testing.B, f *fixture, clients int, kms bool) *benchClient {
	b.Helper()
	creds, err := root(accountA).provider().Retrieve(b.Context())
	must(b, err)
	c := &benchClient{f: f, transport: &http.Transport{MaxIdleConnsPerHost: clients}, signer: v4.NewSigner(), creds: creds, header: http.Header{}}
	b.Cleanup(c.transport.CloseIdleConnections)
	if kms {
		c.header.Set(sseHeader, "aws:kms")
		c.header.Set(sseKeyIDHeader, "cmk")
	}
	return c
}

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func (c *benchClient) do(b *testing.B, method, target string, body []byte, hash string) {
	r, err := http.NewRequestWithContext(b.Context(), method, c.f.server.URL+target, bytes.NewReader(body))
	must(b, err)
	if body != nil {
		r.Header = c.header.Clone()
	}
	r.Header.Set("X-Amz-Content-Sha256", hash)
	must(b, c.signer.SignHTTP(b.Context(), c.creds, r, hash, "s3", "us-east-1", time.Now()))
	resp, err := c.transport.RoundTrip(r)
	must(b, err)
	_, err = io.Copy(io.Discard, resp.Body)
	must(b, err)
	resp.Body.Close()
	if resp.StatusCode != 200 {
		b.Errorf("%s %s: %d", method, target, resp.StatusCode)
	}
}

// BenchmarkObjects measures PUT and GET through net/http with signatures, the client's own
// work included, on a store in memory.
func BenchmarkObjects(b *testing.B) {
	for _, size := range []int{4 << 10, 8 << 20} {
		for _, kms := range []bool{false, true} {
			for _, clients := range []int{1, 32} {
				name := fmt.Sprintf("size=%d/kms=%v/clients=%d", size, kms, clients)
				body := bytes.Repeat([]byte("x"), size)
				sum := sha256.Sum256(body)
				hash := hex.EncodeToString(sum[:])
				run := func(b *testing.B, op func(c *benchClient, n int64)) {
					f, _ := newKMSFixture(b)
					f.bucket(accountA, "bkt", "us-east-1", false)
					c := newBenchClient(b, f, clients, kms)
					c.do(b, "PUT", "/bkt/k", body, hash)
					b.SetBytes(int64(size))
					b.ReportAllocs()
					var n atomic.Int64
					b.ResetTimer()
					if clients == 1 {
						for b.Loop() {
							op(c, n.Add(1))
						}
						return
					}
					b.SetParallelism(clients) // times GOMAXPROCS
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							op(c, n.Add(1))
						}
					})
				}
				b.Run("Put/"+name, func(b *testing.B) {
					run(b, func(c *benchClient, n int64) { c.do(b, "PUT", fmt.Sprintf("/bkt/k%d", n%1000), body, hash) })
				})
				b.Run("Get/"+name, func(b *testing.B) {
					run(b, func(c *benchClient, _ int64) { c.do(b, "GET", "/bkt/k", nil, emptyHash) })
				})
			}
		}
	}
}

// devNull is a response writer that keeps nothing.
type devNull struct{ h http.Header }

func (d *devNull) Header() http.Header         { return d.h }
func (d *devNull) Write(p []byte) (int, error) { return len(p), nil }
func (d *devNull) WriteHeader(int)             {}

// BenchmarkObjectServe measures the server's side alone: no connection, no client.
func BenchmarkObjectServe(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 4<<10)
	sum := sha256.Sum256(body)
	for _, c := range []struct {
		name, method, target, hash string
		kms                        bool
	}{
		{"Put", "PUT", "/bkt/k", hex.EncodeToString(sum[:]), false}, {"PutKMS", "PUT", "/bkt/k", hex.EncodeToString(sum[:]), true},
		{"Get", "GET", "/bkt/k", emptyHash, false}, {"List1000", "GET", "/bkt?list-type=2", emptyHash, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			f, _ := newKMSFixture(b)
			f.bucket(accountA, "bkt", "us-east-1", false)
			client := newBenchClient(b, f, 1, c.kms)
			keys := 1
			if c.name == "List1000" {
				keys = 1000
			}
			put := hex.EncodeToString(sum[:])
			for i := range keys {
				client.do(b, "PUT", fmt.Sprintf("/bkt/a-key-of-some-length-%d", i), body, put)
			}
			client.do(b, "PUT", "/bkt/k", body, put)
			r, err := http.NewRequestWithContext(b.Context(), c.method, f.server.URL+c.target, nil)
			must(b, err)
			if c.method == "PUT" {
				r.Header = client.header.Clone()
				r.ContentLength = int64(len(body))
			}
			r.Header.Set("X-Amz-Content-Sha256", c.hash)
			must(b, client.signer.SignHTTP(b.Context(), client.creds, r, c.hash, "s3", "us-east-1", time.Now()))
			r.RequestURI = r.URL.RequestURI()
			r.RemoteAddr = "127.0.0.1:1"
			r.Host = r.URL.Host
			b.ReportAllocs()
			for b.Loop() {
				in := *r
				in.Body = http.NoBody
				if c.method == "PUT" {
					in.Body = io.NopCloser(bytes.NewReader(body))
				}
				f.serve(&devNull{http.Header{}}, &in)
			}
		})
	}
}
