package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// eventRecord is a notification as its receiver reads it.
type eventRecord struct {
	EventVersion, EventSource, AWSRegion, EventTime, EventName string
	UserIdentity                                               struct{ PrincipalID string }
	RequestParameters                                          map[string]string
	S3                                                         struct {
		S3SchemaVersion, ConfigurationID string
		Bucket                           struct {
			Name, ARN     string
			OwnerIdentity struct{ PrincipalID string }
		}
		Object struct {
			Key, ETag, VersionID, Sequencer string
			Size                            int64
		}
	}
	ReplicationEventData struct {
		ReplicationRuleID, DestinationBucket, S3Operation, RequestTime, FailureReason string
	}
}

// watchedRig is a rig whose source bucket announces its replication events.
type watchedRig struct {
	*rig
	sink   string // URL that the events go to
	events chan eventRecord
}

// crrRole is the replication role of the tests.
const crrRole = "arn:aws:iam::" + benchAccount + ":role/crr"

const queueARN = "arn:aws:sqs:us-east-1:" + benchAccount + ":events"

// newWatchedRig has src in us-east-1 and dst in us-west-2, a role that may replicate,
// and receives src's replication events.
func newWatchedRig(t *testing.T, data string) *watchedRig {
	t.Helper()
	w := &watchedRig{events: make(chan eventRecord, 100)}
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var message struct{ Records []eventRecord }
		if err := json.Unmarshal(body, &message); err != nil {
			t.Errorf("event %s: %v", body, err)
		}
		for _, e := range message.Records {
			w.events <- e
		}
	}))
	t.Cleanup(sink.Close)
	w.sink = sink.URL
	w.rig = w.open(t, data, w.sink)
	w.bucket(t, "src", "us-east-1", true)
	w.bucket(t, "dst", "us-west-2", true)
	must(t)(w.s3("us-east-1").PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: aws.String("src"),
		SkipDestinationValidation: aws.Bool(true),
		NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{
			Id: aws.String("n1"), QueueArn: aws.String(queueARN), Events: []types.Event{"s3:Replication:*"}}}}}))
	client := iam.NewFromConfig(w.cfg)
	must(t)(client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("crr"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))
	w.allow(t, "s3:*")
	return w
}

func (w *watchedRig) open(t *testing.T, data, sink string) *rig {
	t.Helper()
	s := New(Config{Listen: "127.0.0.1:0", Data: data, Notify: map[string]string{"*": sink}})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if data == "" { // a test that opens a directory twice checks by itself
			w.check(t, s)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &rig{Server: s, http: benchClient(t), cfg: aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(benchAccount, "test", "")}}
}

// check reports every broken invariant of the store.
func (w *watchedRig) check(t *testing.T, s *Server) {
	t.Helper()
	for _, err := range s.Check(context.Background()) {
		t.Error(err)
	}
}

// allow gives the replication role one action, or a pattern of them.
func (w *watchedRig) allow(t *testing.T, actions string) {
	t.Helper()
	must(t)(iam.NewFromConfig(w.cfg).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("crr"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + actions + `","Resource":"*"}]}`)}))
}

// rule configures one rule to dst with metrics and Replication Time Control as asked.
func (w *watchedRig) rule(t *testing.T, metrics, timed bool) {
	t.Helper()
	to := types.Destination{Bucket: aws.String("arn:aws:s3:::dst")}
	if metrics {
		to.Metrics = &types.Metrics{Status: types.MetricsStatusEnabled}
	}
	if timed {
		to.Metrics.EventThreshold = &types.ReplicationTimeValue{Minutes: aws.Int32(15)}
		to.ReplicationTime = &types.ReplicationTime{Status: types.ReplicationTimeStatusEnabled, Time: &types.ReplicationTimeValue{Minutes: aws.Int32(15)}}
	}
	must(t)(w.s3("us-east-1").PutBucketReplication(t.Context(), &s3.PutBucketReplicationInput{Bucket: aws.String("src"),
		ReplicationConfiguration: &types.ReplicationConfiguration{Role: aws.String(crrRole), Rules: []types.ReplicationRule{{
			ID: aws.String("r1"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
			DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled}, Destination: &to,
		}}}}))
}

// put uploads a key and returns its version id.
func (w *watchedRig) put(t *testing.T, key, body string) string {
	t.Helper()
	out, err := w.s3("us-east-1").PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("src"), Key: &key, Body: strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	return *out.VersionId
}

func (w *watchedRig) settle(t *testing.T) {
	w.ask(t, "POST", op+"replication/wait?timeout=30s", "", 200, nil)
}

func (w *watchedRig) next(t *testing.T) eventRecord {
	t.Helper()
	select {
	case e := <-w.events:
		return e
	case <-t.Context().Done():
	case <-time.After(20 * time.Second):
	}
	t.Fatal("no event came")
	return eventRecord{}
}

