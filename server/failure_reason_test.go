package server

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"twinbucket/replicator"
)

// failureCase makes one version of key "k" fail for one reason.
type failureCase struct {
	reason, how string
	// fail does it, and returns the version. Where it does not write it itself, it
	// returns "", and an object is written and waited for after it.
	fail func(w *world) string
	// kms, tags: what kind of object that is.
	kms  bool
	tags string
}

// failures is every failureReason that a live rule can end with (R1, R20, R23), by what causes it.
// The others are of batch jobs.
var failures = []failureCase{
	{reason: "AssumeRoleNotPermitted", how: "the role is gone", fail: func(w *world) string {
		_, err := w.iam().DeleteRolePolicy(w.t.Context(), &iam.DeleteRolePolicyInput{RoleName: &w.role, PolicyName: aws.String("p")})
		w.ok(err)
		_, err = w.iam().DeleteRole(w.t.Context(), &iam.DeleteRoleInput{RoleName: &w.role})
		w.ok(err)
		return ""
	}},
	{reason: "AssumeRoleNotPermitted", how: "the trust policy names another service", fail: func(w *world) string {
		w.setTrust(strings.Replace(trustS3, "s3.amazonaws.com", "ec2.amazonaws.com", 1))
		return ""
	}},
	{reason: "DstBucketNotFound", how: "the destination was deleted", fail: func(w *world) string {
		_, err := w.b().DeleteBucket(w.t.Context(), &s3.DeleteBucketInput{Bucket: &w.dst})
		w.ok(err)
		return ""
	}},
	{reason: "DstBucketUnversioned", how: "versioning of the destination is suspended", fail: func(w *world) string {
		w.setVersioning(accountB, regionB, w.dst, types.BucketVersioningStatusSuspended)
		return ""
	}},
	{reason: "DstBucketObjectLockConfigMissing", how: "a legal hold, even OFF, for a bucket without Object Lock", fail: func(w *world) string {
		w.lock(accountA, regionA, w.src)
		return w.put("k", "x", held("OFF"))
	}},
	{reason: "DstDelObjNotPermitted", how: "no s3:ReplicateDelete", fail: func(w *world) string {
		w.setRolePolicy("p", w.allStatements("s3:ReplicateDelete")...)
		out, err := w.a().DeleteObject(w.t.Context(), &s3.DeleteObjectInput{Bucket: &w.src, Key: aws.String("k")})
		w.ok(err)
		return *out.VersionId
	}},
	{reason: "DstKmsKeyInvalidState", how: "the replica key is disabled", kms: true, fail: func(w *world) string {
		w.disableKey(accountB, regionB, w.dstKey)
		return ""
	}},
	{reason: "DstKmsKeyInvalidState", how: "the replica key waits for deletion", kms: true, fail: func(w *world) string {
		w.endKey(accountB, regionB, w.dstKey)
		return ""
	}},
	{reason: "DstKmsKeyNotFound", how: "there is no such replica key", kms: true, fail: func(w *world) string {
		w.replicaKey("arn:aws:kms:us-west-2:" + accountB + ":key/11111111-2222-3333-4444-555555555555")
		return ""
	}},
	{reason: "DstKmsKeyNotFound", how: "the replica key is in another Region", kms: true, fail: func(w *world) string {
		w.replicaKey(w.makeKey(accountB, "eu-west-1"))
		return ""
	}},
	{reason: "DstMultipartInitNotPermitted", how: "no s3:ReplicateObject for an object uploaded in parts", fail: func(w *world) string {
		w.setRolePolicy("p", w.allStatements("s3:ReplicateObject")...)
		return w.upload("k", 1)
	}},
	{reason: "DstMultipartUploadNotPermitted", how: "s3:ReplicateObject is taken away between two parts", fail: func(w *world) string {
		w.replicator.Pause()
		id := w.upload("k", partSize, 1)
		w.replicator.Resume()
		w.amidst()
		w.setRolePolicy("p", w.allStatements("s3:ReplicateObject")...)
		return id
	}},
	{reason: "DstMultipartCompleteNotPermitted", how: "s3:ReplicateObject is taken away before the end", fail: func(w *world) string {
		w.replicator.Pause()
		id := w.upload("k", partSize)
		w.replicator.Resume()
		w.amidst()
		w.setRolePolicy("p", w.allStatements("s3:ReplicateObject")...)
		return id
	}},
	{reason: "DstPutLegalHoldNotPermitted", how: "s3:PutObjectLegalHold is denied", fail: func(w *world) string {
		id := w.lockedPair()
		w.setRolePolicy("p", append(w.allStatements(), deny("s3:PutObjectLegalHold", "*"))...)
		_, err := w.a().PutObjectLegalHold(w.t.Context(), &s3.PutObjectLegalHoldInput{Bucket: &w.src, Key: aws.String("k"), VersionId: &id,
			LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOn}})
		w.ok(err)
		return id
	}},
	{reason: "DstPutRetentionNotPermitted", how: "s3:PutObjectRetention is denied", fail: func(w *world) string {
		id := w.lockedPair()
		w.setRolePolicy("p", append(w.allStatements(), deny("s3:PutObjectRetention", "*"))...)
		w.retain(id)
		return id
	}},
	{reason: "DstPutObjectNotPermitted", how: "no s3:ReplicateObject in the role's policy", fail: func(w *world) string {
		w.setRolePolicy("p", w.allStatements("s3:ReplicateObject")...)
		return ""
	}},
	{reason: "DstPutObjectNotPermitted", how: "no bucket policy", fail: func(w *world) string {
		w.setBucketPolicy(accountB, regionB, w.dst)
		return ""
	}},
	{reason: "DstPutObjectNotPermitted", how: "the role may not kms:Encrypt", kms: true, fail: func(w *world) string {
		w.setRolePolicy("p", w.allStatements("kms:Encrypt")...)
		return ""
	}},
	{reason: "DstPutObjectNotPermitted", how: "the key policy does not name the role", kms: true, fail: func(w *world) string {
		w.setKeyPolicy(accountB, regionB, w.dstKey)
		return ""
	}},
	{reason: "DstPutObjectNotPermitted", how: "the rule names another account than the destination's", fail: func(w *world) string {
		w.replicate(w.plainRule(func(r *types.ReplicationRule) { r.Destination.Account = aws.String(accountA) }))
		return ""
	}},
	{reason: "DstPutTaggingNotPermitted", how: "s3:ReplicateTags is denied", tags: "a=b", fail: func(w *world) string {
		w.setRolePolicy("p", append(w.allStatements(), deny("s3:ReplicateTags", "*"))...)
		return ""
	}},
	{reason: "DstPutTaggingNotPermitted", how: "s3:ReplicateTags is denied to a change of tags", fail: func(w *world) string {
		id := w.replicated()
		w.setRolePolicy("p", append(w.allStatements(), deny("s3:ReplicateTags", "*"))...)
		w.tag(w.a(), w.src, "k", id, "v")
		return id
	}},
	{reason: "DstPutAclNotPermitted", how: "no s3:ReplicateObject for a change of the ACL", fail: func(w *world) string {
		w.withACLs()
		id := w.replicated()
		w.setRolePolicy("p", w.allStatements("s3:ReplicateObject")...)
		_, err := w.a().PutObjectAcl(w.t.Context(), &s3.PutObjectAclInput{Bucket: &w.src, Key: aws.String("k"), VersionId: &id, ACL: types.ObjectCannedACLAuthenticatedRead})
		w.ok(err)
		return id
	}},
	{reason: "DstVersionNotFound", how: "the replica was removed before a change of tags", fail: func(w *world) string {
		id := w.replicated()
		_, err := w.b().DeleteObject(w.t.Context(), &s3.DeleteObjectInput{Bucket: &w.dst, Key: aws.String("k"), VersionId: &id})
		w.ok(err)
		w.tag(w.a(), w.src, "k", id, "v")
		return id
	}},
	{reason: "SrcGetAclNotPermitted", how: "no s3:GetObjectVersionAcl", fail: func(w *world) string {
		w.setRolePolicy("p", w.allStatements("s3:GetObjectVersionAcl")...)
		return ""
	}},
	{reason: "SrcGetLegalHoldNotPermitted", how: "no s3:GetObjectLegalHold", fail: func(w *world) string {
		w.lock(accountA, regionA, w.src)
		w.setRolePolicy("p", w.allStatements("s3:GetObjectLegalHold")...)
		return ""
	}},
	{reason: "SrcGetRetentionNotPermitted", how: "no s3:GetObjectRetention", fail: func(w *world) string {
		w.lock(accountA, regionA, w.src)
		w.setRolePolicy("p", w.allStatements("s3:GetObjectRetention")...)
		return ""
	}},
	{reason: "SrcGetObjectNotPermitted", how: "the forgotten star: the resource is …/Tax", fail: func(w *world) string {
		w.setRolePolicy("p", append(w.allStatements("s3:GetObjectVersionForReplication"), allow("s3:GetObjectVersionForReplication", "arn:aws:s3:::"+w.src+"/Tax"))...)
		return ""
	}},
	{reason: "SrcGetObjectNotPermitted", how: "no kms:Decrypt", kms: true, fail: func(w *world) string {
		w.setRolePolicy("p", append(w.allStatements("kms:Decrypt"), allow("kms:Decrypt", w.dstKey))...)
		return ""
	}},
	{reason: "SrcGetObjectNotPermitted", how: "the source's bucket policy denies it", fail: func(w *world) string {
		w.setBucketPolicy(accountA, regionA, w.src, fmt.Sprintf(`{"Effect":"Deny","Principal":"*","Action":"s3:GetObjectVersionForReplication","Resource":"arn:aws:s3:::%s/*"}`, w.src))
		return ""
	}},
	{reason: "SrcGetTaggingNotPermitted", how: "no s3:GetObjectVersionTagging", tags: "a=b", fail: func(w *world) string {
		w.setRolePolicy("p", w.allStatements("s3:GetObjectVersionTagging")...)
		return ""
	}},
	{reason: "SrcHeadObjectNotPermitted", how: "no permission to read when tags change", fail: func(w *world) string {
		id := w.replicated()
		w.setRolePolicy("p", w.allStatements("s3:GetObjectVersionForReplication")...)
		w.tag(w.a(), w.src, "k", id, "v")
		return id
	}},
	{reason: "SrcKmsKeyInvalidState", how: "the source key is disabled", fail: func(w *world) string {
		w.replicator.Pause()
		id := w.put("k", "x", w.withKMS)
		w.disableKey(accountA, regionA, w.srcKey)
		w.replicator.Resume()
		return id
	}},
	{reason: "SrcKmsKeyInvalidState", how: "the source key is gone", fail: func(w *world) string {
		w.replicator.Pause()
		id := w.put("k", "x", w.withKMS)
		w.endKey(accountA, regionA, w.srcKey)
		w.clock.Advance(8 * 24 * time.Hour)
		w.replicator.Resume()
		return id
	}},
}

