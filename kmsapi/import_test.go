package kmsapi

import (
	"bytes"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
)

// wrapped gets import parameters for a key of account A in the east and wraps material
// with them.
func (e *env) wrapped(id string, material []byte) (token, encrypted []byte) {
	e.Helper()
	return e.wrappedFor(e.root(accountA, east), id, "RSAES_OAEP_SHA_256", material)
}

func (e *env) wrappedFor(c *kms.Client, id string, algorithm types.AlgorithmSpec, material []byte) (token, encrypted []byte) {
	e.Helper()
	out, err := c.GetParametersForImport(e.Context(), &kms.GetParametersForImportInput{KeyId: &id, WrappingAlgorithm: algorithm, WrappingKeySpec: "RSA_2048"})
	if err != nil {
		e.Fatal(err)
	}
	public := must(x509.ParsePKIXPublicKey(out.PublicKey)).(*rsa.PublicKey)
	oaep := func(b []byte) []byte {
		var h hash.Hash = sha256.New()
		if strings.HasSuffix(string(algorithm), "SHA_1") {
			h = sha1.New()
		}
		return must(rsa.EncryptOAEP(h, rand.Reader, public, b, nil))
	}
	if !strings.HasPrefix(string(algorithm), "RSA_AES_") {
		return out.ImportToken, oaep(material)
	}
	kek := make([]byte, 32)
	must(rand.Read(kek))
	return out.ImportToken, append(oaep(kek), wrapWithPadding(e, kek, material)...)
}

// wrapWithPadding is AES key wrap with padding, the client's side (RFC 5649).
func wrapWithPadding(t testing.TB, kek, material []byte) []byte {
	t.Helper()
	block := must(aes.NewCipher(kek))
	n := (len(material) + 7) / 8
	b := make([]byte, 8*(n+1))
	binary.BigEndian.PutUint32(b, wrapMark)
	binary.BigEndian.PutUint32(b[4:], uint32(len(material)))
	copy(b[8:], material)
	if n == 1 {
		block.Encrypt(b, b)
		return b
	}
	var x [16]byte
	for step := 1; step <= 6*n; step++ {
		at := ((step-1)%n + 1) * 8
		copy(x[:8], b[:8])
		copy(x[8:], b[at:at+8])
		block.Encrypt(x[:], x[:])
		binary.BigEndian.PutUint64(b, binary.BigEndian.Uint64(x[:])^uint64(step))
		copy(b[at:], x[8:])
	}
	return b
}

// external makes a key that waits for its material.
func (e *env) external(spec types.KeySpec, usage types.KeyUsageType) *types.KeyMetadata {
	e.Helper()
	return must(e.root(accountA, east).CreateKey(e.Context(), &kms.CreateKeyInput{Origin: "EXTERNAL", KeySpec: spec, KeyUsage: usage})).KeyMetadata
}

// importInto imports material, for ever unless in says otherwise.
func (e *env) importInto(id *string, material []byte, in kms.ImportKeyMaterialInput) (*kms.ImportKeyMaterialOutput, error) {
	e.Helper()
	in.KeyId = id
	in.ImportToken, in.EncryptedKeyMaterial = e.wrapped(*id, material)
	if in.ValidTo == nil && in.ExpirationModel == "" {
		in.ExpirationModel = "KEY_MATERIAL_DOES_NOT_EXPIRE"
	}
	return e.root(accountA, east).ImportKeyMaterial(e.Context(), &in)
}

func (e *env) state(id *string) types.KeyState {
	e.Helper()
	return must(e.root(accountA, east).DescribeKey(e.Context(), &kms.DescribeKeyInput{KeyId: id})).KeyMetadata.KeyState
}

func secretOf(b byte) []byte { return append(make([]byte, 31), b) }

