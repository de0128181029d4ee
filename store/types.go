package store

import (
	"time"

	"twinbucket/internal/checksum"
	"twinbucket/store/blob"
)

// Versioning is a bucket's versioning state; "" means never enabled.
type Versioning string

const (
	Unversioned         Versioning = ""
	VersioningEnabled   Versioning = "Enabled"
	VersioningSuspended Versioning = "Suspended"
)

// Ownership is the bucket's Object Ownership setting; "" means the controls were deleted.
type Ownership string

const (
	BucketOwnerEnforced  Ownership = "BucketOwnerEnforced"
	BucketOwnerPreferred Ownership = "BucketOwnerPreferred"
	ObjectWriter         Ownership = "ObjectWriter"
)

// PublicAccessBlock is S3 Block Public Access.
type PublicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

// Tag is one key-value pair. Tag sets are kept sorted by key.
type Tag struct{ Key, Value string }

// DefaultEncryption is a bucket's default. KeyID is kept as the client wrote it.
type DefaultEncryption struct {
	Algorithm string // AES256, aws:kms, aws:kms:dsse
	KeyID     string `json:",omitempty"`
	BucketKey bool   `json:",omitempty"`
	// Blocked are the encryption types that uploads may not have ("SSE-C", or "NONE"
	// for none at all); nil when the configuration does not say.
	Blocked []string `json:",omitempty"`
}

// Bucket is a bucket and its configuration. The namespace is global.
type Bucket struct {
	Name        string
	Account     string
	Region      string
	Created     time.Time
	Versioning  Versioning                `json:",omitempty"`
	Ownership   Ownership                 `json:",omitempty"`
	Public      *PublicAccessBlock        `json:",omitempty"` // nil after DeletePublicAccessBlock
	Encryption  DefaultEncryption         // Algorithm AES256 from the start
	Policy      string                    `json:",omitempty"`
	PolicyPins  map[string]string         `json:",omitempty"` // principal ARN -> unique id, see policy.Source
	Tags        []Tag                     `json:",omitempty"` // nil: no tag set
	Replication *ReplicationConfiguration `json:",omitempty"`

	ACL           *ACL                       `json:",omitempty"`
	Lifecycle     *LifecycleConfiguration    `json:",omitempty"`
	CORS          []CORSRule                 `json:",omitempty"`
	Notifications *NotificationConfiguration `json:",omitempty"`
	RequesterPays bool                       `json:",omitempty"`
	// Documents are the settings that nothing here acts upon: the content of the root
	// element as it was put, under the names of the Document constants.
	Documents  map[string]string `json:",omitempty"`
	ObjectLock *ObjectLock       `json:",omitempty"` // nil: Object Lock is not enabled
	// Deleting fences a bucket that DeleteBucket is looking through: writes fail with NoSuchBucket.
	Deleting bool `json:",omitempty"`
}

// Checksum is an S3 additional checksum of a version or a part.
type Checksum struct {
	Algorithm checksum.Algorithm `json:",omitempty"`
	Type      checksum.Type      `json:",omitempty"` // FULL_OBJECT or COMPOSITE
	Value     string             `json:",omitempty"` // base64, with -N for composites
}

// SSEC is the Algorithm of versions encrypted under a key that the customer keeps.
const SSEC = "SSE-C"

// Encryption is how one version is encrypted. WrappedKey is the data key: under
// the store's master key for AES256, a KMS ciphertext blob for aws:kms, under a key
// that is not stored for SSEC.
type Encryption struct {
	Algorithm  string            // AES256, aws:kms, aws:kms:dsse, SSE-C
	KeyARN     string            `json:",omitempty"`
	Context    map[string]string `json:",omitempty"` // the client's pairs, without aws:s3:arn
	BucketKey  bool              `json:",omitempty"`
	WrappedKey []byte            `json:",omitempty"`
}

// KMS reports whether a KMS key protects the data key.
func (e Encryption) KMS() bool { return e.Algorithm == "aws:kms" || e.Algorithm == "aws:kms:dsse" }

// Customer reports whether the customer's own key protects the data key.
func (e Encryption) Customer() bool { return e.Algorithm == SSEC }

// Data is where the sealed bytes are: in a record of their own for small objects,
// else in one blob. Both are sealed under the version's data key with ID as
// associated data, or with Sealed where that is set.
type Data struct {
	ID blob.ID
	// Sealed is the id that the bytes were sealed under, where that is another than
	// ID: those of CopyData, which copies without the data key. Zero otherwise.
	Sealed blob.ID `json:",omitzero"`
	// Inline is the sealed form of small data on its way into the store. Version
	// returns it for versions of one part; of others OpenParts reads it by ID.
	Inline []byte `json:",omitempty"`
	File   bool   `json:",omitempty"` // a blob holds the bytes
	Size   int64  // plaintext bytes
}

// Part is one part of a multipart version, in order. A version that was not
// uploaded in parts has exactly one Part with Number 0, or none when it is empty
// of data (delete markers).
type Part struct {
	Number   int `json:",omitempty"`
	ETag     string
	Checksum Checksum `json:",omitzero"`
	Data     Data
}

// Headers are the system metadata that GET and HEAD return as they were sent.
type Headers struct {
	ContentType        string `json:",omitempty"`
	ContentEncoding    string `json:",omitempty"`
	ContentLanguage    string `json:",omitempty"`
	ContentDisposition string `json:",omitempty"`
	CacheControl       string `json:",omitempty"`
	Expires            string `json:",omitempty"`
	WebsiteRedirect    string `json:",omitempty"`
}

