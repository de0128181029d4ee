package kmsapi

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"
)

// TestContextBinding: a ciphertext opens with exactly the context it was made with (K54).
func TestContextBinding(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	sealed := map[string]string{"a": "bc", "Ünïcode": "π"}
	enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret"), EncryptionContext: sealed})
	if err != nil {
		t.Fatal(err)
	}
	for name, encCtx := range map[string]map[string]string{
		"none": nil, "a part": {"a": "bc"}, "one more": {"a": "bc", "Ünïcode": "π", "x": ""}, "another value": {"a": "bd", "Ünïcode": "π"},
		"another case": {"A": "bc", "Ünïcode": "π"}, "moved letter": {"ab": "c", "Ünïcode": "π"}, "glued": {"a": "bcÜnïcodeπ"},
	} {
		_, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, EncryptionContext: encCtx})
		wantFailure(t, name, err, "InvalidCiphertextException", "")
	}
	out, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, EncryptionContext: maps.Clone(sealed)})
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Plaintext) != "secret" || *out.KeyId != *key.Arn || out.EncryptionAlgorithm != "SYMMETRIC_DEFAULT" || *out.KeyMaterialId != *key.CurrentKeyMaterialId {
		t.Errorf("output %+v", out)
	}
	none, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: none.CiphertextBlob, EncryptionContext: map[string]string{}}); err != nil {
		t.Errorf("an absent context is not the same as an empty one: %v", err)
	}
	again, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret")})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(again.CiphertextBlob, none.CiphertextBlob) {
		t.Error("equal plaintexts gave equal ciphertexts")
	}
}

// TestTampering: every changed byte is noticed, at the latest by the cipher.
func TestTampering(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	blob, _, err := e.kms.Encrypt(t.Context(), viaService(accountA), east, *key.Arn, []byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range blob {
		bad := slices.Clone(blob)
		bad[i] ^= 1
		_, _, err := e.kms.Decrypt(t.Context(), viaService(accountA), east, bad, nil)
		if c := codeOf(err); c != "InvalidCiphertextException" && c != "AccessDeniedException" {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	for _, bad := range [][]byte{append(slices.Clone(blob), 0), blob[:len(blob)-1], blob[:40], []byte("x")} {
		_, _, err := e.kms.Decrypt(t.Context(), viaService(accountA), east, bad, nil)
		wantFailure(t, "length", err, "InvalidCiphertextException", "")
	}
}

func TestPlaintextBounds(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	for size, want := range map[int]string{
		0:    "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1",
		1:    "",
		4096: "",
		4097: "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
	} {
		out, err := e.root(accountA, east).Encrypt(t.Context(), &kms.EncryptInput{KeyId: key.KeyId, Plaintext: make([]byte, size)})
		if want != "" {
			wantFailure(t, "size", err, "ValidationException", want)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(out.CiphertextBlob) > maxCiphertext {
			t.Errorf("ciphertext of %d bytes is longer than Decrypt takes", len(out.CiphertextBlob))
		}
	}
}

func TestGenerateDataKey(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	n := func(v int32) *int32 { return &v }
	const either = "Please specify either number of bytes or key spec."
	for _, tt := range []struct {
		name    string
		in      kms.GenerateDataKeyInput
		size    int
		message string
	}{
		{"AES_256", kms.GenerateDataKeyInput{KeySpec: "AES_256"}, 32, ""},
		{"AES_128", kms.GenerateDataKeyInput{KeySpec: "AES_128"}, 16, ""},
		{"bytes", kms.GenerateDataKeyInput{NumberOfBytes: n(1024)}, 1024, ""},
		{"neither", kms.GenerateDataKeyInput{}, 0, either},
		{"both", kms.GenerateDataKeyInput{KeySpec: "AES_256", NumberOfBytes: n(5)}, 0, either},
		{"too many", kms.GenerateDataKeyInput{NumberOfBytes: n(1025)}, 0,
			"1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024"},
		{"unknown spec", kms.GenerateDataKeyInput{KeySpec: "DES"}, 0,
			"1 validation error detected: Value 'DES' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.KeyId, tt.in.EncryptionContext = key.KeyId, map[string]string{"k": "v"}
			out, err := root.GenerateDataKey(ctx, &tt.in)
			if tt.message != "" {
				wantFailure(t, tt.name, err, "ValidationException", tt.message)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			dec, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: tt.in.EncryptionContext})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Plaintext) != tt.size || !bytes.Equal(out.Plaintext, dec.Plaintext) || *out.KeyMaterialId != *key.CurrentKeyMaterialId {
				t.Errorf("%d bytes, opened as %d bytes", len(out.Plaintext), len(dec.Plaintext))
			}
			sealed, err := root.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: key.KeyId, KeySpec: tt.in.KeySpec, NumberOfBytes: tt.in.NumberOfBytes})
			if err != nil {
				t.Fatal(err)
			}
			if dec, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob}); err != nil || len(dec.Plaintext) != tt.size {
				t.Errorf("without plaintext: %v, %v", dec, err)
			}
		})
	}
}

