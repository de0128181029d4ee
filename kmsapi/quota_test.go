package kmsapi

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"twinbucket/internal/quota"
)

// TestThrottling: fixed one-second windows for each calling account, Region and
// quota, shared by all cryptographic operations (K70 to K73).
func TestThrottling(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	key := e.key(accountA, east, keyPolicy(accountA, statement("Allow", "kms:*", "*", principal(rootARN(accountB)))))
	inWest := e.key(accountA, west, "")
	if err := e.limits.Set(quota.Limit{Service: "kms", Quota: "symmetric", PerSecond: 2}); err != nil {
		t.Fatal(err)
	}
	encrypt := func(account, region, id string) error {
		_, _, err := e.kms.Encrypt(ctx, viaService(account), region, id, []byte("x"), nil)
		return err
	}
	generate := func() error {
		_, err := e.root(accountA, east).GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: key.KeyId, KeySpec: "AES_256"})
		return err
	}
	wantFailure(t, "first", encrypt(accountA, east, *key.Arn), "", "")
	wantFailure(t, "second, another operation", generate(), "", "")
	wantFailure(t, "third", encrypt(accountA, east, *key.Arn), "ThrottlingException", throttledText)
	if ev := e.last(); ev.ErrorCode != "ThrottlingException" || ev.HTTPStatus != 400 {
		t.Errorf("trail: %s, %d", ev.ErrorCode, ev.HTTPStatus)
	}
	wantFailure(t, "third, over HTTP", generate(), "ThrottlingException", throttledText)
	_, err := e.root(accountA, east).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	wantFailure(t, "another quota", err, "", "")
	wantFailure(t, "another Region", encrypt(accountA, west, *inWest.Arn), "", "")
	wantFailure(t, "another caller on the same key", encrypt(accountB, east, *key.Arn), "", "")
	e.clock.Advance(999 * time.Millisecond)
	wantFailure(t, "same second", generate(), "ThrottlingException", throttledText)
	e.clock.Advance(time.Millisecond)
	wantFailure(t, "next second", generate(), "", "")
}

// TestThrottledBeforeWork: denied calls use up the quota too (K72).
func TestThrottledBeforeWork(t *testing.T) {
	e := newEnv(t)
	if err := e.limits.Set(quota.Limit{Service: "kms", PerSecond: 1}); err != nil {
		t.Fatal(err)
	}
	call := func() error {
		_, _, err := e.kms.Encrypt(t.Context(), viaService(accountA), east, "alias/none", []byte("x"), nil)
		return err
	}
	wantFailure(t, "first", call(), "NotFoundException", "*")
	wantFailure(t, "second", call(), "ThrottlingException", "*")
}
