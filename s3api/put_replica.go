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
// DstBucketUnversioned, DstPutObjectNotPermitted, DstKmsKeyNotFound, DstKmsKeyInvalidState;
// or with one that may pass. DstPutTaggingNotPermitted, and src.TagsDenied, are returned only
// when the untagged replica stands. Writing a replica that is there already is no error.
func (a *API) PutReplica(ctx context.Context, caller iamsim.Caller, task store.Task, src *store.Outgoing) (err error) {
	to := task.Rule.Destination
	call := a.beginDoor("PutObject", &caller, to.Bucket, task.Key, src.Version.ID)
	defer func() { call.end(a, err) }()
	dst, err := a.openDestination(ctx, &call, to)
	if err != nil {
		return err
	}
	if err := a.authorizeReplica(ctx, &caller, dst, to, &src.Version); err != nil {
		return err
	}
	v := replicaOf(&src.Version, dst, to)
	existing, err := a.cfg.Store.Version(ctx, dst.Name, v.Key, v.ID)
	there := err == nil && existing.IsReplica && existing.ETag == v.ETag
	var key store.DataKey
	if !there {
		if v.Encryption, key, err = a.replicaKey(ctx, caller, dst, to, src); err != nil {
			return err
		}
	}
	tagsDenied := src.TagsDenied
	if len(v.Tags) > 0 {
		err := a.authorizeDoor(ctx, &caller, dst, "s3:ReplicateTags", arn.Object(dst.Name, v.Key), tagKeys(v.Tags), "DstPutTaggingNotPermitted")
		switch { // ReplicateObject covers tags unless they are denied explicitly (S297)
		case explicitlyDenied(err):
			tagsDenied, v.Tags = err, nil
		case err != nil && !isDenial(err):
			return err
		}
	}
	if there {
		err = a.completeReplica(ctx, existing, v.Tags)
	} else {
		err = a.writeReplica(ctx, v, key, src)
	}
	if err != nil {
		return err
	}
	return tagsDenied
}

// openDestination finds the destination bucket and refuses one that can't take replicas.
func (a *API) openDestination(ctx context.Context, call *doorCall, to store.Destination) (*store.Bucket, error) {
	dst, err := a.cfg.Store.Bucket(ctx, to.Bucket)
	if err != nil {
		return nil, renamed(err, "NoSuchBucket", "DstBucketNotFound")
	}
	call.owner(dst)
	switch {
	case to.Account != "" && to.Account != dst.Account: // S293
		return nil, failure.Newf("DstPutObjectNotPermitted", "The rule says that bucket %s belongs to account %s, but it belongs to another account.", dst.Name, to.Account)
	case dst.Versioning != store.VersioningEnabled:
		return nil, failure.Newf("DstBucketUnversioned", "Versioning is not enabled on the destination bucket %s.", dst.Name)
	}
	return dst, nil
}

// authorizeReplica asks for the permissions to write a replica. Policies see the encryption
// that the replica will have (S294).
func (a *API) authorizeReplica(ctx context.Context, caller *iamsim.Caller, dst *store.Bucket, to store.Destination, src *store.Version) error {
	const denied = "DstPutObjectNotPermitted"
	object := arn.Object(dst.Name, src.Key)
	keys := make(policy.Context, 8)
	keys.Set("s3:x-amz-server-side-encryption", src.Encryption.Algorithm)
	if src.Encryption.KMS() && to.ReplicaKMSKeyID != "" {
		keys.Set("s3:x-amz-server-side-encryption-aws-kms-key-id", to.ReplicaKMSKeyID)
	}
	if err := a.authorizeDoor(ctx, caller, dst, "s3:ReplicateObject", object, keys, denied); err != nil {
		return err
	}
	if !to.OwnerOverride || dst.Ownership == store.BucketOwnerEnforced {
		return nil
	}
	return a.authorizeDoor(ctx, caller, dst, "s3:ObjectOwnerOverrideToBucketOwner", object, nil, denied)
}

// replicaOf is the replica of src, without encryption and parts.
func replicaOf(src *store.Version, dst *store.Bucket, to store.Destination) store.Version {
	v := *src
	v.Bucket, v.IsReplica, v.Destinations, v.Parts = dst.Name, true, nil, nil
	if to.OwnerOverride || dst.Ownership == store.BucketOwnerEnforced { // S298
		v.Owner, v.ACL = dst.Account, ""
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
// for SSE-KMS, SSE-S3 for SSE-S3 whatever the destination's default is (S295).
func (a *API) replicaKey(ctx context.Context, caller iamsim.Caller, dst *store.Bucket, to store.Destination, src *store.Outgoing) (store.Encryption, store.DataKey, error) {
	e := &src.Version.Encryption
	if !e.KMS() {
		return a.newDataKey(ctx, caller, dst, src.Version.Key, encryptionChoice{algorithm: algorithmS3})
	}
	if to.ReplicaKMSKeyID == "" {
		return store.Encryption{}, store.DataKey{}, failure.New("DstKmsKeyNotFound", "The rule names no replica KMS key.")
	}
	wrapped, err := a.rewrapDataKey(ctx, caller, dst, src.Version.Key, to.ReplicaKMSKeyID, e, src.Key)
	return wrapped, src.Key, replicaKeyFailure(err)
}

// writeReplica seals the parts under the replica's key and commits v.
func (a *API) writeReplica(ctx context.Context, v store.Version, key store.DataKey, src *store.Outgoing) error {
	v.Parts = make([]store.Part, 0, len(src.Version.Parts))
	for _, part := range src.Version.Parts {
		data, err := a.copyPart(ctx, key, part, src)
		if err != nil {
			a.discard(v.Parts)
			return err
		}
		part.Data = data
		v.Parts = append(v.Parts, part)
	}
	_, err := a.writeVersion(ctx, v, store.Condition{}, nil)
	return renamed(err, "NoSuchBucket", "DstBucketNotFound")
}

func (a *API) copyPart(ctx context.Context, key store.DataKey, part store.Part, src *store.Outgoing) (store.Data, error) {
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

// completeReplica gives a replica that an earlier attempt left untagged its tags.
func (a *API) completeReplica(ctx context.Context, v *store.Version, tags []store.Tag) error {
	if len(tags) == 0 || slices.Equal(v.Tags, tags) {
		return nil
	}
	_, err := a.cfg.Store.SetReplicaTags(ctx, v.Bucket, v.Key, v.ID, tags)
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
