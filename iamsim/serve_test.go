package iamsim

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/trail"
)

const identityCall = "Action=GetCallerIdentity&Version=2011-06-15"

// Refused signatures, word for word (I8).
func TestSignatureErrors(t *testing.T) {
	f := newFixture(t)
	server := time.Date(2026, 1, 1, 0, 25, 0, 0, time.UTC)
	f.transportTime = func() time.Time { return server }
	root := rootOf(accountA)
	signed := func(change func(*http.Request)) *http.Request {
		req := f.post(identityCall)
		f.sign(req, root, "sts", identityCall, server)
		change(req)
		return req
	}
	header := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	at := func(service string, c creds, when time.Time) *http.Request {
		req := f.post(identityCall)
		f.sign(req, c, service, identityCall, when)
		return req
	}
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	for _, tc := range []struct {
		name    string
		req     *http.Request
		status  int
		code    string
		message string // a trailing "…" stands for anything
	}{
		{"unsigned", f.post(identityCall), 403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
		{"other scheme", signed(func(r *http.Request) { r.Header.Set("Authorization", "Basic abc") }), 403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
		{"unknown key", at("sts", creds{AccessKeyID: "AKIAXXXXXXXXXXXXXXXX", SecretAccessKey: "x"}, server), 403, "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"token with a root key", at("sts", creds{AccessKeyID: accountA, SecretAccessKey: "test", SessionToken: "t"}, server), 403, "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"wrong secret", at("sts", creds{AccessKeyID: accountA, SecretAccessKey: "x"}, server), 403, "SignatureDoesNotMatch", mismatch},
		{"tampered body", func() *http.Request {
			req := f.post(strings.Replace(identityCall, "Identity&", "Identity&X=1&", 1))
			f.sign(req, root, "sts", identityCall, server)
			return req
		}(), 403, "SignatureDoesNotMatch", mismatch},
		{"late", at("sts", root, server.Add(-25*time.Minute)), 403, "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T002500Z - 15 min.)"},
		{"early", at("sts", root, server.Add(25*time.Minute)), 403, "SignatureDoesNotMatch", "Signature not yet current: 20260101T005000Z is still later than 20260101T004000Z (20260101T002500Z + 15 min.)"},
		{"other service", at("iam", root, server), 403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'."},
		{"terminator", signed(header("aws4_request", "aws5_request")), 403, "SignatureDoesNotMatch", "Credential should be scoped with a valid terminator: 'aws4_request'."},
		{"scope date", signed(header("/20260101/", "/20251231/")), 403, "SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."},
		{"four parts", signed(header("/sts/", "/")), 400, "IncompleteSignature", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '111111111111/20260101/us-east-1/aws4_request'"},
		{"no signature part", signed(header("Signature=", "Nothing=")), 400, "IncompleteSignature", "…"},
		{"no date", signed(func(r *http.Request) { r.Header.Del("X-Amz-Date") }), 400, "IncompleteSignature", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization=…"},
		{"bad date", signed(func(r *http.Request) { r.Header.Set("X-Amz-Date", "yesterday") }), 400, "IncompleteSignature", "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := f.do(tc.req)
			start, open := strings.CutSuffix(tc.message, "…")
			if got.Status != tc.status || got.Code != tc.code || !strings.HasPrefix(got.Message, start) || !open && got.Message != tc.message {
				t.Errorf("got %d %s: %s\nwant %d %s: %s", got.Status, got.Code, got.Message, tc.status, tc.code, tc.message)
			}
		})
	}
}

// Parameters may stand in the query, and the signature too (I1).
func TestGetRequest(t *testing.T) {
	f := newFixture(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/?"+identityCall+"&X-Amz-Expires=60", nil)
	if err != nil {
		t.Fatal(err)
	}
	const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	presigned, _, err := v4.NewSigner().PresignHTTP(t.Context(), rootOf(accountA), req, emptyHash, "sts", "us-east-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if req.URL, err = url.Parse(presigned); err != nil {
		t.Fatal(err)
	}
	got := f.do(req)
	if got.Status != 200 || !strings.Contains(got.Body, "<Arn>arn:aws:iam::111111111111:root</Arn>") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	for name := range f.lastEvent().Request {
		t.Errorf("the trail keeps the signature's parameter %s", name)
	}
}

// The wire form of answers (I2, I4).
func TestWireForm(t *testing.T) {
	f := newFixture(t)
	got := f.call(rootOf(accountA), "GetCallerIdentity")
	id := got.Header.Get("x-amzn-RequestId")
	want := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><UserId>111111111111</UserId><Account>111111111111</Account><Arn>arn:aws:iam::111111111111:root</Arn></GetCallerIdentityResult><ResponseMetadata><RequestId>` + id + `</RequestId></ResponseMetadata></GetCallerIdentityResponse>`
	if diff := cmp.Diff(want, got.Body); diff != "" || len(id) != 36 || got.Header.Get("Content-Type") != "text/xml" {
		t.Errorf("request id %q, type %q\n%s", id, got.Header.Get("Content-Type"), diff)
	}
	got = f.call(rootOf(accountA), "CreateUser", "UserName", "u")
	got = f.must(rootOf(accountA), "TagUser", "UserName", "u", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v")
	id = got.Header.Get("x-amzn-RequestId")
	want = `<TagUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>` + id + `</RequestId></ResponseMetadata></TagUserResponse>`
	if diff := cmp.Diff(want, got.Body); diff != "" {
		t.Error(diff)
	}
	got = f.call(rootOf(accountA), "GetUser", "UserName", "<&>")
	id = got.Header.Get("x-amzn-RequestId")
	want = `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-</Message></Error><RequestId>` + id + `</RequestId></ErrorResponse>`
	if diff := cmp.Diff(want, got.Body); diff != "" {
		t.Error(diff)
	}
	if got := f.call(rootOf(accountA), "Fly<"); !strings.Contains(got.Body, `xmlns="`+faultNamespace+`"`) || !strings.Contains(got.Body, "operation Fly&lt; for") {
		t.Errorf("unknown operation: %s", got.Body)
	}
}

func TestBodyLimit(t *testing.T) {
	f := newFixture(t)
	got := f.do(f.post(strings.Repeat("a", maxBody+1)))
	if got.Status != http.StatusRequestEntityTooLarge || got.Code != "RequestEntityTooLarge" {
		t.Errorf("%d %s", got.Status, got.Code)
	}
	if got := f.do(f.post("Action=%zz")); got.Status != 400 || got.Code != "MalformedQueryString" {
		t.Errorf("%d %s", got.Status, got.Code)
	}
}

// A handler's panic is answered, logged with the request id, and costs one request.
func TestPanicIsAnswered(t *testing.T) {
	f := newFixture(t)
	f.operations["iam:ListUsers"].handler = func(*Service, *call) (any, error) { panic("secret detail") }
	got := f.call(rootOf(accountA), "ListUsers")
	if got.Status != 500 || got.Code != "InternalFailure" || strings.Contains(got.Body, "secret") || !strings.Contains(got.Body, "<Type>Receiver</Type>") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if log := f.logs.String(); !strings.Contains(log, "secret detail") || !strings.Contains(log, got.Header.Get("x-amzn-RequestId")) {
		t.Errorf("log %q", log)
	}
	f.must(rootOf(accountA), "ListRoles")
}

// The event of a client's call, also of a denied one.
func TestTrail(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", "")
	got := f.call(user, "DeleteRole", "RoleName", "r")
	event := f.lastEvent()
	id, _ := f.PrincipalID("arn:aws:iam::111111111111:user/u")
	want := trail.Event{
		EventID: event.EventID, EventTime: f.clock.Now(), EventSource: "iam.amazonaws.com", EventName: "DeleteRole", AWSRegion: "us-east-1",
		SourceIPAddress: "127.0.0.1", UserAgent: "Go-http-client/1.1",
		UserIdentity: trail.Identity{Type: "IAMUser", PrincipalID: id, ARN: "arn:aws:iam::111111111111:user/u", AccountID: accountA, AccessKeyID: user.AccessKeyID},
		RequestID:    got.Header.Get("x-amzn-RequestId"), Request: map[string]any{"roleName": "r"},
		Resources: []trail.Resource{{ARN: "arn:aws:iam::111111111111:role/r", AccountID: accountA}},
		ErrorCode: "AccessDenied", ErrorMessage: got.Message, HTTPStatus: 403, Recipient: accountA,
		Authorizations: []trail.Authorization{{Action: "iam:DeleteRole", Resource: "arn:aws:iam::111111111111:role/r", Outcome: "implicitDeny"}},
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("event (-want +got)\n%s", diff)
	}
}

// A request id that the server chose is kept.
func TestGivenRequestID(t *testing.T) {
	f := newFixture(t)
	w := httptest.NewRecorder()
	w.Header().Set("x-amzn-RequestId", "given")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(identityCall))
	f.Serve(w, r, nil, &sigv4.Error{Kind: sigv4.MissingToken})
	if got := w.Header().Get("x-amzn-RequestId"); got != "given" || !strings.Contains(w.Body.String(), "<RequestId>given<") {
		t.Errorf("request id %q in %s", got, w.Body)
	}
}

// Tags in a Create call need the right to tag; conditions on tags and boundaries hold (I39).
func TestConditionsOfIAMActions(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	user := f.newUser(accountA, "u", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"},
		{"Effect":"Allow","Action":"iam:DeleteUser","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Owner":"u","iam:ResourceTag/Owner":"u"}}},
		{"Effect":"Allow","Action":["iam:TagUser","iam:UntagUser"],"Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["Owner"]}}},
		{"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}}},
		{"Effect":"Allow","Action":["iam:CreateRole","iam:PutUserPolicy"],"Resource":"*","Condition":{"ArnEquals":{"iam:PermissionsBoundary":"arn:aws:iam::aws:policy/PowerUserAccess"}}},
		{"Effect":"Allow","Action":"iam:UpdateUser","Resource":"arn:aws:iam::111111111111:user/x*"}
	]}`)
	tag := func(k, v string) []string { return []string{"Tags.member.1.Key", k, "Tags.member.1.Value", v} }
	for i, step := range []struct {
		allowed bool
		action  string
		params  []string
	}{
		{false, "CreateUser", append(tag("Cost", "1"), "UserName", "x")},
		{true, "CreateUser", append(tag("Owner", "me"), "UserName", "x")},
		{false, "DeleteUser", []string{"UserName", "x"}},
		{false, "TagUser", append(tag("Cost", "1"), "UserName", "x")},
		{true, "TagUser", append(tag("Owner", "u"), "UserName", "x")},
		{false, "UntagUser", []string{"UserName", "x", "TagKeys.member.1", "Cost"}},
		{false, "AttachUserPolicy", []string{"UserName", "x", "PolicyArn", awsPolicyPrefix + "AdministratorAccess"}},
		{true, "AttachUserPolicy", []string{"UserName", "x", "PolicyArn", awsPolicyPrefix + "AmazonS3ReadOnlyAccess"}},
		{false, "CreateRole", []string{"RoleName", "r", "AssumeRolePolicyDocument", trusting("AWS", "*")}},
		{true, "CreateRole", []string{"RoleName", "r", "AssumeRolePolicyDocument", trusting("AWS", "*"), "PermissionsBoundary", awsPolicyPrefix + "PowerUserAccess"}},
		{false, "PutUserPolicy", []string{"UserName", "x", "PolicyName", "p", "PolicyDocument", allowAll}},
		{false, "UpdateUser", []string{"UserName", "x", "NewUserName", "y"}},
		{true, "UpdateUser", []string{"UserName", "x", "NewUserName", "xx"}},
	} {
		got := f.call(user, step.action, step.params...)
		if (got.Status == 200) != step.allowed || !step.allowed && got.Code != "AccessDenied" {
			t.Errorf("step %d %s: %d %s %s, want allowed %t", i, step.action, got.Status, got.Code, got.Message, step.allowed)
		}
	}
	f.must(root, "PutUserPermissionsBoundary", "UserName", "xx", "PermissionsBoundary", awsPolicyPrefix+"PowerUserAccess")
	f.must(user, "PutUserPolicy", "UserName", "xx", "PolicyName", "p", "PolicyDocument", allowAll)
}

// FuzzServe feeds anything to the parameters of a root's calls: every answer is XML with
// a status, and nothing panics.
func FuzzServe(f *testing.F) {
	for _, op := range Operations() {
		f.Add(op.Name, "UserName=u&RoleName=r&PolicyName=p&PolicyArn=arn:aws:iam::111111111111:policy/p&Tags.member.1.Key=k&Tags.member.1.Value=v")
	}
	f.Add("CreateRole", "RoleName=r&AssumeRolePolicyDocument=%7B%7D&MaxSessionDuration=-1")
	f.Add("ListUsers", "Marker=AA&MaxItems=1&PathPrefix=/%00")
	fix := newFixture(f)
	f.Fuzz(func(t *testing.T, action, params string) {
		values, err := url.ParseQuery(params)
		if err != nil {
			return
		}
		op := operationTable()["iam:"+action]
		if op == nil || op.handler == nil {
			return
		}
		c := &call{
			ctx: t.Context(), service: "iam", action: action, op: op, form: &form{values: values}, caller: Root(accountA),
			id: "id", region: "us-east-1", now: fix.clock.Now(),
		}
		var result any
		if err = fix.authorizeCall(c); err == nil {
			result, err = op.handler(fix.Service, c)
		}
		if out := fix.render(c, result, err); out.status == 500 || out.cause != nil {
			t.Errorf("%s: %v", out.body, out.cause)
		}
		c.form.parameters()
	})
}
