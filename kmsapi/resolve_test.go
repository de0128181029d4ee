package kmsapi

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// TestResolutionErrors holds the table of K20 to K25.
func TestResolutionErrors(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key := e.key(accountA, east, "")
	elsewhere := e.key(accountA, west, "")
	foreign := e.key(accountB, east, "")
	const absent = "00000000-0000-0000-0000-000000000000"
	arn := func(region, resource string) string { return "arn:aws:kms:" + region + ":" + accountA + ":" + resource }
	rootB := "User: arn:aws:iam::111111111111:root is not authorized to perform: "
	describe := func(id string) error {
		_, err := root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
		return err
	}
	disable := func(id string) error {
		_, err := root.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &id})
		return err
	}
	grant := func(id string) error {
		_, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: &id, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}})
		return err
	}
	retire := func(id string) error {
		_, err := root.RetireGrant(ctx, &kms.RetireGrantInput{KeyId: &id, GrantId: ptr("g")})
		return err
	}
	for _, tt := range []struct {
		name    string
		call    func(string) error
		id      string
		code    string
		message string
	}{
		{"not a UUID", describe, "fake-key-id", "NotFoundException", "Invalid keyId 'fake-key-id'"},
		{"UUID without dashes", describe, "134f2428cec14b25a1ae9048164dba47", "NotFoundException", "Invalid keyId '134f2428cec14b25a1ae9048164dba47'"},
		{"bad multi-Region id", describe, "mrk-fake-key-id", "NotFoundException", "Invalid keyId 'mrk-fake-key-id'"},
		{"good multi-Region id", describe, "mrk-134f2428cec14b25a1ae9048164dba47", "NotFoundException",
			"Key '" + arn(east, "key/mrk-134f2428cec14b25a1ae9048164dba47") + "' does not exist"},
		{"absent id", describe, absent, "NotFoundException", "Key '" + arn(east, "key/"+absent) + "' does not exist"},
		{"absent ARN", describe, arn(east, "key/"+absent), "NotFoundException", "Key '" + arn(east, "key/"+absent) + "' does not exist"},
		{"ARN of another Region", describe, *elsewhere.Arn, "NotFoundException", "Invalid arn us-west-2"},
		{"id of another Region", describe, *elsewhere.KeyId, "NotFoundException", "Key '" + arn(east, "key/"+*elsewhere.KeyId) + "' does not exist"},
		{"absent alias", describe, "alias/none", "NotFoundException", "Alias " + arn(east, "alias/none") + " is not found."},
		{"absent alias ARN", describe, arn(east, "alias/none"), "NotFoundException", "Alias " + arn(east, "alias/none") + " is not found."},
		{"alias ARN of another Region", describe, arn(west, "alias/none"), "NotFoundException", "Invalid arn us-west-2"},
		{"alias in a key ARN", describe, arn(east, "key/alias/aws/sqs"), "NotFoundException", "Invalid keyId alias/aws/sqs"},
		{"managed alias without prefix", describe, "aws/s3", "NotFoundException", "Invalid keyId aws/s3"},
		{"another service", describe, "arn:aws:s3:::bucket", "NotFoundException", "Invalid arn arn:aws:s3:::bucket"},
		{"neither key nor alias", describe, arn(east, "thing/x"), "NotFoundException", "Invalid arn " + arn(east, "thing/x")},
		{"alias where a key is wanted", disable, "alias/x", "NotFoundException", "Invalid keyId alias/x"},
		{"alias ARN where a key is wanted", grant, arn(east, "alias/x"), "InvalidArnException", "Key Aliases are not supported for this operation"},
		{"retire by bare id", retire, *key.KeyId, "NotFoundException", "Invalid arn " + *key.KeyId},
		{"foreign key", describe, *foreign.Arn, "AccessDeniedException", rootB + "kms:DescribeKey on this resource " + hiddenReason},
		{"absent foreign key", describe, "arn:aws:kms:us-east-1:" + accountB + ":key/" + absent, "AccessDeniedException", rootB + "kms:DescribeKey on this resource " + hiddenReason},
		{"absent foreign alias", describe, "arn:aws:kms:us-east-1:" + accountB + ":alias/none", "AccessDeniedException", rootB + "kms:DescribeKey on this resource " + hiddenReason},
		{"foreign id", describe, *foreign.KeyId, "NotFoundException", "Key '" + arn(east, "key/"+*foreign.KeyId) + "' does not exist"},
		{"foreign key, own keys only", disable, *foreign.Arn, "AccessDeniedException", rootB + "kms:DisableKey on this resource " + hiddenReason},
		{"too long", describe, string(make([]byte, 2049)), "ValidationException", "*"},
		{"id", describe, *key.KeyId, "", ""},
		{"ARN", describe, *key.Arn, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) { wantFailure(t, tt.id, tt.call(tt.id), tt.code, tt.message) })
	}
}

// TestResponsesNameTheARN: crypto operations answer with the key ARN, whatever named the key.
func TestResponsesNameTheARN(t *testing.T) {
	e := newEnv(t)
	root, key := e.root(accountA, east), e.key(accountA, east, "")
	if _, err := root.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/app/x"), TargetKeyId: key.KeyId}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{*key.KeyId, *key.Arn, "alias/app/x", "arn:aws:kms:us-east-1:111111111111:alias/app/x"} {
		out, err := root.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &id, Plaintext: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		if *out.KeyId != *key.Arn {
			t.Errorf("%s: KeyId %s, want %s", id, *out.KeyId, *key.Arn)
		}
	}
}
