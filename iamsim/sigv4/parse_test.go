package sigv4

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	testCredential = "AKID/20260304/us-east-1/s3/aws4_request"
	testSignature  = "0000000000000000000000000000000000000000000000000000000000000000"
	testAuth       = "AWS4-HMAC-SHA256 Credential=" + testCredential + ", SignedHeaders=host;x-amz-date, Signature=" + testSignature
)

var testScope = Scope{Date: "20260304", Region: "us-east-1", Service: "s3"}

func TestParseHeader(t *testing.T) {
	accepted := map[string]string{
		"as the SDKs write it": testAuth,
		"without spaces":       strings.ReplaceAll(testAuth, ", ", ","),
		"another order": "AWS4-HMAC-SHA256 Signature=" + testSignature +
			", SignedHeaders=host;x-amz-date, Credential=" + testCredential,
	}
	for name, auth := range accepted {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, "GET", "/bucket", nil)
			r.Header.Set("Authorization", auth)
			r.Header.Set("X-Amz-Date", "20260304T050607Z")
			r.Header.Set("X-Amz-Security-Token", "token")
			r.Header.Set("X-Amz-Content-Sha256", emptyHash)
			got := mustParse(t, r)
			want := &Signed{
				Form: FormHeader, AccessKeyID: "AKID", Scope: testScope, SignedHeaders: []string{"host", "x-amz-date"},
				Signature: testSignature, SessionToken: "token", Time: testTime, ContentSHA256: emptyHash,
			}
			if d := cmp.Diff(got, want, cmpopts.IgnoreUnexported(Signed{})); d != "" {
				t.Error(d)
			}
			if got.Payload() != PayloadHash {
				t.Errorf("payload %v", got.Payload())
			}
		})
	}
}

