package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// small makes a world in a server of its own.
func small(t *testing.T) *world {
	t.Helper()
	return newWorld(t, newServerRig(t, Config{}), "")
}

func (w *world) want(what string, got, want any) {
	w.t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		w.t.Errorf("%s (-want +got): %s", what, d)
	}
}

// versions are the ids of the versions and markers of a key, newest first.
func (w *world) versions(c *s3.Client, bucket, key string) (ids []string) {
	w.t.Helper()
	out, err := c.ListObjectVersions(w.t.Context(), &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &key})
	w.ok(err)
	for _, v := range out.Versions {
		ids = append(ids, *v.VersionId)
	}
	for _, m := range out.DeleteMarkers {
		ids = append(ids, "marker "+*m.VersionId)
	}
	return ids
}

func (w *world) tag(c *s3.Client, bucket, key, id, value string) {
	w.t.Helper()
	in := &s3.PutObjectTaggingInput{Bucket: &bucket, Key: &key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("k"), Value: &value}}}}
	if id != "" {
		in.VersionId = &id
	}
	_, err := c.PutObjectTagging(w.t.Context(), in)
	w.ok(err)
}

func (w *world) tagOf(c *s3.Client, bucket, key, id string) string {
	w.t.Helper()
	out, err := c.GetObjectTagging(w.t.Context(), &s3.GetObjectTaggingInput{Bucket: &bucket, Key: &key, VersionId: &id})
	w.ok(err)
	var tags []string
	for _, t := range out.TagSet {
		tags = append(tags, *t.Key+"="+*t.Value)
	}
	return strings.Join(tags, ",")
}

// Walkthrough 4 in both schemas: the replica is the source under another key.
func TestReplicaEqualsItsSource(t *testing.T) {
	for _, schema := range []string{"V1", "V2"} {
		t.Run(schema, func(t *testing.T) {
			w := small(t)
			w.replicate(w.kmsRule(func(r *types.ReplicationRule) {
				if r.Filter.Prefix = aws.String("Tax"); schema == "V1" {
					r.Filter, r.Priority, r.DeleteMarkerReplication, r.Prefix = nil, nil, nil, aws.String("Tax")
				}
			}))
			w.replicator.Pause()
			id := w.put("Tax/doc1", "hello", w.withKMS, func(in *s3.PutObjectInput) { in.Metadata = map[string]string{"a": "b"} })
			w.want("status at once", w.status(w.a(), w.src, "Tax/doc1", id), "PENDING")
			w.replicator.Resume()
			w.settle()
			src, dst := w.head(w.a(), w.src, "Tax/doc1", id), w.head(w.b(), w.dst, "Tax/doc1", id)
			w.want("status", []types.ReplicationStatus{src.ReplicationStatus, dst.ReplicationStatus}, []types.ReplicationStatus{"COMPLETED", "REPLICA"})
			w.want("key", *dst.SSEKMSKeyId, w.dstKey)
			w.want("the rest", []any{*dst.ETag, *dst.LastModified, *dst.ContentLength, dst.Metadata, dst.ServerSideEncryption},
				[]any{*src.ETag, *src.LastModified, *src.ContentLength, src.Metadata, src.ServerSideEncryption})
		})
	}
}

// What no rule selects has no status and no replica.
func TestNotEligible(t *testing.T) {
	w := small(t)
	before := w.put("existing", "x")
	w.replicate(w.plainRule(func(r *types.ReplicationRule) { r.ID = aws.String("on"); r.Filter.Prefix = aws.String("on/") }),
		w.plainRule(func(r *types.ReplicationRule) {
			r.ID, r.Priority, r.Status = aws.String("off"), aws.Int32(2), types.ReplicationRuleStatusDisabled
			r.Filter.Prefix = aws.String("off/")
		}),
		w.plainRule(func(r *types.ReplicationRule) {
			r.ID, r.Priority = aws.String("tag"), aws.Int32(3)
			r.DeleteMarkerReplication.Status = types.DeleteMarkerReplicationStatusDisabled
			r.Filter = &types.ReplicationRuleFilter{Tag: &types.Tag{Key: aws.String("k"), Value: aws.String("v")}}
		}))
	w.put("on/kms", "x", w.withKMS)
	w.put("off/x", "x")
	w.put("untagged", "x")
	w.tag(w.a(), w.src, "untagged", "", "v") // too late
	for _, class := range []types.StorageClass{"GLACIER", "DEEP_ARCHIVE"} {
		w.put("on/"+string(class), "x", func(in *s3.PutObjectInput) { in.StorageClass = class })
	}
	ir := w.put("on/ir", "x", func(in *s3.PutObjectInput) { in.StorageClass = "GLACIER_IR" })
	hit := w.put("tagged", "x", tagged("k=v&other=1"))
	w.settle()
	for _, key := range []string{"existing", "on/kms", "off/x", "untagged", "on/GLACIER", "on/DEEP_ARCHIVE"} {
		w.want(key, w.status(w.a(), w.src, key, ""), "")
		w.want(key+"'s replicas", len(w.versions(w.b(), w.dst, key)), 0)
	}
	w.want("GLACIER_IR", string(w.head(w.b(), w.dst, "on/ir", ir).StorageClass), "GLACIER_IR")
	w.want("tagged", w.status(w.b(), w.dst, "tagged", hit), "REPLICA")
	// A rule that is there now does not reach back; a copy in place is a new version.
	w.replicate(w.plainRule())
	w.settle()
	w.want("existing", w.status(w.a(), w.src, "existing", before), "")
	_, err := w.a().CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &w.src, Key: aws.String("existing"), CopySource: aws.String(w.src + "/existing"), MetadataDirective: "REPLACE"})
	w.ok(err)
	w.settle()
	w.want("copied in place", w.status(w.a(), w.src, "existing", ""), "COMPLETED")
}

