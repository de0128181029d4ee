package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// randomBuckets gives some of the buckets Object Lock, with a default retention or none, or ACLs.
func (w *world) randomBuckets(c chance) {
	if c.one(6) {
		w.withACLs()
	}
	if !c.one(5) {
		return
	}
	w.lock(accountA, regionA, w.src)
	if c.one(2) {
		w.lock(accountB, regionB, w.dst)
	}
	if c.one(2) {
		_, err := w.a().PutObjectLockConfiguration(w.t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: &w.src,
			ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: &types.ObjectLockRule{
				DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(1)}}}})
		w.ok(err)
	}
}

// randomRules puts one to three rules.
func (w *world) randomRules(c chance) {
	var rules []types.ReplicationRule
	for i := range 1 + c.IntN(3) {
		rule := w.kmsRule()
		if c.one(5) {
			rule = w.plainRule()
		}
		rule.ID, rule.Priority = aws.String(fmt.Sprint("r", i)), aws.Int32(int32(i*7%5))
		rule.Filter.Prefix = aws.String(pick(c, "", "", "", "Tax", "Tax", "Tax/", "other"))
		if c.one(4) {
			rule.DeleteMarkerReplication.Status = types.DeleteMarkerReplicationStatusDisabled
			rule.Filter = &types.ReplicationRuleFilter{Tag: &types.Tag{Key: aws.String("class"), Value: aws.String(pick(c, "a", "b"))}}
		}
		if c.one(6) {
			rule.Status = types.ReplicationRuleStatusDisabled
		}
		if c.one(4) {
			rule.Destination.Account = aws.String(pick(c, accountB, accountA))
			if c.one(2) {
				rule.Destination.AccessControlTranslation = &types.AccessControlTranslation{Owner: types.OwnerOverrideDestination}
			}
		}
		if c.one(4) {
			rule.Destination.StorageClass = types.StorageClassStandardIa
		}
		if i == 2 { // a second destination, of the same account and without KMS
			other := w.src + "-2"
			w.makeBucket(accountA, other, regionA)
			rule = w.plainRule()
			rule.ID, rule.Priority = aws.String("second"), aws.Int32(9)
			rule.Destination.Bucket = aws.String("arn:aws:s3:::" + other)
			w.setRolePolicy("second", allow("s3:ReplicateObject", "arn:aws:s3:::"+other+"/*"))
		}
		rules = append(rules, rule)
	}
	w.replicate(rules...)
}

func (w *world) randomUpload(c chance) upload {
	u := upload{key: pick(c, "Tax/return.pdf", "Tax/return.pdf", "Tax", "other/x y+z")}
	switch c.IntN(8) {
	case 0, 1:
		u.sse = "AES256"
	case 2:
	case 4: // the AWS managed key
		u.sse = "aws:kms"
	case 3:
		u.sse, u.kmsKey, u.bucketKey = "aws:kms", w.srcKey, true
	default:
		u.sse, u.kmsKey = "aws:kms", w.srcKey
	}
	if c.one(2) {
		u.tags = pick(c, "class=a", "class=b&owner=x", "z=1")
	}
	if c.one(8) {
		u.class = pick(c, "GLACIER", "GLACIER_IR", "STANDARD_IA")
	}
	if c.one(4) { // the bucket's default decides
		_, err := w.a().PutBucketEncryption(w.t.Context(), &s3.PutBucketEncryptionInput{Bucket: &w.src,
			ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
				ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &w.srcKey},
			}}}})
		w.ok(err)
	}
	return u
}

