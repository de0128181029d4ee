package kmsapi

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
)

// TestSignVerify signs with every algorithm of every spec, by message and by digest,
// and verifies it, and nothing else (K95).
func TestSignVerify(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	for _, spec := range keySpecs() {
		if spec.family == unsupportedFamily || spec.bits > 2048 || len(spec.algorithms[usageSignVerify]) == 0 {
			continue
		}
		key := e.keyOf(types.KeySpec(spec.name), "SIGN_VERIFY")
		for _, algorithm := range spec.algorithms[usageSignVerify] {
			for _, messageType := range []types.MessageType{"RAW", "DIGEST"} {
				t.Run(fmt.Sprint(spec.name, "/", algorithm, "/", messageType), func(t *testing.T) {
					message := []byte("a message")
					if messageType == "DIGEST" {
						message = digest(hashOf(algorithm), message)
					}
					in := kms.SignInput{KeyId: key.KeyId, Message: message, MessageType: messageType, SigningAlgorithm: types.SigningAlgorithmSpec(algorithm)}
					out, err := root.Sign(ctx, &in)
					if algorithm == algEd25519 && messageType == "DIGEST" || algorithm == algEd25519ph && messageType == "RAW" {
						wantFailure(t, "message type", err, "ValidationException", "*")
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					verify := func(in kms.VerifyInput) error {
						in.KeyId, in.MessageType, in.SigningAlgorithm = key.KeyId, messageType, types.SigningAlgorithmSpec(algorithm)
						got, err := root.Verify(ctx, &in)
						if err == nil && (!got.SignatureValid || *got.KeyId != *key.Arn || string(got.SigningAlgorithm) != algorithm) {
							t.Errorf("verified as %+v", got)
						}
						return err
					}
					wantFailure(t, "verify", verify(kms.VerifyInput{Message: message, Signature: out.Signature}), "", "")
					other := bytes.Clone(message)
					other[0] ^= 1
					wantFailure(t, "other message", verify(kms.VerifyInput{Message: other, Signature: out.Signature}), "KMSInvalidSignatureException", "")
					bad := bytes.Clone(out.Signature)
					bad[len(bad)-1] ^= 1
					wantFailure(t, "other signature", verify(kms.VerifyInput{Message: message, Signature: bad}), "KMSInvalidSignatureException", "")
					wantFailure(t, "no signature at all", verify(kms.VerifyInput{Message: message, Signature: []byte("x")}), "KMSInvalidSignatureException", "")
					if messageType == "DIGEST" {
						in.Message = message[1:]
						_, err := root.Sign(ctx, &in)
						wantFailure(t, "short digest", err, "ValidationException", "Digest is invalid length for algorithm "+algorithm+".")
					}
				})
			}
		}
	}
}

// TestPublicKeyVerifies: what KMS signs, others verify with GetPublicKey's answer.
func TestPublicKeyVerifies(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	sum := sha256.Sum256([]byte("a message"))
	sign := func(key *types.KeyMetadata, algorithm types.SigningAlgorithmSpec) (*kms.GetPublicKeyOutput, []byte) {
		t.Helper()
		out := must(root.Sign(ctx, &kms.SignInput{KeyId: key.KeyId, Message: []byte("a message"), SigningAlgorithm: algorithm}))
		return must(root.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: key.KeyId})), out.Signature
	}
	ec := e.keyOf("ECC_NIST_P256", "SIGN_VERIFY")
	out, signature := sign(ec, "ECDSA_SHA_256")
	if !ecdsa.VerifyASN1(must(x509.ParsePKIXPublicKey(out.PublicKey)).(*ecdsa.PublicKey), sum[:], signature) {
		t.Error("the standard library does not verify KMS's signature")
	}
	want := &kms.GetPublicKeyOutput{KeyId: ec.Arn, PublicKey: out.PublicKey, KeySpec: "ECC_NIST_P256", CustomerMasterKeySpec: "ECC_NIST_P256",
		KeyUsage: "SIGN_VERIFY", SigningAlgorithms: []types.SigningAlgorithmSpec{"ECDSA_SHA_256"}, ResultMetadata: out.ResultMetadata}
	if diff := cmp.Diff(out, want, ignoreUnexported); diff != "" {
		t.Errorf("GetPublicKey (-got +want):\n%s", diff)
	}
	out, signature = sign(e.keyOf("RSA_2048", "SIGN_VERIFY"), "RSASSA_PSS_SHA_256")
	if err := rsa.VerifyPSS(must(x509.ParsePKIXPublicKey(out.PublicKey)).(*rsa.PublicKey), crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: 32}); err != nil {
		t.Error(err)
	}
	for _, symmetric := range []*types.KeyMetadata{e.key(accountA, east, ""), e.keyOf("HMAC_224", "GENERATE_VERIFY_MAC")} {
		_, err := root.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: symmetric.KeyId})
		wantFailure(t, "a key without one", err, "UnsupportedOperationException", "")
	}
}

