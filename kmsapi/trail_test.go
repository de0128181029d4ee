package kmsapi

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/trail"
)

// TestTrailOfDirectCall: who, what, with which parameters, and no secrets (K80 to K82).
func TestTrailOfDirectCall(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	u := e.user(accountA, "u", allow("kms:*", "*"))
	enc, err := u.kms(east).Encrypt(t.Context(), &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("top secret"), EncryptionContext: map[string]string{"a": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	got := e.last()
	if got.EventID == "" || got.RequestID == "" || got.UserAgent == "" {
		t.Errorf("event %+v lacks ids or user agent", got)
	}
	want := trail.Event{
		EventTime: start, EventSource: "kms.amazonaws.com", EventName: "Encrypt", AWSRegion: east, SourceIPAddress: "127.0.0.1", ReadOnly: true,
		Request:      map[string]any{"keyId": *key.KeyId, "encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": map[string]string{"a": "1"}},
		Resources:    []trail.Resource{{ARN: *key.Arn, AccountID: accountA, Type: "AWS::KMS::Key"}},
		UserIdentity: trail.Identity{Type: "IAMUser", ARN: u.arn, AccountID: accountA, AccessKeyID: u.creds.AccessKeyID}, HTTPStatus: 200, Recipient: accountA,
		Authorizations: []trail.Authorization{{Action: "kms:Encrypt", Resource: *key.Arn, Outcome: "allowed"}},
	}
	want.EventID, want.RequestID, want.UserAgent, want.UserIdentity.PrincipalID = got.EventID, got.RequestID, got.UserAgent, got.UserIdentity.PrincipalID
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("event (-got +want):\n%s", diff)
	}
	if _, err := u.kms(east).Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob}); err == nil {
		t.Fatal("decrypted without the context")
	}
	if got := e.last(); got.ErrorCode != "InvalidCiphertextException" || got.HTTPStatus != 400 || got.Request["ciphertextBlob"] != nil {
		t.Errorf("event of a failure: %+v", got)
	}
	e.userPolicy(accountA, "u", document(statement("Deny", "*", "*", "")))
	if _, err := u.kms(east).ListKeys(t.Context(), &kms.ListKeysInput{}); err == nil {
		t.Fatal("a denied call succeeded")
	}
	if got := e.last(); got.ErrorCode != "AccessDenied" || !strings.Contains(got.ErrorMessage, "explicit deny") {
		t.Errorf("event of a denial: %+v", got)
	}
	all, err := json.Marshal(e.events)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(all), "dG9wIHNlY3JldA") || strings.Contains(string(all), "top secret") {
		t.Error("the plaintext is in the trail")
	}
}

// TestTrailThroughS3: calls for somebody name who forwarded them (K83).
func TestTrailThroughS3(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	if _, err := e.kms.GenerateDataKey(t.Context(), viaService(accountA), east, *key.Arn, nil); err != nil {
		t.Fatal(err)
	}
	got := e.last()
	if id := got.UserIdentity; id.InvokedBy != "fas.s3.amazonaws.com" || id.Type != "Root" || got.SourceIPAddress != id.InvokedBy || got.UserAgent != id.InvokedBy {
		t.Errorf("event %+v", got)
	}
	role, _ := e.role(accountA, "crr", allow("kms:*", "*"))
	caller, err := e.iam.AssumeServiceRole(t.Context(), serviceRole(role))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.kms.GenerateDataKey(t.Context(), caller.ThroughService(viaS3), east, *key.Arn, nil); err != nil {
		t.Fatal(err)
	}
	if id := e.last().UserIdentity; id.InvokedBy != "s3.amazonaws.com" || id.Type != "AssumedRole" {
		t.Errorf("identity of a replication call %+v", id)
	}
}

// TestMaterialIsNotPrinted: key material hides from every way of printing it.
func TestMaterialIsNotPrinted(t *testing.T) {
	m := material{ID: "id", Secret: secret("0123456789abcdef")}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "material", m)
	for _, text := range []string{fmt.Sprint(m), fmt.Sprintf("%+v %#v %s %x %q", m, m, m.Secret, m.Secret, m.Secret), log.String()} {
		if strings.Contains(text, "0123") || strings.Contains(text, "3031") {
			t.Errorf("printed as %s", text)
		}
	}
}
