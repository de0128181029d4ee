// Package batchjob is the vocabulary of S3 Batch Operations jobs: what a client asks for
// and what a job has become. It holds no behaviour but the rules of a job's states; the
// API that reads requests and the engine that runs jobs share it.
package batchjob

import (
	"slices"
	"time"
)

// Status is a job's state (B40).
type Status string

// All states; Pausing and Paused are never entered here, because no job has to wait for
// another.
const (
	New        Status = "New"
	Preparing  Status = "Preparing"
	Suspended  Status = "Suspended"
	Ready      Status = "Ready"
	Active     Status = "Active"
	Pausing    Status = "Pausing"
	Paused     Status = "Paused"
	Completing Status = "Completing"
	Complete   Status = "Complete"
	Cancelling Status = "Cancelling"
	Cancelled  Status = "Cancelled"
	Failing    Status = "Failing"
	Failed     Status = "Failed"
)

// Statuses lists all states, as filters may name them.
func Statuses() []Status {
	return []Status{Active, Cancelled, Cancelling, Complete, Completing, Failed, Failing, New, Paused, Pausing, Preparing, Ready, Suspended}
}

// Ended reports whether nothing happens to the job any more.
func (s Status) Ended() bool { return s == Complete || s == Cancelled || s == Failed }

// Ending reports whether the job only finishes what it has begun.
func (s Status) Ending() bool { return s == Completing || s == Cancelling || s == Failing || s.Ended() }

// Tag is one tag of a job.
type Tag struct{ Key, Value string }

// Job is one S3ReplicateObject job.
type Job struct {
	ID, Account, Region string
	Token               string // ClientRequestToken
	Created             time.Time
	Description         string `json:",omitempty"`
	Priority            int
	RoleARN             string
	Confirm             *bool      `json:",omitempty"` // ConfirmationRequired
	Manifest            *Manifest  `json:",omitempty"` // or
	Generator           *Generator `json:",omitempty"`
	Report              Report
	Tags                []Tag `json:",omitempty"`

	Status         Status
	StatusReason   string    `json:",omitempty"`
	SuspendedCause string    `json:",omitempty"`
	Suspended      time.Time `json:",omitzero"`
	Terminated     time.Time `json:",omitzero"`
	Failures       []Failure `json:",omitempty"`
	Progress       Progress
	// Generated is the manifest that the generator wrote, if it was asked to.
	Generated *Location `json:",omitempty"`
}

// ARN names the job.
func (j *Job) ARN() string { return ARN(j.Region, j.Account, j.ID) }

// ARN names a job.
func ARN(region, account, id string) string {
	return "arn:aws:s3:" + region + ":" + account + ":job/" + id
}

// NeedsConfirmation reports whether the job waits for somebody after its preparation.
func (j *Job) NeedsConfirmation() bool { return j.Confirm != nil && *j.Confirm }

// Failure is why a whole job failed.
type Failure struct{ Code, Reason string }

// Progress counts the job's objects.
type Progress struct {
	Total, Succeeded, Failed int64
	// ActiveSeconds is how long the job has worked, in domain time.
	ActiveSeconds int64
}

// Manifest formats.
const (
	FormatCSV       = "S3BatchOperations_CSV_20180820"
	FormatInventory = "S3InventoryReport_CSV_20161130"
	FormatGenerated = "S3InventoryReport_CSV_20211130"
	FormatReport    = "Report_CSV_20180820"
)

// Manifest is a list of objects that the client made.
type Manifest struct {
	Format string
	Fields []string `json:",omitempty"` // Bucket, Key, VersionId or Ignore
	Location
}

// Location is an object.
type Location struct {
	ObjectARN, ETag, VersionID string
}

// Report says where and about what the completion report is written.
type Report struct {
	Enabled             bool
	Bucket              string `json:",omitempty"` // ARN
	Prefix              string `json:",omitempty"`
	Scope               string `json:",omitempty"` // AllTasks or FailedTasksOnly
	ExpectedBucketOwner string `json:",omitempty"`
}

// Generator makes the list of objects from a bucket.
type Generator struct {
	SourceBucket        string // ARN
	ExpectedBucketOwner string `json:",omitempty"`
	Filter              Filter
	HasFilter           bool `json:",omitempty"`
	// Output: the manifest is written to OutputBucket.
	Output              bool
	OutputBucket        string `json:",omitempty"` // ARN
	OutputPrefix        string `json:",omitempty"`
	ExpectedOutputOwner string `json:",omitempty"`
	// OutputEncryption is "", "SSE-S3" or "SSE-KMS" with OutputKey.
	OutputEncryption string `json:",omitempty"`
	OutputKey        string `json:",omitempty"`
}

// Filter selects versions; an empty member selects all.
type Filter struct {
	Eligible                       *bool              `json:",omitempty"` // EligibleForReplication
	CreatedAfter, CreatedBefore    time.Time          `json:",omitzero"`
	Statuses                       []string           `json:",omitempty"` // NONE, FAILED, COMPLETED, REPLICA
	Prefixes, Suffixes, Substrings []string           `json:",omitempty"`
	GreaterThan, LessThan          *int64             `json:",omitempty"` // bytes, exclusive
	StorageClasses                 []string           `json:",omitempty"`
	Encryptions                    []EncryptionFilter `json:",omitempty"`
	HasNames                       bool               `json:",omitempty"` // KeyNameConstraint is there
}

// EncryptionFilter selects one kind of encryption: SSE-S3, SSE-KMS, DSSE-KMS, SSE-C or
// NOT-SSE.
type EncryptionFilter struct {
	Kind      string
	KeyARN    string `json:",omitempty"`
	BucketKey *bool  `json:",omitempty"`
}

// Page is a part of a list of jobs.
type Page struct {
	Jobs []Job
	Next string // token, "" at the end
}

// Query asks for jobs.
type Query struct {
	Account, Region string
	Statuses        []Status // none: all
	Max             int
	Token           string
}

// Takes reports whether a job passes the filter.
func (q *Query) Takes(j *Job) bool {
	return j.Region == q.Region && (len(q.Statuses) == 0 || slices.Contains(q.Statuses, j.Status))
}
