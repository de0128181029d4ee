package batch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/batchjob"
	"twinbucket/store"
)

func TestFilter(t *testing.T) {
	yes, no := true, false
	size := func(n int64) *int64 { return &n }
	b := &store.Bucket{Name: "src", Replication: &store.ReplicationConfiguration{Rules: []store.ReplicationRule{
		{ID: "r", V2: true, Enabled: true, Prefix: "tax/", Destination: store.Destination{Bucket: "dst"}},
	}}}
	all := map[string]store.Version{
		"eligible":  {Key: "tax/a.txt", Size: 10, LastModified: start},
		"replica":   {Key: "tax/b.txt", Size: 20, LastModified: start.Add(time.Hour), IsReplica: true},
		"failed":    {Key: "tax/c.csv", Size: 30, LastModified: start, Destinations: []store.DestinationStatus{{Bucket: "dst", Status: store.Failed}}},
		"completed": {Key: "tax/d.csv", LastModified: start, StorageClass: "STANDARD_IA", Destinations: []store.DestinationStatus{{Bucket: "dst", Status: store.Completed}}},
		"other":     {Key: "x/a.txt", LastModified: start, Encryption: store.Encryption{Algorithm: "aws:kms", KeyARN: "arn:k", BucketKey: true}},
		"customer":  {Key: "x/b.txt", LastModified: start, Encryption: store.Encryption{Algorithm: store.SSEC}},
		"double":    {Key: "x/c.txt", LastModified: start, Encryption: store.Encryption{Algorithm: "aws:kms:dsse", KeyARN: "arn:k"}},
		"s3":        {Key: "x/d.txt", LastModified: start, StorageClass: "GLACIER", Encryption: store.Encryption{Algorithm: "AES256"}},
	}
	for _, tt := range []struct {
		name string
		f    batchjob.Filter
		want string
	}{
		{"nothing asked", batchjob.Filter{}, "completed customer double eligible failed other replica s3"},
		{"eligible", batchjob.Filter{Eligible: &yes}, "completed eligible failed replica"},
		{"not eligible", batchjob.Filter{Eligible: &no}, "customer double other s3"},
		{"after", batchjob.Filter{CreatedAfter: start}, "replica"},
		{"before", batchjob.Filter{CreatedBefore: start.Add(time.Minute), Prefixes: []string{"tax/"}}, "completed eligible failed"},
		{"between is empty", batchjob.Filter{CreatedAfter: start, CreatedBefore: start.Add(time.Hour)}, ""},
		{"never attempted", batchjob.Filter{Statuses: []string{"NONE"}, Prefixes: []string{"tax/"}}, "eligible"},
		{"failed or replica", batchjob.Filter{Statuses: []string{"FAILED", "REPLICA"}}, "failed replica"},
		{"completed", batchjob.Filter{Statuses: []string{"COMPLETED"}}, "completed"},
		{"prefixes", batchjob.Filter{Prefixes: []string{"tax/a", "x/a"}}, "eligible other"},
		{"prefix and suffix", batchjob.Filter{Prefixes: []string{"tax/"}, Suffixes: []string{".txt"}}, "eligible replica"},
		{"substrings", batchjob.Filter{Substrings: []string{"/c."}}, "double failed"},
		{"larger", batchjob.Filter{GreaterThan: size(10)}, "failed replica"},
		{"smaller", batchjob.Filter{LessThan: size(30), GreaterThan: size(0)}, "eligible replica"},
		{"classes", batchjob.Filter{StorageClasses: []string{"STANDARD_IA", "GLACIER"}}, "completed s3"},
		{"standard", batchjob.Filter{StorageClasses: []string{"STANDARD"}, Prefixes: []string{"tax/a"}}, "eligible"},
		{"SSE-S3", batchjob.Filter{Encryptions: []batchjob.EncryptionFilter{{Kind: "SSE-S3"}}}, "s3"},
		{"SSE-KMS with the key", batchjob.Filter{Encryptions: []batchjob.EncryptionFilter{{Kind: "SSE-KMS", KeyARN: "arn:k", BucketKey: &yes}}}, "other"},
		{"SSE-KMS with another key", batchjob.Filter{Encryptions: []batchjob.EncryptionFilter{{Kind: "SSE-KMS", KeyARN: "arn:x"}}}, ""},
		{"SSE-KMS without bucket key", batchjob.Filter{Encryptions: []batchjob.EncryptionFilter{{Kind: "SSE-KMS", BucketKey: &no}}}, ""},
		{"several kinds", batchjob.Filter{Encryptions: []batchjob.EncryptionFilter{{Kind: "SSE-C"}, {Kind: "DSSE-KMS"}}}, "customer double"},
		{"not encrypted", batchjob.Filter{Encryptions: []batchjob.EncryptionFilter{{Kind: "NOT-SSE"}}}, "completed eligible failed replica"},
	} {
		var got []string
		for name, v := range all {
			if takes(&tt.f, b, &v) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if d := cmp.Diff(strings.Join(got, " "), tt.want); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	if takes(&batchjob.Filter{Eligible: &yes}, &store.Bucket{}, &store.Version{}) {
		t.Error("a bucket without configuration has eligible versions")
	}
}
