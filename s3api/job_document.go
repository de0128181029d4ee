package s3api

import (
	"math"
	"slices"
	"strings"
	"time"

	"twinbucket/internal/arn"
	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
)

const maxJobPriority = math.MaxInt32

// readJob reads CreateJob's document. Operations other than S3ReplicateObject are
// NotImplemented, everything that does not follow the schema MalformedXML.
func readJob(body []byte) (*batchjob.Job, error) {
	root, err := parseXML(body, "CreateJobRequest")
	if err != nil {
		return nil, err
	}
	j := &batchjob.Job{
		Token: root.need("ClientRequestToken").leaf(), Description: root.one("Description").leaf(),
		Priority: int(root.need("Priority").integer(maxJobPriority)), RoleARN: root.need("RoleArn").leaf(),
	}
	if c := root.one("ConfirmationRequired"); c != nil {
		v := c.boolean()
		j.Confirm = &v
	}
	op := root.need("Operation")
	if len(op.children) == 1 && op.children[0].name != jobOperation {
		return nil, failure.Newf("NotImplemented", "%s jobs are not supported by Twinbucket, which runs %s.", op.children[0].name, jobOperation)
	}
	op.need(jobOperation).leaf()
	j.Tags = readJobTags(root.one("Tags"))
	readJobReport(root.need("Report"), &j.Report)
	if m := root.one("Manifest"); m != nil {
		j.Manifest = readJobManifest(m)
	}
	if g := root.one("ManifestGenerator"); g != nil {
		j.Generator = readJobGenerator(g.need("S3JobManifestGenerator"))
	}
	return j, root.end()
}

func readJobReport(e *element, r *batchjob.Report) {
	r.Enabled = e.need("Enabled").boolean()
	r.Bucket, r.Prefix, r.ExpectedBucketOwner = e.one("Bucket").leaf(), e.one("Prefix").leaf(), e.one("ExpectedBucketOwner").leaf()
	if f := e.one("Format"); f != nil {
		f.enum(batchjob.FormatReport)
	}
	if s := e.one("ReportScope"); s != nil {
		r.Scope = s.enum("AllTasks", "FailedTasksOnly")
	}
}

func readJobManifest(e *element) *batchjob.Manifest {
	spec, at := e.need("Spec"), e.need("Location")
	m := &batchjob.Manifest{Format: spec.need("Format").enum(batchjob.FormatCSV, batchjob.FormatInventory)}
	if f := spec.one("Fields"); f != nil {
		for _, field := range f.many("member") {
			m.Fields = append(m.Fields, field.enum("Ignore", "Bucket", "Key", "VersionId"))
		}
	}
	m.ObjectARN, m.ETag, m.VersionID = at.need("ObjectArn").leaf(), at.need("ETag").leaf(), at.one("ObjectVersionId").leaf()
	return m
}

func readJobGenerator(e *element) *batchjob.Generator {
	g := &batchjob.Generator{
		SourceBucket: e.need("SourceBucket").leaf(), ExpectedBucketOwner: e.one("ExpectedBucketOwner").leaf(),
		Output: e.need("EnableManifestOutput").boolean(),
	}
	if f := e.one("Filter"); f != nil {
		g.HasFilter = true
		readJobFilter(f, &g.Filter)
	}
	o := e.one("ManifestOutputLocation")
	if o == nil {
		return g
	}
	g.OutputBucket, g.OutputPrefix = o.need("Bucket").leaf(), o.one("ManifestPrefix").leaf()
	g.ExpectedOutputOwner = o.one("ExpectedManifestBucketOwner").leaf()
	o.need("ManifestFormat").enum(batchjob.FormatGenerated)
	if enc := o.one("ManifestEncryption"); enc != nil {
		if k := enc.one("SSE-KMS"); k != nil {
			g.OutputEncryption, g.OutputKey = "SSE-KMS", k.need("KeyId").leaf()
		} else {
			enc.need("SSE-S3").leaf()
			g.OutputEncryption = "SSE-S3"
		}
	}
	return g
}

