package walkthrough

// The layers of a decision that a missing allow is blamed on.
const (
	inIdentity = "identity-based policy"
	inResource = "resource-based policy"
	inTrust    = "role trust policy"
)

// permissionPitfalls are mistakes in the policies of role, bucket and key that every
// service accepts.
func permissionPitfalls() []pitfall {
	return []pitfall{
		{name: "trust", lesson: "S3 must be allowed to assume the role", play: mistake{
			in: trustPolicy, wrong: replace("s3.amazonaws.com", "ec2.amazonaws.com"),
			says:  "the role trusts ec2.amazonaws.com",
			want:  denial{reason: "AssumeRoleNotPermitted", action: "sts:AssumeRole", decidedBy: inTrust},
			right: "update-assume-role-policy with s3.amazonaws.com",
		}.play},
		{name: "read-action", lesson: "SSE-KMS objects are read with s3:GetObjectVersionForReplication", play: mistake{
			in: rolePolicy, wrong: replace("s3:GetObjectVersionForReplication", "s3:GetObjectVersion"),
			says: "the role has s3:GetObjectVersion",
			want: denial{reason: "SrcGetObjectNotPermitted", action: "s3:GetObjectVersionForReplication", decidedBy: inIdentity,
				closest: "action", says: "s3:GetObjectVersion"},
			passes: "for this one it is enough",
			right:  "put-role-policy with s3:GetObjectVersionForReplication",
		}.play},
		{name: "wildcard", lesson: "a resource without * is one key", play: mistake{
			in: rolePolicy, wrong: replace(`"Resource": ["arn:aws:s3:::${source-bucket}/Tax*"]`, `"Resource": ["arn:aws:s3:::${source-bucket}/Tax"]`),
			says: "the role may read .../Tax, not .../Tax*",
			want: denial{reason: "SrcGetObjectNotPermitted", action: "s3:GetObjectVersionForReplication", decidedBy: inIdentity,
				closest: "resource", says: "/Tax"},
			right: "put-role-policy with .../Tax*",
		}.play},
		{name: "context-wildcard", lesson: "the encryption context is compared as a whole, too", play: mistake{
			in: rolePolicy, wrong: replace(`"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::${source-bucket}/Tax*"]`, `"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::${source-bucket}/Tax"]`),
			says: "kms:Decrypt is for the context .../Tax",
			want: denial{reason: "SrcGetObjectNotPermitted", action: "kms:Decrypt", decidedBy: inIdentity,
				closest: "condition kms:EncryptionContext:aws:s3:arn", says: "/Tax"},
			right: "put-role-policy with .../Tax* in the condition",
		}.play},
		{name: "via-service", lesson: "a Region placeholder left in a condition equals no Region", play: mistake{
			in: rolePolicy, wrong: replace("s3.${dest-bucket-region}.amazonaws.com", "s3.dest-bucket-region.amazonaws.com"),
			says: "kms:Encrypt is for s3.dest-bucket-region.amazonaws.com",
			want: denial{reason: "DstPutObjectNotPermitted", action: "kms:Encrypt", decidedBy: inIdentity,
				closest: "condition kms:ViaService", says: "s3.dest-bucket-region.amazonaws.com"},
			right: "put-role-policy with s3.us-west-2.amazonaws.com",
		}.play},
		{name: "decrypt", lesson: "the role unwraps the source's data key", play: mistake{
			in: rolePolicy, wrong: without("kms:Decrypt"), says: "the role has no kms:Decrypt",
			want:  denial{reason: "SrcGetObjectNotPermitted", action: "kms:Decrypt", decidedBy: inIdentity},
			right: "put-role-policy with kms:Decrypt on the source key",
		}.play},
		{name: "encrypt", lesson: "the role wraps it under the replica key", play: mistake{
			in: rolePolicy, wrong: without("kms:Encrypt"), says: "the role has no kms:Encrypt",
			want:  denial{reason: "DstPutObjectNotPermitted", action: "kms:Encrypt", decidedBy: inIdentity},
			right: "put-role-policy with kms:Encrypt on the replica key",
		}.play},
		{name: "source-tags", lesson: "tags are read at the source: a permission on the destination does nothing", play: mistake{
			in: rolePolicy, wrong: replace(`"s3:ReplicateDelete"`, `"s3:ReplicateDelete", "s3:ReplicateTags", "s3:GetObjectVersionTagging"`),
			tags: "class=a", says: "s3:GetObjectVersionTagging is for the destination",
			want:  denial{reason: "SrcGetTaggingNotPermitted", action: "s3:GetObjectVersionTagging", decidedBy: inIdentity},
			right: "put-role-policy with s3:GetObjectVersionTagging on the source",
			mend:  replace(`"s3:GetObjectVersionAcl"`, `"s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"`),
		}.play},
		{name: "bucket-policy", lesson: "the owner of the destination must let the role in", play: mistake{
			in: bucketPolicy, wrong: nothing, says: "the destination has no bucket policy",
			want:  denial{reason: "DstPutObjectNotPermitted", action: "s3:ReplicateObject", decidedBy: inResource},
			right: "put-bucket-policy for the role",
		}.play},
		{name: "key-policy", lesson: "the owner of the replica key must let the source account in", play: mistake{
			in: keyPolicy, wrong: without("kms:Encrypt"), says: "the replica key's policy names account B alone",
			want:  denial{reason: "DstPutObjectNotPermitted", action: "kms:Encrypt", decidedBy: inResource},
			right: "put-key-policy for account A",
		}.play},
	}
}