// TestFailureReasons produces every failureReason and finds it in the explanation, with
// the step that failed.
func TestFailureReasons(t *testing.T) {
	seen := map[string]bool{}
	for i, tt := range failures {
		seen[tt.reason] = true
		t.Run(tt.reason+"/"+tt.how, func(t *testing.T) {
			w := newWorld(t, newServerRig(t, Config{ReplicationBandwidth: 20 << 20}), fmt.Sprint(i))
			w.replicate(w.kmsRule())
			id := tt.fail(w)
			if id == "" {
				id = w.put("k", "x", func(in *s3.PutObjectInput) {
					if tt.kms {
						w.withKMS(in)
					}
					if tt.tags != "" {
						in.Tagging = &tt.tags
					}
				})
			}
			w.settle()
			e := w.explained(w.src, "k", id)
			if e.Status != "FAILED" || len(e.Destinations) != 1 || e.Destinations[0].FailureReason != tt.reason {
				t.Fatalf("status %q, %v; want FAILED %s", e.Status, w.outcome("k", id), tt.reason)
			}
			if !slices.ContainsFunc(e.Destinations[0].Steps, func(s ExplainStep) bool {
				return (s.Outcome == replicator.StepDenied || s.Outcome == replicator.StepError) && s.Message != ""
			}) {
				t.Errorf("no step says why: %+v", e.Destinations[0].Steps)
			}
		})
	}
	for _, reason := range FailureReasons() {
		if batchOnly := []string{"DstObjectHardDeleted", "SrcBucketNotFound", "SrcBucketReplicationConfigMissing", "SrcObjectNotEligible"}; !seen[reason] && !slices.Contains(batchOnly, reason) {
			t.Errorf("%s is a reason that no case produces", reason)
		}
	}
}