// quiet fails if an event has come that nobody waited for. Everything that could cause
// one has been waited for, and a marker event is behind it in the queue.
func (w *watchedRig) quiet(t *testing.T) {
	t.Helper()
	select {
	case e := <-w.events:
		t.Errorf("unexpected event %s of %s", e.EventName, e.S3.Object.Key)
	default:
	}
}

func TestFailedReplicationEvent(t *testing.T) {
	w := newWatchedRig(t, "")
	w.rule(t, true, false)
	w.allow(t, "s3:Get*") // no s3:ListBucket, no s3:ReplicateObject
	version := w.put(t, "a b/c", "hello")
	got := w.next(t)
	if got.S3.Object.Sequencer == "" || got.EventTime == "" || got.ReplicationEventData.RequestTime == "" || got.S3.Bucket.OwnerIdentity.PrincipalID == "" {
		t.Errorf("event lacks members: %+v", got)
	}
	got.S3.Object.Sequencer, got.EventTime, got.ReplicationEventData.RequestTime, got.S3.Bucket.OwnerIdentity.PrincipalID = "", "", "", ""
	var want eventRecord
	want.EventVersion, want.EventSource, want.AWSRegion, want.EventName = "2.2", "aws:s3", "us-east-1", "Replication:OperationFailedReplication"
	want.UserIdentity.PrincipalID, want.RequestParameters = "s3.amazonaws.com", map[string]string{"sourceIPAddress": "s3.amazonaws.com"}
	want.S3.S3SchemaVersion, want.S3.ConfigurationID, want.S3.Bucket.Name, want.S3.Bucket.ARN = "1.0", "n1", "src", "arn:aws:s3:::src"
	want.S3.Object.Key, want.S3.Object.ETag, want.S3.Object.VersionID, want.S3.Object.Size = "a+b/c", "5d41402abc4b2a76b9719d911017c592", version, 5
	want.ReplicationEventData.ReplicationRuleID, want.ReplicationEventData.DestinationBucket = "r1", "arn:aws:s3:::dst"
	want.ReplicationEventData.S3Operation, want.ReplicationEventData.FailureReason = "OBJECT_PUT", "SrcGetObjectNotPermitted"
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}

	// Without Metrics a failure is announced to nobody: the next event is of the next rule.
	w.settle(t)
	w.rule(t, false, false)
	w.put(t, "silent", "x")
	w.settle(t)
	w.rule(t, true, false)
	w.put(t, "told", "x")
	if e := w.next(t); e.S3.Object.Key != "told" {
		t.Errorf("event of %s, want of told", e.S3.Object.Key)
	}
}

func TestPartialReplicationIsNoFailure(t *testing.T) {
	w := newWatchedRig(t, "")
	w.rule(t, true, false)
	must(t)(iam.NewFromConfig(w.cfg).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("crr"), PolicyName: aws.String("q"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:ReplicateTags","Resource":"*"}]}`)}))
	must(t)(w.s3("us-east-1").PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("src"), Key: aws.String("tagged"), Body: strings.NewReader("x"), Tagging: aws.String("a=b")}))
	w.settle(t)
	head, err := w.s3("us-east-1").HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("src"), Key: aws.String("tagged")})
	if err != nil || head.ReplicationStatus != types.ReplicationStatusFailed {
		t.Fatalf("source: %v, %v", head, err)
	}
	if n, sum := w.failures(t); n != 1 || sum != 0 {
		t.Errorf("SampleCount %v, Sum %v; want 1 and 0", n, sum)
	}
	w.allow(t, "s3:Get*")
	w.put(t, "failing", "x")
	if e := w.next(t); e.S3.Object.Key != "failing" {
		t.Errorf("event of %s, want only of failing", e.S3.Object.Key)
	}
}

// failures are SampleCount and Sum of OperationsFailedReplication.
func (w *watchedRig) failures(t *testing.T) (n, sum float64) {
	t.Helper()
	for _, d := range w.statistics(t, "us-east-1", "OperationsFailedReplication") {
		n, sum = n+*d.SampleCount, sum+*d.Sum
	}
	return n, sum
}

// statistics are all datapoints of a metric of r1 in a Region.
func (w *watchedRig) statistics(t *testing.T, region, metric string) []cwtypes.Datapoint {
	t.Helper()
	now := w.clock.Now()
	client := cloudwatch.NewFromConfig(w.cfg, func(o *cloudwatch.Options) { o.Region = region })
	out, err := client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/S3"), MetricName: &metric, Period: aws.Int32(60), StartTime: aws.Time(now.Add(-2 * time.Hour)), EndTime: aws.Time(now.Add(time.Minute)),
		Statistics: []cwtypes.Statistic{"SampleCount", "Sum", "Average", "Minimum", "Maximum"},
		Dimensions: []cwtypes.Dimension{
			{Name: aws.String("SourceBucket"), Value: aws.String("src")}, {Name: aws.String("DestinationBucket"), Value: aws.String("dst")}, {Name: aws.String("RuleId"), Value: aws.String("r1")},
		}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Datapoints
}

