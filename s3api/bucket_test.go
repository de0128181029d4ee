package s3api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

func constraint(region string) string {
	return "<CreateBucketConfiguration><LocationConstraint>" + region + "</LocationConstraint></CreateBucketConfiguration>"
}

func TestCreateBucket(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountB, "taken", "us-east-1", false)
	header := func(name, value string) http.Header { return http.Header{name: {value}} }
	for _, tc := range []struct {
		name          string
		call          call
		status        int
		code, message string
		location      string
	}{
		{name: "us-east-1", call: call{target: "/plain-one"}, status: 200, location: "/plain-one"},
		{name: "other region", call: call{target: "/west-one", region: "us-west-2", body: constraint("us-west-2")}, status: 200, location: "http://west-one.s3.amazonaws.com/"},
		{name: "elsewhere from us-east-1", call: call{target: "/paris-one", body: constraint("eu-west-3")}, status: 200, location: "http://paris-one.s3.amazonaws.com/"},
		{name: "EU", call: call{target: "/eu-one", body: constraint("EU")}, status: 200, location: "http://eu-one.s3.amazonaws.com/"},
		{name: "empty constraint", call: call{target: "/empty-one", body: constraint("")}, status: 200, location: "/empty-one"},
		{name: "no constraint elsewhere", call: call{target: "/x-one", region: "us-east-2"}, status: 400, code: "IllegalLocationConstraintException",
			message: "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."},
		{name: "wrong constraint elsewhere", call: call{target: "/x-one", region: "us-east-2", body: constraint("us-west-1")}, status: 400, code: "IllegalLocationConstraintException",
			message: "The us-west-1 location constraint is incompatible for the region specific endpoint this request was sent to."},
		{name: "EU elsewhere", call: call{target: "/x-one", region: "us-east-2", body: constraint("EU")}, status: 400, code: "IllegalLocationConstraintException",
			message: "The EU location constraint is incompatible for the region specific endpoint this request was sent to."},
		{name: "us-east-1 as constraint", call: call{target: "/x-one", body: constraint("us-east-1")}, status: 400, code: "InvalidLocationConstraint", message: "The specified location-constraint is not valid"},
		{name: "unknown constraint", call: call{target: "/x-one", body: constraint("mars-north-1")}, status: 400, code: "InvalidLocationConstraint"},
		{name: "own again in us-east-1", call: call{target: "/plain-one"}, status: 200, location: "/plain-one"},
		{name: "own again with tags", call: call{target: "/plain-one", body: "<CreateBucketConfiguration><Tags><Tag><Key>k</Key><Value>v</Value></Tag></Tags></CreateBucketConfiguration>"}, status: 409, code: "BucketAlreadyOwnedByYou"},
		{name: "own again elsewhere", call: call{target: "/west-one", region: "us-west-2", body: constraint("us-west-2")}, status: 409, code: "BucketAlreadyOwnedByYou",
			message: "Your previous request to create the named bucket succeeded and you already own it."},
		{name: "own of another region from us-east-1", call: call{target: "/west-one"}, status: 409, code: "BucketAlreadyOwnedByYou"},
		{name: "another account's", call: call{target: "/taken"}, status: 409, code: "BucketAlreadyExists",
			message: "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."},
		{name: "invalid name", call: call{target: "/Upper_Case"}, status: 400, code: "InvalidBucketName", message: "The specified bucket is not valid."},
		{name: "ownership", call: call{target: "/writer-one", header: header("X-Amz-Object-Ownership", "ObjectWriter")}, status: 200, location: "/writer-one"},
		{name: "bad ownership", call: call{target: "/x-one", header: header("X-Amz-Object-Ownership", "RandomValue")}, status: 400, code: "InvalidArgument", message: "Invalid x-amz-object-ownership header: RandomValue"},
		{name: "private ACL", call: call{target: "/acl-one", header: header("X-Amz-Acl", "private")}, status: 200, location: "/acl-one"},
		{name: "public ACL", call: call{target: "/x-one", header: header("X-Amz-Acl", "public-read")}, status: 400, code: "InvalidBucketAclWithObjectOwnership",
			message: "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"},
		{name: "unknown ACL", call: call{target: "/x-one", header: header("X-Amz-Acl", "fake-acl")}, status: 400, code: "InvalidArgument"},
		{name: "grant", call: call{target: "/x-one", header: header("X-Amz-Grant-Read", "id="+canonicalID(accountB))}, status: 400, code: "InvalidBucketAclWithObjectOwnership"},
		{name: "grant with ACLs on", call: call{target: "/granted-one", header: http.Header{"X-Amz-Grant-Read": {"id=" + canonicalID(accountB)}, "X-Amz-Object-Ownership": {"ObjectWriter"}}}, status: 200, location: "/granted-one"},
		{name: "public ACL with ACLs on", call: call{target: "/x-one", header: http.Header{"X-Amz-Acl": {"public-read"}, "X-Amz-Object-Ownership": {"ObjectWriter"}}}, status: 403, code: "AccessDenied",
			message: "User: arn:aws:iam::111111111111:root is not authorized to perform: s3:PutBucketAcl on resource: \"arn:aws:s3:::x-one\" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access."},
		{name: "account namespace", call: call{target: "/x-one", header: header("X-Amz-Bucket-Namespace", "account-regional")}, status: 501, code: "NotImplemented"},
		{name: "directory bucket", call: call{target: "/x-one", body: "<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>"}, status: 501, code: "NotImplemented"},
		{name: "aws: tag", call: call{target: "/x-one", body: "<CreateBucketConfiguration><Tags><Tag><Key>aws:k</Key><Value>v</Value></Tag></Tags></CreateBucketConfiguration>"}, status: 400, code: "InvalidTag",
			message: `User-defined tag keys can't start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.`},
		{name: "not XML", call: call{target: "/x-one", body: "x"}, status: 400, code: "MalformedXML"},
		{name: "unsigned", call: call{target: "/x-one", unsigned: true}, status: 403, code: "AccessDenied", message: "Access Denied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.call.method = "PUT"
			a := f.do(tc.call)
			if tc.code != "" {
				f.wantError(a, tc.status, tc.code, tc.message)
				return
			}
			if a.status != tc.status || a.body != "" || a.header.Get("Location") != tc.location ||
				a.header.Get("X-Amz-Bucket-Arn") != "arn:aws:s3:::"+strings.TrimPrefix(tc.call.target, "/") {
				t.Errorf("got %d %v %s", a.status, a.header, a.body)
			}
		})
	}
}