func TestParseHeaderRefusals(t *testing.T) {
	known := &Error{Form: FormHeader, AccessKeyID: "AKID", Scope: testScope}
	with := func(base *Error, f func(*Error)) *Error {
		e := *base
		e.Form = FormHeader
		f(&e)
		return &e
	}
	bare := &Error{}
	const date = "20260304T050607Z"
	tests := map[string]struct {
		auth, date string
		want       *Error
	}{
		"other scheme": {"Bearer abc", date, with(bare, func(e *Error) { e.Kind, e.Value = UnsupportedAlgorithm, "Bearer" })},
		"sigv2":        {"AWS AKID:sig=", date, with(bare, func(e *Error) { e.Kind, e.AccessKeyID = SigV2, "AKID" })},
		"sigv4a": {strings.Replace(testAuth, "HMAC", "ECDSA-P256", 1), date,
			with(bare, func(e *Error) { e.Kind, e.Value = SigV4A, "AWS4-ECDSA-P256-SHA256" })},
		"empty": {"AWS4-HMAC-SHA256", date, with(bare, func(e *Error) {
			e.Kind, e.Missing = MissingComponents, []string{"Credential", "Signature", "SignedHeaders"}
		})},
		"no signature": {strings.Replace(testAuth, ", Signature="+testSignature, "", 1), date,
			with(bare, func(e *Error) { e.Kind, e.Missing = MissingComponents, []string{"Signature"} })},
		"garbage": {strings.Replace(testAuth, "SignedHeaders=", "SignedHeaders:", 1), date,
			with(bare, func(e *Error) { e.Kind, e.Value = MalformedHeader, "SignedHeaders:host;x-amz-date" })},
		"unknown component": {testAuth + ", X=1", date, with(bare, func(e *Error) { e.Kind, e.Value = MalformedHeader, "X=1" })},
		"repeated component": {testAuth + ", Signature=1", date,
			with(bare, func(e *Error) { e.Kind, e.Value = MalformedHeader, "Signature=1" })},
		"four parts": {strings.Replace(testAuth, "/s3", "", 1), date,
			with(bare, func(e *Error) { e.Kind, e.Value = MalformedCredential, "AKID/20260304/us-east-1/aws4_request" })},
		"six parts": {strings.Replace(testAuth, "/s3", "/s3/x", 1), date,
			with(bare, func(e *Error) { e.Kind, e.Value = MalformedCredential, "AKID/20260304/us-east-1/s3/x/aws4_request" })},
		"empty part": {strings.Replace(testAuth, "us-east-1", "", 1), date,
			with(bare, func(e *Error) { e.Kind, e.Value = MalformedCredential, "AKID/20260304//s3/aws4_request" })},
		"terminator": {strings.Replace(testAuth, "aws4_request", "aws5_request", 1), date,
			with(known, func(e *Error) { e.Kind, e.Value, e.Expected = WrongTerminator, "aws5_request", "aws4_request" })},
		"no date": {testAuth, "", with(known, func(e *Error) { e.Kind = MissingDate })},
		"extended date": {testAuth, "2026-03-04T05:06:07Z",
			with(known, func(e *Error) { e.Kind, e.Value = MalformedDate, "2026-03-04T05:06:07Z" })},
		"fractions": {testAuth, "20260304T050607.5Z", with(known, func(e *Error) { e.Kind, e.Value = MalformedDate, "20260304T050607.5Z" })},
		"impossible date": {testAuth, "20260304T990607Z",
			with(known, func(e *Error) { e.Kind, e.Value = MalformedDate, "20260304T990607Z" })},
		"other day": {testAuth, "20260305T000000Z",
			with(known, func(e *Error) { e.Kind, e.Value, e.Expected = ScopeDateMismatch, "20260304", "20260305" })},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, "GET", "/bucket", nil)
			r.Header.Set("Authorization", tt.auth)
			if tt.date != "" {
				r.Header.Set("X-Amz-Date", tt.date)
			}
			_, err := Parse(r)
			got := asError(t, err, tt.want.Kind)
			if k := tt.want.Kind; k == MissingComponents || k == MissingDate { // A17
				tt.want.AuthorizationHash = hashAuthorization(tt.auth)
			}
			if d := cmp.Diff(got, tt.want, cmpopts.IgnoreUnexported(Error{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseDateHeader(t *testing.T) {
	for _, date := range []string{
		"Wed, 04 Mar 2026 05:06:07 GMT", "Wed, 04 Mar 2026 05:06:07 -0000", "Wednesday, 04-Mar-26 05:06:07 GMT", "20260304T050607Z",
	} {
		r := newRequest(t, "GET", "/bucket", nil)
		r.Header.Set("Authorization", testAuth)
		r.Header.Set("Date", date)
		if s := mustParse(t, r); !s.Time.Equal(testTime) || s.dateText != "20260304T050607Z" {
			t.Errorf("%s: got %v, %q", date, s.Time, s.dateText)
		}
	}
}

func TestParseAnonymous(t *testing.T) {
	r := newRequest(t, "GET", "/bucket?list-type=2&X-Amz-Date=1&Expires=2", nil)
	s, err := Parse(r)
	if s != nil || !errors.Is(err, ErrAnonymous) {
		t.Fatalf("got %v, %v", s, err)
	}
	asError(t, err, MissingToken)
	r.Header.Set("Authorization", "Basic x")
	if _, err = Parse(r); errors.Is(err, ErrAnonymous) {
		t.Error("an unknown scheme must not pass for an anonymous request")
	}
}

func TestParseMultipleMechanisms(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"query v4":    func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=1" },
		"query v2":    func(r *http.Request) { r.URL.RawQuery = "AWSAccessKeyId=1" },
		"two headers": func(r *http.Request) { r.Header.Add("Authorization", testAuth) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, "GET", "/bucket", nil)
			r.Header.Set("Authorization", testAuth)
			change(r)
			_, err := Parse(r)
			asError(t, err, MultipleMechanisms)
		})
	}
}

// presigned is a URL's query with some parameters replaced; "-" leaves one out.
func presigned(replace map[string]string) string {
	query := ""
	for _, p := range [][2]string{
		{"X-Amz-Algorithm", algorithm}, {"X-Amz-Credential", testCredential}, {"X-Amz-Date", "20260304T050607Z"},
		{"X-Amz-Expires", "60"}, {"X-Amz-SignedHeaders", "host"}, {"X-Amz-Signature", testSignature},
	} {
		if v, ok := replace[p[0]]; ok {
			p[1] = v
		}
		if p[1] != "-" {
			query += "&" + p[0] + "=" + strings.NewReplacer("/", "%2F", ";", "%3B").Replace(p[1])
		}
	}
	return query[1:]
}

func TestParseQuery(t *testing.T) {
	r := newRequest(t, "GET", "/bucket/k?"+presigned(map[string]string{"X-Amz-SignedHeaders": "host;x-amz-meta-a"})+
		"&X-Amz-Security-Token=a%2Bb&X-Amz-Signature=second", nil)
	got := mustParse(t, r)
	want := &Signed{
		Form: FormQuery, AccessKeyID: "AKID", Scope: testScope, SignedHeaders: []string{"host", "x-amz-meta-a"},
		Signature: testSignature, SessionToken: "a+b", Time: testTime, Expires: time.Minute, ContentSHA256: unsignedPayload,
	}
	if d := cmp.Diff(got, want, cmpopts.IgnoreUnexported(Signed{})); d != "" {
		t.Error(d)
	}
}

func TestParseQueryRefusals(t *testing.T) {
	type fields = map[string]string
	all := []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"}
	tests := map[string]struct {
		query string
		want  Error
	}{
		"only the algorithm": {"X-Amz-Algorithm=AWS4-HMAC-SHA256", Error{Kind: MissingQueryParams, Missing: all[1:]}},
		"no algorithm":       {presigned(fields{"X-Amz-Algorithm": "-"}), Error{Kind: MissingQueryParams, Missing: all[:1]}},
		"no signature":       {presigned(fields{"X-Amz-Signature": "-"}), Error{Kind: MissingQueryParams, Missing: all[2:3]}},
		"empty signature":    {presigned(fields{"X-Amz-Signature": ""}), Error{Kind: MissingQueryParams, Missing: all[2:3]}},
		"no date":            {presigned(fields{"X-Amz-Date": "-"}), Error{Kind: MissingQueryParams, Missing: all[3:4]}},
		"no expires":         {presigned(fields{"X-Amz-Expires": "-"}), Error{Kind: MissingQueryParams, Missing: all[5:]}},
		"other algorithm":    {presigned(fields{"X-Amz-Algorithm": "MD5"}), Error{Kind: UnsupportedAlgorithm, Value: "MD5"}},
		"sigv4a":             {presigned(fields{"X-Amz-Algorithm": algorithmA}), Error{Kind: SigV4A, Value: algorithmA}},
		"credential":         {presigned(fields{"X-Amz-Credential": "AKID/x"}), Error{Kind: MalformedCredential, Value: "AKID/x"}},
		"credential twice encoded": {strings.ReplaceAll(presigned(nil), "%2F", "%252F"), Error{Kind: MalformedCredential,
			Value: strings.ReplaceAll(testCredential, "/", "%2F")}}, // A16
		"expires text":     {presigned(fields{"X-Amz-Expires": "1m"}), Error{Kind: ExpiresNotNumber, Value: "1m"}},
		"expires negative": {presigned(fields{"X-Amz-Expires": "-1"}), Error{Kind: ExpiresNegative, Value: "-1"}},
		"expires week + 1": {presigned(fields{"X-Amz-Expires": "604801"}), Error{Kind: ExpiresTooLong, Value: "604801"}},
		"expires huge":     {presigned(fields{"X-Amz-Expires": "99999999999999999999"}), Error{Kind: ExpiresTooLong, Value: "99999999999999999999"}},
		"date":             {presigned(fields{"X-Amz-Date": "now"}), Error{Kind: MalformedDate, Value: "now"}},
		"other day": {presigned(fields{"X-Amz-Date": "20260303T000000Z"}),
			Error{Kind: ScopeDateMismatch, Value: "20260304", Expected: "20260303"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(newRequest(t, "GET", "/bucket/k?"+tt.query, nil))
			got := asError(t, err, tt.want.Kind)
			tt.want.Form = FormQuery
			if strings.Contains(tt.query, "AKID%2F20260304%2F") && tt.want.AccessKeyID == "" {
				tt.want.AccessKeyID, tt.want.Scope = "AKID", testScope
			}
			if d := cmp.Diff(got, &tt.want, cmpopts.IgnoreUnexported(Error{})); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("sts needs no expires", func(t *testing.T) {
		q := presigned(fields{"X-Amz-Credential": "AKID/20260304/us-east-1/sts/aws4_request", "X-Amz-Expires": "-"})
		mustParse(t, newRequest(t, "GET", "/?"+q, nil))
	})
}

// Every kind has a text, and errors name it.
func TestKindString(t *testing.T) {
	seen := map[string]Kind{}
	for k := range kinds {
		s := k.String()
		if other, twice := seen[s]; s == "" || twice {
			t.Errorf("kind %d is called %q, like %d", k, s, other)
		}
		seen[s] = k
	}
	if got, want := Kind(250).String(), "kind 250"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e := &Error{Kind: WrongRegion, Value: "a", Expected: "b", Chunk: 2, Headers: []string{"x"}, cause: ErrAnonymous}
	if got, want := e.Error(), `sigv4: wrong region "a", want "b": x (chunk 2): sigv4: request is not signed`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := KindOf(errors.New("x")); got != None {
		t.Errorf("got %v", got)
	}
}
