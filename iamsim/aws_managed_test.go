package iamsim

import (
	"testing"

	"twinbucket/iamsim/policy"
)

// Every AWS managed policy is one that IAM would store, and has an ARN of AWS's form.
func TestAWSManagedPolicies(t *testing.T) {
	all := awsManagedPolicies()
	ids := map[string]string{}
	for arn, p := range all {
		if _, err := policy.ValidateIdentity(p.text(), true); err != nil {
			t.Errorf("%s: %v", arn, err)
		}
		if sizeOf(p.text()) > maxManagedSize {
			t.Errorf("%s is larger than a managed policy", arn)
		}
		if other := ids[p.ID]; other != "" || len(p.ID) != 21 {
			t.Errorf("id %q of %s and %s", p.ID, p.Name, other)
		}
		ids[p.ID] = p.Name
	}
	for _, name := range []string{
		"AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess",
		"AWSKeyManagementServicePowerUser", "IAMFullAccess", "IAMReadOnlyAccess", "SecurityAudit",
		"job-function/ViewOnlyAccess", "service-role/AWSLambdaBasicExecutionRole", "service-role/AmazonS3ObjectLambdaExecutionRolePolicy",
	} {
		if all[awsPolicyPrefix+name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// What people attach them for works, and what they leave out is denied.
func TestAWSManagedPoliciesDecide(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	const bucket, object, key, role = "arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:kms:us-east-1:111111111111:key/1", "arn:aws:iam::111111111111:role/r"
	for _, tc := range []struct {
		policy, action, resource string
		want                     bool
	}{
		{"AdministratorAccess", "iam:CreateUser", "arn:aws:iam::111111111111:user/x", true},
		{"PowerUserAccess", "s3:PutObject", object, true},
		{"PowerUserAccess", "iam:CreateUser", "arn:aws:iam::111111111111:user/x", false},
		{"PowerUserAccess", "iam:ListRoles", "arn:aws:iam::111111111111:role/", true},
		{"ReadOnlyAccess", "s3:GetObject", object, true},
		{"ReadOnlyAccess", "s3:PutObject", object, false},
		{"AmazonS3FullAccess", "s3:DeleteBucket", bucket, true},
		{"AmazonS3FullAccess", "kms:Decrypt", key, false},
		{"AmazonS3ReadOnlyAccess", "s3:ListBucket", bucket, true},
		{"AmazonS3ReadOnlyAccess", "s3:DeleteObject", object, false},
		{"AWSKeyManagementServicePowerUser", "kms:CreateKey", "*", true},
		{"AWSKeyManagementServicePowerUser", "kms:ScheduleKeyDeletion", key, false},
		{"IAMFullAccess", "iam:PassRole", role, true},
		{"IAMReadOnlyAccess", "iam:GetRole", role, true},
		{"IAMReadOnlyAccess", "iam:DeleteRole", role, false},
		{"SecurityAudit", "s3:GetBucketPolicy", bucket, true},
		{"SecurityAudit", "s3:GetObject", object, false},
		{"job-function/ViewOnlyAccess", "s3:ListBucket", bucket, true},
		{"job-function/ViewOnlyAccess", "s3:GetObject", object, false},
		{"service-role/AWSLambdaBasicExecutionRole", "s3:GetObject", object, false},
		{"AWSLambdaExecute", "s3:PutObject", object, true},
	} {
		name := "u"
		caller := f.as(f.newUser(accountA, name, ""))
		f.must(root, "AttachUserPolicy", "UserName", name, "PolicyArn", awsPolicyPrefix+tc.policy)
		d, err := f.Authorize(t.Context(), &caller, &Request{Action: tc.action, Resource: tc.resource, ResourceAccount: accountA})
		if err != nil {
			t.Fatal(err)
		}
		if d.Allowed() != tc.want {
			t.Errorf("%s, %s on %s: %s, want allowed %t", tc.policy, tc.action, tc.resource, d.Outcome, tc.want)
		}
		if err := f.Reset(t.Context(), accountA); err != nil {
			t.Fatal(err)
		}
	}
}