func TestNewBucketDefaults(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "fresh", "us-east-1", false)
	for _, sub := range []string{"location", "versioning", "encryption", "publicAccessBlock", "ownershipControls", "acl",
		"logging", "notification", "requestPayment", "accelerate", "metrics", "inventory"} {
		a := f.do(call{method: "GET", target: "/fresh?" + sub})
		if a.status != 200 {
			t.Errorf("%s: %d %s", sub, a.status, a.body)
		}
		golden(t, "fresh_"+sub+".xml", a.body)
	}
	for sub, want := range map[string][2]string{
		"policy":       {"NoSuchBucketPolicy", "The bucket policy does not exist"},
		"policyStatus": {"NoSuchBucketPolicy", "The bucket policy does not exist"},
		"cors":         {"NoSuchCORSConfiguration", "The CORS configuration does not exist"},
		"lifecycle":    {"NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"},
		"tagging":      {"NoSuchTagSet", "The TagSet does not exist"},
		"website":      {"NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"},
		"object-lock":  {"ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"},
		"replication":  {"ReplicationConfigurationNotFoundError", "The replication configuration was not found"},
	} {
		e := f.wantError(f.do(call{method: "GET", target: "/fresh?" + sub}), 404, want[0], want[1])
		if e.field("BucketName") != "fresh" {
			t.Errorf("%s: fields %+v", sub, e.Fields)
		}
	}
	f.wantError(f.do(call{method: "GET", target: "/fresh?metrics&id=m"}), 404, "NoSuchConfiguration", "The specified configuration does not exist.")
	f.wantError(f.do(call{method: "DELETE", target: "/fresh?metrics&id=m"}), 404, "NoSuchConfiguration", "The specified configuration does not exist.")
	for _, sub := range []string{"policy", "cors", "lifecycle", "tagging", "website", "replication", "encryption", "publicAccessBlock", "ownershipControls"} {
		for range 2 {
			if a := f.do(call{method: "DELETE", target: "/fresh?" + sub}); a.status != 204 {
				t.Errorf("DELETE %s: %d %s", sub, a.status, a.body)
			}
		}
	}
	f.wantError(f.do(call{method: "GET", target: "/fresh?publicAccessBlock"}), 404, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	f.wantError(f.do(call{method: "GET", target: "/fresh?ownershipControls"}), 404, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
}

func TestHeadBucket(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "heads", "eu-west-1", false)
	a := f.do(call{method: "HEAD", target: "/heads", region: "eu-west-1"})
	got := map[string]string{}
	for _, name := range []string{"X-Amz-Bucket-Region", "X-Amz-Bucket-Arn", "X-Amz-Access-Point-Alias", "Content-Type", "Server"} {
		got[name] = a.header.Get(name)
	}
	want := map[string]string{"X-Amz-Bucket-Region": "eu-west-1", "X-Amz-Bucket-Arn": "arn:aws:s3:::heads", "X-Amz-Access-Point-Alias": "false",
		"Content-Type": "application/xml", "Server": "AmazonS3"}
	if diff := cmp.Diff(want, got); a.status != 200 || diff != "" {
		t.Errorf("status %d (-want +got):\n%s", a.status, diff)
	}
}

