package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	control "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const batchRole = "arn:aws:iam::" + benchAccount + ":role/batch"

// batchRig is a watched rig with a bucket for reports and a job role that may do everything.
type batchRig struct {
	*watchedRig
	jobs  *s3control.Client
	token int
}

func newBatchRig(t *testing.T) *batchRig {
	t.Helper()
	b := &batchRig{watchedRig: newWatchedRig(t, "")}
	b.bucket(t, "reports", "us-east-1", false)
	must(t)(iam.NewFromConfig(b.cfg).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("batch"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"batchoperations.s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))
	b.jobRole(t, "s3:*", "")
	b.jobs = controlClient(t, b.rig)
	return b
}

// controlClient is an SDK client. It puts the account before the host name, so every
// name is dialled at the server.
func controlClient(t testing.TB, r *rig) *s3control.Client {
	at := r.listener.Addr().String()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, at)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return s3control.NewFromConfig(r.cfg, func(o *s3control.Options) {
		o.BaseEndpoint, o.HTTPClient, o.RetryMaxAttempts = aws.String("http://localhost"), &http.Client{Transport: transport}, 1
	})
}

// jobRole gives the job's role actions, and denies others unless deny is "".
func (b *batchRig) jobRole(t *testing.T, allow, deny string) {
	t.Helper()
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + allow + `","Resource":"*"}`
	if deny != "" {
		text += `,{"Effect":"Deny","Action":"` + deny + `","Resource":"*"}`
	}
	must(t)(iam.NewFromConfig(b.cfg).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("batch"), PolicyName: aws.String("p"), PolicyDocument: aws.String(text + `]}`)}))
}

// input is a job over a generated manifest; change may alter it.
func (b *batchRig) input(change ...func(*s3control.CreateJobInput)) *s3control.CreateJobInput {
	b.token++
	in := &s3control.CreateJobInput{
		AccountId: aws.String(benchAccount), ClientRequestToken: aws.String(fmt.Sprint("token", b.token)), Priority: aws.Int32(10), RoleArn: aws.String(batchRole),
		ConfirmationRequired: aws.Bool(false), Operation: &control.JobOperation{S3ReplicateObject: &control.S3ReplicateObjectOperation{}},
		Report: &control.JobReport{Enabled: true, Bucket: aws.String("arn:aws:s3:::reports"), Prefix: aws.String("done"), Format: control.JobReportFormatReportCsv20180820, ReportScope: control.JobReportScopeAllTasks},
		ManifestGenerator: &control.JobManifestGeneratorMemberS3JobManifestGenerator{Value: control.S3JobManifestGenerator{
			SourceBucket: aws.String("arn:aws:s3:::src"), EnableManifestOutput: false, Filter: &control.JobManifestGeneratorFilter{EligibleForReplication: aws.Bool(true)}}},
	}
	for _, c := range change {
		c(in)
	}
	return in
}

// filter sets the generator's filter.
func filter(f control.JobManifestGeneratorFilter) func(*s3control.CreateJobInput) {
	return func(in *s3control.CreateJobInput) {
		g := in.ManifestGenerator.(*control.JobManifestGeneratorMemberS3JobManifestGenerator)
		g.Value.Filter = &f
	}
}

// manifest makes the job one over a CSV manifest with these lines.
func (b *batchRig) manifest(t *testing.T, lines ...string) func(*s3control.CreateJobInput) {
	t.Helper()
	out, err := b.s3("us-east-1").PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("reports"), Key: aws.String("manifest.csv"), Body: strings.NewReader(strings.Join(lines, "\n"))})
	if err != nil {
		t.Fatal(err)
	}
	return func(in *s3control.CreateJobInput) {
		in.ManifestGenerator = nil
		in.Manifest = &control.JobManifest{
			Spec:     &control.JobManifestSpec{Format: control.JobManifestFormatS3BatchOperationsCsv20180820, Fields: []control.JobManifestFieldName{"Bucket", "Key", "VersionId"}},
			Location: &control.JobManifestLocation{ObjectArn: aws.String("arn:aws:s3:::reports/manifest.csv"), ETag: out.ETag},
		}
	}
}

