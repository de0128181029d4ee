package s3api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"twinbucket/iamsim/sigv4"
)

// frameWriter is a response writer that costs nothing.
type frameWriter struct{ header http.Header }

func (d *frameWriter) Header() http.Header         { return d.header }
func (d *frameWriter) Write(p []byte) (int, error) { return len(p), nil }
func (d *frameWriter) WriteHeader(int)             {}

// BenchmarkFrame is the frame's own cost around the smallest operation: signature,
// routing, bucket lookup and authorization of an IAM user under a bucket policy.
func BenchmarkFrame(b *testing.B) {
	f := newFixture(b)
	f.bucket(accountA, "bench", "us-east-1", false)
	f.put(accountA, "/bench?policy", statement("Deny", `"*"`, `"s3:*"`, `["arn:aws:s3:::bench","arn:aws:s3:::bench/*"]`, `{"StringEquals":{"aws:PrincipalAccount":"999999999999"}}`))
	user := f.user(accountA, "bench", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`)
	client := f.request(call{method: "GET", target: "/bench?location", as: user})
	r := httptest.NewRequest("GET", client.URL.RequestURI(), nil)
	r.Header, r.Host = client.Header, client.URL.Host
	f.api.cfg.Record = nil
	b.ReportAllocs()
	for b.Loop() {
		w := &frameWriter{header: http.Header{}}
		signed, err := sigv4.Parse(r)
		f.api.Serve(w, r, signed, err)
		if !strings.HasPrefix(w.header.Get("Content-Type"), "application/xml") || w.header.Get("Content-Length") == "" {
			b.Fatal(w.header)
		}
	}
}
