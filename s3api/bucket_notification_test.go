package s3api

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

const queueARN = "arn:aws:sqs:us-east-1:111111111111:q"

// target is a NotificationConfiguration with one queue.
func target(arn, filter string, events ...string) string {
	var b strings.Builder
	b.WriteString("<NotificationConfiguration><QueueConfiguration><Id>one</Id><Queue>" + arn + "</Queue>")
	for _, e := range events {
		b.WriteString("<Event>" + e + "</Event>")
	}
	return b.String() + filter + "</QueueConfiguration></NotificationConfiguration>"
}

func keyFilter(rules ...string) string {
	var b strings.Builder
	for _, r := range rules {
		name, value, _ := strings.Cut(r, "=")
		b.WriteString("<FilterRule><Name>" + name + "</Name><Value>" + value + "</Value></FilterRule>")
	}
	return "<Filter><S3Key>" + b.String() + "</S3Key></Filter>"
}

func TestNotificationRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "notify", "us-east-1", false)
	const created = "s3:ObjectCreated:*"
	two := func(a, b string) string {
		first := strings.TrimSuffix(target(queueARN, a, created), "</NotificationConfiguration>")
		return first + strings.Replace(strings.TrimPrefix(target(queueARN+"2", b, "s3:ObjectCreated:Put"), "<NotificationConfiguration>"), "<Id>one", "<Id>two", 1)
	}
	f.wantRefusals(t, "/notify?notification", []refusal{ // S166
		{"ARN", target("invalid-queue", "", created), 400, "InvalidArgument", "The ARN could not be parsed", map[string]string{"ArgumentName": "Queue", "ArgumentValue": "invalid-queue"}},
		{"ARN of another service", target("arn:aws:sns:us-east-1:111111111111:t", "", created), 400, "InvalidArgument", "The ARN could not be parsed", nil},
		{"no events", target(queueARN, ""), 400, "MalformedXML", malformedXML, nil},
		{"event", target(queueARN, "", "s3:ObjectEaten:*"), 400, "InvalidArgument", "The event 's3:ObjectEaten:*' is not supported for notifications", nil},
		{"filter name", target(queueARN, keyFilter("INVALID=x"), created), 400, "InvalidArgument", "filter rule name must be either prefix or suffix", map[string]string{"ArgumentName": "FilterRule.Name", "ArgumentValue": "INVALID"}},
		{"two prefixes", target(queueARN, keyFilter("prefix=a", "Prefix=b"), created), 400, "InvalidArgument", "Cannot specify more than one prefix rule in a filter.", nil},
		{"rule without value", target(queueARN, "<Filter><S3Key><FilterRule><Name>prefix</Name></FilterRule></S3Key></Filter>", created), 400, "MalformedXML", "", nil},
		{"rule without name", target(queueARN, "<Filter><S3Key><FilterRule><Value>x</Value></FilterRule></S3Key></Filter>", created), 400, "MalformedXML", "", nil},
		{"overlap", two("", ""), 400, "InvalidArgument", "Configurations overlap. Configurations on the same bucket cannot share a common event type.", nil},
		{"overlapping prefixes", two(keyFilter("prefix=a"), keyFilter("prefix=ab")), 400, "InvalidArgument", "", nil},
		{"unknown element", "<NotificationConfiguration><Other/></NotificationConfiguration>", 400, "MalformedXML", "", nil},
	})
	f.put(accountA, "/notify?notification", two(keyFilter("prefix=a", "suffix=.jpg"), keyFilter("prefix=a", "suffix=.png")))
	golden(t, "notification.xml", f.do(call{method: "GET", target: "/notify?notification"}).body)
	f.put(accountA, "/notify?notification", "<NotificationConfiguration/>")
}

// sink keeps what was announced.
type sink struct {
	mu   sync.Mutex
	sent []string // "target body"
}

func (s *sink) send(target string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, target+" "+string(body))
}

// take returns what came since the last call, as "target EventName key versioned".
func (s *sink) take(t *testing.T) []string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, line := range s.sent {
		arn, body, _ := strings.Cut(line, " ")
		var e struct{ Records []notificationRecord }
		must(t, json.Unmarshal([]byte(body), &e))
		if len(e.Records) != 1 {
			t.Fatalf("records: %s", body)
		}
		r := e.Records[0]
		out = append(out, arn[strings.LastIndexByte(arn, ':')+1:]+" "+r.EventName+" "+r.S3.Object.Key)
	}
	s.sent = nil
	return out
}