// damage takes away up to three of the things that replication needs.
func (w *world) damage(c chance) {
	object := "arn:aws:s3:::" + w.src + "/*"
	replica := "arn:aws:s3:::" + w.dst + "/*"
	breaks := []func(){
		func() {
			var without []string
			for range 1 + c.IntN(2) {
				without = append(without, pick(c, "s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging", "s3:GetObjectRetention", "s3:GetObjectLegalHold",
					"s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner", "kms:Decrypt", "kms:Encrypt"))
			}
			w.setRolePolicy("p", w.allStatements(without...)...)
		},
		func() {
			w.setRolePolicy("p", append(w.allStatements(), pick(c,
				deny("s3:GetObjectVersionForReplication", object), deny("s3:GetObjectVersion", object), deny("s3:GetObjectVersionTagging", object),
				deny("s3:ReplicateTags", replica), deny("s3:ReplicateObject", replica), deny("kms:Encrypt", "*"), deny("sts:AssumeRole", "*")))...)
		},
		func() { // the read of other objects than SSE-KMS ones needs only one of two permissions
			w.setRolePolicy("p", append(w.allStatements("s3:GetObjectVersionForReplication"), allow("s3:GetObjectVersion", object))...)
		},
		func() { // the walkthrough's forgotten star, and conditions right and wrong
			without := w.allStatements("s3:GetObjectVersionForReplication", "kms:Decrypt", "kms:Encrypt")
			condition := fmt.Sprintf(`,"Condition":{"StringLike":{"kms:ViaService":%q,"kms:EncryptionContext:aws:s3:arn":%q}}}`,
				pick(c, "s3.us-east-1.amazonaws.com", "s3.us-west-2.amazonaws.com"), pick(c, "arn:aws:s3:::"+w.src+"/Tax*", "arn:aws:s3:::"+w.src, "arn:aws:s3:::"+w.src+"/*"))
			w.setRolePolicy("p", append(without, allow("s3:GetObjectVersionForReplication", "arn:aws:s3:::"+w.src+pick(c, "/Tax", "/Tax*")),
				strings.TrimSuffix(allow("kms:Decrypt", w.srcKey), "}")+condition, allow("kms:Encrypt", w.dstKey), allow("kms:Decrypt", w.dstKey))...)
		},
		func() {
			w.setTrust(pick(c,
				strings.Replace(trustS3, "s3.amazonaws.com", "batchoperations.s3.amazonaws.com", 1),
				strings.Replace(trustS3, `"sts:AssumeRole"}`, `"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"`+pick(c, accountA, accountB)+`"}}}`, 1),
				strings.Replace(trustS3, `"sts:AssumeRole"}`, `"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::`+pick(c, w.src, w.dst)+`"}}}`, 1)))
		},
		func() {
			for _, name := range []string{"p", "second"} {
				_, _ = w.iam().DeleteRolePolicy(w.t.Context(), &iam.DeleteRolePolicyInput{RoleName: &w.role, PolicyName: aws.String(name)})
			}
			_, err := w.iam().DeleteRole(w.t.Context(), &iam.DeleteRoleInput{RoleName: &w.role})
			w.ok(err)
		},
		func() { w.setBucketPolicy(accountB, regionB, w.dst) },
		func() {
			w.setBucketPolicy(accountB, regionB, w.dst, pick(c,
				fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:ReplicateObject","s3:ReplicateDelete"],"Resource":%q}`, w.roleARN, replica),
				fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":%q},"Action":"s3:Replicate*","Resource":%q}`, "arn:aws:iam::"+accountA+":root", replica),
				w.openDestination()+fmt.Sprintf(`,{"Effect":"Deny","Principal":"*","Action":"s3:ReplicateTags","Resource":%q}`, replica),
				w.openDestination()+fmt.Sprintf(`,{"Effect":"Deny","Principal":"*","Action":"s3:ReplicateObject","Resource":%q,"Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}`, replica)))
		},
		func() {
			w.setBucketPolicy(accountA, regionA, w.src, fmt.Sprintf(`{"Effect":"Deny","Principal":"*","Action":%q,"Resource":%q}`,
				pick(c, "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging", "s3:GetObjectVersionForReplication"), object))
		},
		func() { w.setKeyPolicy(accountB, regionB, w.dstKey) },
		func() {
			w.setKeyPolicy(accountA, regionA, w.srcKey, fmt.Sprintf(`{"Effect":"Deny","Principal":{"AWS":%q},"Action":"kms:Decrypt","Resource":"*"}`, w.roleARN))
		},
		func() { w.disableKey(accountB, regionB, w.dstKey) },
		func() { w.disableKey(accountA, regionA, w.srcKey) },
		func() { w.endKey(accountB, regionB, w.dstKey) },
		func() {
			_, err := w.b().PutBucketVersioning(w.t.Context(), &s3.PutBucketVersioningInput{Bucket: &w.dst,
				VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
			if err != nil && !strings.Contains(err.Error(), "Object Lock") { // a locked bucket keeps its versioning
				w.ok(err)
			}
		},
		func() {
			_, err := w.b().DeleteBucket(w.t.Context(), &s3.DeleteBucketInput{Bucket: &w.dst})
			w.ok(err)
		},
		func() {
			_, err := w.b().PutBucketOwnershipControls(w.t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: &w.dst,
				OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}}}})
			w.ok(err)
		},
	}
	chosen := map[int]bool{}
	for range pick(c, 0, 1, 1, 1, 2, 2, 3) {
		chosen[c.IntN(len(breaks))] = true
	}
	last := []int{5, 15} // the role and the bucket go when nothing names them any more
	for i := range breaks {
		if chosen[i] && !slices.Contains(last, i) {
			breaks[i]()
		}
	}
	for _, i := range last {
		if chosen[i] {
			breaks[i]()
		}
	}
}
