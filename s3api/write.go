package s3api

import (
	"context"
	"io"

	"twinbucket/store"
)

// writeVersion is where every new version is committed: a client's PUT, a copy, a completed
// upload and a replica. upload is nil except for the third. The store checks cond, names the
// version and makes its replication tasks in the same transaction.
//
// What a failed write stored is discarded; the store keeps data that was committed after all.
func (a *API) writeVersion(ctx context.Context, v store.Version, cond store.Condition, upload *store.Upload) (*store.Version, error) {
	if upload != nil { // its parts stay with the upload if it can't be completed
		return a.cfg.Store.CompleteUpload(ctx, upload, v, cond)
	}
	stored, err := a.cfg.Store.PutVersion(ctx, v, cond)
	if err != nil {
		a.discard(v.Parts)
	}
	return stored, err
}

// discard removes the data of parts that were not committed.
func (a *API) discard(parts []store.Part) {
	for i := range parts {
		a.cfg.Store.DiscardData(parts[i].Data)
	}
}

// newVersion starts a version from the headers that PUT, copy and multipart upload have in
// common, after the checks and the extra permissions that some of them need.
func (a *API) newVersion(req *request) (store.Version, error) {
	h := req.r.Header
	v := store.Version{Bucket: req.bucketName, Key: req.key, Headers: readHeaders(h)}
	var err error
	if v.Lock, err = a.newLock(req); err != nil {
		return v, err
	}
	if v.Metadata, err = readMetadata(h); err != nil {
		return v, err
	}
	if v.StorageClass, err = readStorageClass(h); err != nil {
		return v, err
	}
	v.Owner = a.newOwner(req)
	if v.ACL, err = a.newObjectACL(req, v.Owner); err != nil {
		return v, err
	}
	if tagging := h.Get("X-Amz-Tagging"); tagging != "" {
		if v.Tags, err = parseTagHeader(tagging); err != nil {
			return v, err
		}
		if err := a.authorizeTags(req, v.Tags); err != nil {
			return v, err
		}
	}
	return v, nil
}

// newOwner is the account that owns what the caller writes: the bucket's with
// BucketOwnerEnforced, or BucketOwnerPreferred and the canned ACL that offers it, else the
// caller's; what anonymous callers write is the bucket owner's (S235).
func (a *API) newOwner(req *request) string {
	given := req.bucket.Ownership == store.BucketOwnerPreferred && req.r.Header.Get("X-Amz-Acl") == aclBucketOwnerFull
	if req.bucket.Ownership == store.BucketOwnerEnforced || given || req.signed == nil && !req.inside {
		return req.bucket.Account
	}
	return req.caller.Account()
}

// authorizeTags asks for the permission to tag, which writing with x-amz-tagging needs
// besides that to write (S234).
func (a *API) authorizeTags(req *request, tags []store.Tag) error {
	keys := make(map[string][]string, len(tags)+2)
	requestTagKeys(keys, func(yield func(key, value string)) {
		for _, t := range tags {
			yield(t.Key, t.Value)
		}
	})
	return a.authorizeWrite(req, "s3:PutObjectTagging", keys)
}

// failingReader remembers what ended a reading before its end: the store wraps it.
type failingReader struct {
	r   io.Reader
	err error
}

func (f *failingReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}
