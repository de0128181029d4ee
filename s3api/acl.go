package s3api

import (
	"net/http"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	aclPrivate          = "private"
	aclBucketOwnerFull  = "bucket-owner-full-control"
	groupAllUsers       = "http://acs.amazonaws.com/groups/global/AllUsers"
	groupAuthenticated  = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	permissionFull      = "FULL_CONTROL"
	aclConfigurationXML = "AccessControlPolicy"
)

// errBucketACLs refuses what ACLs could grant beyond the owner's own rights.
var errBucketACLs = failure.New("NotImplemented", "ACLs that grant access to others are not supported by Twinbucket. Use a bucket policy.")

// grant is one entry of an ACL: to an account or to a group.
type grant struct{ account, group, permission string }

// getBucketAcl is GetBucketAcl: the owner has full control, and nobody else can have
// been granted anything (S80).
func (a *API) getBucketAcl(req *request) error {
	owner := req.bucket.Account
	return req.sendACL(owner, []grant{{account: owner, permission: permissionFull}})
}

// getObjectAcl is GetObjectAcl: the grants of the object's canned ACL. In a bucket
// without ACLs everything is the bucket owner's (S80).
func (a *API) getObjectAcl(req *request) error {
	v, err := a.readableVersion(req)
	if err != nil {
		return err
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	if req.bucket.Ownership == store.BucketOwnerEnforced {
		owner := req.bucket.Account
		return req.sendACL(owner, []grant{{account: owner, permission: permissionFull}})
	}
	return req.sendACL(v.Owner, cannedGrants(v.ACL, v.Owner, req.bucket.Account))
}

// cannedGrants spells a canned ACL out (S81).
func cannedGrants(acl, owner, bucketOwner string) []grant {
	grants := []grant{{account: owner, permission: permissionFull}}
	switch acl {
	case "public-read":
		grants = append(grants, grant{group: groupAllUsers, permission: "READ"})
	case "public-read-write":
		grants = append(grants, grant{group: groupAllUsers, permission: "READ"}, grant{group: groupAllUsers, permission: "WRITE"})
	case "authenticated-read":
		grants = append(grants, grant{group: groupAuthenticated, permission: "READ"})
	case "bucket-owner-read":
		if bucketOwner != owner {
			grants = append(grants, grant{account: bucketOwner, permission: "READ"})
		}
	case aclBucketOwnerFull:
		if bucketOwner != owner {
			grants = append(grants, grant{account: bucketOwner, permission: permissionFull})
		}
	}
	return grants
}

func (req *request) sendACL(owner string, grants []grant) error {
	d := newDocument(aclConfigurationXML)
	d.owner("Owner", owner)
	d.open("AccessControlList")
	for _, g := range grants {
		d.open("Grant")
		if g.group != "" {
			d.open("Grantee", ` xmlns:xsi="`+xsiNamespace+`"`, ` xsi:type="Group"`)
			d.text("URI", g.group)
		} else {
			d.open("Grantee", ` xmlns:xsi="`+xsiNamespace+`"`, ` xsi:type="CanonicalUser"`)
			d.text("ID", canonicalID(g.account))
		}
		d.close("Grantee")
		d.text("Permission", g.permission)
		d.close("Grant")
	}
	d.close("AccessControlList")
	return req.send(d, aclConfigurationXML)
}

// putBucketAcl is PutBucketAcl: refused where ACLs are off, which is the default; with
// ACLs on, the owner's own full control is all that can be set.
func (a *API) putBucketAcl(req *request) error {
	if req.bucket.Ownership == store.BucketOwnerEnforced { // S66
		return failure.New("AccessControlListNotSupported", "")
	}
	if err := a.checkACL(req, req.bucket.Account, "s3:PutBucketAcl", req.bucketARN()); err != nil {
		return err
	}
	return req.ok()
}

// putObjectAcl is PutObjectAcl, with the same limits as putBucketAcl. A delete marker
// has no ACL to put (S82).
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
		return failure.New("AccessControlListNotSupported", "")
	}
	if err := a.checkACL(req, v.Owner, "s3:PutObjectAcl", req.objectARN()); err != nil {
		return err
	}
	if v.ACL != "" {
		return failure.New("NotImplemented", "Changing the ACL of an existing object is not supported by Twinbucket. Write the object again with the new ACL.")
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	return req.ok()
}

// checkACL refuses every ACL in the request but the owner's own full control (S83).
func (a *API) checkACL(req *request, owner, action, resource string) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	canned, grants := req.r.Header.Get("X-Amz-Acl"), hasGrantHeaders(req.r.Header)
	switch {
	case canned != "" && grants:
		return failure.New("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
	case (canned != "" || grants) && len(body) > 0:
		return failure.New("UnexpectedContent", "")
	case grants:
		return errBucketACLs
	case canned != "":
		return checkCannedACL(req, canned, action, resource)
	case len(body) == 0:
		return failure.New("MissingSecurityHeader", "", "MissingHeaderName", "x-amz-acl")
	}
	return checkACLDocument(body, owner)
}

func checkCannedACL(req *request, acl, action, resource string) error {
	public := false
	switch acl {
	case aclPrivate:
		return nil
	case "public-read", "public-read-write", "authenticated-read":
		public = true
	case "aws-exec-read", "bucket-owner-read", aclBucketOwnerFull, "log-delivery-write":
	default:
		return failure.New("InvalidArgument", "", "ArgumentName", "x-amz-acl", "ArgumentValue", acl)
	}
	if p := req.bucket.Public; public && p != nil && p.BlockPublicAcls { // S76
		return failure.Newf("AccessDenied", `User: %s is not authorized to perform: %s on resource: "%s" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.`,
			req.caller.Principal.ARN, action, resource)
	}
	return errBucketACLs
}

// checkACLDocument accepts the document that GetBucketAcl and GetObjectAcl answer with.
func checkACLDocument(body []byte, owner string) error {
	root, err := parseXML(body, aclConfigurationXML)
	if err != nil {
		return failure.New("MalformedACLError", "")
	}
	own := true
	if e := root.one("Owner"); e != nil {
		own = e.need("ID").leaf() == canonicalID(owner)
		e.one("DisplayName").leaf()
	}
	grants := root.need("AccessControlList").many("Grant")
	for _, g := range grants {
		grantee := g.need("Grantee")
		id := grantee.one("ID").leaf()
		for _, name := range [...]string{"DisplayName", "EmailAddress", "URI"} {
			grantee.one(name).leaf()
		}
		permission := g.need("Permission").enum(permissionFull, "READ", "WRITE", "READ_ACP", "WRITE_ACP")
		own = own && id == canonicalID(owner) && permission == permissionFull
	}
	if root.end() != nil {
		return failure.New("MalformedACLError", "")
	}
	if !own || len(grants) != 1 {
		return errBucketACLs
	}
	return nil
}

// hasGrantHeaders reports whether a request grants by x-amz-grant-* headers.
func hasGrantHeaders(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-Grant-") {
			return true
		}
	}
	return false
}
