package s3api

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// lifecycleRules is a LifecycleConfiguration of rules, each given without ID and Status.
func lifecycleRules(inner ...string) string {
	var b strings.Builder
	for i, r := range inner {
		b.WriteString("<Rule><ID>" + string(rune('a'+i)) + "</ID><Status>Enabled</Status>" + r + "</Rule>")
	}
	return "<LifecycleConfiguration>" + b.String() + "</LifecycleConfiguration>"
}

func TestLifecycleRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "life", "us-east-1", true)
	const all, week = "<Filter/>", "<Expiration><Days>7</Days></Expiration>"
	and := func(inner string) string { return "<Filter><And>" + inner + "</And></Filter>" }
	tag := func(k string) string { return "<Tag><Key>" + k + "</Key><Value>v</Value></Tag>" }
	to := func(days, class string) string {
		return "<Transition><Days>" + days + "</Days><StorageClass>" + class + "</StorageClass></Transition>"
	}
	f.wantRefusals(t, "/life?lifecycle", []refusal{ // S181, S182, S183
		{"no filter", lifecycleRules(week), 400, "MalformedXML", malformedXML, nil},
		{"no rules", "<LifecycleConfiguration/>", 400, "MalformedXML", "", nil},
		{"filter and prefix", lifecycleRules(all + "<Prefix/>" + week), 400, "MalformedXML", "", nil},
		{"empty noncurrent expiration", lifecycleRules(all + "<NoncurrentVersionExpiration/>"), 400, "MalformedXML", malformedXML, nil},
		{"And and Prefix", lifecycleRules("<Filter><And><Prefix>test</Prefix><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan></And><Prefix>test</Prefix></Filter>" + week), 400, "MalformedXML", "", nil},
		{"And and size", lifecycleRules("<Filter><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan><And><Prefix>test</Prefix>" + tag("k") + "</And></Filter>" + week), 400, "MalformedXML", "", nil},
		{"And of one", lifecycleRules(and("<Prefix>test</Prefix>") + week), 400, "MalformedXML", "", nil},
		{"date in the day", lifecycleRules(all + "<Expiration><Date>2030-01-01T01:00:00Z</Date></Expiration>"), 400, "InvalidArgument", "'Date' must be at midnight GMT", map[string]string{"ArgumentName": "Date", "ArgumentValue": "2030-01-01T01:00:00.000Z"}},
		{"no date", lifecycleRules(all + "<Expiration><Date>soon</Date></Expiration>"), 400, "MalformedXML", "", nil},
		{"duplicate tags", lifecycleRules(and(tag("k")+tag("k")) + week), 400, "InvalidRequest", "Duplicate Tag Keys are not allowed.", nil},
		{"markers and days", lifecycleRules(all + "<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"), 400, "MalformedXML", malformedXML, nil},
		{"empty expiration", lifecycleRules(all + "<Expiration/>"), 400, "MalformedXML", "", nil},
		{"no action", lifecycleRules(all), 400, "InvalidRequest", "At least one action needs to be specified in a rule", nil},
		{"no days", lifecycleRules(all + "<Expiration><Days>0</Days></Expiration>"), 400, "InvalidArgument", "'Days' for Expiration action must be a positive integer", nil},
		{"status", strings.Replace(lifecycleRules(all+week), "Enabled", "enabled", 1), 400, "MalformedXML", "", nil},
		{"same id", strings.Replace(lifecycleRules(all+week, all+week), "<ID>b", "<ID>a", 1), 400, "InvalidArgument", "Rule ID must be unique. Found same ID for one or more rules", map[string]string{"ArgumentName": "ID", "ArgumentValue": "a"}},
		{"long id", strings.Replace(lifecycleRules(all+week), "<ID>a", "<ID>"+strings.Repeat("a", 256), 1), 400, "InvalidArgument", "ID length should not exceed allowed limit of 255", nil},
		{"both schemas", lifecycleRules(all+week, "<Prefix>p</Prefix>"+week), 400, "InvalidRequest", "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.", nil},
		{"abort with tags", lifecycleRules("<Filter>" + tag("k") + "</Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), 400, "InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags.", nil},
		{"markers with tags", lifecycleRules("<Filter>" + tag("k") + "</Filter><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"), 400, "InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags.", nil},
		{"sizes", lifecycleRules(and("<ObjectSizeGreaterThan>9</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan>") + week), 400, "InvalidRequest", "", nil},
		{"class", lifecycleRules(all + to("30", "STANDARD")), 400, "MalformedXML", "", nil},
		{"class twice", lifecycleRules(all + to("30", "GLACIER") + to("60", "GLACIER")), 400, "InvalidRequest", "'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '(prefix=)'", nil},
		{"too early", lifecycleRules(all + to("29", "STANDARD_IA")), 400, "InvalidArgument", "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'", nil},
		{"expires before", lifecycleRules("<Filter><Prefix>p</Prefix></Filter>" + week + to("7", "GLACIER")), 400, "InvalidArgument", "'Days' in the Expiration action for prefix 'p' must be greater than 'Days' in the Transition action", nil},
		{"days and date", lifecycleRules("<Filter><Prefix>p</Prefix></Filter><Expiration><Date>2030-01-01</Date></Expiration>" + to("7", "GLACIER")), 400, "InvalidRequest", "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for prefix 'p'", nil},
		{"newer versions", lifecycleRules(all + "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions></NoncurrentVersionExpiration>"), 400, "InvalidArgument", "", nil},
		{"unknown element", lifecycleRules(all + week + "<Other/>"), 400, "MalformedXML", "", nil},
	})
	a := f.do(call{method: "PUT", target: "/life?lifecycle", body: lifecycleRules(all + week), header: headers("x-amz-transition-default-minimum-object-size", "value")})
	f.wantError(a, 400, "InvalidRequest", "Invalid TransitionDefaultMinimumObjectSize found: value")
}

// TestLifecycleEcho: rules come back in the form in which they were put, also the old one.
func TestLifecycleEcho(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "echo", "us-east-1", true)
	f.put(accountA, "/echo?lifecycle", lifecycleRules(
		"<Filter><And><Prefix/><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>500</ObjectSizeLessThan></And></Filter><Expiration><Days>70</Days></Expiration>"+
			"<Transition><Days>0</Days><StorageClass>GLACIER_IR</StorageClass></Transition><Transition><Days>40</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>",
		"<Filter/><NoncurrentVersionExpiration><NoncurrentDays>9</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration>"+
			"<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition><AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
		"<Filter><Prefix>logs/</Prefix></Filter><Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>",
		"<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><Expiration><Days>1</Days></Expiration>",
		"<Filter><Prefix/></Filter><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"))
	a := f.do(call{method: "GET", target: "/echo?lifecycle"})
	golden(t, "lifecycle.xml", a.body)
	if got := a.header.Get("X-Amz-Transition-Default-Minimum-Object-Size"); got != "all_storage_classes_128K" {
		t.Errorf("minimum size %q", got)
	}
	f.put(accountA, "/echo?lifecycle", strings.Replace(lifecycleRules("<Prefix>old/</Prefix><Expiration><Days>1</Days></Expiration>"), "<ID>a</ID>", "", 1))
	b, err := f.store.Bucket(t.Context(), "echo")
	must(t, err)
	id := b.Lifecycle.Rules[0].ID
	if a := f.do(call{method: "GET", target: "/echo?lifecycle"}); len(id) != 48 || !strings.Contains(a.body, "<Rule><ID>"+id+"</ID><Prefix>old/</Prefix><Status>Enabled</Status>") {
		t.Errorf("old form: %s", a.body)
	}
}

