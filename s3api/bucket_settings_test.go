package s3api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// refusal is a request body with the error that answers it.
type refusal struct {
	name, body    string
	status        int
	code, message string
	fields        map[string]string
}

func (f *fixture) wantRefusals(t *testing.T, target string, cases []refusal) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			e := f.wantError(f.do(call{method: "PUT", target: target, body: tc.body}), tc.status, tc.code, tc.message)
			for name, want := range tc.fields {
				if got := e.field(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestNotConfigured is every row of what GET answers about settings of a bucket that are
// not there, and that DELETE of them is 204 (S60).
func TestNotConfigured(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "plain", "us-east-1", false)
	for _, sub := range []string{"policy", "cors", "lifecycle", "tagging", "website", "publicAccessBlock", "ownershipControls", "replication"} {
		for range 2 {
			if a := f.do(call{method: "DELETE", target: "/plain?" + sub}); a.status != 204 || a.body != "" {
				t.Errorf("DELETE %s: %d %s", sub, a.status, a.body)
			}
		}
	}
	for _, tc := range []struct{ sub, code, message string }{
		{"policy", "NoSuchBucketPolicy", "The bucket policy does not exist"},
		{"policyStatus", "NoSuchBucketPolicy", "The bucket policy does not exist"},
		{"cors", "NoSuchCORSConfiguration", "The CORS configuration does not exist"},
		{"lifecycle", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"},
		{"tagging", "NoSuchTagSet", "The TagSet does not exist"},
		{"website", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"},
		{"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"},
		{"ownershipControls", "OwnershipControlsNotFoundError", "The bucket ownership controls were not found"},
		{"object-lock", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"},
		{"replication", "ReplicationConfigurationNotFoundError", "The replication configuration was not found"},
	} {
		e := f.wantError(f.do(call{method: "GET", target: "/plain?" + tc.sub}), 404, tc.code, tc.message)
		if e.field("BucketName") != "plain" {
			t.Errorf("%s: fields %+v", tc.sub, e.Fields)
		}
	}
	for _, sub := range []string{"analytics", "inventory", "metrics", "intelligent-tiering"} {
		for _, method := range []string{"GET", "DELETE"} {
			f.wantError(f.do(call{method: method, target: "/plain?" + sub + "&id=x"}), 404, "NoSuchConfiguration", "The specified configuration does not exist.")
		}
	}
	const open = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	const ns = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`
	for sub, want := range map[string]string{
		"versioning":     "<VersioningConfiguration" + ns + "</VersioningConfiguration>",
		"logging":        "<BucketLoggingStatus" + ns + "</BucketLoggingStatus>",
		"notification":   "<NotificationConfiguration" + ns + "</NotificationConfiguration>",
		"accelerate":     "<AccelerateConfiguration" + ns + "</AccelerateConfiguration>",
		"requestPayment": "<RequestPaymentConfiguration" + ns + "<Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
	} {
		if a := f.do(call{method: "GET", target: "/plain?" + sub}); a.status != 200 || a.body != open+want {
			t.Errorf("%s: %d %s", sub, a.status, a.body)
		}
	}
}

func TestWebsiteRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "web", "us-east-1", false)
	site := func(inner string) string { return "<WebsiteConfiguration>" + inner + "</WebsiteConfiguration>" }
	index := "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
	rule := func(inner string) string {
		return site(index + "<RoutingRules><RoutingRule>" + inner + "</RoutingRule></RoutingRules>")
	}
	f.wantRefusals(t, "/web?website", []refusal{ // S159
		{"slash", site("<IndexDocument><Suffix>/index.html</Suffix></IndexDocument>"), 400, "InvalidArgument", "The IndexDocument Suffix is not well formed", map[string]string{"ArgumentName": "IndexDocument", "ArgumentValue": "/index.html"}},
		{"empty suffix", site("<IndexDocument><Suffix/></IndexDocument>"), 400, "InvalidArgument", "The IndexDocument Suffix is not well formed", map[string]string{"ArgumentName": "IndexDocument"}},
		{"redirect and index", site("<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>" + index), 400, "InvalidArgument", "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.", map[string]string{"ArgumentName": "RedirectAllRequestsTo", "ArgumentValue": "not null"}},
		{"no index", site("<ErrorDocument><Key>e.html</Key></ErrorDocument>"), 400, "InvalidArgument", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty", map[string]string{"ArgumentName": "IndexDocument", "ArgumentValue": "null"}},
		{"protocol", site("<RedirectAllRequestsTo><HostName>h</HostName><Protocol>protocol</Protocol></RedirectAllRequestsTo>"), 400, "InvalidRequest", "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.", nil},
		{"both replacements", rule("<Redirect><ReplaceKeyPrefixWith>a</ReplaceKeyPrefixWith><ReplaceKeyWith>b</ReplaceKeyWith></Redirect>"), 400, "InvalidRequest", "You can only define ReplaceKeyPrefix or ReplaceKey but not both.", nil},
		{"empty condition", rule("<Condition/><Redirect><HostName>h</HostName></Redirect>"), 400, "InvalidRequest", "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.", nil},
		{"no rules", site(index + "<RoutingRules/>"), 400, "MalformedXML", malformedXML, nil},
		{"two indexes", site(index + index), 400, "MalformedXML", "", nil},
		{"unknown element", site(index + "<Other/>"), 400, "MalformedXML", "", nil},
	})
	f.wantError(f.do(call{method: "GET", target: "/", host: "web.s3-website-us-east-1.amazonaws.com", unsigned: true}), 501, "NotImplemented", "")
}

func TestLoggingRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "logs", "us-east-1", false)
	f.bucket(accountA, "elsewhere", "eu-west-1", false)
	f.bucket(accountB, "others", "us-east-1", false)
	to := func(bucket string) string {
		return "<BucketLoggingStatus><LoggingEnabled><TargetBucket>" + bucket + "</TargetBucket><TargetPrefix/></LoggingEnabled></BucketLoggingStatus>"
	}
	f.wantRefusals(t, "/logs?logging", []refusal{ // S160
		{"no such bucket", to("nowhere"), 400, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist", map[string]string{"TargetBucket": "nowhere"}},
		{"another Region", to("elsewhere"), 403, "CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed. ", map[string]string{"TargetBucketLocation": "eu-west-1"}},
		{"another account", to("others"), 400, "InvalidTargetBucketForLogging", "The owner for the bucket to be logged and the target bucket must be the same.", nil},
		{"no prefix", "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket></LoggingEnabled></BucketLoggingStatus>", 400, "MalformedXML", "", nil},
	})
}

func TestSmallSettings(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "small", "us-east-1", false)
	f.bucket(accountA, "with.dots", "us-east-1", false)
	f.wantRefusals(t, "/small?accelerate", []refusal{ // S161
		{"lower case", "<AccelerateConfiguration><Status>enabled</Status></AccelerateConfiguration>", 400, "MalformedXML", malformedXML, nil},
		{"random", "<AccelerateConfiguration><Status>random</Status></AccelerateConfiguration>", 400, "MalformedXML", malformedXML, nil},
	})
	f.wantRefusals(t, "/with.dots?accelerate", []refusal{
		{"dots", "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>", 400, "InvalidRequest", "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names", nil},
	})
	f.wantRefusals(t, "/small?requestPayment", []refusal{
		{"payer", "<RequestPaymentConfiguration><Payer>random</Payer></RequestPaymentConfiguration>", 400, "MalformedXML", malformedXML, nil},
	})
	inventory := func(id, bucket, format, frequency, versions, field string) string {
		return fmt.Sprintf("<InventoryConfiguration><Destination><S3BucketDestination><Bucket>%s</Bucket><Format>%s</Format></S3BucketDestination></Destination>"+
			"<IsEnabled>true</IsEnabled><Id>%s</Id><IncludedObjectVersions>%s</IncludedObjectVersions><OptionalFields><Field>%s</Field></OptionalFields><Schedule><Frequency>%s</Frequency></Schedule></InventoryConfiguration>",
			bucket, format, id, versions, field, frequency)
	}
	const arn = "arn:aws:s3:::small"
	f.wantRefusals(t, "/small?inventory&id=one", []refusal{ // S163
		{"wrong id", inventory("two", arn, "ORC", "Daily", "All", "Size"), 400, "IdMismatch", "Document ID does not match the specified configuration ID.", nil},
		{"wrong ARN", inventory("one", "small", "ORC", "Daily", "All", "Size"), 400, "InvalidS3DestinationBucket", "Invalid bucket ARN.", nil},
		{"wrong format", inventory("one", arn, "orc", "Daily", "All", "Size"), 400, "MalformedXML", malformedXML, nil},
		{"wrong frequency", inventory("one", arn, "ORC", "Hourly", "All", "Size"), 400, "MalformedXML", "", nil},
		{"wrong versions", inventory("one", arn, "ORC", "Daily", "None", "Size"), 400, "MalformedXML", "", nil},
		{"wrong field", inventory("one", arn, "ORC", "Daily", "All", "size"), 400, "MalformedXML", "", nil},
	})
	f.wantRefusals(t, "/small?analytics&id=one", []refusal{
		{"no analysis", "<AnalyticsConfiguration><Id>one</Id></AnalyticsConfiguration>", 400, "MalformedXML", malformedXML, nil},
		{"two filters", "<AnalyticsConfiguration><Id>one</Id><Filter><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></Filter><StorageClassAnalysis/></AnalyticsConfiguration>", 400, "MalformedXML", "", nil},
	})
	f.wantRefusals(t, "/small?intelligent-tiering&id=one", []refusal{
		{"no tiers", "<IntelligentTieringConfiguration><Id>one</Id><Status>Enabled</Status></IntelligentTieringConfiguration>", 400, "MalformedXML", malformedXML, nil},
	})
}

// TestNamedConfigurations goes through one kind by the SDK, with more than a page of them.
func TestNamedConfigurations(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "named", "us-east-1", false)
	c, ctx, bucket := f.client(root(accountA), "us-east-1"), t.Context(), aws.String("named")
	var want []types.MetricsConfiguration
	for i := range pageOfConfigurations + 5 {
		m := types.MetricsConfiguration{Id: aws.String(fmt.Sprintf("id-%03d", i))}
		if i == 0 {
			m.Filter = &types.MetricsFilterMemberAnd{Value: types.MetricsAndOperator{Prefix: aws.String(""), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("<v>")}}}}
		}
		_, err := c.PutBucketMetricsConfiguration(ctx, &s3.PutBucketMetricsConfigurationInput{Bucket: bucket, Id: m.Id, MetricsConfiguration: &m})
		must(t, err)
		want = append(want, m)
	}
	var got []types.MetricsConfiguration
	var token *string
	pages := 0
	for {
		page, err := c.ListBucketMetricsConfigurations(ctx, &s3.ListBucketMetricsConfigurationsInput{Bucket: bucket, ContinuationToken: token})
		must(t, err)
		got = append(got, page.MetricsConfigurationList...)
		pages++
		if token = page.NextContinuationToken; token == nil {
			break
		}
	}
	ignore := cmpopts.IgnoreUnexported(types.MetricsConfiguration{}, types.MetricsFilterMemberAnd{}, types.MetricsAndOperator{}, types.Tag{})
	if diff := cmp.Diff(want, got, ignore); diff != "" || pages != 2 {
		t.Errorf("%d pages (-want +got):\n%s", pages, diff)
	}
	_, err := c.DeleteBucketMetricsConfiguration(ctx, &s3.DeleteBucketMetricsConfigurationInput{Bucket: bucket, Id: aws.String("id-000")})
	must(t, err)
	f.wantError(f.do(call{method: "GET", target: "/named?metrics&id=id-000"}), 404, "NoSuchConfiguration", "")
}

// TestKeptDocuments: what was put comes back, byte for byte as the golden files say.
func TestKeptDocuments(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "kept", "us-east-1", false)
	for _, tc := range []struct{ sub, golden, body string }{
		{"website", "website.xml", `<WebsiteConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
			<!-- a comment --><ErrorDocument><Key>e.html</Key></ErrorDocument><IndexDocument><Suffix>index.html</Suffix></IndexDocument>
			<RoutingRules><RoutingRule><Redirect><HostName>h</HostName><Protocol>https</Protocol></Redirect><Condition><KeyPrefixEquals>a&amp;b/</KeyPrefixEquals></Condition></RoutingRule></RoutingRules></WebsiteConfiguration>`},
		{"logging", "logging.xml", `<BucketLoggingStatus><LoggingEnabled><TargetBucket>kept</TargetBucket><TargetPrefix>log/</TargetPrefix>
			<TargetGrants><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant></TargetGrants>
			<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat></LoggingEnabled></BucketLoggingStatus>`},
		{"accelerate", "accelerate.xml", `<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>`},
		{"requestPayment", "request_payment.xml", `<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>`},
		{"inventory&id=i", "inventory.xml", `<InventoryConfiguration><Id>i</Id><IsEnabled>1</IsEnabled><Filter><Prefix>p/</Prefix></Filter>
			<Destination><S3BucketDestination><AccountId>111111111111</AccountId><Bucket>arn:aws:s3:::kept</Bucket><Format>Parquet</Format><Encryption><SSE-S3/></Encryption></S3BucketDestination></Destination>
			<Schedule><Frequency>Weekly</Frequency></Schedule><IncludedObjectVersions>Current</IncludedObjectVersions><OptionalFields><Field>Size</Field><Field>ETag</Field></OptionalFields></InventoryConfiguration>`},
		{"analytics&id=a", "analytics.xml", `<AnalyticsConfiguration><Id>a</Id><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><StorageClassAnalysis><DataExport><OutputSchemaVersion>V_1</OutputSchemaVersion>
			<Destination><S3BucketDestination><Format>CSV</Format><Bucket>arn:aws:s3:::kept</Bucket></S3BucketDestination></Destination></DataExport></StorageClassAnalysis></AnalyticsConfiguration>`},
		{"intelligent-tiering&id=t", "intelligent_tiering.xml", `<IntelligentTieringConfiguration><Id>t</Id><Status>Enabled</Status><Tiering><Days>90</Days><AccessTier>ARCHIVE_ACCESS</AccessTier></Tiering><Tiering><Days>180</Days><AccessTier>DEEP_ARCHIVE_ACCESS</AccessTier></Tiering></IntelligentTieringConfiguration>`},
	} {
		f.put(accountA, "/kept?"+tc.sub, tc.body)
		a := f.do(call{method: "GET", target: "/kept?" + tc.sub})
		golden(t, tc.golden, a.body)
		_, document, _ := strings.Cut(a.body, "\n")
		if a := f.do(call{method: "PUT", target: "/kept?" + tc.sub, body: document}); a.status != 200 {
			t.Errorf("%s: what GET answered is refused: %d %s", tc.sub, a.status, a.body)
		}
	}
	f.put(accountA, "/kept?logging", "<BucketLoggingStatus/>")
	if a := f.do(call{method: "GET", target: "/kept?logging"}); strings.Contains(a.body, "LoggingEnabled") {
		t.Errorf("logging is still on: %s", a.body)
	}
}

// TestRequesterPays is S162.
func TestRequesterPays(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "pays", "us-east-1", false)
	f.openToPolicies(accountA, "pays")
	f.put(accountA, "/pays/key", "content")
	f.put(accountA, "/pays?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::pays/*"}]}`)
	f.put(accountA, "/pays?requestPayment", "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>")
	for _, tc := range []struct {
		name    string
		call    call
		status  int
		charged string
	}{
		{"owner", call{as: root(accountA)}, 200, ""},
		{"another account, unaware", call{as: root(accountB)}, 403, ""},
		{"another account", call{as: root(accountB), header: headers("x-amz-request-payer", "requester")}, 200, "requester"},
		{"anonymous", call{unsigned: true, header: headers("x-amz-request-payer", "requester")}, 403, ""},
	} {
		tc.call.method, tc.call.target = "GET", "/pays/key"
		a := f.do(tc.call)
		if got := a.header.Get("X-Amz-Request-Charged"); a.status != tc.status || got != tc.charged {
			t.Errorf("%s: %d %q", tc.name, a.status, got)
		}
	}
}

func TestBlockedEncryptionTypesAreEchoed(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "blocked", "us-east-1", false)
	f.put(accountA, "/blocked?encryption", "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>")
	if a := f.do(call{method: "GET", target: "/blocked?encryption"}); !strings.Contains(a.body, "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>") {
		t.Errorf("got %s", a.body)
	}
}

func FuzzKeptDocuments(f *testing.F) {
	f.Add([]byte("<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>"))
	f.Add([]byte("<InventoryConfiguration><Id>i</Id></InventoryConfiguration>"))
	kinds := []*keptDocument{&website, &logging, &accelerate, &analyticsKind.keptDocument, &inventoryKind.keptDocument, &metricsKind.keptDocument, &tieringKind.keptDocument}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, k := range kinds {
			root, err := parseXML(body, k.root.name)
			if err != nil {
				continue
			}
			var d document
			k.root.read(root, &d)
			if root.end() != nil {
				continue
			}
			// What was kept is read back as it is.
			again, err := parseXML([]byte("<"+k.root.name+">"+string(d.buf)+"</"+k.root.name+">"), k.root.name)
			if err != nil {
				t.Fatalf("kept %q: %v", d.buf, err)
			}
			var e document
			k.root.read(again, &e)
			if err := again.end(); err != nil || string(e.buf) != string(d.buf) {
				t.Fatalf("kept %q, read back %q: %v", d.buf, e.buf, err)
			}
		}
	})
}

func TestStrictRegionsByHost(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.StrictRegions = true })
	f.bucket(accountA, "far", "eu-west-1", false)
	a := f.do(call{method: "GET", target: "/", host: "far.localhost"})
	e := f.wantError(a, http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'") // S169
	if e.field("Region") != "eu-west-1" || a.header.Get("X-Amz-Bucket-Region") != "eu-west-1" {
		t.Errorf("fields %+v, headers %v", e.Fields, a.header)
	}
}