func TestReplicationMetrics(t *testing.T) {
	w := newWatchedRig(t, "")
	w.rule(t, true, false)
	w.ask(t, "POST", op+"replication/pause", "", 200, nil)
	for i := range 3 {
		w.put(t, fmt.Sprint("k", i), "12345")
	}
	w.clock.Advance(10 * time.Minute)
	w.ask(t, "POST", op+"replication/resume", "", 200, nil)
	w.settle(t)
	if n, sum := w.failures(t); n != 3 || sum != 0 {
		t.Errorf("OperationsFailedReplication: SampleCount %v, Sum %v; want 3 and 0", n, sum)
	}
	for _, tt := range []struct {
		metric   string
		unit     cwtypes.StandardUnit
		min, max float64 // of the Maximum over all minutes
	}{
		{"OperationsPendingReplication", "Count", 3, 3},
		{"BytesPendingReplication", "Bytes", 15, 15},
		{"ReplicationLatency", "Seconds", 600, 630},
	} {
		points := w.statistics(t, "us-west-2", tt.metric)
		top := 0.0
		for _, p := range points {
			top = max(top, *p.Maximum)
			if p.Unit != tt.unit {
				t.Errorf("%s: unit %s, want %s", tt.metric, p.Unit, tt.unit)
			}
		}
		if top < tt.min || top > tt.max {
			t.Errorf("%s: maximum %v, want %v to %v", tt.metric, top, tt.min, tt.max)
		}
		if len(points) < 10 { // the minutes that the clock jumped over are filled in
			t.Errorf("%s: %d datapoints over ten minutes", tt.metric, len(points))
		}
		if got := w.statistics(t, "us-east-1", tt.metric); len(got) != 0 {
			t.Errorf("%s has %d datapoints in the source's Region", tt.metric, len(got))
		}
	}
	// A minute later all is quiet, and the series says so.
	w.clock.Advance(time.Minute)
	w.eventually(t, "zero pending", func() bool {
		points := w.statistics(t, "us-west-2", "OperationsPendingReplication")
		return *points[len(points)-1].Maximum == 0
	})
	var text strings.Builder
	resp, err := w.http.Get(w.URL() + op + "metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(&text, resp.Body); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`twinbucket_replication_operations_total{bucket="src",destination="dst",rule="r1"} 3`,
		`twinbucket_replication_operations_failed_total{bucket="src",destination="dst",rule="r1"} 0`,
		`twinbucket_replication_latency_seconds{bucket="src",destination="dst",rule="r1"} 6`,
	} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("Prometheus lacks %s", line)
		}
	}
}

// eventually looks until cond holds; what it waits for happens in another goroutine that
// nobody can wait for.
func (w *watchedRig) eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

func TestNoMetricsWithoutMetricsEnabled(t *testing.T) {
	w := newWatchedRig(t, "")
	w.rule(t, false, false)
	w.put(t, "k", "x")
	w.settle(t)
	for _, region := range []string{"us-east-1", "us-west-2"} {
		out, err := cloudwatch.NewFromConfig(w.cfg, func(o *cloudwatch.Options) { o.Region = region }).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
		if err != nil || len(out.Metrics) != 0 {
			t.Errorf("%s: %v, %v", region, out, err)
		}
	}
}

func TestReplicationTimeControl(t *testing.T) {
	w := newWatchedRig(t, "")
	w.rule(t, true, true)
	w.ask(t, "POST", op+"replication/pause", "", 200, nil)
	late := w.put(t, "late", "x")
	gone := w.put(t, "gone", "x")
	must(t)(w.s3("us-east-1").DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("src"), Key: aws.String("gone"), VersionId: &gone}))
	w.clock.Advance(14 * time.Minute)
	w.put(t, "soon", "x")
	w.quiet(t)
	w.clock.Advance(time.Minute + time.Second)
	got := map[string]string{}
	for range 2 {
		e := w.next(t)
		got[e.S3.Object.Key] = e.EventName
		if e.ReplicationEventData.FailureReason != "" || e.ReplicationEventData.S3Operation != "OBJECT_PUT" {
			t.Errorf("event data %+v", e.ReplicationEventData)
		}
	}
	want := map[string]string{"late": "Replication:OperationMissedThreshold", "gone": "Replication:OperationNotTracked"}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
	w.ask(t, "POST", op+"replication/resume", "", 200, nil)
	w.settle(t)
	e := w.next(t)
	if e.EventName != "Replication:OperationReplicatedAfterThreshold" || e.S3.Object.VersionID != late {
		t.Errorf("got %s of %s", e.EventName, e.S3.Object.Key)
	}
	// What arrived in time is never heard of.
	w.clock.Advance(time.Hour)
	w.ask(t, "POST", op+"replication/pause", "", 200, nil)
	w.put(t, "marker", "x")
	w.clock.Advance(16 * time.Minute)
	if e := w.next(t); e.S3.Object.Key != "marker" {
		t.Errorf("got %s of %s", e.EventName, e.S3.Object.Key)
	}
	w.ask(t, "POST", op+"replication/resume", "", 200, nil)
	w.settle(t)
}