func (b *batchRig) create(t *testing.T, in *s3control.CreateJobInput) string {
	t.Helper()
	out, err := b.jobs.CreateJob(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.JobId
}

func (b *batchRig) describe(t *testing.T, id string) *control.JobDescriptor {
	t.Helper()
	out, err := b.jobs.DescribeJob(t.Context(), &s3control.DescribeJobInput{AccountId: aws.String(benchAccount), JobId: &id})
	if err != nil {
		t.Fatal(err)
	}
	return out.Job
}

// until waits for a job's status.
func (b *batchRig) until(t *testing.T, id string, want control.JobStatus) *control.JobDescriptor {
	t.Helper()
	var j *control.JobDescriptor
	b.eventually(t, "job "+string(want), func() bool {
		j = b.describe(t, id)
		if j.Status != want && (j.Status == "Failed" || j.Status == "Complete" || j.Status == "Cancelled") {
			t.Fatalf("job ended %s: %+v", j.Status, j.FailureReasons)
		}
		return j.Status == want
	})
	return j
}

// run creates a job and waits for its end.
func (b *batchRig) run(t *testing.T, want control.JobStatus, change ...func(*s3control.CreateJobInput)) *control.JobDescriptor {
	t.Helper()
	return b.until(t, b.create(t, b.input(change...)), want)
}

// get reads an object.
func (b *batchRig) get(t *testing.T, bucket, key string) []byte {
	t.Helper()
	out, err := b.s3("us-east-1").GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("%s/%s: %v", bucket, key, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// report is the rows of a job's report, without the message, as "status key code http".
func (b *batchRig) report(t *testing.T, id string) (rows []string) {
	t.Helper()
	var m struct {
		Format, ReportCreationDate, ReportSchema string
		Results                                  []struct{ TaskExecutionStatus, Bucket, MD5Checksum, Key string }
	}
	if err := json.Unmarshal(b.get(t, "reports", "done/job-"+id+"/manifest.json"), &m); err != nil {
		t.Fatal(err)
	}
	if m.Format != "Report_CSV_20180820" || m.ReportSchema != "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage" {
		t.Errorf("report manifest %+v", m)
	}
	for _, f := range m.Results {
		text := b.get(t, f.Bucket, f.Key)
		if sum := md5.Sum(text); hex.EncodeToString(sum[:]) != f.MD5Checksum {
			t.Errorf("%s: wrong MD5", f.Key)
		}
		records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r[3] != f.TaskExecutionStatus || r[0] == "" {
				t.Errorf("row %v in the file of %s", r, f.TaskExecutionStatus)
			}
			rows = append(rows, strings.Join([]string{r[3], r[1], r[4], r[5]}, " "))
		}
	}
	return rows
}

func (b *batchRig) status(t *testing.T, bucket, region, key, version string) types.ReplicationStatus {
	t.Helper()
	in := &s3.HeadObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := b.s3(region).HeadObject(t.Context(), in)
	if err != nil {
		t.Fatalf("HEAD %s/%s: %v", bucket, key, err)
	}
	return out.ReplicationStatus
}

func TestBatchHealsFailedVersions(t *testing.T) {
	b := newBatchRig(t)
	b.rule(t, true, false)
	b.allow(t, "s3:Get*")
	broken := b.put(t, "broken", "x")
	b.settle(t)
	if e := b.next(t); e.ReplicationEventData.FailureReason == "" {
		t.Errorf("no failure event: %+v", e)
	}
	b.allow(t, "s3:*")
	b.put(t, "fine", "y")
	b.settle(t)
	if got := b.status(t, "src", "us-east-1", "broken", broken); got != "FAILED" {
		t.Fatalf("repaired policy: %s, want FAILED still", got)
	}
	j := b.run(t, "Complete", filter(control.JobManifestGeneratorFilter{ObjectReplicationStatuses: []control.ReplicationStatus{"FAILED"}}))
	if p := j.ProgressSummary; *p.TotalNumberOfTasks != 1 || *p.NumberOfTasksSucceeded != 1 || *p.NumberOfTasksFailed != 0 {
		t.Errorf("progress %d/%d/%d", *p.TotalNumberOfTasks, *p.NumberOfTasksSucceeded, *p.NumberOfTasksFailed)
	}
	if got := b.status(t, "src", "us-east-1", "broken", broken); got != "COMPLETED" {
		t.Errorf("after the job: %s", got)
	}
	if got := b.status(t, "dst", "us-west-2", "broken", broken); got != "REPLICA" {
		t.Errorf("replica: %s", got)
	}
	if d := cmp.Diff(b.report(t, *j.JobId), []string{"succeeded broken  200"}); d != "" {
		t.Error(d)
	}
	if j.TerminationDate == nil || *j.JobArn != "arn:aws:s3:us-east-1:"+benchAccount+":job/"+*j.JobId {
		t.Errorf("job %+v", j)
	}
}

func TestBatchCopiesWhatLiveReplicationCannot(t *testing.T) {
	b := newBatchRig(t)
	must(t)(b.s3("us-east-1").PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String("src"), VersioningConfiguration: &types.VersioningConfiguration{Status: "Suspended"}}))
	b.put(t, "null", "before versioning")
	must(t)(b.s3("us-east-1").PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String("src"), VersioningConfiguration: &types.VersioningConfiguration{Status: "Enabled"}}))
	old := b.put(t, "k", "first")
	newer := b.put(t, "k", "second")
	must(t)(b.s3("us-east-1").PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("src"), Key: aws.String("cold"), Body: strings.NewReader("x"), StorageClass: "GLACIER"}))
	b.rule(t, true, false)
	j := b.run(t, "Complete", filter(control.JobManifestGeneratorFilter{ObjectReplicationStatuses: []control.ReplicationStatus{"NONE"}}))
	want := []string{"succeeded k  200", "succeeded k  200", "succeeded null  200", "failed cold SrcObjectNotEligible 400"}
	if d := cmp.Diff(b.report(t, *j.JobId), want); d != "" {
		t.Error(d)
	}
	for _, id := range []string{old, newer} {
		if got := b.status(t, "dst", "us-west-2", "k", id); got != "REPLICA" {
			t.Errorf("replica of version %s: %s", id, got)
		}
	}
	if got := b.status(t, "dst", "us-west-2", "null", ""); got != "REPLICA" {
		t.Errorf("replica of the null version: %s", got)
	}
	// Failures of batch jobs are counted; RTC and pending metrics are not theirs.
	if n, sum := b.failures(t); n != 3 || sum != 0 {
		t.Errorf("OperationsFailedReplication: SampleCount %v, Sum %v", n, sum)
	}
	if got := b.statistics(t, "us-west-2", "OperationsPendingReplication"); len(got) != 0 {
		t.Errorf("pending metric of a batch job: %d datapoints", len(got))
	}

	// A second job copies what is there again, except replicas that were removed.
	must(t)(b.s3("us-west-2").DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("dst"), Key: aws.String("k"), VersionId: &old}))
	j = b.run(t, "Complete", filter(control.JobManifestGeneratorFilter{KeyNameConstraint: &control.KeyNameConstraint{MatchAnyPrefix: []string{"k"}}}))
	want = []string{"succeeded k  200", "failed k DstObjectHardDeleted 400"}
	if d := cmp.Diff(b.report(t, *j.JobId), want); d != "" {
		t.Error(d)
	}
}

