package s3api

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
)

// TestErrorDocuments fixes the shape of error bodies: declaration, no namespace, the
// code's own children between Message and RequestId (S44).
func TestErrorDocuments(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "shapes", "us-east-1", false)
	for _, tc := range []struct {
		golden string
		call   call
		status int
	}{
		{"error_no_such_bucket.xml", call{method: "GET", target: "/does-not-exist"}, 404},
		{"error_invalid_bucket_name.xml", call{method: "GET", target: "/Does-Not-Exist"}, 400},
		{"error_no_such_key.xml", call{method: "GET", target: "/shapes/a%26%3Cb%0A"}, 404},
		{"error_method_not_allowed.xml", call{method: "POST", target: "/shapes?versioning"}, 405},
		{"error_not_implemented.xml", call{method: "GET", target: "/shapes/key?torrent"}, 501},
		{"error_access_denied.xml", call{method: "GET", target: "/shapes", unsigned: true}, 403},
		{"error_unknown_key.xml", call{method: "GET", target: "/", as: identity{"AKIAIOSFODNN7EXAMPLE", "wrong"}}, 403},
		{"error_wrong_region.xml", call{method: "GET", target: "/", host: "s3.eu-west-1.amazonaws.com"}, 400},
		{"error_unknown_region.xml", call{method: "GET", target: "/", region: "aws-global"}, 400},
		{"error_malformed_xml.xml", call{method: "PUT", target: "/shapes?versioning", body: "<VersioningConfiguration><Status>on</Status></VersioningConfiguration>"}, 400},
		{"error_no_integrity.xml", call{method: "PUT", target: "/shapes?versioning", body: "<VersioningConfiguration/>", noMD5: true}, 400},
		{"error_key_too_long.xml", call{method: "GET", target: "/shapes/" + strings.Repeat("k", 1025)}, 400},
	} {
		t.Run(tc.golden, func(t *testing.T) {
			a := f.do(tc.call)
			if a.status != tc.status {
				t.Errorf("status %d, want %d", a.status, tc.status)
			}
			if got := a.header.Get("Content-Type"); got != "application/xml" {
				t.Errorf("Content-Type %q", got)
			}
			e := a.error(t)
			if e.RequestId == "" || e.RequestId != a.header.Get("X-Amz-Request-Id") || e.HostId != a.header.Get("X-Amz-Id-2") {
				t.Errorf("ids in the body %q %q, in headers %q %q", e.RequestId, e.HostId, a.header.Get("X-Amz-Request-Id"), a.header.Get("X-Amz-Id-2"))
			}
			golden(t, tc.golden, strings.NewReplacer(e.RequestId, "REQUEST-ID", e.HostId, "HOST-ID").Replace(a.body))
		})
	}
}

func TestPreflight(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "cors", "us-east-1", false)
	origin := http.Header{"Origin": {"http://example.com"}}
	f.wantError(f.do(call{method: "OPTIONS", target: "/cors/key", unsigned: true}), 400, "BadRequest", "Insufficient information. Origin request header needed.")
	e := f.wantError(f.do(call{method: "OPTIONS", target: "/cors", unsigned: true, header: origin}), 403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
	if e.field("Method") != "OPTIONS" || e.field("ResourceType") != "BUCKET" {
		t.Errorf("fields %+v", e.Fields)
	}
	origin.Set("Access-Control-Request-Method", "PUT")
	e = f.wantError(f.do(call{method: "OPTIONS", target: "/missing/key", unsigned: true, header: origin}), 403, "AccessForbidden", "CORSResponse: Bucket not found")
	if e.field("Method") != "PUT" {
		t.Errorf("fields %+v", e.Fields)
	}
}

