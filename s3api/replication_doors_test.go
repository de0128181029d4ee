package s3api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	roleARN    = "arn:aws:iam::" + accountA + ":role/crr"
	sessionARN = "arn:aws:sts::" + accountA + ":assumed-role/crr/s3-replication"
	dstKeyARN  = "arn:aws:kms:eu-west-1:" + accountB + ":key/replica"
	viaEUW     = "s3.eu-west-1.amazonaws.com"
)

// sourceActions and replicaActions are all that the role of a rule needs.
var (
	sourceBucketActions = []string{"s3:GetReplicationConfiguration", "s3:ListBucket"}
	sourceActions       = []string{"s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"}
	replicaActions      = []string{"s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"}
)

// crossing is two versioned buckets, src of account A in us-east-1 and dst of account B in
// eu-west-1, and a role between them.
type crossing struct {
	*fixture
	keys      *watchedKeys
	caller    iamsim.Caller
	decisions []*policy.Decision
}

// newCrossing makes a role that may do all but what is in without; dst's policy allows the role
// the same.
func newCrossing(t testing.TB, without ...string) *crossing {
	t.Helper()
	f, keys := newKMSFixture(t)
	x := &crossing{fixture: f, keys: keys}
	f.bucket(accountA, "src", "us-east-1", true)
	f.bucket(accountB, "dst", "eu-west-1", true)
	f.openToPolicies(accountB, "dst")
	c := iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: aws.String(f.server.URL), Credentials: root(accountA).provider()})
	_, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("crr"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	must(t, err)
	x.allow(without...)
	x.caller, err = f.iam.AssumeServiceRole(t.Context(), iamsim.ServiceRole{
		Service: "s3.amazonaws.com", RoleARN: roleARN, SessionName: "s3-replication", Region: "us-east-1", SourceARN: "arn:aws:s3:::src", SourceAccount: accountA,
		Observe: func(d *policy.Decision) { x.decisions = append(x.decisions, d) },
	})
	must(t, err)
	x.decisions = nil
	return x
}

// allow gives the role and the destination's policy everything but without.
func (x *crossing) allow(without ...string) {
	x.t.Helper()
	var statements []string
	for _, s := range []struct {
		actions  []string
		resource string
	}{{sourceBucketActions, "src"}, {sourceActions, "src/*"}, {replicaActions, "dst/*"}} {
		for _, action := range s.actions {
			if !slices.Contains(without, action) {
				statements = append(statements, `{"Effect":"Allow","Action":"`+action+`","Resource":"arn:aws:s3:::`+s.resource+`"}`)
			}
		}
	}
	document := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	c := iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: aws.String(x.server.URL), Credentials: root(accountA).provider()})
	_, err := c.PutRolePolicy(x.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("crr"), PolicyName: aws.String("p"), PolicyDocument: &document})
	must(x.t, err)
	x.dstPolicy("")
}

