package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

const (
	crashes     = 5
	clients     = 32
	acksPerLoad = 600 // acknowledged PUTs before the process is killed
)

// TestKillDuringLoad kills the process five times while 32 clients write. After each
// restart every acknowledged object is there with its bytes, every one that a rule selects
// reaches COMPLETED and has its replica, and no other has a status. Writes that were not
// acknowledged are there completely or not at all.
func TestKillDuringLoad(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	e := start(t, "--data", data)
	l := newLoad(t, e)
	for round := range crashes {
		l.run(t, e, round)
		e = start(t, "--data", data)
		l.connect(t, e)
		e.idle(t)
		l.verify(t)
		e.check(t)
		e.operate(t, "POST", "replication/resume", nil)
	}
	if len(l.acked) < crashes*acksPerLoad {
		t.Fatalf("only %d writes were acknowledged: the load was none", len(l.acked))
	}
	t.Logf("%d acknowledged objects survived %d crashes", len(l.acked), crashes)
}

// load writes objects and remembers what was promised for each.
type load struct {
	source, destination *s3.Client
	srcKey, dstKey      string

	mu    sync.Mutex
	acked map[string]string // key -> version id
}

// newLoad builds a replicated pair of buckets in two accounts.
func newLoad(t *testing.T, e *emulator) *load {
	t.Helper()
	ctx, l := t.Context(), &load{acked: map[string]string{}}
	a, b := sdkConfig(t, e, accountA, "us-east-1"), sdkConfig(t, e, accountB, "us-west-2")
	l.connect(t, e)
	create := func(c *s3.Client, bucket string, where *s3types.CreateBucketConfiguration) {
		must(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket, CreateBucketConfiguration: where}))(t)
		must(c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: &bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
		}))(t)
	}
	create(l.source, "source", nil)
	create(l.destination, "destination", &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintUsWest2})
	role := aws.String("crr")
	must(iam.NewFromConfig(a).CreateRole(ctx, &iam.CreateRoleInput{RoleName: role, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))(t)
	must(iam.NewFromConfig(a).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: role, PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}`)}))(t)
	l.srcKey = aws.ToString(must(kms.NewFromConfig(a).CreateKey(ctx, &kms.CreateKeyInput{}))(t).KeyMetadata.Arn)
	l.dstKey = aws.ToString(must(kms.NewFromConfig(b).CreateKey(ctx, &kms.CreateKeyInput{Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["` + accountA + `","` + accountB + `"]},"Action":"kms:*","Resource":"*"}]}`)}))(t).KeyMetadata.Arn)
	must(l.destination.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("destination"), Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + accountA + `"},"Action":["s3:ReplicateObject","s3:ReplicateDelete"],"Resource":"arn:aws:s3:::destination/*"}]}`)}))(t)
	must(l.source.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: aws.String("source"), ReplicationConfiguration: &s3types.ReplicationConfiguration{
		Role: aws.String("arn:aws:iam::" + accountA + ":role/crr"),
		Rules: []s3types.ReplicationRule{{
			Prefix: aws.String("replicated/"), Status: s3types.ReplicationRuleStatusEnabled,
			SourceSelectionCriteria: &s3types.SourceSelectionCriteria{SseKmsEncryptedObjects: &s3types.SseKmsEncryptedObjects{Status: s3types.SseKmsEncryptedObjectsStatusEnabled}},
			Destination:             &s3types.Destination{Bucket: aws.String("arn:aws:s3:::destination"), EncryptionConfiguration: &s3types.EncryptionConfiguration{ReplicaKmsKeyID: &l.dstKey}},
		}},
	}}))(t)
	return l
}

// connect points the clients to a new process. They don't retry: a PUT that the crash cut
// off is not acknowledged.
func (l *load) connect(t *testing.T, e *emulator) {
	t.Helper()
	once := func(o *s3.Options) { o.UsePathStyle, o.RetryMaxAttempts = true, 1 }
	l.source = s3.NewFromConfig(sdkConfig(t, e, accountA, "us-east-1"), once)
	l.destination = s3.NewFromConfig(sdkConfig(t, e, accountB, "us-west-2"), once)
}

// content is what the object of a key holds: up to 100 KB, which is more than the store
// keeps in a record, so that both forms are hit.
func content(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	b := make([]byte, binary.LittleEndian.Uint32(sum[:])%100_000)
	if sum[31]%4 != 0 {
		b = b[:len(b)/50]
	}
	_, _ = rand.NewChaCha8(sum).Read(b) // never fails
	return b
}

func encrypted(key string) bool { return strings.HasSuffix(key, ".kms") }

