package kmsapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
)

func sign(t testing.TB, req *http.Request, c aws.Credentials, body string) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), c, req, hex.EncodeToString(sum[:]), "kms", east, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// TestWire checks bodies, headers and statuses as bytes (K1 to K8).
func TestWire(t *testing.T) {
	e := newEnv(t)
	id := *e.key(accountA, east, "").KeyId
	keyID := `{"KeyId":"` + id + `"}`
	for _, tt := range []struct {
		name, account, target, body string
		status                      int
		want                        string
	}{
		{"empty body", accountA, "TrentService.DisableKey", keyID, 200, ""},
		{"message", accountA, "TrentService.Encrypt", `{"KeyId":"` + id + `","Plaintext":"AA=="}`, 400,
			`{"__type":"DisabledException","message":"arn:aws:kms:us-east-1:111111111111:key/` + id + ` is disabled."}`},
		{"no message", accountA, "TrentService.Decrypt", `{"CiphertextBlob":"AAAA"}`, 400, `{"__type":"InvalidCiphertextException"}`},
		{"bad JSON", accountA, "TrentService.ListKeys", `{"Limit":`, 400, `{"__type":"SerializationException"}`},
		{"bad base64", accountA, "TrentService.Decrypt", `{"CiphertextBlob":"*"}`, 400, `{"__type":"SerializationException"}`},
		{"wrong type", accountA, "TrentService.ListKeys", `{"Limit":"x"}`, 400, `{"__type":"SerializationException"}`},
		{"unknown member", accountA, "TrentService.ListKeyPolicies", `{"KeyId":"` + id + `","Novelty":{"A":[1]}}`, 200,
			`{"PolicyNames":["default"],"Truncated":false}`},
		{"no body", accountA, "TrentService.ListAliases", ``, 200, `{"Aliases":[],"Truncated":false}`},
		{"null member", accountA, "TrentService.DescribeKey", `{}`, 400,
			`{"__type":"ValidationException","message":"1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"}`},
		{"two violations", accountA, "TrentService.GenerateDataKey", `{"NumberOfBytes":0}`, 400,
			`{"__type":"ValidationException","message":"2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; ` +
				`Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1"}`},
		{"refused", accountA, "TrentService.Encapsulate", keyID, 501,
			`{"__type":"UnsupportedOperationException","message":"Encapsulate is not supported by Twinbucket, which has no key encapsulation."}`},
		{"unsupported without message", accountA, "TrentService.GetPublicKey", keyID, 400, `{"__type":"UnsupportedOperationException"}`},
		{"unknown operation", accountA, "TrentService.Nothing", `{}`, 404, `{"__type":"UnknownOperationException"}`},
		{"no target", accountA, "", `{}`, 404, `{"__type":"UnknownOperationException"}`},
		{"denied", accountB, "TrentService.DescribeKey", `{"KeyId":"arn:aws:kms:us-east-1:111111111111:key/` + id + `"}`, 400,
			`{"Message":"User: arn:aws:iam::222222222222:root is not authorized to perform: kms:DescribeKey on this resource ` + hiddenReason + `","__type":"AccessDeniedException"}`},
		{"unsigned", "", "TrentService.ListKeys", `{}`, 400, `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
		{"unknown key", "AKIAIOSFODNN7EXAMPLE", "TrentService.ListKeys", `{}`, 400,
			`{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := e.post(tt.account, tt.target, tt.body)
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if diff := cmp.Diff(body, tt.want); diff != "" {
				t.Errorf("body (-got +want):\n%s", diff)
			}
			if got := res.Header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
				t.Errorf("content type %q", got)
			}
			if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(res.Header.Get("x-amzn-RequestId")) {
				t.Errorf("request id %q is no UUID", res.Header.Get("x-amzn-RequestId"))
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	e := newEnv(t)
	res, body := e.post(accountA, "TrentService.ListKeys", strings.Repeat(" ", maxBody+1))
	if res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(body, "RequestEntityTooLargeException") {
		t.Errorf("got %d %s, want 413", res.StatusCode, body)
	}
}

func TestTamperedSignature(t *testing.T) {
	e := newEnv(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.url, strings.NewReader(`{"Limit":2}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "TrentService.ListKeys")
	sign(t, req, rootCredentials(accountA), `{"Limit":1}`) // another body than is sent
	res, err := e.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got struct {
		Type string `json:"__type"`
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Type != "InvalidSignatureException" {
		t.Errorf("got %s, want InvalidSignatureException", got.Type)
	}
}

// TestKeyMetadataMembers: exactly the members that AWS sends for a symmetric key,
// nothing null (K30).
func TestKeyMetadataMembers(t *testing.T) {
	e := newEnv(t)
	e.clock.Advance(250 * time.Millisecond)
	_, body := e.post(accountA, "TrentService.CreateKey", `{"Tags":[{"TagKey":"_custom_id_","TagValue":"1234abcd-12ab-34cd-56ef-1234567890ab"}]}`)
	var got map[string]map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	m := got["KeyMetadata"]
	if id, _ := m["CurrentKeyMaterialId"].(string); len(id) != 64 {
		t.Errorf("CurrentKeyMaterialId %q, want 64 hex digits", id)
	}
	delete(m, "CurrentKeyMaterialId")
	want := map[string]any{
		"AWSAccountId": accountA, "KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
		"Arn":          "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		"CreationDate": 1772355600.25, "Enabled": true, "Description": "", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
		"Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT",
		"EncryptionAlgorithms": []any{"SYMMETRIC_DEFAULT"}, "MultiRegion": false,
	}
	if diff := cmp.Diff(m, want); diff != "" {
		t.Errorf("metadata (-got +want):\n%s", diff)
	}
	if !strings.Contains(body, `"CreationDate":1772355600.25,`) {
		t.Errorf("the date is not a plain number: %s", body)
	}
}

// TestPanicIsAnswered: a handler that panics costs one request, not the process.
func TestPanicIsAnswered(t *testing.T) {
	e := newEnv(t)
	e.kms.ops["ListKeys"] = row("ListKeys", func(*Service, *call, *keyInput) (none, error) { panic("boom") })
	res, body := e.post(accountA, "TrentService.ListKeys", `{"KeyId":"x"}`)
	if res.StatusCode != 500 || body != `{"__type":"KMSInternalException"}` {
		t.Errorf("got %d %s, want 500 KMSInternalException", res.StatusCode, body)
	}
	if got := e.last(); got.ErrorCode != "KMSInternalException" || got.HTTPStatus != 500 {
		t.Errorf("trail: %+v", got)
	}
}