// FAILED stays FAILED when the cause is repaired; there are ways out.
func TestWaysOutOfFailed(t *testing.T) {
	w := small(t)
	w.replicate(w.kmsRule())
	w.setRolePolicy("p", w.allStatements("kms:Encrypt")...)
	one, two, three := w.put("one", "x", w.withKMS), w.put("two", "x", w.withKMS), w.put("three", "x", w.withKMS)
	w.settle()
	w.setRolePolicy("p", w.allStatements()...)
	w.clock.Advance(24 * time.Hour)
	w.settle()
	for key, id := range map[string]string{"one": one, "two": two, "three": three} {
		w.want(key, w.outcome(key, id), []string{w.dst + " FAILED DstPutObjectNotPermitted"})
	}
	again := w.put("one", "x", w.withKMS)
	w.tag(w.a(), w.src, "two", two, "v")
	if n, err := w.replicator.Retry(t.Context(), w.src, "three", ""); n != 1 || err != nil {
		t.Errorf("retried %d, %v", n, err)
	}
	w.settle()
	w.want("the old version of a new upload", w.status(w.a(), w.src, "one", one), "FAILED")
	w.want("new upload", w.status(w.a(), w.src, "one", again), "COMPLETED")
	w.want("metadata change", w.status(w.a(), w.src, "two", two), "COMPLETED")
	w.want("its replica's tags", w.tagOf(w.b(), w.dst, "two", two), "k=v")
	w.want("retry", w.status(w.a(), w.src, "three", three), "COMPLETED")
}

// KMS throttling delays and never fails (R3, R25).
func TestThrottlingOnlyDelays(t *testing.T) {
	w := newWorld(t, newServerRig(t, Config{KMSPerSecond: 1}), "")
	w.replicate(w.kmsRule())
	accepted := map[string]string{}
	refused := 0
	for i := range 20 {
		key := fmt.Sprint("k", i)
		out, err := w.a().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.src, Key: &key, ServerSideEncryption: "aws:kms", SSEKMSKeyId: &w.srcKey})
		if err == nil {
			accepted[key] = *out.VersionId
		} else if refused++; !strings.Contains(err.Error(), "SlowDown") || !strings.Contains(err.Error(), "operations involving AWS KMS") {
			t.Errorf("got %v", err)
		}
		if i%5 == 0 {
			w.clock.Advance(time.Second)
		}
	}
	if len(accepted) < 2 || refused < 5 {
		t.Fatalf("%d accepted, %d refused", len(accepted), refused)
	}
	for range 200 {
		if w.store.Pending() == 0 {
			break
		}
		w.clock.Advance(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_ = w.replicator.Wait(ctx, "") // the workers do what they can without time going by
		cancel()
	}
	w.settle()
	for key, id := range accepted {
		w.want(key, w.status(w.a(), w.src, key, id), "COMPLETED")
	}
}