// dstPolicy lets the role in at the destination, with one more statement.
func (x *crossing) dstPolicy(more string) {
	x.t.Helper()
	if more != "" {
		more = "," + more
	}
	x.put(accountB, "/dst?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+roleARN+`"},"Action":["s3:ReplicateObject","s3:ReplicateDelete","s3:ReplicateTags","s3:ObjectOwnerOverrideToBucketOwner"],"Resource":"arn:aws:s3:::dst/*"}`+more+`]}`)
}

// task is a task for a version of src.
func (x *crossing) task(key, versionID string, change ...func(*store.Destination)) store.Task {
	to := store.Destination{Bucket: "dst", ReplicaKMSKeyID: dstKeyARN}
	for _, c := range change {
		c(&to)
	}
	return store.Task{Bucket: "src", Key: key, VersionID: versionID, Rule: store.ReplicationRule{ID: "r", Destination: to}}
}

// source stores an object at the source and returns its version id.
func (x *crossing) source(key, text string, header ...string) string {
	x.t.Helper()
	return x.putText("/src/"+key, text, header...).header.Get("x-amz-version-id")
}

// replicate takes a task through both doors.
func (x *crossing) replicate(task store.Task) error {
	ctx := x.t.Context()
	src, err := x.api.OpenForReplication(ctx, x.caller, task.Bucket, task.Key, task.VersionID)
	if err != nil {
		return err
	}
	defer src.Close()
	return x.api.PutReplica(ctx, x.caller, task, src)
}

// steps are the actions decided since the last time, denied ones with a "!".
func (x *crossing) steps() (out []string) {
	for _, d := range x.decisions {
		s := d.Action
		if !d.Allowed() {
			s = "!" + s
		}
		out = append(out, s)
	}
	x.decisions = nil
	return out
}

func (x *crossing) version(bucket, key, id string) *store.Version {
	x.t.Helper()
	v, err := x.store.Version(x.t.Context(), bucket, key, id)
	must(x.t, err)
	return v
}

// sameVersion ignores what a replica may not share with its source.
var sameVersion = cmp.Options{
	cmpopts.IgnoreFields(store.Version{}, "Bucket", "Owner", "IsReplica", "Encryption", "Destinations", "StorageClass", "Tags"),
	cmpopts.IgnoreFields(store.Part{}, "Data"),
}

func (x *crossing) wantReason(err error, want failure.Code) *failure.Error {
	x.t.Helper()
	f := failure.Of(err)
	if f == nil || f.Code != want {
		x.t.Fatalf("got %v, want %s", err, want)
	}
	return f
}

func TestReplicateS3(t *testing.T) {
	x := newCrossing(t)
	id := x.source("Tax/doc1", "hello", "x-amz-meta-m", "1", "x-amz-tagging", "t=1&u=2", "x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=", "Content-Type", "text/plain")
	x.put(accountB, "/dst?encryption", `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`)
	x.clock.Advance(time.Hour)
	must(t, x.replicate(x.task("Tax/doc1", id, func(d *store.Destination) { d.StorageClass = "STANDARD_IA" })))
	want := append(append(slices.Clone(sourceBucketActions), sourceActions...), "s3:ReplicateObject", "s3:ReplicateTags") // S290
	if diff := cmp.Diff(want, x.steps()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	src, dst := x.version("src", "Tax/doc1", ""), x.version("dst", "Tax/doc1", "")
	if diff := cmp.Diff(src, dst, sameVersion); diff != "" {
		t.Errorf("replica (-source +replica):\n%s", diff)
	}
	if !dst.IsReplica || dst.Owner != accountB || dst.Encryption.Algorithm != "AES256" || dst.StorageClass != "STANDARD_IA" || len(dst.Tags) != 2 {
		t.Errorf("replica %+v", dst)
	}
	if src.Parts[0].Data.ID == dst.Parts[0].Data.ID || string(src.Parts[0].Data.Inline) == string(dst.Parts[0].Data.Inline) {
		t.Error("source and replica share their sealed bytes")
	}
	a := x.do(call{method: "GET", target: "/dst/Tax/doc1", as: root(accountB)})
	if a.body != "hello" || a.header.Get("x-amz-replication-status") != "REPLICA" {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
	if calls := x.keys.taken(); len(calls) != 0 {
		t.Errorf("SSE-S3 called KMS: %v", calls)
	}
	must(t, x.replicate(x.task("Tax/doc1", id))) // again: done, and nothing changes
	if again := x.version("dst", "Tax/doc1", ""); again.StorageClass != "STANDARD_IA" {
		t.Errorf("a repeated task wrote the replica again: %+v", again)
	}
	e := x.lastEvent("PutObject")
	if e.UserIdentity.ARN != sessionARN || e.UserAgent != "s3.amazonaws.com" || e.SourceIPAddress != "s3.amazonaws.com" || e.Request["bucketName"] != "dst" || e.Request["x-amz-version-id"] != id || e.ErrorCode != "" {
		t.Errorf("trail %+v", e)
	}
}

func TestReplicateKMS(t *testing.T) {
	for _, bucketKey := range []bool{false, true} {
		t.Run(fmt.Sprintf("bucketKey=%v", bucketKey), func(t *testing.T) {
			x := newCrossing(t)
			id := x.source("dir/k", strings.Repeat("secret", 50_000), sseHeader, "aws:kms", sseKeyIDHeader, "cmk", sseBucketKeyHeader, fmt.Sprint(bucketKey), sseContextHeader, "eyJ0ZWFtIjoidGF4In0=")
			x.keys.taken()
			must(t, x.replicate(x.task("dir/k", id)))
			object := "/dir/k"
			if bucketKey {
				object = ""
			}
			src := map[string]string{"aws:s3:arn": "arn:aws:s3:::src" + object, "team": "tax"}
			dst := map[string]string{"aws:s3:arn": "arn:aws:s3:::dst" + object, "team": "tax"}
			want := []keyCall{{"Decrypt", sessionARN, viaUSE, "us-east-1", "", src}, {"Encrypt", sessionARN, viaEUW, "eu-west-1", dstKeyARN, dst}} // S295
			if bucketKey {
				want = append(want, keyCall{"Decrypt", sessionARN, viaEUW, "eu-west-1", "", dst}) // S296
			}
			if diff := cmp.Diff(want, x.keys.taken()); diff != "" {
				t.Errorf("KMS calls (-want +got):\n%s", diff)
			}
			source, replica := x.version("src", "dir/k", ""), x.version("dst", "dir/k", "")
			if diff := cmp.Diff(source, replica, sameVersion); diff != "" {
				t.Errorf("replica (-source +replica):\n%s", diff)
			}
			a := x.do(call{method: "GET", target: "/dst/dir/k", as: root(accountB)})
			if a.body != strings.Repeat("secret", 50_000) || a.header.Get(sseKeyIDHeader) != dstKeyARN || (a.header.Get(sseBucketKeyHeader) == "true") != bucketKey {
				t.Errorf("%d, %d bytes, %v", a.status, len(a.body), a.header)
			}
		})
	}
}

func TestReplicateMultipart(t *testing.T) {
	x := newCrossing(t)
	id := x.upload("/src/k", "x-amz-checksum-algorithm", "CRC32", "x-amz-checksum-type", "FULL_OBJECT", sseHeader, "aws:kms", sseKeyIDHeader, "cmk")
	parts := onePart(1, x.part("/src/k", id, 1, strings.Repeat("a", minPart))) + onePart(3, x.part("/src/k", id, 3, "end"))
	if a := x.complete("/src/k", id, parts); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	source := x.version("src", "k", "")
	must(t, x.replicate(x.task("k", source.ID)))
	if diff := cmp.Diff(source, x.version("dst", "k", ""), sameVersion); diff != "" {
		t.Errorf("replica (-source +replica):\n%s", diff)
	}
	a := x.do(call{method: "GET", target: "/dst/k?partNumber=3", as: root(accountB)})
	if a.body != "end" || a.header.Get("x-amz-mp-parts-count") != "2" {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
}

// Each missing permission ends the task with its own reason and the decision behind it.
func TestReplicationDenials(t *testing.T) {
	for _, c := range []struct {
		without string
		want    failure.Code
		header  []string
		to      func(*store.Destination)
	}{
		{"s3:GetReplicationConfiguration", "SrcGetObjectNotPermitted", nil, nil},
		{"s3:ListBucket", "SrcGetObjectNotPermitted", nil, nil},
		{"s3:GetObjectVersionForReplication", "SrcGetObjectNotPermitted", nil, nil},
		{"s3:GetObjectVersionAcl", "SrcGetAclNotPermitted", nil, nil},
		{"s3:GetObjectVersionTagging", "SrcGetTaggingNotPermitted", []string{"x-amz-tagging", "t=1"}, nil},
		{"s3:GetObjectVersionTagging", "", nil, nil}, // no tags, no need
		{"s3:ReplicateObject", "DstPutObjectNotPermitted", nil, nil},
		{"s3:ObjectOwnerOverrideToBucketOwner", "", nil, func(d *store.Destination) { d.OwnerOverride = true }}, // dst is BucketOwnerEnforced
		{"s3:ReplicateTags", "", []string{"x-amz-tagging", "t=1"}, nil},                                         // ReplicateObject covers it
	} {
		t.Run(c.without, func(t *testing.T) {
			x := newCrossing(t, c.without)
			id := x.source("k", "hello", c.header...)
			change := func(*store.Destination) {}
			if c.to != nil {
				change = c.to
			}
			err := x.replicate(x.task("k", id, change))
			if c.want == "" {
				must(t, err)
				return
			}
			f := x.wantReason(err, c.want)
			d, ok := f.Decision.(*policy.Decision)
			if !ok || d.Action != c.without || d.Allowed() || !strings.Contains(f.Message, "User: "+sessionARN+" is not authorized to perform: "+c.without) {
				t.Errorf("decision %+v, message %q", d, f.Message)
			}
		})
	}
}

func TestOwnerOverride(t *testing.T) {
	x := newCrossing(t, "s3:ObjectOwnerOverrideToBucketOwner")
	x.put(accountB, "/dst?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>")
	id := x.source("k", "hello")
	override := func(d *store.Destination) { d.OwnerOverride = true }
	x.wantReason(x.replicate(x.task("k", id, override)), "DstPutObjectNotPermitted")
	must(t, x.replicate(x.task("k", id)))
	if got := x.version("dst", "k", "").Owner; got != accountA {
		t.Errorf("without override the owner is %s, want the source object's", got)
	}
	x.allow()
	second := x.source("k2", "hello")
	must(t, x.replicate(x.task("k2", second, override)))
	if got := x.version("dst", "k2", "").Owner; got != accountB {
		t.Errorf("with override the owner is %s, want the destination's", got)
	}
}

// GetObjectVersion will do for sources that are not SSE-KMS (S291).
func TestReplicationReadAlternatives(t *testing.T) {
	x := newCrossing(t, "s3:GetObjectVersionForReplication")
	x.put(accountA, "/src?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+roleARN+`"},"Action":"s3:GetObjectVersion","Resource":"arn:aws:s3:::src/*"},
		{"Effect":"Deny","Principal":{"AWS":"`+roleARN+`"},"Action":"s3:GetObjectVersionForReplication","Resource":"arn:aws:s3:::src/*"}]}`)
	must(t, x.replicate(x.task("plain", x.source("plain", "x"))))
	err := x.replicate(x.task("kms", x.source("kms", "x", sseHeader, "aws:kms", sseKeyIDHeader, "cmk")))
	x.wantReason(err, "SrcGetObjectNotPermitted")
}

func TestReplicationStates(t *testing.T) {
	x := newCrossing(t)
	id := x.source("k", "hello")
	x.wantReason(x.replicate(x.task("k", id, func(d *store.Destination) { d.Bucket = "nowhere" })), "DstBucketNotFound")
	x.wantReason(x.replicate(x.task("k", id, func(d *store.Destination) { d.Account = accountA })), "DstPutObjectNotPermitted")
	x.wantReason(x.replicate(x.task("k", strings.Repeat("A", 32))), "SrcVersionNotFound")
	x.wantReason(x.replicate(x.task("never", strings.Repeat("A", 32))), "SrcVersionNotFound")
	x.put(accountB, "/dst?versioning", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
	x.wantReason(x.replicate(x.task("k", id)), "DstBucketUnversioned")
	gone := x.task("k", id)
	gone.Bucket = "gone"
	x.wantReason(x.replicate(gone), "SrcBucketNotFound")
}

func TestReplicationKeyFailures(t *testing.T) {
	d := &policy.Decision{Outcome: policy.ImplicitDeny}
	denied := failure.New("AccessDeniedException", "User: x is not authorized to perform: kms:Something")
	denied.Decision = d
	for _, c := range []struct {
		kms      *failure.Error
		src, dst failure.Code
	}{
		{denied, "SrcGetObjectNotPermitted", "DstPutObjectNotPermitted"},
		{failure.New("DisabledException", "x is disabled."), "SrcKmsKeyInvalidState", "DstKmsKeyInvalidState"},
		{failure.New("KMSInvalidStateException", "x is pending deletion."), "SrcKmsKeyInvalidState", "DstKmsKeyInvalidState"},
		{failure.New("NotFoundException", "Key 'x' does not exist"), "SrcKmsKeyInvalidState", "DstKmsKeyNotFound"},
		{failure.New("ThrottlingException", "slower"), "ThrottlingException", "ThrottlingException"},
		{failure.New("KMSInternalException", "oops"), "KMSInternalException", "KMSInternalException"},
	} {
		t.Run(string(c.kms.Code), func(t *testing.T) {
			x := newCrossing(t)
			id := x.source("k", "hello", sseHeader, "aws:kms", sseKeyIDHeader, "cmk")
			for op, want := range map[string]failure.Code{"Decrypt": c.src, "Encrypt": c.dst} {
				x.keys.fail(op, c.kms)
				f := x.wantReason(x.replicate(x.task("k", id)), want)
				if f.Message != c.kms.Message || f.Decision != c.kms.Decision {
					t.Errorf("%s: message %q, decision %v", op, f.Message, f.Decision)
				}
			}
			if _, err := x.store.Version(t.Context(), "dst", "k", ""); failure.CodeOf(err) != "NoSuchKey" {
				t.Errorf("a failed task left a replica: %v", err)
			}
		})
	}
}

// Without the permission for tags the replica stands untagged and the task fails; once
// allowed, a retry adds the tags (S297).
func TestReplicationTags(t *testing.T) {
	x := newCrossing(t)
	deny := `{"Effect":"Deny","Principal":"*","Action":"s3:ReplicateTags","Resource":"arn:aws:s3:::dst/*"}`
	x.dstPolicy(deny)
	id := x.source("k", "hello", "x-amz-tagging", "t=1")
	x.wantReason(x.replicate(x.task("k", id)), "DstPutTaggingNotPermitted")
	if v := x.version("dst", "k", id); len(v.Tags) != 0 || !v.IsReplica {
		t.Fatalf("replica %+v, want an untagged one", v)
	}
	x.dstPolicy("")
	must(t, x.replicate(x.task("k", id)))
	if v := x.version("dst", "k", id); len(v.Tags) != 1 {
		t.Errorf("tags after the retry %v", v.Tags)
	}

	x.allow("s3:GetObjectVersionTagging")
	id = x.source("k2", "hello", "x-amz-tagging", "t=1")
	src, err := x.api.OpenForReplication(t.Context(), x.caller, "src", "k2", id)
	must(t, err)
	x.wantReason(src.TagsDenied, "SrcGetTaggingNotPermitted")
	x.wantReason(x.api.PutReplica(t.Context(), x.caller, x.task("k2", id), src), "SrcGetTaggingNotPermitted")
	if v := x.version("dst", "k2", id); len(v.Tags) != 0 {
		t.Errorf("tags %v", v.Tags)
	}
}

func TestPutReplicaTags(t *testing.T) {
	x := newCrossing(t)
	id := x.source("k", "hello")
	task := x.task("k", id)
	x.put(accountA, "/src/k?tagging", tagSet("t", "2"))
	x.wantReason(x.api.PutReplicaTags(t.Context(), x.caller, task), "DstVersionNotFound")
	must(t, x.replicate(task))
	x.put(accountA, "/src/k?tagging", tagSet("t", "3"))
	x.steps()
	must(t, x.api.PutReplicaTags(t.Context(), x.caller, task))
	if diff := cmp.Diff([]store.Tag{{Key: "t", Value: "3"}}, x.version("dst", "k", id).Tags); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want := []string{"s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging", "s3:ReplicateTags"}
	if diff := cmp.Diff(want, x.steps()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	for without, reason := range map[string]failure.Code{"s3:GetObjectVersionForReplication": "SrcHeadObjectNotPermitted", "s3:GetObjectVersionTagging": "SrcGetTaggingNotPermitted"} {
		x.allow(without)
		x.wantReason(x.api.PutReplicaTags(t.Context(), x.caller, task), reason)
	}
	x.allow("s3:ReplicateTags")
	must(t, x.api.PutReplicaTags(t.Context(), x.caller, task))
	x.allow("s3:ReplicateTags", "s3:ReplicateObject")
	x.wantReason(x.api.PutReplicaTags(t.Context(), x.caller, task), "DstPutTaggingNotPermitted")
}

func TestPutReplicaMarker(t *testing.T) {
	x := newCrossing(t)
	id := x.source("k", "hello")
	must(t, x.replicate(x.task("k", id)))
	marker := x.do(call{method: "DELETE", target: "/src/k"}).header.Get("x-amz-version-id")
	task := x.task("k", marker)
	x.steps()
	for range 2 { // at least once is enough
		must(t, x.api.PutReplicaMarker(t.Context(), x.caller, task))
	}
	want := []string{"s3:GetReplicationConfiguration", "s3:ListBucket", "s3:ReplicateDelete"}
	if diff := cmp.Diff(append(slices.Clone(want), want...), x.steps()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	src, dst := x.version("src", "k", ""), x.version("dst", "k", "")
	if !dst.DeleteMarker || dst.ID != marker || !dst.IsReplica || dst.Order != src.Order {
		t.Errorf("marker %+v", dst)
	}
	out, err := x.api.OpenForReplication(t.Context(), x.caller, "src", "k", marker)
	if must(t, err); out.Open != nil {
		t.Error("a delete marker has content")
	}
	x.allow("s3:ReplicateDelete")
	f := x.wantReason(x.api.PutReplicaMarker(t.Context(), x.caller, task), "DstDelObjNotPermitted")
	if e := x.lastEvent("DeleteObject"); e.ErrorCode != "AccessDenied" || e.HTTPStatus != 403 || f.Decision == nil {
		t.Errorf("trail %+v", e)
	}
	x.wantReason(x.api.PutReplicaMarker(t.Context(), x.caller, x.task("k", id)), "SrcVersionNotFound")
}

// Policies see the encryption that the replica will have (S294).
func TestReplicationConditionKeys(t *testing.T) {
	x := newCrossing(t)
	x.dstPolicy(`{"Effect":"Deny","Principal":"*","Action":"s3:ReplicateObject","Resource":"arn:aws:s3:::dst/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"` + dstKeyARN + `"}}}`)
	must(t, x.replicate(x.task("kms", x.source("kms", "x", sseHeader, "aws:kms", sseKeyIDHeader, "cmk"))))
	x.wantReason(x.replicate(x.task("plain", x.source("plain", "x"))), "DstPutObjectNotPermitted")
	d := x.decisions[len(x.decisions)-1]
	if got, _ := d.Context.Get("s3:x-amz-server-side-encryption"); !slices.Equal(got, []string{"AES256"}) {
		t.Errorf("context %v", d.Context)
	}
}

// A source that fails in the middle leaves nothing at the destination.
func TestReplicationSourceFails(t *testing.T) {
	x := newCrossing(t)
	id := x.source("k", strings.Repeat("x", 200_000))
	ctx, cancel := context.WithCancel(t.Context())
	src, err := x.api.OpenForReplication(ctx, x.caller, "src", "k", id)
	must(t, err)
	cancel()
	if err := x.api.PutReplica(ctx, x.caller, x.task("k", id), src); err == nil {
		t.Fatal("replicated under a cancelled context")
	}
	if _, err := x.store.Version(t.Context(), "dst", "k", ""); failure.CodeOf(err) != "NoSuchKey" {
		t.Errorf("%v", err)
	}
}
