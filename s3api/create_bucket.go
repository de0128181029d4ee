package s3api

import (
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// createBucket is CreateBucket. New buckets have ACLs disabled and all public access
// blocked (S62); their name is taken in all accounts and Regions.
func (a *API) createBucket(req *request) error {
	if !validBucketName(req.bucketName) {
		return failure.New("InvalidBucketName", "", "BucketName", req.bucketName)
	}
	ownership, err := a.ownershipHeader(req)
	if err != nil {
		return err
	}
	acl, err := a.newBucketACL(req, ownership)
	if err != nil {
		return err
	}
	if err := refuseBucketKinds(req); err != nil {
		return err
	}
	body, err := a.createBody(req)
	if err != nil {
		return err
	}
	region, err := placeBucket(req.region, body.constraint)
	if err != nil {
		return err
	}
	bucket := store.Bucket{
		Name: req.bucketName, Account: req.caller.Account(), Region: region, Created: a.cfg.Clock.Now(),
		Ownership:  ownership,
		ACL:        acl,
		Public:     &store.PublicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
		Encryption: store.DefaultEncryption{Algorithm: algorithmS3},
		Tags:       body.tags,
	}
	if err := a.lockNewBucket(req, &bucket); err != nil {
		return err
	}
	if err := a.cfg.Store.CreateBucket(req.ctx, bucket); err != nil {
		if len(body.tags) > 0 || !a.recreates(req, region, err) {
			return withBucketName(err, req.bucketName)
		}
	}
	h := req.w.Header()
	h.Set("Location", "/"+bucket.Name)
	if region != defaultRegion {
		h.Set("Location", "http://"+bucket.Name+".s3.amazonaws.com/")
	}
	h.Set("X-Amz-Bucket-Arn", arn.Bucket(bucket.Name))
	return req.ok()
}

// recreates tells whether err is the answer to creating one's own bucket again in
// us-east-1, which succeeds there and changes nothing, unless it names tags (S63).
func (a *API) recreates(req *request, region string, err error) bool {
	if failure.CodeOf(err) != "BucketAlreadyOwnedByYou" || req.region != defaultRegion || region != defaultRegion {
		return false
	}
	existing, err := a.cfg.Store.Bucket(req.ctx, req.bucketName)
	return err == nil && existing.Region == defaultRegion
}

func withBucketName(err error, name string) error {
	if f := failure.Of(err); f != nil && len(f.Fields) == 0 {
		return failure.New(f.Code, f.Message, "BucketName", name).Because(err)
	}
	return err
}

// createRequest is what a CreateBucketConfiguration says.
type createRequest struct {
	constraint string // "" when the body names no Region
	tags       []store.Tag
}

// createBody reads the body, which may be empty.
func (a *API) createBody(req *request) (createRequest, error) {
	body, err := a.readBody(req, maxConfigBody, false)
	if err != nil || len(body) == 0 {
		return createRequest{}, err
	}
	root, err := parseXML(body, "CreateBucketConfiguration")
	if err != nil {
		return createRequest{}, err
	}
	var out createRequest
	out.constraint = root.one("LocationConstraint").leaf()
	if root.one("Location") != nil || root.one("Bucket") != nil {
		return out, failure.New("NotImplemented", "Directory buckets are not supported by Twinbucket.")
	}
	if tags := root.one("Tags"); tags != nil {
		out.tags = readTags(tags)
	}
	if err := root.end(); err != nil {
		return out, err
	}
	for _, t := range out.tags {
		if strings.HasPrefix(t.Key, "aws:") { // S79
			return out, failure.New("InvalidTag", `User-defined tag keys can't start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.`)
		}
	}
	return out, checkBucketTags(out.tags)
}

// createBucketKeys adds the condition keys of s3:CreateBucket. A body that can't be
// read adds none: the handler will refuse it (S64).
func (a *API) createBucketKeys(req *request, keys policy.Context) {
	addHeaders(req.r.Header, keys)
	if v := req.r.Header.Get("X-Amz-Object-Ownership"); v != "" {
		keys.Set("s3:x-amz-object-ownership", v)
	}
	if req.caller.Principal.Type == policy.Anonymous {
		return // refused anyway, without reading what it sends
	}
	if body, err := a.createBody(req); err == nil && body.constraint != "" {
		keys.Set("s3:locationconstraint", body.constraint)
	}
}

// placeBucket is the Region of a new bucket: the endpoint's, and only from us-east-1
// another one (S65).
func placeBucket(endpoint, constraint string) (string, error) {
	switch {
	case constraint == "EU" && (endpoint == defaultRegion || endpoint == "eu-west-1"):
		return "eu-west-1", nil
	case constraint == "" && endpoint == defaultRegion:
		return endpoint, nil
	case constraint == "":
		return "", failure.New("IllegalLocationConstraintException", "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	case endpoint == defaultRegion && (constraint == defaultRegion || !isRegion(constraint)):
		return "", failure.New("InvalidLocationConstraint", "", "LocationConstraint", constraint)
	case endpoint != defaultRegion && constraint != endpoint:
		return "", failure.Newf("IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", constraint)
	}
	return constraint, nil
}

// ownershipHeader reads x-amz-object-ownership, which takes its own permission (S62).
func (a *API) ownershipHeader(req *request) (store.Ownership, error) {
	v, ok := req.r.Header["X-Amz-Object-Ownership"]
	if !ok {
		return store.BucketOwnerEnforced, nil
	}
	switch o := store.Ownership(v[0]); o {
	case store.BucketOwnerEnforced, store.BucketOwnerPreferred, store.ObjectWriter:
		return o, a.authorizeOwn(req, "s3:PutBucketOwnershipControls", req.bucketARN(), nil)
	}
	e := failure.Newf("InvalidArgument", "Invalid x-amz-object-ownership header: %s", v[0])
	e.Fields = []failure.Field{{Name: "ArgumentName", Value: "x-amz-object-ownership"}}
	return "", e
}

// newBucketACL takes the ACL of a new bucket, which needs its own permission and a bucket
// where ACLs are on (S66, S83). New buckets block public ACLs, so one that is public can
// only be put later (S62).
func (a *API) newBucketACL(req *request, ownership store.Ownership) (*store.ACL, error) {
	to := aclTarget{owner: req.caller.Account(), bucketOwner: req.caller.Account(), bucket: true}
	acl, given, err := headerACL(req.r.Header, to)
	if err != nil || !given || acl == nil {
		return nil, err
	}
	if err := a.authorizeOwn(req, "s3:PutBucketAcl", req.bucketARN(), nil); err != nil {
		return nil, err
	}
	switch {
	case ownership == store.BucketOwnerEnforced:
		return nil, failure.New("InvalidBucketAclWithObjectOwnership", "")
	case publicACL(acl):
		return nil, failure.Newf("AccessDenied", `User: %s is not authorized to perform: s3:PutBucketAcl on resource: "%s" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.`,
			req.caller.Principal.ARN, req.bucketARN())
	}
	return acl, nil
}

// refuseBucketKinds refuses what asks for another kind of bucket.
func refuseBucketKinds(req *request) error {
	if v := req.r.Header.Get("X-Amz-Bucket-Namespace"); v != "" && v != "global" {
		return failure.New("NotImplemented", "Only the global bucket namespace is supported by Twinbucket.", "Header", "x-amz-bucket-namespace")
	}
	return nil
}

// lockNewBucket enables Object Lock, and versioning with it, where the header asks for it;
// each takes its own permission (S314).
func (a *API) lockNewBucket(req *request, b *store.Bucket) error {
	if !strings.EqualFold(req.r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		return nil
	}
	for _, action := range [...]string{"s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"} {
		if err := a.authorizeOwn(req, action, req.bucketARN(), nil); err != nil {
			return err
		}
	}
	b.ObjectLock, b.Versioning = &store.ObjectLock{}, store.VersioningEnabled
	return nil
}
