package walkthrough

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// sameAccount is the demonstration with one account and one profile: two Regions, a
// rule for the whole bucket, and a role that may only write replicas under one key.
func sameAccount(ctx context.Context, p *play) {
	me := p.actor("A", "589512693537")
	p.cast(me)
	src, dst := me.bucket("src-bkt-101", "us-east-1"), me.bucket("dest-bkt-101", "us-east-2")
	srcKey, dstKey := me.key(src.region), me.key(dst.region)
	crr := me.role("s3-crr-with-kms-role")
	file := func(name string) string {
		return document("same-account/"+name, placeholders{
			"src_bkt": src.name, "src_kms_region": src.region, "src_kms_arn": srcKey.arn,
			"dest_bkt": dst.name, "dest_kms_region": dst.region, "dest_kms_arn": dstKey.arn,
			"iam_role_arn": crr.arn(),
		})
	}

	p.chapter("Set up")
	p.step(ctx, me, "create the source key in "+src.region, srcKey.createWith("", "7c711927-4cb0-4aa7-8e2e-81ec63602dd7"))
	p.step(ctx, me, "create the destination key in "+dst.region, dstKey.createWith("", "91b7d8e5-e9ad-4d82-95ba-2bb0c43ed9cc"))
	p.step(ctx, me, "create-bucket "+src.name+" in "+src.region, src.create)
	p.step(ctx, me, "put-bucket-versioning Status=Enabled on "+src.name, src.enableVersioning)
	p.step(ctx, me, "create-bucket "+dst.name+" with LocationConstraint="+dst.region, dst.create)
	p.step(ctx, me, "put-bucket-versioning Status=Enabled on "+dst.name, dst.enableVersioning)
	p.step(ctx, me, "create-role "+crr.name+" that s3.amazonaws.com may assume", crr.create(template("trust.json")))
	p.step(ctx, me, "put-role-policy: Replicate* only to replicas under AES256 or key "+dstKey.short(), crr.putPolicy(file("role.json")))
	p.step(ctx, me, `put-bucket-replication: V1 rule, prefix "", replica key `+dstKey.short(), src.putReplication(file("replication.json")))

	p.chapter("Test the set-up")
	kms := src.encrypted("report.csv", srcKey)
	p.step(ctx, me, "put "+kms.key+", aws:kms, source key "+srcKey.short(), p.held(kms.put, kms.status("PENDING")))
	p.step(ctx, nil, "replicated to "+dst.name, kms.arrives(replica{at: dst, key: dstKey}),
		kms.usedKeys(crr, keyUse{"Decrypt", srcKey}, keyUse{"Encrypt", dstKey}))
	plain := src.plain("notes.txt")
	p.step(ctx, me, "put "+plain.key+", SSE-S3: StringLikeIfExists lets AES256 pass without a key", plain.put)
	p.step(ctx, nil, "replicated to "+dst.name, plain.arrives(replica{at: dst}))
	own := src.encrypted("managed.bin", nil)
	own.sse = types.ServerSideEncryptionAwsKms
	p.step(ctx, me, "put "+own.key+", aws:kms without a key: the account's own aws/s3", own.put)
	p.step(ctx, nil, "replicated under the destination key all the same", own.arrives(replica{at: dst, key: dstKey}))
	var marker string
	p.step(ctx, me, "delete "+kms.key+": V1 rules replicate delete markers", kms.remove(&marker), src.settled, kms.marker(&marker, dst))
}