func (w *world) replicaKey(keyARN string) {
	w.t.Helper()
	w.replicate(w.kmsRule(func(r *types.ReplicationRule) { r.Destination.EncryptionConfiguration.ReplicaKmsKeyID = &keyARN }))
}

// replicated writes k and waits for its replica.
func (w *world) replicated() string {
	w.t.Helper()
	id := w.put("k", "x")
	w.settle()
	return id
}

func (w *world) lock(account, region, bucket string) {
	w.t.Helper()
	_, err := w.in(account, region).PutObjectLockConfiguration(w.t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: &bucket,
		ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}})
	w.ok(err)
}

// lockedPair enables Object Lock on both sides and replicates k.
func (w *world) lockedPair() string {
	w.t.Helper()
	w.lock(accountA, regionA, w.src)
	w.lock(accountB, regionB, w.dst)
	return w.replicated()
}

func (w *world) retain(id string) {
	w.t.Helper()
	until := w.clock.Now().Add(time.Hour)
	_, err := w.a().PutObjectRetention(w.t.Context(), &s3.PutObjectRetentionInput{Bucket: &w.src, Key: aws.String("k"), VersionId: &id,
		Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeGovernance, RetainUntilDate: &until}})
	w.ok(err)
}

func held(state types.ObjectLockLegalHoldStatus) func(*s3.PutObjectInput) {
	return func(in *s3.PutObjectInput) {
		in.ObjectLockLegalHoldStatus, in.ChecksumAlgorithm = state, types.ChecksumAlgorithmSha256
	}
}

