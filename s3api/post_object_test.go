package s3api

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/failure"
)

// postFields are the fields of a form, in order.
type postFields [][2]string

// set replaces a field, or drops it with "".
func (p postFields) set(name, value string) postFields {
	var out postFields
	found := false
	for _, f := range p {
		if strings.EqualFold(f[0], name) {
			found = true
			f[1] = value
		}
		if f[1] != "" {
			out = append(out, f)
		}
	}
	if !found && value != "" {
		out = append(out, [2]string{name, value})
	}
	return out
}

// signedForm signs conditions for a form, which gets a field for every simple one. The policy
// ends in an hour.
func signedForm(id identity, conditions string, fields ...string) postFields {
	return signedFormUntil(id, time.Now().Add(time.Hour), conditions, fields...)
}

func signedFormUntil(id identity, ends time.Time, conditions string, fields ...string) postFields {
	now := time.Now().UTC()
	date, day := now.Format("20060102T150405Z"), now.Format("20060102")
	credential := id.key + "/" + day + "/us-east-1/s3/aws4_request"
	doc := `{"expiration":"` + ends.UTC().Format(time.RFC3339) + `","conditions":[` + conditions
	if conditions != "" {
		doc += ","
	}
	doc += `{"x-amz-algorithm":"AWS4-HMAC-SHA256"},{"x-amz-credential":"` + credential + `"},{"x-amz-date":"` + date + `"}]}`
	policy := base64.StdEncoding.EncodeToString([]byte(doc))
	key := []byte("AWS4" + id.secret)
	for _, s := range []string{day, "us-east-1", "s3", "aws4_request", policy} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		key = h.Sum(nil)
	}
	out := postFields{}
	for i := 0; i < len(fields); i += 2 {
		out = append(out, [2]string{fields[i], fields[i+1]})
	}
	return append(out, postFields{{"X-Amz-Algorithm", "AWS4-HMAC-SHA256"}, {"X-Amz-Credential", credential}, {"X-Amz-Date", date},
		{"Policy", policy}, {"X-Amz-Signature", hex.EncodeToString(key)}}...)
}

// post sends a form with a file.
func (f *fixture) post(target string, fields postFields, filename, content string) answer {
	f.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range fields {
		must(f.t, w.WriteField(p[0], p[1]))
	}
	part, err := w.CreateFormFile("file", filename)
	must(f.t, err)
	_, err = part.Write([]byte(content))
	must(f.t, err)
	must(f.t, w.WriteField("after", "ignored"))
	must(f.t, w.Close())
	return f.do(call{method: "POST", target: target, body: b.String(), noMD5: true, unsigned: true, header: http.Header{"Content-Type": {w.FormDataContentType()}}})
}

