package s3api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// newDataKey makes the data key of a new object: under the store's master key for SSE-S3,
// under the customer's for SSE-C, under the KMS key for SSE-KMS, or under a bucket-level key of the KMS key with an S3 Bucket
// Key. caller is who writes the object; KMS sees S3 of the bucket's Region calling for it
// (S217). Errors of KMS are passed on as they are.
func (a *API) newDataKey(ctx context.Context, caller iamsim.Caller, b *store.Bucket, key string, c encryptionChoice) (store.Encryption, store.DataKey, error) {
	e := store.Encryption{Algorithm: c.algorithm, Context: c.context, BucketKey: c.bucketKey}
	if c.customer != nil {
		var plain store.DataKey
		if _, err := io.ReadFull(a.rand, plain[:]); err != nil {
			return e, plain, err
		}
		var err error
		e.WrappedKey, err = c.customer.wrap(a.rand, plain)
		return e, plain, err
	}
	if !c.kms() {
		plain, wrapped, err := a.cfg.Store.NewDataKey()
		e.WrappedKey = wrapped
		return e, plain, err
	}
	if c.bucketKey {
		level, err := a.bucketKeys.forWriting(ctx, a.cfg.Keys, through(caller, b), b, c.keyID, encryptionContext(b.Name, key, &e))
		if err != nil {
			return e, store.DataKey{}, err
		}
		var plain store.DataKey
		if _, err := io.ReadFull(a.rand, plain[:]); err != nil {
			return e, store.DataKey{}, err
		}
		e.KeyARN = level.keyARN
		e.WrappedKey, err = level.wrap(a.rand, plain, arn.Object(b.Name, key))
		return e, plain, err
	}
	made, err := a.cfg.Keys.GenerateDataKey(ctx, through(caller, b), b.Region, c.keyID, encryptionContext(b.Name, key, &e))
	if err != nil {
		return e, store.DataKey{}, err
	}
	e.KeyARN, e.WrappedKey = made.KeyARN, made.Ciphertext
	plain, err := asDataKey(made.Plaintext)
	return e, plain, err
}

// openDataKey gives the data key of an existing object to caller, which for SSE-KMS needs
// kms:Decrypt on the key. With an S3 Bucket Key the bucket-level key may be remembered from
// an earlier call of the same requester (S218).
func (a *API) openDataKey(ctx context.Context, caller iamsim.Caller, b *store.Bucket, key string, e *store.Encryption) (store.DataKey, error) {
	if !e.KMS() {
		return a.cfg.Store.UnwrapDataKey(e.WrappedKey)
	}
	encCtx := encryptionContext(b.Name, key, e)
	if e.BucketKey {
		form, ciphertext, sealed, err := splitWrapped(e.WrappedKey)
		if err != nil {
			return store.DataKey{}, err
		}
		if form == underBucketKey {
			level, err := a.bucketKeys.forReading(ctx, a.cfg.Keys, through(caller, b), b, e.KeyARN, ciphertext, encCtx)
			if err != nil {
				return store.DataKey{}, err
			}
			return level.unwrap(sealed, arn.Object(b.Name, key))
		}
		return a.decryptDataKey(ctx, through(caller, b), b.Region, ciphertext, encCtx)
	}
	return a.decryptDataKey(ctx, through(caller, b), b.Region, e.WrappedKey, encCtx)
}

// rewrapDataKey puts an existing data key under another KMS key for the replica of an object
// (S295): kms:Encrypt in the destination's Region, no new data key, so that everything
// derived from the data key, such as the ETag, stays. With an S3 Bucket Key the context is
// the bucket's ARN and S3 also proves that it can read the result, which needs kms:Decrypt
// on the replica key (S296).
func (a *API) rewrapDataKey(ctx context.Context, caller iamsim.Caller, b *store.Bucket, key, keyID string, source *store.Encryption, plain store.DataKey) (store.Encryption, error) {
	e := store.Encryption{Algorithm: source.Algorithm, Context: source.Context, BucketKey: source.BucketKey}
	encCtx := encryptionContext(b.Name, key, &e)
	ciphertext, keyARN, err := a.cfg.Keys.Encrypt(ctx, through(caller, b), b.Region, keyID, plain[:], encCtx)
	if err != nil {
		return e, err
	}
	e.KeyARN, e.WrappedKey = keyARN, ciphertext
	if !e.BucketKey {
		return e, nil
	}
	back, err := a.decryptDataKey(ctx, through(caller, b), b.Region, ciphertext, encCtx)
	if err != nil {
		return e, err
	}
	if back != plain {
		return e, failure.New("InternalError", "The replica's data key did not survive its encryption.")
	}
	e.WrappedKey = joinWrapped(underKMSKey, ciphertext, nil)
	return e, nil
}

func (a *API) decryptDataKey(ctx context.Context, caller iamsim.Caller, region string, ciphertext []byte, encCtx map[string]string) (store.DataKey, error) {
	plain, _, err := a.cfg.Keys.Decrypt(ctx, caller, region, ciphertext, encCtx)
	if err != nil {
		return store.DataKey{}, err
	}
	return asDataKey(plain)
}

func asDataKey(plain []byte) (key store.DataKey, err error) {
	if len(plain) != len(key) {
		return key, failure.Newf("InternalError", "The data key has %d bytes instead of %d.", len(plain), len(key))
	}
	copy(key[:], plain)
	return key, nil
}

// through is caller as KMS sees it behind the S3 of b's Region.
func through(caller iamsim.Caller, b *store.Bucket) iamsim.Caller {
	return caller.ThroughService("s3." + b.Region + ".amazonaws.com")
}

// contextResource is the value of aws:s3:arn: the object, or its bucket with an S3 Bucket Key (S217).
func contextResource(bucket, key string, bucketKey bool) string {
	if bucketKey {
		return arn.Bucket(bucket)
	}
	return arn.Object(bucket, key)
}

// encryptionContext is the context of every KMS call about e: the client's pairs and S3's own.
func encryptionContext(bucket, key string, e *store.Encryption) map[string]string {
	encCtx := make(map[string]string, len(e.Context)+1)
	maps.Copy(encCtx, e.Context)
	encCtx[contextARN] = contextResource(bucket, key, e.BucketKey)
	return encCtx
}

// contentETag is the ETag of content that was written in one piece: its MD5 for SSE-S3. For
// SSE-KMS and SSE-C it is 32 hex digits that do not tell the MD5 (S201), derived from the data key so
// that a replica, which keeps the data key, has the same one.
func contentETag(e *store.Encryption, key store.DataKey, md5 []byte) string {
	if !e.KMS() && !e.Customer() {
		return hex.EncodeToString(md5)
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("etag"))
	mac.Write(md5)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