// withACLs enables ACLs on both sides.
func (w *world) withACLs() {
	w.t.Helper()
	for _, b := range []struct{ account, region, name string }{{accountA, regionA, w.src}, {accountB, regionB, w.dst}} {
		c := w.in(b.account, b.region)
		_, err := c.DeletePublicAccessBlock(w.t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &b.name})
		w.ok(err)
		_, err = c.PutBucketOwnershipControls(w.t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: &b.name,
			OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}}}})
		w.ok(err)
	}
}

// partSize takes a quarter of a second at the bandwidth of TestFailureReasons.
const partSize = 5 << 20

// upload writes key in parts of these sizes under SSE-KMS and returns the version.
func (w *world) upload(key string, sizes ...int) string {
	w.t.Helper()
	ctx := w.t.Context()
	up, err := w.a().CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &w.src, Key: &key, ServerSideEncryption: "aws:kms", SSEKMSKeyId: &w.srcKey})
	w.ok(err)
	var parts []types.CompletedPart
	for i, size := range sizes {
		n := aws.Int32(int32(i + 1))
		out, err := w.a().UploadPart(ctx, &s3.UploadPartInput{Bucket: &w.src, Key: &key, UploadId: up.UploadId, PartNumber: n, Body: bytes.NewReader(make([]byte, size))})
		w.ok(err)
		parts = append(parts, types.CompletedPart{ETag: out.ETag, PartNumber: n})
	}
	out, err := w.a().CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &w.src, Key: &key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	w.ok(err)
	return *out.VersionId
}

// amidst waits until a replica's data key was wrapped, which is just before its first part
// is read, and a moment more.
func (w *world) amidst() {
	w.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Millisecond)
		err := w.replicator.Wait(ctx, "")
		cancel()
		if err == nil {
			w.t.Fatal("the replica is there already")
		}
		var out struct{ Records []TrailEvent }
		w.ask(w.t, "GET", op+"trail?service=kms&name=Encrypt", "", 200, &out)
		if len(out.Records) > 0 {
			ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Millisecond)
			_ = w.replicator.Wait(ctx, "")
			cancel()
			return
		}
	}
}