func TestRedirectToTheBucketsRegion(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.StrictRegions = true })
	f.bucket(accountA, "far", "eu-west-1", false)
	a := f.do(call{method: "GET", target: "/far"})
	e := f.wantError(a, 301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	if e.field("Bucket") != "far" || e.field("Endpoint") != "far.s3.eu-west-1.amazonaws.com" || a.header.Get("X-Amz-Bucket-Region") != "eu-west-1" {
		t.Errorf("fields %+v, headers %v", e.Fields, a.header)
	}
	if a := f.do(call{method: "HEAD", target: "/far"}); a.status != 301 || a.body != "" || a.header.Get("X-Amz-Bucket-Region") != "eu-west-1" {
		t.Errorf("HEAD: %+v", a)
	}
	if a := f.do(call{method: "GET", target: "/far?location"}); a.status != 200 || !strings.Contains(a.body, ">eu-west-1<") {
		t.Errorf("location: %d %s", a.status, a.body)
	}
	if a := f.do(call{method: "GET", target: "/far", region: "eu-west-1"}); a.status != 200 {
		t.Errorf("right region: %d %s", a.status, a.body)
	}
}

func TestAnyRegionWithoutRedirects(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "far", "eu-west-1", false)
	if a := f.do(call{method: "GET", target: "/far"}); a.status != 200 || a.header.Get("X-Amz-Bucket-Region") != "eu-west-1" {
		t.Errorf("got %d %v", a.status, a.header)
	}
}

