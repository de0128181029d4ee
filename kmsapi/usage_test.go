package kmsapi

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TestUsageErrors holds what each operation says to keys that can't do it (K87).
func TestUsageErrors(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	symmetric, signing, agreeing := e.key(accountA, east, ""), e.keyOf("ECC_NIST_P256", "SIGN_VERIFY"), e.keyOf("ECC_NIST_P256", "KEY_AGREEMENT")
	mac, encrypting := e.keyOf("HMAC_256", "GENERATE_VERIFY_MAC"), e.keyOf("RSA_2048", "ENCRYPT_DECRYPT")
	blob := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: symmetric.KeyId, Plaintext: []byte("x")})).CiphertextBlob
	usage := func(k *types.KeyMetadata, operation string) string {
		return fmt.Sprintf("%s key usage is %s which is not valid for %s.", *k.Arn, k.KeyUsage, operation)
	}
	const incorrect = "The key ID in the request does not identify a CMK that can perform this operation."
	for _, tt := range []struct {
		name, code, message string
		call                func() error
	}{
		{"GenerateMac", "InvalidKeyUsageException", usage(symmetric, "GenerateMac"), func() error {
			_, err := root.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: symmetric.KeyId, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_256"})
			return err
		}},
		{"VerifyMac", "InvalidKeyUsageException", usage(signing, "VerifyMac"), func() error {
			_, err := root.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: signing.KeyId, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_256", Mac: []byte("x")})
			return err
		}},
		{"GenerateMac of another size", "InvalidKeyUsageException", "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.", func() error {
			_, err := root.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: mac.KeyId, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_512"})
			return err
		}},
		{"GenerateMac of an unknown algorithm", "ValidationException", "1 validation error detected: Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]", func() error {
			_, err := root.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: mac.KeyId, Message: []byte("x"), MacAlgorithm: "INVALID"})
			return err
		}},
		{"Sign", "InvalidKeyUsageException", usage(mac, "Sign"), func() error {
			_, err := root.Sign(ctx, &kms.SignInput{KeyId: mac.KeyId, Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256"})
			return err
		}},
		{"Sign with another algorithm", "InvalidKeyUsageException", "Algorithm ECDSA_SHA_512 is incompatible with key spec ECC_NIST_P256.", func() error {
			_, err := root.Sign(ctx, &kms.SignInput{KeyId: signing.KeyId, Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_512"})
			return err
		}},
		{"Sign with ML-DSA", "InvalidKeyUsageException", "Algorithm ML_DSA_SHAKE_256 is incompatible with key spec ECC_NIST_P256.", func() error {
			_, err := root.Sign(ctx, &kms.SignInput{KeyId: signing.KeyId, Message: make([]byte, 64), MessageType: "EXTERNAL_MU", SigningAlgorithm: "ML_DSA_SHAKE_256"})
			return err
		}},
		{"Verify", "InvalidKeyUsageException", usage(symmetric, "Verify"), func() error {
			_, err := root.Verify(ctx, &kms.VerifyInput{KeyId: symmetric.KeyId, Message: []byte("x"), Signature: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256"})
			return err
		}},
		{"Encrypt", "InvalidKeyUsageException", usage(signing, "Encrypt"), func() error {
			_, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: signing.KeyId, Plaintext: []byte("x")})
			return err
		}},
		{"Encrypt with RSA's default algorithm", "InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.", func() error {
			_, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: encrypting.KeyId, Plaintext: []byte("x")})
			return err
		}},
		{"Decrypt with a MAC key", "IncorrectKeyException", incorrect, func() error {
			_, err := root.Decrypt(ctx, &kms.DecryptInput{KeyId: mac.KeyId, CiphertextBlob: blob})
			return err
		}},
		{"Decrypt of garbage with a signing key", "InvalidKeyUsageException", usage(signing, "Decrypt"), func() error {
			_, err := root.Decrypt(ctx, &kms.DecryptInput{KeyId: signing.KeyId, CiphertextBlob: []byte("x")})
			return err
		}},
		{"Decrypt of garbage", "InvalidCiphertextException", "", func() error {
			_, err := root.Decrypt(ctx, &kms.DecryptInput{KeyId: symmetric.KeyId, CiphertextBlob: []byte("x")})
			return err
		}},
		{"ReEncrypt to", "InvalidKeyUsageException", usage(signing, "ReEncryptTo"), func() error {
			_, err := root.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: signing.KeyId})
			return err
		}},
		{"GenerateDataKey", "InvalidKeyUsageException", usage(signing, "GenerateDataKey"), func() error {
			_, err := root.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: signing.KeyId, KeySpec: "AES_256"})
			return err
		}},
		{"GenerateDataKeyWithoutPlaintext", "InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.", func() error {
			_, err := root.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: encrypting.KeyId, KeySpec: "AES_256"})
			return err
		}},
		{"GenerateDataKeyPair", "InvalidKeyUsageException", usage(mac, "GenerateDataKeyPair"), func() error {
			_, err := root.GenerateDataKeyPair(ctx, &kms.GenerateDataKeyPairInput{KeyId: mac.KeyId, KeyPairSpec: "ECC_NIST_P256"})
			return err
		}},
		{"DeriveSharedSecret", "InvalidKeyUsageException", usage(signing, "DeriveSharedSecret"), func() error {
			_, err := root.DeriveSharedSecret(ctx, &kms.DeriveSharedSecretInput{KeyId: signing.KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: []byte("x")})
			return err
		}},
		{"DeriveSharedSecret by an unknown algorithm", "ValidationException", "1 validation error detected: Value 'INVALID' at 'keyAgreementAlgorithm' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [ECDH]", func() error {
			_, err := root.DeriveSharedSecret(ctx, &kms.DeriveSharedSecretInput{KeyId: agreeing.KeyId, KeyAgreementAlgorithm: "INVALID", PublicKey: []byte("x")})
			return err
		}},
		{"RotateKeyOnDemand", "UnsupportedOperationException", "", func() error {
			_, err := root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: mac.KeyId})
			return err
		}},
		{"EnableKeyRotation", "UnsupportedOperationException", "", func() error {
			_, err := root.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: signing.KeyId})
			return err
		}},
		{"GetKeyRotationStatus of a signing key", "", "", func() error {
			out, err := root.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: signing.KeyId})
			if err == nil && out.KeyRotationEnabled {
				t.Error("a signing key rotates")
			}
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { wantFailure(t, tt.name, tt.call(), tt.code, tt.message) })
	}
}