func readJobFilter(e *element, f *batchjob.Filter) {
	f.Eligible = optionalBoolean(e.one("EligibleForReplication"))
	f.CreatedAfter, f.CreatedBefore = jobTime(e.one("CreatedAfter")), jobTime(e.one("CreatedBefore"))
	f.GreaterThan, f.LessThan = jobSize(e.one("ObjectSizeGreaterThanBytes")), jobSize(e.one("ObjectSizeLessThanBytes"))
	f.Statuses = members(e.one("ObjectReplicationStatuses"), "COMPLETED", "FAILED", "REPLICA", "NONE")
	f.StorageClasses = members(e.one("MatchAnyStorageClass"),
		"STANDARD", "STANDARD_IA", "ONEZONE_IA", "GLACIER", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR")
	if n := e.one("KeyNameConstraint"); n != nil {
		f.HasNames = true
		f.Prefixes, f.Suffixes, f.Substrings = members(n.one("MatchAnyPrefix")), members(n.one("MatchAnySuffix")), members(n.one("MatchAnySubstring"))
	}
	list := e.one("MatchAnyObjectEncryption")
	if list == nil {
		return
	}
	for _, m := range list.many("ObjectEncryption") {
		for _, kind := range [...]string{"SSE-S3", "SSE-KMS", "DSSE-KMS", "SSE-C", "NOT-SSE"} {
			if c := m.one(kind); c != nil {
				enc := batchjob.EncryptionFilter{Kind: kind}
				if strings.HasSuffix(kind, "-KMS") {
					enc.KeyARN = c.one("KmsKeyArn").leaf()
				}
				if kind == "SSE-KMS" {
					enc.BucketKey = optionalBoolean(c.one("BucketKeyEnabled"))
				}
				f.Encryptions = append(f.Encryptions, enc)
			}
		}
	}
}

// members are the texts of a list; with values each must be one of them.
func members(e *element, values ...string) (out []string) {
	if e == nil {
		return nil
	}
	for _, m := range e.many("member") {
		v := m.leaf()
		if len(values) > 0 && !slices.Contains(values, v) {
			m.malformed()
		}
		out = append(out, v)
	}
	return out
}

func optionalBoolean(e *element) *bool {
	if e == nil {
		return nil
	}
	v := e.boolean()
	return &v
}

func jobSize(e *element) *int64 {
	if e == nil {
		return nil
	}
	n := e.integer(math.MaxInt64)
	if n < 0 {
		e.malformed()
	}
	return &n
}

func jobTime(e *element) time.Time {
	if e == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(e.leaf()))
	if err != nil {
		e.malformed()
	}
	return t.UTC()
}

// checkJob refuses what the schema allows and Batch Operations does not (B55).
func checkJob(j *batchjob.Job) error {
	invalid := func(text string) error { return failure.New("InvalidRequest", text) }
	r := &j.Report
	switch {
	case j.Priority < 0:
		return invalid("Priority must be a number from 0 to 2147483647.")
	case j.Token == "" || len(j.Token) > 64:
		return invalid("ClientRequestToken must have 1 to 64 characters.")
	case len(j.Description) > 256:
		return invalid("Description must have 1 to 256 characters.")
	case (j.Manifest == nil) == (j.Generator == nil):
		return invalid("A job needs either a Manifest or a ManifestGenerator.")
	case r.Enabled && (!isBucketARN(r.Bucket) || r.Scope == ""):
		return invalid("An enabled Report needs Bucket, Format and ReportScope.")
	case j.Generator != nil && !isBucketARN(j.Generator.SourceBucket):
		return invalid("SourceBucket must be the ARN of a bucket.")
	case j.Generator != nil && j.Generator.Output && !isBucketARN(j.Generator.OutputBucket):
		return invalid("EnableManifestOutput needs a ManifestOutputLocation with a Bucket ARN.")
	case j.Manifest != nil && !strings.HasPrefix(j.Manifest.ObjectARN, arn.Bucket("")):
		return invalid("ObjectArn must be the ARN of an object.")
	}
	if m := j.Manifest; m != nil && m.Format == batchjob.FormatCSV {
		if !slices.Contains(m.Fields, "Bucket") || !slices.Contains(m.Fields, "Key") {
			return invalid("Fields must have Bucket and Key.")
		}
	} else if m != nil && len(m.Fields) > 0 {
		return invalid("Fields are for CSV manifests only.")
	}
	return checkJobTags(j.Tags)
}

func isBucketARN(s string) bool {
	name, ok := strings.CutPrefix(s, arn.Bucket(""))
	return ok && name != "" && !strings.Contains(name, "/")
}
