package kmsapi

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"twinbucket/internal/rootkey"
	"twinbucket/store/kv"
)

// TestSealedAtRest: no record shows key material in any spelling.
func TestSealedAtRest(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	e.key(accountA, east, "")
	e.keyOf("HMAC_256", "GENERATE_VERIFY_MAC")
	e.keyOf("ECC_NIST_P256", "SIGN_VERIFY")
	imported := e.external("", "")
	if _, err := e.importInto(imported.KeyId, secretOf(9), kms.ImportKeyMaterialInput{}); err != nil {
		t.Fatal(err)
	}
	must(root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: e.shared(west).KeyId}))
	var records []byte
	if err := e.engine.View(ctx, func(r kv.Reader) error {
		return r.Scan([]byte(prefixAll), kv.PrefixEnd([]byte(prefixAll)), func(_, v []byte) (bool, error) {
			records = append(records, v...)
			return true, nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, k := range keysIn(e, accountA) {
		for _, m := range k.all() {
			seen++
			for _, form := range [][]byte{m.Secret, []byte(hex.EncodeToString(m.Secret)), []byte(base64.StdEncoding.EncodeToString(m.Secret))} {
				if bytes.Contains(records, form) {
					t.Errorf("the engine has the material of %s", k.arn)
				}
			}
		}
	}
	if seen < 6 {
		t.Errorf("only %d materials", seen)
	}
}

// TestAnotherRootKey: with another root key, Open fails with a typed error that names a
// key, and nothing is served.
func TestAnotherRootKey(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	open := func(root *rootkey.Key) error {
		cfg := e.kms.cfg
		cfg.RootKey = root
		s := New(cfg)
		err := s.Open(t.Context())
		return errors.Join(err, s.Close(t.Context()))
	}
	if err := open(rootkey.New([rootkey.Size]byte{1})); err != nil {
		t.Errorf("with the same root key: %v", err)
	}
	var sealed *SealError
	for name, root := range map[string]*rootkey.Key{"another": rootkey.New([rootkey.Size]byte{2}), "none": nil} {
		if err := open(root); !errors.As(err, &sealed) || !errors.Is(err, rootkey.ErrSealed) || sealed.KeyARN != *key.Arn {
			t.Errorf("%s root key: %v; want a SealError of %s", name, err, *key.Arn)
		}
	}
}

// TestMaterialIsBoundToItsKey: material that is moved to another key's record does not open.
func TestMaterialIsBoundToItsKey(t *testing.T) {
	e := newEnv(t)
	a, b := e.key(accountA, east, ""), e.key(accountA, east, "")
	record := func(id *string) (r keyRecord) {
		t.Helper()
		if err := e.engine.View(t.Context(), func(tx kv.Reader) error {
			v, err := tx.Get(keyRef{accountA, east, *id}.record())
			if err != nil {
				return err
			}
			return json.Unmarshal(v, &r)
		}); err != nil {
			t.Fatal(err)
		}
		return r
	}
	ra, rb := record(a.KeyId), record(b.KeyId)
	rb.Materials = ra.Materials
	if err := e.engine.Update(t.Context(), func(tx kv.Txn) error { tx.Put(rb.record(), must(json.Marshal(rb))); return nil }); err != nil {
		t.Fatal(err)
	}
	s := New(e.kms.cfg)
	var sealed *SealError
	if err := s.Open(t.Context()); !errors.As(err, &sealed) || sealed.KeyARN != *b.Arn {
		t.Errorf("%v; want a SealError of %s", err, *b.Arn)
	}
	_ = s.Close(t.Context())
}

// TestReopenEveryKind: keys of every kind work after a restart.
func TestReopenEveryKind(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	signing, mac, imported := e.keyOf("ECC_SECG_P256K1", "SIGN_VERIFY"), e.keyOf("HMAC_512", "GENERATE_VERIFY_MAC"), e.external("", "")
	until := start.Add(time.Hour)
	if _, err := e.importInto(imported.KeyId, secretOf(1), kms.ImportKeyMaterialInput{ValidTo: &until}); err != nil {
		t.Fatal(err)
	}
	signature := must(root.Sign(ctx, &kms.SignInput{KeyId: signing.KeyId, Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256"})).Signature
	code := must(root.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: mac.KeyId, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_512"})).Mac

	again := newEnvOn(t, e.engine)
	root = again.root(accountA, east)
	_, err := root.Verify(ctx, &kms.VerifyInput{KeyId: signing.KeyId, Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256", Signature: signature})
	wantFailure(t, "signature from before", err, "", "")
	_, err = root.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: mac.KeyId, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_512", Mac: code})
	wantFailure(t, "code from before", err, "", "")
	if got := again.state(imported.KeyId); got != types.KeyStateEnabled {
		t.Errorf("imported key is %s", got)
	}
	again.clock.Advance(time.Hour)
	if got := again.state(imported.KeyId); got != types.KeyStatePendingImport {
		t.Errorf("imported key is %s after its expiry", got)
	}
}

// TestLastUsage: every successful cryptographic operation counts, denied, dry and other
// operations don't; it survives a restart that was orderly (K93).
func TestLastUsage(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	usage := func(e *env) *kms.GetKeyLastUsageOutput {
		t.Helper()
		return must(e.root(accountA, east).GetKeyLastUsage(ctx, &kms.GetKeyLastUsageInput{KeyId: key.KeyId}))
	}
	out := usage(e)
	if u := out.KeyLastUsage; u == nil || u.Operation != "" || u.Timestamp != nil || !out.KeyCreationDate.Equal(start) || !out.TrackingStartDate.Equal(start) || *out.KeyId != *key.KeyId {
		t.Errorf("of a new key: %+v %+v", out, out.KeyLastUsage)
	}
	e.clock.Advance(time.Minute)
	enc := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}))
	event := e.last()
	u := usage(e).KeyLastUsage
	if u.Operation != "Encrypt" || !u.Timestamp.Equal(start.Add(time.Minute)) || *u.CloudTrailEventId != event.EventID || *u.KmsRequestId != event.RequestID {
		t.Errorf("after Encrypt: %+v, trail has %s", u, event.EventID)
	}
	e.clock.Advance(time.Minute)
	_, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, EncryptionContext: map[string]string{"a": "b"}})
	wantFailure(t, "wrong context", err, "InvalidCiphertextException", "")
	_, err = root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, DryRun: ptr(true)})
	wantFailure(t, "dry run", err, "DryRunOperationException", "*")
	must(root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId}))
	if u := usage(e).KeyLastUsage; u.Operation != "Encrypt" {
		t.Errorf("%s was no use of the key", u.Operation)
	}
	other := e.key(accountA, east, "")
	must(root.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: enc.CiphertextBlob, DestinationKeyId: other.KeyId}))
	if u := usage(e).KeyLastUsage; u.Operation != "ReEncrypt" {
		t.Errorf("after ReEncrypt: %s", u.Operation)
	}
	if u := must(root.GetKeyLastUsage(ctx, &kms.GetKeyLastUsageInput{KeyId: other.KeyId})).KeyLastUsage; u.Operation != "ReEncrypt" {
		t.Errorf("the destination key: %s", u.Operation)
	}
	if err := e.kms.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if u := usage(newEnvOn(t, e.engine)).KeyLastUsage; u.Operation != "ReEncrypt" || !u.Timestamp.Equal(start.Add(2*time.Minute)) {
		t.Errorf("after a restart: %+v", u)
	}
	_, err = root.GetKeyLastUsage(ctx, &kms.GetKeyLastUsageInput{KeyId: ptr("alias/x")})
	wantFailure(t, "by alias", err, "NotFoundException", "*")
}