// Delete markers replicate by the schema of the rule, permanent deletes never.
func TestDeletes(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule func(*types.ReplicationRule)
		want int // markers at the destination
	}{
		{"V1", func(r *types.ReplicationRule) {
			r.Filter, r.Priority, r.DeleteMarkerReplication, r.Prefix = nil, nil, nil, aws.String("")
		}, 1},
		{"V2 as it is by default", func(r *types.ReplicationRule) {
			r.DeleteMarkerReplication.Status = types.DeleteMarkerReplicationStatusDisabled
		}, 0},
		{"V2 opted in", func(r *types.ReplicationRule) {}, 1},
		{"V2 by tag", func(r *types.ReplicationRule) {
			r.DeleteMarkerReplication.Status = types.DeleteMarkerReplicationStatusDisabled
			r.Filter = &types.ReplicationRuleFilter{Tag: &types.Tag{Key: aws.String("k"), Value: aws.String("v")}}
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := small(t)
			w.replicate(w.plainRule(tt.rule))
			id := w.put("k", "x", tagged("k=v"))
			w.settle()
			out, err := w.a().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &w.src, Key: aws.String("k")})
			w.ok(err)
			w.settle()
			want := []string{id}
			if tt.want == 1 {
				want = append(want, "marker "+*out.VersionId)
			}
			w.want("at the destination", w.versions(w.b(), w.dst, "k"), want)
			for _, gone := range []string{id, *out.VersionId} {
				_, err := w.a().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &w.src, Key: aws.String("k"), VersionId: &gone})
				w.ok(err)
			}
			w.settle()
			w.want("after permanent deletes at the source", w.versions(w.b(), w.dst, "k"), want)
		})
	}
}

// A → B → C stops at B.
func TestReplicasDoNotChain(t *testing.T) {
	w := small(t)
	third := "third"
	w.makeBucket(accountA, third, regionA)
	role := "arn:aws:iam::" + accountB + ":role/onward"
	onward := iam.NewFromConfig(w.cfg, func(o *iam.Options) { o.Credentials = root(accountB) })
	_, err := onward.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("onward"), AssumeRolePolicyDocument: aws.String(trustS3)})
	w.ok(err)
	w.replicate(w.plainRule())
	w.replicateFrom(w.b(), w.dst, role, w.plainRule(func(r *types.ReplicationRule) { r.Destination.Bucket = aws.String("arn:aws:s3:::" + third) }))
	id := w.put("k", "x")
	w.settle()
	w.want("B", w.status(w.b(), w.dst, "k", id), "REPLICA")
	w.want("C", len(w.versions(w.a(), third, "k")), 0)
	// What a user writes in B is B's own.
	out, err := w.b().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.dst, Key: aws.String("own"), Body: strings.NewReader("x")})
	w.ok(err)
	w.settle()
	w.want("B's own", w.status(w.b(), w.dst, "own", *out.VersionId), "FAILED") // the onward role may do nothing
}

