package s3api

import (
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/failure"
)

const (
	replicaKey = "arn:aws:kms:us-west-2:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	testRole   = "arn:aws:iam::111111111111:role/crr"
	seeGuide   = " for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information."
)

// config wraps rules into a document.
func config(rules ...string) string {
	return "<ReplicationConfiguration><Role>" + testRole + "</Role>" + strings.Join(rules, "") + "</ReplicationConfiguration>"
}

// destination is a Destination element on bucket dst with more children.
func destination(more string) string {
	return "<Destination><Bucket>arn:aws:s3:::dst</Bucket>" + more + "</Destination>"
}

// v2 is a rule of the newer schema with everything it must have, and more.
func v2(priority int, filter, more, dest string) string {
	return fmt.Sprintf("<Rule><ID>r%d</ID><Priority>%d</Priority><Status>Enabled</Status><Filter>%s</Filter>"+
		"<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>%s%s</Rule>", priority, priority, filter, more, dest)
}

func v1(id, prefix, more, dest string) string {
	return "<Rule><ID>" + id + "</ID><Prefix>" + prefix + "</Prefix><Status>Enabled</Status>" + more + dest + "</Rule>"
}

const (
	sseKMS  = "<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>%s</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>"
	encrypt = "<EncryptionConfiguration><ReplicaKmsKeyID>%s</ReplicaKmsKeyID></EncryptionConfiguration>"
	rtc     = "<ReplicationTime><Status>%s</Status><Time><Minutes>%d</Minutes></Time></ReplicationTime>"
	metrics = "<Metrics><Status>%s</Status>%s</Metrics>"
	event   = "<EventThreshold><Minutes>%d</Minutes></EventThreshold>"
)