func TestListBuckets(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountB, "not-mine", "us-east-1", false)
	f.bucket(accountA, "b-two", "us-west-2", false)
	f.clock.Advance(time.Hour)
	f.bucket(accountA, "a-one", "us-east-1", false)
	golden(t, "list_buckets.xml", f.do(call{method: "GET", target: "/"}).body)

	c := f.client(root(accountA), "us-east-1")
	var names []string
	pages := s3.NewListBucketsPaginator(c, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, b := range page.Buckets {
			names = append(names, *b.Name+" "+*b.BucketRegion)
		}
	}
	if diff := cmp.Diff([]string{"a-one us-east-1", "b-two us-west-2"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for query, want := range map[string]int{"?prefix=b-": 1, "?bucket-region=us-west-2": 1, "?prefix=c": 0, "?max-buckets=1": 1} {
		if got := strings.Count(f.do(call{method: "GET", target: "/" + query}).body, "<Bucket>"); got != want {
			t.Errorf("%s: %d buckets, want %d", query, got, want)
		}
	}
	f.wantError(f.do(call{method: "GET", target: "/?bucket-region=eu-east-1"}), 400, "InvalidArgument", "Argument value eu-east-1 is not a valid AWS Region")
	f.wantError(f.do(call{method: "GET", target: "/?max-buckets=0"}), 400, "InvalidArgument", "")
	f.wantError(f.do(call{method: "GET", target: "/?continuation-token=%21"}), 400, "InvalidArgument", "The continuation token provided is incorrect")
}

func TestDeleteBucket(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "full", "us-east-1", false)
	f.put(accountA, "/full/key", "content")
	e := f.wantError(f.do(call{method: "DELETE", target: "/full"}), 409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	if e.field("BucketName") != "full" {
		t.Errorf("fields %+v", e.Fields)
	}
	if a := f.do(call{method: "DELETE", target: "/full/key"}); a.status != 204 {
		t.Fatalf("delete object: %d %s", a.status, a.body)
	}
	if a := f.do(call{method: "DELETE", target: "/full"}); a.status != 204 {
		t.Errorf("delete: %d %s", a.status, a.body)
	}
	f.wantError(f.do(call{method: "GET", target: "/full"}), 404, "NoSuchBucket", "")

	f.bucket(accountA, "versions", "us-east-1", true)
	f.put(accountA, "/versions/key", "content")
	f.do(call{method: "DELETE", target: "/versions/key"})
	f.wantError(f.do(call{method: "DELETE", target: "/versions"}), 409, "BucketNotEmpty",
		"The bucket you tried to delete is not empty. You must delete all versions in the bucket.")
}

func TestVersioning(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "vers", "us-east-1", false)
	for _, tc := range []struct{ body, code, message string }{
		{"<VersioningConfiguration/>", "IllegalVersioningConfigurationException", "The Versioning element must be specified"},
		{"<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>", "MalformedXML", ""},
		{"<VersioningConfiguration><Status>Disabled</Status></VersioningConfiguration>", "MalformedXML", ""},
		{"<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>", "NotImplemented", ""},
		{"", "MissingRequestBodyError", "Request Body is empty"},
	} {
		a := f.do(call{method: "PUT", target: "/vers?versioning", body: tc.body})
		status := 400
		if tc.code == "NotImplemented" {
			status = 501
		}
		f.wantError(a, status, tc.code, tc.message)
	}
	for _, state := range []string{"Enabled", "Suspended"} {
		f.put(accountA, "/vers?versioning", "<VersioningConfiguration><Status>"+state+"</Status><MfaDelete>Disabled</MfaDelete></VersioningConfiguration>")
		if a := f.do(call{method: "GET", target: "/vers?versioning"}); !strings.Contains(a.body, "<Status>"+state+"</Status>") {
			t.Errorf("%s: %s", state, a.body)
		}
	}
}