// TestRSAEncryption: the limits of each algorithm, and the round trip within KMS and from
// outside (K88, K89).
func TestRSAEncryption(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.keyOf("RSA_2048", "ENCRYPT_DECRYPT")
	for algorithm, most := range map[types.EncryptionAlgorithmSpec]int{"RSAES_OAEP_SHA_1": 214, "RSAES_OAEP_SHA_256": 190} {
		plain := bytes.Repeat([]byte("x"), most)
		enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: plain, EncryptionAlgorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		dec, err := root.Decrypt(ctx, &kms.DecryptInput{KeyId: key.KeyId, CiphertextBlob: enc.CiphertextBlob, EncryptionAlgorithm: algorithm})
		if err != nil || !bytes.Equal(dec.Plaintext, plain) || dec.EncryptionAlgorithm != algorithm || dec.KeyMaterialId != nil || *dec.KeyId != *key.Arn {
			t.Errorf("%s: %+v, %v", algorithm, dec, err)
		}
		_, err = root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: append(plain, 'x'), EncryptionAlgorithm: algorithm})
		wantFailure(t, "too long", err, "ValidationException", fmt.Sprintf("Algorithm %s and key spec RSA_2048 cannot encrypt data larger than %d bytes.", algorithm, most))
		_, err = root.Decrypt(ctx, &kms.DecryptInput{KeyId: key.KeyId, CiphertextBlob: enc.CiphertextBlob[:200], EncryptionAlgorithm: algorithm})
		wantFailure(t, "cut off", err, "InvalidCiphertextException", "")
		_, err = root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, EncryptionAlgorithm: algorithm})
		wantFailure(t, "no key named", err, "InvalidCiphertextException", "")
		_, err = root.Decrypt(ctx, &kms.DecryptInput{KeyId: key.KeyId, CiphertextBlob: enc.CiphertextBlob})
		wantFailure(t, "no algorithm named", err, "InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.")
		_, err = root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), EncryptionAlgorithm: algorithm, EncryptionContext: map[string]string{"a": "b"}})
		wantFailure(t, "with a context", err, "ValidationException", "*")
	}
	public := must(x509.ParsePKIXPublicKey(must(root.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: key.KeyId})).PublicKey)).(*rsa.PublicKey)
	outside := must(rsa.EncryptOAEP(sha256.New(), rand.Reader, public, []byte("from outside"), nil))
	symmetric := e.key(accountA, east, "")
	out, err := root.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: outside, SourceKeyId: key.KeyId, SourceEncryptionAlgorithm: "RSAES_OAEP_SHA_256", DestinationKeyId: symmetric.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	if out.SourceKeyMaterialId != nil || out.DestinationKeyMaterialId == nil || out.SourceEncryptionAlgorithm != "RSAES_OAEP_SHA_256" {
		t.Errorf("ReEncrypt %+v", out)
	}
	back, err := root.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: out.CiphertextBlob, DestinationKeyId: key.KeyId, DestinationEncryptionAlgorithm: "RSAES_OAEP_SHA_1"})
	if err != nil {
		t.Fatal(err)
	}
	dec, err := root.Decrypt(ctx, &kms.DecryptInput{KeyId: key.KeyId, CiphertextBlob: back.CiphertextBlob, EncryptionAlgorithm: "RSAES_OAEP_SHA_1"})
	if err != nil || string(dec.Plaintext) != "from outside" {
		t.Errorf("after two times ReEncrypt: %v, %v", dec, err)
	}
	long := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: symmetric.KeyId, Plaintext: make([]byte, 300)}))
	_, err = root.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: long.CiphertextBlob, DestinationKeyId: key.KeyId, DestinationEncryptionAlgorithm: "RSAES_OAEP_SHA_256"})
	wantFailure(t, "too long to re-encrypt", err, "ValidationException", "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.")
}

