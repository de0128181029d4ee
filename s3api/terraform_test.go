package s3api

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The tests of this file make the calls of Terraform's AWS provider in its order, with
// the errors that it tolerates (S175).

// tolerated fails unless err is nil or one of the codes.
func tolerated(t *testing.T, what string, err error, codes ...string) {
	t.Helper()
	var e smithy.APIError
	if err != nil && !(errors.As(err, &e) && slices.Contains(codes, e.ErrorCode())) {
		t.Errorf("%s: %v", what, err)
	}
}

// readBucket makes the calls of aws_s3_bucket's Read.
func readBucket(t *testing.T, c *s3.Client, control *s3control.Client, name string) {
	t.Helper()
	ctx, b := t.Context(), aws.String(name)
	head, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: b})
	must(t, err)
	if aws.ToString(head.BucketRegion) == "" {
		t.Error("HeadBucket tells no Region")
	}
	_, err = c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b})
	tolerated(t, "GetBucketPolicy", err, "NoSuchBucketPolicy", "NotImplemented")
	_, err = c.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: b})
	tolerated(t, "GetBucketAcl", err, "NotImplemented")
	_, err = c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: b})
	tolerated(t, "GetBucketCors", err, "NoSuchCORSConfiguration")
	_, err = c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b})
	tolerated(t, "GetBucketWebsite", err, "MethodNotAllowed", "NotImplemented", "NoSuchWebsiteConfiguration", "XNotImplemented")
	_, err = c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: b})
	tolerated(t, "GetBucketVersioning", err)
	_, err = c.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: b})
	tolerated(t, "GetBucketAccelerateConfiguration", err, "MethodNotAllowed", "UnsupportedArgument", "NotImplemented")
	_, err = c.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: b})
	tolerated(t, "GetBucketRequestPayment", err, "NotImplemented")
	_, err = c.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b})
	tolerated(t, "GetBucketLogging", err, "NotImplemented")
	_, err = c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b})
	tolerated(t, "GetBucketLifecycleConfiguration", err, "NoSuchLifecycleConfiguration")
	_, err = c.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: b})
	tolerated(t, "GetBucketReplication", err, "ReplicationConfigurationNotFoundError")
	_, err = c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: b})
	tolerated(t, "GetBucketEncryption", err, "ServerSideEncryptionConfigurationNotFoundError")
	_, err = c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: b})
	tolerated(t, "GetObjectLockConfiguration", err, "MethodNotAllowed", "NotImplemented", "ObjectLockConfigurationNotFoundError")
	_, err = c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b})
	tolerated(t, "GetBucketTagging", err, "NoSuchTagSet")
	_, err = control.ListTagsForResource(ctx, &s3control.ListTagsForResourceInput{AccountId: aws.String(accountA), ResourceArn: aws.String("arn:aws:s3:::" + name)})
	tolerated(t, "ListTagsForResource", err)
}

func TestTerraformBucket(t *testing.T) {
	f := newFixture(t)
	c, control, ctx, b := f.client(root(accountA), "eu-west-1"), f.control(root(accountA)), t.Context(), aws.String("terraformed")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1", Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}})
	must(t, err)
	readBucket(t, c, control, *b)

	// force_destroy: everything is listed and deleted, then the bucket.
	_, err = c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{Status: "Enabled"}})
	must(t, err)
	for range 2 {
		_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: strings.NewReader("x")})
		must(t, err)
	}
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: aws.String("k")})
	must(t, err)
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantCode(t, err, "BucketNotEmpty", "The bucket you tried to delete is not empty. You must delete all versions in the bucket.")
	versions, err := c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b})
	must(t, err)
	in := &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Quiet: aws.Bool(true)}}
	for _, v := range versions.Versions {
		in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
	}
	for _, v := range versions.DeleteMarkers {
		in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
	}
	out, err := c.DeleteObjects(ctx, in)
	must(t, err)
	if len(out.Errors) > 0 {
		t.Errorf("DeleteObjects: %+v", out.Errors)
	}
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	must(t, err)
	_, err = c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: b})
	wantCode(t, err, "NotFound", "")
}