// TestEventsOfChanges is S168: which requests announce what, and who gets it.
func TestEventsOfChanges(t *testing.T) {
	var s sink
	f := newFixture(t, func(c *Config) { c.Notify = s.send })
	f.bucket(accountA, "events", "us-east-1", true)
	f.put(accountA, "/events?notification", `<NotificationConfiguration>
		<QueueConfiguration><Id>a</Id><Queue>`+queueARN+`</Queue><Event>s3:ObjectCreated:*</Event><Event>s3:ObjectTagging:*</Event>`+keyFilter("prefix=in/")+`</QueueConfiguration>
		<TopicConfiguration><Topic>arn:aws:sns:us-east-1:111111111111:t</Topic><Event>s3:ObjectRemoved:*</Event></TopicConfiguration>
		<EventBridgeConfiguration/></NotificationConfiguration>`)
	if len(s.sent) != 2 || !strings.Contains(s.sent[0], `"Service":"Amazon S3","Event":"s3:TestEvent"`) || !strings.Contains(s.sent[0], `"Bucket":"events"`) {
		t.Errorf("test events: %q", s.sent)
	}
	s.sent = nil
	want := func(what string, events ...string) {
		t.Helper()
		if diff := cmp.Diff(events, s.take(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	c, ctx, bucket, key := f.client(root(accountA), "us-east-1"), t.Context(), aws.String("events"), aws.String("in/a b+ü")
	const shown = "in/a+b%2B%C3%BC"
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("content")})
	must(t, err)
	want("PutObject", "q ObjectCreated:Put "+shown)
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("out/a"), Body: strings.NewReader("content")})
	must(t, err)
	want("PutObject outside of the filter")
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("in/copy"), CopySource: aws.String("events/out/a")})
	must(t, err)
	want("CopyObject", "q ObjectCreated:Copy in/copy")
	up, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("in/parts")})
	must(t, err)
	part, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: aws.String("in/parts"), UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	must(t, err)
	_, err = c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: aws.String("in/parts"), UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1)}}}})
	must(t, err)
	want("CompleteMultipartUpload", "q ObjectCreated:CompleteMultipartUpload in/parts")
	_, err = c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: bucket, Key: key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}})
	must(t, err)
	_, err = c.DeleteObjectTagging(ctx, &s3.DeleteObjectTaggingInput{Bucket: bucket, Key: key})
	must(t, err)
	want("tagging", "q ObjectTagging:Put "+shown, "q ObjectTagging:Delete "+shown)
	marker, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
	must(t, err)
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: marker.VersionId})
	must(t, err)
	want("DeleteObject", "t ObjectRemoved:DeleteMarkerCreated "+shown, "t ObjectRemoved:Delete "+shown)
	_, err = c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("in/copy")}, {Key: aws.String("out/a")}}}})
	must(t, err)
	want("DeleteObjects", "t ObjectRemoved:DeleteMarkerCreated in/copy", "t ObjectRemoved:DeleteMarkerCreated out/a")
	f.wantError(f.do(call{method: "PUT", target: "/events/in/refused", body: "x", unsigned: true}), 403, "AccessDenied", "")
	want("a refused PUT")
}

// TestEventRecord is S168: the whole record of one event.
func TestEventRecord(t *testing.T) {
	var s sink
	f := newFixture(t, func(c *Config) { c.Notify = s.send })
	f.bucket(accountA, "record", "eu-west-1", true)
	a := f.do(call{method: "PUT", target: "/record?notification", body: target(queueARN, "", "s3:ObjectCreated:Put"), header: headers("x-amz-skip-destination-validation", "true")})
	if a.status != 200 || len(s.sent) != 0 {
		t.Fatalf("%d %s, sent %q", a.status, a.body, s.sent)
	}
	put := f.do(call{method: "PUT", target: "/record/key", body: "content"})
	_, body, _ := strings.Cut(s.sent[0], " ")
	var got struct{ Records []notificationRecord }
	must(t, json.Unmarshal([]byte(body), &got))
	size := int64(7)
	v, err := f.store.Version(t.Context(), "record", "key", "")
	must(t, err)
	want := notificationRecord{
		EventVersion: "2.1", EventSource: "aws:s3", AWSRegion: "eu-west-1", EventTime: "2026-03-04T05:06:07.000Z", EventName: "ObjectCreated:Put",
		UserIdentity:      principalID{"AWS:111111111111"},
		RequestParameters: map[string]string{"sourceIPAddress": "127.0.0.1"},
		ResponseElements:  map[string]string{"x-amz-request-id": put.header.Get("X-Amz-Request-Id"), "x-amz-id-2": put.header.Get("X-Amz-Id-2")},
		S3: notificationS3{SchemaVersion: "1.0", ConfigurationID: "one",
			Bucket: notificationBucket{Name: "record", Owner: principalID{canonicalID(accountA)}, ARN: "arn:aws:s3:::record"},
			Object: notificationObject{Key: "key", Size: &size, ETag: "9a0364b9e99bb480dd25e1f0284c8555", VersionID: v.ID, Sequencer: got.Records[0].S3.Object.Sequencer}},
	}
	if diff := cmp.Diff([]notificationRecord{want}, got.Records); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.Records[0].S3.Object.Sequencer) != 16 {
		t.Errorf("sequencer %q", got.Records[0].S3.Object.Sequencer)
	}
}

func FuzzNotifications(f *testing.F) {
	f.Add([]byte(target(queueARN, keyFilter("prefix=a", "suffix=b"), "s3:ObjectCreated:*")))
	api := New(Config{})
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := api.parseNotifications(body)
		if err != nil {
			return
		}
		for _, x := range n.Targets {
			if x.ID == "" || x.ARN == "" || len(x.Events) == 0 {
				t.Errorf("accepted %+v", x)
			}
		}
	})
}
