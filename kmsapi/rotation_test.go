package kmsapi

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"
)

// TestRotateOnDemand: at once, with the dates of automatic rotation unmoved, and old
// ciphertexts opening (K33).
func TestRotateOnDemand(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	enc := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("old")}))
	must(root.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: key.KeyId, RotationPeriodInDays: ptr(int32(100))}))
	e.clock.Advance(day(10))
	out := must(root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId}))
	if *out.KeyId != *key.Arn {
		t.Errorf("KeyId %s, want the ARN", *out.KeyId)
	}
	status := must(root.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: key.KeyId}))
	if !status.NextRotationDate.Equal(start.Add(day(100))) || status.OnDemandRotationStartDate != nil {
		t.Errorf("status %+v", status)
	}
	if dec := must(root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob})); string(dec.Plaintext) != "old" || *dec.KeyMaterialId != *key.CurrentKeyMaterialId {
		t.Errorf("%q by %s", dec.Plaintext, *dec.KeyMaterialId)
	}
	bad := append(append([]byte{}, enc.CiphertextBlob...), 0)
	_, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: bad})
	wantFailure(t, "one byte more", err, "InvalidCiphertextException", "")

	e.clock.Advance(day(90) - 20*time.Minute)
	_, err = root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId})
	wantFailure(t, "20 minutes before", err, "ConflictException", "*")
	e.clock.Advance(20 * time.Minute)

	list := func(in kms.ListKeyRotationsInput) (out []string) {
		in.KeyId = key.KeyId
		for pages := kms.NewListKeyRotationsPaginator(root, &in); pages.HasMorePages(); {
			for _, r := range must(pages.NextPage(ctx)).Rotations {
				date := "-"
				if r.RotationDate != nil {
					date = r.RotationDate.Sub(start).String()
				}
				out = append(out, string(r.KeyMaterialState)+" "+string(r.RotationType)+" "+date)
			}
		}
		return out
	}
	want := []string{"NON_CURRENT ON_DEMAND 240h0m0s", "CURRENT AUTOMATIC 2400h0m0s"}
	if diff := cmp.Diff(list(kms.ListKeyRotationsInput{Limit: ptr(int32(1))}), want); diff != "" {
		t.Errorf("rotations (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(list(kms.ListKeyRotationsInput{IncludeKeyMaterial: "ALL_KEY_MATERIAL"}), append([]string{"NON_CURRENT  -"}, want...)); diff != "" {
		t.Errorf("all material (-got +want):\n%s", diff)
	}
	_, err = root.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: key.KeyId, Marker: ptr("nonsense")})
	wantFailure(t, "marker", err, "InvalidMarkerException", "*")
}

// TestOnDemandLimit: 25 rotations on demand a key; automatic ones don't count (K33).
func TestOnDemandLimit(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	must(root.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: key.KeyId, RotationPeriodInDays: ptr(int32(90))}))
	e.clock.Advance(day(91))
	for i := range maxOnDemand {
		if _, err := root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId}); err != nil {
			t.Fatalf("rotation %d: %v", i+1, err)
		}
	}
	_, err := root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId})
	wantFailure(t, "one more", err, "LimitExceededException", "The on-demand rotations limit has been reached for the given keyId. "+
		"No more on-demand rotations can be performed for this key: "+*key.Arn)
}

// TestManagedKeyCannotBeChanged: the AWS managed key of S3 is nobody's to rotate, disable,
// delete, tag or give another policy (K36).
func TestManagedKeyCannotBeChanged(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key := must(root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: ptr(aliasS3)})).KeyMetadata
	if status := must(root.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: key.KeyId})); !status.KeyRotationEnabled {
		t.Error("an AWS managed key does not rotate")
	}
	for name, call := range map[string]func() error{
		"kms:RotateKeyOnDemand": func() error {
			_, err := root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId})
			return err
		},
		"kms:DisableKey": func() error { _, err := root.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key.KeyId}); return err },
		"kms:ScheduleKeyDeletion": func() error {
			_, err := root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId})
			return err
		},
		"kms:TagResource": func() error {
			_, err := root.TagResource(ctx, &kms.TagResourceInput{KeyId: key.KeyId, Tags: tags("a", "b")})
			return err
		},
		"kms:PutKeyPolicy": func() error {
			_, err := root.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key.KeyId, Policy: ptr(keyPolicy(accountA))})
			return err
		},
		"kms:Encrypt": func() error {
			_, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
			return err
		},
		"kms:DisableKeyRotation": func() error {
			_, err := root.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: key.KeyId})
			return err
		},
	} {
		wantFailure(t, name, call(), "AccessDeniedException", "User: "+rootARN(accountA)+" is not authorized to perform: "+name+
			" on resource: "+*key.Arn+" because no resource-based policy allows the "+name+" action")
	}
}
