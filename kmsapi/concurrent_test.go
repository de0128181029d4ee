package kmsapi

import (
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"twinbucket/iamsim"
)

// TestConcurrentUse: while keys, aliases, grants and tags change, every ciphertext
// that was handed out opens, and what was not changed keeps working.
func TestConcurrentUse(t *testing.T) {
	e := newEnv(t)
	ctx, key := t.Context(), e.key(accountA, east, "")
	var wg sync.WaitGroup
	const rounds = 40
	for i := range 4 {
		encCtx := map[string]string{"worker": fmt.Sprint(i)}
		wg.Go(func() {
			for range rounds {
				data, err := e.kms.GenerateDataKey(ctx, viaService(accountA), east, *key.Arn, encCtx)
				if err != nil {
					t.Error(err)
					return
				}
				plain, _, err := e.kms.Decrypt(ctx, viaService(accountA), east, data.Ciphertext, encCtx)
				if err != nil || string(plain) != string(data.Plaintext) {
					t.Errorf("opened wrongly: %v", err)
				}
			}
		})
	}
	wg.Go(func() {
		root := e.root(accountA, east)
		for i := range rounds {
			name := fmt.Sprintf("alias/%d", i%3)
			_, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: key.KeyId})
			if err == nil && i%2 == 0 {
				_, err = root.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: &name})
			}
			if code := codeOf(err); err != nil && code == "" && i < 3 {
				t.Error(err)
			}
			if _, err := root.TagResource(ctx, &kms.TagResourceInput{KeyId: key.KeyId, Tags: tags("round", fmt.Sprint(i))}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for range rounds {
			k, err := e.kms.changeKey(ctx, keyRef{accountA, east, *key.KeyId}, func(r *keyRecord) error {
				r.Rotation = rotation{Enabled: true, Days: 90, Next: start.Add(day(90))}
				return nil
			})
			if err != nil {
				t.Error(err)
				return
			}
			e.kms.write.Lock()
			_, err = e.kms.rotate(ctx, e.kms.key(k.keyRef), start)
			e.kms.write.Unlock()
			if err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}

// TestOrigin: callers without an account and impossible regions get no key, not even S3's.
func TestOrigin(t *testing.T) {
	e := newEnv(t)
	anonymous := iamsim.Anonymous()
	_, err := e.kms.GenerateDataKey(t.Context(), anonymous.ThroughService(viaS3), east, aliasS3, nil)
	wantFailure(t, "anonymous", err, "MissingAuthenticationTokenException", "*")
	for _, region := range []string{"", "us east", "a/b", string(make([]byte, 300))} {
		_, err := e.kms.GenerateDataKey(t.Context(), viaService(accountA), region, aliasS3, nil)
		wantFailure(t, "region "+region, err, "InvalidSignatureException", "*")
	}
}