// TestImport walks a key from its creation without material to its use, its expiry and
// the return of the same material (K84).
func TestImport(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.external("", "")
	if key.KeyState != "PendingImport" || key.Enabled || key.CurrentKeyMaterialId != nil || key.ExpirationModel != "" {
		t.Errorf("a new key %+v", key)
	}
	pending := *key.Arn + " is pending import."
	_, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	wantFailure(t, "before the import", err, "KMSInvalidStateException", pending)

	until := start.Add(day(10))
	out, err := e.importInto(key.KeyId, secretOf(1), kms.ImportKeyMaterialInput{ValidTo: &until})
	if err != nil {
		t.Fatal(err)
	}
	md := must(root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})).KeyMetadata
	if *out.KeyId != *key.Arn || *out.KeyMaterialId != *md.CurrentKeyMaterialId || len(*out.KeyMaterialId) != 64 {
		t.Errorf("output %s %s, key has %s", *out.KeyId, *out.KeyMaterialId, *md.CurrentKeyMaterialId)
	}
	if md.KeyState != "Enabled" || md.ExpirationModel != "KEY_MATERIAL_EXPIRES" || !md.ValidTo.Equal(until) || md.Origin != "EXTERNAL" {
		t.Errorf("after the import %+v", md)
	}
	enc := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}))

	e.clock.Advance(day(10) - time.Millisecond)
	if got := e.state(key.KeyId); got != "Enabled" {
		t.Errorf("%s before the material expires", got)
	}
	e.clock.Advance(time.Millisecond)
	_, err = root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob})
	wantFailure(t, "expired", err, "KMSInvalidStateException", pending)
	if left := e.recordsWith(hex.EncodeToString(secretOf(1))); len(left) > 0 {
		t.Errorf("the engine still has the material: %q", left)
	}

	_, err = e.importInto(key.KeyId, secretOf(2), kms.ImportKeyMaterialInput{})
	wantFailure(t, "other material", err, "IncorrectKeyMaterialException", "")
	if _, err := e.importInto(key.KeyId, secretOf(1), kms.ImportKeyMaterialInput{}); err != nil {
		t.Fatal(err)
	}
	if dec := must(root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob})); string(dec.Plaintext) != "x" {
		t.Errorf("decrypted %q with the material that came back", dec.Plaintext)
	}
	md = must(root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})).KeyMetadata
	if md.ExpirationModel != "KEY_MATERIAL_DOES_NOT_EXPIRE" || md.ValidTo != nil {
		t.Errorf("expiration %s %v", md.ExpirationModel, md.ValidTo)
	}

	del := must(root.DeleteImportedKeyMaterial(ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: key.KeyId}))
	if *del.KeyId != *key.Arn || *del.KeyMaterialId != *out.KeyMaterialId {
		t.Errorf("deleted %s of %s", *del.KeyMaterialId, *del.KeyId)
	}
	_, err = root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	wantFailure(t, "after the deletion", err, "KMSInvalidStateException", pending)
	_, err = root.DeleteImportedKeyMaterial(ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: key.KeyId, KeyMaterialId: ptr(strings.Repeat("a", 64))})
	wantFailure(t, "unknown material", err, "NotFoundException", "*")
}