// TestBatchReplicatesReplicasOnward: what live replication stops at, A to B to C, a job
// carries on, with the version ids that it finds; markers go where the rule takes markers.
func TestBatchReplicatesReplicasOnward(t *testing.T) {
	b := newBatchRig(t)
	b.bucket(t, "third", "us-west-2", true)
	b.rule(t, false, false)
	version := b.put(t, "k", "x")
	b.settle(t)
	marker, err := b.s3("us-west-2").DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("dst"), Key: aws.String("gone")})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(b.s3("us-west-2").PutBucketReplication(t.Context(), &s3.PutBucketReplicationInput{Bucket: aws.String("dst"),
		ReplicationConfiguration: &types.ReplicationConfiguration{Role: aws.String(crrRole), Rules: []types.ReplicationRule{{
			ID: aws.String("on"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
			DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusEnabled},
			Destination:             &types.Destination{Bucket: aws.String("arn:aws:s3:::third")},
		}}}}))
	west := *b.rig
	west.cfg.Region = "us-west-2"
	b.jobs = controlClient(t, &west)
	j := b.run(t, "Complete", func(in *s3control.CreateJobInput) {
		in.ManifestGenerator.(*control.JobManifestGeneratorMemberS3JobManifestGenerator).Value.SourceBucket = aws.String("arn:aws:s3:::dst")
	})
	if d := cmp.Diff(b.report(t, *j.JobId), []string{"succeeded gone  200", "succeeded k  200"}); d != "" {
		t.Error(d)
	}
	if got := b.status(t, "third", "us-west-2", "k", version); got != "REPLICA" {
		t.Errorf("replica of the replica: %s", got)
	}
	list, err := b.s3("us-west-2").ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String("third")})
	if err != nil || len(list.DeleteMarkers) != 1 || *list.DeleteMarkers[0].VersionId != *marker.VersionId {
		t.Errorf("markers %+v, %v", list, err)
	}
	// A job belongs to its Region.
	east := controlClient(t, b.rig)
	if _, err := east.DescribeJob(t.Context(), &s3control.DescribeJobInput{AccountId: aws.String(benchAccount), JobId: j.JobId}); apiCode(err) != "NotFoundException" {
		t.Errorf("the job in another Region: %v", err)
	}
}

