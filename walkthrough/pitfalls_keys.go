package walkthrough

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// keyPitfalls are about keys that look right and are not.
func keyPitfalls() []pitfall {
	return []pitfall{
		{name: "managed-key", lesson: "another account cannot use an AWS managed key", play: managedKey},
		{name: "lockout", lesson: "a key policy with the replication statement alone would lock its owner out", play: refusedTexts(refusedText{
			in: keyPolicy, wrong: without("kms:*"), says: "put-key-policy with account A's statement alone", want: lockedOut,
		})},
		{name: "bucket-key", lesson: "with an S3 Bucket Key the encryption context is the bucket's ARN", play: bucketKeyContext},
	}
}

// managedKey: the policy of aws/s3 serves one account, and nobody can change it.
func managedKey(ctx context.Context, p *play, s *setup) {
	p.step(ctx, s.a, "all as it should be", s.build)
	first := s.dst.encrypted("first-use", nil)
	managed := s.b.key(s.dst.region)
	p.step(ctx, s.b, "put "+first.key+" with aws:kms and no key: S3 makes alias/aws/s3 of account B", first.put,
		func(ctx context.Context, st *step) error {
			out, err := first.head(ctx, s.dst)
			if err != nil {
				return err
			}
			managed.arn = deref(out.SSEKMSKeyId)
			st.note = "key " + managed.short()
			return nil
		})
	s.replicaKey = managed.arn
	p.step(ctx, s.a, "make it the replica key, in the rule and in the role's policy: 200", s.put(rolePolicy, nil), s.put(replication, nil))
	failed := s.taxes("return-2025.pdf")
	p.step(ctx, s.a, "put "+failed.key+", aws:kms", failed.put, failed.fails(denial{
		reason: "DstPutObjectNotPermitted", action: "kms:Encrypt", decidedBy: inResource,
		closest: "condition kms:CallerAccount", says: s.b.account,
	}))
	p.step(ctx, s.b, "put-key-policy on the AWS managed key", refused(managed.putPolicy(s.fill(s.papers[keyPolicy])), answer{400, "AccessDeniedException", ""}))
	s.replicaKey = ""
	p.step(ctx, s.a, "repair: a customer managed key in the rule and in the role's policy", s.put(rolePolicy, nil), s.put(replication, nil))
	p.recovers(ctx, s, failed)
}

// bucketKeyContext: one key for the bucket, so the context names no object.
func bucketKeyContext(ctx context.Context, p *play, s *setup) {
	p.step(ctx, s.a, "all as it should be, but the source bucket's default encryption uses a Bucket Key", s.build, s.src.encryptWith(s.srcKey, true))
	failed := s.src.byDefault("Tax/return-2025.pdf")
	p.step(ctx, s.a, "put "+failed.key, failed.put, failed.fails(denial{
		reason: "SrcGetObjectNotPermitted", action: "kms:Decrypt", decidedBy: inIdentity,
		closest: "condition kms:EncryptionContext:aws:s3:arn", says: s.src.name + "/Tax*",
	}))
	p.step(ctx, s.a, "repair: bucket ARNs as contexts; kms:Decrypt on the replica key, which S3 verifies", s.put(rolePolicy, all(
		replace(`"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::${source-bucket}/Tax*"]`, `"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::${source-bucket}"]`),
		replace(`"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::${dest-bucket}/Tax*"]`, `"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::${dest-bucket}"]`),
		replace(`"kms:Encrypt"`, `"kms:Encrypt", "kms:Decrypt"`),
	)))
	p.step(ctx, nil, failed.key+" is not retried by itself; put back, it arrives", failed.status("FAILED"), failed.again, s.receives(failed))
	next := s.src.byDefault("Tax/return-2026.pdf")
	p.step(ctx, s.a, "put "+next.key, next.put, s.receives(next))
}

// dataKey asks KMS itself, as a client would.
func (k *key) dataKey(ctx context.Context, _ *step) error {
	_, err := k.client().GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String(k.arn), KeySpec: "AES_256"})
	return err
}
