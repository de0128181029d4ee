package iamsim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
)

// A denial's header decodes to what was decided, for callers of the same account (I61).
func TestAuthorizationMessage(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", denyAll)
	f.must(rootOf(accountA), "TagUser", "UserName", "u", "Tags.member.1.Key", "team", "Tags.member.1.Value", strings.Repeat("x", 256))
	denied := f.call(user, "GetRole", "RoleName", "r")
	text := denied.Header.Get(authorizationMessageHeader)
	if text == "" {
		t.Fatal("the denial has no message")
	}
	out, err := f.sts(rootOf(accountA)).DecodeAuthorizationMessage(t.Context(), &sts.DecodeAuthorizationMessageInput{EncodedMessage: &text})
	if err != nil {
		t.Fatal(err)
	}
	var got message
	dec := json.NewDecoder(strings.NewReader(*out.DecodedMessage))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatalf("%v\n%s", err, *out.DecodedMessage)
	}
	caller := f.as(user)
	id := caller.UserID
	if got.Allowed || !got.ExplicitDeny || got.Context.Principal.ID != id || got.Context.Principal.Name != "u" || got.Context.Principal.ARN != "arn:aws:iam::111111111111:user/u" {
		t.Errorf("message %+v", got)
	}
	if diff := cmp.Diff([]messageStatement{{"No", "DENY", policy.Reference{
		Type: policy.Identity, Owner: accountA, Policy: "user policy u/p", Sid: "No", Statement: 2, Line: 1, Column: 85,
	}}}, got.MatchedStatements.Items); diff != "" {
		t.Error(diff)
	}
	if got.Context.Action != "iam:GetRole" || got.Context.Resource != "arn:aws:iam::111111111111:role/r" {
		t.Errorf("request %+v", got.Context)
	}
	conditions := map[string]string{}
	for _, c := range got.Context.Conditions.Items {
		conditions[c.Key] = c.Values.Items[0].Value
	}
	if conditions["aws:username"] != "u" || conditions["aws:requestedregion"] != "us-east-1" {
		t.Errorf("conditions %v", conditions)
	}

	invalid := answer{Status: 400, Code: "InvalidAuthorizationMessageException", Message: "Message is not valid"}
	f.refused(invalid, rootOf(accountB), "DecodeAuthorizationMessage", "EncodedMessage", text)
	f.refused(invalid, rootOf(accountA), "DecodeAuthorizationMessage", "EncodedMessage", text[:len(text)-4])
	f.refused(invalid, rootOf(accountA), "DecodeAuthorizationMessage", "EncodedMessage", "?")
	if got := f.must(rootOf(accountA), "ListUsers"); got.Header.Get(authorizationMessageHeader) != "" {
		t.Error("an allowed call has a message")
	}
	if got := f.call(rootOf(accountA), "GetUser", "UserName", "none"); got.Header.Get(authorizationMessageHeader) != "" {
		t.Error("a call that failed for another reason has a message")
	}
	if got := f.call(user, "AssumeRole", "RoleArn", "arn:aws:iam::111111111111:role/none", "RoleSessionName", "s1"); got.Header.Get(authorizationMessageHeader) == "" {
		t.Error("a denial of STS has no message")
	}
}

// Messages stay within what DecodeAuthorizationMessage takes, whatever a context holds.
func TestAuthorizationMessageIsBounded(t *testing.T) {
	f := newFixture(t)
	d := &policy.Decision{Outcome: policy.ImplicitDeny, Principal: policy.Principal{Account: accountA}, Context: policy.Context{}}
	for _, c := range f.random.bytes(200) {
		key := f.random.id("k", 40)
		d.Context[key] = []string{f.random.id(string(rune('a'+c%26)), 500)}
	}
	if text := f.AuthorizationMessage(d); text != "" {
		t.Errorf("a message of %d characters", len(text))
	}
	d.Context = policy.Context{"aws:useragent": {strings.Repeat("x", 100_000)}}
	text := f.AuthorizationMessage(d)
	decoded, ok := f.messages.open(text, accountA)
	if !ok || len(decoded) > 2000 {
		t.Errorf("decoded %d bytes, %t", len(decoded), ok)
	}
	if f.AuthorizationMessage(nil) != "" || f.AuthorizationMessage(&policy.Decision{Outcome: policy.ImplicitDeny}) != "" {
		t.Error("a message for nobody")
	}
}

func FuzzOpenMessage(f *testing.F) {
	s := New(Config{})
	f.Add(s.AuthorizationMessage(&policy.Decision{Outcome: policy.ImplicitDeny, Principal: policy.Principal{Account: accountA}}))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if out, ok := s.messages.open(text, accountB); ok {
			t.Errorf("a forged message counts: %q", out)
		}
	})
}