func TestBatchRowsOfACSVManifest(t *testing.T) {
	b := newBatchRig(t)
	version := b.put(t, "a b/c", "x")
	b.bucket(t, "plain", "us-east-1", true)
	b.bucket(t, "far", "eu-west-1", true)
	must(t)(b.s3("us-east-1").PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("plain"), Key: aws.String("k"), Body: strings.NewReader("x")}))
	b.rule(t, true, false)
	j := b.run(t, "Complete", b.manifest(t,
		"src,a%20b/c,"+version,
		"src,a%20b/c,",
		"src,missing,",
		"src,a%20b/c,"+strings.Replace(version, version[:4], "AAAA", 1),
		"plain,k,",
		"far,k,",
		"nowhere,k,",
	))
	want := []string{
		"succeeded a%20b/c  200", "succeeded a%20b/c  200",
		"failed missing SrcKeyNotFound 404", "failed a%20b/c SrcVersionNotFound 404", "failed k SrcBucketReplicationConfigMissing 404",
		"failed k SrcBucketInvalidRegion 400", "failed k SrcBucketNotFound 404",
	}
	if d := cmp.Diff(b.report(t, *j.JobId), want); d != "" {
		t.Error(d)
	}
	if p := j.ProgressSummary; *p.TotalNumberOfTasks != 7 || *p.NumberOfTasksFailed != 5 {
		t.Errorf("progress %+v", p)
	}
}