// TestExpirationHeader is S188: reads and writes tell when the object will expire.
func TestExpirationHeader(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "expires", "us-east-1", true)
	f.put(accountA, "/expires?lifecycle", lifecycleRules("<Filter><Prefix>a/</Prefix></Filter><Expiration><Days>7</Days></Expiration>", "<Filter><Prefix>a/b/</Prefix></Filter><Expiration><Days>2</Days></Expiration>"))
	for key, want := range map[string]string{
		"a/x":   `expiry-date="Thu, 12 Mar 2026 00:00:00 GMT", rule-id="a"`,
		"a/b/x": `expiry-date="Sat, 07 Mar 2026 00:00:00 GMT", rule-id="b"`,
		"c":     "",
	} {
		for _, method := range []string{"PUT", "GET", "HEAD"} {
			c := call{method: method, target: "/expires/" + key}
			if method == "PUT" {
				c.body = "x"
			}
			if a := f.do(c); a.status != 200 || a.header.Get("X-Amz-Expiration") != want {
				t.Errorf("%s %s: %d %q, want %q", method, key, a.status, a.header.Get("X-Amz-Expiration"), want)
			}
		}
	}
}

func TestLifecycleThroughTheSDK(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "sdk", "us-east-1", true)
	c := f.client(root(accountA), "us-east-1")
	in := &s3.PutBucketLifecycleConfigurationInput{Bucket: aws.String("sdk"), TransitionDefaultMinimumObjectSize: types.TransitionDefaultMinimumObjectSizeVariesByStorageClass,
		LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{
			ID: aws.String("r"), Status: types.ExpirationStatusDisabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("p")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(3)},
		}}}}
	out, err := c.PutBucketLifecycleConfiguration(t.Context(), in)
	must(t, err)
	got, err := c.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: in.Bucket})
	must(t, err)
	if out.TransitionDefaultMinimumObjectSize != got.TransitionDefaultMinimumObjectSize || *got.Rules[0].Expiration.Days != 3 || got.Rules[0].Status != types.ExpirationStatusDisabled {
		t.Errorf("%+v, %+v", out, got.Rules)
	}
	_, err = c.DeleteBucketLifecycle(t.Context(), &s3.DeleteBucketLifecycleInput{Bucket: in.Bucket})
	must(t, err)
	f.wantError(f.do(call{method: "GET", target: "/sdk?lifecycle"}), 404, "NoSuchLifecycleConfiguration", "")
}

func FuzzLifecycle(f *testing.F) {
	f.Add([]byte(lifecycleRules("<Filter/><Expiration><Days>1</Days></Expiration>")))
	f.Add([]byte(lifecycleRules("<Prefix>p</Prefix><Transition><Date>2030-01-01</Date><StorageClass>GLACIER</StorageClass></Transition>")))
	api := New(Config{})
	f.Fuzz(func(t *testing.T, body []byte) {
		rules, err := api.parseLifecycle(body)
		if err != nil {
			return
		}
		// What is echoed means what was put.
		d := newDocument(lifecycleRoot)
		for i := range rules {
			d.lifecycleRule(&rules[i])
		}
		d.close(lifecycleRoot)
		again, err := api.parseLifecycle(d.buf)
		if err != nil {
			t.Fatalf("echo %s: %v", d.buf, err)
		}
		if diff := cmp.Diff(rules, again); diff != "" {
			t.Fatalf("echo %s (-put +read back):\n%s", d.buf, diff)
		}
	})
}