func TestEncryption(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "enc", "us-east-1", false)
	rule := func(algorithm, key, more string) string {
		return "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>" + algorithm + "</SSEAlgorithm>" + key +
			"</ApplyServerSideEncryptionByDefault>" + more + "</Rule></ServerSideEncryptionConfiguration>"
	}
	for _, tc := range []struct{ name, body, code, message string }{
		{"KMS with alias and bucket key", rule("aws:kms", "<KMSMasterKeyID>alias/x</KMSMasterKeyID>", "<BucketKeyEnabled>true</BucketKeyEnabled>"), "", ""},
		{"KMS without key", rule("aws:kms", "", ""), "", ""},
		{"DSSE", rule("aws:kms:dsse", "<KMSMasterKeyID>k</KMSMasterKeyID>", ""), "", ""},
		{"AES256", rule("AES256", "", "<BucketKeyEnabled>false</BucketKeyEnabled>"), "", ""},
		{"blocked types", rule("AES256", "", "<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>"), "", ""},
		{"AES256 with key", rule("AES256", "<KMSMasterKeyID>k</KMSMasterKeyID>", ""), "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"},
		{"unknown algorithm", rule("aes256", "", ""), "MalformedXML", ""},
		{"no rule", "<ServerSideEncryptionConfiguration/>", "MalformedXML", ""},
		{"two rules", strings.Replace(rule("AES256", "", ""), "</Rule>", "</Rule><Rule/>", 1), "MalformedXML", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := f.do(call{method: "PUT", target: "/enc?encryption", body: tc.body})
			if tc.code != "" {
				f.wantError(a, 400, tc.code, tc.message)
				return
			}
			if a.status != 200 {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			if tc.name == "KMS with alias and bucket key" {
				golden(t, "encryption_kms.xml", f.do(call{method: "GET", target: "/enc?encryption"}).body)
			}
		})
	}
}

func TestPublicAccessBlockAndOwnership(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "pab", "us-east-1", false)
	c := f.client(root(accountA), "us-east-1")
	_, err := c.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: aws.String("pab"),
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}})
	must(t, err)
	got, err := c.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: aws.String("pab")})
	must(t, err)
	b := got.PublicAccessBlockConfiguration
	if *b.BlockPublicAcls || *b.IgnorePublicAcls || !*b.BlockPublicPolicy || *b.RestrictPublicBuckets {
		t.Errorf("got %+v", b)
	}
	f.wantError(f.do(call{method: "PUT", target: "/pab?publicAccessBlock", body: "<PublicAccessBlockConfiguration><BlockPublicAcls>yes</BlockPublicAcls></PublicAccessBlockConfiguration>"}), 400, "MalformedXML", "")

	for _, o := range []types.ObjectOwnership{types.ObjectOwnershipBucketOwnerPreferred, types.ObjectOwnershipObjectWriter, types.ObjectOwnershipBucketOwnerEnforced} {
		_, err := c.PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: aws.String("pab"),
			OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: o}}}})
		must(t, err)
		got, err := c.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: aws.String("pab")})
		must(t, err)
		if got.OwnershipControls.Rules[0].ObjectOwnership != o {
			t.Errorf("got %+v, want %s", got.OwnershipControls, o)
		}
	}
	for _, rules := range []string{"<Rule/>", "", "<Rule><ObjectOwnership>RandomValue</ObjectOwnership></Rule>",
		"<Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>"} {
		f.wantError(f.do(call{method: "PUT", target: "/pab?ownershipControls", body: "<OwnershipControls>" + rules + "</OwnershipControls>"}), 400, "MalformedXML", "")
	}
}

