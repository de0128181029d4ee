package s3api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// control serves S3 Control beside the fixture's S3 and returns an SDK client of id. The
// SDK puts the account before the host name, so its connections are led to the server.
func (f *fixture) control(id identity) *s3control.Client {
	f.t.Helper()
	c := NewControl(f.api)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsControl(r) {
			f.t.Errorf("%s %s%s is no call of S3 Control", r.Method, r.Host, r.URL)
		}
		signed, err := sigv4.Parse(r)
		c.Serve(w, r, signed, err)
	}))
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	f.t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	return s3control.New(s3control.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://localhost:4566"), Credentials: id.provider(),
		HTTPClient: &http.Client{Transport: transport}, RetryMaxAttempts: 1})
}

// wantCode checks an SDK error.
func wantCode(t testing.TB, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || message != "" && e.ErrorMessage() != message {
		t.Errorf("got %v\nwant %s %q", err, code, message)
	}
}

// TestControlOperationsCoverTheSDK: every operation is implemented or refused (S170).
func TestControlOperationsCoverTheSDK(t *testing.T) {
	listed := map[string]bool{}
	for _, op := range ControlOperations() {
		if listed[op.Name] {
			t.Errorf("%s has two rows", op.Name)
		}
		listed[op.Name] = true
		if op.Supported && !policy.ActionKnown(op.Action) {
			t.Errorf("%s: unknown action %s", op.Name, op.Action)
		}
	}
	client := reflect.TypeFor[*s3control.Client]()
	found := 0
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		if name == "Options" {
			continue
		}
		if found++; !listed[name] {
			t.Errorf("%s is neither implemented nor refused: add a row to the table", name)
		}
	}
	if found != len(listed) {
		t.Errorf("%d operations in the SDK, %d rows", found, len(listed))
	}
}

// TestControlRows: each row's own request leads to it, and the refused ones say so.
func TestControlRows(t *testing.T) {
	f := newFixture(t)
	c := NewControl(f.api)
	for i := range c.rows {
		row := &c.rows[i]
		path := strings.NewReplacer("{", "", "+}", "/with/more", "}", "").Replace(row.Path)
		r := httptest.NewRequest(row.Method, controlPrefix+path, nil)
		got, _ := c.find(r)
		if got == nil || got.Name != row.Name {
			t.Errorf("%s %s leads to %+v, want %s", row.Method, path, got, row.Name)
			continue
		}
		if row.Handler != nil {
			continue
		}
		req := f.request(call{method: row.Method, target: controlPrefix + path, header: http.Header{accountHeader: {accountA}}})
		w := httptest.NewRecorder()
		signed, err := sigv4.Parse(req)
		c.Serve(w, req, signed, err)
		if w.Code != 501 || !strings.Contains(w.Body.String(), "<Code>NotImplemented</Code><Message>"+row.Name+" of S3 Control is not supported by Twinbucket.") {
			t.Errorf("%s: %d %s", row.Name, w.Code, w.Body)
		}
	}
}

// TestAccountPublicAccessBlock is S173.
func TestAccountPublicAccessBlock(t *testing.T) {
	f := newFixture(t)
	c, ctx, account := f.control(root(accountA)), t.Context(), aws.String(accountA)
	get := func() (*s3control.GetPublicAccessBlockOutput, error) {
		return c.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: account})
	}
	_, err := get()
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	want := &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(false), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(false)}
	_, err = c.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: account, PublicAccessBlockConfiguration: want})
	must(t, err)
	got, err := get()
	must(t, err)
	if diff := cmp.Diff(want, got.PublicAccessBlockConfiguration, cmpopts.IgnoreUnexported(types.PublicAccessBlockConfiguration{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = c.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: account, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{}})
	wantCode(t, err, "InvalidRequest", "Must specify at least one configuration.")
	_, err = c.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(accountB)})
	wantCode(t, err, "AccessDenied", "Access Denied")
	for range 2 {
		_, err = c.DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: account})
		must(t, err)
	}
	_, err = get()
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration", "")

	nobody := f.control(f.user(accountA, "nobody", ""))
	_, err = nobody.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: account})
	wantCode(t, err, "AccessDenied", "User: arn:aws:iam::111111111111:user/nobody is not authorized to perform: s3:GetAccountPublicAccessBlock because no identity-based policy allows the s3:GetAccountPublicAccessBlock action")
}

