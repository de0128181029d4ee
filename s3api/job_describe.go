package s3api

import (
	"time"

	"twinbucket/internal/batchjob"
)

// describeJob is DescribeJob.
func (a *API) describeJob(req *request) error {
	j, err := req.jobs.Describe(req.ctx, req.account, req.region, req.jobID)
	if err != nil {
		return err
	}
	const root = "DescribeJobResult"
	d := newControlDocument(root)
	d.open("Job")
	d.text("JobId", j.ID)
	if j.Confirm != nil {
		d.boolean("ConfirmationRequired", *j.Confirm)
	}
	d.optional("Description", j.Description)
	d.text("JobArn", j.ARN())
	d.text("Status", string(j.Status))
	if j.Manifest != nil {
		d.jobManifest(j.Manifest)
	}
	d.open("Operation")
	d.text(jobOperation, "")
	d.close("Operation")
	d.number("Priority", int64(j.Priority))
	d.jobProgress(&j.Progress)
	d.optional("StatusUpdateReason", j.StatusReason)
	d.open("FailureReasons")
	for _, f := range j.Failures {
		d.open("member")
		d.text("FailureCode", f.Code)
		d.text("FailureReason", f.Reason)
		d.close("member")
	}
	d.close("FailureReasons")
	d.jobReport(&j.Report)
	d.time("CreationTime", j.Created)
	d.sometime("TerminationDate", j.Terminated)
	d.text("RoleArn", j.RoleARN)
	d.sometime("SuspendedDate", j.Suspended)
	d.optional("SuspendedCause", j.SuspendedCause)
	if j.Generator != nil {
		d.jobGenerator(j.Generator)
	}
	if j.Generated != nil {
		d.open("GeneratedManifestDescriptor")
		d.text("Format", batchjob.FormatGenerated)
		d.jobLocation(j.Generated)
		d.close("GeneratedManifestDescriptor")
	}
	d.close("Job")
	return req.send(d, root)
}

// sometime writes a time unless it is zero.
func (d *document) sometime(name string, t time.Time) {
	if !t.IsZero() {
		d.time(name, t)
	}
}

func (d *document) jobProgress(p *batchjob.Progress) {
	d.open("ProgressSummary")
	d.number("TotalNumberOfTasks", p.Total)
	d.number("NumberOfTasksSucceeded", p.Succeeded)
	d.number("NumberOfTasksFailed", p.Failed)
	d.open("Timers")
	d.number("ElapsedTimeInActiveSeconds", p.ActiveSeconds)
	d.close("Timers")
	d.close("ProgressSummary")
}

func (d *document) jobReport(r *batchjob.Report) {
	d.open("Report")
	d.optional("Bucket", r.Bucket)
	if r.Enabled {
		d.text("Format", batchjob.FormatReport)
	}
	d.boolean("Enabled", r.Enabled)
	d.optional("Prefix", r.Prefix)
	d.optional("ReportScope", r.Scope)
	d.optional("ExpectedBucketOwner", r.ExpectedBucketOwner)
	d.close("Report")
}

func (d *document) jobLocation(l *batchjob.Location) {
	d.open("Location")
	d.text("ObjectArn", l.ObjectARN)
	d.optional("ObjectVersionId", l.VersionID)
	d.text("ETag", l.ETag)
	d.close("Location")
}

func (d *document) jobManifest(m *batchjob.Manifest) {
	d.open("Manifest")
	d.open("Spec")
	d.text("Format", m.Format)
	if len(m.Fields) > 0 {
		d.members("Fields", m.Fields)
	}
	d.close("Spec")
	d.jobLocation(&m.Location)
	d.close("Manifest")
}

func (d *document) members(name string, list []string) {
	d.open(name)
	for _, v := range list {
		d.text("member", v)
	}
	d.close(name)
}

func (d *document) jobGenerator(g *batchjob.Generator) {
	d.open("ManifestGenerator")
	d.open("S3JobManifestGenerator")
	d.optional("ExpectedBucketOwner", g.ExpectedBucketOwner)
	d.text("SourceBucket", g.SourceBucket)
	if g.OutputBucket != "" {
		d.open("ManifestOutputLocation")
		d.optional("ExpectedManifestBucketOwner", g.ExpectedOutputOwner)
		d.text("Bucket", g.OutputBucket)
		d.optional("ManifestPrefix", g.OutputPrefix)
		if g.OutputEncryption != "" {
			d.open("ManifestEncryption")
			d.open(g.OutputEncryption)
			d.optional("KeyId", g.OutputKey)
			d.close(g.OutputEncryption)
			d.close("ManifestEncryption")
		}
		d.text("ManifestFormat", batchjob.FormatGenerated)
		d.close("ManifestOutputLocation")
	}
	if g.HasFilter {
		d.jobFilter(&g.Filter)
	}
	d.boolean("EnableManifestOutput", g.Output)
	d.close("S3JobManifestGenerator")
	d.close("ManifestGenerator")
}

func (d *document) jobFilter(f *batchjob.Filter) {
	d.open("Filter")
	if f.Eligible != nil {
		d.boolean("EligibleForReplication", *f.Eligible)
	}
	d.sometime("CreatedAfter", f.CreatedAfter)
	d.sometime("CreatedBefore", f.CreatedBefore)
	if len(f.Statuses) > 0 {
		d.members("ObjectReplicationStatuses", f.Statuses)
	}
	if f.HasNames {
		d.open("KeyNameConstraint")
		for _, c := range [...]struct {
			name string
			list []string
		}{{"MatchAnyPrefix", f.Prefixes}, {"MatchAnySuffix", f.Suffixes}, {"MatchAnySubstring", f.Substrings}} {
			if len(c.list) > 0 {
				d.members(c.name, c.list)
			}
		}
		d.close("KeyNameConstraint")
	}
	if f.GreaterThan != nil {
		d.number("ObjectSizeGreaterThanBytes", *f.GreaterThan)
	}
	if f.LessThan != nil {
		d.number("ObjectSizeLessThanBytes", *f.LessThan)
	}
	if len(f.StorageClasses) > 0 {
		d.members("MatchAnyStorageClass", f.StorageClasses)
	}
	if len(f.Encryptions) > 0 {
		d.open("MatchAnyObjectEncryption")
		for i := range f.Encryptions {
			e := &f.Encryptions[i]
			d.open("ObjectEncryption")
			d.open(e.Kind)
			d.optional("KmsKeyArn", e.KeyARN)
			if e.BucketKey != nil {
				d.boolean("BucketKeyEnabled", *e.BucketKey)
			}
			d.close(e.Kind)
			d.close("ObjectEncryption")
		}
		d.close("MatchAnyObjectEncryption")
	}
	d.close("Filter")
}
