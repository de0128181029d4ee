package iamsim

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/trail"
)

// as is the Caller of credentials, by a signed request that never travels.
func (f *fixture) as(c creds) Caller {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.url+"/", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.sign(req, c, "s3", "", time.Now())
	in := httptest.NewRequestWithContext(f.t.Context(), http.MethodGet, "/", nil)
	in.Header, in.Host, in.RemoteAddr = req.Header, req.URL.Host, "203.0.113.7:4711"
	in.Header.Set("User-Agent", "agent/1")
	in.Header.Set("Referer", "https://example.com/")
	signed, err := sigv4.Parse(in)
	if err != nil {
		f.t.Fatal(err)
	}
	caller, err := f.Authenticate(f.t.Context(), in, signed, sigv4.Options{Service: "s3"})
	if err != nil {
		f.t.Fatal(err)
	}
	return caller
}

// The condition keys of each kind of caller (I25, I42).
func TestContextOfCallers(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	user := f.newUser(accountA, "u", "")
	f.must(root, "TagUser", "UserName", "u", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "blue")
	f.must(root, "CreateRole", "RoleName", "r", "Path", "/p/", "AssumeRolePolicyDocument", trusting("AWS", "*"),
		"Tags.member.1.Key", "Team", "Tags.member.1.Value", "red")
	role := f.as(f.assume(user, "arn:aws:iam::111111111111:role/p/r", "s1"))
	role.Session.Tags["TEAM"] = "green" // as if it had been passed
	asUser := f.as(user)
	anonymous := Anonymous()
	service := Caller{Principal: policy.Principal{Type: policy.Service, ARN: "s3.amazonaws.com"}}

	common := policy.Context{
		"aws:currenttime": {"2026-03-04T05:06:07Z"}, "aws:epochtime": {fmt.Sprint(f.clock.Now().Unix())}, "aws:viaawsservice": {"false"},
		"aws:requestedregion": {"eu-west-1"}, "aws:resourceaccount": {accountB}, "s3:prefix": {"x"},
	}
	client := policy.Context{
		"aws:sourceip": {"203.0.113.7"}, "aws:useragent": {"agent/1"}, "aws:referer": {"https://example.com/"}, "aws:securetransport": {"false"},
		"aws:principalaccount": {accountA}, "aws:principalisawsservice": {"false"},
	}
	for _, tc := range []struct {
		name   string
		caller Caller
		want   []policy.Context
	}{
		{"root", f.as(root), []policy.Context{client, {
			"aws:principalarn": {"arn:aws:iam::111111111111:root"}, "aws:principaltype": {"Account"}, "aws:userid": {accountA},
		}}},
		{"user", asUser, []policy.Context{client, {
			"aws:principalarn": {"arn:aws:iam::111111111111:user/u"}, "aws:principaltype": {"User"}, "aws:userid": {asUser.Principal.UniqueID},
			"aws:username": {"u"}, "aws:principaltag/team": {"blue"},
		}}},
		{"role session", role, []policy.Context{client, {
			"aws:principalarn": {"arn:aws:iam::111111111111:role/p/r"}, "aws:principaltype": {"AssumedRole"}, "aws:userid": {role.Principal.UniqueID + ":s1"},
			"aws:principaltag/team": {"green"}, "aws:tokenissuetime": {"2026-03-04T05:06:07Z"}, "aws:multifactorauthpresent": {"false"},
		}}},
		{"user through a service", asUser.ThroughService("s3.eu-west-1.amazonaws.com"), []policy.Context{{
			"aws:useragent": {"agent/1"}, "aws:referer": {"https://example.com/"}, "aws:securetransport": {"true"}, "aws:viaawsservice": {"true"},
			"aws:principalaccount": {accountA}, "aws:principalisawsservice": {"false"},
			"aws:principalarn": {"arn:aws:iam::111111111111:user/u"}, "aws:principaltype": {"User"}, "aws:userid": {asUser.Principal.UniqueID},
			"aws:username": {"u"}, "aws:principaltag/team": {"blue"},
		}}},
		{"anonymous", anonymous, []policy.Context{{
			"aws:principaltype": {"Anonymous"}, "aws:principalaccount": {"anonymous"}, "aws:userid": {"anonymous"}, "aws:securetransport": {"true"},
		}}},
		{"service", service, []policy.Context{{
			"aws:principalisawsservice": {"true"}, "aws:principalservicename": {"s3.amazonaws.com"}, "aws:principalservicenameslist": {"s3.amazonaws.com"},
			"aws:securetransport": {"true"},
		}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			own := policy.Context{"s3:prefix": {"x"}}
			d, err := f.Authorize(t.Context(), &tc.caller, &Request{
				Action: "s3:ListBucket", Resource: "arn:aws:s3:::b", ResourceAccount: accountB, Region: "eu-west-1", Context: own,
			})
			if err != nil {
				t.Fatal(err)
			}
			want := policy.Context{}
			for _, part := range append([]policy.Context{common}, tc.want...) {
				for k, v := range part {
					want[k] = v
				}
			}
			if diff := cmp.Diff(want, d.Context); diff != "" {
				t.Errorf("context (-want +got)\n%s", diff)
			}
			if len(own) != 1 {
				t.Errorf("Authorize wrote to the caller's context: %v", own)
			}
		})
	}
}

