package kmsapi

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"twinbucket/internal/quota"
)

// TestThrottling: fixed one-second windows for each calling account, Region and
// quota, shared by all cryptographic operations (K70 to K73).
func TestThrottling(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	key := e.key(accountA, east, keyPolicy(accountA, statement("Allow", "kms:*", "*", principal(rootARN(accountB)))))
	inWest := e.key(accountA, west, "")
	if err := e.limits.Set(quota.Limit{Service: "kms", Quota: "symmetric", PerSecond: 2}); err != nil {
		t.Fatal(err)
	}
	encrypt := func(account, region, id string) error {
		_, _, err := e.kms.Encrypt(ctx, viaService(account), region, id, []byte("x"), nil)
		return err
	}
	generate := func() error {
		_, err := e.root(accountA, east).GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: key.KeyId, KeySpec: "AES_256"})
		return err
	}
	wantFailure(t, "first", encrypt(accountA, east, *key.Arn), "", "")
	wantFailure(t, "second, another operation", generate(), "", "")
	wantFailure(t, "third", encrypt(accountA, east, *key.Arn), "ThrottlingException", throttledText)
	if ev := e.last(); ev.ErrorCode != "ThrottlingException" || ev.HTTPStatus != 400 {
		t.Errorf("trail: %s, %d", ev.ErrorCode, ev.HTTPStatus)
	}
	wantFailure(t, "third, over HTTP", generate(), "ThrottlingException", throttledText)
	_, err := e.root(accountA, east).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	wantFailure(t, "another quota", err, "", "")
	wantFailure(t, "another Region", encrypt(accountA, west, *inWest.Arn), "", "")
	wantFailure(t, "another caller on the same key", encrypt(accountB, east, *key.Arn), "", "")
	e.clock.Advance(999 * time.Millisecond)
	wantFailure(t, "same second", generate(), "ThrottlingException", throttledText)
	e.clock.Advance(time.Millisecond)
	wantFailure(t, "next second", generate(), "", "")
}

// TestThrottledBeforeWork: denied calls use up the quota too (K72).
func TestThrottledBeforeWork(t *testing.T) {
	e := newEnv(t)
	if err := e.limits.Set(quota.Limit{Service: "kms", PerSecond: 1}); err != nil {
		t.Fatal(err)
	}
	call := func() error {
		_, _, err := e.kms.Encrypt(t.Context(), viaService(accountA), east, "alias/none", []byte("x"), nil)
		return err
	}
	wantFailure(t, "first", call(), "NotFoundException", "*")
	wantFailure(t, "second", call(), "ThrottlingException", "*")
}

// TestQuotaClasses: the algorithm or spec of a request decides which quota it counts
// against, before its key is even looked up (K70, K91).
func TestQuotaClasses(t *testing.T) {
	str := func(s string) *string { return &s }
	for _, tt := range []struct {
		in   classed
		want string
	}{
		{&encryptInput{}, "symmetric"},
		{&encryptInput{EncryptionAlgorithm: str("SYMMETRIC_DEFAULT")}, "symmetric"},
		{&encryptInput{EncryptionAlgorithm: str("RSAES_OAEP_SHA_256")}, "rsa"},
		{&encryptInput{EncryptionAlgorithm: str("SM2PKE")}, "ecc"},
		{&decryptInput{}, "symmetric"},
		{&decryptInput{EncryptionAlgorithm: str("RSAES_OAEP_SHA_1")}, "rsa"},
		{&reEncryptInput{}, "symmetric"},
		{&reEncryptInput{SourceEncryptionAlgorithm: str("RSAES_OAEP_SHA_1")}, "rsa"},
		{&reEncryptInput{DestinationEncryptionAlgorithm: str("RSAES_OAEP_SHA_1")}, "rsa"},
		{&signedMessage{SigningAlgorithm: str("RSASSA_PSS_SHA_256")}, "rsa"},
		{&signedMessage{SigningAlgorithm: str("RSASSA_PKCS1_V1_5_SHA_512")}, "rsa"},
		{&signedMessage{SigningAlgorithm: str("ECDSA_SHA_384")}, "ecc"},
		{&signedMessage{SigningAlgorithm: str("ED25519_SHA_512")}, "ecc"},
		{&signedMessage{SigningAlgorithm: str("ML_DSA_SHAKE_256")}, "ml-dsa"},
		{&deriveSharedSecretInput{}, "ecc"},
		{&generateDataKeyPairInput{KeyPairSpec: str("RSA_4096")}, "GenerateDataKeyPair/RSA_4096"},
	} {
		if got := tt.in.quota(); got != tt.want {
			t.Errorf("%+v counts against %s, want %s", tt.in, got, tt.want)
		}
	}
	for name, want := range map[string]string{"GenerateDataKey": "symmetric", "GenerateMac": "symmetric", "VerifyMac": "symmetric", "GenerateRandom": "symmetric", "DescribeKey": "DescribeKey"} {
		for _, op := range table() {
			if op.Name == name && op.quota != want {
				t.Errorf("%s counts against %s, want %s", name, op.quota, want)
			}
		}
	}
}