func TestBucketTagging(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "tags", "us-east-1", false)
	tagging := func(pairs ...string) string {
		var b strings.Builder
		for i := 0; i < len(pairs); i += 2 {
			fmt.Fprintf(&b, "<Tag><Key>%s</Key><Value>%s</Value></Tag>", pairs[i], pairs[i+1])
		}
		return "<Tagging><TagSet>" + b.String() + "</TagSet></Tagging>"
	}
	many := func(n int) (pairs []string) {
		for i := range n {
			pairs = append(pairs, fmt.Sprint("key", i), "v")
		}
		return pairs
	}
	for _, tc := range []struct{ name, body, code, message, key string }{
		{"fine", tagging("b", "2", "a", "1 +-=._:/@"), "", "", ""},
		{"fifty", tagging(many(50)...), "", "", ""},
		{"fifty-one", tagging(many(51)...), "BadRequest", "Bucket tag count cannot be greater than 50", ""},
		{"duplicate", tagging("Key1", "a", "Key1", "b"), "InvalidTag", "Cannot provide multiple Tags with the same key", "Key1"},
		{"bad key", tagging("Key1,Key2", "a"), "InvalidTag", "The TagKey you have provided is invalid", "Key1,Key2"},
		{"long key", tagging(strings.Repeat("k", 129), "a"), "InvalidTag", "The TagKey you have provided is invalid", ""},
		{"empty key", tagging("", "a"), "InvalidTag", "The TagKey you have provided is invalid", ""},
		{"bad value", tagging("Key1", "Val1,Val2"), "InvalidTag", "The TagValue you have provided is invalid", "Key1"},
		{"long value", tagging("Key1", strings.Repeat("v", 257)), "InvalidTag", "The TagValue you have provided is invalid", "Key1"},
		{"system tag", tagging("aws:prefixed", "a"), "InvalidTag", "System tags cannot be added/updated by requester", "aws:prefixed"},
		{"no value", "<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>", "MalformedXML", "", ""},
		{"no key", "<Tagging><TagSet><Tag><Value>k</Value></Tag></TagSet></Tagging>", "MalformedXML", "", ""},
		{"no set", "<Tagging/>", "MalformedXML", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := f.do(call{method: "PUT", target: "/tags?tagging", body: tc.body})
			if tc.code == "" {
				if a.status != 204 {
					t.Errorf("got %d %s", a.status, a.body)
				}
				return
			}
			if e := f.wantError(a, 400, tc.code, tc.message); tc.key != "" && e.field("TagKey") != tc.key {
				t.Errorf("fields %+v", e.Fields)
			}
		})
	}
	f.put(accountA, "/tags?tagging", tagging("b", "2", "a", "1"))
	golden(t, "bucket_tagging.xml", f.do(call{method: "GET", target: "/tags?tagging"}).body)
	f.put(accountA, "/tags?tagging", tagging())
	f.wantError(f.do(call{method: "GET", target: "/tags?tagging"}), 404, "NoSuchTagSet", "")
}

func TestValidBucketName(t *testing.T) {
	for name, want := range map[string]bool{
		"abc": true, "my.bucket-1": true, strings.Repeat("a", 63): true, "1ab": true, "a-b": true,
		"": false, "ab": false, strings.Repeat("a", 64): false, "Abc": false, "a_b": false, "-ab": false, "ab-": false, ".ab": false, "ab.": false,
		"a..b": false, "192.168.1.1": false, "xn--abc": false, "sthree-x": false, "x-s3alias": false, "x--ol-s3": false, "x--x-s3": false, "a b": false, "a/b": false,
	} {
		if got := validBucketName(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

func TestIntegrity(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "digest", "us-east-1", false)
	body := "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
	for _, tc := range []struct {
		name, header, value string
		code, message       string
	}{
		{"right CRC32", "X-Amz-Checksum-Crc32", "pkhA4A==", "", ""},
		{"wrong CRC32", "X-Amz-Checksum-Crc32", "AAAAAA==", "BadDigest", "The CRC32 you specified did not match the calculated checksum."},
		{"not a CRC32", "X-Amz-Checksum-Crc32", "x", "InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid."},
		{"not an MD5", "Content-Md5", "x", "InvalidDigest", "The Content-MD5 you specified was invalid."},
		{"wrong MD5", "Content-Md5", "AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest", "The Content-MD5 you specified did not match what we received."},
		{"none", "X-Other", "x", "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"},
	} {
		a := f.do(call{method: "PUT", target: "/digest?versioning", body: body, noMD5: true, header: http.Header{tc.header: {tc.value}}})
		if tc.code == "" {
			if a.status != 200 {
				t.Errorf("%s: %d %s", tc.name, a.status, a.body)
			}
			continue
		}
		f.wantError(a, 400, tc.code, tc.message)
	}
	f.wantError(f.do(call{method: "PUT", target: "/digest?versioning", body: strings.Repeat("x", maxConfigBody+1)}), 400, "MaxMessageLengthExceeded", "Your request was too big.")
}
