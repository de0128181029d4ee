package s3api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkDeleteObjects deletes 1,000 objects with one request. Putting them is not measured.
func BenchmarkDeleteObjects(b *testing.B) {
	f := newFixture(b)
	f.bucket(accountA, "bkt", "us-east-1", false)
	var body strings.Builder
	body.WriteString("<Delete><Quiet>true</Quiet>")
	for i := range maxDeleted {
		fmt.Fprintf(&body, "<Object><Key>k%04d</Key></Object>", i)
	}
	body.WriteString("</Delete>")
	b.ReportAllocs()
	for range b.N {
		b.StopTimer()
		for i := range maxDeleted {
			if a := f.do(call{method: "PUT", target: fmt.Sprintf("/bkt/k%04d", i), body: "x", noMD5: true}); a.status != http.StatusOK {
				b.Fatalf("%d %s", a.status, a.body)
			}
		}
		b.StartTimer()
		if a := f.do(call{method: "POST", target: "/bkt?delete", body: body.String()}); a.status != http.StatusOK || strings.Contains(a.body, "<Error>") {
			b.Fatalf("%d %.300s", a.status, a.body)
		}
	}
}
