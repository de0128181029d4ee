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

// sampleInputs are valid requests of every supported operation on one key.
func sampleInputs(t *testing.T, e *env) map[string]string {
	t.Helper()
	ctx := t.Context()
	md := e.key(accountA, east, "")
	root := e.root(accountA, east)
	id := *md.KeyId
	enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: &id, Plaintext: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/a"), TargetKeyId: &id}); err != nil {
		t.Fatal(err)
	}
	g, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: &id, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}})
	if err != nil {
		t.Fatal(err)
	}
	blob, err := json.Marshal(enc.CiphertextBlob)
	if err != nil {
		t.Fatal(err)
	}
	key, arn, cipher, grant := `"KeyId":"`+id+`"`, `"KeyId":"`+*md.Arn+`"`, `"CiphertextBlob":`+string(blob), `"GrantId":"`+*g.GrantId+`"`
	policy, err := json.Marshal(keyPolicy(accountA))
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]string{
		"CreateAlias": `"AliasName":"alias/b","TargetKeyId":"` + id + `"`, "UpdateAlias": `"AliasName":"alias/a","TargetKeyId":"` + id + `"`,
		"DeleteAlias": `"AliasName":"alias/a"`, "CreateKey": ``, "ListKeys": ``, "ListAliases": ``, "GenerateRandom": `"NumberOfBytes":1`,
		"CreateGrant": key + `,"GranteePrincipal":"` + rootARN(accountA) + `","Operations":["Decrypt"]`,
		"Decrypt":     cipher, "Encrypt": key + `,"Plaintext":"AA=="`, "ReEncrypt": cipher + `,"DestinationKeyId":"` + id + `"`,
		"GenerateDataKey": key + `,"KeySpec":"AES_256"`, "GenerateDataKeyWithoutPlaintext": key + `,"KeySpec":"AES_256"`,
		"ListRetirableGrants": `"RetiringPrincipal":"` + rootARN(accountA) + `"`, "PutKeyPolicy": key + `,"Policy":` + string(policy),
		"RetireGrant": arn + `,` + grant, "RevokeGrant": key + `,` + grant, "TagResource": key + `,"Tags":[{"TagKey":"a","TagValue":"b"}]`,
		"UntagResource": key + `,"TagKeys":["a"]`, "UpdateKeyDescription": key + `,"Description":"d"`,
	}
	for _, op := range Operations() {
		if _, ok := in[op.Name]; !ok && op.Supported {
			in[op.Name] = key
		}
		in[op.Name] = "{" + in[op.Name] + "}"
	}
	return in
}

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
	iamOnly := []string{"CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants"}
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

func TestRefusedAnswer501(t *testing.T) {
	e := newEnv(t)
	for _, op := range Operations() {
		if op.Supported {
			continue
		}
		res, body := e.post(accountA, "TrentService."+op.Name, `{}`)
		if res.StatusCode != 501 || !strings.Contains(body, op.Name+" is not supported by Twinbucket") {
			t.Errorf("%s: %d %s", op.Name, res.StatusCode, body)
		}
	}
}