// TestGrantsFitTheKey: a grant has operations of its key's kind only, and constraints
// for symmetric keys only (K65, K66).
func TestGrantsFitTheKey(t *testing.T) {
	e := newEnv(t)
	for _, tt := range []struct {
		key  *types.KeyMetadata
		good []grantOp
	}{
		{e.key(accountA, east, ""), []grantOp{"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"}},
		{e.keyOf("RSA_2048", "ENCRYPT_DECRYPT"), []grantOp{"Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey"}},
		{e.keyOf("ECC_NIST_P256", "SIGN_VERIFY"), []grantOp{"Sign", "Verify", "GetPublicKey"}},
		{e.keyOf("ECC_NIST_P256", "KEY_AGREEMENT"), []grantOp{"DeriveSharedSecret", "GetPublicKey"}},
		{e.keyOf("HMAC_256", "GENERATE_VERIFY_MAC"), []grantOp{"GenerateMac", "VerifyMac"}},
	} {
		good := map[grantOp]bool{"CreateGrant": true, "RetireGrant": true, "DescribeKey": true}
		for _, op := range tt.good {
			good[op] = true
		}
		for _, op := range grantOperations() {
			_, err := e.root(accountA, east).CreateGrant(t.Context(), &kms.CreateGrantInput{KeyId: tt.key.KeyId, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{grantOp(op)}})
			code := "ValidationException"
			if good[grantOp(op)] {
				code = ""
			}
			message := "*"
			if code == "" {
				message = ""
			}
			wantFailure(t, fmt.Sprint(tt.key.KeySpec, " ", tt.key.KeyUsage, " ", op), err, code, message)
		}
	}
	signing := e.keyOf("ECC_NIST_P256", "SIGN_VERIFY")
	_, err := e.root(accountA, east).CreateGrant(t.Context(), &kms.CreateGrantInput{KeyId: signing.KeyId, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Sign"},
		Constraints: &types.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "b"}}})
	wantFailure(t, "constraint", err, "ValidationException", "*")

	u := e.user(accountA, "signer", "")
	if _, err := e.root(accountA, east).CreateGrant(t.Context(), &kms.CreateGrantInput{KeyId: signing.KeyId, GranteePrincipal: &u.arn, Operations: []grantOp{"Sign"}}); err != nil {
		t.Fatal(err)
	}
	_, err = u.kms(east).Sign(t.Context(), &kms.SignInput{KeyId: signing.KeyId, Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256"})
	wantFailure(t, "by the grant", err, "", "")
	_, err = u.kms(east).Verify(t.Context(), &kms.VerifyInput{KeyId: signing.KeyId, Message: []byte("x"), Signature: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256"})
	wantFailure(t, "not in the grant", err, "AccessDeniedException", "*")
}

// TestAlgorithmConditions: policies see the algorithm and the message type of a request (K44).
func TestAlgorithmConditions(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	signing, mac, rsaKey := e.keyOf("RSA_2048", "SIGN_VERIFY"), e.keyOf("HMAC_256", "GENERATE_VERIFY_MAC"), e.keyOf("RSA_2048", "ENCRYPT_DECRYPT")
	agreeing, symmetric := e.keyOf("ECC_NIST_P256", "KEY_AGREEMENT"), e.key(accountA, east, "")
	peer := must(e.root(accountA, east).GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: agreeing.KeyId})).PublicKey
	for _, tt := range []struct {
		name, key, value string
		call             func(c *kms.Client) error
	}{
		{"Sign", "kms:SigningAlgorithm", "RSASSA_PSS_SHA_256", func(c *kms.Client) error {
			_, err := c.Sign(ctx, &kms.SignInput{KeyId: signing.KeyId, Message: []byte("x"), SigningAlgorithm: "RSASSA_PSS_SHA_256"})
			return err
		}},
		{"Sign, default type", "kms:MessageType", "RAW", func(c *kms.Client) error {
			_, err := c.Sign(ctx, &kms.SignInput{KeyId: signing.KeyId, Message: []byte("x"), SigningAlgorithm: "RSASSA_PSS_SHA_256"})
			return err
		}},
		{"GenerateMac", "kms:MacAlgorithm", "HMAC_SHA_256", func(c *kms.Client) error {
			_, err := c.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: mac.KeyId, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_256"})
			return err
		}},
		{"Encrypt", "kms:EncryptionAlgorithm", "RSAES_OAEP_SHA_1", func(c *kms.Client) error {
			_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: rsaKey.KeyId, Plaintext: []byte("x"), EncryptionAlgorithm: "RSAES_OAEP_SHA_1"})
			return err
		}},
		{"DeriveSharedSecret", "kms:KeyAgreementAlgorithm", "ECDH", func(c *kms.Client) error {
			_, err := c.DeriveSharedSecret(ctx, &kms.DeriveSharedSecretInput{KeyId: agreeing.KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: peer})
			return err
		}},
		{"GenerateDataKeyPair", "kms:DataKeyPairSpec", "ECC_NIST_P256", func(c *kms.Client) error {
			_, err := c.GenerateDataKeyPair(ctx, &kms.GenerateDataKeyPairInput{KeyId: symmetric.KeyId, KeyPairSpec: "ECC_NIST_P256"})
			return err
		}},
		{"key spec", "kms:KeySpec", "RSA_2048", func(c *kms.Client) error {
			_, err := c.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: signing.KeyId})
			return err
		}},
		{"key usage", "kms:KeyUsage", "SIGN_VERIFY", func(c *kms.Client) error {
			_, err := c.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: signing.KeyId})
			return err
		}},
	} {
		name := fmt.Sprintf("user-%x", sha256.Sum256([]byte(tt.name)))[:20]
		condition := func(value string) string {
			return document(statement("Allow", "kms:*", "*", `,"Condition":{"StringEquals":{"`+tt.key+`":"`+value+`"}}`))
		}
		u := e.user(accountA, name, condition(tt.value))
		wantFailure(t, tt.name, tt.call(u.kms(east)), "", "")
		e.userPolicy(accountA, name, condition("OTHER"))
		wantFailure(t, tt.name+" with another value", tt.call(u.kms(east)), "AccessDeniedException", "*")
	}
}
