package s3api

import (
	"errors"
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxPolicy is the longest bucket policy in bytes (S73).
const maxPolicy = 20 << 10

// getBucketPolicy is GetBucketPolicy. A principal that was deleted since is shown as
// its unique id (S74).
func (a *API) getBucketPolicy(req *request) error {
	if err := ownPolicyOnly(req); err != nil {
		return err
	}
	b := req.bucket
	if b.Policy == "" {
		return notConfigured("NoSuchBucketPolicy", req)
	}
	text := b.Policy
	for arn, id := range b.PolicyPins {
		if now, ok := a.cfg.IAM.PrincipalID(arn); !ok || now != id {
			text = strings.ReplaceAll(text, `"`+arn+`"`, `"`+id+`"`)
		}
	}
	h := req.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	req.w.WriteHeader(200)
	_, err := req.w.Write([]byte(text))
	return clientGone(err)
}

// putBucketPolicy is PutBucketPolicy.
func (a *API) putBucketPolicy(req *request) error {
	if err := ownPolicyOnly(req); err != nil {
		return err
	}
	body, err := a.readBody(req, maxConfigBody, false) // S176
	if err != nil {
		return err
	}
	if len(body) > maxPolicy {
		return failure.New("PolicyTooLarge", "")
	}
	doc, err := policy.ValidateBucket(string(body), req.bucketName, a.cfg.IAM)
	if err != nil {
		return policyFailure(err)
	}
	pins := map[string]string{}
	for _, arn := range doc.PrincipalARNs() {
		if id, ok := a.cfg.IAM.PrincipalID(arn); ok {
			pins[arn] = id
		}
	}
	if policy.IsPublic(doc) {
		p, err := a.publicAccess(req.ctx, req.bucket)
		if err != nil {
			return err
		}
		if p.BlockPublicPolicy {
			return a.publicPolicy(req)
		}
	}
	err = a.update(req, func(b *store.Bucket) error {
		b.Policy, b.PolicyPins = string(body), pins
		return nil
	})
	if err != nil {
		return err
	}
	return req.noContent()
}

// deleteBucketPolicy is DeleteBucketPolicy.
func (a *API) deleteBucketPolicy(req *request) error {
	if err := ownPolicyOnly(req); err != nil {
		return err
	}
	err := a.update(req, func(b *store.Bucket) error {
		b.Policy, b.PolicyPins = "", nil
		return nil
	})
	if err != nil {
		return err
	}
	return req.noContent()
}

// getBucketPolicyStatus is GetBucketPolicyStatus.
func (a *API) getBucketPolicyStatus(req *request) error {
	if req.bucket.Policy == "" {
		return notConfigured("NoSuchBucketPolicy", req)
	}
	source, err := a.policySource(req.bucket)
	if err != nil {
		return err
	}
	d := newDocument("PolicyStatus")
	d.boolean("IsPublic", policy.IsPublic(source.Doc))
	return req.send(d, "PolicyStatus")
}

// ownPolicyOnly: a bucket policy is for the bucket's own account, whatever it grants (S75).
func ownPolicyOnly(req *request) error {
	if req.caller.Account() == req.bucket.Account {
		return nil
	}
	return failure.New("MethodNotAllowed", "", "Method", req.r.Method, "ResourceType", "BUCKETPOLICY")
}

// policyFailure is a refused policy text as S3 words it.
func policyFailure(err error) error {
	var invalid *policy.ValidationError
	if errors.As(err, &invalid) {
		return failure.New(failure.Code(invalid.Code), invalid.Message).Because(err)
	}
	return err
}

// publicPolicy is BlockPublicPolicy's refusal (S76).
func (a *API) publicPolicy(req *request) error {
	return failure.Newf("AccessDenied", `User: %s is not authorized to perform: s3:PutBucketPolicy on resource: "%s" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
		req.caller.Principal.ARN, req.bucketARN())
}
