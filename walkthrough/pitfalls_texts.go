package walkthrough

// textPitfalls are texts of the documents that no service takes.
func textPitfalls() []pitfall {
	const (
		malformed       = "MalformedPolicyDocument"
		malformedBucket = "MalformedPolicy"
		malformedKey    = "MalformedPolicyDocumentException"
	)
	return []pitfall{
		{name: "action-typo", lesson: `an action is written with a colon, not "s3>ListBucket"`, play: refusedTexts(
			refusedText{in: rolePolicy, wrong: replace("s3:ListBucket", "s3>ListBucket"), says: "put-role-policy with s3>ListBucket",
				want: answer{400, malformed, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."}},
			refusedText{in: bucketPolicy, wrong: replace("s3:List*", "s3>List*"), says: "put-bucket-policy with s3>List*",
				want: answer{400, malformedBucket, "Policy has invalid action"}},
		)},
		{name: "arn-typo", lesson: "an S3 ARN has three colons before the bucket", play: refusedTexts(
			refusedText{in: rolePolicy, wrong: replace("arn:aws:s3:::${dest-bucket}/*", "arn:aws:s3::${dest-bucket}/*"), says: "put-role-policy with arn:aws:s3::BUCKET/*",
				want: answer{400, malformed, "The policy failed legacy parsing"}},
			refusedText{in: bucketPolicy, wrong: replace("arn:aws:s3:::${dest-bucket}/*", "arn:aws:s3::${dest-bucket}/*"), says: "put-bucket-policy with arn:aws:s3::BUCKET/*",
				want: answer{400, malformedBucket, "Policy has invalid resource"}},
		)},
		{name: "comma", lesson: "JSON has no comma before a closing bracket", play: refusedTexts(
			refusedText{in: rolePolicy, wrong: replace(`/Tax*"]`, `/Tax*",]`), says: "put-role-policy with trailing commas",
				want: answer{400, malformed, "Syntax errors in policy."}},
			refusedText{in: trustPolicy, wrong: replace(`"s3.amazonaws.com"`, `"s3.amazonaws.com",`), says: "update-assume-role-policy with a trailing comma",
				want: answer{400, malformed, "This policy contains invalid Json"}},
			refusedText{in: bucketPolicy, wrong: replace(`"s3:ReplicateDelete"]`, `"s3:ReplicateDelete",]`), says: "put-bucket-policy with a trailing comma",
				want: answer{400, malformedBucket, "This policy contains invalid Json"}},
		)},
		{name: "fragment", lesson: "statements are not a policy", play: refusedTexts(
			refusedText{in: rolePolicy, wrong: func(string) string {
				return `{"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*"}, {"Effect": "Allow", "Action": ["kms:Encrypt"], "Resource": "*"}`
			}, says: "put-role-policy with the two KMS statements as printed", want: answer{400, malformed, "Syntax errors in policy."}},
		)},
		{name: "placeholder", lesson: "placeholders must be filled in", play: refusedTexts(
			refusedText{in: rolePolicy, wrong: replace("${source-key}", "List of AWS KMS key IDs used to encrypt source objects."), says: "put-role-policy with the words for the keys as Resource",
				want: answer{400, malformed, `Resource List of AWS KMS key IDs used to encrypt source objects. must be in ARN format or "*".`}},
			refusedText{in: bucketPolicy, wrong: replace("${role}", "arn:aws:iam::AccountA:role/S3ReplicationRoleAccountA"), says: "put-bucket-policy for arn:aws:iam::AccountA:role/...",
				want: answer{400, malformedBucket, "Invalid principal in policy"}},
			refusedText{in: keyPolicy, wrong: replace("${account-a}", "AccountA"), says: "put-key-policy for arn:aws:iam::AccountA:root",
				want: answer{400, malformedKey, "Policy contains a statement with one or more invalid principals."}},
		)},
		{name: "no-such-action", lesson: "s3:ReplicateObjectTagsToBucketOwner does not exist", play: refusedTexts(
			refusedText{in: bucketPolicy, wrong: replace(`"s3:ReplicateObject"`, `"s3:ReplicateObjectTagsToBucketOwner"`), says: "put-bucket-policy with it (a role's policy takes it, and it does nothing)",
				want: answer{400, malformedBucket, "Policy has invalid action"}},
		)},
	}
}