// TestDefaultQuotas holds AWS's tables (K90, K91).
func TestDefaultQuotas(t *testing.T) {
	for _, tt := range []struct {
		region, name string
		want         float64
	}{
		{"us-east-1", "symmetric", 100000}, {"us-west-2", "symmetric", 100000}, {"eu-west-1", "symmetric", 100000},
		{"us-east-2", "symmetric", 20000}, {"ap-southeast-1", "symmetric", 20000}, {"ap-southeast-2", "symmetric", 20000},
		{"ap-northeast-1", "symmetric", 20000}, {"eu-central-1", "symmetric", 20000}, {"eu-west-2", "symmetric", 20000},
		{"eu-north-1", "symmetric", 10000}, {"elsewhere-1", "symmetric", 10000},
		{east, "rsa", 1000}, {east, "ecc", 1000}, {east, "ml-dsa", 1000},
		{east, "GenerateDataKeyPair/ECC_NIST_P256", 100}, {east, "GenerateDataKeyPair/ECC_SECG_P256K1", 100}, {east, "GenerateDataKeyPair/ECC_NIST_EDWARDS25519", 100},
		{east, "GenerateDataKeyPair/RSA_2048", 20}, {east, "GenerateDataKeyPair/RSA_3072", 4}, {east, "GenerateDataKeyPair/RSA_4096", 1}, {east, "GenerateDataKeyPair/SM2", 25},
		{east, "DescribeKey", 2000}, {east, "GetPublicKey", 2000}, {east, "ListResourceTags", 2000},
		{east, "GetKeyPolicy", 1000}, {east, "GetKeyRotationStatus", 1000}, {east, "ListKeys", 500}, {east, "ListAliases", 500},
		{east, "ListGrants", 100}, {east, "ListKeyPolicies", 100}, {east, "ListKeyRotations", 100}, {east, "ListRetirableGrants", 100},
		{east, "CreateGrant", 50}, {east, "RetireGrant", 50}, {east, "RevokeGrant", 50},
		{east, "DeleteAlias", 15}, {east, "DeleteImportedKeyMaterial", 15}, {east, "EnableKeyRotation", 15}, {east, "ImportKeyMaterial", 15},
		{east, "PutKeyPolicy", 15}, {east, "ScheduleKeyDeletion", 15}, {east, "TagResource", 10},
		{east, "CreateKey", 5}, {east, "CreateAlias", 5}, {east, "UpdateAlias", 5}, {east, "EnableKey", 5}, {east, "DisableKey", 5},
		{east, "DisableKeyRotation", 5}, {east, "CancelKeyDeletion", 5}, {east, "ReplicateKey", 5}, {east, "RotateKeyOnDemand", 5},
		{east, "UntagResource", 5}, {east, "UpdateKeyDescription", 5}, {east, "UpdatePrimaryRegion", 5}, {east, "GetKeyLastUsage", 5},
		{east, "CreateCustomKeyStore", 5}, {east, "GetParametersForImport", 1},
	} {
		if got, ok := DefaultQuota(tt.region, tt.name); !ok || got != tt.want {
			t.Errorf("%s in %s: %v, %v; want %v", tt.name, tt.region, got, ok, tt.want)
		}
	}
	if _, ok := DefaultQuota(east, "Nothing"); ok {
		t.Error("a quota of nothing")
	}
}

// TestEveryOperationHasADefaultQuota: no request escapes the profile.
func TestEveryOperationHasADefaultQuota(t *testing.T) {
	known := map[string]bool{}
	for _, name := range QuotaNames() {
		known[name] = true
	}
	for _, op := range table() {
		if op.uses || op.Name == "Encapsulate" || op.Name == "Decapsulate" {
			continue // by its algorithm, or refused
		}
		if !known[op.quota] {
			t.Errorf("%s counts against %s, which QuotaNames does not have", op.Name, op.quota)
		}
		if _, ok := DefaultQuota(east, op.quota); !ok {
			t.Errorf("%s counts against %s, which has no default", op.Name, op.quota)
		}
	}
}

// TestProfile: the profile limits each class by itself; what is set wins over it.
func TestProfile(t *testing.T) {
	e := newEnv(t)
	e.limits.SetDefault(func(_, region, name string) (float64, bool) { return DefaultQuota(region, name) })
	create := func() error {
		_, err := e.root(accountA, east).CreateKey(t.Context(), &kms.CreateKeyInput{})
		return err
	}
	for range 5 {
		wantFailure(t, "within the quota", create(), "", "")
	}
	wantFailure(t, "sixth CreateKey", create(), "ThrottlingException", throttledText)
	_, err := e.root(accountA, east).ListKeys(t.Context(), &kms.ListKeysInput{})
	wantFailure(t, "another class", err, "", "")
	if err := e.limits.Set(quota.Limit{Service: "kms", Account: accountA, Region: east, Quota: "CreateKey", PerSecond: 6}); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, "after an increase", create(), "", "")
}