// TestResourceTags is S174.
func TestResourceTags(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "tagged", "us-east-1", false)
	c, ctx, account, arn := f.control(root(accountA)), t.Context(), aws.String(accountA), aws.String("arn:aws:s3:::tagged")
	tag := func(pairs ...string) error {
		in := &s3control.TagResourceInput{AccountId: account, ResourceArn: arn, Tags: []types.Tag{}}
		for i := 0; i < len(pairs); i += 2 {
			in.Tags = append(in.Tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
		_, err := c.TagResource(ctx, in)
		return err
	}
	list := func() []store.Tag {
		t.Helper()
		out, err := c.ListTagsForResource(ctx, &s3control.ListTagsForResourceInput{AccountId: account, ResourceArn: arn})
		must(t, err)
		var tags []store.Tag
		for _, x := range out.Tags {
			tags = append(tags, store.Tag{Key: *x.Key, Value: *x.Value})
		}
		return tags
	}
	if got := list(); got != nil {
		t.Errorf("tags of a new bucket: %v", got)
	}
	must(t, tag("b", "1", "a", "2"))
	must(t, tag("b", "3"))
	if diff := cmp.Diff([]store.Tag{{Key: "a", Value: "2"}, {Key: "b", Value: "3"}}, list()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a := f.do(call{method: "GET", target: "/tagged?tagging"}); !strings.Contains(a.body, "<Key>b</Key><Value>3</Value>") {
		t.Errorf("GetBucketTagging: %s", a.body)
	}
	wantCode(t, tag("aws:x", "y"), "InvalidTag", `User-defined tag keys can't start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.`)
	wantCode(t, tag("k", "1", "k", "2"), "InvalidTag", "There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.")
	wantCode(t, tag("k,", "1"), "InvalidTag", "")
	wantCode(t, tag("k", "bad,value"), "InvalidTag", "")
	_, err := c.UntagResource(ctx, &s3control.UntagResourceInput{AccountId: account, ResourceArn: arn, TagKeys: []string{"a", "none"}})
	must(t, err)
	if diff := cmp.Diff([]store.Tag{{Key: "b", Value: "3"}}, list()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = c.ListTagsForResource(ctx, &s3control.ListTagsForResourceInput{AccountId: account, ResourceArn: aws.String("arn:aws:s3:::no-such-bucket")})
	wantCode(t, err, "NoSuchResource", "The specified resource doesn't exist.")
	_, err = c.ListTagsForResource(ctx, &s3control.ListTagsForResourceInput{AccountId: account, ResourceArn: aws.String("arn:aws:s3:us-east-1:111111111111:accesspoint/x")})
	wantCode(t, err, "NotImplemented", "")

	reader := f.control(f.user(accountA, "reader", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListTagsForResource","Resource":"arn:aws:s3:::tagged"}]}`))
	_, err = reader.ListTagsForResource(ctx, &s3control.ListTagsForResourceInput{AccountId: account, ResourceArn: arn})
	must(t, err)
	_, err = reader.TagResource(ctx, &s3control.TagResourceInput{AccountId: account, ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	wantCode(t, err, "AccessDenied", "")
}

func TestControlErrorDocument(t *testing.T) {
	golden(t, "error_control.xml", string(controlError(wire(failure.New("NoSuchPublicAccessBlockConfiguration", "", "AccountId", accountA)), "REQUEST", "HOST")))
}

// TestControlWithoutSignature: nobody gets in unsigned.
func TestControlWithoutSignature(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "sealed", "us-east-1", false)
	c := NewControl(f.api)
	for _, row := range c.rows {
		if row.Handler == nil {
			continue
		}
		path := strings.Replace(row.Path, "{ResourceArn+}", "arn%3Aaws%3As3%3A%3A%3Asealed", 1)
		r := f.request(call{method: row.Method, target: controlPrefix + path, header: http.Header{accountHeader: {accountA}}, unsigned: true})
		w := httptest.NewRecorder()
		signed, err := sigv4.Parse(r)
		c.Serve(w, r, signed, err)
		if w.Code != 403 || !strings.Contains(w.Body.String(), "<Code>AccessDenied</Code>") {
			t.Errorf("%s: %d %s", row.Name, w.Code, w.Body)
		}
	}
}