// ReplicationStatus is the value of x-amz-replication-status; "" sends no header.
type ReplicationStatus string

const (
	Pending   ReplicationStatus = "PENDING"
	Completed ReplicationStatus = "COMPLETED"
	Failed    ReplicationStatus = "FAILED"
	Replica   ReplicationStatus = "REPLICA"
)

// DestinationStatus is the state of one version towards one destination bucket.
type DestinationStatus struct {
	RuleID  string
	Bucket  string            // destination bucket name
	Status  ReplicationStatus // Pending, Completed or Failed
	Reason  string            `json:",omitempty"` // failureReason, failed only
	Attempt int               `json:",omitempty"`
	Updated time.Time         `json:",omitzero"`
}

// Version is one version of an object, or a delete marker.
type Version struct {
	Bucket string
	Key    string
	// ID is the version id; "null" for versions written while versioning was not
	// enabled. Ids of versioned writes sort newest first by Order.
	ID string
	// Order positions the version among those of its key: a larger Order is newer.
	// A replica takes its source's Order along.
	Order        uint64
	DeleteMarker bool   `json:",omitempty"`
	Size         int64  `json:",omitempty"`
	ETag         string `json:",omitempty"` // without quotes
	LastModified time.Time
	Owner        string            // account
	StorageClass string            `json:",omitempty"` // "" is STANDARD
	ACL          *ACL              `json:",omitempty"` // nil: the owner's full control
	Headers      Headers           `json:",omitzero"`
	Metadata     map[string]string `json:",omitempty"` // user metadata, names lower-case without x-amz-meta-
	Tags         []Tag             `json:",omitempty"`
	Checksum     Checksum          `json:",omitzero"`
	Encryption   Encryption        `json:",omitzero"`
	Parts        []Part            `json:",omitempty"`
	Multipart    bool              `json:",omitempty"`
	Lock         Lock              `json:",omitzero"`
	Restore      Restore           `json:",omitzero"`
	// IsReplica is set on versions written by replication.
	IsReplica    bool                `json:",omitempty"`
	Destinations []DestinationStatus `json:",omitempty"`
}

// ReplicationStatus aggregates the destinations: FAILED once one failed and none is
// pending, PENDING while one is pending, COMPLETED when all are done (D50). A replica
// is REPLICA, except while a change of its own tags is on its way back or failed (D51).
func (v *Version) ReplicationStatus() ReplicationStatus {
	status := ReplicationStatus("")
	for _, d := range v.Destinations {
		switch {
		case d.Status == Pending:
			return Pending
		case d.Status == Failed:
			status = Failed
		case status == "":
			status = Completed
		}
	}
	if v.IsReplica && status != Failed {
		return Replica
	}
	return status
}

// ReplicationConfiguration is a bucket's replication configuration as it was put.
type ReplicationConfiguration struct {
	Role  string
	Rules []ReplicationRule
}

// ReplicationRule is one rule of either schema version. V2 is true when the rule
// carries Filter; a V1 rule has only Prefix.
type ReplicationRule struct {
	ID         string
	V2         bool `json:",omitempty"`
	Priority   int  `json:",omitempty"`
	Enabled    bool `json:",omitempty"`
	Prefix     string
	Tags       []Tag  `json:",omitempty"`
	FilterForm string `json:",omitempty"` // V2: "", Prefix, Tag, And, or AndPrefix where And has a Prefix: echoed as it was put
	// SSEKMS and ReplicaModifications are "", Enabled or Disabled.
	SSEKMS               string `json:",omitempty"`
	ReplicaModifications string `json:",omitempty"`
	DeleteMarkers        string `json:",omitempty"` // V2: Enabled or Disabled
	Destination          Destination
}

// Destination is where and how a rule writes.
type Destination struct {
	Bucket          string // bucket name
	Account         string `json:",omitempty"`
	StorageClass    string `json:",omitempty"`
	OwnerOverride   bool   `json:",omitempty"` // AccessControlTranslation Owner=Destination
	ReplicaKMSKeyID string `json:",omitempty"` // key or alias ARN
	ReplicationTime string `json:",omitempty"` // "", Enabled or Disabled; always 15 minutes
	Metrics         string `json:",omitempty"`
	MetricsMinutes  int    `json:",omitempty"`
}

// TaskKind says what a task replicates.
type TaskKind string

const (
	TaskObject  TaskKind = "object"
	TaskMarker  TaskKind = "deleteMarker"
	TaskTagging TaskKind = "tagging"
	TaskLock    TaskKind = "objectLock"
	TaskACL     TaskKind = "acl"
)

// Task is one version on its way to one destination. It keeps the rule and role of
// the moment it was made: later configuration changes do not rewrite it.
type Task struct {
	ID        string
	Kind      TaskKind
	Bucket    string
	Key       string
	VersionID string
	Size      int64
	Role      string
	Rule      ReplicationRule
	Created   time.Time
	Due       time.Time
	Attempt   int    // attempts begun
	LastError string `json:",omitempty"`
	Throttled bool   `json:",omitempty"` // the last attempt was throttled
	// Job is the batch job that asked for the task; "" is live replication.
	Job string `json:",omitempty"`
	// Delivered: the destination had the version before. A batch job does not make it
	// anew where it was deleted since.
	Delivered bool `json:",omitempty"`
}

// Condition is a write or delete precondition, checked in the same transaction.
type Condition struct {
	IfMatch     string // ETag without quotes; "" none
	IfNoneMatch bool   // If-None-Match: *
	// BypassGovernance lets a delete by version id remove what is under GOVERNANCE retention.
	BypassGovernance bool
}
