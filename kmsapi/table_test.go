package kmsapi

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// TestTableCoversTheSDK: each method of the SDK's client is implemented or refused.
func TestTableCoversTheSDK(t *testing.T) {
	known := map[string]bool{}
	for _, op := range Operations() {
		known[op.Name] = true
	}
	client := reflect.TypeFor[*kms.Client]()
	seen := 0
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() < 3 || m.Type.In(1) != reflect.TypeFor[context.Context]() {
			continue // not an operation
		}
		seen++
		if !known[m.Name] {
			t.Errorf("%s is neither implemented nor refused: add a row to table.go", m.Name)
		}
		delete(known, m.Name)
	}
	for name := range known {
		t.Errorf("table.go has %s, which the SDK does not know", name)
	}
	if seen < 54 {
		t.Errorf("found %d operations in the SDK, want at least 54", seen)
	}
}

func TestTableIsSorted(t *testing.T) {
	ops := Operations()
	if !slices.IsSortedFunc(ops, func(a, b Operation) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the rows of table.go are not sorted by name")
	}
}

// sampleInputs are valid requests of every supported operation, on keys of account A in
// the east.
func sampleInputs(t testing.TB, e *env) map[string]string {
	t.Helper()
	ctx := t.Context()
	root := e.root(accountA, east)
	id := *e.key(accountA, east, "").KeyId
	signing, agreeing := *e.keyOf("ECC_NIST_P256", "SIGN_VERIFY").KeyId, *e.keyOf("ECC_NIST_P256", "KEY_AGREEMENT").KeyId
	hmac := *e.keyOf("HMAC_256", "GENERATE_VERIFY_MAC").KeyId
	external := *must(root.CreateKey(ctx, &kms.CreateKeyInput{Origin: "EXTERNAL"})).KeyMetadata.KeyId
	shared := *must(root.CreateKey(ctx, &kms.CreateKeyInput{MultiRegion: ptr(true)})).KeyMetadata.KeyId
	must(root.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: &shared, ReplicaRegion: ptr(west)}))
	must(root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/a"), TargetKeyId: &id}))
	cipher := jsonOf(must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: &id, Plaintext: []byte("x")})).CiphertextBlob)
	grant := *must(root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: &id, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}})).GrantId
	signature := jsonOf(must(root.Sign(ctx, &kms.SignInput{KeyId: &signing, Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256"})).Signature)
	mac := jsonOf(must(root.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: &hmac, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_256"})).Mac)
	peer := jsonOf(must(root.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &agreeing})).PublicKey)
	token, wrapped := e.wrapped(external, make([]byte, 32))

	key, arn := `"KeyId":"`+id+`"`, `"KeyId":"arn:aws:kms:`+east+`:`+accountA+`:key/`+id+`"`
	sign := `"KeyId":"` + signing + `","Message":"eA==","SigningAlgorithm":"ECDSA_SHA_256"`
	code := `"KeyId":"` + hmac + `","Message":"eA==","MacAlgorithm":"HMAC_SHA_256"`
	in := map[string]string{
		"CreateAlias": `"AliasName":"alias/b","TargetKeyId":"` + id + `"`, "UpdateAlias": `"AliasName":"alias/a","TargetKeyId":"` + id + `"`,
		"DeleteAlias": `"AliasName":"alias/a"`, "CreateKey": ``, "ListKeys": ``, "ListAliases": ``, "DescribeCustomKeyStores": ``,
		"GenerateRandom": `"NumberOfBytes":1`, "CreateGrant": key + `,"GranteePrincipal":"` + rootARN(accountA) + `","Operations":["Decrypt"]`,
		"Decrypt": `"CiphertextBlob":` + cipher, "Encrypt": key + `,"Plaintext":"AA=="`,
		"ReEncrypt":       `"CiphertextBlob":` + cipher + `,"DestinationKeyId":"` + id + `"`,
		"GenerateDataKey": key + `,"KeySpec":"AES_256"`, "GenerateDataKeyWithoutPlaintext": key + `,"KeySpec":"AES_256"`,
		"GenerateDataKeyPair": key + `,"KeyPairSpec":"ECC_NIST_P256"`, "GenerateDataKeyPairWithoutPlaintext": key + `,"KeyPairSpec":"ECC_NIST_P256"`,
		"ListRetirableGrants": `"RetiringPrincipal":"` + rootARN(accountA) + `"`, "PutKeyPolicy": key + `,"Policy":` + jsonOf(keyPolicy(accountA)),
		"RetireGrant": arn + `,"GrantId":"` + grant + `"`, "RevokeGrant": key + `,"GrantId":"` + grant + `"`,
		"TagResource": key + `,"Tags":[{"TagKey":"a","TagValue":"b"}]`, "UntagResource": key + `,"TagKeys":["a"]`,
		"UpdateKeyDescription": key + `,"Description":"d"`, "Sign": sign, "Verify": sign + `,"Signature":` + signature,
		"GenerateMac": code, "VerifyMac": code + `,"Mac":` + mac, "GetPublicKey": `"KeyId":"` + signing + `"`,
		"DeriveSharedSecret":        `"KeyId":"` + agreeing + `","KeyAgreementAlgorithm":"ECDH","PublicKey":` + peer,
		"GetParametersForImport":    `"KeyId":"` + external + `","WrappingAlgorithm":"RSAES_OAEP_SHA_256","WrappingKeySpec":"RSA_2048"`,
		"ImportKeyMaterial":         `"KeyId":"` + external + `","ImportToken":` + jsonOf(token) + `,"EncryptedKeyMaterial":` + jsonOf(wrapped) + `,"ExpirationModel":"KEY_MATERIAL_DOES_NOT_EXPIRE"`,
		"DeleteImportedKeyMaterial": `"KeyId":"` + external + `"`,
		"ReplicateKey":              `"KeyId":"` + shared + `","ReplicaRegion":"eu-west-1"`,
		"UpdatePrimaryRegion":       `"KeyId":"` + shared + `","PrimaryRegion":"` + west + `"`,
	}
	for _, op := range Operations() {
		if _, ok := in[op.Name]; !ok && op.Supported {
			in[op.Name] = key
		}
		in[op.Name] = "{" + in[op.Name] + "}"
	}
	return in
}

func jsonOf(v any) string { return string(must(json.Marshal(v))) }

// TestEverythingDenied: a deny on everything refuses every operation, whether it
// stands in an IAM policy or, for operations on keys, in the key policy.
func TestEverythingDenied(t *testing.T) {
	e := newEnv(t)
	inputs := sampleInputs(t, e)
	all := statement("Allow", "*", "*", "")
	denied := e.user(accountA, "denied", document(all, statement("Deny", "*", "*", "")))
	for _, op := range Operations() {
		if !op.Supported {
			continue
		}
		t.Run("IAM/"+op.Name, func(t *testing.T) {
			_, err := e.kms.ops[op.Name].serve(e.kms, t.Context(), e.caller(denied), east, []byte(inputs[op.Name]))
			wantFailure(t, op.Name, err, "AccessDeniedException", "*")
			if err != nil && !strings.Contains(err.Error(), "with an explicit deny in an identity-based policy") {
				t.Errorf("%v does not name the deny", err)
			}
		})
	}
	for id := range keysIn(e, accountA) {
		text := document(statement("Deny", "kms:*", "*", principal("*")))
		if _, err := e.kms.changeKey(t.Context(), keyRef{accountA, east, id}, func(r *keyRecord) error { r.Policy = text; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	iamOnly := []string{"CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants", "DescribeCustomKeyStores"}
	free := e.user(accountA, "free", document(all))
	for _, op := range Operations() {
		if !op.Supported || slices.Contains(iamOnly, op.Name) {
			continue
		}
		t.Run("KeyPolicy/"+op.Name, func(t *testing.T) {
			_, err := e.kms.ops[op.Name].serve(e.kms, t.Context(), e.caller(free), east, []byte(inputs[op.Name]))
			wantFailure(t, op.Name, err, "AccessDeniedException", "*")
			if err != nil && !strings.Contains(err.Error(), "with an explicit deny in a resource-based policy") {
				t.Errorf("%v does not name the deny", err)
			}
		})
	}
}

// TestSamplesWork: the requests of the sweep succeed for root, so that the sweep
// proves something.
func TestSamplesWork(t *testing.T) {
	for _, op := range Operations() {
		if !op.Supported || op.Name == "CancelKeyDeletion" { // which needs a key in another state
			continue
		}
		t.Run(op.Name, func(t *testing.T) {
			e := newEnv(t)
			res, body := e.post(accountA, "TrentService."+op.Name, sampleInputs(t, e)[op.Name])
			if res.StatusCode != 200 {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
}

// TestUnsignedRefused: without a signature nothing is done, refused operations included.
func TestUnsignedRefused(t *testing.T) {
	e := newEnv(t)
	inputs := sampleInputs(t, e)
	for _, op := range Operations() {
		res, body := e.post("", "TrentService."+op.Name, inputs[op.Name])
		if res.StatusCode != 400 || !strings.Contains(body, "MissingAuthenticationTokenException") {
			t.Errorf("%s: %d %s", op.Name, res.StatusCode, body)
		}
		if got := e.last(); got.EventName != op.Name || got.ErrorCode != "MissingAuthenticationTokenException" {
			t.Errorf("%s: trail has %s %s", op.Name, got.EventName, got.ErrorCode)
		}
	}
}

// TestRefusedAnswers: what is not built answers 501, and custom key stores, which
// AWS does not have everywhere either, 400 (K94).
func TestRefusedAnswers(t *testing.T) {
	e := newEnv(t)
	for _, op := range Operations() {
		if op.Supported {
			continue
		}
		want := 501
		if strings.HasSuffix(op.Name, "CustomKeyStore") {
			want = 400
		}
		res, body := e.post(accountA, "TrentService."+op.Name, `{}`)
		if res.StatusCode != want || !strings.Contains(body, "UnsupportedOperationException") || !strings.Contains(body, op.Name+" is not supported by Twinbucket") {
			t.Errorf("%s: %d %s; want %d", op.Name, res.StatusCode, body, want)
		}
		if got := e.last(); got.EventName != op.Name || got.HTTPStatus != want {
			t.Errorf("%s: trail has %s with %d", op.Name, got.EventName, got.HTTPStatus)
		}
	}
}

// TestDryRunEverywhere: every operation that has a dry run passes all its checks and
// then says that it would have succeeded; denied, it says why (K10).
func TestDryRunEverywhere(t *testing.T) {
	e := newEnv(t)
	inputs := sampleInputs(t, e)
	denied := e.caller(e.user(accountA, "denied", document(statement("Deny", "kms:*", "*", ""))))
	before := e.recordsWith("")
	for _, name := range []string{"CreateGrant", "Decrypt", "DeriveSharedSecret", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
		"GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "VerifyMac", "ReEncrypt", "RetireGrant",
		"RevokeGrant", "Sign", "Verify"} {
		body := strings.TrimSuffix(inputs[name], "}") + `,"DryRun":true}`
		res, got := e.post(accountA, "TrentService."+name, body)
		if want := `{"__type":"DryRunOperationException","message":"The request would have succeeded, but the DryRun option is set."}`; res.StatusCode != 400 || got != want {
			t.Errorf("%s: %d %s", name, res.StatusCode, got)
		}
		_, err := e.kms.ops[name].serve(e.kms, t.Context(), denied, east, []byte(body))
		wantFailure(t, name+", denied", err, "AccessDeniedException", "*")
	}
	if after := e.recordsWith(""); !slices.Equal(after, before) {
		t.Errorf("dry runs changed the records: %q, before %q", after, before)
	}
}