func TestMac(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	for spec, size := range map[types.KeySpec]int{"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64} {
		algorithm := types.MacAlgorithmSpec("HMAC_SHA_" + spec[5:])
		key := e.keyOf(spec, "GENERATE_VERIFY_MAC")
		if key.CurrentKeyMaterialId != nil || len(key.MacAlgorithms) != 1 || key.MacAlgorithms[0] != algorithm {
			t.Errorf("metadata %+v", key)
		}
		out, err := root.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: key.KeyId, Message: []byte("m"), MacAlgorithm: algorithm})
		if err != nil || len(out.Mac) != size || *out.KeyId != *key.Arn {
			t.Fatalf("%s: %v, %v", spec, out, err)
		}
		ok, err := root.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: key.KeyId, Message: []byte("m"), MacAlgorithm: algorithm, Mac: out.Mac})
		if err != nil || !ok.MacValid || ok.MacAlgorithm != algorithm {
			t.Errorf("%s: %v, %v", spec, ok, err)
		}
		_, err = root.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: key.KeyId, Message: []byte("n"), MacAlgorithm: algorithm, Mac: out.Mac})
		wantFailure(t, "other message", err, "KMSInvalidMacException", "")
		_, err = root.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: key.KeyId, Message: []byte("m"), MacAlgorithm: algorithm, Mac: out.Mac[:size-1]})
		wantFailure(t, "short code", err, "KMSInvalidMacException", "")
	}
}

func TestDeriveSharedSecret(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	for spec, curve := range map[types.KeySpec]ecdh.Curve{"ECC_NIST_P256": ecdh.P256(), "ECC_NIST_P384": ecdh.P384(), "ECC_NIST_P521": ecdh.P521()} {
		ours := e.keyOf(spec, "KEY_AGREEMENT")
		theirs := must(curve.GenerateKey(rand.Reader))
		peer := must(x509.MarshalPKIXPublicKey(theirs.PublicKey()))
		out, err := root.DeriveSharedSecret(ctx, &kms.DeriveSharedSecretInput{KeyId: ours.KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: peer})
		if err != nil {
			t.Fatal(err)
		}
		public := must(x509.ParsePKIXPublicKey(must(root.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: ours.KeyId})).PublicKey)).(*ecdsa.PublicKey)
		if want := must(theirs.ECDH(must(public.ECDH()))); !bytes.Equal(out.SharedSecret, want) || *out.KeyId != *ours.Arn || out.KeyOrigin != "AWS_KMS" {
			t.Errorf("%s: both sides differ, or %+v", spec, out)
		}
	}
	ours := e.keyOf("ECC_NIST_P256", "KEY_AGREEMENT")
	good := must(x509.MarshalPKIXPublicKey(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public()))
	for name, peer := range map[string][]byte{
		"not DER":       []byte("x"),
		"another curve": must(x509.MarshalPKIXPublicKey(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)).Public())),
		"an RSA key":    must(x509.MarshalPKIXPublicKey(&must(rsa.GenerateKey(rand.Reader, 2048)).PublicKey)),
		"trailing byte": append(bytes.Clone(good), 0),
		"off the curve": append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
	} {
		_, err := root.DeriveSharedSecret(ctx, &kms.DeriveSharedSecretInput{KeyId: ours.KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: peer})
		wantFailure(t, name, err, "ValidationException", "UnknownError") // the SDK's word for no message
	}
}

