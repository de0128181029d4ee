package s3api

import (
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// zeros reads as n zero bytes.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.n))
	clear(p[:n])
	z.n -= int64(n)
	return n, nil
}

func (z *zeros) Close() error { return nil }

// A large object streams: the heap does not grow with its size.
func TestLargeObjectStreams(t *testing.T) {
	if testing.Short() {
		return // a gigabyte takes seconds
	}
	const size, limit = 1 << 30, 64 << 20
	f, _ := newKMSFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	creds, err := root(accountA).provider().Retrieve(t.Context())
	must(t, err)
	do := func(method string, body io.ReadCloser) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, f.server.URL+"/bkt/large", body)
		must(t, err)
		if body != nil {
			r.ContentLength = size
			r.Header.Set(sseHeader, "aws:kms")
			r.Header.Set(sseKeyIDHeader, "cmk")
		}
		const payload = "UNSIGNED-PAYLOAD"
		r.Header.Set("X-Amz-Content-Sha256", payload)
		must(t, v4.NewSigner().SignHTTP(t.Context(), creds, r, payload, "s3", "us-east-1", time.Now()))
		resp, err := http.DefaultTransport.RoundTrip(r)
		must(t, err)
		if resp.StatusCode != 200 {
			text, err := io.ReadAll(resp.Body)
			t.Fatalf("%s: %d %s %v", method, resp.StatusCode, text, err)
		}
		return resp
	}

	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	peak, stop := make(chan uint64), make(chan struct{})
	go func() { // ends when stop is closed
		var most uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-stop:
				peak <- most
				return
			case <-tick.C:
			}
		}
	}()
	must(t, do("PUT", &zeros{size}).Body.Close())
	got := do("GET", nil)
	n, err := io.Copy(io.Discard, got.Body)
	must(t, err)
	must(t, got.Body.Close())
	close(stop)
	most := <-peak
	if n != size {
		t.Errorf("GET gave %d bytes", n)
	}
	if most > before.HeapInuse+limit {
		t.Errorf("heap in use rose from %d to %d MiB, want at most %d more", before.HeapInuse>>20, most>>20, limit>>20)
	}
	t.Logf("heap in use: %d MiB before, %d MiB at most", before.HeapInuse>>20, most>>20)
}