func TestPostObject(t *testing.T) { // S330 to S334
	f := newFixture(t)
	f.bucket(accountA, "forms", "us-east-1", true)
	const anyKey = `{"bucket":"forms"},["starts-with","$key",""]`
	large := strings.Repeat("large file ", 50_000)
	a := f.post("/forms", signedForm(root(accountA), anyKey+`,{"content-type":"text/css"},{"x-amz-meta-a":"é"},["starts-with","$tagging",""],{"x-amz-storage-class":"STANDARD_IA"},["starts-with","$x-ignore-me","x"]`,
		"key", "dir/${filename}", "Content-Type", "text/css", "x-amz-meta-A", "é", "tagging", "<Tagging><TagSet><Tag><Key>k</Key><Value>v w</Value></Tag></TagSet></Tagging>",
		"x-amz-storage-class", "STANDARD_IA", "x-ignore-me", "x", "x-ignore-too", "y"), `my file.css`, large)
	if a.status != 204 || a.body != "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	want := map[string]string{"Etag": `"` + md5Hex(large) + `"`, "Location": f.server.URL + "/forms/dir/my%20file.css"}
	if diff := cmp.Diff(want, a.shown("Etag", "Location")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got := f.get("/forms/dir/my%20file.css")
	if got.body != large || got.header.Get("X-Amz-Version-Id") != a.header.Get("X-Amz-Version-Id") {
		t.Errorf("%d, %d bytes", got.status, len(got.body))
	}
	want = map[string]string{"Content-Type": "text/css", "X-Amz-Storage-Class": "STANDARD_IA", "X-Amz-Tagging-Count": "1", "X-Amz-Meta-A": "=?UTF-8?Q?=C3=A9?="}
	if diff := cmp.Diff(want, got.shown("Content-Type", "X-Amz-Storage-Class", "X-Amz-Tagging-Count", "X-Amz-Meta-A")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if e := f.lastEvent("PostObject"); e.UserIdentity.AccountID != accountA || e.Request["key"] != "dir/my file.css" {
		t.Errorf("event %+v", e)
	}

	success := func(extra string, fields ...string) answer {
		return f.post("/forms", signedForm(root(accountA), anyKey+extra, append(fields, "key", "k")...), "f", "x")
	}
	if a := success(`,{"success_action_status":"200"}`, "success_action_status", "200"); a.status != 200 || a.body != "" {
		t.Errorf("%d %q", a.status, a.body)
	}
	a = success(`,{"success_action_status":"201"}`, "success_action_status", "201")
	if a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	golden(t, "post_object.xml", strings.ReplaceAll(a.body, f.server.URL, "http://host"))
	if a := success(`,{"success_action_status":"418"}`, "success_action_status", "418"); a.status != 204 {
		t.Errorf("%d", a.status)
	}
	a = success(`,["starts-with","$success_action_redirect","https://example.com/"]`, "success_action_redirect", "https://example.com/done?a=b")
	if got, want := a.header.Get("Location"), "https://example.com/done?a=b&bucket=forms&key=k&etag=%229dd4e461268c8034f5c8564e155c67a6%22"; a.status != 303 || got != want {
		t.Errorf("%d %s, want %s", a.status, got, want)
	}
	if a := success(`,{"success_action_redirect":"nowhere"}`, "success_action_redirect", "nowhere"); a.status != 204 {
		t.Errorf("%d", a.status)
	}
	// The old signature does too.
	policy := base64.StdEncoding.EncodeToString([]byte(`{"expiration":"2099-01-01T00:00:00Z","conditions":[` + anyKey + `]}`))
	h := hmac.New(sha1.New, []byte("test"))
	h.Write([]byte(policy))
	old := postFields{{"key", "old"}, {"AWSAccessKeyId", accountA}, {"policy", policy}, {"signature", base64.StdEncoding.EncodeToString(h.Sum(nil))}}
	if a := f.post("/forms", old, "f", "x"); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}
	f.wantError(f.post("/forms", old.set("signature", "AAAA"), "f", "x"), 403, "SignatureDoesNotMatch", "")
	f.wantError(f.post("/forms", old.set("signature", ""), "f", "x"), 400, "InvalidArgument", "Bucket POST must contain a field named 'Signature'.  If it is specified, please check the order of the fields.")
	f.wantError(f.post("/forms", old.set("awsaccesskeyid", ""), "f", "x"), 400, "InvalidArgument", "Bucket POST must contain a field named 'AWSAccessKeyId'.  If it is specified, please check the order of the fields.")
}

func TestPostObjectRefusals(t *testing.T) { // S330, S331
	f := newFixture(t)
	f.bucket(accountA, "forms", "us-east-1", false)
	user := f.user(accountA, "poster", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::forms/mine/*"}}`)
	const anyKey = `{"bucket":"forms"},["starts-with","$key",""]`
	redirect := `http://localhost.test/random`
	with := func(conditions string, fields ...string) postFields {
		return signedForm(root(accountA), conditions, append(fields, "key", "k")...)
	}
	policy := func(doc string) postFields {
		return with(anyKey).set("policy", base64.StdEncoding.EncodeToString([]byte(doc)))
	}
	resigned := func(doc string) postFields { // any text, rightly signed
		encoded := base64.StdEncoding.EncodeToString([]byte(doc))
		h := hmac.New(sha1.New, []byte("test"))
		h.Write([]byte(encoded))
		return postFields{{"key", "k"}, {"AWSAccessKeyId", accountA}, {"policy", encoded}, {"signature", base64.StdEncoding.EncodeToString(h.Sum(nil))}}
	}
	tests := []struct {
		name          string
		fields        postFields
		status        int
		code, message string
		extra         map[string]string
	}{
		{"expired", signedFormUntil(root(accountA), time.Now().Add(-time.Minute), anyKey, "key", "k"), 403, "AccessDenied", "Invalid according to Policy: Policy expired.", nil},
		{"another policy", policy("{}"), 403, "SignatureDoesNotMatch", "", map[string]string{"AWSAccessKeyId": accountA, "StringToSign": "e30=", "CanonicalRequest": ""}},
		{"no signature", with(anyKey).set("x-amz-signature", ""), 400, "InvalidArgument", "Bucket POST must contain a field named 'X-Amz-Signature'.  If it is specified, please check the order of the fields.", map[string]string{"ArgumentName": "X-Amz-Signature"}},
		{"no algorithm", with(anyKey).set("x-amz-algorithm", ""), 400, "InvalidArgument", "Bucket POST must contain a field named 'X-Amz-Algorithm'.  If it is specified, please check the order of the fields.", nil},
		{"nothing of a signature", postFields{{"key", "k"}, {"policy", "e30="}}, 403, "AccessDenied", "Access Denied", nil},
		{"anonymous", postFields{{"key", "k"}}, 403, "AccessDenied", "Access Denied", nil},
		{"no key", with(anyKey).set("key", ""), 400, "InvalidArgument", "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.", map[string]string{"ArgumentName": "key"}},
		{"long key", with(anyKey).set("key", strings.Repeat("k", 1025)), 400, "KeyTooLongError", "", nil},
		{"another bucket", with(`{"bucket":"other"},["starts-with","$key",""]`), 403, "AccessDenied", `Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "other"]`, nil},
		{"eq", with(anyKey + `,["eq","$success_action_redirect","` + redirect + `"]`), 403, "AccessDenied", `Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_redirect", "` + redirect + `"]`, nil},
		{"no prefix", with(anyKey+`,["eq","success_action_redirect","`+redirect+`"]`, "success_action_redirect", redirect), 403, "AccessDenied", `Invalid according to Policy: Policy Condition failed: ["eq", "success_action_redirect", "` + redirect + `"]`, nil},
		{"starts-with", with(anyKey+`,["starts-with","$success_action_redirect","http://localhost"]`, "success_action_redirect", "https://x"), 403, "AccessDenied", `Invalid according to Policy: Policy Condition failed: ["starts-with", "$success_action_redirect", "http://localhost"]`, nil},
		{"case of the value", with(anyKey+`,["eq","$success_action_redirect","HTTP://x"]`, "success_action_redirect", "http://x"), 403, "AccessDenied", `Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_redirect", "HTTP://x"]`, nil},
		{"wrong range", with(anyKey + `,["content-length-range","test",10]`), 403, "AccessDenied", `Invalid according to Policy: Policy Condition failed: ["content-length-range", "test", "10"]`, nil},
		{"extra fields", with(anyKey, "x-amz-meta-b", "1", "x-amz-meta-a", "2"), 403, "AccessDenied", "Invalid according to Policy: Extra input fields: x-amz-meta-b, x-amz-meta-a", nil},
		{"too large", with(anyKey + `,["content-length-range",1,10]`), 400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", map[string]string{"ProposedSize": "12", "MaxSizeAllowed": "10"}},
		{"too small", with(anyKey + `,["content-length-range","50","100"]`), 400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", map[string]string{"ProposedSize": "12", "MinSizeAllowed": "50"}},
		{"tagging", with(anyKey+`,["starts-with","$tagging",""]`, "tagging", "not xml"), 400, "MalformedXML", "", nil},
		{"storage class", with(anyKey+`,["starts-with","$x-amz-storage-class",""]`, "x-amz-storage-class", "FakeClass"), 400, "InvalidStorageClass", "", map[string]string{"StorageClassRequested": "FakeClass"}},
		{"checksum", with(anyKey+`,["starts-with","$x-amz-checksum-crc32",""]`, "x-amz-checksum-crc32", "AAAAAA=="), 400, "BadDigest", "The CRC32 you specified did not match the calculated checksum.", nil},
		{"content md5", with(anyKey+`,["starts-with","$content-md5",""]`, "Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA=="), 400, "BadDigest", "", nil},
		{"permission", signedForm(user, anyKey, "key", "yours/k"), 403, "AccessDenied", "", nil},
		{"credential", with(anyKey).set("x-amz-credential", "a/b"), 400, "AuthorizationQueryParametersError", "", nil},
		{"no JSON", resigned("{"), 400, "InvalidPolicyDocument", "Invalid Policy: Invalid JSON.", nil},
		{"more than JSON", resigned(`{"expiration":"2099-01-01T00:00:00Z","conditions":[]} x`), 400, "InvalidPolicyDocument", "Invalid Policy: Invalid JSON.", nil},
		{"no expiration", resigned(`{"conditions":[]}`), 400, "InvalidPolicyDocument", "Invalid Policy: Policy missing expiration.", nil},
		{"no conditions", resigned(`{"expiration":"2099-01-01T00:00:00Z"}`), 400, "InvalidPolicyDocument", "Invalid Policy: Policy missing conditions.", nil},
		{"expiration", resigned(`{"expiration":"soon","conditions":[]}`), 400, "InvalidPolicyDocument", "Invalid Policy: Invalid 'expiration' value: 'soon'", nil},
		{"two properties", resigned(`{"expiration":"2099-01-01T00:00:00Z","conditions":[{"a":"b","c":"d"}]}`), 400, "InvalidPolicyDocument",
			"Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.", nil},
		{"operation", resigned(`{"expiration":"2099-01-01T00:00:00Z","conditions":[["ends-with","$key","x"]]}`), 400, "InvalidPolicyDocument", "Invalid Policy: Invalid Condition: unknown operation 'ends-with'.", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := f.wantError(f.post("/forms", tt.fields, "f", "twelve bytes"), tt.status, tt.code, tt.message)
			for name, want := range tt.extra {
				if got := e.field(name); got != want {
					t.Errorf("%s %q, want %q", name, got, want)
				}
			}
		})
	}
	if a := f.post("/forms", signedForm(user, anyKey, "key", "mine/k"), "f", "x"); a.status != 204 {
		t.Errorf("what is allowed: %d %s", a.status, a.body)
	}
	if a := f.get("/forms/k"); a.status != 404 {
		t.Errorf("something was stored: %d", a.status)
	}
}

func TestPostObjectMalformed(t *testing.T) { // S332
	f := newFixture(t)
	f.bucket(accountA, "forms", "us-east-1", false)
	const form = "multipart/form-data; boundary=b"
	field := func(name, value string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	tests := []struct {
		name, contentType, body string
		status                  int
		code, message           string
	}{
		{"no form", "text/plain", "x", 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"},
		{"no type", "", "x", 412, "PreconditionFailed", ""},
		{"no boundary", "multipart/form-data", "x", 400, "MalformedPOSTRequest", ""},
		{"no parts", form, "garbage", 400, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data."},
		{"no file", form, field("key", "k") + "--b--\r\n", 400, "InvalidArgument", "POST requires exactly one file upload per request."},
		{"cut in the file", form, field("key", "k") + "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nabc", 400, "MalformedPOSTRequest", ""},
		{"twice", form, field("key", "k") + field("KEY", "l") + field("file", "x") + "--b--\r\n", 400, "InvalidArgument", ""},
		{"too much", form, field("key", strings.Repeat("k", maxPostFields)) + field("file", "x") + "--b--\r\n", 400, "MaxPostPreDataLengthExceeded", ""},
		{"nameless", form, "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n", 400, "MalformedPOSTRequest", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// Whoever signs the request itself needs no signature in the form.
			a := f.do(call{method: "POST", target: "/forms", body: tt.body, noMD5: true, header: http.Header{"Content-Type": {tt.contentType}}})
			e := f.wantError(a, tt.status, tt.code, tt.message)
			if tt.status == 412 && e.field("Condition") != "Bucket POST must be of the enclosure-type multipart/form-data" {
				t.Errorf("%+v", e.Fields)
			}
		})
	}
	if a := f.do(call{method: "POST", target: "/forms", body: field("key", "k") + field("file", "x") + "--b--\r\n", noMD5: true, header: http.Header{"Content-Type": {form}}}); a.status != 204 {
		t.Errorf("signed request: %d %s", a.status, a.body)
	}
}

// FuzzPostPolicy: every text is a policy or InvalidPolicyDocument, and what is a policy can be
// held against a form.
func FuzzPostPolicy(f *testing.F) {
	f.Add(`{"expiration":"2099-01-01T00:00:00Z","conditions":[{"bucket":"b"},["starts-with","$key",""],["content-length-range",1,"2"],["eq","x","y"]]}`)
	f.Add(`{"expiration":1,"conditions":null}`)
	f.Add(`[]`)
	f.Add("{\"expiration\":\"2099-01-01T00:00:00Z\",\"conditions\":[[null,null,null],[\"eq\"],3,{\"\":\"\\u0000\"}]}")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePostPolicy(base64.StdEncoding.EncodeToString([]byte(text)))
		if err != nil {
			if failure.CodeOf(err) != "InvalidPolicyDocument" {
				t.Fatalf("%v", err)
			}
			return
		}
		form := &postForm{names: []string{"key"}, values: map[string]string{"key": "k"}}
		if err := p.check(form, "b", "k"); err != nil && failure.CodeOf(err) != "AccessDenied" {
			t.Fatalf("%v", err)
		}
		if err := p.checkSize(5); p.sizes && (5 < p.min || 5 > p.max) != (err != nil) {
			t.Fatalf("%+v: %v", p, err)
		}
	})
}

// FuzzPostForm: whatever is sent, there is a form with a file or a failure with a status.
func FuzzPostForm(f *testing.F) {
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\ndata\r\n--b--\r\n")
	f.Add("multipart/form-data; boundary=\"\"", "----\r\n")
	f.Add("multipart/form-data", "")
	f.Add("text/plain; boundary=b", "--b--")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		form, err := readPostForm(contentType, strings.NewReader(body))
		if err != nil {
			if out := wire(err); out.status >= 500 {
				t.Fatalf("%v", err)
			}
			return
		}
		if form.file == nil || len(form.names) != len(form.values) {
			t.Fatalf("%+v", form)
		}
		if _, err := form.headers(); err != nil && wire(err).status >= 500 {
			t.Fatalf("%v", err)
		}
	})
}