// FuzzPeerKey: no bytes of a peer make the derivation panic.
func FuzzPeerKey(f *testing.F) {
	pair := &nistPair{must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	f.Add(must(pair.public()))
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, peer []byte) {
		if shared, err := pair.agree(peer); err == nil && len(shared) != 32 {
			t.Errorf("%d bytes of shared secret", len(shared))
		}
	})
}

// FuzzPrivateKey: imported private keys of every family either have a canonical form
// that stays what it is, or are refused.
func FuzzPrivateKey(f *testing.F) {
	for _, spec := range []string{"RSA_2048", "ECC_NIST_P256", specSecp256k1, specEd25519} {
		s, _ := specOf(spec)
		f.Add(spec, []byte(must(newPrivateKey(rand.Reader, &s))))
	}
	f.Fuzz(func(t *testing.T, name string, der []byte) {
		spec, ok := specOf(name)
		if !ok || !spec.asymmetric() || spec.family == unsupportedFamily {
			return
		}
		once, err := canonicalPrivateKey(&spec, der)
		if err != nil {
			return
		}
		if again, err := canonicalPrivateKey(&spec, once); err != nil || !bytes.Equal(again, once) {
			t.Errorf("%x is not canonical: %v", once, err)
		}
	})
}

// TestGenerateDataKeyPair: the private key belongs to the public one, and opens by an
// ordinary Decrypt (K91). Long RSA keys take the standard library a second.
func TestGenerateDataKeyPair(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	encCtx := map[string]string{"a": "b"}
	for _, spec := range keyPairSpecs() {
		t.Run(spec, func(t *testing.T) {
			out, err := root.GenerateDataKeyPair(ctx, &kms.GenerateDataKeyPairInput{KeyId: key.KeyId, KeyPairSpec: types.DataKeyPairSpec(spec), EncryptionContext: encCtx})
			if spec == "SM2" {
				wantFailure(t, spec, err, "UnsupportedOperationException", "*")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s, _ := specOf(spec)
			pair, err := parsePrivateKey(&s, out.PrivateKeyPlaintext)
			if err != nil {
				t.Fatal(err)
			}
			if public := must(pair.public()); !bytes.Equal(public, out.PublicKey) || *out.KeyId != *key.Arn || *out.KeyMaterialId != *key.CurrentKeyMaterialId || string(out.KeyPairSpec) != spec {
				t.Errorf("output %+v", out)
			}
			dec, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: out.PrivateKeyCiphertextBlob, EncryptionContext: encCtx})
			if err != nil || !bytes.Equal(dec.Plaintext, out.PrivateKeyPlaintext) {
				t.Errorf("the sealed private key: %v", err)
			}
		})
	}
	sealed, err := root.GenerateDataKeyPairWithoutPlaintext(ctx, &kms.GenerateDataKeyPairWithoutPlaintextInput{KeyId: key.KeyId, KeyPairSpec: "ECC_NIST_P256", EncryptionContext: encCtx})
	if err != nil {
		t.Fatal(err)
	}
	_, err = root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.PrivateKeyCiphertextBlob})
	wantFailure(t, "without the context", err, "InvalidCiphertextException", "")
	if dec := must(root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.PrivateKeyCiphertextBlob, EncryptionContext: encCtx})); len(dec.Plaintext) < 100 {
		t.Errorf("%d bytes of private key", len(dec.Plaintext))
	}
}
