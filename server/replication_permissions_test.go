package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// With an S3 Bucket Key the encryption context is the bucket's ARN.
func TestBucketKeyNeedsTheBucketsARN(t *testing.T) {
	w := small(t)
	w.replicate(w.kmsRule())
	decryptOf := func(context string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":%q,"Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":%q}}}`, w.srcKey, context)
	}
	withBucketKey := func(in *s3.PutObjectInput) { in.BucketKeyEnabled = aws.Bool(true) }
	rest := append(w.allStatements("kms:Decrypt"), allow("kms:Decrypt", w.dstKey))
	w.setRolePolicy("p", append(rest, decryptOf("arn:aws:s3:::"+w.src+"/*"))...)
	id := w.put("k", "x", w.withKMS, withBucketKey)
	w.settle()
	w.want("condition on the object", w.outcome("k", id), []string{w.dst + " FAILED SrcGetObjectNotPermitted"})
	w.setRolePolicy("p", append(rest, decryptOf("arn:aws:s3:::"+w.src))...)
	id = w.put("k", "x", w.withKMS, withBucketKey)
	w.settle()
	w.want("condition on the bucket", w.outcome("k", id), []string{w.dst + " COMPLETED"})
	w.want("the replica has one too", aws.ToBool(w.head(w.b(), w.dst, "k", id).BucketKeyEnabled), true)
}

// Across accounts bucket policy and key policy must both open.
func TestAcrossAccountsBothPoliciesOpen(t *testing.T) {
	w := small(t)
	w.replicate(w.kmsRule())
	w.setBucketPolicy(accountB, regionB, w.dst)
	w.setKeyPolicy(accountB, regionB, w.dstKey)
	try := func(what, want string) {
		t.Helper()
		id := w.put("k", "x", w.withKMS)
		w.settle()
		w.want(what, w.outcome("k", id), []string{strings.TrimSpace(w.dst + " " + want)})
	}
	try("neither", "FAILED DstPutObjectNotPermitted")
	w.setBucketPolicy(accountB, regionB, w.dst, w.openDestination())
	try("bucket policy only", "FAILED DstPutObjectNotPermitted")
	w.setKeyPolicy(accountB, regionB, w.dstKey, w.openKey())
	try("both", "COMPLETED")
	w.setBucketPolicy(accountB, regionB, w.dst)
	try("key policy only", "FAILED DstPutObjectNotPermitted")
}

// Who owns the replica: BucketOwnerEnforced, the override, or the source's owner.
func TestOwnerOfTheReplica(t *testing.T) {
	for _, tt := range []struct {
		name      string
		ownership types.ObjectOwnership
		override  bool
		without   string // a permission that must not matter, or must
		want      string
		outcome   string
	}{
		{"enforced", "BucketOwnerEnforced", false, "", accountB, "COMPLETED"},
		{"enforced needs no permission to override", "BucketOwnerEnforced", true, "s3:ObjectOwnerOverrideToBucketOwner", accountB, "COMPLETED"},
		{"writer", "ObjectWriter", false, "", accountA, "COMPLETED"},
		{"override", "ObjectWriter", true, "", accountB, "COMPLETED"},
		{"override without permission", "ObjectWriter", true, "s3:ObjectOwnerOverrideToBucketOwner", "", "FAILED DstPutObjectNotPermitted"},
		{"preferred is not enough", "BucketOwnerPreferred", false, "", accountA, "COMPLETED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := small(t)
			_, err := w.b().PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: &w.dst,
				OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: tt.ownership}}}})
			w.ok(err)
			w.setRolePolicy("p", w.allStatements(tt.without)...)
			w.replicate(w.plainRule(func(r *types.ReplicationRule) {
				if tt.override {
					r.Destination.Account = aws.String(accountB)
					r.Destination.AccessControlTranslation = &types.AccessControlTranslation{Owner: types.OwnerOverrideDestination}
				}
			}))
			id := w.put("k", "x")
			w.settle()
			w.want("outcome", w.outcome("k", id), []string{w.dst + " " + tt.outcome})
			if tt.want == "" {
				return
			}
			v, err := w.store.Version(t.Context(), w.dst, "k", id)
			w.ok(err)
			w.want("owner", v.Owner, tt.want)
		})
	}
}

// The two read permissions are alternatives for what is not SSE-KMS, whatever denies one.
func TestReadAlternatives(t *testing.T) {
	w := small(t)
	object := "arn:aws:s3:::" + w.src + "/*"
	const both, old = "s3:GetObjectVersionForReplication", "s3:GetObjectVersion"
	for _, tt := range []struct {
		name       string
		statements []string
		kms        bool
		want       string
	}{
		{"the other one", []string{allow(old, object)}, false, "COMPLETED"},
		{"the other one, SSE-KMS", []string{allow(old, object)}, true, "FAILED SrcGetObjectNotPermitted"},
		{"the other is denied", []string{allow(both, object), deny(old, object)}, false, "COMPLETED"},
		{"the first is denied", []string{allow(both, object), allow(old, object), deny(both, object)}, false, "COMPLETED"},
		{"the only one is denied", []string{allow(both, object), deny(both, object)}, false, "FAILED SrcGetObjectNotPermitted"},
		{"both are denied", []string{allow(both, object), allow(old, object), deny(both, object), deny(old, object)}, false, "FAILED SrcGetObjectNotPermitted"},
	} {
		w.setRolePolicy("p", append(w.allStatements(both), tt.statements...)...)
		w.replicate(w.kmsRule())
		id := w.put("k", "x", func(in *s3.PutObjectInput) {
			if tt.kms {
				w.withKMS(in)
			}
		})
		w.settle()
		w.want(tt.name, w.outcome("k", id), []string{w.dst + " " + tt.want})
	}
}

// ReplicateObject covers the tags, boundary or not; only an explicit deny drops them, and
// then the replica stands without.
func TestTagsAreCoveredByReplicateObject(t *testing.T) {
	w := small(t)
	w.replicate(w.plainRule())
	w.setRolePolicy("p", w.allStatements("s3:ReplicateTags")...)
	id := w.put("k", "x", tagged("k=1"))
	w.settle()
	w.want("without an allow", append(w.outcome("k", id), w.tagOf(w.b(), w.dst, "k", id)), []string{w.dst + " COMPLETED", "k=1"})
	for reason, statement := range map[string]string{
		"DstPutTaggingNotPermitted": deny("s3:ReplicateTags", "*"), "SrcGetTaggingNotPermitted": deny("s3:GetObjectVersionTagging", "*"),
	} {
		w.setRolePolicy("p", append(w.allStatements(), statement)...)
		id = w.put("k", "x", tagged("k=1"))
		w.settle()
		w.want("denied", append(w.outcome("k", id), w.tagOf(w.b(), w.dst, "k", id)), []string{w.dst + " FAILED " + reason, ""})
		w.want("a readable replica", w.status(w.b(), w.dst, "k", id), "REPLICA")
	}
}