// replicationCases is the validation table (S100–S123): "" is accepted.
var replicationCases = []struct {
	name, body    string
	code, message string
	argument      string
}{
	{name: "V1", body: config(v1("a", "", "", destination("")))},
	{name: "V1 with prefix and KMS", body: config(v1("a", "Tax", fmt.Sprintf(sseKMS, "Enabled"), destination(fmt.Sprintf(encrypt, replicaKey))))},
	{name: "V2", body: config(v2(1, "", "", destination("")))},
	{name: "V2 many rules, several destinations, same priority", body: config(v2(1, "<Prefix>a</Prefix>", "", destination("")),
		strings.ReplaceAll(v2(1, "<Prefix>b</Prefix>", "", "<Destination><Bucket>arn:aws:s3:::dst2</Bucket></Destination>"), "<ID>r1<", "<ID>r2<"))},
	{name: "namespace", body: strings.Replace(config(v2(1, "", "", destination(""))), "<ReplicationConfiguration>", `<ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`, 1)},
	{name: "generated id", body: config(strings.Replace(v1("x", "", "", destination("")), "<ID>x</ID>", "<ID/>", 1))},
	{name: "any account text", body: config(v2(1, "", "", destination("<Account>abc</Account>")))},
	{name: "owner override", body: config(v2(1, "", "", destination("<Account>222222222222</Account><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>")))},
	{name: "alias as replica key", body: config(v2(1, "", fmt.Sprintf(sseKMS, "Disabled"), destination(fmt.Sprintf(encrypt, "arn:aws:kms:us-west-2:222222222222:alias/replica"))))},
	{name: "RTC", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Enabled", 15)+fmt.Sprintf(metrics, "Enabled", fmt.Sprintf(event, 15)))))},
	{name: "RTC off", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Disabled", 15)+fmt.Sprintf(metrics, "Disabled", ""))))},
	{name: "metrics alone", body: config(v2(1, "", "", destination(fmt.Sprintf(metrics, "Enabled", ""))))},
	{name: "replica modifications", body: config(v2(1, "", "<SourceSelectionCriteria><ReplicaModifications><Status>Enabled</Status></ReplicaModifications></SourceSelectionCriteria>", destination("")))},
	{name: "role that does not exist", body: strings.Replace(config(v2(1, "", "", destination(""))), "role/crr", "role/path/none", 1)},

	{name: "no body", body: "", code: "MissingRequestBodyError", message: "Request Body is empty"},
	{name: "no role", body: "<ReplicationConfiguration>" + v1("a", "", "", destination("")) + "</ReplicationConfiguration>", code: "MalformedXML", message: malformedXML},
	{name: "two roles", body: strings.Replace(config(v1("a", "", "", destination(""))), "</Role>", "</Role><Role>x</Role>", 1), code: "MalformedXML"},
	{name: "empty role", body: strings.Replace(config(v1("a", "", "", destination(""))), testRole, "", 1), code: "InvalidArgument", message: "Invalid Role specified in replication configuration", argument: "Role"},
	{name: "role is no ARN", body: strings.Replace(config(v1("a", "", "", destination(""))), testRole, "crr", 1), code: "InvalidArgument", argument: "Role"},
	{name: "role is a user", body: strings.Replace(config(v1("a", "", "", destination(""))), "role/crr", "user/crr", 1), code: "InvalidArgument", argument: "Role",
		message: "Invalid Role specified in replication configuration: the relative id of the ARN must start with role"},
	{name: "role of another account", body: strings.Replace(config(v1("a", "", "", destination(""))), "111111111111", "222222222222", 1), code: "AccessDenied", message: "Cross-account pass role is not allowed."},
	{name: "no rule", body: config(), code: "MalformedXML"},
	{name: "1001 rules", body: config(manyRules(1001)...), code: "InvalidRequest", message: "The number of replication rules must not exceed the allowed limit of 1000 rules."},
	{name: "1000 rules", body: config(manyRules(1000)...)},
	{name: "unterminated", body: strings.TrimSuffix(config(v1("a", "", "", destination(""))), "</ReplicationConfiguration>"), code: "MalformedXML"},
	{name: "unknown root child", body: strings.Replace(config(v1("a", "", "", destination(""))), "<Rule>", "<Rules/><Rule>", 1), code: "MalformedXML"},
	{name: "empty status", body: strings.Replace(config(v1("a", "", "", destination(""))), "<Status>Enabled</Status>", "<Status/>", 1), code: "MalformedXML"},
	{name: "status in lower case", body: strings.Replace(config(v1("a", "", "", destination(""))), "Enabled", "enabled", 1), code: "MalformedXML"},
	{name: "no status", body: strings.Replace(config(v1("a", "", "", destination(""))), "<Status>Enabled</Status>", "", 1), code: "MalformedXML"},
	{name: "no destination", body: config(v1("a", "", "", "")), code: "MalformedXML"},
	{name: "document type", body: "<!DOCTYPE x>" + config(v1("a", "", "", destination(""))), code: "MalformedXML"},
	{name: "id too long", body: config(v1(strings.Repeat("i", 256), "", "", destination(""))), code: "InvalidArgument", message: "Rule Id cannot be greater than 255"},
	{name: "id of 255", body: config(v1(strings.Repeat("i", 255), "", "", destination("")))},
	{name: "duplicate id", body: config(v1("a", "x", "", destination("")), v1("a", "y", "", destination(""))), code: "InvalidArgument", message: "Rule Id must be unique"},
	{name: "non-ASCII id", body: config(v1("ü", "", "", destination(""))), code: "InvalidArgument", message: "Rule ID must not contain non-ASCII characters."},
	{name: "V2 without priority", body: strings.Replace(config(v2(1, "", "", destination(""))), "<Priority>1</Priority>", "", 1), code: "InvalidRequest", message: "Priority must be specified" + seeGuide},
	{name: "V2 without delete markers", body: strings.Replace(config(v2(1, "", "", destination(""))), "<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>", "", 1), code: "InvalidRequest", message: "DeleteMarkerReplication must be specified" + seeGuide},
	{name: "delete markers without status", body: strings.Replace(config(v2(1, "", "", destination(""))), "<DeleteMarkerReplication><Status>Disabled</Status>", "<DeleteMarkerReplication>", 1), code: "MalformedXML"},
	{name: "V1 with priority", body: config(v1("a", "", "<Priority>1</Priority>", destination(""))), code: "InvalidRequest", message: "Priority cannot be used" + seeGuide},
	{name: "V1 and V2 mixed", body: config(v1("a", "x", "", destination("")), v2(1, "", "", destination(""))), code: "InvalidRequest", message: "Priority cannot be used" + seeGuide},
	{name: "V1 with delete markers", body: config(v1("a", "", "<DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>", destination(""))), code: "InvalidRequest", message: "DeleteMarkerReplication cannot be used" + seeGuide},
	{name: "prefix and filter", body: config(v1("a", "", "<Filter/>", destination(""))), code: "MalformedXML"},
	{name: "neither prefix nor filter", body: strings.Replace(config(v1("a", "", "", destination(""))), "<Prefix></Prefix>", "", 1), code: "MalformedXML"},
	{name: "V1 two destinations", body: config(v1("a", "x", "", destination("")), v1("b", "y", "", "<Destination><Bucket>arn:aws:s3:::dst2</Bucket></Destination>")), code: "InvalidRequest", message: "Number of distinct destination bucket ARNs cannot exceed 1"},
	{name: "V1 overlapping prefixes", body: config(v1("a", "a", "", destination("")), v1("b", "a/b", "", destination(""))), code: "InvalidRequest", message: "Found overlapping prefixes 'a' and 'a/b'"},
	{name: "V1 two prefixes", body: config(v1("a", "a", "", destination("")), v1("b", "b", "", destination("")))},
	{name: "negative priority", body: config(v2(-1, "", "", destination(""))), code: "InvalidRequest", message: "Priority must be between 0 and 2147483647."},
	{name: "largest priority", body: config(v2(2147483647, "", "", destination("")))},
	{name: "priority too large", body: config(v2(2147483648, "", "", destination(""))), code: "MalformedXML"},
	{name: "priority not a number", body: strings.Replace(config(v2(1, "", "", destination(""))), "<Priority>1<", "<Priority>one<", 1), code: "MalformedXML"},
	{name: "same priority, same destination", body: config(v2(1, "<Prefix>a</Prefix>", "", destination("")), strings.Replace(v2(1, "<Prefix>b</Prefix>", "", destination("")), "<ID>r1<", "<ID>r2<", 1)), code: "InvalidRequest", message: "Found duplicate priority 1"},
	{name: "filter prefix and tag without And", body: config(v2(1, "<Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>", "", destination(""))), code: "MalformedXML"},
	{name: "And with one predicate", body: config(v2(1, "<And><Prefix>a</Prefix></And>", "", destination(""))), code: "MalformedXML"},
	{name: "And empty", body: config(v2(1, "<And/>", "", destination(""))), code: "MalformedXML"},
	{name: "And with two", body: config(v2(1, "<And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And>", "", destination("")))},
	{name: "duplicate tag keys", body: config(v2(1, "<And><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>k</Key><Value>w</Value></Tag></And>", "", destination(""))), code: "InvalidRequest", message: "Duplicate Tag Keys are not allowed."},
	{name: "tag filter with delete markers", body: strings.Replace(config(v2(1, "<Tag><Key>k</Key><Value>v</Value></Tag>", "", destination(""))), "Disabled", "Enabled", 1), code: "InvalidRequest",
		message: "Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer Guide for more information."},
	{name: "empty source criteria", body: config(v2(1, "", "<SourceSelectionCriteria/>", destination(""))), code: "InvalidRequest", message: "SourceSelectionCriteria cannot be empty."},
	{name: "SSE-KMS enabled without key", body: config(v2(1, "", fmt.Sprintf(sseKMS, "Enabled"), destination(""))), code: "InvalidRequest", message: "ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present."},
	{name: "SSE-KMS disabled without key", body: config(v2(1, "", fmt.Sprintf(sseKMS, "Disabled"), destination(""))), code: "InvalidRequest", message: "ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present."},
	{name: "key without SSE-KMS", body: config(v2(1, "", "", destination(fmt.Sprintf(encrypt, replicaKey)))), code: "InvalidRequest", message: "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present."},
	{name: "bare key id", body: config(v2(1, "", fmt.Sprintf(sseKMS, "Enabled"), destination(fmt.Sprintf(encrypt, "1234abcd-12ab-34cd-56ef-1234567890ab")))), code: "InvalidArgument", message: "Invalid ReplicaKmsKeyID ARN.", argument: "ReplicaKmsKeyID"},
	{name: "key ARN of another kind", body: config(v2(1, "", fmt.Sprintf(sseKMS, "Enabled"), destination(fmt.Sprintf(encrypt, "arn:aws:kms:us-west-2:222222222222:custom/x")))), code: "InvalidArgument", argument: "ReplicaKmsKeyID"},
	{name: "existing objects", body: config(v2(1, "", "<ExistingObjectReplication><Status>Disabled</Status></ExistingObjectReplication>", destination(""))), code: "MalformedXML"},
	{name: "bare bucket name", body: config(v2(1, "", "", "<Destination><Bucket>dst</Bucket></Destination>")), code: "InvalidArgument", message: "Invalid bucket ARN"},
	{name: "object ARN as bucket", body: config(v2(1, "", "", "<Destination><Bucket>arn:aws:s3:::dst/key</Bucket></Destination>")), code: "InvalidArgument", message: "The specified bucket is not valid."},
	{name: "empty account", body: config(v2(1, "", "", destination("<Account/>"))), code: "InvalidArgument", argument: "Account"},
	{name: "override without account", body: config(v2(1, "", "", destination("<AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>"))), code: "InvalidRequest", message: "Account must be specified if the Owner in AccessControlTranslation has a value"},
	{name: "override to somebody", body: config(v2(1, "", "", destination("<Account>222222222222</Account><AccessControlTranslation><Owner>Source</Owner></AccessControlTranslation>"))), code: "MalformedXML"},
	{name: "override in the same account", body: config(v2(1, "", "", destination("<Account>111111111111</Account><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>")))},
	{name: "unknown storage class", body: config(v2(1, "", "", destination("<StorageClass>FROZEN</StorageClass>"))), code: "MalformedXML"},
	{name: "express storage class", body: config(v2(1, "", "", destination("<StorageClass>EXPRESS_ONEZONE</StorageClass>"))), code: "MalformedXML"},
	{name: "RTC without metrics", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Enabled", 15)))), code: "InvalidRequest", message: "Replication destination must contain both ReplicationTime and Metrics or neither."},
	{name: "RTC off without metrics", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Disabled", 15)))), code: "InvalidRequest", message: "Replication destination must contain both ReplicationTime and Metrics or neither."},
	{name: "RTC without threshold", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Enabled", 15)+fmt.Sprintf(metrics, "Disabled", "")))), code: "InvalidArgument", message: "ReplicationMetrics must contain an event threshold"},
	{name: "RTC and metrics differ", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Enabled", 15)+fmt.Sprintf(metrics, "Disabled", fmt.Sprintf(event, 15))))), code: "InvalidRequest", message: "ReplicationTime and Metrics must have the same status."},
	{name: "threshold without RTC", body: config(v2(1, "", "", destination(fmt.Sprintf(metrics, "Enabled", fmt.Sprintf(event, 15))))), code: "InvalidArgument", message: "Metrics cannot contain an event threshold when ReplicationTime is not specified or Disabled"},
	{name: "threshold with RTC off", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Disabled", 15)+fmt.Sprintf(metrics, "Disabled", fmt.Sprintf(event, 15))))), code: "InvalidArgument"},
	{name: "RTC of 10 minutes", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Enabled", 10)+fmt.Sprintf(metrics, "Enabled", fmt.Sprintf(event, 15))))), code: "InvalidArgument", message: "Invalid time minute value"},
	{name: "threshold of 10 minutes", body: config(v2(1, "", "", destination(fmt.Sprintf(rtc, "Enabled", 15)+fmt.Sprintf(metrics, "Enabled", fmt.Sprintf(event, 10))))), code: "InvalidArgument", message: "Invalid event threshold minute value"},
	{name: "destination is the source", body: config(v2(1, "", "", "<Destination><Bucket>arn:aws:s3:::src</Bucket></Destination>")), code: "InvalidRequest", message: "Destination bucket cannot be the same as the source bucket."},
	{name: "destination missing", body: config(v2(1, "", "", "<Destination><Bucket>arn:aws:s3:::nowhere</Bucket></Destination>")), code: "InvalidRequest", message: "Destination bucket must exist."},
	{name: "destination unversioned", body: config(v2(1, "", "", "<Destination><Bucket>arn:aws:s3:::plain</Bucket></Destination>")), code: "InvalidRequest", message: "Destination bucket must have versioning enabled."},
}

func manyRules(n int) []string {
	rules := make([]string, n)
	for i := range rules {
		rules[i] = v2(i, fmt.Sprintf("<Prefix>p%d</Prefix>", i), "", destination(""))
	}
	return rules
}

// replicationFixture has the buckets of the validation table.
func replicationFixture(t *testing.T) *fixture {
	f := newFixture(t)
	f.bucket(accountA, "src", "us-east-1", true)
	f.bucket(accountB, "dst", "us-west-2", true)
	f.bucket(accountB, "dst2", "us-west-2", true)
	f.bucket(accountB, "plain", "us-west-2", false)
	return f
}

func TestReplicationValidation(t *testing.T) {
	f := replicationFixture(t)
	kept := config(v1("kept", "", "", destination("")))
	for _, tc := range replicationCases {
		t.Run(tc.name, func(t *testing.T) {
			f := &fixture{t: t, server: f.server}
			f.put(accountA, "/src?replication", kept)
			a := f.do(call{method: "PUT", target: "/src?replication", body: tc.body})
			got := f.do(call{method: "GET", target: "/src?replication"})
			if tc.code == "" {
				if a.status != 200 || a.body != "" {
					t.Fatalf("got %d %s", a.status, a.body)
				}
				// What was put is what is read, and can be put again.
				if again := f.do(call{method: "PUT", target: "/src?replication", body: got.body}); again.status != 200 {
					t.Errorf("putting back what GET gave: %d %s\n%s", again.status, again.body, got.body)
				}
				if after := f.do(call{method: "GET", target: "/src?replication"}); after.body != got.body {
					t.Errorf("changed by putting it back:\n%s\n%s", got.body, after.body)
				}
				return
			}
			status := 400
			if tc.code == "AccessDenied" {
				status = 403
			}
			e := f.wantError(a, status, tc.code, tc.message)
			if tc.argument != "" && e.field("ArgumentName") != tc.argument {
				t.Errorf("ArgumentName %q, want %q", e.field("ArgumentName"), tc.argument)
			}
			if !strings.Contains(got.body, "<ID>kept</ID>") {
				t.Errorf("a refused configuration replaced the old one: %s", got.body)
			}
		})
	}
}

func TestReplicationEcho(t *testing.T) {
	f := replicationFixture(t)
	full := strings.Replace(config(
		v2(2, "<And><Prefix>Tax</Prefix><Tag><Key>class</Key><Value>a b</Value></Tag></And>",
			"<SourceSelectionCriteria><ReplicaModifications><Status>Enabled</Status></ReplicaModifications><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>",
			destination("<Account>222222222222</Account><StorageClass>STANDARD_IA</StorageClass><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>"+
				fmt.Sprintf(encrypt, replicaKey)+fmt.Sprintf(rtc, "Enabled", 15)+fmt.Sprintf(metrics, "Enabled", fmt.Sprintf(event, 15)))),
		v2(1, "", "", destination("")),
		v2(3, "<Tag><Key>k</Key><Value></Value></Tag>", "", "<Destination><Bucket>arn:aws:s3:::dst2</Bucket></Destination>"),
	), "<ID>r2<", "<ID>tax &amp; &lt;more&gt;<", 1)
	for _, tc := range []struct{ golden, body string }{
		{"replication_v2.xml", full},
		{"replication_v1.xml", config(v1("Replication-Rule-1", "Tax", fmt.Sprintf(sseKMS, "Enabled"), destination("<StorageClass>STANDARD_IA</StorageClass>"+fmt.Sprintf(encrypt, replicaKey))))},
	} {
		f.put(accountA, "/src?replication", tc.body)
		golden(t, tc.golden, f.do(call{method: "GET", target: "/src?replication"}).body)
	}
}

// TestReplicationThroughTheSDK: an SDK's own marshalling goes in, and comes out equal.
func TestReplicationThroughTheSDK(t *testing.T) {
	f := replicationFixture(t)
	c := f.client(root(accountA), "us-east-1")
	want := &types.ReplicationConfiguration{Role: aws.String(testRole), Rules: []types.ReplicationRule{{
		ID: aws.String("kms"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled,
		Filter:                  &types.ReplicationRuleFilter{Prefix: aws.String("Tax")},
		DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled},
		SourceSelectionCriteria: &types.SourceSelectionCriteria{SseKmsEncryptedObjects: &types.SseKmsEncryptedObjects{Status: types.SseKmsEncryptedObjectsStatusEnabled}},
		Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::dst"), StorageClass: types.StorageClassStandardIa,
			EncryptionConfiguration: &types.EncryptionConfiguration{ReplicaKmsKeyID: aws.String(replicaKey)}},
	}}}
	_, err := c.PutBucketReplication(t.Context(), &s3.PutBucketReplicationInput{Bucket: aws.String("src"), ReplicationConfiguration: want})
	must(t, err)
	got, err := c.GetBucketReplication(t.Context(), &s3.GetBucketReplicationInput{Bucket: aws.String("src")})
	must(t, err)
	if diff := cmp.Diff(want, got.ReplicationConfiguration, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReplicationLifecycle(t *testing.T) {
	f := replicationFixture(t)
	get := call{method: "GET", target: "/src?replication"}
	e := f.wantError(f.do(get), 404, "ReplicationConfigurationNotFoundError", "The replication configuration was not found")
	if e.field("BucketName") != "src" {
		t.Errorf("fields %+v", e.Fields)
	}
	body := config(v2(1, "", "", destination("")))

	plain := f.do(call{method: "PUT", target: "/plain?replication", body: strings.ReplaceAll(body, accountA, accountB), as: root(accountB)})
	f.wantError(plain, 400, "InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration")

	f.put(accountA, "/src?replication", body)
	suspended := "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
	f.wantError(f.do(call{method: "PUT", target: "/src?versioning", body: suspended}), 409, "InvalidBucketState",
		"A replication configuration is present on this bucket, so the versioning state cannot be changed.")
	f.put(accountB, "/dst?versioning", suspended) // the destination may stop; objects then fail
	f.wantError(f.do(call{method: "PUT", target: "/src?replication", body: body}), 400, "InvalidRequest", "Destination bucket must have versioning enabled.")

	for range 2 { // idempotent
		if a := f.do(call{method: "DELETE", target: "/src?replication"}); a.status != 204 {
			t.Errorf("delete: %d %s", a.status, a.body)
		}
	}
	f.wantError(f.do(get), 404, "ReplicationConfigurationNotFoundError", "")
	f.put(accountA, "/src?versioning", suspended)
}

func TestReplicationOnMissingBucket(t *testing.T) {
	f := newFixture(t)
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		e := f.wantError(f.do(call{method: method, target: "/missing?replication", body: config(v1("a", "", "", destination("")))}), 404, "NoSuchBucket", "The specified bucket does not exist")
		if e.field("BucketName") != "missing" {
			t.Errorf("%s: fields %+v", method, e.Fields)
		}
	}
}

// TestPassRole: who sets up replication must be allowed to hand the role to S3.
func TestPassRole(t *testing.T) {
	f := replicationFixture(t)
	put := call{method: "PUT", target: "/src?replication", body: config(v1("a", "", "", destination("")))}

	put.as = f.user(accountA, "without", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`)
	f.wantError(f.do(put), 403, "AccessDenied", "User: arn:aws:iam::111111111111:user/without is not authorized to perform: iam:PassRole on resource: "+testRole+
		" because no identity-based policy allows the iam:PassRole action")

	put.as = f.user(accountA, "ec2", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}}]}`)
	f.wantError(f.do(put), 403, "AccessDenied", "")

	put.as = f.user(accountA, "s3", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutReplicationConfiguration","Resource":"arn:aws:s3:::src"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"`+testRole+`","Condition":{"StringEquals":{"iam:PassedToService":"s3.amazonaws.com"}}}]}`)
	if a := f.do(put); a.status != 200 {
		t.Errorf("got %d %s", a.status, a.body)
	}
	// Deleting takes the same s3 action, and no role is passed.
	put.method, put.body = "DELETE", ""
	if a := f.do(put); a.status != 204 {
		t.Errorf("delete: %d %s", a.status, a.body)
	}
}

func TestGeneratedRuleIDs(t *testing.T) {
	f := replicationFixture(t)
	rule := strings.Replace(v1("x", "p", "", destination("")), "<ID>x</ID>", "", 1)
	f.put(accountA, "/src?replication", config(rule, strings.Replace(rule, "<Prefix>p", "<Prefix>q", 1)))
	var got struct {
		Rule []struct{ ID string }
	}
	must(t, xml.Unmarshal([]byte(f.do(call{method: "GET", target: "/src?replication"}).body), &got))
	if len(got.Rule) != 2 || len(got.Rule[0].ID) != 48 || got.Rule[0].ID == got.Rule[1].ID {
		t.Errorf("rules %+v", got.Rule)
	}
}

func TestReplicationExpectedOwner(t *testing.T) {
	f := replicationFixture(t)
	for value, want := range map[string]string{"222222222222": "AccessDenied", "abcd": "InvalidBucketOwnerAWSAccountID", "111111111111": "ReplicationConfigurationNotFoundError"} {
		a := f.do(call{method: "GET", target: "/src?replication", header: http.Header{"X-Amz-Expected-Bucket-Owner": {value}}})
		e := a.error(t)
		if e.Code != want {
			t.Errorf("%s: got %s %q", value, e.Code, e.Message)
		}
		if value == "abcd" && e.Message != "The value of the expected bucket owner parameter must be an AWS Account ID... [abcd]" {
			t.Errorf("message %q", e.Message)
		}
	}
}

// FuzzReplication: whatever a document holds, it is compiled or refused with an S3
// error, and what was compiled survives being echoed and read again.
func FuzzReplication(f *testing.F) {
	for _, tc := range replicationCases {
		if len(tc.body) < 4096 {
			f.Add([]byte(tc.body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := parseReplication(body)
		if err != nil {
			if c := failure.CodeOf(err); c != "MalformedXML" && c != "MissingRequestBodyError" {
				t.Fatalf("parse: %v", err)
			}
			return
		}
		random := rand.NewChaCha8([32]byte{})
		c, err := doc.compile(random)
		if err != nil {
			if w := wire(err); w.status != 400 {
				t.Fatalf("compile: %v", err)
			}
			return
		}
		d := newDocument(replicationRoot)
		d.text("Role", c.Role)
		for i := range c.Rules {
			d.replicationRule(&c.Rules[i])
		}
		d.close(replicationRoot)
		again, err := parseReplication(d.buf)
		if err != nil {
			t.Fatalf("the echo is refused: %v\n%s", err, d.buf)
		}
		c2, err := again.compile(random)
		if err != nil {
			t.Fatalf("the echo is refused: %v\n%s", err, d.buf)
		}
		if diff := cmp.Diff(c, c2); diff != "" {
			t.Errorf("the echo says something else (-put +echo):\n%s", diff)
		}
	})
}
