package walkthrough

import "context"

// crrKMS first sets up cross-account replication of the prefix Tax, then opts in to
// SSE-KMS objects, as the S3 guide does in its fourth replication walkthrough.
func crrKMS(ctx context.Context, p *play) {
	a, b := p.actor("A", accountA), p.actor("B", accountB)
	p.cast(a, b)
	src, dst := a.bucket("tax-source", "us-east-1"), b.bucket("tax-replica", "us-west-2")
	srcKey, dstKey := a.key(src.region), b.key(dst.region)
	crr := a.role("crr")
	names := func() placeholders {
		return placeholders{
			"source-bucket": src.name, "source-bucket-region": src.region, "source-key": srcKey.arn,
			"dest-bucket": dst.name, "dest-bucket-region": dst.region, "replica-key": dstKey.arn,
			"role": crr.arn(), "account-a": a.account, "account-b": b.account,
		}
	}
	file := func(name string) string { return document("crr-kms/"+name, names()) }

	p.chapter("Replication between two accounts")
	p.step(ctx, a, "create source bucket "+src.name+" in "+src.region+", versioning on", src.create, src.enableVersioning)
	p.step(ctx, b, "create destination bucket "+dst.name+" in "+dst.region+", versioning on", dst.create, dst.enableVersioning)
	p.step(ctx, a, "create role "+crr.name+" for s3.amazonaws.com; policy: read Tax*, write replicas",
		crr.create(template("trust.json")), crr.putPolicy(file("role-basic.json")))
	p.step(ctx, b, "put-bucket-policy on "+dst.name+": the role may replicate into it", dst.putPolicy(file("bucket-policy.json")))
	p.step(ctx, a, "put-bucket-replication: V1 rule, prefix Tax, nothing about KMS", src.putReplication(file("replication-basic.json")))
	plain := src.plain("Tax/receipt.txt")
	p.step(ctx, a, "put "+plain.key+", SSE-S3", plain.put)
	p.step(ctx, nil, "replicated to "+dst.name, plain.arrives(replica{at: dst}))
	other := src.plain("Photos/cat.jpg")
	p.step(ctx, a, "put "+other.key+": outside the prefix", other.put, other.notStarted(dst))

	p.chapter("SSE-KMS objects")
	p.step(ctx, a, "create source key in "+src.region, srcKey.create)
	p.step(ctx, b, "create replica key in "+dst.region+"; its policy lets account A use it", dstKey.createWith(file("key-policy.json"), ""))
	early := src.encrypted("Tax/return-2024.pdf", srcKey)
	p.step(ctx, a, "put "+early.key+", aws:kms, source key "+srcKey.short()+": nobody opted in", early.put, early.notStarted(dst))
	p.step(ctx, a, "put-bucket-replication: prefix Tax, SSE-KMS, replica key "+dstKey.short(), src.putReplication(file("replication.json")))
	p.step(ctx, a, "get-bucket-replication: the role and the replica key are in it", src.showReplication(crr, dstKey))
	p.step(ctx, a, "put-role-policy: kms:Decrypt and kms:Encrypt, each for its bucket, key and Region", crr.putPolicy(file("role.json")))
	late := src.encrypted("Tax/return-2025.pdf", srcKey)
	p.step(ctx, a, "put "+late.key+", aws:kms, source key "+srcKey.short(), p.held(late.put, late.status("PENDING")))
	p.step(ctx, nil, "replicated to "+dst.name, late.arrives(replica{at: dst, key: dstKey}),
		late.usedKeys(crr, keyUse{"Decrypt", srcKey}, keyUse{"Encrypt", dstKey}))
	p.step(ctx, a, early.key+" stays where it is: rules look at new versions only", early.status(""), early.absent(dst))
}
