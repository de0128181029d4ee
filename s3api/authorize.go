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

// authorize asks whether the request's caller may do action on resourceARN, which
// belongs to the addressed bucket. extra holds the operation's own condition keys; the
// ones every request has are added to it. A denial is failure code AccessDenied with
// the Decision and the message that AWS would show (S21, S22).
func (a *API) authorize(req *request, action, resourceARN string, extra policy.Context) error {
	return a.authorizeOn(req, req.bucket, action, resourceARN, extra)
}

// authorizeOn is authorize for a resource in another bucket, such as a copy source:
// that bucket's owner and policy decide.
func (a *API) authorizeOn(req *request, bucket *store.Bucket, action, resourceARN string, extra policy.Context) error {
	keys := commonKeys(req, extra)
	return a.authorizeCaller(req.ctx, &req.caller, bucket, req.region, action, resourceARN, keys)
}

// authorizeCaller decides for a caller without an HTTP request, which is how the
// replication doors ask. keys may be nil and is added to; region is aws:RequestedRegion.
func (a *API) authorizeCaller(ctx context.Context, caller *iamsim.Caller, bucket *store.Bucket, region, action, resourceARN string, keys policy.Context) error {
	d, err := a.decide(ctx, caller, bucket, region, action, resourceARN, keys)
	if err != nil {
		return err
	}
	if d.Permitted() {
		return nil
	}
	return denied(d)
}

// decide makes one decision under the bucket's policy and public access settings.
func (a *API) decide(ctx context.Context, caller *iamsim.Caller, bucket *store.Bucket, region, action, resourceARN string, keys policy.Context) (*policy.Decision, error) {
	ask, err := a.question(ctx, caller, bucket, region, action, resourceARN, keys)
	if err != nil {
		return nil, err
	}
	return a.cfg.IAM.Authorize(ctx, caller, &ask)
}

// question is what decide asks: the bucket's policy, and ACLs where they are on.
func (a *API) question(ctx context.Context, caller *iamsim.Caller, bucket *store.Bucket, region, action, resourceARN string, keys policy.Context) (iamsim.Request, error) {
	ask, err := a.bucketQuestion(ctx, caller, bucket, region, action, resourceARN, keys)
	if err == nil && bucket.Ownership != store.BucketOwnerEnforced {
		err = a.addACLs(ctx, caller, bucket, &ask)
	}
	return ask, err
}

// bucketQuestion asks under the bucket's policy alone.
func (a *API) bucketQuestion(ctx context.Context, caller *iamsim.Caller, bucket *store.Bucket, region, action, resourceARN string, keys policy.Context) (iamsim.Request, error) {
	if keys == nil {
		keys = make(policy.Context, 8)
	}
	keys.Set("s3:resourceaccount", bucket.Account)
	ask := iamsim.Request{
		Action: action, Resource: resourceARN, ResourceAccount: bucket.Account, Region: region, Context: keys,
	}
	if bucket.Policy != "" && !keepsPolicyAccess(caller, bucket, action) {
		source, err := a.policySource(bucket)
		if err != nil {
			return ask, err
		}
		ask.ResourcePolicies = []policy.Source{source}
		if caller.Account() != bucket.Account && policy.IsPublic(source.Doc) { // S154
			p, err := a.publicAccess(ctx, bucket)
			if err != nil {
				return ask, err
			}
			ask.RestrictPublic = p.RestrictPublicBuckets
		}
	}
	return ask, nil
}

// policySource is the bucket's policy as the evaluator takes it.
func (a *API) policySource(bucket *store.Bucket) (policy.Source, error) {
	doc, err := a.cfg.IAM.ParsePolicy(bucket.Policy)
	if err != nil {
		return policy.Source{}, failure.New("InternalError", "").Because(err)
	}
	return policy.Source{
		Type: policy.Resource, Owner: bucket.Account, Name: "bucket policy of " + bucket.Name,
		Doc: doc, Pins: bucket.PolicyPins,
	}, nil
}

// keepsPolicyAccess: whatever a bucket policy says, the root user of the bucket's
// account can still read, replace and delete it (S23).
func keepsPolicyAccess(caller *iamsim.Caller, bucket *store.Bucket, action string) bool {
	switch action {
	case "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy":
		return caller.Principal.Type == policy.Account && caller.Principal.Account == bucket.Account
	}
	return false
}

// denied words a denial. Only callers of the bucket's own account or of its
// organization learn why (S22).
func denied(d *policy.Decision) *failure.Error {
	message := "Access Denied"
	if p := &d.Principal; p.Type != policy.Anonymous && p.Account != "" && (p.Account == d.ResourceAccount || sameOrganization(d)) {
		on := ` on resource: "` + d.Resource + `"`
		if d.Resource == "*" {
			on = ""
		}
		message = "User: " + p.ARN + " is not authorized to perform: " + d.Action + on + " " + d.Reason()
	}
	e := failure.New("AccessDenied", message)
	e.Decision = d
	return e
}

// sameOrganization reports whether caller and bucket belong to one organization.
func sameOrganization(d *policy.Decision) bool {
	caller, _ := d.Context.Get("aws:PrincipalOrgID")
	owner, _ := d.Context.Get("aws:ResourceOrgID")
	return len(caller) == 1 && slices.Equal(caller, owner)
}

// mayList reports whether the caller may list bucket: if not, a missing key is
// answered 403, so that nobody can probe for names (S24).
func (a *API) mayList(req *request, bucket *store.Bucket) (bool, error) {
	keys := commonKeys(req, nil)
	d, err := a.decide(req.ctx, &req.caller, bucket, req.region, "s3:ListBucket", arn.Bucket(bucket.Name), keys)
	if err != nil {
		return false, err
	}
	return d.Permitted(), nil
}

// authorizeOwn asks for an action on what no existing bucket owns: listing the caller's
// buckets, creating one. Only the caller's own policies decide (S29).
func (a *API) authorizeOwn(req *request, action, resource string, extra policy.Context) error {
	account := req.caller.Account()
	keys := commonKeys(req, extra)
	keys.Set("s3:resourceaccount", account)
	d, err := a.cfg.IAM.Authorize(req.ctx, &req.caller, &iamsim.Request{
		Action: action, Resource: resource, ResourceAccount: account, Region: req.region, Context: keys,
	})
	if err != nil {
		return err
	}
	if !d.Permitted() {
		return denied(d)
	}
	return nil
}
