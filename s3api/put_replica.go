package s3api

import (
	"context"
	"slices"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// PutReplica writes src as task's rule says: s3:ReplicateObject on the destination, owner
// override, kms:Encrypt of the source's data key under the replica key, then tags (S290). The
// bytes are decrypted, authenticated and sealed anew, part by part. Version id, ETag,
// Last-Modified, checksums, parts and metadata are the source's.
//
// Errors are *failure.Error with the failureReason as code: DstBucketNotFound,
// DstBucketUnversioned, DstPutObjectNotPermitted or one of the DstMultipart reasons,
// DstKmsKeyNotFound, DstKmsKeyInvalidState; or with one that may pass. DstPutTaggingNotPermitted, and src.TagsDenied, are returned only
// when the untagged replica stands. Writing a replica that is there already is no error.
func (a *API) PutReplica(ctx context.Context, caller iamsim.Caller, task store.Task, src *store.Outgoing) (err error) {
	to := task.Rule.Destination
	call := a.beginDoor("PutObject", &caller, to.Bucket, task.Key, src.Version.ID)
	defer func() { call.end(a, err) }()
	w, err := a.openReplica(ctx, &call, probe{}, to, src)
	if err != nil {
		return err
	}
	if err := a.refuseHardDeleted(ctx, task, w); err != nil {
		return err
	}
	if w.existing != nil {
		err = a.completeReplica(ctx, w.existing, &w.version)
	} else {
		err = a.writeReplica(ctx, &caller, w.version, w.key, src, a.askAgain(ctx, &call, to, &src.Version))
	}
	if err != nil {
		return err
	}
	return w.tagsDenied
}

// refuseHardDeleted: what a batch job finds delivered before and removed since by its
// version id is not made anew (B52).
func (a *API) refuseHardDeleted(ctx context.Context, task store.Task, w *replicaWrite) error {
	if !task.Delivered || w.existing != nil {
		return nil
	}
	_, err := a.cfg.Store.Version(ctx, w.version.Bucket, w.version.Key, w.version.ID)
	switch failure.CodeOf(err) {
	case "NoSuchKey", "NoSuchVersion":
		return failure.New("DstObjectHardDeleted", "The replica was deleted by its version id; copy the source object in place to replicate it again.")
	}
	return nil
}

// replicaWrite is a replica that may be written.
type replicaWrite struct {
	version    store.Version // without parts
	key        store.DataKey
	existing   *store.Version // the replica, if an earlier attempt wrote it
	tagsDenied error          // why version goes without its source's tags
}

// openReplica takes the steps before a replica of src is written.
func (a *API) openReplica(ctx context.Context, call *doorCall, p probe, to store.Destination, src *store.Outgoing) (*replicaWrite, error) {
	dst, err := a.openDestination(ctx, call, p, to)
	if err != nil {
		return nil, err
	}
	if src.Version.Lock != (store.Lock{}) && dst.ObjectLock == nil { // S318
		if err := p.step(failure.Newf("DstBucketObjectLockConfigMissing", "Object Lock is not enabled on the destination bucket %s.", dst.Name)); err != nil {
			return nil, err
		}
	}
	if err := a.authorizeReplica(ctx, call.caller, p, dst, to, &src.Version); err != nil {
		return nil, err
	}
	w := &replicaWrite{version: replicaOf(&src.Version, dst, to), tagsDenied: src.TagsDenied}
	if err := p.step(a.acceptReplicaACL(ctx, dst, w.version.ACL)); err != nil {
		return nil, err
	}
	existing, err := a.cfg.Store.Version(ctx, dst.Name, w.version.Key, w.version.ID)
	if err == nil && existing.IsReplica && existing.ETag == src.Version.ETag && !p.foresees() {
		w.existing = existing
	} else {
		w.version.Encryption, w.key, err = a.replicaKey(ctx, *call.caller, dst, to, src)
		if err := p.step(err); err != nil {
			return nil, err
		}
	}
	if len(w.version.Tags) > 0 {
		err := a.authorizeDoor(ctx, call.caller, dst, "s3:ReplicateTags", arn.Object(dst.Name, src.Version.Key), tagKeys(w.version.Tags), "DstPutTaggingNotPermitted")
		switch { // ReplicateObject covers tags unless they are denied explicitly (S297)
		case explicitlyDenied(err):
			w.tagsDenied, w.version.Tags = err, nil
			p.outlived(err)
		case err != nil && !isDenial(err):
			return nil, err
		}
	}
	return w, nil
}

// openDestination finds the destination bucket and refuses one that can't take replicas.
func (a *API) openDestination(ctx context.Context, call *doorCall, p probe, to store.Destination) (*store.Bucket, error) {
	dst, err := a.cfg.Store.Bucket(ctx, to.Bucket)
	if err != nil {
		return nil, p.end(renamed(err, "NoSuchBucket", "DstBucketNotFound"))
	}
	call.owner(dst)
	if to.Account != "" && to.Account != dst.Account { // S293
		if err := p.step(failure.Newf("DstPutObjectNotPermitted", "The rule says that bucket %s belongs to account %s, but it belongs to another account.", dst.Name, to.Account)); err != nil {
			return nil, err
		}
	}
	if dst.Versioning != store.VersioningEnabled {
		if err := p.step(failure.Newf("DstBucketUnversioned", "Versioning is not enabled on the destination bucket %s.", dst.Name)); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// authorizeReplica asks for the permissions to write a replica. Policies see the encryption
// that the replica will have (S294).
func (a *API) authorizeReplica(ctx context.Context, caller *iamsim.Caller, p probe, dst *store.Bucket, to store.Destination, src *store.Version) error {
	object, denied := arn.Object(dst.Name, src.Key), failure.Code("DstPutObjectNotPermitted")
	if src.Multipart {
		denied = multipartInitDenied
	}
	if err := p.step(a.authorizeDoor(ctx, caller, dst, "s3:ReplicateObject", object, a.replicaKeys(to, src), denied)); err != nil {
		return err
	}
	if !to.OwnerOverride || dst.Ownership == store.BucketOwnerEnforced {
		return nil
	}
	return p.step(a.authorizeDoor(ctx, caller, dst, "s3:ObjectOwnerOverrideToBucketOwner", object, nil, "DstPutObjectNotPermitted"))
}

// replicaKeys are the condition keys of s3:ReplicateObject.
func (a *API) replicaKeys(to store.Destination, src *store.Version) policy.Context {
	keys := make(policy.Context, 8)
	if src.Encryption.Customer() {
		keys.Set("s3:x-amz-server-side-encryption-customer-algorithm", algorithmS3)
	} else {
		keys.Set("s3:x-amz-server-side-encryption", src.Encryption.Algorithm)
	}
	setLockKeys(keys, src.Lock, a.cfg.Clock.Now())
	if src.Encryption.KMS() && to.ReplicaKMSKeyID != "" {
		keys.Set("s3:x-amz-server-side-encryption-aws-kms-key-id", to.ReplicaKMSKeyID)
	}
	return keys
}

// replicaOf is the replica of src, without encryption and parts.
func replicaOf(src *store.Version, dst *store.Bucket, to store.Destination) store.Version {
	v := *src
	v.Bucket, v.IsReplica, v.Destinations, v.Parts = dst.Name, true, nil, nil
	v.ID = store.ReplicaID(src)
	v.Restore = store.Restore{}
	if takesOver(dst, to) { // S298
		v.Owner, v.ACL = dst.Account, nil
	}
	if to.StorageClass != "" {
		v.StorageClass = to.StorageClass
		if v.StorageClass == standardClass {
			v.StorageClass = ""
		}
	}
	return v
}

// replicaKey is the encryption of the replica: the source's data key under the replica key
// for SSE-KMS, SSE-S3 for SSE-S3 whatever the destination's default is (S295). That of SSE-C
// stays as it is, under the customer's key.
func (a *API) replicaKey(ctx context.Context, caller iamsim.Caller, dst *store.Bucket, to store.Destination, src *store.Outgoing) (store.Encryption, store.DataKey, error) {
	e := &src.Version.Encryption
	if e.Customer() {
		return *e, store.DataKey{}, nil
	}
	if !e.KMS() {
		return a.newDataKey(ctx, caller, dst, src.Version.Key, encryptionChoice{algorithm: algorithmS3})
	}
	if to.ReplicaKMSKeyID == "" {
		return store.Encryption{}, store.DataKey{}, failure.New("DstKmsKeyNotFound", "The rule names no replica KMS key.")
	}
	wrapped, err := a.rewrapDataKey(ctx, caller, dst, src.Version.Key, to.ReplicaKMSKeyID, e, src.Key)
	return wrapped, src.Key, replicaKeyFailure(err)
}

// writeReplica seals the parts under the replica's key and commits v. May is asked before
// each part and before the commit, if it is not nil.
func (a *API) writeReplica(ctx context.Context, caller *iamsim.Caller, v store.Version, key store.DataKey, src *store.Outgoing, may func(denied failure.Code) error) error {
	v.Parts = make([]store.Part, 0, len(src.Version.Parts))
	for _, part := range src.Version.Parts {
		var err error
		if may != nil {
			err = may(multipartUploadDenied)
		}
		if err == nil {
			part.Data, err = a.copyPart(ctx, key, part, src)
		}
		if err != nil {
			a.discard(v.Parts)
			return err
		}
		v.Parts = append(v.Parts, part)
	}
	if may != nil {
		if err := may(multipartCompleteDenied); err != nil {
			a.discard(v.Parts)
			return err
		}
	}
	stored, err := a.writeVersion(ctx, v, store.Condition{}, nil)
	if err == nil {
		a.announceReplica(ctx, caller, stored)
	}
	return renamed(err, "NoSuchBucket", "DstBucketNotFound")
}

// copyPart seals a part under the replica's key. Of SSE-C, whose key nobody here has, the
// sealed bytes are copied (S303).
func (a *API) copyPart(ctx context.Context, key store.DataKey, part store.Part, src *store.Outgoing) (store.Data, error) {
	if src.Version.Encryption.Customer() {
		data, err := a.cfg.Store.CopyData(ctx, part.Data)
		return data, renamed(err, store.DataGone, "SrcVersionNotFound")
	}
	content, err := src.Open(ctx, part)
	if err != nil {
		return store.Data{}, err
	}
	in := &failingReader{r: content}
	data, err := a.cfg.Store.WriteData(ctx, key, in)
	switch closeErr := content.Close(); {
	case in.err != nil:
		return store.Data{}, in.err
	case err != nil:
		return store.Data{}, err
	case closeErr != nil || data.Size != part.Data.Size:
		a.cfg.Store.DiscardData(data)
		return store.Data{}, failure.Newf("InternalError", "The source part has %d bytes instead of %d.", data.Size, part.Data.Size).Because(closeErr)
	}
	return data, nil
}

// completeReplica gives a replica that an earlier attempt wrote what it lacks of want: its
// tags, and a lock that changed since.
func (a *API) completeReplica(ctx context.Context, v, want *store.Version) error {
	if len(want.Tags) > 0 && !slices.Equal(v.Tags, want.Tags) {
		if _, err := a.cfg.Store.SetReplicaTags(ctx, v.Bucket, v.Key, v.ID, want.Tags); err != nil {
			return err
		}
	}
	if want.Lock == (store.Lock{}) || v.Lock == want.Lock {
		return nil
	}
	_, err := a.cfg.Store.SetReplicaLock(ctx, v.Bucket, v.Key, v.ID, want.Lock)
	return err
}

// tagKeys are the condition keys of tags in a request.
func tagKeys(tags []store.Tag) policy.Context {
	keys := make(policy.Context, len(tags)+2)
	requestTagKeys(keys, func(yield func(key, value string)) {
		for _, t := range tags {
			yield(t.Key, t.Value)
		}
	})
	return keys
}
