package s3api

import (
	"net/http"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxGrants is how many grants an ACL may have (S155).
const maxGrants = 100

// amazonImages is the canonical user of Amazon EC2, to whom aws-exec-read grants (S81).
const amazonImages = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"

// grantHeaders are the headers that grant, with what they grant.
var grantHeaders = [...]struct{ header, name, permission string }{
	{"X-Amz-Grant-Full-Control", "x-amz-grant-full-control", permissionFull},
	{"X-Amz-Grant-Read", "x-amz-grant-read", "READ"},
	{"X-Amz-Grant-Write", "x-amz-grant-write", "WRITE"},
	{"X-Amz-Grant-Read-Acp", "x-amz-grant-read-acp", "READ_ACP"},
	{"X-Amz-Grant-Write-Acp", "x-amz-grant-write-acp", "WRITE_ACP"},
}

// hasGrantHeaders reports whether a request grants by x-amz-grant-* headers.
func hasGrantHeaders(h http.Header) bool {
	for i := range grantHeaders {
		if _, ok := h[grantHeaders[i].header]; ok {
			return true
		}
	}
	return false
}

// headerACL reads the ACL that headers ask for; given tells whether they do (S83).
func headerACL(h http.Header, to aclTarget) (acl *store.ACL, given bool, err error) {
	canned, grants := h.Get("X-Amz-Acl"), hasGrantHeaders(h)
	switch {
	case canned != "" && !cannedName(canned):
		return nil, true, failure.New("InvalidArgument", "", "ArgumentName", "x-amz-acl", "ArgumentValue", canned)
	case canned != "" && grants:
		return nil, true, failure.New("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
	case canned != "":
		return cannedACL(canned, to), true, nil
	case !grants:
		return nil, false, nil
	}
	acl = &store.ACL{}
	for i := range grantHeaders {
		g := &grantHeaders[i]
		for _, value := range h[g.header] {
			for part := range strings.SplitSeq(value, ",") {
				grantee, err := grantHeader(g.name, part)
				if err != nil {
					return nil, true, err
				}
				acl.Grants = append(acl.Grants, store.Grant{Grantee: grantee, Permission: g.permission})
			}
		}
	}
	return acl, true, checkGrants(acl)
}

// grantHeader reads one grantee of a grant header: id="…", uri="…" or emailAddress="…".
func grantHeader(header, part string) (grantee string, err error) {
	name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
	value = strings.Trim(value, `"`)
	switch {
	case ok && strings.EqualFold(name, "id"):
		if !isCanonicalID(value) {
			return "", failure.New("InvalidArgument", "Invalid id", "ArgumentName", "id", "ArgumentValue", value)
		}
		return value, nil
	case ok && strings.EqualFold(name, "uri"):
		if !isGroup(value) {
			return "", failure.New("InvalidArgument", "Invalid group uri", "ArgumentName", "uri", "ArgumentValue", value)
		}
		return value, nil
	case ok && strings.EqualFold(name, "emailAddress"):
		return "", failure.New("UnresolvableGrantByEmailAddress", "")
	}
	return "", failure.New("InvalidArgument", "Argument format not recognized", "ArgumentName", header, "ArgumentValue", part)
}

func cannedName(name string) bool {
	switch name {
	case aclPrivate, "public-read", "public-read-write", "aws-exec-read", "authenticated-read", "bucket-owner-read", aclBucketOwnerFull, "log-delivery-write":
		return true
	}
	return false
}

// cannedACL spells a canned ACL out; nil is the owner's full control (S81). Those about the
// bucket's owner mean nothing for buckets, the one about logs nothing for objects.
func cannedACL(name string, to aclTarget) *store.ACL {
	acl := fullControl(to.owner)
	add := func(grantee, permission string) {
		acl.Grants = append(acl.Grants, store.Grant{Grantee: grantee, Permission: permission})
	}
	foreign := !to.bucket && to.bucketOwner != to.owner
	switch {
	case name == "public-read":
		add(groupAllUsers, "READ")
	case name == "public-read-write":
		add(groupAllUsers, "READ")
		add(groupAllUsers, "WRITE")
	case name == "authenticated-read":
		add(groupAuthenticated, "READ")
	case name == "aws-exec-read":
		add(amazonImages, "READ")
	case name == "log-delivery-write" && to.bucket:
		add(groupLogDelivery, "WRITE")
		add(groupLogDelivery, "READ_ACP")
	case name == "bucket-owner-read" && foreign:
		add(canonicalID(to.bucketOwner), "READ")
	case name == aclBucketOwnerFull && foreign:
		add(canonicalID(to.bucketOwner), permissionFull)
	default:
		return nil
	}
	return acl
}

// parseACL reads an AccessControlPolicy for what owner owns. The owner can't be changed.
func parseACL(body []byte, owner string) (*store.ACL, error) {
	malformed := failure.New("MalformedACLError", "")
	root, err := parseXML(body, aclConfigurationXML)
	if err != nil {
		return nil, malformed
	}
	holder := root.need("Owner")
	ownerID := holder.need("ID").leaf()
	holder.one("DisplayName").leaf()
	acl := &store.ACL{}
	var mails int
	for _, e := range root.need("AccessControlList").many("Grant") {
		grantee := e.need("Grantee")
		id, uri, mail := grantee.one("ID"), grantee.one("URI"), grantee.one("EmailAddress")
		grantee.one("DisplayName").leaf()
		one := 0
		g := store.Grant{Permission: e.need("Permission").enum(permissionFull, "READ", "WRITE", "READ_ACP", "WRITE_ACP")}
		for _, form := range [...]*element{id, uri, mail} {
			if form != nil {
				g.Grantee = form.leaf()
				one++
			}
		}
		if one != 1 {
			root.malformed()
		}
		if mail != nil {
			mails++
		}
		acl.Grants = append(acl.Grants, g)
	}
	switch {
	case root.end() != nil:
		return nil, malformed
	case mails > 0:
		return nil, failure.New("UnresolvableGrantByEmailAddress", "")
	case !isCanonicalID(ownerID):
		return nil, failure.New("InvalidArgument", "Invalid id", "ArgumentName", "CanonicalUser/ID", "ArgumentValue", ownerID)
	}
	if err := checkGrants(acl); err != nil {
		return nil, err
	}
	if ownerID != canonicalID(owner) { // S156
		return nil, failure.New("AccessDenied", "Access Denied")
	}
	return acl, nil
}

// checkGrants holds the grants of a document against what S3 knows.
func checkGrants(acl *store.ACL) error {
	if len(acl.Grants) > maxGrants {
		return failure.New("MalformedACLError", "")
	}
	for _, g := range acl.Grants {
		switch {
		case strings.Contains(g.Grantee, "://") && !isGroup(g.Grantee):
			return failure.New("InvalidArgument", "Invalid group uri", "ArgumentName", "Group/URI", "ArgumentValue", g.Grantee)
		case !isGroup(g.Grantee) && !isCanonicalID(g.Grantee):
			return failure.New("InvalidArgument", "Invalid id", "ArgumentName", "CanonicalUser/ID", "ArgumentValue", g.Grantee)
		}
	}
	return nil
}

// isCanonicalID reports whether s has the form of a canonical user id.
func isCanonicalID(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
