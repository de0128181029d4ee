package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	control "github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

// TestLifecycleFollowsTheClock: what is due when the operator has advanced the clock is
// done when the call returns, and announced.
func TestLifecycleFollowsTheClock(t *testing.T) {
	got := make(chan string, 10)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			Event   string
			Records []struct {
				EventName string `json:"eventName"`
				S3        struct{ Object struct{ Key string } }
			}
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &e)
		}
		if err != nil {
			t.Errorf("event %s: %v", body, err)
		}
		for _, r := range e.Records {
			e.Event = r.EventName + " " + r.S3.Object.Key
		}
		got <- e.Event
	}))
	t.Cleanup(endpoint.Close)
	const queue = "arn:aws:sqs:us-east-1:111122223333:q"
	r := newRigOf(t, Config{Notify: map[string]string{queue: endpoint.URL}})
	c, ctx, bucket, key := r.s3("us-east-1"), t.Context(), aws.String("expiring"), aws.String("key")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket})
	fatal(t, err)
	_, err = c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
		Rules: []types.LifecycleRule{{ID: aws.String("r"), Status: "Enabled", Filter: &types.LifecycleRuleFilter{}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)}}}}})
	fatal(t, err)
	_, err = c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{
		QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String(queue), Events: []types.Event{"s3:ObjectCreated:*", "s3:LifecycleExpiration:*"}}}}})
	fatal(t, err)
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x")})
	fatal(t, err)
	r.ask(t, "POST", op+"clock", `{"advance":"48h"}`, 200, nil)
	if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}); apiCode(err) != "NotFound" {
		t.Errorf("the object has not expired: %v", err)
	}
	for _, want := range []string{"s3:TestEvent", "ObjectCreated:Put key", "LifecycleExpiration:Delete key"} {
		if event := <-got; event != want {
			t.Errorf("event %q, want %q", event, want)
		}
	}
}

// TestAccountPublicAccessBlock: S3 Control on the same port, found by the SDK's host name.
func TestAccountPublicAccessBlock(t *testing.T) {
	r := newRig(t, "")
	account := aws.String(benchAccount)
	jobs := controlClient(t, r)
	_, err := jobs.PutPublicAccessBlock(t.Context(), &s3control.PutPublicAccessBlockInput{AccountId: account, PublicAccessBlockConfiguration: &control.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}})
	fatal(t, err)
	out, err := jobs.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: account})
	fatal(t, err)
	if c := out.PublicAccessBlockConfiguration; !*c.BlockPublicPolicy || *c.BlockPublicAcls {
		t.Errorf("%+v", c)
	}
	// A reset forgets it.
	r.ask(t, "POST", op+"reset", "", 200, nil)
	_, err = jobs.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: account})
	if apiCode(err) != "NoSuchPublicAccessBlockConfiguration" {
		t.Errorf("after the reset: %v", err)
	}
}

func TestWrongNotifyEndpoint(t *testing.T) {
	s := New(Config{Listen: "127.0.0.1:0", Notify: map[string]string{"arn": "localhost"}})
	if err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), `"localhost"`) {
		t.Errorf("opened with %v", err)
	}
}

// newRigOf is newRig with settings.
func newRigOf(t *testing.T, cfg Config) *rig {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	s := New(cfg)
	fatal(t, s.Open(t.Context()))
	t.Cleanup(func() {
		for _, err := range s.Check(context.Background()) {
			t.Error(err)
		}
		fatal(t, s.Close(context.Background()))
	})
	return &rig{Server: s, http: benchClient(t), cfg: aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(benchAccount, "test", "")}}
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
