package iamsim

import "time"

// AWS managed policies belong to no account.
const (
	awsAccount      = "aws"
	awsPolicyPrefix = "arn:aws:iam::aws:policy/"
)

// awsManagedPolicies are the AWS managed policies that exist here, by ARN (I41).
func awsManagedPolicies() map[string]*managedPolicy {
	created := time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)
	out := map[string]*managedPolicy{}
	for _, p := range [...]struct{ name, id, description, text string }{
		{"AdministratorAccess", "ANPAIWMBCKSKIEE64ZLYK", "Provides full access to AWS services and resources.", administratorAccess},
		{"PowerUserAccess", "ANPAJYRXTHIB4FOVS3ZXS", "Provides full access to AWS services and resources, but does not allow management of Users and groups.", powerUserAccess},
		{"ReadOnlyAccess", "ANPAILL3HVNFSB6DCOWYQ", "Provides read-only access to AWS services and resources.", readOnlyAccess},
		{"AmazonS3FullAccess", "ANPAIFIR6V6BVTRAHWINE", "Provides full access to all buckets via the AWS Management Console.", s3FullAccess},
		{"AmazonS3ReadOnlyAccess", "ANPAIZTJ4DXE7G6AGAE6M", "Provides read only access to all buckets via the AWS Management Console.", s3ReadOnlyAccess},
	} {
		arn := awsPolicyPrefix + p.name
		out[arn] = &managedPolicy{
			Account: awsAccount, Path: "/", Name: p.name, ID: p.id, Description: p.description,
			Created: created, Updated: created, Default: "v1", Next: 2,
			Versions: []policyVersion{{ID: "v1", Text: p.text, Created: created}}, arn: arn,
		}
	}
	return out
}

const administratorAccess = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*"
        }
    ]
}`

const powerUserAccess = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "NotAction": [
                "iam:*",
                "organizations:*",
                "account:*"
            ],
            "Resource": "*"
        },
        {
            "Effect": "Allow",
            "Action": [
                "iam:CreateServiceLinkedRole",
                "iam:DeleteServiceLinkedRole",
                "iam:ListRoles",
                "organizations:DescribeOrganization",
                "account:ListRegions",
                "account:GetAccountInformation"
            ],
            "Resource": "*"
        }
    ]
}`

// readOnlyAccess is the part of AWS's document that concerns the services built here.
const readOnlyAccess = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "ReadOnlyActions",
            "Effect": "Allow",
            "Action": [
                "iam:Generate*",
                "iam:Get*",
                "iam:List*",
                "iam:Simulate*",
                "kms:Describe*",
                "kms:Get*",
                "kms:List*",
                "s3:DescribeJob",
                "s3:Get*",
                "s3:List*",
                "sts:GetAccessKeyInfo",
                "sts:GetCallerIdentity",
                "sts:GetSessionToken"
            ],
            "Resource": "*"
        }
    ]
}`

const s3FullAccess = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "s3:*",
                "s3-object-lambda:*"
            ],
            "Resource": "*"
        }
    ]
}`

const s3ReadOnlyAccess = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "s3:Get*",
                "s3:List*",
                "s3:Describe*",
                "s3-object-lambda:Get*",
                "s3-object-lambda:List*"
            ],
            "Resource": "*"
        }
    ]
}`