// twoWay adds the way back, by a role of B's that may do everything.
func (w *world) twoWay(modifications types.ReplicaModificationsStatus) {
	w.t.Helper()
	back := iam.NewFromConfig(w.cfg, func(o *iam.Options) { o.Credentials = root(accountB) })
	_, _ = back.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: aws.String("back"), AssumeRolePolicyDocument: aws.String(trustS3)})
	text := document(allow("s3:*", "*"))
	_, err := back.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("back"), PolicyName: aws.String("p"), PolicyDocument: &text})
	w.ok(err)
	role := "arn:aws:iam::" + accountB + ":role/back"
	w.setBucketPolicy(accountA, regionA, w.src, fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":%q},"Action":"s3:*","Resource":"arn:aws:s3:::%s/*"}`, role, w.src))
	selection := &types.SourceSelectionCriteria{ReplicaModifications: &types.ReplicaModifications{Status: modifications}}
	w.replicate(w.plainRule(func(r *types.ReplicationRule) { r.SourceSelectionCriteria = selection }))
	w.replicateFrom(w.b(), w.dst, role, w.plainRule(func(r *types.ReplicationRule) {
		r.SourceSelectionCriteria, r.Destination.Bucket = selection, aws.String("arn:aws:s3:::"+w.src)
	}))
}

// A ↔ B does not loop; tags set on a replica go back if ReplicaModifications is Enabled,
// and the replica shows it (R24).
func TestTwoWay(t *testing.T) {
	w := small(t)
	w.twoWay(types.ReplicaModificationsStatusDisabled)
	id := w.put("k", "x", tagged("k=1"))
	w.settle()
	w.tag(w.b(), w.dst, "k", id, "2")
	w.settle()
	w.want("without ReplicaModifications", w.tagOf(w.a(), w.src, "k", id), "k=1")
	w.tag(w.a(), w.src, "k", id, "3")
	w.settle()
	w.want("the source overwrites", w.tagOf(w.b(), w.dst, "k", id), "k=3")

	w.twoWay(types.ReplicaModificationsStatusEnabled)
	w.replicator.Pause()
	w.tag(w.b(), w.dst, "k", id, "4")
	w.want("the replica while its change is under way", w.status(w.b(), w.dst, "k", id), "PENDING")
	w.replicator.Resume()
	w.settle()
	w.want("with ReplicaModifications", w.tagOf(w.a(), w.src, "k", id), "k=4")
	w.want("the replica afterwards", w.status(w.b(), w.dst, "k", id), "REPLICA")
	w.want("the source afterwards", w.status(w.a(), w.src, "k", id), "COMPLETED")

	w.setBucketPolicy(accountA, regionA, w.src)
	w.tag(w.b(), w.dst, "k", id, "5")
	w.settle()
	w.want("the replica when its change is refused", w.status(w.b(), w.dst, "k", id), "FAILED")
	w.want("attempts", w.store.Pending(), 0)
	w.want("versions", [][]string{w.versions(w.a(), w.src, "k"), w.versions(w.b(), w.dst, "k")}, [][]string{{id}, {id}})
}

// One failing destination of two: FAILED together, and the other has its replica. While
// one is pending the whole is.
func TestAggregateStatus(t *testing.T) {
	w := small(t)
	other := "other"
	w.makeBucket(accountA, other, regionA)
	w.setRolePolicy("other", allow("s3:ReplicateObject", "arn:aws:s3:::other/*"))
	w.replicate(w.plainRule(), w.plainRule(func(r *types.ReplicationRule) {
		r.ID, r.Priority, r.Destination.Bucket = aws.String("r2"), aws.Int32(2), aws.String("arn:aws:s3:::"+other)
	}))
	w.setBucketPolicy(accountB, regionB, w.dst)
	w.replicator.Pause()
	id := w.put("k", "x")
	for range 2 {
		w.want("status", w.status(w.a(), w.src, "k", id), "PENDING")
		if n, err := w.replicator.Step(t.Context(), 1); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	w.replicator.Resume()
	w.settle()
	w.want("status", w.status(w.a(), w.src, "k", id), "FAILED")
	got := w.outcome("k", id)
	slices.Sort(got)
	w.want("outcomes", got, []string{w.dst + " FAILED DstPutObjectNotPermitted", other + " COMPLETED"})
	w.want("the other", w.status(w.a(), other, "k", id), "REPLICA")
}

// Of overlapping rules for one destination the highest Priority decides alone, also where
// it does not replicate what a lower one would.
func TestHighestPriorityDecides(t *testing.T) {
	w := small(t)
	class := func(id string, priority int32, class types.StorageClass) types.ReplicationRule {
		return w.kmsRule(func(r *types.ReplicationRule) {
			r.ID, r.Priority, r.Destination.StorageClass = &id, &priority, class
		})
	}
	w.replicate(class("low", 1, "ONEZONE_IA"), class("high", 3, "STANDARD_IA"), class("middle", 2, "INTELLIGENT_TIERING"))
	id := w.put("k", "x")
	w.settle()
	w.want("class", string(w.head(w.b(), w.dst, "k", id).StorageClass), "STANDARD_IA")
	w.replicate(class("low", 1, "ONEZONE_IA"), w.plainRule(func(r *types.ReplicationRule) { r.ID, r.Priority = aws.String("high"), aws.Int32(3) }))
	id = w.put("k", "x", w.withKMS)
	w.settle()
	w.want("no fall-through to a rule that opts in", w.status(w.a(), w.src, "k", id), "")
}

func TestSuspendedVersioning(t *testing.T) {
	w := small(t)
	w.replicate(w.plainRule())
	_, err := w.a().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &w.src, VersioningConfiguration: &types.VersioningConfiguration{Status: "Suspended"}})
	if err == nil || !strings.Contains(err.Error(), "InvalidBucketState") || !strings.Contains(err.Error(), "StatusCode: 409") {
		t.Errorf("suspending the source: %v", err)
	}
	w.setVersioning(accountB, regionB, w.dst, "Suspended")
	id := w.put("k", "x")
	w.settle()
	w.want("outcome", w.outcome("k", id), []string{w.dst + " FAILED DstBucketUnversioned"})
	w.setVersioning(accountB, regionB, w.dst, "Enabled")
	id = w.put("k", "x")
	w.settle()
	w.want("outcome", w.outcome("k", id), []string{w.dst + " COMPLETED"})
}

// A change of metadata puts COMPLETED back to PENDING.
func TestMetadataUpdates(t *testing.T) {
	w := small(t)
	w.replicate(w.plainRule())
	id := w.put("k", "x", tagged("k=1"))
	w.settle()
	w.replicator.Pause()
	w.tag(w.a(), w.src, "k", id, "2")
	w.want("changed", w.status(w.a(), w.src, "k", id), "PENDING")
	w.replicator.Resume()
	w.settle()
	w.want("replicated", []string{w.status(w.a(), w.src, "k", id), w.tagOf(w.b(), w.dst, "k", id)}, []string{"COMPLETED", "k=2"})
	_, err := w.a().DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Bucket: &w.src, Key: aws.String("k"), VersionId: &id})
	w.ok(err)
	w.settle()
	w.want("removed", []string{w.status(w.a(), w.src, "k", id), w.tagOf(w.b(), w.dst, "k", id)}, []string{"COMPLETED", ""})
}

// Versions that are PENDING keep the rule and role of their time (R21).
func TestPendingSurvivesConfigurationChanges(t *testing.T) {
	w := small(t)
	w.replicate(w.plainRule())
	other := "other"
	w.makeBucket(accountA, other, regionA)
	for _, change := range []func(){
		func() {
			w.replicate(w.plainRule(func(r *types.ReplicationRule) { r.Destination.Bucket = aws.String("arn:aws:s3:::" + other) }))
		},
		func() {
			w.replicate(w.plainRule(func(r *types.ReplicationRule) { r.Status = types.ReplicationRuleStatusDisabled }))
		},
		func() {
			_, err := w.a().DeleteBucketReplication(t.Context(), &s3.DeleteBucketReplicationInput{Bucket: &w.src})
			w.ok(err)
		},
	} {
		w.replicate(w.plainRule())
		w.replicator.Pause()
		id := w.put("k", "x")
		change()
		w.replicator.Resume()
		w.settle()
		w.want("source", w.status(w.a(), w.src, "k", id), "COMPLETED")
		w.want("old destination", w.status(w.b(), w.dst, "k", id), "REPLICA")
	}
	w.want("new destination", len(w.versions(w.a(), other, "k")), 0)
}

// A late replica goes behind what was written at the destination meanwhile, and every
// version of a key arrives (R22).
func TestOrderIsTheSources(t *testing.T) {
	w := small(t)
	w.replicate(w.plainRule())
	w.replicator.Pause()
	var ids []string
	for i := range 5 {
		ids = append(ids, w.put("k", fmt.Sprint(i)))
	}
	own, err := w.b().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.dst, Key: aws.String("k"), Body: strings.NewReader("own")})
	w.ok(err)
	w.replicator.Resume()
	w.settle()
	slices.Reverse(ids)
	w.want("versions", w.versions(w.b(), w.dst, "k"), append([]string{*own.VersionId}, ids...))
	w.want("current", *w.head(w.b(), w.dst, "k", "").VersionId, *own.VersionId)
}

// Deleting a PENDING version permanently cancels its replication; the queue forgets it.
func TestPermanentDeleteCancels(t *testing.T) {
	w := small(t)
	w.replicate(w.plainRule())
	w.replicator.Pause()
	id := w.put("k", "x")
	kept := w.put("k", "y")
	_, err := w.a().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &w.src, Key: aws.String("k"), VersionId: &id})
	w.ok(err)
	w.want("pending", w.store.Pending(), 1)
	w.replicator.Resume()
	w.settle()
	w.want("replicas", w.versions(w.b(), w.dst, "k"), []string{kept})
}

// The destination's default encryption does not touch replicas; an alias ARN is resolved.
func TestEncryptionOfTheReplica(t *testing.T) {
	w := small(t)
	_, err := w.b().PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: &w.dst,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms", KMSMasterKeyID: aws.String(w.makeKey(accountB, regionB))}}}}})
	w.ok(err)
	_, err = w.kms(accountB, regionB).CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/replica"), TargetKeyId: &w.dstKey})
	w.ok(err)
	w.replicate(w.kmsRule(func(r *types.ReplicationRule) {
		r.Destination.EncryptionConfiguration.ReplicaKmsKeyID = aws.String("arn:aws:kms:us-west-2:" + accountB + ":alias/replica")
	}))
	plain, sealed := w.put("plain", "x"), w.put("sealed", "x", w.withKMS)
	w.settle()
	w.want("SSE-S3", string(w.head(w.b(), w.dst, "plain", plain).ServerSideEncryption), "AES256")
	w.want("SSE-KMS", aws.ToString(w.head(w.b(), w.dst, "sealed", sealed).SSEKMSKeyId), w.dstKey)
}
