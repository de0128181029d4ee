package kmsapi

import (
	"bytes"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"twinbucket/store/kv"
)

func day(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// TestDeletion walks a key through its waiting period (K34).
func TestDeletion(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	for _, name := range []string{"alias/one", "alias/two"} {
		if _, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: key.KeyId}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}}); err != nil {
		t.Fatal(err)
	}
	enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	out, err := root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: ptr(int32(7))})
	if err != nil {
		t.Fatal(err)
	}
	if *out.KeyId != *key.Arn || out.KeyState != "PendingDeletion" || *out.PendingWindowInDays != 7 || !out.DeletionDate.Equal(start.Add(day(7))) {
		t.Errorf("output %+v", out)
	}

	e.clock.Advance(day(7) - time.Millisecond)
	md, err := root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: ptr("alias/one")})
	if err != nil {
		t.Fatal(err)
	}
	if md.KeyMetadata.KeyState != types.KeyStatePendingDeletion || md.KeyMetadata.Enabled || !md.KeyMetadata.DeletionDate.Equal(start.Add(day(7))) {
		t.Errorf("metadata %+v", md.KeyMetadata)
	}
	_, err = root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/one"), TargetKeyId: e.key(accountA, east, "").KeyId})
	wantFailure(t, "alias of a key that waits", err, "AlreadyExistsException", "An alias with the name arn:aws:kms:us-east-1:111111111111:alias/one already exists")

	e.clock.Advance(time.Millisecond)
	_, err = root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	wantFailure(t, "deleted key", err, "NotFoundException", "Key '"+*key.Arn+"' does not exist")
	_, err = root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: ptr("alias/two")})
	wantFailure(t, "its alias", err, "NotFoundException", "Alias arn:aws:kms:us-east-1:111111111111:alias/two is not found.")
	_, err = root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob})
	wantFailure(t, "its ciphertext", err, "AccessDeniedException",
		"User: arn:aws:iam::111111111111:root is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext "+hiddenReason)
	if _, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/one"), TargetKeyId: e.key(accountA, east, "").KeyId}); err != nil {
		t.Errorf("the alias name is not free again: %v", err)
	}
	if left := e.recordsWith(*key.KeyId); len(left) > 0 {
		t.Errorf("the engine still has %q", left)
	}
}

// recordsWith lists the records whose key or value has a text.
func (e *env) recordsWith(text string) []string {
	e.Helper()
	var out []string
	if err := e.engine.View(e.Context(), func(r kv.Reader) error {
		return r.Scan([]byte(prefixAll), kv.PrefixEnd([]byte(prefixAll)), func(k, v []byte) (bool, error) {
			if bytes.Contains(k, []byte(text)) || bytes.Contains(v, []byte(text)) {
				out = append(out, string(k))
			}
			return true, nil
		})
	}); err != nil {
		e.Fatal(err)
	}
	return out
}

// TestReaper: a key goes at its date although nobody calls.
func TestReaper(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	gone := e.engine.Watch(t.Context(), keyRef{accountA, east, *key.KeyId}.record())
	if _, err := e.root(accountA, east).ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId}); err != nil {
		t.Fatal(err)
	}
	<-gone // the change of state
	e.clock.Advance(day(30))
	<-gone // the deletion
	if left := e.recordsWith(*key.KeyId); len(left) > 0 {
		t.Errorf("the engine still has %q", left)
	}
}

func TestCancelDeletion(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	if _, err := root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId}); err != nil {
		t.Fatal(err)
	}
	out, err := root.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: key.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	if *out.KeyId != *key.Arn {
		t.Errorf("KeyId %s, want the ARN", *out.KeyId)
	}
	e.clock.Advance(day(31))
	md, err := root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	if md.KeyMetadata.KeyState != types.KeyStateDisabled || md.KeyMetadata.DeletionDate != nil {
		t.Errorf("after a cancel: %s, deletion %v; want Disabled, none", md.KeyMetadata.KeyState, md.KeyMetadata.DeletionDate)
	}
}

func TestDeletionWindow(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	for window, message := range map[int32]string{
		6:  "1 validation error detected: Value '6' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value greater than or equal to 7",
		31: "1 validation error detected: Value '31' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value less than or equal to 30",
	} {
		_, err := e.root(accountA, east).ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: &window})
		wantFailure(t, "window", err, "ValidationException", message)
	}
}

// TestRotation: new material at the date, old ciphertexts still open, and a pause
// while the key is disabled or pending deletion (K33).
func TestRotation(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("old")})
	if err != nil {
		t.Fatal(err)
	}
	material := func() string {
		t.Helper()
		out, err := root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
		if err != nil {
			t.Fatal(err)
		}
		return *out.KeyMetadata.CurrentKeyMaterialId
	}
	status := func() *kms.GetKeyRotationStatusOutput {
		t.Helper()
		out, err := root.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: key.KeyId})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := status(); got.KeyRotationEnabled || got.NextRotationDate != nil {
		t.Errorf("a new key rotates: %+v", got)
	}
	if _, err := root.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: key.KeyId, RotationPeriodInDays: ptr(int32(90))}); err != nil {
		t.Fatal(err)
	}
	if got := status(); !got.KeyRotationEnabled || *got.RotationPeriodInDays != 90 || !got.NextRotationDate.Equal(start.Add(day(90))) {
		t.Errorf("status %+v", got)
	}
	first := material()
	e.clock.Advance(day(89))
	if material() != first {
		t.Error("rotated too early")
	}
	e.clock.Advance(day(1))
	second := material()
	if second == first {
		t.Fatal("not rotated at the date")
	}
	dec, err := root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob})
	if err != nil {
		t.Fatal(err)
	}
	if string(dec.Plaintext) != "old" || *dec.KeyMaterialId != first {
		t.Errorf("decrypted %q with %s, want old with %s", dec.Plaintext, *dec.KeyMaterialId, first)
	}

	if _, err := root.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key.KeyId}); err != nil {
		t.Fatal(err)
	}
	e.clock.Advance(day(200))
	if material() != second {
		t.Error("a disabled key was rotated")
	}
	if _, err := root.EnableKey(ctx, &kms.EnableKeyInput{KeyId: key.KeyId}); err != nil {
		t.Fatal(err)
	}
	third := material()
	if third == second {
		t.Error("an overdue rotation did not happen when the key was enabled")
	}
	if got, now := status(), e.clock.Now(); !got.NextRotationDate.After(now) {
		t.Errorf("next rotation %v is not after %v", got.NextRotationDate, now)
	}

	if _, err := root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId}); err != nil {
		t.Fatal(err)
	}
	if got := status(); got.KeyRotationEnabled {
		t.Error("a key that is pending deletion reads as rotating")
	}
}

func TestRotationPeriod(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	_, err := e.root(accountA, east).EnableKeyRotation(t.Context(), &kms.EnableKeyRotationInput{KeyId: key.KeyId, RotationPeriodInDays: ptr(int32(89))})
	wantFailure(t, "89 days", err, "ValidationException",
		"1 validation error detected: Value '89' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value greater than or equal to 90")
}