func TestBadSignatureExplainsItself(t *testing.T) {
	f := newFixture(t)
	a := f.do(call{method: "GET", target: "/", as: identity{accountA, "not the secret"}})
	e := f.wantError(a, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	if e.field("AWSAccessKeyId") != accountA || !strings.HasPrefix(e.field("StringToSign"), "AWS4-HMAC-SHA256\n") ||
		!strings.HasPrefix(e.field("StringToSignBytes"), "41 57 53 34 2d") || !strings.HasPrefix(e.field("CanonicalRequest"), "GET\n/\n") ||
		!strings.HasPrefix(e.field("CanonicalRequestBytes"), "47 45 54 0a 2f") || len(e.field("SignatureProvided")) != 64 {
		t.Errorf("fields: %+v", e.Fields)
	}
}

// TestHeadErrorsHaveNoBody: status and request id are all that a HEAD shows (S43).
func TestHeadErrorsHaveNoBody(t *testing.T) {
	f := newFixture(t)
	a := f.do(call{method: "HEAD", target: "/does-not-exist"})
	if a.status != 404 || a.body != "" || a.header.Get("X-Amz-Request-Id") == "" || a.header.Get("Content-Type") != "application/xml" {
		t.Errorf("got %+v", a)
	}
}

func TestSignatureFailures(t *testing.T) {
	for _, tc := range []struct {
		in      sigv4.Error
		code    failure.Code
		message string
	}{
		{sigv4.Error{Kind: sigv4.MissingToken}, "AccessDenied", ""},
		{sigv4.Error{Kind: sigv4.SigV2, Form: sigv4.FormHeader}, "InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."},
		{sigv4.Error{Kind: sigv4.SigV2, Form: sigv4.FormQueryV2, Missing: []string{"Expires"}}, "AccessDenied", "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"},
		{sigv4.Error{Kind: sigv4.MissingQueryParams, Form: sigv4.FormQuery}, "AuthorizationQueryParametersError", "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."},
		{sigv4.Error{Kind: sigv4.ExpiresNotNumber, Form: sigv4.FormQuery}, "AuthorizationQueryParametersError", "X-Amz-Expires should be a number"},
		{sigv4.Error{Kind: sigv4.ExpiresNegative, Form: sigv4.FormQuery}, "AuthorizationQueryParametersError", "X-Amz-Expires must be non-negative"},
		{sigv4.Error{Kind: sigv4.ExpiresTooLong, Form: sigv4.FormQuery}, "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"},
		{sigv4.Error{Kind: sigv4.MalformedCredential, Form: sigv4.FormQuery}, "AuthorizationQueryParametersError", `Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`},
		{sigv4.Error{Kind: sigv4.MalformedCredential, Form: sigv4.FormHeader}, "AuthorizationHeaderMalformed", `The authorization header is malformed; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`},
		{sigv4.Error{Kind: sigv4.WrongRegion, Form: sigv4.FormHeader, Value: "x", Expected: "us-east-1"}, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'x' is wrong; expecting 'us-east-1'"},
		{sigv4.Error{Kind: sigv4.Expired}, "AccessDenied", "Request has expired"},
		{sigv4.Error{Kind: sigv4.NotYetValid}, "AccessDenied", "Request is not valid yet"},
		{sigv4.Error{Kind: sigv4.Skewed}, "RequestTimeTooSkewed", ""},
		{sigv4.Error{Kind: sigv4.HeadersNotSigned, Headers: []string{"x-amz-acl", "x-amz-tagging"}}, "AccessDenied", "There were headers present in the request which were not signed"},
		{sigv4.Error{Kind: sigv4.UnknownKey}, "InvalidAccessKeyId", ""},
		{sigv4.Error{Kind: sigv4.InvalidToken}, "InvalidToken", ""},
		{sigv4.Error{Kind: sigv4.ExpiredToken}, "ExpiredToken", ""},
		{sigv4.Error{Kind: sigv4.MissingContentSHA256}, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"},
		{sigv4.Error{Kind: sigv4.InvalidContentSHA256}, "InvalidRequest", "The value of x-amz-content-sha256 header is invalid."},
		{sigv4.Error{Kind: sigv4.ContentSHA256Mismatch}, "XAmzContentSHA256Mismatch", ""},
		{sigv4.Error{Kind: sigv4.IncompleteBody}, "IncompleteBody", ""},
		{sigv4.Error{Kind: sigv4.MalformedChunk}, "IncompleteBody", ""},
		{sigv4.Error{Kind: sigv4.InvalidChunkSize}, "InvalidChunkSizeError", ""},
		{sigv4.Error{Kind: sigv4.UnsupportedTrailer}, "InvalidRequest", "The value specified in the x-amz-trailer header is not supported"},
		{sigv4.Error{Kind: sigv4.MalformedTrailer}, "MalformedTrailerError", ""},
		{sigv4.Error{Kind: sigv4.BadChunkSignature}, "SignatureDoesNotMatch", ""},
	} {
		got := signatureFailure(&tc.in)
		if got.Code != tc.code || got.Message != tc.message {
			t.Errorf("%v: got %s %q, want %s %q", tc.in.Kind, got.Code, got.Message, tc.code, tc.message)
		}
	}
}

// TestEveryKindIsWorded: no fault of a signature may fall through to an InternalError.
func TestEveryKindIsWorded(t *testing.T) {
	for kind := sigv4.MissingToken; kind <= sigv4.BadTrailerSignature; kind++ {
		for _, form := range []sigv4.Form{sigv4.FormNone, sigv4.FormHeader, sigv4.FormQuery} {
			out := wire(&sigv4.Error{Kind: kind, Form: form})
			if out.status < 400 || out.status >= 500 && kind != sigv4.SigV4A || out.message == "" {
				t.Errorf("%v, form %d: %d %s %q", kind, form, out.status, out.code, out.message)
			}
		}
	}
}

func TestWire(t *testing.T) {
	kmsSentence := "User: arn:aws:iam::111111111111:user/u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:111111111111:key/k because no identity-based policy allows the kms:Decrypt action"
	for _, tc := range []struct {
		name string
		err  error
		want rendered
	}{
		{"default message", failure.New("NoSuchKey", ""), rendered{404, "NoSuchKey", "The specified key does not exist.", nil}},
		{"own message", failure.New("InvalidRequest", "no"), rendered{400, "InvalidRequest", "no", nil}},
		{"unknown code", failure.New("Surprise", "secret"), rendered{500, "InternalError", "We encountered an internal error. Please try again.", nil}},
		{"no failure", errors.New("disk on fire"), rendered{500, "InternalError", "We encountered an internal error. Please try again.", nil}},
		{"KMS denial keeps its sentence", failure.New("AccessDeniedException", kmsSentence), rendered{403, "AccessDenied", kmsSentence, nil}},
		{"KMS throttling has S3's words", failure.New("ThrottlingException", "You have exceeded the rate at which you may call KMS."),
			rendered{503, "SlowDown", "Please reduce your request rate for operations involving AWS KMS.", nil}},
		{"KMS disabled", failure.New("DisabledException", "arn is disabled."), rendered{400, "KMS.DisabledException", "arn is disabled.", nil}},
		{"KMS not found", failure.New("NotFoundException", "Invalid keyId 'x'"), rendered{400, "KMS.NotFoundException", "Invalid keyId 'x'", nil}},
		{"KMS state", failure.New("KMSInvalidStateException", "arn is pending deletion."), rendered{400, "KMS.KMSInvalidStateException", "arn is pending deletion.", nil}},
		{"KMS inside", failure.New("KMSInternalException", "detail"), rendered{500, "InternalError", "We encountered an internal error. Please try again.", nil}},
	} {
		if diff := cmp.Diff(tc.want, wire(tc.err), cmp.AllowUnexported(rendered{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// TestSlowDown: a throttled KMS gives 503 with S3's own reason phrase, and the client
// gets the whole document although the connection closes (S42).
func TestSlowDown(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "slow", "us-east-1", false)
	f.keys.failWith(failure.New("ThrottlingException", "Rate exceeded"))
	a := f.do(call{method: "PUT", target: "/slow/key", body: strings.Repeat("x", 100<<10),
		header: http.Header{"X-Amz-Server-Side-Encryption": {"aws:kms"}}})
	f.wantError(a, 503, "SlowDown", slowKMS)
	if a.phrase != "503 Slow Down" {
		t.Errorf("status line %q", a.phrase)
	}
	if a.header.Get("X-Amz-Request-Id") == "" {
		t.Error("no request id")
	}
	if e := f.lastEvent("PutObject"); e.HTTPStatus != 503 || e.ErrorCode != "SlowDown" {
		t.Errorf("event %+v", e)
	}
}

// TestSlowDownWithoutConnection: behind a writer that can't be taken over the answer
// is the same but for the phrase.
func TestSlowDownWithoutConnection(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "slow", "us-east-1", false)
	f.keys.failWith(failure.New("ThrottlingException", ""))
	r := f.request(call{method: "PUT", target: "/slow/key", body: "x", header: http.Header{"X-Amz-Server-Side-Encryption": {"aws:kms"}}})
	r.RequestURI = r.URL.RequestURI()
	w := httptest.NewRecorder()
	f.serve(w, r)
	f.wantError(answer{status: w.Code, body: w.Body.String()}, 503, "SlowDown", slowKMS)
}

func TestPanicsAreAnswered(t *testing.T) {
	f := newFixture(t)
	f.api.router.table[selector{serviceScope, "GET", ""}][1].op.Handler = func(*API, *request) error { panic("secret of the house") }
	a := f.do(call{method: "GET", target: "/"})
	f.wantError(a, 500, "InternalError", "We encountered an internal error. Please try again.")
	if strings.Contains(a.body, "secret") {
		t.Errorf("the cause leaked: %s", a.body)
	}
	if e := f.lastEvent("ListBuckets"); e.HTTPStatus != 500 || e.ErrorCode != "InternalError" {
		t.Errorf("event %+v", e)
	}
}

// TestBrokenOffResponse: an error after the first byte can't be rendered; the client
// must see that the response is cut.
func TestBrokenOffResponse(t *testing.T) {
	f := newFixture(t)
	f.api.router.table[selector{serviceScope, "GET", ""}][1].op.Handler = func(_ *API, req *request) error {
		req.w.Header().Set("Content-Length", "100")
		io.WriteString(req.w, "half")
		http.NewResponseController(req.w).Flush()
		return errors.New("disk on fire")
	}
	resp, err := http.DefaultTransport.RoundTrip(f.request(call{method: "GET", target: "/"}))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil || strings.Contains(string(body), "<Error>") {
		t.Errorf("read %q, error %v", body, err)
	}
}

// TestRejectedBeforeBody: a client that waits for 100 Continue is refused without being
// asked for its body.
func TestRejectedBeforeBody(t *testing.T) {
	f := newFixture(t)
	r := f.request(call{method: "PUT", target: "/does-not-exist/key", body: strings.Repeat("x", 64)})
	conn, err := net.Dial("tcp", f.server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	r.Header.Set("Expect", "100-continue")
	var head strings.Builder
	head.WriteString("PUT " + r.URL.RequestURI() + " HTTP/1.1\r\nHost: " + r.Host + "\r\nContent-Length: 64\r\n")
	must(t, r.Header.Write(&head))
	_, err = io.WriteString(conn, head.String()+"\r\n")
	must(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != 404 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestEvents(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "events", "eu-west-1", true)
	f.put(accountA, "/events/some%20key", "content")
	got := f.lastEvent("PutObject")
	if got.EventID == "" || got.RequestID == "" || got.Request["versionId"] == nil {
		t.Errorf("event %+v", got)
	}
	got.EventID, got.RequestID = "", ""
	delete(got.Request, "versionId")
	want := trail.Event{
		EventTime: f.clock.Now(), EventSource: "s3.amazonaws.com", EventName: "PutObject", AWSRegion: "eu-west-1",
		SourceIPAddress: "127.0.0.1", UserAgent: "Go-http-client/1.1",
		UserIdentity: trail.Identity{Type: "Root", PrincipalID: accountA, ARN: "arn:aws:iam::111111111111:root", AccountID: accountA, AccessKeyID: accountA},
		Request:      map[string]any{"bucketName": "events", "key": "some key"},
		Resources: []trail.Resource{
			{ARN: "arn:aws:s3:::events", AccountID: accountA, Type: "AWS::S3::Bucket"},
			{ARN: "arn:aws:s3:::events/some key", Type: "AWS::S3::Object"},
		},
		Authorizations: []trail.Authorization{{Action: "s3:PutObject", Resource: "arn:aws:s3:::events/some key", Outcome: "allowed"}},
		HTTPStatus:     200, Recipient: accountA,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	f.do(call{method: "GET", target: "/events/some%20key", unsigned: true})
	denied := f.lastEvent("GetObject")
	if denied.ErrorCode != "AccessDenied" || denied.HTTPStatus != 403 || denied.UserIdentity.Type != "Anonymous" || !denied.ReadOnly {
		t.Errorf("event %+v", denied)
	}
}
