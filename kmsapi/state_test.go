package kmsapi

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"twinbucket/store/kv/boltkv"
)

// Answers of the table below; the key's ARN stands where the percent sign does.
const (
	ok = ""
	d  = "DisabledException: % is disabled."
	p  = "KMSInvalidStateException: % is pending deletion."
	np = "KMSInvalidStateException: % is not pending deletion."
	im = "KMSInvalidStateException: % is pending import."
	cr = "KMSInvalidStateException: % is creating."
	up = "KMSInvalidStateException: % is updating."
	ex = "UnsupportedOperationException: % origin is EXTERNAL which is not valid for this operation."
	ow = "UnsupportedOperationException: % origin is AWS_KMS which is not valid for this operation."
	re = "UnsupportedOperationException: % is not a multi-region primary key."
)

// row is what an operation answers in the states, in the order of stateNames.
type stateRow [7]string

func stateNames() [7]string {
	return [7]string{stateEnabled, stateDisabled, statePendingDeletion, statePendingReplicaDeletion, statePendingImport, stateCreating, stateUpdating}
}

// TestKeyStates is AWS's table of key states, every operation in every state (K32).
func TestKeyStates(t *testing.T) {
	crypto := stateRow{ok, d, p, p, im, cr, ok}
	change := stateRow{ok, ok, p, p, ok, ok, ok}
	always := stateRow{}
	for _, tt := range []struct {
		name string
		kind keyKind
		want stateRow
		call func(c *kms.Client, f *stateFixture) error
	}{
		{"Encrypt", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.Encrypt(f.Context(), &kms.EncryptInput{KeyId: f.id, Plaintext: []byte("x")})
			return err
		}},
		{"Decrypt", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.Decrypt(f.Context(), &kms.DecryptInput{CiphertextBlob: f.blob})
			return err
		}},
		{"ReEncrypt from", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ReEncrypt(f.Context(), &kms.ReEncryptInput{CiphertextBlob: f.blob, DestinationKeyId: f.other})
			return err
		}},
		{"ReEncrypt to", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ReEncrypt(f.Context(), &kms.ReEncryptInput{CiphertextBlob: f.otherBlob, DestinationKeyId: f.id})
			return err
		}},
		{"GenerateDataKey", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GenerateDataKey(f.Context(), &kms.GenerateDataKeyInput{KeyId: f.id, KeySpec: "AES_256"})
			return err
		}},
		{"GenerateDataKeyWithoutPlaintext", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GenerateDataKeyWithoutPlaintext(f.Context(), &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: f.id, KeySpec: "AES_128"})
			return err
		}},
		{"GenerateDataKeyPair", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GenerateDataKeyPair(f.Context(), &kms.GenerateDataKeyPairInput{KeyId: f.id, KeyPairSpec: "ECC_NIST_P256"})
			return err
		}},
		{"GenerateDataKeyPairWithoutPlaintext", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GenerateDataKeyPairWithoutPlaintext(f.Context(), &kms.GenerateDataKeyPairWithoutPlaintextInput{KeyId: f.id, KeyPairSpec: "ECC_NIST_P256"})
			return err
		}},
		{"DeriveSharedSecret", agreementKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DeriveSharedSecret(f.Context(), &kms.DeriveSharedSecretInput{KeyId: f.id, KeyAgreementAlgorithm: "ECDH", PublicKey: f.peer})
			return err
		}},
		{"Sign", signingKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.Sign(f.Context(), &kms.SignInput{KeyId: f.id, Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256"})
			return err
		}},
		{"Verify", signingKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.Verify(f.Context(), &kms.VerifyInput{KeyId: f.id, Message: []byte("x"), Signature: f.signature, SigningAlgorithm: "ECDSA_SHA_256"})
			return err
		}},
		{"GetPublicKey", signingKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GetPublicKey(f.Context(), &kms.GetPublicKeyInput{KeyId: f.id})
			return err
		}},
		{"GenerateMac", macKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GenerateMac(f.Context(), &kms.GenerateMacInput{KeyId: f.id, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_256"})
			return err
		}},
		{"VerifyMac", macKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.VerifyMac(f.Context(), &kms.VerifyMacInput{KeyId: f.id, Message: []byte("x"), Mac: f.mac, MacAlgorithm: "HMAC_SHA_256"})
			return err
		}},
		{"CreateGrant", symmetricKind, crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.CreateGrant(f.Context(), &kms.CreateGrantInput{KeyId: f.id, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}})
			return err
		}},
		{"CancelKeyDeletion", symmetricKind, stateRow{np, np, ok, ok, np, np, np}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.CancelKeyDeletion(f.Context(), &kms.CancelKeyDeletionInput{KeyId: f.id})
			return err
		}},
		{"ScheduleKeyDeletion", symmetricKind, stateRow{ok, ok, p, p, ok, ok, up}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ScheduleKeyDeletion(f.Context(), &kms.ScheduleKeyDeletionInput{KeyId: f.id})
			return err
		}},
		{"EnableKey", symmetricKind, stateRow{ok, ok, p, p, im, cr, up}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.EnableKey(f.Context(), &kms.EnableKeyInput{KeyId: f.id})
			return err
		}},
		{"DisableKey", symmetricKind, stateRow{ok, ok, p, p, im, cr, up}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DisableKey(f.Context(), &kms.DisableKeyInput{KeyId: f.id})
			return err
		}},
		// A replica key, which is the only one that can be Creating, does not rotate by itself.
		{"EnableKeyRotation", symmetricKind, stateRow{ok, d, p, p, ex, re, ok}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.EnableKeyRotation(f.Context(), &kms.EnableKeyRotationInput{KeyId: f.id})
			return err
		}},
		{"DisableKeyRotation", symmetricKind, stateRow{ok, d, p, p, ex, re, ok}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DisableKeyRotation(f.Context(), &kms.DisableKeyRotationInput{KeyId: f.id})
			return err
		}},
		{"RotateKeyOnDemand", symmetricKind, stateRow{ok, d, p, p, im, cr, up}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.RotateKeyOnDemand(f.Context(), &kms.RotateKeyOnDemandInput{KeyId: f.id})
			return err
		}},
		{"GetKeyRotationStatus", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GetKeyRotationStatus(f.Context(), &kms.GetKeyRotationStatusInput{KeyId: f.id})
			return err
		}},
		{"CreateAlias", symmetricKind, change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.CreateAlias(f.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/new"), TargetKeyId: f.id})
			return err
		}},
		{"UpdateAlias to it", symmetricKind, change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UpdateAlias(f.Context(), &kms.UpdateAliasInput{AliasName: ptr("alias/other"), TargetKeyId: f.id})
			return err
		}},
		{"UpdateAlias away from it", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UpdateAlias(f.Context(), &kms.UpdateAliasInput{AliasName: ptr("alias/own"), TargetKeyId: f.other})
			return err
		}},
		{"TagResource", symmetricKind, change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.TagResource(f.Context(), &kms.TagResourceInput{KeyId: f.id, Tags: tags("a", "b")})
			return err
		}},
		{"UntagResource", symmetricKind, change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UntagResource(f.Context(), &kms.UntagResourceInput{KeyId: f.id, TagKeys: []string{"absent"}})
			return err
		}},
		{"UpdateKeyDescription", symmetricKind, change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UpdateKeyDescription(f.Context(), &kms.UpdateKeyDescriptionInput{KeyId: f.id, Description: ptr("d")})
			return err
		}},
		{"DescribeKey", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DescribeKey(f.Context(), &kms.DescribeKeyInput{KeyId: f.id})
			return err
		}},
		{"GetKeyLastUsage", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GetKeyLastUsage(f.Context(), &kms.GetKeyLastUsageInput{KeyId: f.id})
			return err
		}},
		{"PutKeyPolicy", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.PutKeyPolicy(f.Context(), &kms.PutKeyPolicyInput{KeyId: f.id, Policy: ptr(keyPolicy(accountA))})
			return err
		}},
		{"GetKeyPolicy", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GetKeyPolicy(f.Context(), &kms.GetKeyPolicyInput{KeyId: f.id})
			return err
		}},
		{"ListKeyPolicies", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ListKeyPolicies(f.Context(), &kms.ListKeyPoliciesInput{KeyId: f.id})
			return err
		}},
		{"ListKeyRotations", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ListKeyRotations(f.Context(), &kms.ListKeyRotationsInput{KeyId: f.id})
			return err
		}},
		{"ListResourceTags", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ListResourceTags(f.Context(), &kms.ListResourceTagsInput{KeyId: f.id})
			return err
		}},
		{"ListGrants", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ListGrants(f.Context(), &kms.ListGrantsInput{KeyId: f.id})
			return err
		}},
		{"ListAliases", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ListAliases(f.Context(), &kms.ListAliasesInput{KeyId: f.id})
			return err
		}},
		{"RevokeGrant", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.RevokeGrant(f.Context(), &kms.RevokeGrantInput{KeyId: f.id, GrantId: f.grant})
			return err
		}},
		{"RetireGrant", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.RetireGrant(f.Context(), &kms.RetireGrantInput{KeyId: f.arn, GrantId: f.grant})
			return err
		}},
		{"DeleteAlias", symmetricKind, always, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DeleteAlias(f.Context(), &kms.DeleteAliasInput{AliasName: ptr("alias/own")})
			return err
		}},
		// Only a primary key can be replicated; in Creating there is none.
		{"ReplicateKey", sharedKind, stateRow{ok, d, p, p, im, re, up}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ReplicateKey(f.Context(), &kms.ReplicateKeyInput{KeyId: f.id, ReplicaRegion: ptr("eu-central-1")})
			return err
		}},
		{"UpdatePrimaryRegion", sharedKind, stateRow{ok, d, p, p, im, re, ok}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UpdatePrimaryRegion(f.Context(), &kms.UpdatePrimaryRegionInput{KeyId: f.id, PrimaryRegion: ptr("eu-west-1")})
			return err
		}},
		{"GetParametersForImport", externalKind, stateRow{ok, ok, p, p, ok, cr, up}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GetParametersForImport(f.Context(), &kms.GetParametersForImportInput{KeyId: f.id, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048"})
			return err
		}},
		{"ImportKeyMaterial", externalKind, stateRow{ok, ok, p, p, ok, cr, ok}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ImportKeyMaterial(f.Context(), &kms.ImportKeyMaterialInput{KeyId: f.id, ImportToken: f.token, EncryptedKeyMaterial: f.wrapped, ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE"})
			return err
		}},
		{"DeleteImportedKeyMaterial", externalKind, stateRow{ok, ok, ok, ok, ok, cr, up}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DeleteImportedKeyMaterial(f.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: f.id})
			return err
		}},
		{"GetParametersForImport of KMS's own key", symmetricKind, stateRow{ow, ow, ow, ow, ok, ow, ow}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GetParametersForImport(f.Context(), &kms.GetParametersForImportInput{KeyId: f.id, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048"})
			return err
		}},
		{"DeleteImportedKeyMaterial of KMS's own key", symmetricKind, stateRow{ow, ow, ow, ow, ok, ow, ow}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DeleteImportedKeyMaterial(f.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: f.id})
			return err
		}},
	} {
		for i, state := range stateNames() {
			t.Run(tt.name+"/"+state, func(t *testing.T) {
				f := newStateFixture(t, tt.kind, state)
				code, message, _ := strings.Cut(tt.want[i], ": ")
				wantFailure(t, tt.name, tt.call(f.root(accountA, f.region), f), code, strings.ReplaceAll(message, "%", *f.arn))
			})
		}
	}
}

