package s3api

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"sync"
	"time"

	"twinbucket/iamsim"
	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// bucketKeys holds bucket-level keys for a limited time, as S3 does for S3 Bucket Keys: one
// for each bucket, KMS key and requester (S218). While a key is held S3 makes no KMS call for
// that requester, so a permission that was taken away bites only when the key expires.
//
// Keys made for writing do not serve reading: a requester who may only kms:GenerateDataKey
// must not read back what it wrote.
type bucketKeys struct {
	clock clock.Clock
	ttl   time.Duration

	mu   sync.Mutex
	held map[bucketKeyUse]*bucketKey
}

// bucketKeyUse is what a bucket-level key is held for.
type bucketKeyUse struct {
	bucket    string
	requester string
	keyID     string            // writing: as the request named it
	reading   [sha256.Size]byte // reading: the hash of the bucket-level key's ciphertext
	context   [sha256.Size]byte // the client's own context pairs, which KMS bound to the key
}

// bucketKey is one bucket-level key.
type bucketKey struct {
	ciphertext []byte // under the KMS key, context: the bucket's ARN
	keyARN     string
	aead       cipher.AEAD
	expires    time.Time
}

// defaultBucketKeyTTL is a guess at AWS's undocumented lifetime (S218).
const defaultBucketKeyTTL = 5 * time.Minute

// maxBucketKeys bounds the memory; one entry is some hundred bytes.
const maxBucketKeys = 4096

func newBucketKeys(c clock.Clock, ttl time.Duration) *bucketKeys {
	return &bucketKeys{clock: c, ttl: ttl, held: map[bucketKeyUse]*bucketKey{}}
}

// forWriting gives the bucket-level key under keyID, from KMS at most once a ttl.
func (k *bucketKeys) forWriting(ctx context.Context, keys KeyService, caller iamsim.Caller, b *store.Bucket, keyID string, encCtx map[string]string) (*bucketKey, error) {
	use := bucketKeyUse{bucket: b.Name, requester: requester(&caller), keyID: keyID, context: hashContext(encCtx)}
	if level := k.find(use); level != nil {
		return level, nil
	}
	made, err := keys.GenerateDataKey(ctx, caller, b.Region, keyID, encCtx)
	if err != nil {
		return nil, err
	}
	return k.hold(use, made.Plaintext, made.Ciphertext, made.KeyARN)
}

// forReading gives the bucket-level key that ciphertext holds, from KMS at most once a ttl.
func (k *bucketKeys) forReading(ctx context.Context, keys KeyService, caller iamsim.Caller, b *store.Bucket, keyARN string, ciphertext []byte, encCtx map[string]string) (*bucketKey, error) {
	use := bucketKeyUse{bucket: b.Name, requester: requester(&caller), reading: sha256.Sum256(ciphertext), context: hashContext(encCtx)}
	if level := k.find(use); level != nil {
		return level, nil
	}
	plain, _, err := keys.Decrypt(ctx, caller, b.Region, ciphertext, encCtx)
	if err != nil {
		return nil, err
	}
	return k.hold(use, plain, ciphertext, keyARN)
}

func (k *bucketKeys) find(use bucketKeyUse) *bucketKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if level := k.held[use]; level != nil && k.clock.Now().Before(level.expires) {
		return level
	}
	return nil
}

func (k *bucketKeys) hold(use bucketKeyUse, plain, ciphertext []byte, keyARN string) (*bucketKey, error) {
	block, err := aes.NewCipher(plain)
	if err != nil {
		return nil, failure.New("InternalError", "The bucket-level key is no AES key.").Because(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, failure.New("InternalError", "The bucket-level key is no AES key.").Because(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	if len(k.held) >= maxBucketKeys {
		k.drop(now)
	}
	level := &bucketKey{ciphertext: ciphertext, keyARN: keyARN, aead: aead, expires: now.Add(k.ttl)}
	k.held[use] = level
	return level, nil
}

// drop makes room: what has expired goes, or everything if nothing has.
func (k *bucketKeys) drop(now time.Time) {
	for use, level := range k.held {
		if !now.Before(level.expires) {
			delete(k.held, use)
		}
	}
	if len(k.held) >= maxBucketKeys {
		clear(k.held)
	}
}

// requester tells sessions apart: the same role in another session is another requester (S218).
func requester(c *iamsim.Caller) string { return c.Principal.ARN + " " + c.AccessKeyID }

// hashContext tells encryption contexts apart; map order must not matter.
func hashContext(encCtx map[string]string) (sum [sha256.Size]byte) {
	for name, value := range encCtx {
		h := sha256.New()
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(name))))
		io.WriteString(h, name)
		io.WriteString(h, value)
		for i, b := range h.Sum(nil) {
			sum[i] ^= b
		}
	}
	return sum
}

// Forms of WrappedKey of objects with an S3 Bucket Key. After the form byte and the length
// of the KMS ciphertext (2 bytes, big-endian) follow the ciphertext and the rest.
const (
	underBucketKey = 1 // the ciphertext is the bucket-level key's; the rest is the data key under that key
	underKMSKey    = 2 // the ciphertext is the data key's own (replicas); no rest
)

func joinWrapped(form byte, ciphertext, rest []byte) []byte {
	out := make([]byte, 0, 3+len(ciphertext)+len(rest))
	out = append(out, form)
	out = binary.BigEndian.AppendUint16(out, uint16(len(ciphertext)))
	return append(append(out, ciphertext...), rest...)
}

func splitWrapped(w []byte) (form byte, ciphertext, rest []byte, err error) {
	if len(w) < 3 || w[0] != underBucketKey && w[0] != underKMSKey {
		return 0, nil, nil, failure.New("InternalError", "The object's wrapped data key has an unknown form.")
	}
	n := int(binary.BigEndian.Uint16(w[1:]))
	if len(w) < 3+n {
		return 0, nil, nil, failure.New("InternalError", "The object's wrapped data key is cut off.")
	}
	return w[0], w[3 : 3+n], w[3+n:], nil
}

// wrap seals an object's data key; object, its ARN, is bound to it.
func (k *bucketKey) wrap(random io.Reader, plain store.DataKey, object string) ([]byte, error) {
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(plain)+k.aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, err
	}
	return joinWrapped(underBucketKey, k.ciphertext, k.aead.Seal(nonce, nonce, plain[:], []byte(object))), nil
}

// unwrap undoes wrap.
func (k *bucketKey) unwrap(sealed []byte, object string) (store.DataKey, error) {
	n := k.aead.NonceSize()
	if len(sealed) < n {
		return store.DataKey{}, failure.New("InternalError", "The object's wrapped data key is cut off.")
	}
	plain, err := k.aead.Open(nil, sealed[:n], sealed[n:], []byte(object))
	if err != nil {
		return store.DataKey{}, failure.New("InternalError", "The object's data key can't be unwrapped.").Because(err)
	}
	return asDataKey(plain)
}