func selected(key string) bool { return strings.HasPrefix(key, "replicated/") }

// run writes with all clients until enough is acknowledged, kills the process in the
// middle, and waits until every client has noticed.
func (l *load) run(t *testing.T, e *emulator, round int) {
	t.Helper()
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var acks atomic.Int64
	var writers errgroup.Group
	for client := range clients {
		writers.Go(func() error {
			for n := 0; ; n++ {
				key := fmt.Sprintf("%s/%d-%d-%d%s", []string{"replicated", "replicated", "other"}[n%3], round, client, n, []string{"", ".kms"}[n%2])
				version, err := l.put(t.Context(), key)
				if err != nil {
					if ctx.Err() == nil {
						return fmt.Errorf("%s: %w", key, err)
					}
					return nil // the crash
				}
				l.mu.Lock()
				l.acked[key] = version
				l.mu.Unlock()
				if acks.Add(1) == acksPerLoad {
					enough()
				}
			}
		})
	}
	<-ctx.Done()
	e.kill(t)
	if err := writers.Wait(); err != nil {
		t.Fatalf("a write failed before the crash: %v\n%s", err, e.log)
	}
}

func (l *load) put(ctx context.Context, key string) (version string, err error) {
	in := &s3.PutObjectInput{Bucket: aws.String("source"), Key: &key, Body: bytes.NewReader(content(key))}
	if encrypted(key) {
		in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, &l.srcKey
	}
	out, err := l.source.PutObject(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.VersionId), nil
}

// verify looks at every version that the buckets hold.
func (l *load) verify(t *testing.T) {
	t.Helper()
	found := map[string]string{}
	var readers errgroup.Group
	readers.SetLimit(clients)
	pages := s3.NewListObjectVersionsPaginator(l.source, &s3.ListObjectVersionsInput{Bucket: aws.String("source")})
	for pages.HasMorePages() {
		for _, v := range must(pages.NextPage(t.Context()))(t).Versions {
			key, version := aws.ToString(v.Key), aws.ToString(v.VersionId)
			if _, twice := found[key]; twice {
				t.Errorf("%s was written once and has two versions", key)
			}
			found[key] = version
			readers.Go(func() error { return l.verifyOne(t.Context(), key, version) })
		}
	}
	if err := readers.Wait(); err != nil {
		t.Fatal(err)
	}
	for key, version := range l.acked {
		if found[key] != version {
			t.Errorf("%s was acknowledged as version %s; there is %q", key, version, found[key])
		}
	}
}

// verifyOne reads a version and its replica.
func (l *load) verifyOne(ctx context.Context, key, version string) error {
	source, err := readVersion(ctx, l.source, "source", key, version)
	if err != nil {
		return err
	}
	want := s3types.ReplicationStatus("")
	if selected(key) {
		want = s3types.ReplicationStatusCompleted
	}
	if source.ReplicationStatus != want {
		return fmt.Errorf("%s has status %q, want %q", key, source.ReplicationStatus, want)
	}
	replica, err := readVersion(ctx, l.destination, "destination", key, version)
	if !selected(key) {
		if missing := (smithy.APIError)(nil); !errors.As(err, &missing) || missing.ErrorCode() != "NoSuchVersion" {
			return fmt.Errorf("%s has a replica that no rule asked for (%v)", key, err)
		}
		return nil
	}
	switch {
	case err != nil:
		return err
	case replica.ReplicationStatus != s3types.ReplicationStatusReplica:
		return fmt.Errorf("the replica of %s has status %q", key, replica.ReplicationStatus)
	case aws.ToString(replica.ETag) != aws.ToString(source.ETag):
		return fmt.Errorf("the replica of %s has another ETag", key)
	case encrypted(key) && aws.ToString(replica.SSEKMSKeyId) != l.dstKey:
		return fmt.Errorf("the replica of %s is under key %q", key, aws.ToString(replica.SSEKMSKeyId))
	}
	return nil
}

// readVersion gets one version and compares its bytes.
func readVersion(ctx context.Context, c *s3.Client, bucket, key, version string) (*s3.GetObjectOutput, error) {
	out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: &version})
	if err != nil {
		return nil, fmt.Errorf("reading %s/%s version %s: %w", bucket, key, version, err)
	}
	defer out.Body.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(out.Body); err != nil {
		return nil, fmt.Errorf("reading %s/%s: %w", bucket, key, err)
	}
	if !bytes.Equal(got.Bytes(), content(key)) {
		return nil, fmt.Errorf("%s/%s has %d other bytes than were written", bucket, key, got.Len())
	}
	return out, nil
}