// keyKind is what a row of the table does its operation with.
type keyKind int

const (
	symmetricKind keyKind = iota
	signingKind
	agreementKind
	macKind
	externalKind // with imported material
	sharedKind   // multi-Region in every state
)

func (k keyKind) input() kms.CreateKeyInput {
	switch k {
	case signingKind:
		return kms.CreateKeyInput{KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY"}
	case agreementKind:
		return kms.CreateKeyInput{KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT"}
	case macKind:
		return kms.CreateKeyInput{KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC"}
	case externalKind:
		return kms.CreateKeyInput{Origin: "EXTERNAL"}
	}
	return kms.CreateKeyInput{}
}

// stateFixture is a key brought into a state, with everything the operations need.
type stateFixture struct {
	*env
	region                   string
	id, arn, other, grant    *string
	blob, otherBlob          []byte
	signature, mac, peer     []byte
	token, wrapped, material []byte
}

// newStateFixture makes a key of a kind, uses it while it can be used, and brings it into
// a state as its owner would. Transient states last an hour here.
func newStateFixture(t *testing.T, kind keyKind, state string) *stateFixture {
	t.Helper()
	engine := must(boltkv.OpenMemory())
	t.Cleanup(func() { closeEngine(t, engine) })
	f := &stateFixture{env: newEnvWith(t, engine, Config{ReplicaDelay: time.Hour}), region: east, material: secretOf(1)}
	in := kind.input()
	multi := kind == sharedKind || state == statePendingReplicaDeletion || state == stateCreating || state == stateUpdating
	in.MultiRegion = &multi
	if state == statePendingImport {
		in.Origin = "EXTERNAL"
	}
	key := must(f.root(accountA, east).CreateKey(f.Context(), &in)).KeyMetadata
	f.id, f.arn = key.KeyId, key.Arn
	if kind == sharedKind && state != stateCreating {
		f.replicate("eu-west-1")
	}
	if kind == externalKind && state != statePendingImport {
		f.token, f.wrapped = f.wrappedIn(east)
		f.importHere()
	}
	f.use(kind, key, state)
	f.enter(state)
	if state == stateCreating {
		f.region = west
		f.arn = ptr(strings.Replace(*f.arn, east, west, 1))
	}
	f.surround(kind, state)
	if kind == externalKind && state == statePendingImport {
		f.token, f.wrapped = f.wrappedIn(east)
	}
	if state == stateCreating && kind == externalKind { // the state comes before the token
		f.token, f.wrapped = []byte("x"), []byte("x")
	}
	return f
}

func (f *stateFixture) replicate(region string) {
	f.Helper()
	if key := f.kms.key(keyRef{accountA, east, *f.id}); key.State == statePendingImport {
		return // can't be replicated, which the table says
	}
	must(f.root(accountA, east).ReplicateKey(f.Context(), &kms.ReplicateKeyInput{KeyId: f.id, ReplicaRegion: &region}))
	if region == "eu-west-1" {
		f.clock.Advance(time.Hour) // it is there
	}
}

func (f *stateFixture) wrappedIn(region string) (token, wrapped []byte) {
	f.Helper()
	return f.wrappedFor(f.root(accountA, region), *f.id, "RSAES_OAEP_SHA_256", f.material)
}

func (f *stateFixture) importHere() {
	f.Helper()
	f.importIn(east)
}

func (f *stateFixture) importIn(region string) {
	f.Helper()
	must(f.root(accountA, region).ImportKeyMaterial(f.Context(), &kms.ImportKeyMaterialInput{KeyId: f.id, ImportToken: f.token, EncryptedKeyMaterial: f.wrapped, ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE"}))
}

// use makes what the cryptographic operations need of the key. A key that never had
// material has encrypted nothing: it gets some for a moment.
func (f *stateFixture) use(kind keyKind, key *types.KeyMetadata, state string) {
	f.Helper()
	ctx, c := f.Context(), f.root(accountA, east)
	if state == statePendingImport && kind == symmetricKind {
		f.token, f.wrapped = f.wrappedIn(east)
		f.importHere()
	}
	switch kind {
	case signingKind:
		f.signature = []byte("x")
		if state != statePendingImport {
			f.signature = must(c.Sign(ctx, &kms.SignInput{KeyId: key.KeyId, Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_256"})).Signature
		}
	case macKind:
		f.mac = []byte("x")
		if state != statePendingImport {
			f.mac = must(c.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: key.KeyId, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_256"})).Mac
		}
	case agreementKind:
		peer := f.keyOf("ECC_NIST_P256", "KEY_AGREEMENT")
		f.peer = must(c.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: peer.KeyId})).PublicKey
	case symmetricKind:
		f.blob = must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})).CiphertextBlob
	}
}

// surround adds another key, aliases and a grant in the fixture's Region.
func (f *stateFixture) surround(kind keyKind, state string) {
	f.Helper()
	if kind != symmetricKind {
		return
	}
	ctx, c := f.Context(), f.root(accountA, f.region)
	f.other = must(c.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
	f.otherBlob = must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: f.other, Plaintext: []byte("x")})).CiphertextBlob
	must(c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/other"), TargetKeyId: f.other}))
	// The key may be in no state for these: they are put there directly.
	ref := keyRef{accountA, f.region, *f.id}
	s := f.kms
	s.write.Lock()
	defer s.write.Unlock()
	a := &alias{aliasRef: aliasRef{accountA, f.region, "alias/own"}, KeyID: *f.id, Created: f.clock.Now(), Updated: f.clock.Now()}
	if err := cmp.Or(s.put(ctx, a.record(), a), s.publishAlias(a.aliasRef, nil, a)); err != nil {
		f.Fatal(err)
	}
	g := &grant{Key: ref, ID: strings.Repeat("a", 64), Created: f.clock.Now(), Grantee: rootARN(accountA), IssuingAccount: accountA, Operations: []string{"Decrypt"}}
	if err := s.put(ctx, g.record(), g); err != nil {
		f.Fatal(err)
	}
	s.mu.Lock()
	s.state.addGrant(g)
	s.mu.Unlock()
	f.grant = &g.ID
}

// enter brings the key into a state and proves that it is in it.
func (f *stateFixture) enter(state string) {
	f.Helper()
	ctx, c := f.Context(), f.root(accountA, east)
	var err error
	region := east
	switch state {
	case stateDisabled:
		_, err = c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: f.id})
	case statePendingImport:
		if key := f.kms.key(keyRef{accountA, east, *f.id}); len(key.Materials) > 0 {
			_, err = c.DeleteImportedKeyMaterial(ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: f.id})
		}
	case statePendingDeletion:
		for _, r := range f.kms.relatives(f.kms.key(keyRef{accountA, east, *f.id})) { // a primary key would wait for its replicas
			must(f.root(accountA, r.Region).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: f.id, PendingWindowInDays: ptr(int32(7))}))
			f.clock.Advance(day(7))
		}
		_, err = c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: f.id})
	case statePendingReplicaDeletion:
		f.replicate(west)
		_, err = c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: f.id})
	case stateCreating:
		f.replicate(west)
		region = west
	case stateUpdating:
		// There and back: the primary key is in the east again, and Updating.
		f.replicate(west)
		f.clock.Advance(time.Hour)
		if f.token != nil { // each member gets its own
			here, wrappedHere := f.token, f.wrapped
			f.token, f.wrapped = f.wrappedIn(west)
			f.importIn(west)
			f.token, f.wrapped = here, wrappedHere
		}
		must(c.UpdatePrimaryRegion(ctx, &kms.UpdatePrimaryRegionInput{KeyId: f.id, PrimaryRegion: ptr(west)}))
		f.clock.Advance(time.Hour)
		_, err = f.root(accountA, west).UpdatePrimaryRegion(ctx, &kms.UpdatePrimaryRegionInput{KeyId: f.id, PrimaryRegion: ptr(east)})
	}
	if err != nil {
		f.Fatal(err)
	}
	if got := must(f.root(accountA, region).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: f.id})).KeyMetadata.KeyState; string(got) != state {
		f.Fatalf("the key is %s, not %s", got, state)
	}
}