// TestDecryptWithKeyID: naming another key than the ciphertext's is an
// IncorrectKeyException, also when that key could not be used (K53).
func TestDecryptWithKeyID(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key, other := e.key(accountA, east, ""), e.key(accountA, east, "")
	enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.DisableKey(ctx, &kms.DisableKeyInput{KeyId: other.KeyId}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		keyID         *string
		code, message string
	}{
		{key.KeyId, "", ""},
		{key.Arn, "", ""},
		{other.KeyId, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation."},
		{ptr("none"), "NotFoundException", "Invalid keyId 'none'"},
	} {
		_, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, KeyId: tt.keyID})
		wantFailure(t, *tt.keyID, err, tt.code, tt.message)
	}
	_, err = root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, EncryptionAlgorithm: "RSAES_OAEP_SHA_256"})
	wantFailure(t, "algorithm", err, "InvalidKeyUsageException", "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.")
}

// TestForeignDecrypt: the ciphertext leads to another account's key, also with its
// bare id (K52).
func TestForeignDecrypt(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	key := e.key(accountA, east, keyPolicy(accountA, statement("Allow", "kms:Decrypt", "*", principal(rootARN(accountB)))))
	enc, err := e.root(accountA, east).Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []*string{nil, key.KeyId, key.Arn} {
		out, err := e.root(accountB, east).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, KeyId: id})
		if err != nil || string(out.Plaintext) != "x" {
			t.Errorf("KeyId %v: %v, %v", id, out, err)
		}
	}
}

func TestReEncrypt(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	from := e.key(accountA, east, "")
	to := e.key(accountB, east, keyPolicy(accountB, statement("Allow", "kms:ReEncrypt*", "*", principal(rootARN(accountA)))))
	enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: from.KeyId, Plaintext: []byte("x"), EncryptionContext: map[string]string{"a": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	in := kms.ReEncryptInput{CiphertextBlob: enc.CiphertextBlob, DestinationKeyId: to.Arn,
		SourceEncryptionContext: map[string]string{"a": "1"}, DestinationEncryptionContext: map[string]string{"b": "2"}}
	out, err := root.ReEncrypt(ctx, &in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.SourceKeyId != *from.Arn || *out.KeyId != *to.Arn || *out.SourceKeyMaterialId != *from.CurrentKeyMaterialId || *out.DestinationKeyMaterialId != *to.CurrentKeyMaterialId {
		t.Errorf("output %+v", out)
	}
	dec, err := e.root(accountB, east).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: map[string]string{"b": "2"}})
	if err != nil || string(dec.Plaintext) != "x" {
		t.Errorf("the new ciphertext: %v, %v", dec, err)
	}
	bad := in
	bad.SourceEncryptionContext = nil
	_, err = root.ReEncrypt(ctx, &bad)
	wantFailure(t, "wrong context", err, "InvalidCiphertextException", "")
	bad = in
	bad.SourceKeyId = e.key(accountA, east, "").KeyId
	_, err = root.ReEncrypt(ctx, &bad)
	wantFailure(t, "wrong key", err, "IncorrectKeyException", "*")

	u := e.user(accountA, "u", allow("kms:ReEncryptFrom", *from.Arn))
	_, err = u.kms(east).ReEncrypt(ctx, &in)
	wantFailure(t, "from only", err, "AccessDeniedException", "User: "+u.arn+" is not authorized to perform: kms:ReEncryptTo on resource: "+
		*to.Arn+" because no identity-based policy allows the kms:ReEncryptTo action")
	e.userPolicy(accountA, "u", allow("kms:ReEncryptTo", *to.Arn))
	_, err = u.kms(east).ReEncrypt(ctx, &in)
	wantFailure(t, "to only", err, "AccessDeniedException", "User: "+u.arn+" is not authorized to perform: kms:ReEncryptFrom on resource: "+
		*from.Arn+" because no identity-based policy allows the kms:ReEncryptFrom action")
	e.userPolicy(accountA, "u", document(statement("Allow", "kms:ReEncrypt*", "*", `,"Condition":{"Bool":{"kms:ReEncryptOnSameKey":"true"}}`)))
	_, err = u.kms(east).ReEncrypt(ctx, &in)
	wantFailure(t, "another key", err, "AccessDeniedException", "*")
	same := in
	same.DestinationKeyId = from.KeyId
	_, err = u.kms(east).ReEncrypt(ctx, &same)
	wantFailure(t, "same key", err, "", "")
}