// TestAliasKeepsItsKind: an alias moves between keys of one usage and kind only (K26).
func TestAliasKeepsItsKind(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	symmetric, signing, rsaKey := e.key(accountA, east, ""), e.keyOf("ECC_NIST_P256", "SIGN_VERIFY"), e.keyOf("RSA_2048", "ENCRYPT_DECRYPT")
	must(root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/k"), TargetKeyId: symmetric.KeyId}))
	move := func(to *types.KeyMetadata) error {
		_, err := root.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: ptr("alias/k"), TargetKeyId: to.KeyId})
		return err
	}
	wantFailure(t, "usage", move(signing), "ValidationException",
		"Alias arn:aws:kms:us-east-1:111111111111:alias/k cannot be changed from a CMK with key usage ENCRYPT_DECRYPT to a CMK with key usage SIGN_VERIFY")
	wantFailure(t, "kind", move(rsaKey), "ValidationException", "*")
	wantFailure(t, "the same kind", move(e.key(accountA, east, "")), "", "")
	must(root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/s"), TargetKeyId: signing.KeyId}))
	_, err := root.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: ptr("alias/s"), TargetKeyId: e.keyOf("ECC_NIST_P384", "SIGN_VERIFY").KeyId})
	wantFailure(t, "another curve", err, "", "")
}

// TestErrorsHideMaterial: what goes wrong with material says nothing of it.
func TestErrorsHideMaterial(t *testing.T) {
	spec, _ := specOf("HMAC_256")
	_, err := importable(&spec, []byte("short secret"))
	if err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("%v", err)
	}
}
