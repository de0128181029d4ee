package kmsapi

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// TestKeyStates holds the table of K32: what each operation answers in each state.
func TestKeyStates(t *testing.T) {
	type answers struct{ enabled, disabled, pending string }
	const (
		ok = ""
		d  = "DisabledException: is disabled."
		p  = "KMSInvalidStateException: is pending deletion."
		np = "KMSInvalidStateException: is not pending deletion."
	)
	crypto, change, read := answers{ok, d, p}, answers{ok, ok, p}, answers{}
	for _, tt := range []struct {
		name string
		want answers
		call func(c *kms.Client, f *stateFixture) error
	}{
		{"Encrypt", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.Encrypt(f.Context(), &kms.EncryptInput{KeyId: f.id, Plaintext: []byte("x")})
			return err
		}},
		{"Decrypt", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.Decrypt(f.Context(), &kms.DecryptInput{CiphertextBlob: f.blob})
			return err
		}},
		{"ReEncrypt from", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ReEncrypt(f.Context(), &kms.ReEncryptInput{CiphertextBlob: f.blob, DestinationKeyId: f.other})
			return err
		}},
		{"ReEncrypt to", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ReEncrypt(f.Context(), &kms.ReEncryptInput{CiphertextBlob: f.otherBlob, DestinationKeyId: f.id})
			return err
		}},
		{"GenerateDataKey", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GenerateDataKey(f.Context(), &kms.GenerateDataKeyInput{KeyId: f.id, KeySpec: "AES_256"})
			return err
		}},
		{"GenerateDataKeyWithoutPlaintext", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GenerateDataKeyWithoutPlaintext(f.Context(), &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: f.id, KeySpec: "AES_128"})
			return err
		}},
		{"CreateGrant", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.CreateGrant(f.Context(), &kms.CreateGrantInput{KeyId: f.id, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}})
			return err
		}},
		{"EnableKeyRotation", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.EnableKeyRotation(f.Context(), &kms.EnableKeyRotationInput{KeyId: f.id})
			return err
		}},
		{"DisableKeyRotation", crypto, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DisableKeyRotation(f.Context(), &kms.DisableKeyRotationInput{KeyId: f.id})
			return err
		}},
		{"CancelKeyDeletion", answers{np, np, ok}, func(c *kms.Client, f *stateFixture) error {
			_, err := c.CancelKeyDeletion(f.Context(), &kms.CancelKeyDeletionInput{KeyId: f.id})
			return err
		}},
		{"ScheduleKeyDeletion", change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ScheduleKeyDeletion(f.Context(), &kms.ScheduleKeyDeletionInput{KeyId: f.id})
			return err
		}},
		{"EnableKey", change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.EnableKey(f.Context(), &kms.EnableKeyInput{KeyId: f.id})
			return err
		}},
		{"DisableKey", change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DisableKey(f.Context(), &kms.DisableKeyInput{KeyId: f.id})
			return err
		}},
		{"CreateAlias", change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.CreateAlias(f.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/new"), TargetKeyId: f.id})
			return err
		}},
		{"UpdateAlias to it", change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UpdateAlias(f.Context(), &kms.UpdateAliasInput{AliasName: ptr("alias/other"), TargetKeyId: f.id})
			return err
		}},
		{"UpdateAlias away from it", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UpdateAlias(f.Context(), &kms.UpdateAliasInput{AliasName: ptr("alias/own"), TargetKeyId: f.other})
			return err
		}},
		{"TagResource", change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.TagResource(f.Context(), &kms.TagResourceInput{KeyId: f.id, Tags: tags("a", "b")})
			return err
		}},
		{"UntagResource", change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UntagResource(f.Context(), &kms.UntagResourceInput{KeyId: f.id, TagKeys: []string{"absent"}})
			return err
		}},
		{"UpdateKeyDescription", change, func(c *kms.Client, f *stateFixture) error {
			_, err := c.UpdateKeyDescription(f.Context(), &kms.UpdateKeyDescriptionInput{KeyId: f.id, Description: ptr("d")})
			return err
		}},
		{"DescribeKey", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DescribeKey(f.Context(), &kms.DescribeKeyInput{KeyId: f.id})
			return err
		}},
		{"PutKeyPolicy", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.PutKeyPolicy(f.Context(), &kms.PutKeyPolicyInput{KeyId: f.id, Policy: ptr(keyPolicy(accountA))})
			return err
		}},
		{"GetKeyPolicy", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GetKeyPolicy(f.Context(), &kms.GetKeyPolicyInput{KeyId: f.id})
			return err
		}},
		{"ListKeyPolicies", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ListKeyPolicies(f.Context(), &kms.ListKeyPoliciesInput{KeyId: f.id})
			return err
		}},
		{"GetKeyRotationStatus", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.GetKeyRotationStatus(f.Context(), &kms.GetKeyRotationStatusInput{KeyId: f.id})
			return err
		}},
		{"ListResourceTags", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ListResourceTags(f.Context(), &kms.ListResourceTagsInput{KeyId: f.id})
			return err
		}},
		{"ListGrants", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.ListGrants(f.Context(), &kms.ListGrantsInput{KeyId: f.id})
			return err
		}},
		{"RevokeGrant", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.RevokeGrant(f.Context(), &kms.RevokeGrantInput{KeyId: f.id, GrantId: f.grant})
			return err
		}},
		{"RetireGrant", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.RetireGrant(f.Context(), &kms.RetireGrantInput{KeyId: f.arn, GrantId: f.grant})
			return err
		}},
		{"DeleteAlias", read, func(c *kms.Client, f *stateFixture) error {
			_, err := c.DeleteAlias(f.Context(), &kms.DeleteAliasInput{AliasName: ptr("alias/own")})
			return err
		}},
	} {
		for state, want := range map[string]string{stateEnabled: tt.want.enabled, stateDisabled: tt.want.disabled, statePendingDeletion: tt.want.pending} {
			t.Run(tt.name+"/"+state, func(t *testing.T) {
				f := newStateFixture(t, state)
				code, message := want, ""
				if want != ok {
					for i := range want {
						if want[i] == ':' {
							code, message = want[:i], *f.arn+want[i+1:]
							break
						}
					}
				}
				wantFailure(t, tt.name, tt.call(f.root(accountA, east), f), code, message)
			})
		}
	}
}

// stateFixture is a key brought into a state, with everything the operations need.
type stateFixture struct {
	*env
	id, arn, other, grant *string
	blob, otherBlob       []byte
}

func newStateFixture(t *testing.T, state string) *stateFixture {
	t.Helper()
	e := newEnv(t)
	ctx, c := t.Context(), e.root(accountA, east)
	k, o := e.key(accountA, east, ""), e.key(accountA, east, "")
	f := &stateFixture{env: e, id: k.KeyId, arn: k.Arn, other: o.KeyId}
	for id, blob := range map[*string]*[]byte{f.id: &f.blob, f.other: &f.otherBlob} {
		out, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		*blob = out.CiphertextBlob
	}
	for name, id := range map[string]*string{"alias/own": f.id, "alias/other": f.other} {
		if _, err := c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: id}); err != nil {
			t.Fatal(err)
		}
	}
	g, err := c.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: f.id, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}})
	if err != nil {
		t.Fatal(err)
	}
	f.grant = g.GrantId
	switch state {
	case stateDisabled:
		_, err = c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: f.id})
	case statePendingDeletion:
		_, err = c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: f.id})
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}
