package s3api

import (
	"context"
	"net/http"

	"twinbucket/iamsim"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// KeyChecker is KMS as a preflight asks it: nothing is encrypted or decrypted, no quota is
// used and the trail does not hear of it.
type KeyChecker interface {
	// CheckKey returns the error that operation, "Encrypt" or "Decrypt", would end with, or
	// the ARN of the key it would use.
	CheckKey(ctx context.Context, caller iamsim.Caller, region, operation, keyID string, encCtx map[string]string) (keyARN string, err error)
	// KeyARN is the key that keyID names for the S3 of region acting for account.
	KeyARN(ctx context.Context, account, region, keyID string) (string, error)
}

// foreseenID is the version id of versions that don't exist.
const foreseenID = "foreseen"

// Imagine is the version that a PUT of key with the headers h would make in bucket, had the
// bucket's owner sent it: encryption, tags, storage class and lock. Nothing is authorized or
// written. Errors are those of the PUT that would be refused.
func (a *API) Imagine(ctx context.Context, bucket, key string, h http.Header) (*store.Version, error) {
	b, err := a.cfg.Store.Bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	choice, err := chooseEncryption(h, b, key)
	if err != nil {
		return nil, err
	}
	v := store.Version{Key: key, ID: foreseenID, Owner: b.Account, LastModified: a.cfg.Clock.Now(),
		Encryption: store.Encryption{Algorithm: choice.algorithm, Context: choice.context, BucketKey: choice.bucketKey}}
	if choice.kms() {
		if v.Encryption.KeyARN, err = a.cfg.KeyChecks.KeyARN(ctx, b.Account, b.Region, choice.keyID); err != nil {
			return nil, err
		}
	}
	if v.StorageClass, err = readStorageClass(h); err != nil {
		return nil, err
	}
	if tagging := h.Get("X-Amz-Tagging"); tagging != "" {
		if v.Tags, err = parseTagHeader(tagging); err != nil {
			return nil, err
		}
	}
	if v.Lock, err = readLock(h, a.cfg.Clock.Now()); err != nil {
		return nil, err
	}
	v = store.Foresee(b, v)
	return &v, nil
}

// ForeseeReplication walks the doors that task would take with version v, which need not
// exist, for caller, the session of the rule's role. Nothing is written, no KMS quota is used
// and no call recorded; every decision is shown to the caller's observers, and every failure
// is reported in the order of the steps with the failureReason as code. stops is false where
// the replica is written all the same and only lacks something.
func (a *API) ForeseeReplication(ctx context.Context, caller iamsim.Caller, task store.Task, v *store.Version, report func(err error, stops bool)) error {
	err := a.dry().foresee(ctx, caller, task, v, probe{report: report})
	if err == errForeseen {
		return nil
	}
	return err
}

func (a *API) foresee(ctx context.Context, caller iamsim.Caller, task store.Task, v *store.Version, p probe) error {
	to := task.Rule.Destination
	read := a.beginDoor("GetObject", &caller, task.Bucket, v.Key, v.ID)
	src, err := a.openSourceBucket(ctx, &read, p, "SrcGetObjectNotPermitted")
	if err != nil {
		return err
	}
	if src.version, err = a.unreal(v); err != nil {
		return err
	}
	if err := src.authorizeRead("SrcGetObjectNotPermitted"); err != nil {
		return err
	}
	out, err := src.open()
	if err != nil {
		return err
	}
	defer out.Close()
	out.Version.Tags = v.Tags // the destination's say on tags is of interest even if the source's is no
	put := a.beginDoor("PutObject", &caller, to.Bucket, v.Key, v.ID)
	if v.DeleteMarker {
		_, err = a.openReplicaMarker(ctx, &put, p, to)
	} else {
		_, err = a.openReplica(ctx, &put, p, to, out)
	}
	return err
}

// unreal is v with a data key that opens nothing, wrapped as dryKeys understands it.
func (a *API) unreal(v *store.Version) (*store.Version, error) {
	own := *v
	switch e := &own.Encryption; {
	case e.Algorithm == algorithmS3:
		var err error
		_, e.WrappedKey, err = a.cfg.Store.NewDataKey()
		return &own, err
	case e.KMS() && e.BucketKey:
		e.WrappedKey = joinWrapped(underKMSKey, []byte(e.KeyARN), nil)
	case e.KMS():
		e.WrappedKey = []byte(e.KeyARN)
	}
	return &own, nil
}

// dry is an API that runs the same code and leaves nothing behind: KMS is only asked what it
// would answer, and no call is recorded.
func (a *API) dry() *API {
	cfg := a.cfg
	cfg.Keys, cfg.Record = dryKeys{a.cfg.KeyChecks}, nil
	return &API{cfg: cfg, rand: a.rand, bucketKeys: newBucketKeys(cfg.Clock, 0)}
}

// dryKeys is a KeyService that only checks. Its ciphertexts are the ARN of their key, its
// data keys are zero.
type dryKeys struct{ KeyChecker }

func (d dryKeys) Encrypt(ctx context.Context, caller iamsim.Caller, region, keyID string, _ []byte, encCtx map[string]string) ([]byte, string, error) {
	keyARN, err := d.CheckKey(ctx, caller, region, "Encrypt", keyID, encCtx)
	return []byte(keyARN), keyARN, err
}

func (d dryKeys) Decrypt(ctx context.Context, caller iamsim.Caller, region string, ciphertext []byte, encCtx map[string]string) ([]byte, string, error) {
	keyARN, err := d.CheckKey(ctx, caller, region, "Decrypt", string(ciphertext), encCtx)
	return make([]byte, len(store.DataKey{})), keyARN, err
}

// GenerateDataKey is never part of a replication.
func (d dryKeys) GenerateDataKey(context.Context, iamsim.Caller, string, string, map[string]string) (DataKey, error) {
	return DataKey{}, failure.New("InternalError", "Replication generates no data keys.")
}
