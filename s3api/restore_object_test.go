package s3api

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestRestore(t *testing.T) { // S320 to S323
	const cold = "The operation is not valid for the object's storage class"
	tests := []struct {
		class, tier string
		after       time.Duration
		expires     string
	}{
		{"GLACIER", "", 5 * time.Hour, "Sat, 07 Mar 2026 00:00:00 GMT"},
		{"GLACIER", "Expedited", 5 * time.Minute, "Sat, 07 Mar 2026 00:00:00 GMT"},
		{"GLACIER", "Bulk", 12 * time.Hour, "Sat, 07 Mar 2026 00:00:00 GMT"},
		{"DEEP_ARCHIVE", "Standard", 12 * time.Hour, "Sat, 07 Mar 2026 00:00:00 GMT"},
		{"DEEP_ARCHIVE", "Bulk", 48 * time.Hour, "Mon, 09 Mar 2026 00:00:00 GMT"},
	}
	for _, tt := range tests {
		t.Run(tt.class+tt.tier, func(t *testing.T) {
			f := newFixture(t)
			f.bucket(accountA, "bkt", "us-east-1", false)
			f.putText("/bkt/k", "frozen", "X-Amz-Storage-Class", tt.class)
			tier := ""
			if tt.tier != "" {
				tier = "<GlacierJobParameters><Tier>" + tt.tier + "</Tier></GlacierJobParameters>"
			}
			restore := func(days string) answer {
				return f.do(call{method: "POST", target: "/bkt/k?restore", body: "<RestoreRequest><Days>" + days + "</Days>" + tier + "</RestoreRequest>"})
			}
			e := f.wantError(f.get("/bkt/k"), 403, "InvalidObjectState", cold)
			if e.field("StorageClass") != tt.class {
				t.Errorf("%+v", e.Fields)
			}
			f.wantError(f.copyTo2("/bkt/x", "bkt/k"), 403, "InvalidObjectState", cold)
			if a := restore("2"); a.status != 202 || a.body != "" {
				t.Fatalf("%d %s", a.status, a.body)
			}
			state := func() string { return f.head("/bkt/k").header.Get("X-Amz-Restore") }
			listed := func() string {
				return f.do(call{method: "GET", target: "/bkt?list-type=2", header: headers("X-Amz-Optional-Object-Attributes", "RestoreStatus")}).body
			}
			f.clock.Advance(tt.after - time.Second)
			if state() != `ongoing-request="true"` || !strings.Contains(listed(), "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>") {
				t.Errorf("state %q, %s", state(), listed())
			}
			f.wantError(restore("2"), 409, "RestoreAlreadyInProgress", "Object restore is already in progress")
			f.wantError(f.get("/bkt/k"), 403, "InvalidObjectState", "")
			f.clock.Advance(time.Second)
			if got, want := state(), `ongoing-request="false", expiry-date="`+tt.expires+`"`; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if a := f.get("/bkt/k"); a.body != "frozen" || a.header.Get("X-Amz-Storage-Class") != tt.class {
				t.Errorf("%d %q", a.status, a.body)
			}
			if a := f.copyTo("/bkt/x", "bkt/k"); a.status != 200 {
				t.Errorf("copy: %d", a.status)
			}
			if body := listed(); !strings.Contains(body, "<IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>") || strings.Contains(f.get("/bkt?list-type=2").body, "RestoreStatus") {
				t.Errorf("%s", body)
			}
			// Asking again moves the end.
			if a := restore("30"); a.status != 200 {
				t.Errorf("%d %s", a.status, a.body)
			}
			f.clock.Advance(29 * 24 * time.Hour)
			if a := f.get("/bkt/k"); a.status != 200 {
				t.Errorf("prolonged: %d", a.status)
			}
			f.clock.Advance(3 * 24 * time.Hour)
			if state() != "" || f.get("/bkt/k").status != 403 {
				t.Errorf("ended: %q, %d", state(), f.get("/bkt/k").status)
			}
			if a := restore("1"); a.status != 202 {
				t.Errorf("once more: %d %s", a.status, a.body)
			}
		})
	}
}

// copyTo2 is copyTo for copies that may fail.
func (f *fixture) copyTo2(target, source string) answer {
	f.t.Helper()
	return f.do(call{method: "PUT", target: target, header: headers("X-Amz-Copy-Source", source)})
}

func TestRestoreRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", true)
	f.putText("/bkt/warm", "x")
	f.putText("/bkt/instant", "x", "X-Amz-Storage-Class", "GLACIER_IR")
	f.putText("/bkt/deep", "x", "X-Amz-Storage-Class", "DEEP_ARCHIVE")
	if a := f.get("/bkt/instant"); a.status != 200 {
		t.Errorf("GLACIER_IR is read at once: %d", a.status)
	}
	f.do(call{method: "DELETE", target: "/bkt/marked"})
	day := "<RestoreRequest><Days>1</Days></RestoreRequest>"
	tests := []struct {
		name, key, body string
		status          int
		code, message   string
	}{
		{"warm", "warm", day, 403, "InvalidObjectState", "Restore is not allowed for the object's current storage class"},
		{"instant", "instant", day, 403, "InvalidObjectState", ""},
		{"missing", "none", day, 404, "NoSuchKey", ""},
		{"marker", "marked", day, 404, "NoSuchKey", ""},
		{"no body", "deep", "", 400, "MissingRequestBodyError", ""},
		{"no days", "deep", "<RestoreRequest/>", 400, "MalformedXML", ""},
		{"no number", "deep", "<RestoreRequest><Days>x</Days></RestoreRequest>", 400, "MalformedXML", ""},
		{"zero days", "deep", "<RestoreRequest><Days>0</Days></RestoreRequest>", 400, "InvalidArgument", "restoration days should be at least 1"},
		{"tier", "deep", "<RestoreRequest><Days>1</Days><Tier>Fast</Tier></RestoreRequest>", 400, "MalformedXML", ""},
		{"expedited deep archive", "deep", "<RestoreRequest><Days>1</Days><Tier>Expedited</Tier></RestoreRequest>", 400, "InvalidArgument", "Retrieval option is not supported by this storage class"},
		{"select", "deep", "<RestoreRequest><Type>SELECT</Type></RestoreRequest>", 501, "NotImplemented", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.wantError(f.do(call{method: "POST", target: "/bkt/" + tt.key + "?restore", body: tt.body}), tt.status, tt.code, tt.message)
		})
	}
}

func TestRestoreThroughTheSDK(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "bkt", "us-east-1", false)
	c := f.sdk(root(accountA), "us-east-1")
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("x"), StorageClass: types.StorageClassGlacier})
	must(t, err)
	_, err = c.RestoreObject(t.Context(), &s3.RestoreObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"),
		RestoreRequest: &types.RestoreRequest{Days: aws.Int32(1), GlacierJobParameters: &types.GlacierJobParameters{Tier: types.TierExpedited}}})
	must(t, err)
	f.clock.Advance(5 * time.Minute)
	list, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("bkt"), OptionalObjectAttributes: []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus}})
	must(t, err)
	if s := list.Contents[0].RestoreStatus; s == nil || *s.IsRestoreInProgress || s.RestoreExpiryDate == nil {
		t.Errorf("%+v", s)
	}
}
