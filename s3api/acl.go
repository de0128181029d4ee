package s3api

import (
	"context"
	"slices"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	aclPrivate          = "private"
	aclBucketOwnerFull  = "bucket-owner-full-control"
	groupAllUsers       = "http://acs.amazonaws.com/groups/global/AllUsers"
	groupAuthenticated  = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	groupLogDelivery    = "http://acs.amazonaws.com/groups/s3/LogDelivery"
	permissionFull      = "FULL_CONTROL"
	aclConfigurationXML = "AccessControlPolicy"
)

// getBucketAcl is GetBucketAcl. Without ACLs the owner's full control is all there is (S80).
func (a *API) getBucketAcl(req *request) error {
	acl := req.bucket.ACL
	if req.bucket.Ownership == store.BucketOwnerEnforced {
		acl = nil
	}
	return req.sendACL(req.bucket.Account, acl)
}

// getObjectAcl is GetObjectAcl. In a bucket without ACLs everything is the bucket
// owner's (S80).
func (a *API) getObjectAcl(req *request) error {
	v, err := a.readableVersion(req)
	if err != nil {
		return err
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	if req.bucket.Ownership == store.BucketOwnerEnforced {
		return req.sendACL(req.bucket.Account, nil)
	}
	return req.sendACL(v.Owner, v.ACL)
}

// putBucketAcl is PutBucketAcl: refused where ACLs are off, which is the default (S66).
func (a *API) putBucketAcl(req *request) error {
	to := aclTarget{owner: req.bucket.Account, bucketOwner: req.bucket.Account, bucket: true}
	if req.bucket.Ownership == store.BucketOwnerEnforced {
		return a.putNoACL(req, to)
	}
	acl, err := a.readACL(req, to)
	if err != nil {
		return err
	}
	if err := a.blockPublicACL(req, acl, "s3:PutBucketAcl", req.bucketARN()); err != nil {
		return err
	}
	err = a.update(req, func(b *store.Bucket) error {
		if b.Ownership == store.BucketOwnerEnforced {
			return failure.New("AccessControlListNotSupported", "")
		}
		b.ACL = acl
		return nil
	})
	if err != nil {
		return err
	}
	return req.ok()
}

// putObjectAcl is PutObjectAcl. A delete marker has no ACL to put (S82).
func (a *API) putObjectAcl(req *request) error {
	if err := checkVersionID(req); err != nil {
		return err
	}
	v, err := a.requestedVersion(req)
	if err != nil {
		return a.hideMissing(req, req.bucket, err)
	}
	if v.DeleteMarker {
		return failure.New("MethodNotAllowed", "", "Method", req.r.Method, "ResourceType", "DeleteMarker")
	}
	if req.bucket.Ownership == store.BucketOwnerEnforced {
		setVersionID(req.w.Header(), req.bucket, v.ID)
		return a.putNoACL(req, aclTarget{owner: req.bucket.Account, bucketOwner: req.bucket.Account})
	}
	acl, err := a.readACL(req, aclTarget{owner: v.Owner, bucketOwner: req.bucket.Account})
	if err != nil {
		return err
	}
	if err := a.blockPublicACL(req, acl, "s3:PutObjectAcl", req.objectARN()); err != nil {
		return err
	}
	same := sameACL(v, acl)
	if v, err = a.cfg.Store.SetACL(req.ctx, req.bucketName, req.key, req.query.Get("versionId"), acl); err != nil {
		return err
	}
	if !same { // S168
		a.changed(req, "ObjectAcl:Put", v)
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	return req.ok()
}

// putNoACL answers where ACLs are off: the bucket owner's full control, spelled out or as
// the canned ACL of that name for an object, may be put and changes nothing; everything
// else, the canned private included, is refused (S66).
func (a *API) putNoACL(req *request, to aclTarget) error {
	acl, err := a.readACL(req, to)
	canned := req.r.Header.Get("X-Amz-Acl")
	if err != nil || !ownersOnly(acl, to.owner) || canned != "" && (to.bucket || canned != aclBucketOwnerFull) {
		return failure.New("AccessControlListNotSupported", "")
	}
	return req.ok()
}

// sameACL reports whether acl is what v has already.
func sameACL(v *store.Version, acl *store.ACL) bool {
	grants := func(a *store.ACL) []store.Grant {
		if a == nil {
			a = fullControl(v.Owner)
		}
		return a.Grants
	}
	return slices.Equal(grants(v.ACL), grants(acl))
}

// aclTarget is what an ACL is for.
type aclTarget struct {
	owner, bucketOwner string // accounts
	bucket             bool   // a bucket, not an object
}

// readACL takes the ACL of PutBucketAcl and PutObjectAcl: a canned one, grant headers or
// a document, exactly one of them (S83). nil is the owner's full control alone.
func (a *API) readACL(req *request, to aclTarget) (*store.ACL, error) {
	body, err := a.readBody(req, maxConfigBody, false) // S83
	if err != nil {
		return nil, err
	}
	acl, given, err := headerACL(req.r.Header, to)
	switch {
	case err != nil:
		return nil, err
	case given && len(body) > 0:
		return nil, failure.New("UnexpectedContent", "")
	case given:
		return acl, nil
	case len(body) == 0:
		return nil, failure.New("MissingSecurityHeader", "", "MissingHeaderName", "x-amz-acl")
	}
	return parseACL(body, to.owner)
}

// blockPublicACL is BlockPublicAcls: ACLs that grant to everyone are refused (S76).
func (a *API) blockPublicACL(req *request, acl *store.ACL, action, resource string) error {
	if !publicACL(acl) {
		return nil
	}
	p, err := a.publicAccess(req.ctx, req.bucket)
	if err != nil || !p.BlockPublicAcls {
		return err
	}
	return failure.Newf("AccessDenied", `User: %s is not authorized to perform: %s on resource: "%s" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.`,
		req.caller.Principal.ARN, action, resource)
}

// publicACL reports whether an ACL grants anything to all users, or to all of AWS (S153).
func publicACL(acl *store.ACL) bool {
	return acl != nil && slices.ContainsFunc(acl.Grants, func(g store.Grant) bool {
		return g.Grantee == groupAllUsers || g.Grantee == groupAuthenticated
	})
}

// publicAccess is Block Public Access as it holds for bucket: its own settings and those
// of its account (S154).
func (a *API) publicAccess(ctx context.Context, bucket *store.Bucket) (store.PublicAccessBlock, error) {
	var p store.PublicAccessBlock
	if bucket.Public != nil {
		p = *bucket.Public
	}
	account, err := a.cfg.Store.AccountPublicAccess(ctx, bucket.Account)
	if account != nil {
		p.BlockPublicAcls = p.BlockPublicAcls || account.BlockPublicAcls
		p.IgnorePublicAcls = p.IgnorePublicAcls || account.IgnorePublicAcls
		p.BlockPublicPolicy = p.BlockPublicPolicy || account.BlockPublicPolicy
		p.RestrictPublicBuckets = p.RestrictPublicBuckets || account.RestrictPublicBuckets
	}
	return p, err
}

// newObjectACL takes the ACL of a write, which needs the permission to set one (S235). A
// bucket with BucketOwnerEnforced accepts only ACLs that change nothing.
func (a *API) newObjectACL(req *request, owner string) (*store.ACL, error) {
	h := req.r.Header
	canned := h.Get("X-Amz-Acl")
	acl, given, err := headerACL(h, aclTarget{owner: owner, bucketOwner: req.bucket.Account})
	if err != nil || !given {
		return nil, err
	}
	keys := policy.Context{}
	addHeaders(h, keys)
	if err := a.authorizeWrite(req, "s3:PutObjectAcl", keys); err != nil {
		return nil, err
	}
	if req.bucket.Ownership == store.BucketOwnerEnforced {
		if acl != nil && canned != aclBucketOwnerFull && !ownersOnly(acl, req.bucket.Account) {
			return nil, failure.New("AccessControlListNotSupported", "")
		}
		return nil, nil
	}
	return acl, a.blockPublicACL(req, acl, "s3:PutObject", req.objectARN())
}

// ownersOnly: the ACL gives full control to owner and nothing to anybody else.
func ownersOnly(acl *store.ACL, owner string) bool {
	return acl == nil || len(acl.Grants) == 1 && acl.Grants[0] == store.Grant{Grantee: canonicalID(owner), Permission: permissionFull}
}

// sendACL answers with an ACL; nil is owner's full control.
func (req *request) sendACL(owner string, acl *store.ACL) error {
	if acl == nil {
		acl = fullControl(owner)
	}
	d := newDocument(aclConfigurationXML)
	d.owner("Owner", owner)
	d.open("AccessControlList")
	for _, g := range acl.Grants {
		d.grant("Grant", g)
	}
	d.close("AccessControlList")
	return req.send(d, aclConfigurationXML)
}

// grant writes one grant as an element called name.
func (d *document) grant(name string, g store.Grant) {
	d.open(name)
	if isGroup(g.Grantee) {
		d.open("Grantee", ` xmlns:xsi="`+xsiNamespace+`"`, ` xsi:type="Group"`)
		d.text("URI", g.Grantee)
	} else {
		d.open("Grantee", ` xmlns:xsi="`+xsiNamespace+`"`, ` xsi:type="CanonicalUser"`)
		d.text("ID", g.Grantee)
	}
	d.close("Grantee")
	d.text("Permission", g.Permission)
	d.close(name)
}

func isGroup(grantee string) bool {
	return grantee == groupAllUsers || grantee == groupAuthenticated || grantee == groupLogDelivery
}

func fullControl(account string) *store.ACL {
	return &store.ACL{Grants: []store.Grant{{Grantee: canonicalID(account), Permission: permissionFull}}}
}
