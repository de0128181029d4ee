package kmsapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
)

// TestCreateKeyValidation holds the rules of K27 to K29.
func TestCreateKeyValidation(t *testing.T) {
	e := newEnv(t)
	custom := "1234abcd-12ab-34cd-56ef-1234567890ab"
	var many []types.Tag
	for i := range maxTags + 1 {
		many = append(many, tags(fmt.Sprint(i), "")...)
	}
	long := strings.Repeat("a", 129)
	for _, tt := range []struct {
		name, code, message string
		in                  kms.CreateKeyInput
	}{
		{"custom id", "", "", kms.CreateKeyInput{Tags: tags(customIDTag, custom)}},
		{"custom id again", "AlreadyExistsException", "*", kms.CreateKeyInput{Tags: tags(customIDTag, custom)}},
		{"custom id that is no UUID", "ValidationException", "*", kms.CreateKeyInput{Tags: tags(customIDTag, "my-key")}},
		{"unknown spec", "ValidationException", "*", kms.CreateKeyInput{KeySpec: "HMAC_random"}},
		{"unknown usage", "ValidationException", "*", kms.CreateKeyInput{KeyUsage: "RANDOM"}},
		{"both specs", "ValidationException", "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
			kms.CreateKeyInput{KeySpec: "SYMMETRIC_DEFAULT", CustomerMasterKeySpec: "SYMMETRIC_DEFAULT"}},
		{"old spec member", "", "", kms.CreateKeyInput{CustomerMasterKeySpec: "SYMMETRIC_DEFAULT"}},
		{"no usage", "ValidationException", "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.", kms.CreateKeyInput{KeySpec: "RSA_2048"}},
		{"mismatch", "ValidationException", "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048", kms.CreateKeyInput{KeySpec: "RSA_2048", KeyUsage: "KEY_AGREEMENT"}},
		{"symmetric mismatch", "ValidationException", "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT", kms.CreateKeyInput{KeyUsage: "SIGN_VERIFY"}},
		{"both specs agree", "ValidationException", "*", kms.CreateKeyInput{KeySpec: "HMAC_256", CustomerMasterKeySpec: "RSA_2048", KeyUsage: "GENERATE_VERIFY_MAC"}},
		{"curve for encryption", "ValidationException", "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256", kms.CreateKeyInput{KeySpec: "ECC_NIST_P256", KeyUsage: "ENCRYPT_DECRYPT"}},
		{"curve for agreement", "", "", kms.CreateKeyInput{KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT"}},
		{"secp256k1 for agreement", "ValidationException", "KeyUsage KEY_AGREEMENT is not compatible with KeySpec ECC_SECG_P256K1", kms.CreateKeyInput{KeySpec: "ECC_SECG_P256K1", KeyUsage: "KEY_AGREEMENT"}},
		{"Ed25519", "", "", kms.CreateKeyInput{KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY"}},
		{"HMAC", "", "", kms.CreateKeyInput{KeySpec: "HMAC_384", KeyUsage: "GENERATE_VERIFY_MAC"}},
		{"HMAC for signing", "ValidationException", "KeyUsage SIGN_VERIFY is not compatible with KeySpec HMAC_384", kms.CreateKeyInput{KeySpec: "HMAC_384", KeyUsage: "SIGN_VERIFY"}},
		{"ML-DSA", "UnsupportedOperationException", "KeySpec ML_DSA_65 is not supported by Twinbucket: Go's standard library has no ML-DSA.", kms.CreateKeyInput{KeySpec: "ML_DSA_65", KeyUsage: "SIGN_VERIFY"}},
		{"ML-KEM", "UnsupportedOperationException", "KeySpec ML_KEM_768 is not supported by Twinbucket: key encapsulation is not emulated.", kms.CreateKeyInput{KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE"}},
		{"SM2", "UnsupportedOperationException", "KeySpec SM2 is not supported by Twinbucket: AWS has it in its Regions in China only.", kms.CreateKeyInput{KeySpec: "SM2", KeyUsage: "SIGN_VERIFY"}},
		{"imported", "", "", kms.CreateKeyInput{Origin: "EXTERNAL"}},
		{"multi-Region", "", "", kms.CreateKeyInput{MultiRegion: ptr(true)}},
		{"custom multi-Region id", "", "", kms.CreateKeyInput{MultiRegion: ptr(true), Tags: tags(customIDTag, "mrk-1234abcd12ab34cd56ef1234567890ab")}},
		{"custom id of the other kind", "ValidationException", "*", kms.CreateKeyInput{MultiRegion: ptr(true), Tags: tags(customIDTag, custom)}},
		{"CloudHSM", "UnsupportedOperationException", "Origin AWS_CLOUDHSM is not supported by Twinbucket: it has no custom key stores.", kms.CreateKeyInput{Origin: "AWS_CLOUDHSM"}},
		{"single Region said", "", "", kms.CreateKeyInput{MultiRegion: ptr(false), Origin: "AWS_KMS"}},
		{"custom key store", "UnsupportedOperationException", "*", kms.CreateKeyInput{CustomKeyStoreId: ptr("cks-1")}},
		{"duplicate tags", "TagException", "Duplicate tag keys", kms.CreateKeyInput{Tags: tags("a", "1", "a", "2")}},
		{"too many tags", "TagException", "Too many tags", kms.CreateKeyInput{Tags: many}},
		{"reserved tag", "TagException", "Tags beginning with aws: are reserved", kms.CreateKeyInput{Tags: tags("AWS:x", "1")}},
		{"long tag key", "ValidationException", "1 validation error detected: Value '" + long +
			"' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128", kms.CreateKeyInput{Tags: tags(long, "")}},
		{"long description", "ValidationException", "*", kms.CreateKeyInput{Description: ptr(strings.Repeat("x", 8193))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := e.root(accountA, east).CreateKey(t.Context(), &tt.in)
			wantFailure(t, tt.name, err, tt.code, tt.message)
		})
	}
	out, err := e.root(accountA, east).ListResourceTags(t.Context(), &kms.ListResourceTagsInput{KeyId: &custom})
	if err != nil || out.Tags == nil || len(out.Tags) != 0 {
		t.Errorf("tags %v, %v; want an empty list without the custom id", out, err)
	}
}

func TestTags(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	tag := func(pairs ...string) error {
		_, err := root.TagResource(ctx, &kms.TagResourceInput{KeyId: key.KeyId, Tags: tags(pairs...)})
		return err
	}
	wantFailure(t, "add", tag("b", "1", "a", "1"), "", "")
	wantFailure(t, "replace", tag("a", "2"), "", "")
	wantFailure(t, "duplicate", tag("c", "1", "c", "1"), "TagException", "Duplicate tag keys")
	if _, err := root.UntagResource(ctx, &kms.UntagResourceInput{KeyId: key.KeyId, TagKeys: []string{"b", "never"}}); err != nil {
		t.Fatal(err)
	}
	out, err := root.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: key.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.Tags, tags("a", "2"), ignoreUnexported); diff != "" || out.Truncated {
		t.Errorf("tags (-got +want):\n%s", diff)
	}
}

// TestPaging: small pages give everything once, in order (K9).
func TestPaging(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	want := map[string]bool{}
	for range 7 {
		want[*e.key(accountA, east, "").KeyId] = true
	}
	e.key(accountB, east, "")
	e.key(accountA, west, "")
	var last string
	pages := kms.NewListKeysPaginator(root, &kms.ListKeysInput{Limit: ptr(int32(3))})
	n := 0
	for ; pages.HasMorePages(); n++ {
		p, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range p.Keys {
			if *k.KeyId <= last || !want[*k.KeyId] {
				t.Errorf("%s after %s, expected %v", *k.KeyId, last, want[*k.KeyId])
			}
			last = *k.KeyId
			delete(want, last)
		}
	}
	if n != 3 || len(want) != 0 {
		t.Errorf("%d pages, %d keys missing; want 3, 0", n, len(want))
	}
	_, err := root.ListKeys(ctx, &kms.ListKeysInput{Marker: ptr("nonsense")})
	wantFailure(t, "marker", err, "InvalidMarkerException", "*")
	_, err = root.ListKeys(ctx, &kms.ListKeysInput{Limit: ptr(int32(1001))})
	wantFailure(t, "limit", err, "ValidationException",
		"1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000")
}

func TestDescription(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	if _, err := root.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: key.KeyId, Description: ptr("new <&>")}); err != nil {
		t.Fatal(err)
	}
	out, err := root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	if err != nil || *out.KeyMetadata.Description != "new <&>" {
		t.Errorf("description %v, %v", out, err)
	}
}