// TestImportRefusals holds what ImportKeyMaterial and GetParametersForImport refuse (K84, K86).
func TestImportRefusals(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key, other, own := e.external("", ""), e.external("", ""), e.key(accountA, east, "")
	token, wrapped := e.wrapped(*key.KeyId, secretOf(1))
	_, short := e.wrappedWith(t, token, *key.KeyId, make([]byte, 16))
	at := func(d time.Duration) *time.Time { v := start.Add(d); return &v }
	for _, tt := range []struct {
		name, code, message string
		in                  kms.ImportKeyMaterialInput
	}{
		{"no date", "ValidationException", "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES", kms.ImportKeyMaterialInput{ExpirationModel: "KEY_MATERIAL_EXPIRES"}},
		{"no date by default", "ValidationException", "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES", kms.ImportKeyMaterialInput{}},
		{"date too many", "ValidationException", "*", kms.ImportKeyMaterialInput{ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE", ValidTo: at(time.Hour)}},
		{"past", "ValidationException", "ValidTo must be in the future", kms.ImportKeyMaterialInput{ValidTo: at(0)}},
		{"too late", "ValidationException", "*", kms.ImportKeyMaterialInput{ValidTo: at(day(365) + time.Second)}},
		{"another key's token", "InvalidImportTokenException", "", kms.ImportKeyMaterialInput{KeyId: other.KeyId, ValidTo: at(time.Hour)}},
		{"no token", "InvalidImportTokenException", "", kms.ImportKeyMaterialInput{ImportToken: []byte("x"), ValidTo: at(time.Hour)}},
		{"garbage", "InvalidCiphertextException", "", kms.ImportKeyMaterialInput{EncryptedKeyMaterial: make([]byte, 256), ValidTo: at(time.Hour)}},
		{"too short", "IncorrectKeyMaterialException", "", kms.ImportKeyMaterialInput{EncryptedKeyMaterial: short, ValidTo: at(time.Hour)}},
		{"own material", "UnsupportedOperationException", *own.Arn + " origin is AWS_KMS which is not valid for this operation.", kms.ImportKeyMaterialInput{KeyId: own.KeyId, ValidTo: at(time.Hour)}},
		{"new with an id", "ValidationException", "*", kms.ImportKeyMaterialInput{ImportType: "NEW_KEY_MATERIAL", KeyMaterialId: ptr(strings.Repeat("a", 64)), ValidTo: at(time.Hour)}},
		{"another id", "IncorrectKeyMaterialException", "", kms.ImportKeyMaterialInput{ImportType: "EXISTING_KEY_MATERIAL", KeyMaterialId: ptr(strings.Repeat("a", 64)), ValidTo: at(time.Hour)}},
		{"existing without any", "IncorrectKeyMaterialException", "", kms.ImportKeyMaterialInput{ImportType: "EXISTING_KEY_MATERIAL", ValidTo: at(time.Hour)}},
		{"id of wrong length", "ValidationException", "*", kms.ImportKeyMaterialInput{KeyMaterialId: ptr("abc"), ValidTo: at(time.Hour)}},
		{"latest date", "", "", kms.ImportKeyMaterialInput{ValidTo: at(day(365))}},
	} {
		if tt.in.KeyId == nil {
			tt.in.KeyId = key.KeyId
		}
		if tt.in.ImportToken == nil {
			tt.in.ImportToken = token
		}
		if tt.in.EncryptedKeyMaterial == nil {
			tt.in.EncryptedKeyMaterial = wrapped
		}
		_, err := root.ImportKeyMaterial(ctx, &tt.in)
		wantFailure(t, tt.name, err, tt.code, tt.message)
	}
	e.clock.Advance(parametersValid)
	_, err := root.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{KeyId: key.KeyId, ImportToken: token, EncryptedKeyMaterial: wrapped, ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE"})
	wantFailure(t, "after a day", err, "ExpiredImportTokenException", "")

	rsaKey, p521 := e.external("RSA_2048", "SIGN_VERIFY"), e.external("ECC_NIST_P521", "SIGN_VERIFY")
	for _, tt := range []struct {
		name, code, message string
		id                  *string
		algorithm           types.AlgorithmSpec
		spec                types.WrappingKeySpec
	}{
		{"own material", "UnsupportedOperationException", *own.Arn + " origin is AWS_KMS which is not valid for this operation.", own.KeyId, "RSAES_OAEP_SHA_256", "RSA_2048"},
		{"old algorithm", "UnsupportedOperationException", "*", key.KeyId, "RSAES_PKCS1_V1_5", "RSA_2048"},
		{"SM2", "UnsupportedOperationException", "*", key.KeyId, "SM2PKE", "SM2"},
		{"RSA directly", "ValidationException", "*", rsaKey.KeyId, "RSAES_OAEP_SHA_256", "RSA_4096"},
		{"P-521 with a short key", "ValidationException", "*", p521.KeyId, "RSAES_OAEP_SHA_1", "RSA_2048"},
		{"P-521 with a longer key", "", "", p521.KeyId, "RSAES_OAEP_SHA_1", "RSA_3072"},
	} {
		_, err := root.GetParametersForImport(ctx, &kms.GetParametersForImportInput{KeyId: tt.id, WrappingAlgorithm: tt.algorithm, WrappingKeySpec: tt.spec})
		wantFailure(t, tt.name, err, tt.code, tt.message)
	}
}

// wrappedWith wraps other material for the parameters of a token.
func (e *env) wrappedWith(t *testing.T, token []byte, id string, material []byte) (_, encrypted []byte) {
	t.Helper()
	opened, err := e.kms.openToken(token, keyRef{accountA, east, id}, start)
	if err != nil {
		t.Fatal(err)
	}
	private := must(x509.ParsePKCS8PrivateKey(opened.Private)).(*rsa.PrivateKey)
	return token, must(rsa.EncryptOAEP(sha256.New(), rand.Reader, &private.PublicKey, material, nil))
}

// TestImportEveryKind imports a key of each kind by each algorithm that can carry it, and
// finds that it is the same key.
func TestImportEveryKind(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	pkcs8 := func(key any) []byte { return must(x509.MarshalPKCS8PrivateKey(key)) }
	p256 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for _, tt := range []struct {
		spec     types.KeySpec
		usage    types.KeyUsageType
		material []byte
		direct   bool
	}{
		{"SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", secretOf(7), true},
		{"HMAC_256", "GENERATE_VERIFY_MAC", secretOf(7), true},
		{"HMAC_512", "GENERATE_VERIFY_MAC", make([]byte, 128), true},
		{"ECC_NIST_P256", "SIGN_VERIFY", pkcs8(p256), true},
		{"ECC_SECG_P256K1", "SIGN_VERIFY", must(newSecp256k1(rand.Reader)), true},
		{"RSA_2048", "SIGN_VERIFY", pkcs8(must(rsa.GenerateKey(rand.Reader, 2048))), false},
	} {
		algorithms := []types.AlgorithmSpec{"RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1"}
		if tt.direct {
			algorithms = append(algorithms, "RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")
		}
		for _, algorithm := range algorithms {
			t.Run(string(tt.spec)+"/"+string(algorithm), func(t *testing.T) {
				key := e.external(tt.spec, tt.usage)
				token, wrapped := e.wrappedFor(root, *key.KeyId, algorithm, tt.material)
				_, err := root.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{KeyId: key.KeyId, ImportToken: token, EncryptedKeyMaterial: wrapped, ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE"})
				if err != nil {
					t.Fatal(err)
				}
				k := e.kms.key(keyRef{accountA, east, *key.KeyId})
				if got := k.Materials[0].Secret; !cmp.Equal([]byte(got), tt.material) {
					t.Errorf("the material is not what was imported")
				}
				if tt.usage != "ENCRYPT_DECRYPT" {
					_, err := root.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{KeyId: key.KeyId, ImportToken: token, EncryptedKeyMaterial: wrapped,
						ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE", ImportType: "NEW_KEY_MATERIAL"})
					wantFailure(t, "new material for a key that has one", err, "ValidationException", "*")
				}
			})
		}
	}
	wrong := e.external("ECC_NIST_P384", "SIGN_VERIFY")
	_, err := e.importInto(wrong.KeyId, pkcs8(p256), kms.ImportKeyMaterialInput{})
	wantFailure(t, "a key of another curve", err, "IncorrectKeyMaterialException", "")
}

// TestImportRotation: new material waits, is rotated in on demand, and both stay needed (K84).
func TestImportRotation(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.external("", "")
	rotate := func() error {
		_, err := root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId})
		return err
	}
	list := func() (states []string) {
		for _, r := range must(root.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: key.KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL"})).Rotations {
			states = append(states, string(r.KeyMaterialState)+" "+string(r.ImportState)+" "+string(r.RotationType)+" "+value(r.KeyMaterialDescription))
		}
		return states
	}
	wantFailure(t, "nothing imported", rotate(), "KMSInvalidStateException", *key.Arn+" is pending import.")
	first := must(e.importInto(key.KeyId, secretOf(1), kms.ImportKeyMaterialInput{KeyMaterialDescription: ptr("one")}))
	enc := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}))
	wantFailure(t, "nothing waits", rotate(), "KMSInvalidStateException", "No available key material pending rotation for the key: "+*key.Arn+".")
	_, err := e.importInto(key.KeyId, secretOf(1), kms.ImportKeyMaterialInput{ImportType: "NEW_KEY_MATERIAL"})
	wantFailure(t, "the same as new", err, "IncorrectKeyMaterialException", "")

	second := must(e.importInto(key.KeyId, secretOf(2), kms.ImportKeyMaterialInput{ImportType: "NEW_KEY_MATERIAL", KeyMaterialDescription: ptr("two")}))
	_, err = e.importInto(key.KeyId, secretOf(3), kms.ImportKeyMaterialInput{ImportType: "NEW_KEY_MATERIAL"})
	third := materialID(*key.KeyId, secretOf(3))
	wantFailure(t, "another one waits", err, "KMSInvalidStateException", "New key material (id: "+third+") cannot be imported into KMS key "+*key.KeyId+
		", because another key material (id: "+*second.KeyMaterialId+") is pending rotation.")
	if diff := cmp.Diff(list(), []string{"CURRENT IMPORTED  one", "PENDING_ROTATION IMPORTED  two"}); diff != "" {
		t.Errorf("before the rotation (-got +want):\n%s", diff)
	}
	if md := must(root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})); *md.KeyMetadata.CurrentKeyMaterialId != *first.KeyMaterialId {
		t.Error("material that waits is used")
	}
	wantFailure(t, "rotate", rotate(), "", "")
	if diff := cmp.Diff(list(), []string{"NON_CURRENT IMPORTED  one", "CURRENT IMPORTED ON_DEMAND two"}); diff != "" {
		t.Errorf("after the rotation (-got +want):\n%s", diff)
	}
	if dec := must(root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob})); *dec.KeyMaterialId != *first.KeyMaterialId {
		t.Error("an old ciphertext is opened by the new material")
	}

	// One material less, and the key can't be used until it is back.
	must(root.DeleteImportedKeyMaterial(ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: key.KeyId, KeyMaterialId: first.KeyMaterialId}))
	if got := e.state(key.KeyId); got != "PendingImport" {
		t.Errorf("state %s with one of two materials", got)
	}
	if diff := cmp.Diff(list(), []string{"NON_CURRENT PENDING_IMPORT  one", "CURRENT IMPORTED ON_DEMAND two"}); diff != "" {
		t.Errorf("after the deletion (-got +want):\n%s", diff)
	}
	if _, err := e.importInto(key.KeyId, secretOf(1), kms.ImportKeyMaterialInput{KeyMaterialId: first.KeyMaterialId}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list(), []string{"NON_CURRENT IMPORTED  one", "CURRENT IMPORTED ON_DEMAND two"}); diff != "" {
		t.Errorf("the description is gone (-got +want):\n%s", diff)
	}
	if got := e.state(key.KeyId); got != "Enabled" {
		t.Errorf("state %s with all material back", got)
	}

	// What waits may be dropped; the key goes on.
	until := e.clock.Now().Add(time.Hour)
	if _, err := e.importInto(key.KeyId, secretOf(3), kms.ImportKeyMaterialInput{ImportType: "NEW_KEY_MATERIAL", ValidTo: &until}); err != nil {
		t.Fatal(err)
	}
	must(root.DeleteImportedKeyMaterial(ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: key.KeyId, KeyMaterialId: &third}))
	if _, err := e.importInto(key.KeyId, secretOf(3), kms.ImportKeyMaterialInput{ImportType: "NEW_KEY_MATERIAL", ValidTo: &until}); err != nil {
		t.Fatal(err)
	}
	e.clock.Advance(time.Hour)
	wantFailure(t, "what waited has expired", rotate(), "KMSInvalidStateException", "*")
	if got := e.state(key.KeyId); got != "Enabled" || len(list()) != 2 {
		t.Errorf("state %s, materials %q", got, list())
	}
}

