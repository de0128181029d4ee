package s3api

import (
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getBucketOwnershipControls is GetBucketOwnershipControls.
func (a *API) getBucketOwnershipControls(req *request) error {
	if req.bucket.Ownership == "" {
		return notConfigured("OwnershipControlsNotFoundError", req)
	}
	d := newDocument("OwnershipControls")
	d.open("Rule")
	d.text("ObjectOwnership", string(req.bucket.Ownership))
	d.close("Rule")
	return req.send(d, "OwnershipControls")
}

// putBucketOwnershipControls is PutBucketOwnershipControls; the document has one rule (S78).
func (a *API) putBucketOwnershipControls(req *request) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	root, err := parseXML(body, "OwnershipControls")
	if err != nil {
		return err
	}
	ownership := root.need("Rule").need("ObjectOwnership").enum(
		string(store.BucketOwnerEnforced), string(store.BucketOwnerPreferred), string(store.ObjectWriter))
	if err := root.end(); err != nil {
		return err
	}
	if err := a.setOwnership(req, store.Ownership(ownership)); err != nil {
		return err
	}
	return req.ok()
}

// deleteBucketOwnershipControls is DeleteBucketOwnershipControls: ACLs count again,
// and objects belong to who writes them.
func (a *API) deleteBucketOwnershipControls(req *request) error {
	if err := a.setOwnership(req, ""); err != nil {
		return err
	}
	return req.noContent()
}

func (a *API) setOwnership(req *request, o store.Ownership) error {
	return a.update(req, func(b *store.Bucket) error {
		if o == store.BucketOwnerEnforced && !ownersOnly(b.ACL, b.Account) { // S66
			return failure.New("InvalidBucketAclWithObjectOwnership", "")
		}
		b.Ownership = o
		return nil
	})
}
