package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	accountA = benchAccount
	accountB = "444455556666"
	regionA  = "us-east-1"
	regionB  = "us-west-2"
)

// world is a whole server and one replication in it, driven by SDK clients as people
// would: bucket src of account A in us-east-1, bucket dst of account B in us-west-2, a KMS
// key in each place and a role of A's. It is complete: what tests take away makes the
// difference.
type world struct {
	*rig
	t              testing.TB
	src, dst, role string
	roleARN        string
	srcKey, dstKey string // ARNs
}

// newServerRig is a rig over a server with cfg, whose store is checked at the end.
func newServerRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	r := openRig(t, cfg)
	t.Cleanup(func() {
		for _, err := range r.Check(context.Background()) {
			t.Error(err)
		}
	})
	return r
}

func openRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	cfg.Listen, cfg.Logger = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s := New(cfg)
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	r := &rig{Server: s, http: benchClient(t)}
	r.cfg = aws.Config{Region: regionA, BaseEndpoint: aws.String(s.URL()), HTTPClient: r.http, RetryMaxAttempts: 1}
	return r
}

// newWorld makes the world named by suffix in r's server.
func newWorld(t testing.TB, r *rig, suffix string) *world {
	t.Helper()
	w := &world{rig: r, t: t, src: "src" + suffix, dst: "dst" + suffix, role: "crr" + suffix}
	w.roleARN = "arn:aws:iam::" + accountA + ":role/" + w.role
	w.makeBucket(accountA, w.src, regionA)
	w.makeBucket(accountB, w.dst, regionB)
	w.srcKey, w.dstKey = w.makeKey(accountA, regionA), w.makeKey(accountB, regionB)
	_, err := w.iam().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &w.role, AssumeRolePolicyDocument: aws.String(trustS3)})
	w.ok(err)
	w.setRolePolicy("p", w.allStatements()...)
	w.setBucketPolicy(accountB, regionB, w.dst, w.openDestination())
	w.setKeyPolicy(accountB, regionB, w.dstKey, w.openKey())
	return w
}

const trustS3 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// allStatements is what the role needs, one statement an action so that tests can leave
// one out.
func (w *world) allStatements(without ...string) []string {
	var out []string
	for _, a := range []struct {
		resource string
		actions  []string
	}{
		{"arn:aws:s3:::" + w.src, []string{"s3:GetReplicationConfiguration", "s3:ListBucket"}},
		{"arn:aws:s3:::" + w.src + "/*", []string{"s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging", "s3:GetObjectRetention", "s3:GetObjectLegalHold"}},
		{"arn:aws:s3:::" + w.dst + "/*", []string{"s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"}},
		{w.srcKey, []string{"kms:Decrypt"}},
		{w.dstKey, []string{"kms:Encrypt", "kms:Decrypt"}},
	} {
		for _, action := range a.actions {
			if !slices.Contains(without, action) {
				out = append(out, allow(action, a.resource))
			}
		}
	}
	return out
}

func allow(action, resource string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource)
}

func deny(action, resource string) string {
	return fmt.Sprintf(`{"Effect":"Deny","Action":%q,"Resource":%q}`, action, resource)
}

