package s3api

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// ACLs take part in decisions as resource policies of their own: what they grant to the
// caller is written as a policy document, so one evaluator decides and explains (S150).

// bucketACLActions are what a grant on a bucket lets its grantee do (S157).
var bucketACLActions = map[string][]string{
	"READ":      {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"},
	"WRITE":     {"s3:PutObject"},
	"READ_ACP":  {"s3:GetBucketAcl"},
	"WRITE_ACP": {"s3:PutBucketAcl"},
}

// objectACLActions are what a grant on an object lets its grantee do (S157). Replication
// reads an object as its bucket's owner would.
var objectACLActions = map[string][]string{
	"READ":      {"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication"},
	"READ_ACP":  {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
	"WRITE_ACP": {"s3:PutObjectAcl", "s3:PutObjectVersionAcl"},
}

// objectContext tells the actions that the owner of an object decides on. All others on
// object ARNs, writing and deleting among them, are the bucket owner's to allow (S151).
func objectContext(action string) bool {
	if strings.HasPrefix(action, "s3:GetObject") {
		return true
	}
	if name, ok := strings.CutPrefix(action, "s3:PutObject"); ok {
		return name == "Acl" || name == "VersionAcl" || name == "Tagging" || name == "VersionTagging"
	}
	return action == "s3:DeleteObjectTagging" || action == "s3:DeleteObjectVersionTagging"
}

// addACLs adds what ACLs say about ask, which holds the bucket's policy, to it. It is
// called for buckets that have ACLs.
func (a *API) addACLs(ctx context.Context, caller *iamsim.Caller, bucket *store.Bucket, ask *iamsim.Request) error {
	if !objectContext(ask.Action) {
		return a.addACL(ctx, caller, bucket, bucket.ACL, bucketACLActions, "ACL of bucket "+bucket.Name, ask)
	}
	key := strings.TrimPrefix(ask.Resource, arn.Object(bucket.Name, ""))
	id := ""
	if v, ok := ask.Context.Get("s3:versionid"); ok {
		id = v[0]
	}
	v, err := a.cfg.Store.Version(ctx, bucket.Name, key, id)
	switch failure.CodeOf(err) {
	case "NoSuchKey", "NoSuchVersion", "NoSuchBucket":
		// Who may list the bucket may learn that nothing is there (S157).
		missing := map[string][]string{"READ": {ask.Action}}
		return a.addACL(ctx, caller, bucket, bucket.ACL, missing, "ACL of bucket "+bucket.Name, ask)
	}
	if err != nil {
		return err
	}
	if v.DeleteMarker {
		return nil
	}
	if v.Owner != bucket.Account {
		ask.ResourceAccount = v.Owner
		for i := range ask.ResourcePolicies {
			ask.ResourcePolicies[i].DenyOnly = true
		}
	}
	return a.addACL(ctx, caller, bucket, v.ACL, objectACLActions, "ACL of "+ask.Resource, ask)
}

func (a *API) addACL(ctx context.Context, caller *iamsim.Caller, bucket *store.Bucket, acl *store.ACL, actions map[string][]string, name string, ask *iamsim.Request) error {
	if acl == nil {
		return nil
	}
	ignorePublic := false
	if publicACL(acl) {
		p, err := a.publicAccess(ctx, bucket)
		if err != nil {
			return err
		}
		ignorePublic = p.IgnorePublicAcls
	}
	text := aclPolicy(acl, caller, actions, ignorePublic)
	doc, err := a.cfg.IAM.ParsePolicy(text)
	if err != nil {
		return failure.New("InternalError", "").Because(err)
	}
	ask.ResourcePolicies = append(ask.ResourcePolicies, policy.Source{Type: policy.ACL, Owner: ask.ResourceAccount, Name: name, Doc: doc})
	return nil
}

type aclStatement struct {
	Sid       string
	Effect    string
	Principal any
	Action    []string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// aclPolicy writes an ACL as a policy for caller. A canonical user is an account: its
// principals need their own permission beside the grant. Grants to other canonical users
// become statements for nobody, so that explanations can show them.
func aclPolicy(acl *store.ACL, caller *iamsim.Caller, actions map[string][]string, ignorePublic bool) string {
	var document struct {
		Version   string
		Statement []aclStatement
	}
	document.Version = "2012-10-17"
	document.Statement = []aclStatement{}
	own := ""
	if caller.Account() != "" {
		own = canonicalID(caller.Account())
	}
	for i, g := range acl.Grants {
		s := aclStatement{Sid: "Grant" + strconv.Itoa(i+1) + strings.ReplaceAll(g.Permission, "_", ""), Effect: "Allow", Resource: "*"}
		if s.Action = actions[g.Permission]; g.Permission == permissionFull {
			for _, p := range [...]string{"READ", "WRITE", "READ_ACP", "WRITE_ACP"} {
				s.Action = append(s.Action, actions[p]...)
			}
		}
		switch {
		case len(s.Action) == 0 || isGroup(g.Grantee) && ignorePublic || g.Grantee == groupLogDelivery:
			continue
		case g.Grantee == groupAllUsers:
			s.Principal = "*"
		case g.Grantee == groupAuthenticated:
			s.Principal = "*"
			s.Condition = map[string]map[string]string{"StringNotEquals": {"aws:PrincipalType": string(policy.Anonymous)}}
		case g.Grantee == own:
			s.Principal = map[string]string{"AWS": caller.Account()}
		default:
			s.Principal = map[string]string{"CanonicalUser": g.Grantee}
		}
		document.Statement = append(document.Statement, s)
	}
	text, err := json.Marshal(&document)
	if err != nil {
		panic("s3api: an ACL does not marshal: " + err.Error())
	}
	return string(text)
}

// authorizeWrite asks for a permission to write a new version. What stands at the key, and
// who owns that, does not matter for it; the bucket's policy and ACL do.
func (a *API) authorizeWrite(req *request, action string, extra policy.Context) error {
	keys := commonKeys(req, extra)
	ask, err := a.bucketQuestion(req.ctx, &req.caller, req.bucket, req.region, action, req.objectARN(), keys)
	if err == nil && req.bucket.Ownership != store.BucketOwnerEnforced {
		err = a.addACL(req.ctx, &req.caller, req.bucket, req.bucket.ACL, bucketACLActions, "ACL of bucket "+req.bucketName, &ask)
	}
	if err != nil {
		return err
	}
	d, err := a.cfg.IAM.Authorize(req.ctx, &req.caller, &ask)
	if err != nil {
		return err
	}
	if !d.Permitted() {
		return denied(d)
	}
	return nil
}
