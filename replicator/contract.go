package replicator

import (
	"context"
	"net/http"
	"time"

	"twinbucket/iamsim"
	"twinbucket/store"
)

// Queue is the task queue and what explanations read, implemented by store.Store.
type Queue interface {
	ClaimFrom(ctx context.Context, wants []store.Want, lease time.Duration) (tasks []store.Task, next []time.Time, err error)
	Claim(ctx context.Context, n int, lease time.Duration) ([]store.Task, time.Time, error)
	Hasten(ctx context.Context, throttledOnly bool) (int, error)
	SettleAll(ctx context.Context, ends []store.Ended) error
	Postpone(ctx context.Context, t store.Task, due time.Time, lastError string, throttled bool, trace []byte) error
	Retry(ctx context.Context, bucket, key, versionID string) (int, error)
	PendingOf(bucket string) int
	Stirred() []store.RuleKey
	Wake() <-chan struct{}
	Bucket(ctx context.Context, name string) (*store.Bucket, error)
	Version(ctx context.Context, bucket, key, id string) (*store.Version, error)
	Trace(ctx context.Context, bucket, key, versionID string) (map[string][]byte, error)
}

var _ Queue = (*store.Store)(nil)

// Roles assumes the rule's role, implemented by iamsim.Service.
type Roles interface {
	AssumeServiceRole(ctx context.Context, req iamsim.ServiceRole) (iamsim.Caller, error)
}

var _ Roles = (*iamsim.Service)(nil)

// Objects is S3 as replication uses it: the two doors, implemented by s3api.API in
// the files of the client operations. Both authorize every step for caller, in the
// order of the replication permission steps, and end in the same store calls as a
// client's GET and PUT. Errors are *failure.Error; a denial carries its Decision.
// The code is the AWS failureReason (SrcGetObjectNotPermitted, DstBucketUnversioned,
// DstKmsKeyNotFound, …) where the failure is final, or ThrottlingException, SlowDown,
// InternalError and the like where it may pass.
type Objects interface {
	// OpenForReplication reads a source version: GetReplicationConfiguration and
	// ListBucket on the bucket, GetObjectVersionForReplication (or GetObjectVersion
	// for sources that are not SSE-KMS), GetObjectVersionAcl, kms:Decrypt, and
	// GetObjectVersionTagging when it has tags. A tag denial does not fail the read:
	// it is reported in Outgoing.TagsDenied.
	OpenForReplication(ctx context.Context, caller iamsim.Caller, bucket, key, versionID string) (*store.Outgoing, error)
	// PutReplica writes the replica as task says: ReplicateObject on the destination,
	// owner override, kms:Encrypt of the same data key under the replica key, then the
	// bytes sealed anew. A tag denial is returned as DstPutTaggingNotPermitted only
	// after the untagged replica stands.
	PutReplica(ctx context.Context, caller iamsim.Caller, task store.Task, src *store.Outgoing) error
	// PutReplicaMarker writes a delete marker: ReplicateDelete.
	PutReplicaMarker(ctx context.Context, caller iamsim.Caller, task store.Task) error
	// PutReplicaTags replaces the tags of an existing replica: GetObjectVersionTagging, ReplicateTags.
	PutReplicaTags(ctx context.Context, caller iamsim.Caller, task store.Task) error
	// PutReplicaLock replaces the Object Lock state of an existing replica: GetObjectRetention
	// and GetObjectLegalHold, then PutObjectRetention and PutObjectLegalHold.
	PutReplicaLock(ctx context.Context, caller iamsim.Caller, task store.Task) error
	// PutReplicaACL replaces the ACL of an existing replica: GetObjectVersionAcl, then
	// ReplicateObject.
	PutReplicaACL(ctx context.Context, caller iamsim.Caller, task store.Task) error
	// Imagine is the version that the bucket owner's PUT of key with headers h would make.
	Imagine(ctx context.Context, bucket, key string, h http.Header) (*store.Version, error)
	// ForeseeReplication walks the doors that task would take with v, which need not
	// exist, and writes nothing. Every failure is reported in the order of the steps;
	// stops is false for one that the replica outlives.
	ForeseeReplication(ctx context.Context, caller iamsim.Caller, task store.Task, v *store.Version, report func(err error, stops bool)) error
}
