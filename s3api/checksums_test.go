package s3api

import (
	"fmt"
	"strings"
	"testing"

	"twinbucket/internal/checksum"
)

// Every algorithm, as header and as trailer, right and wrong, in one piece and in parts.
func TestChecksumAlgorithms(t *testing.T) { // S306
	for _, a := range checksum.Algorithms() {
		t.Run(string(a), func(t *testing.T) {
			f := newFixture(t)
			f.bucket(accountA, "bkt", "us-east-1", false)
			content := strings.Repeat("content", 3000)
			sum := sumOf(a, content)
			stored := func(target string) {
				t.Helper()
				h := f.head(target, "x-amz-checksum-mode", "ENABLED")
				if got := h.header.Get(a.Header()); got != sum || h.header.Get("X-Amz-Checksum-Type") != "FULL_OBJECT" {
					t.Errorf("%s: %q, want %q, %v", target, got, sum, h.header)
				}
			}
			put := f.putText("/bkt/header", content, a.Header(), sum)
			if put.header.Get(a.Header()) != sum {
				t.Errorf("answered %v", put.header)
			}
			stored("/bkt/header")
			if got := f.chunkedPut(t.Context(), "/bkt/trailer", content, a.Header(), sum); got.status != 200 {
				t.Fatalf("trailer: %d %s", got.status, got.body)
			}
			stored("/bkt/trailer")
			wrong := sumOf(a, "something else")
			message := fmt.Sprintf("The %s you specified did not match the calculated checksum.", a)
			f.wantError(f.chunkedPut(t.Context(), "/bkt/x", content, a.Header(), wrong), 400, "BadDigest", message)
			refuse := func(code, message string, header ...string) {
				t.Helper()
				f.wantError(f.do(call{method: "PUT", target: "/bkt/x", body: content, header: headers(header...)}), 400, code, message)
			}
			refuse("BadDigest", message, a.Header(), wrong)
			refuse("InvalidRequest", "Value for "+a.Header()+" header is invalid.", a.Header(), "no base64!")
			refuse("InvalidRequest", "Value for "+a.Header()+" header is invalid.", a.Header(), "AA==")
			if list := f.get("/bkt?list-type=2").body; !strings.Contains(list, "<ChecksumAlgorithm>"+string(a)+"</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>") {
				t.Errorf("%s", list)
			}
			copied := f.copyTo("/bkt/copy", "bkt/header")
			if !strings.Contains(copied.body, "<Checksum"+string(a)+">"+sum+"<") {
				t.Errorf("copy: %s", copied.body)
			}
			stored("/bkt/copy")
			f.partsWith(t, a)
		})
	}
}

// partsWith uploads two parts under each type that a has, and is refused the others.
func (f *fixture) partsWith(t *testing.T, a checksum.Algorithm) {
	t.Helper()
	one, two := strings.Repeat("1", minPart), "2"
	for _, kind := range []checksum.Type{checksum.Composite, checksum.FullObject} {
		create := call{method: "POST", target: "/bkt/parts?uploads", header: headers("x-amz-checksum-algorithm", string(a), "x-amz-checksum-type", string(kind))}
		if _, err := a.ParseType(string(kind)); err != nil {
			f.wantError(f.do(create), 400, "InvalidRequest", fmt.Sprintf("The %s checksum type cannot be used with the %s checksum algorithm.", kind, a.Lower()))
			continue
		}
		created := f.do(create)
		if created.header.Get("X-Amz-Checksum-Type") != string(kind) {
			t.Errorf("created: %v", created.header)
		}
		id := between(created.body, "<UploadId>", "</UploadId>")
		list, want := "", ""
		var digests [][]byte
		for i, text := range []string{one, two} {
			sum := sumOf(a, text)
			etag := f.part("/bkt/parts", id, i+1, text, a.Header(), sum)
			list += onePart(i+1, etag, "<Checksum"+string(a)+">"+sum+"</Checksum"+string(a)+">")
			digest, err := checksum.Decode(a, sum)
			must(t, err)
			digests = append(digests, digest)
		}
		if want = checksum.CompositeValue(a, digests); kind == checksum.FullObject {
			want = sumOf(a, one+two)
		}
		done := f.complete("/bkt/parts", id, list)
		if got := between(done.body, "<Checksum"+string(a)+">", "<"); got != want {
			t.Errorf("%s: %s, want %s", kind, done.body, want)
		}
	}
}
