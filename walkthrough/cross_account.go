package walkthrough

import "context"

// crossAccount is the console article as API calls: both buckets encrypt by default
// with a customer key, and role, key policies and bucket policy name each other. The
// article's texts do not pass as printed; the walkthrough shows two that are refused
// and goes on with the corrected ones.
func crossAccount(ctx context.Context, p *play) {
	a, b := p.actor("A", accountA), p.actor("B", accountB)
	p.cast(a, b)
	src, dst := a.bucket("my-source-bucket-account-a", "ap-south-1"), b.bucket("my-destination-bucket-account-b", "eu-north-1")
	srcKey, dstKey := a.key(src.region), b.key(dst.region)
	crr := a.role("S3ReplicationRoleAccountA")
	file := func(name string) string {
		return document("cross-account/"+name, placeholders{
			"SourceBucketName": src.name, "SourceBucketKMSKeyARN": srcKey.arn, "AccountA": a.account,
			"DestinationBucketName": dst.name, "DestinationBucketKMSKeyARN": dstKey.arn, "AccountB": b.account,
			"role": crr.arn(),
		})
	}

	p.chapter("1  Buckets")
	p.step(ctx, a, "create "+src.name+" in "+src.region+", versioning on", src.create, src.enableVersioning)
	p.step(ctx, b, "create "+dst.name+" in "+dst.region+", versioning on", dst.create, dst.enableVersioning)
	p.chapter("2  Keys and default encryption")
	p.step(ctx, a, "create key, alias s3-crr-key-account-a", srcKey.create, srcKey.alias("s3-crr-key-account-a"))
	p.step(ctx, a, "default encryption of the source bucket: aws:kms "+srcKey.short(), src.encryptWith(srcKey, false))
	p.step(ctx, b, "create key, alias s3-crr-key-account-b", dstKey.create, dstKey.alias("s3-crr-key-account-b"))
	p.step(ctx, b, "default encryption of the destination bucket: aws:kms "+dstKey.short(), dst.encryptWith(dstKey, false))
	p.chapter("3  Role")
	p.step(ctx, a, "create role "+crr.name+" for s3.amazonaws.com", crr.create(template("trust.json")))
	p.step(ctx, a, `a policy as printed, with arn:aws:s3::BUCKET and s3>ListBucket, is refused`,
		refused(crr.attach("S3ReplicationPolicyAccountA", asPrinted(file("role.json"))), answer{400, "MalformedPolicyDocument", "The policy failed legacy parsing"}))
	p.step(ctx, a, "create and attach policy S3ReplicationPolicyAccountA, corrected", crr.attach("S3ReplicationPolicyAccountA", file("role.json")))
	p.chapter("4  Key policies")
	p.step(ctx, a, "a key policy with the replication statement alone locks everybody out: refused",
		refused(srcKey.putPolicy(without("kms:*")(file("source-key.json"))), lockedOut))
	p.step(ctx, a, "key policy of the source key: account A, and the role may Decrypt", srcKey.putPolicy(file("source-key.json")))
	p.step(ctx, b, "key policy of the replica key: account B, and A's role may Encrypt", dstKey.putPolicy(file("replica-key.json")))
	p.chapter("5  Bucket policy")
	p.step(ctx, b, "bucket policy of the destination: A's role may replicate into it", dst.putPolicy(file("bucket-policy.json")))
	p.chapter("6  Replication rule")
	p.step(ctx, a, "V2 rule: all objects, INTELLIGENT_TIERING, delete markers, replica key "+dstKey.short(), src.putReplication(file("replication.json")))
	p.chapter("7  Verify")
	obj := src.byDefault("test/report.txt")
	p.step(ctx, a, "put "+obj.key+" without a word about encryption", p.held(obj.put, obj.status("PENDING")))
	p.step(ctx, nil, "replicated to "+dst.name, obj.arrives(replica{at: dst, key: dstKey, class: "INTELLIGENT_TIERING"}),
		obj.usedKeys(crr, keyUse{"Decrypt", srcKey}, keyUse{"Encrypt", dstKey}))
	var marker string
	p.step(ctx, a, "delete "+obj.key, obj.remove(&marker))
	p.step(ctx, nil, "the delete marker is replicated, the version stays", src.settled, obj.marker(&marker, dst), obj.status("COMPLETED"))
}

// lockedOut is KMS's answer to a key policy that its author could not change again.
var lockedOut = answer{400, "MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future."}

// asPrinted puts the article's two mistakes back into its role policy.
func asPrinted(policy string) string {
	return all(replace("s3:ListBucket", "s3>ListBucket"), replace("arn:aws:s3:::my-destination", "arn:aws:s3::my-destination"))(policy)
}