func (w *world) openDestination() string {
	return fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:ReplicateObject","s3:ReplicateDelete","s3:ReplicateTags","s3:ObjectOwnerOverrideToBucketOwner"],"Resource":"arn:aws:s3:::%s/*"}`, w.roleARN, w.dst)
}

func (w *world) openKey() string {
	return fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":%q},"Action":["kms:Encrypt","kms:Decrypt"],"Resource":"*"}`, w.roleARN)
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func root(account string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(account, "test", "")
}

func (w *world) in(account, region string) *s3.Client {
	return s3.NewFromConfig(w.cfg, func(o *s3.Options) { o.UsePathStyle, o.Region, o.Credentials = true, region, root(account) })
}

func (w *world) kms(account, region string) *kms.Client {
	return kms.NewFromConfig(w.cfg, func(o *kms.Options) { o.Region, o.Credentials = region, root(account) })
}

func (w *world) iam() *iam.Client {
	return iam.NewFromConfig(w.cfg, func(o *iam.Options) { o.Credentials = root(accountA) })
}

// a and b are the clients of the two sides.
func (w *world) a() *s3.Client { return w.in(accountA, regionA) }
func (w *world) b() *s3.Client { return w.in(accountB, regionB) }

func (w *world) makeBucket(account, name, region string) {
	w.t.Helper()
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != regionA {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	_, err := w.in(account, region).CreateBucket(w.t.Context(), in)
	w.ok(err)
	w.setVersioning(account, region, name, types.BucketVersioningStatusEnabled)
}

func (w *world) setVersioning(account, region, name string, status types.BucketVersioningStatus) {
	w.t.Helper()
	_, err := w.in(account, region).PutBucketVersioning(w.t.Context(), &s3.PutBucketVersioningInput{Bucket: &name,
		VersioningConfiguration: &types.VersioningConfiguration{Status: status}})
	w.ok(err)
}

func (w *world) makeKey(account, region string) string {
	w.t.Helper()
	out, err := w.kms(account, region).CreateKey(w.t.Context(), &kms.CreateKeyInput{})
	w.ok(err)
	return *out.KeyMetadata.Arn
}

func (w *world) setRolePolicy(name string, statements ...string) {
	w.t.Helper()
	text := document(statements...)
	_, err := w.iam().PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: &w.role, PolicyName: &name, PolicyDocument: &text})
	w.ok(err)
}

func (w *world) setTrust(text string) {
	w.t.Helper()
	_, err := w.iam().UpdateAssumeRolePolicy(w.t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &w.role, PolicyDocument: &text})
	w.ok(err)
}

// setBucketPolicy without statements removes the policy.
func (w *world) setBucketPolicy(account, region, bucket string, statements ...string) {
	w.t.Helper()
	c := w.in(account, region)
	if len(statements) == 0 {
		_, err := c.DeleteBucketPolicy(w.t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &bucket})
		w.ok(err)
		return
	}
	text := document(statements...)
	_, err := c.PutBucketPolicy(w.t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &text})
	w.ok(err)
}

// setKeyPolicy leaves the key to its account and adds statements.
func (w *world) setKeyPolicy(account, region, key string, statements ...string) {
	w.t.Helper()
	own := fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}`, account)
	text := document(append([]string{own}, statements...)...)
	_, err := w.kms(account, region).PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: &text})
	w.ok(err)
}

// kmsRule is a rule of the newer schema for everything, SSE-KMS included.
func (w *world) kmsRule(change ...func(*types.ReplicationRule)) types.ReplicationRule {
	r := types.ReplicationRule{
		ID: aws.String("r"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled,
		Filter:                  &types.ReplicationRuleFilter{Prefix: aws.String("")},
		DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusEnabled},
		SourceSelectionCriteria: &types.SourceSelectionCriteria{
			SseKmsEncryptedObjects: &types.SseKmsEncryptedObjects{Status: types.SseKmsEncryptedObjectsStatusEnabled}},
		Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::" + w.dst), EncryptionConfiguration: &types.EncryptionConfiguration{ReplicaKmsKeyID: &w.dstKey}},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

// plainRule replicates what needs no KMS.
func (w *world) plainRule(change ...func(*types.ReplicationRule)) types.ReplicationRule {
	return w.kmsRule(append([]func(*types.ReplicationRule){func(r *types.ReplicationRule) {
		r.SourceSelectionCriteria, r.Destination.EncryptionConfiguration = nil, nil
	}}, change...)...)
}

func (w *world) replicate(rules ...types.ReplicationRule) {
	w.t.Helper()
	w.replicateFrom(w.a(), w.src, w.roleARN, rules...)
}

func (w *world) replicateFrom(c *s3.Client, bucket, role string, rules ...types.ReplicationRule) {
	w.t.Helper()
	_, err := c.PutBucketReplication(w.t.Context(), &s3.PutBucketReplicationInput{Bucket: &bucket,
		ReplicationConfiguration: &types.ReplicationConfiguration{Role: &role, Rules: rules}})
	w.ok(err)
}

// put writes an object at the source and returns its version id.
func (w *world) put(key, body string, change ...func(*s3.PutObjectInput)) string {
	w.t.Helper()
	in := &s3.PutObjectInput{Bucket: &w.src, Key: &key, Body: strings.NewReader(body)}
	for _, c := range change {
		c(in)
	}
	out, err := w.a().PutObject(w.t.Context(), in)
	w.ok(err)
	return aws.ToString(out.VersionId)
}

func (w *world) withKMS(in *s3.PutObjectInput) {
	in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &w.srcKey
}

func tagged(tags string) func(*s3.PutObjectInput) {
	return func(in *s3.PutObjectInput) { in.Tagging = &tags }
}

// settle waits until nothing is pending.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	if err := w.replicator.Wait(ctx, ""); err != nil {
		st, _ := w.state(w.t.Context(), "")
		text, _ := json.Marshal(st)
		w.t.Fatalf("replication does not end: %v: %s", err, text)
	}
}

// explained is the explanation of a version; id "" is the current one.
func (w *world) explained(bucket, key, id string) *Explanation {
	w.t.Helper()
	var e Explanation
	w.ask(w.t, "GET", op+"replication/explain?"+url.Values{"bucket": {bucket}, "key": {key}, "versionId": {id}}.Encode(), "", 200, &e)
	return &e
}

// outcome is "COMPLETED", "FAILED reason", … of a version of the source towards the
// destinations, in one line each.
func (w *world) outcome(key, id string) []string {
	w.t.Helper()
	var out []string
	for _, d := range w.explained(w.src, key, id).Destinations {
		out = append(out, strings.TrimSpace(d.Destination+" "+d.Status+" "+d.FailureReason))
	}
	return out
}

// status is x-amz-replication-status of a version, "" if there is none.
func (w *world) status(c *s3.Client, bucket, key, id string) string {
	w.t.Helper()
	return string(w.head(c, bucket, key, id).ReplicationStatus)
}

func (w *world) head(c *s3.Client, bucket, key, id string) *s3.HeadObjectOutput {
	w.t.Helper()
	in := &s3.HeadObjectInput{Bucket: &bucket, Key: &key}
	if id != "" {
		in.VersionId = &id
	}
	out, err := c.HeadObject(w.t.Context(), in)
	w.ok(err)
	return out
}

func (w *world) disableKey(account, region, key string) {
	w.t.Helper()
	_, err := w.kms(account, region).DisableKey(w.t.Context(), &kms.DisableKeyInput{KeyId: &key})
	w.ok(err)
}

func (w *world) endKey(account, region, key string) {
	w.t.Helper()
	_, err := w.kms(account, region).ScheduleKeyDeletion(w.t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: aws.Int32(7)})
	w.ok(err)
}

// addStatement appends a statement to a document that a policy API answered.
func addStatement(t testing.TB, text string, statement json.RawMessage) string {
	t.Helper()
	var doc struct {
		Version   string
		ID        string `json:"Id,omitempty"`
		Statement []json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	doc.Statement = append(doc.Statement, statement)
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
