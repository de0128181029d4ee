package s3api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
)

const (
	jobHead = `<CreateJobRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Operation><S3ReplicateObject/></Operation>` +
		`<ClientRequestToken>t</ClientRequestToken><Priority>1</Priority><RoleArn>arn:aws:iam::111111111111:role/r</RoleArn>`
	jobReport   = `<Report><Enabled>false</Enabled></Report>`
	jobManifest = `<Manifest><Spec><Format>S3BatchOperations_CSV_20180820</Format><Fields><member>Bucket</member><member>Key</member></Fields></Spec>` +
		`<Location><ObjectArn>arn:aws:s3:::b/k</ObjectArn><ETag>e</ETag></Location></Manifest>`
	jobTail = `</CreateJobRequest>`
)

func generator(inner string) string {
	return `<ManifestGenerator><S3JobManifestGenerator><SourceBucket>arn:aws:s3:::b</SourceBucket>` + inner + `</S3JobManifestGenerator></ManifestGenerator>`
}

func TestReadJob(t *testing.T) {
	yes, no, big := true, false, int64(5)
	got, err := readJob([]byte(jobHead + `<Report><Bucket>arn:aws:s3:::r</Bucket><Format>Report_CSV_20180820</Format><Enabled>true</Enabled><Prefix>p</Prefix><ReportScope>AllTasks</ReportScope></Report>` +
		`<Description>d</Description><ConfirmationRequired>true</ConfirmationRequired><Tags><member><Key>a</Key><Value>b</Value></member></Tags>` +
		generator(`<EnableManifestOutput>true</EnableManifestOutput><ManifestOutputLocation><Bucket>arn:aws:s3:::m</Bucket><ManifestPrefix>x</ManifestPrefix>`+
			`<ManifestEncryption><SSE-KMS><KeyId>k</KeyId></SSE-KMS></ManifestEncryption><ManifestFormat>S3InventoryReport_CSV_20211130</ManifestFormat></ManifestOutputLocation>`+
			`<Filter><EligibleForReplication>true</EligibleForReplication><CreatedAfter>2026-01-02T03:04:05Z</CreatedAfter>`+
			`<ObjectReplicationStatuses><member>NONE</member><member>FAILED</member></ObjectReplicationStatuses>`+
			`<KeyNameConstraint><MatchAnyPrefix><member>a</member></MatchAnyPrefix></KeyNameConstraint><ObjectSizeGreaterThanBytes>5</ObjectSizeGreaterThanBytes>`+
			`<MatchAnyStorageClass><member>STANDARD</member></MatchAnyStorageClass>`+
			`<MatchAnyObjectEncryption><ObjectEncryption><SSE-KMS><BucketKeyEnabled>false</BucketKeyEnabled><KmsKeyArn>arn:k</KmsKeyArn></SSE-KMS></ObjectEncryption>`+
			`<ObjectEncryption><NOT-SSE/></ObjectEncryption></MatchAnyObjectEncryption></Filter>`) + jobTail))
	if err != nil {
		t.Fatal(err)
	}
	if at := got.Generator.Filter.CreatedAfter.Format("2006-01-02T15:04:05Z"); at != "2026-01-02T03:04:05Z" {
		t.Errorf("CreatedAfter %s", at)
	}
	got.Generator.Filter.CreatedAfter = batchjob.Filter{}.CreatedAfter
	want := &batchjob.Job{
		Token: "t", Priority: 1, RoleARN: "arn:aws:iam::111111111111:role/r", Description: "d", Confirm: &yes, Tags: []batchjob.Tag{{Key: "a", Value: "b"}},
		Report: batchjob.Report{Enabled: true, Bucket: "arn:aws:s3:::r", Prefix: "p", Scope: "AllTasks"},
		Generator: &batchjob.Generator{
			SourceBucket: "arn:aws:s3:::b", Output: true, OutputBucket: "arn:aws:s3:::m", OutputPrefix: "x", OutputEncryption: "SSE-KMS", OutputKey: "k", HasFilter: true,
			Filter: batchjob.Filter{Eligible: &yes, Statuses: []string{"NONE", "FAILED"}, Prefixes: []string{"a"}, HasNames: true, GreaterThan: &big, StorageClasses: []string{"STANDARD"},
				Encryptions: []batchjob.EncryptionFilter{{Kind: "SSE-KMS", KeyARN: "arn:k", BucketKey: &no}, {Kind: "NOT-SSE"}}},
		},
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
	if err := checkJob(got); err != nil {
		t.Error(err)
	}
}

func TestJobFaults(t *testing.T) {
	output := `<EnableManifestOutput>false</EnableManifestOutput>`
	for _, tt := range []struct{ name, body, code, text string }{
		{"fine", jobHead + jobReport + jobManifest + jobTail, "", ""},
		{"empty", "", "MissingRequestBodyError", ""},
		{"another document", "<Job/>", "MalformedXML", ""},
		{"an element too many", jobHead + jobReport + jobManifest + "<Extra/>" + jobTail, "MalformedXML", ""},
		{"no report", jobHead + jobManifest + jobTail, "MalformedXML", ""},
		{"another operation", strings.Replace(jobHead, "S3ReplicateObject", "S3PutObjectCopy", 1) + jobReport + jobManifest + jobTail, "NotImplemented", "S3PutObjectCopy jobs are not supported"},
		{"priority", strings.Replace(jobHead, "<Priority>1", "<Priority>-1", 1) + jobReport + jobManifest + jobTail, "InvalidRequest", "Priority"},
		{"priority too high", strings.Replace(jobHead, "<Priority>1", "<Priority>2147483648", 1) + jobReport + jobManifest + jobTail, "MalformedXML", ""},
		{"no list", jobHead + jobReport + jobTail, "InvalidRequest", "either a Manifest or a ManifestGenerator"},
		{"two lists", jobHead + jobReport + jobManifest + generator(output) + jobTail, "InvalidRequest", "either"},
		{"report without bucket", jobHead + `<Report><Enabled>true</Enabled></Report>` + jobManifest + jobTail, "InvalidRequest", "Report"},
		{"report format", jobHead + `<Report><Enabled>true</Enabled><Format>PDF</Format></Report>` + jobManifest + jobTail, "MalformedXML", ""},
		{"fields", jobHead + jobReport + strings.Replace(jobManifest, "<member>Key</member>", "", 1) + jobTail, "InvalidRequest", "Fields"},
		{"inventory with fields", jobHead + jobReport + strings.Replace(jobManifest, "S3BatchOperations_CSV_20180820", "S3InventoryReport_CSV_20161130", 1) + jobTail, "InvalidRequest", "Fields"},
		{"manifest's ARN", jobHead + jobReport + strings.Replace(jobManifest, "arn:aws:s3:::b/k", "b/k", 1) + jobTail, "InvalidRequest", "ObjectArn"},
		{"source bucket's ARN", jobHead + jobReport + strings.Replace(generator(output), ":::b<", ":::b/k<", 1) + jobTail, "InvalidRequest", "SourceBucket"},
		{"output without place", jobHead + jobReport + generator(`<EnableManifestOutput>true</EnableManifestOutput>`) + jobTail, "InvalidRequest", "ManifestOutputLocation"},
		{"status", jobHead + jobReport + generator(output+`<Filter><ObjectReplicationStatuses><member>PENDING</member></ObjectReplicationStatuses></Filter>`) + jobTail, "MalformedXML", ""},
		{"date", jobHead + jobReport + generator(output+`<Filter><CreatedAfter>yesterday</CreatedAfter></Filter>`) + jobTail, "MalformedXML", ""},
		{"size", jobHead + jobReport + generator(output+`<Filter><ObjectSizeLessThanBytes>-1</ObjectSizeLessThanBytes></Filter>`) + jobTail, "MalformedXML", ""},
		{"reserved tag", jobHead + jobReport + jobManifest + `<Tags><member><Key>aws:x</Key><Value/></member></Tags>` + jobTail, "InvalidRequest", "aws:"},
		{"tag twice", jobHead + jobReport + jobManifest + `<Tags><member><Key>x</Key><Value/></member><member><Key>x</Key><Value/></member></Tags>` + jobTail, "InvalidRequest", "unique"},
		{"too many tags", jobHead + jobReport + jobManifest + `<Tags>` + strings.Repeat(`<member><Key>x</Key><Value/></member>`, 51) + `</Tags>` + jobTail, "TooManyTagsException", "50"},
	} {
		j, err := readJob([]byte(tt.body))
		if err == nil {
			err = checkJob(j)
		}
		f := failure.Of(err)
		if tt.code == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if f == nil || string(f.Code) != tt.code || !strings.Contains(f.Message, tt.text) {
			t.Errorf("%s: %v, want %s with %q", tt.name, err, tt.code, tt.text)
		}
	}
}

// FuzzReadJob: foreign documents give a job or an error with a code, and every job that
// was read can be described.
func FuzzReadJob(f *testing.F) {
	f.Add([]byte(jobHead + jobReport + jobManifest + jobTail))
	f.Add([]byte(jobHead + jobReport + generator(`<EnableManifestOutput>false</EnableManifestOutput><Filter><MatchAnyObjectEncryption><ObjectEncryption><SSE-S3/></ObjectEncryption></MatchAnyObjectEncryption></Filter>`) + jobTail))
	f.Add([]byte(`<CreateJobRequest><Operation/>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		j, err := readJob(body)
		if err != nil {
			if failure.CodeOf(err) == "" {
				t.Errorf("error without a code: %v", err)
			}
			return
		}
		_ = checkJob(j)
		d := newControlDocument("Job")
		if j.Manifest != nil {
			d.jobManifest(j.Manifest)
		}
		if j.Generator != nil {
			d.jobGenerator(j.Generator)
		}
		d.jobReport(&j.Report)
		d.close("Job")
		if _, err := parseXML(d.buf, "Job"); err != nil {
			t.Errorf("description %s: %v", d.buf, err)
		}
	})
}