// TestDryRun: a dry run always fails, with the reason or with the dry run (K10).
func TestDryRun(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}})
	if err != nil {
		t.Fatal(err)
	}
	dry := ptr(true)
	const would = "The request would have succeeded, but the DryRun option is set."
	calls := map[string]func() error{
		"Encrypt": func() error {
			_, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), DryRun: dry})
			return err
		},
		"Decrypt": func() error {
			_, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, DryRun: dry})
			return err
		},
		"Decrypt without ciphertext": func() error {
			_, err := root.Decrypt(ctx, &kms.DecryptInput{KeyId: key.KeyId, DryRun: dry, DryRunModifiers: []dryRunModifier{"IGNORE_CIPHERTEXT"}})
			return err
		},
		"ReEncrypt": func() error {
			_, err := root.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: enc.CiphertextBlob, DestinationKeyId: key.KeyId, DryRun: dry})
			return err
		},
		"GenerateDataKey": func() error {
			_, err := root.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: key.KeyId, KeySpec: "AES_256", DryRun: dry})
			return err
		},
		"CreateGrant": func() error {
			_, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}, DryRun: dry})
			return err
		},
		"RevokeGrant": func() error {
			_, err := root.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key.KeyId, GrantId: grant.GrantId, DryRun: dry})
			return err
		},
		"RetireGrant": func() error {
			_, err := root.RetireGrant(ctx, &kms.RetireGrantInput{GrantToken: grant.GrantToken, DryRun: dry})
			return err
		},
	}
	for name, call := range calls {
		wantFailure(t, name, call(), "DryRunOperationException", would)
	}
	if list, err := root.ListGrants(ctx, &kms.ListGrantsInput{KeyId: key.KeyId}); err != nil || len(list.Grants) != 1 {
		t.Errorf("dry runs changed the grants: %v, %v", list, err)
	}
	if _, err := root.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key.KeyId}); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, "on a disabled key", calls["Encrypt"](), "DisabledException", "*")
}

func TestGenerateRandom(t *testing.T) {
	e := newEnv(t)
	root := e.root(accountA, east)
	out, err := root.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: ptr(int32(20))})
	if err != nil || len(out.Plaintext) != 20 {
		t.Errorf("%v, %v; want 20 bytes", out, err)
	}
	_, err = root.GenerateRandom(t.Context(), &kms.GenerateRandomInput{})
	wantFailure(t, "no size", err, "ValidationException", "NumberOfBytes is required.")
}

// TestAssociatedData: different contexts never have the same canonical form.
func TestAssociatedData(t *testing.T) {
	header := []byte("h")
	seen := map[string]map[string]string{}
	for _, c := range []map[string]string{
		nil, {"": ""}, {"a": ""}, {"": "a"}, {"a": "bc"}, {"ab": "c"}, {"a": "b", "c": "d"}, {"a": "bcd"}, {"a": "b", "cd": ""},
	} {
		form := string(associatedData(header, c))
		if other, ok := seen[form]; ok {
			t.Errorf("%v and %v have the same form", c, other)
		}
		seen[form] = c
		if want := string(associatedData(header, maps.Clone(c))); form != want {
			t.Errorf("%v has two forms", c)
		}
	}
}

func TestEnvelopeRoundTrip(t *testing.T) {
	e := newEnv(t)
	md := e.key(accountA, east, "")
	k := e.kms.key(keyRef{accountA, east, *md.KeyId})
	b, err := e.kms.seal(k, []byte("plain"), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseEnvelope(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.key, k.keyRef); diff != "" || got.material != k.prepared[0].id || !strings.HasPrefix(string(got.header), magic) {
		t.Errorf("envelope %+v\n%s", got, diff)
	}
}

// FuzzEnvelope: no bytes make the parser fail otherwise than by its error, and what
// it accepts is inside the input.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(magic))
	f.Add([]byte(magic + accountA + "\x09" + east + "\x24" + "1234abcd-12ab-34cd-56ef-1234567890ab" + strings.Repeat("m", materialLen+nonceLen+tagLen)))
	f.Add([]byte(magic + accountA + "\xff" + east))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseEnvelope(b)
		if err != nil {
			return
		}
		if n := len(e.header) + len(e.nonce) + len(e.sealed); n != len(b) || !bytes.HasPrefix(b, e.header) || len(e.nonce) != nonceLen {
			t.Errorf("parts of %d bytes in an input of %d", n, len(b))
		}
	})
}