// TestTerraformSettings: each aws_s3_bucket_* resource is created, read back equal, read
// again with its bucket and destroyed.
func TestTerraformSettings(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "settings", "us-east-1", true)
	c, control, ctx, b := f.client(root(accountA), "us-east-1"), f.control(root(accountA)), t.Context(), aws.String("settings")
	equal := func(what string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(
			types.OwnershipControls{}, types.OwnershipControlsRule{}, types.PublicAccessBlockConfiguration{}, types.CORSRule{}, types.LifecycleRule{}, types.LifecycleRuleFilter{},
			types.LifecycleRuleAndOperator{}, types.LifecycleExpiration{}, types.Tag{}, types.Transition{}, types.NoncurrentVersionExpiration{}, types.AbortIncompleteMultipartUpload{},
			types.IndexDocument{}, types.ErrorDocument{}, types.RoutingRule{}, types.Condition{}, types.Redirect{}, types.LoggingEnabled{}, types.TargetObjectKeyFormat{}, types.SimplePrefix{},
			types.QueueConfiguration{}, types.NotificationConfigurationFilter{}, types.S3KeyFilter{}, types.FilterRule{})); diff != "" {
			t.Errorf("%s (-put +read):\n%s", what, diff)
		}
	}

	ownership := &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerPreferred}}}
	_, err := c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: b, OwnershipControls: ownership})
	must(t, err)
	o, err := c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: b})
	must(t, err)
	equal("ownership", ownership, o.OwnershipControls)

	block := &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(false), BlockPublicPolicy: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(false)}
	_, err = c.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: b, PublicAccessBlockConfiguration: block})
	must(t, err)
	p, err := c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b})
	must(t, err)
	equal("public access block", block, p.PublicAccessBlockConfiguration)

	_, err = c.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: b, ACL: types.BucketCannedACLPublicRead})
	must(t, err)

	cors := []types.CORSRule{{ID: aws.String("r"), AllowedMethods: []string{"GET", "PUT"}, AllowedOrigins: []string{"https://a", "https://*.b"}, AllowedHeaders: []string{"*"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: aws.Int32(0)}}
	_, err = c.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: b, CORSConfiguration: &types.CORSConfiguration{CORSRules: cors}})
	must(t, err)
	gotCORS, err := c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: b})
	must(t, err)
	equal("cors", cors, gotCORS.CORSRules)

	life := []types.LifecycleRule{{
		ID: aws.String("r"), Status: "Enabled", Filter: &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String(""), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}},
		Expiration: &types.LifecycleExpiration{Days: aws.Int32(90)}, Transitions: []types.Transition{{Days: aws.Int32(30), StorageClass: "STANDARD_IA"}, {Days: aws.Int32(60), StorageClass: "GLACIER"}},
		NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(5), NewerNoncurrentVersions: aws.Int32(2)},
	}, {ID: aws.String("s"), Status: "Disabled", Filter: &types.LifecycleRuleFilter{}, AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)}}}
	_, err = c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: b, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: life}})
	must(t, err)
	gotLife, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b})
	must(t, err)
	equal("lifecycle", life, gotLife.Rules)

	web := &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("i.html")}, ErrorDocument: &types.ErrorDocument{Key: aws.String("e.html")},
		RoutingRules: []types.RoutingRule{{Condition: &types.Condition{KeyPrefixEquals: aws.String("a/")}, Redirect: &types.Redirect{ReplaceKeyPrefixWith: aws.String("b/")}}}}
	_, err = c.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: b, WebsiteConfiguration: web})
	must(t, err)
	gotWeb, err := c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b})
	must(t, err)
	equal("website index", web.IndexDocument, gotWeb.IndexDocument)
	equal("website error", web.ErrorDocument, gotWeb.ErrorDocument)
	equal("website rules", web.RoutingRules, gotWeb.RoutingRules)

	log := &types.LoggingEnabled{TargetBucket: b, TargetPrefix: aws.String("log/"), TargetObjectKeyFormat: &types.TargetObjectKeyFormat{SimplePrefix: &types.SimplePrefix{}}}
	_, err = c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: b, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: log}})
	must(t, err)
	gotLog, err := c.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b})
	must(t, err)
	equal("logging", log, gotLog.LoggingEnabled)

	queues := []types.QueueConfiguration{{Id: aws.String("q"), QueueArn: aws.String(queueARN), Events: []types.Event{"s3:ObjectCreated:*"},
		Filter: &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{{Name: "Prefix", Value: aws.String("in/")}, {Name: "Suffix", Value: aws.String(".jpg")}}}}}}
	_, err = c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: b, NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: queues}})
	must(t, err)
	gotQueues, err := c.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: b})
	must(t, err)
	equal("notification", queues, gotQueues.QueueConfigurations)

	_, err = c.PutBucketRequestPayment(ctx, &s3.PutBucketRequestPaymentInput{Bucket: b, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: "Requester"}})
	must(t, err)
	_, err = c.PutBucketAccelerateConfiguration(ctx, &s3.PutBucketAccelerateConfigurationInput{Bucket: b, AccelerateConfiguration: &types.AccelerateConfiguration{Status: "Enabled"}})
	must(t, err)
	_, err = c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, ConfirmRemoveSelfBucketAccess: aws.Bool(true), Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + accountB + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::settings/*"}]}`)})
	must(t, err)
	status, err := c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: b})
	must(t, err)
	if aws.ToBool(status.PolicyStatus.IsPublic) {
		t.Error("the policy is called public")
	}
	readBucket(t, c, control, *b)

	for what, err := range map[string]error{
		"cors":      second(c.DeleteBucketCors(ctx, &s3.DeleteBucketCorsInput{Bucket: b})),
		"lifecycle": second(c.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: b})),
		"website":   second(c.DeleteBucketWebsite(ctx, &s3.DeleteBucketWebsiteInput{Bucket: b})),
		"policy":    second(c.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: b})),
		"block":     second(c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: b})),
		"ownership": second(c.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: b})),
	} {
		tolerated(t, "delete "+what, err)
	}
	readBucket(t, c, control, *b)
}

// second is the error of a call whose answer does not matter.
func second[T any](_ T, err error) error { return err }
