package kmsapi

import (
	"testing"

	"twinbucket/iamsim"
)

// benchmarks run as S3 calls: a user whom IAM permits, the encryption context of an object.
func benchmark(b *testing.B, fn func(e *env, caller iamsim.Caller, key string, encCtx map[string]string) error) {
	e := newEnv(b)
	key := e.key(accountA, east, "")
	caller := e.caller(e.user(accountA, "u", allow("kms:*", *key.Arn))).ThroughService(viaS3)
	encCtx := map[string]string{"aws:s3:arn": "arn:aws:s3:::bucket/some/key"}
	e.kms.cfg.Record = nil // the trail's own cost is not ours
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if err := fn(e, caller, *key.Arn, encCtx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGenerateDataKey(b *testing.B) {
	benchmark(b, func(e *env, caller iamsim.Caller, key string, encCtx map[string]string) error {
		_, err := e.kms.GenerateDataKey(b.Context(), caller, east, key, encCtx)
		return err
	})
}

func BenchmarkDecrypt(b *testing.B) {
	var blob []byte
	benchmark(b, func(e *env, caller iamsim.Caller, key string, encCtx map[string]string) (err error) {
		if blob == nil {
			if blob, _, err = e.kms.Encrypt(b.Context(), caller, east, key, make([]byte, 32), encCtx); err != nil {
				return err
			}
		}
		_, _, err = e.kms.Decrypt(b.Context(), caller, east, blob, encCtx)
		return err
	})
}

func BenchmarkEncrypt(b *testing.B) {
	plain := make([]byte, 32)
	benchmark(b, func(e *env, caller iamsim.Caller, key string, encCtx map[string]string) error {
		_, _, err := e.kms.Encrypt(b.Context(), caller, east, key, plain, encCtx)
		return err
	})
}

// BenchmarkAuthorizeOnly is the decision within the others.
func BenchmarkAuthorizeOnly(b *testing.B) {
	benchmark(b, func(e *env, caller iamsim.Caller, key string, encCtx map[string]string) error {
		c := &call{ctx: b.Context(), caller: &caller, op: e.kms.ops["Decrypt"], region: east, now: start}
		t, err := e.kms.resolve(c, key, anyID)
		if err != nil {
			return err
		}
		return e.kms.authorize(c, keyAuth{action: "kms:Decrypt", target: t, encCtx: encCtx, algorithm: algSymmetric})
	})
}
