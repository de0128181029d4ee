package kmsapi

import (
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"twinbucket/iamsim"
)

// TestManagedKey: S3's key comes into being on first use through S3, serves everyone
// in the account through S3 only, and nobody can change it (K35, K36).
func TestManagedKey(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	_, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: ptr(aliasS3), Plaintext: []byte("x")})
	wantFailure(t, "direct use of an absent key", err, "NotFoundException", "Alias arn:aws:kms:us-east-1:111111111111:alias/aws/s3 is not found.")

	u := e.user(accountA, "u", "") // no permissions at all
	caller := e.caller(u).ThroughService(viaS3)
	data, err := e.kms.GenerateDataKey(ctx, caller, east, aliasS3, map[string]string{"aws:s3:arn": "arn:aws:s3:::b/k"})
	if err != nil {
		t.Fatal(err)
	}
	md, err := root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: ptr(aliasS3)})
	if err != nil {
		t.Fatal(err)
	}
	m := md.KeyMetadata
	if *m.Arn != data.KeyARN || m.KeyManager != types.KeyManagerTypeAws || *m.Description != "Default key that protects my S3 objects when no other key is defined" {
		t.Errorf("metadata %+v of %s", m, data.KeyARN)
	}
	status, err := root.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: m.KeyId})
	if err != nil || !status.KeyRotationEnabled {
		t.Errorf("rotation %+v, %v; want on", status, err)
	}

	denials := map[string]func() error{
		"direct use": func() error {
			_, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: m.KeyId, Plaintext: []byte("x")})
			return err
		},
		"disable": func() error {
			_, err := root.DisableKey(ctx, &kms.DisableKeyInput{KeyId: m.KeyId})
			return err
		},
		"delete": func() error {
			_, err := root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: m.KeyId})
			return err
		},
		"new policy": func() error {
			_, err := root.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: m.KeyId, Policy: ptr(keyPolicy(accountA))})
			return err
		},
		"alias": func() error {
			_, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/mine"), TargetKeyId: m.KeyId})
			return err
		},
		"through S3 in another Region": func() error {
			_, _, err := e.kms.Encrypt(ctx, iamsim.Root(accountA).ThroughService("s3.us-west-2.amazonaws.com"), east, *m.Arn, []byte("x"), nil)
			return err
		},
		"another account, through S3": func() error {
			_, _, err := e.kms.Decrypt(ctx, viaService(accountB), east, data.Ciphertext, map[string]string{"aws:s3:arn": "arn:aws:s3:::b/k"})
			return err
		},
	}
	for name, call := range denials {
		wantFailure(t, name, call(), "AccessDeniedException", "*")
	}
	_, err = root.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: ptr(aliasS3)})
	wantFailure(t, "its alias", err, "NotAuthorizedException", "*")
}

// TestManagedKeyOnce: first uses at the same time make one key.
func TestManagedKeyOnce(t *testing.T) {
	e := newEnv(t)
	arns := make([]string, 8)
	var wg sync.WaitGroup
	for i := range arns {
		wg.Go(func() {
			data, err := e.kms.GenerateDataKey(t.Context(), viaService(accountA), east, aliasS3, nil)
			if err != nil {
				t.Error(err)
			}
			arns[i] = data.KeyARN
		})
	}
	wg.Wait()
	for _, arn := range arns {
		if arn != arns[0] {
			t.Errorf("two keys: %s and %s", arns[0], arn)
		}
	}
	if n := len(e.kms.keysOf(accountA, east)); n != 1 {
		t.Errorf("%d keys, want 1", n)
	}
}

// TestManagedKeyByDescribe: DescribeKey on the alias makes the key too.
func TestManagedKeyByDescribe(t *testing.T) {
	e := newEnv(t)
	if _, err := e.root(accountB, west).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: ptr("arn:aws:kms:us-west-2:222222222222:alias/aws/s3")}); err != nil {
		t.Fatal(err)
	}
	keys, err := e.root(accountB, west).ListKeys(t.Context(), &kms.ListKeysInput{})
	if err != nil || len(keys.Keys) != 1 {
		t.Errorf("keys %v, %v; want the managed one", keys, err)
	}
}
