package kmsapi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

const defaultPolicyShown = `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111111111111:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`

func (e *env) policyOf(key *string) string {
	e.Helper()
	out, err := e.root(accountA, east).GetKeyPolicy(e.Context(), &kms.GetKeyPolicyInput{KeyId: key})
	if err != nil {
		e.Fatal(err)
	}
	return *out.Policy
}

func TestDefaultPolicy(t *testing.T) {
	e := newEnv(t)
	if got := e.policyOf(e.key(accountA, east, "").KeyId); got != defaultPolicyShown {
		t.Errorf("default policy:\n%s\nwant:\n%s", got, defaultPolicyShown)
	}
}

func TestPrintPolicy(t *testing.T) {
	const id = "AIDAAAAAAAAAAAAAAAAAA"
	dead := map[string]string{"arn:aws:iam::1:user/u": id}
	for in, want := range map[string]string{
		`{}`:                           `{ }`,
		`{"b":[1,{"x":"<&>"}],"a":[]}`: "{\n  \"b\" : [ 1, {\n    \"x\" : \"<&>\"\n  } ],\n  \"a\" : [  ]\n}",
		`{"Principal":{"AWS":["arn:aws:iam::1:user/u","*"]},"Condition":"arn:aws:iam::1:user/u"}`: "{\n  \"Principal\" : {\n    \"AWS\" : [ \"" + id + "\", \"*\" ]\n  },\n  \"Condition\" : \"arn:aws:iam::1:user/u\"\n}",
	} {
		got, err := printPolicy(in, dead)
		if err != nil || got != want {
			t.Errorf("%s prints as\n%s (%v), want\n%s", in, got, err, want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s is not JSON", got)
		}
	}
	if _, err := printPolicy(`{}x`, nil); err == nil {
		t.Error("text after the policy was accepted")
	}
}

// TestLockout: nobody may lock himself out by mistake (K62).
func TestLockout(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	admin := e.user(accountA, "admin", allow("kms:*", "*"))
	direct := document(statement("Allow", "kms:*", "*", principal(admin.arn)))
	user := document(statement("Allow", "kms:Encrypt", "*", principal(rootARN(accountB))))
	const lockout = "The new key policy will not allow you to update the key policy in the future."
	for _, tt := range []struct {
		name   string
		client *kms.Client
		policy string
		bypass bool
		code   string
	}{
		{"delegated and permitted by IAM", admin.kms(east), keyPolicy(accountA), false, ""},
		{"named", admin.kms(east), direct, false, ""},
		{"foreign account only", admin.kms(east), user, false, "MalformedPolicyDocumentException"},
		{"foreign account only, bypassed", admin.kms(east), user, true, ""},
		{"root, which is not named", e.root(accountA, east), direct, false, "MalformedPolicyDocumentException"},
		{"denied to itself", admin.kms(east), keyPolicy(accountA, statement("Deny", "kms:PutKeyPolicy", "*", principal(admin.arn))), false, "MalformedPolicyDocumentException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			message := ""
			if tt.code != "" {
				message = lockout
			}
			_, err := tt.client.CreateKey(ctx, &kms.CreateKeyInput{Policy: &tt.policy, BypassPolicyLockoutSafetyCheck: tt.bypass})
			wantFailure(t, "CreateKey", err, tt.code, message)
			key := e.key(accountA, east, keyPolicy(accountA))
			_, err = tt.client.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key.KeyId, Policy: &tt.policy, BypassPolicyLockoutSafetyCheck: tt.bypass})
			wantFailure(t, "PutKeyPolicy", err, tt.code, message)
		})
	}

	half := e.user(accountA, "half", allow("kms:CreateKey", "*"))
	_, err := half.kms(east).CreateKey(ctx, &kms.CreateKeyInput{Policy: ptr(keyPolicy(accountA))})
	wantFailure(t, "delegated, but IAM does not allow", err, "MalformedPolicyDocumentException", lockout)
	_, err = half.kms(east).CreateKey(ctx, &kms.CreateKeyInput{})
	wantFailure(t, "the default policy is not checked", err, "", "")
}

func TestPolicyRefusals(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	put := func(text string, name *string) error {
		_, err := e.root(accountA, east).PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: key.KeyId, Policy: &text, PolicyName: name})
		return err
	}
	principals := "Policy contains a statement with one or more invalid principals."
	for _, tt := range []struct{ name, text, code, message string }{
		{"unknown user", keyPolicy(accountA, statement("Allow", "kms:*", "*", principal("arn:aws:iam::111111111111:user/none"))), "MalformedPolicyDocumentException", principals},
		{"placeholder account", keyPolicy(accountA, statement("Allow", "kms:*", "*", principal("arn:aws:iam::AccountA:role/r"))), "MalformedPolicyDocumentException", principals},
		{"broken JSON", `{"Version":`, "MalformedPolicyDocumentException", "*"},
		{"control character", "{\x01}", "ValidationException", "*"},
		{"too large", keyPolicy(accountA) + strings.Repeat(" ", maxPolicy), "LimitExceededException", "*"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantFailure(t, tt.name, put(tt.text, nil), tt.code, tt.message) })
	}
	wantFailure(t, "another name", put(keyPolicy(accountA), ptr("other")), "NotFoundException", "No such policy exists")
	wantFailure(t, "default", put(keyPolicy(accountA), ptr("default")), "", "")
	if got := e.policyOf(key.KeyId); strings.Contains(got, "none") {
		t.Errorf("a refused policy was stored: %s", got)
	}
}

// TestPolicyPins: a deleted principal shows by its unique id, which can't be saved
// again, and its successor has no rights (K64).
func TestPolicyPins(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	u := e.user(accountA, "u", "")
	key := e.key(accountA, east, keyPolicy(accountA, statement("Allow", "kms:DescribeKey", "*", principal(u.arn))))
	describe := func(a *actor) error {
		_, err := a.kms(east).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
		return err
	}
	wantFailure(t, "named", describe(u), "", "")
	if got := e.policyOf(key.KeyId); !strings.Contains(got, u.arn) {
		t.Errorf("the policy does not show the user: %s", got)
	}
	e.deleteUser(accountA, "u", u)
	shown := e.policyOf(key.KeyId)
	if strings.Contains(shown, u.arn) || !strings.Contains(shown, `"AIDA`) {
		t.Errorf("the policy does not show the unique id: %s", shown)
	}
	_, err := e.root(accountA, east).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key.KeyId, Policy: &shown})
	wantFailure(t, "saving it again", err, "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.")
	wantFailure(t, "successor", describe(e.user(accountA, "u", "")), "AccessDeniedException", "*")
}