// TestKeyWrapVectors are the examples of RFC 5649, section 6.
func TestKeyWrapVectors(t *testing.T) {
	kek := must(hex.DecodeString("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"))
	for _, tt := range []struct{ plain, wrapped string }{
		{"c37b7e6492584340bed12207808941155068f738", "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"},
		{"466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"},
	} {
		wrapped := must(hex.DecodeString(tt.wrapped))
		got, err := unwrapWithPadding(kek, wrapped)
		if err != nil || hex.EncodeToString(got) != tt.plain {
			t.Errorf("unwrapped %x, %v; want %s", got, err, tt.plain)
		}
		for i := range wrapped {
			bad := append([]byte{}, wrapped...)
			bad[i] ^= 1
			if got, err := unwrapWithPadding(kek, bad); err == nil {
				t.Errorf("byte %d changed, unwrapped %x", i, got)
			}
		}
	}
}

// FuzzKeyWrap: what was wrapped comes back, and nothing else makes it panic.
func FuzzKeyWrap(f *testing.F) {
	f.Add([]byte("material"), []byte("0123456789abcdef"))
	f.Add([]byte("x"), make([]byte, 8))
	f.Fuzz(func(t *testing.T, material, raw []byte) {
		kek := make([]byte, 32)
		if len(material) > 0 && len(material) < 4096 {
			if got, err := unwrapWithPadding(kek, wrapWithPadding(t, kek, material)); err != nil || string(got) != string(material) {
				t.Errorf("%x came back as %x, %v", material, got, err)
			}
		}
		if got, err := unwrapWithPadding(kek, raw); err == nil && len(got) > len(raw) {
			t.Errorf("%d bytes of %d", len(got), len(raw))
		}
	})
}

// FuzzImportToken: no bytes are a token unless they were given out.
func FuzzImportToken(f *testing.F) {
	e := newEnv(f)
	ref := keyRef{accountA, east, "1234abcd-12ab-34cd-56ef-1234567890ab"}
	// Sealed with the same nonce in every process of the fuzzer.
	good := must(e.kms.root.Seal(bytes.NewReader(make([]byte, 12)), must(json.Marshal(importToken{Key: ref, ValidTo: start.Add(time.Hour)})), tokenContext))
	f.Add(good)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := e.kms.openToken(b, ref, start); err == nil && string(b) != string(good) {
			t.Errorf("%x is a token", b)
		}
	})
}
