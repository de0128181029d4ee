package walkthrough

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// role is the role that S3 assumes to replicate.
type role struct {
	owner *actor
	name  string
}

// rolePolicyName is what the walkthroughs call a role's inline policy.
const rolePolicyName = "replication"

func (a *actor) role(name string) *role { return &role{a, a.stage.named(name)} }

func (r *role) arn() string { return "arn:aws:iam::" + r.owner.account + ":role/" + r.name }

// session is the role as KMS and S3 see it during replication.
func (r *role) session() string {
	return "arn:aws:sts::" + r.owner.account + ":assumed-role/" + r.name + "/s3-replication"
}

func (r *role) create(trust string) action {
	return func(ctx context.Context, _ *step) error {
		_, err := r.owner.iam().CreateRole(ctx, &iam.CreateRoleInput{RoleName: &r.name, AssumeRolePolicyDocument: &trust})
		return err
	}
}

func (r *role) putTrust(trust string) action {
	return func(ctx context.Context, _ *step) error {
		_, err := r.owner.iam().UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &r.name, PolicyDocument: &trust})
		return err
	}
}

func (r *role) putPolicy(policy string) action {
	return func(ctx context.Context, _ *step) error {
		_, err := r.owner.iam().PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: &r.name, PolicyName: aws.String(rolePolicyName), PolicyDocument: &policy,
		})
		return err
	}
}

// attach makes a customer managed policy and attaches it.
func (r *role) attach(name, policy string) action {
	return func(ctx context.Context, _ *step) error {
		c := r.owner.iam()
		out, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String(r.owner.stage.named(name)), PolicyDocument: &policy})
		if err != nil {
			return err
		}
		_, err = c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &r.name, PolicyArn: out.Policy.Arn})
		return err
	}
}