// A change of a policy holds from the next request on, whatever was cached.
func TestChangesTakeEffectAtOnce(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	caller := f.as(f.newUser(accountA, "u", ""))
	const mine = "arn:aws:iam::111111111111:policy/mine"
	f.must(root, "CreatePolicy", "PolicyName", "mine", "PolicyDocument", readBucket)
	f.must(root, "CreatePolicyVersion", "PolicyArn", mine, "PolicyDocument", denyAll)
	for i, step := range []struct {
		action string
		params []string
		want   policy.Outcome
		by     string
	}{
		{"GetUser", []string{"UserName", "u"}, policy.ImplicitDeny, ""},
		{"AttachUserPolicy", []string{"UserName", "u", "PolicyArn", mine}, policy.Allowed, mine},
		{"SetDefaultPolicyVersion", []string{"PolicyArn", mine, "VersionId", "v2"}, policy.ExplicitDeny, mine},
		{"SetDefaultPolicyVersion", []string{"PolicyArn", mine, "VersionId", "v1"}, policy.Allowed, mine},
		{"DetachUserPolicy", []string{"UserName", "u", "PolicyArn", mine}, policy.ImplicitDeny, ""},
		{"PutUserPolicy", []string{"UserName", "u", "PolicyName", "all", "PolicyDocument", allowAll}, policy.Allowed, "user policy u/all"},
		{"PutUserPermissionsBoundary", []string{"UserName", "u", "PermissionsBoundary", awsPolicyPrefix + "AmazonS3ReadOnlyAccess"}, policy.Allowed, "user policy u/all"},
		{"PutUserPermissionsBoundary", []string{"UserName", "u", "PermissionsBoundary", mine}, policy.Allowed, "user policy u/all"},
		{"SetDefaultPolicyVersion", []string{"PolicyArn", mine, "VersionId", "v2"}, policy.ExplicitDeny, mine},
		{"DeleteUserPermissionsBoundary", []string{"UserName", "u"}, policy.Allowed, "user policy u/all"},
		{"DeleteUserPolicy", []string{"UserName", "u", "PolicyName", "all"}, policy.ImplicitDeny, ""},
	} {
		f.must(root, step.action, step.params...)
		for range 2 { // cold and cached
			d, err := f.Authorize(t.Context(), &caller, &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: accountA})
			if err != nil {
				t.Fatal(err)
			}
			if d.Outcome != step.want || d.DecidedBy.Policy != step.by {
				t.Errorf("step %d %s: %s by %q, want %s by %q", i, step.action, d.Outcome, d.DecidedBy.Policy, step.want, step.by)
			}
		}
	}
}