func TestBatchReasons(t *testing.T) {
	b := newBatchRig(t)
	b.put(t, "k", "x")
	b.rule(t, true, false)
	for _, tt := range []struct {
		name, allow, deny string
		replication       string // actions of the replication role
		want              []string
	}{
		{"s3:InitiateReplication missing", "s3:*", "s3:InitiateReplication", "s3:*", []string{"failed k InitiateReplicationNotPermitted 403"}},
		{"the replication role may not write", "s3:*", "", "s3:Get*", []string{"failed k SrcGetObjectNotPermitted 403"}},
		{"all is well", "s3:*", "", "s3:*", []string{"succeeded k  200"}},
	} {
		b.jobRole(t, tt.allow, tt.deny)
		b.allow(t, tt.replication)
		j := b.run(t, "Complete", filter(control.JobManifestGeneratorFilter{}))
		if d := cmp.Diff(b.report(t, *j.JobId), tt.want); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	j := b.run(t, "Complete", filter(control.JobManifestGeneratorFilter{}), func(in *s3control.CreateJobInput) { in.Report.ReportScope = "FailedTasksOnly" })
	if got := b.report(t, *j.JobId); len(got) != 0 {
		t.Errorf("failed tasks only: %v", got)
	}
}

func TestBatchJobsThatFail(t *testing.T) {
	b := newBatchRig(t)
	b.put(t, "k", "x")
	b.rule(t, true, false)
	good := b.manifest(t, "src,k,")
	fail := func(name, code string, change ...func(*s3control.CreateJobInput)) {
		t.Helper()
		j := b.run(t, "Failed", change...)
		if len(j.FailureReasons) != 1 || *j.FailureReasons[0].FailureCode != code {
			t.Errorf("%s: %+v, want %s", name, j.FailureReasons, code)
			for _, f := range j.FailureReasons {
				t.Log(*f.FailureCode, *f.FailureReason)
			}
		}
	}
	j := b.run(t, "Failed", filter(control.JobManifestGeneratorFilter{KeyNameConstraint: &control.KeyNameConstraint{MatchAnySuffix: []string{"nothing"}}}))
	if got := *j.FailureReasons[0].FailureReason; got != "Manifest generation found no keys matching the filter criteria" {
		t.Errorf("empty manifest: %s", got)
	}
	fail("stale ETag", "PreconditionFailed", good, func(in *s3control.CreateJobInput) { in.Manifest.Location.ETag = aws.String("0123") })
	fail("bad line", "InvalidManifest", b.manifest(t, "src,k"))
	fail("no such manifest", "NoSuchKey", good, func(in *s3control.CreateJobInput) {
		in.Manifest.Location.ObjectArn = aws.String("arn:aws:s3:::reports/none")
	})
	fail("manifest of another owner's bucket", "AccessDenied", func(in *s3control.CreateJobInput) {
		in.ManifestGenerator.(*control.JobManifestGeneratorMemberS3JobManifestGenerator).Value.ExpectedBucketOwner = aws.String("999999999999")
	})
	b.jobRole(t, "s3:*", "s3:PutInventoryConfiguration")
	fail("may not generate", "AccessDenied")
	b.jobRole(t, "s3:*", "s3:GetObject")
	fail("may not read the manifest", "AccessDenied", b.manifest(t, "src,k,"))
	b.jobRole(t, "s3:*", "s3:PutObject")
	fail("may not write the report", "AccessDenied")
	fail("no such role", "AssumeRoleNotPermitted", func(in *s3control.CreateJobInput) { in.RoleArn = aws.String(batchRole + "x") })
	fail("a role for somebody else", "AssumeRoleNotPermitted", func(in *s3control.CreateJobInput) { in.RoleArn = aws.String(crrRole) })
}

func TestBatchManifestOutputAndInventory(t *testing.T) {
	b := newBatchRig(t)
	version := b.put(t, "a b", "x")
	b.rule(t, true, false)
	j := b.run(t, "Complete", func(in *s3control.CreateJobInput) {
		g := &in.ManifestGenerator.(*control.JobManifestGeneratorMemberS3JobManifestGenerator).Value
		g.EnableManifestOutput = true
		g.ManifestOutputLocation = &control.S3ManifestOutputLocation{Bucket: aws.String("arn:aws:s3:::reports"), ManifestPrefix: aws.String("lists"), ManifestFormat: "S3InventoryReport_CSV_20211130",
			ManifestEncryption: &control.GeneratedManifestEncryption{SSES3: &control.SSES3Encryption{}}}
	})
	g := j.GeneratedManifestDescriptor
	if g == nil || g.Format != "S3InventoryReport_CSV_20211130" || !strings.HasPrefix(*g.Location.ObjectArn, "arn:aws:s3:::reports/lists/job-") || *g.Location.ETag == "" {
		t.Fatalf("generated manifest %+v", g)
	}
	var list struct{ Files []struct{ Key string } }
	if err := json.Unmarshal(b.get(t, "reports", strings.TrimPrefix(*g.Location.ObjectArn, "arn:aws:s3:::reports/")), &list); err != nil || len(list.Files) != 1 {
		t.Fatal(err, list)
	}
	z, err := gzip.NewReader(bytes.NewReader(b.get(t, "reports", list.Files[0].Key)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || string(text) != "src,a%20b,"+version+"\n" {
		t.Errorf("manifest %q, %v", text, err)
	}
	// What one job wrote, another can read: the generated list is an inventory.
	again := b.run(t, "Complete", func(in *s3control.CreateJobInput) {
		in.ManifestGenerator = nil
		in.Manifest = &control.JobManifest{Spec: &control.JobManifestSpec{Format: control.JobManifestFormatS3InventoryReportCsv20161130},
			Location: &control.JobManifestLocation{ObjectArn: g.Location.ObjectArn, ETag: g.Location.ETag}}
	})
	if d := cmp.Diff(b.report(t, *again.JobId), []string{"succeeded a%20b  200"}); d != "" {
		t.Error(d)
	}
}

func TestBatchJobLife(t *testing.T) {
	b := newBatchRig(t)
	b.put(t, "k", "x")
	b.rule(t, true, false)
	in := b.input(func(in *s3control.CreateJobInput) {
		in.ConfirmationRequired, in.Description = aws.Bool(true), aws.String("heal")
		in.Tags = []control.S3Tag{{Key: aws.String("team"), Value: aws.String("a")}}
	})
	id := b.create(t, in)
	if again := b.create(t, in); again != id {
		t.Errorf("the same request made job %s and %s", id, again)
	}
	other := *in
	other.Priority = aws.Int32(11)
	if _, err := b.jobs.CreateJob(t.Context(), &other); apiCode(err) != "IdempotencyException" {
		t.Errorf("the same token for another job: %v", err)
	}
	j := b.until(t, id, "Suspended")
	if j.SuspendedDate == nil || *j.SuspendedCause != "AwaitingConfirmation" || *j.ProgressSummary.TotalNumberOfTasks != 1 || *j.Description != "heal" || j.Priority != 10 || !*j.ConfirmationRequired {
		t.Errorf("suspended job %+v", j)
	}
	f := j.ManifestGenerator.(*control.JobManifestGeneratorMemberS3JobManifestGenerator).Value.Filter
	if f == nil || f.EligibleForReplication == nil || !*f.EligibleForReplication {
		t.Errorf("filter came back as %+v", f)
	}
	if got := b.status(t, "src", "us-east-1", "k", ""); got != "" {
		t.Errorf("an unconfirmed job has begun: %s", got)
	}
	if out, err := b.jobs.UpdateJobPriority(t.Context(), &s3control.UpdateJobPriorityInput{AccountId: aws.String(benchAccount), JobId: &id, Priority: 42}); err != nil || out.Priority != 42 {
		t.Errorf("priority: %v, %v", out, err)
	}
	tags, err := b.jobs.GetJobTagging(t.Context(), &s3control.GetJobTaggingInput{AccountId: aws.String(benchAccount), JobId: &id})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "a" {
		t.Errorf("tags %v, %v", tags, err)
	}
	must(t)(b.jobs.PutJobTagging(t.Context(), &s3control.PutJobTaggingInput{AccountId: aws.String(benchAccount), JobId: &id, Tags: []control.S3Tag{{Key: aws.String("x"), Value: aws.String("")}}}))
	must(t)(b.jobs.DeleteJobTagging(t.Context(), &s3control.DeleteJobTaggingInput{AccountId: aws.String(benchAccount), JobId: &id}))
	if tags, err = b.jobs.GetJobTagging(t.Context(), &s3control.GetJobTaggingInput{AccountId: aws.String(benchAccount), JobId: &id}); err != nil || len(tags.Tags) != 0 {
		t.Errorf("tags after delete %v, %v", tags, err)
	}
	set := func(to control.RequestedJobStatus) error {
		_, err := b.jobs.UpdateJobStatus(t.Context(), &s3control.UpdateJobStatusInput{AccountId: aws.String(benchAccount), JobId: &id, RequestedJobStatus: to, StatusUpdateReason: aws.String("because")})
		return err
	}
	if err := set("Ready"); err != nil {
		t.Error(err)
	}
	if j = b.until(t, id, "Complete"); *j.StatusUpdateReason != "because" || j.Priority != 42 {
		t.Errorf("job %+v", j)
	}
	if err := set("Cancelled"); apiCode(err) != "JobStatusException" {
		t.Errorf("cancelling a complete job: %v", err)
	}
	cancelled := b.create(t, b.input(func(in *s3control.CreateJobInput) { in.ConfirmationRequired = aws.Bool(true) }))
	b.until(t, cancelled, "Suspended")
	id = cancelled
	if err := set("Cancelled"); err != nil {
		t.Error(err)
	}
	b.until(t, cancelled, "Cancelled")
	list, err := b.jobs.ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(benchAccount), JobStatuses: []control.JobStatus{"Cancelled"}})
	if err != nil || len(list.Jobs) != 1 || *list.Jobs[0].JobId != cancelled || list.Jobs[0].Operation != "S3ReplicateObject" {
		t.Errorf("list: %+v, %v", list, err)
	}
	page, err := b.jobs.ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(benchAccount), MaxResults: aws.Int32(1)})
	if err != nil || len(page.Jobs) != 1 || page.NextToken == nil {
		t.Fatalf("first page: %+v, %v", page, err)
	}
	page, err = b.jobs.ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(benchAccount), MaxResults: aws.Int32(1), NextToken: page.NextToken})
	if err != nil || len(page.Jobs) != 1 || page.NextToken != nil {
		t.Fatalf("second page: %+v, %v", page, err)
	}
	if _, err := b.jobs.DescribeJob(t.Context(), &s3control.DescribeJobInput{AccountId: aws.String(benchAccount), JobId: aws.String("none")}); apiCode(err) != "NotFoundException" {
		t.Errorf("no such job: %v", err)
	}
	if _, err := b.jobs.ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(benchAccount), NextToken: aws.String("x")}); apiCode(err) != "InvalidNextTokenException" {
		t.Errorf("bad token: %v", err)
	}
	// Jobs nobody confirms end after 30 days, ended ones are forgotten after 90.
	forgotten := b.create(t, b.input(func(in *s3control.CreateJobInput) { in.ConfirmationRequired = aws.Bool(true) }))
	b.until(t, forgotten, "Suspended")
	b.clock.Advance(31 * 24 * time.Hour)
	b.until(t, forgotten, "Failed")
	b.clock.Advance(60 * 24 * time.Hour)
	b.eventually(t, "the complete job is forgotten", func() bool {
		_, err := b.jobs.DescribeJob(t.Context(), &s3control.DescribeJobInput{AccountId: aws.String(benchAccount), JobId: &cancelled})
		return apiCode(err) == "NotFoundException"
	})
}

func apiCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestBatchCallerNeedsPermission(t *testing.T) {
	b := newBatchRig(t)
	client := iam.NewFromConfig(b.cfg)
	must(t)(client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("u")}))
	key, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("u")})
	if err != nil {
		t.Fatal(err)
	}
	user := *b.rig
	user.cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}, nil
	})
	jobs := controlClient(t, &user)
	may := func(statement string) {
		must(t)(client.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("u"), PolicyName: aws.String("p"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)}))
	}
	may(`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}`)
	if _, err := jobs.CreateJob(t.Context(), b.input()); apiCode(err) != "AccessDenied" || !strings.Contains(err.Error(), "s3:CreateJob") {
		t.Errorf("without s3:CreateJob: %v", err)
	}
	may(`{"Effect":"Allow","Action":"s3:CreateJob","Resource":"*","Condition":{"NumericLessThan":{"s3:RequestJobPriority":"100"},"StringEquals":{"s3:RequestJobOperation":"S3ReplicateObject"}}}`)
	if _, err := jobs.CreateJob(t.Context(), b.input()); apiCode(err) != "AccessDenied" || !strings.Contains(err.Error(), "iam:PassRole") {
		t.Errorf("without iam:PassRole: %v", err)
	}
	may(`{"Effect":"Allow","Action":"s3:CreateJob","Resource":"*","Condition":{"NumericLessThan":{"s3:RequestJobPriority":"100"}}},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"` + batchRole + `","Condition":{"StringEquals":{"iam:PassedToService":"batchoperations.s3.amazonaws.com"}}},
		{"Effect":"Allow","Action":["s3:DescribeJob","s3:UpdateJobStatus"],"Resource":"arn:aws:s3:us-east-1:` + benchAccount + `:job/*"}`)
	out, err := jobs.CreateJob(t.Context(), b.input())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jobs.CreateJob(t.Context(), b.input(func(in *s3control.CreateJobInput) { in.Priority = aws.Int32(100) })); apiCode(err) != "AccessDenied" {
		t.Errorf("with too high a priority: %v", err)
	}
	must(t)(jobs.DescribeJob(t.Context(), &s3control.DescribeJobInput{AccountId: aws.String(benchAccount), JobId: out.JobId}))
	if _, err := jobs.ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(benchAccount)}); apiCode(err) != "AccessDenied" {
		t.Errorf("without s3:ListJobs: %v", err)
	}
	if _, err := jobs.DescribeJob(t.Context(), &s3control.DescribeJobInput{AccountId: aws.String("999999999999"), JobId: out.JobId}); apiCode(err) != "AccessDenied" {
		t.Errorf("in another account: %v", err)
	}
}

// TestBatchJobSurvivesARestart: the job goes on with what it had begun.
func TestBatchJobSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	w := newWatchedRig(t, dir)
	w.rule(t, true, true)
	w.ask(t, "POST", op+"replication/pause", "", 200, nil)
	w.put(t, "late", "x")
	b := &batchRig{watchedRig: w, jobs: controlClient(t, w.rig)}
	w.bucket(t, "reports", "us-east-1", false)
	must(t)(iam.NewFromConfig(w.cfg).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("batch"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"batchoperations.s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))
	b.jobRole(t, "s3:*", "")
	id := b.create(t, b.input(b.manifest(t, "src,late,")))
	b.eventually(t, "the job waits for its version", func() bool { return b.describe(t, id).Status == "Active" })
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := *w
	again.rig = w.open(t, dir, w.sink)
	b = &batchRig{watchedRig: &again, jobs: controlClient(t, again.rig)}
	b.until(t, id, "Complete")
	if d := cmp.Diff(b.report(t, id), []string{"succeeded late  200"}); d != "" {
		t.Error(d)
	}
	b.settle(t)
	b.check(t, again.Server)
}