// Observers see allows and denials in order.
func TestObservers(t *testing.T) {
	f := newFixture(t)
	var seen []string
	note := func(name string) func(*policy.Decision) {
		return func(d *policy.Decision) { seen = append(seen, name+" "+string(d.Outcome)) }
	}
	caller := f.as(f.newUser(accountA, "u", readBucket)).Observed(note("first")).Observed(note("second"))
	for _, action := range []string{"s3:GetObject", "s3:PutObject"} {
		if _, err := f.Authorize(t.Context(), &caller, &Request{Action: action, Resource: "arn:aws:s3:::b/k", ResourceAccount: accountA}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"first allowed", "second allowed", "first implicitDeny", "second implicitDeny"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestAuthenticate(t *testing.T) {
	f := newFixture(t)
	c := f.as(creds{AccessKeyID: "test", SecretAccessKey: "test"})
	if c.Account() != "000000000000" || c.UserID != "000000000000" || c.Principal.Type != policy.Account || c.Source.AuthType != "REST-HEADER" || c.AccessKeyID != "test" {
		t.Errorf("caller %+v", c)
	}
	anonymous, err := f.Authenticate(t.Context(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), nil, sigv4.Options{})
	if err != nil || anonymous.Principal.Type != policy.Anonymous || anonymous.Source.IP == "" {
		t.Errorf("anonymous caller %+v, %v", anonymous, err)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	f.sign(req, creds{AccessKeyID: "AKIAXXXXXXXXXXXXXXXX", SecretAccessKey: "x"}, "s3", "", time.Now())
	signed, err := sigv4.Parse(req)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Authenticate(t.Context(), req, signed, sigv4.Options{})
	var refused *sigv4.Error
	if !errors.As(err, &refused) || refused.Kind != sigv4.UnknownKey {
		t.Errorf("unknown key: %v", err)
	}
}

// statements is a policy of n statements, of which the last one allows s3:GetObject.
func statements(n int) string {
	var b strings.Builder
	b.WriteString(`{"Version":"2012-10-17","Statement":[`)
	for i := range n - 1 {
		fmt.Fprintf(&b, `{"Effect":"Allow","Action":["s3:PutObject","s3:Get*"],"Resource":"arn:aws:s3:::bucket-%d/*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"t%d"}}},`, i, i)
	}
	b.WriteString(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`)
	return b.String()
}

func BenchmarkAuthorize20(b *testing.B) {
	f := newFixture(b)
	f.must(rootOf(accountA), "CreatePolicy", "PolicyName", "twenty", "PolicyDocument", statements(20))
	user := f.newUser(accountA, "u", "")
	f.must(rootOf(accountA), "AttachUserPolicy", "UserName", "u", "PolicyArn", "arn:aws:iam::111111111111:policy/twenty")
	caller := f.as(user)
	own := policy.Context{"s3:authtype": {"REST-HEADER"}, "s3:signatureversion": {"AWS4-HMAC-SHA256"}, "s3:resourceaccount": {accountA}}
	b.ReportAllocs()
	for b.Loop() {
		d, err := f.Authorize(b.Context(), &caller, &Request{
			Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: accountA, Region: "us-east-1", Context: own,
		})
		if err != nil || !d.Allowed() {
			b.Fatal(d, err)
		}
	}
}

func BenchmarkAssumeServiceRole(b *testing.B) {
	f := newFixture(b)
	role := f.newRole(accountA, "crr", trusting("Service", "s3.amazonaws.com"), readBucket)
	f.cfg.Record = func(trail.Event, time.Duration, error) {}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.AssumeServiceRole(b.Context(), ServiceRole{Service: "s3.amazonaws.com", RoleARN: role, SessionName: "s3-replication"}); err != nil {
			b.Fatal(err)
		}
	}
}
