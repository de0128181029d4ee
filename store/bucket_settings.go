package store

import "time"

// ACL is an access control list as it was put. Where a *ACL is nil the owner has full
// control and nobody else has anything.
type ACL struct {
	Grants []Grant `json:",omitempty"`
}

// Grant is one entry of an ACL. Grantee is a canonical user id, or the URI of a group.
type Grant struct {
	Grantee    string
	Permission string // READ, WRITE, READ_ACP, WRITE_ACP or FULL_CONTROL
}

// Names of the settings in Bucket.Documents. Of those in the second group a bucket can
// have several: the name is followed by a slash and the configuration's id.
const (
	DocumentWebsite    = "website"
	DocumentLogging    = "logging"
	DocumentAccelerate = "accelerate"

	DocumentAnalytics = "analytics"
	DocumentInventory = "inventory"
	DocumentMetrics   = "metrics"
	DocumentTiering   = "intelligent-tiering"
)

// CORSRule is one rule of a bucket's cross-origin configuration.
type CORSRule struct {
	ID             string   `json:",omitempty"`
	AllowedHeaders []string `json:",omitempty"`
	AllowedMethods []string
	AllowedOrigins []string
	ExposeHeaders  []string `json:",omitempty"`
	MaxAgeSeconds  *int     `json:",omitempty"`
}

// NotificationConfiguration says which events of a bucket are announced where.
type NotificationConfiguration struct {
	EventBridge bool                 `json:",omitempty"`
	Targets     []NotificationTarget `json:",omitempty"`
}

// NotificationTarget is one topic, queue or function with the events that it gets.
type NotificationTarget struct {
	Kind   string // Topic, Queue or CloudFunction
	ID     string
	ARN    string
	Events []string // "s3:ObjectCreated:*"
	// HasFilter: the configuration has a Filter, maybe an empty one.
	HasFilter bool         `json:",omitempty"`
	Rules     []FilterRule `json:",omitempty"`
}

// FilterRule selects keys. Name is prefix or suffix in the sender's spelling.
type FilterRule struct{ Name, Value string }

// LifecycleConfiguration is a bucket's lifecycle configuration as it was put.
type LifecycleConfiguration struct {
	Rules []LifecycleRule
	// MinimumSize is TransitionDefaultMinimumObjectSize: all_storage_classes_128K or
	// varies_by_storage_class.
	MinimumSize string
}

// LifecycleRule is one rule. FilterForm is how the selection was written: "" for the
// old form with Prefix in the rule itself; Empty, Prefix, Tag, ObjectSizeGreaterThan,
// ObjectSizeLessThan or And for Filter and what is in it.
type LifecycleRule struct {
	ID          string
	Enabled     bool   `json:",omitempty"`
	FilterForm  string `json:",omitempty"`
	Prefix      string `json:",omitempty"`
	HasPrefix   bool   `json:",omitempty"` // And has a Prefix, maybe an empty one
	Tags        []Tag  `json:",omitempty"` // in the order they were put
	GreaterThan *int64 `json:",omitempty"` // bytes, exclusive
	LessThan    *int64 `json:",omitempty"`

	Expiration            *LifecycleExpiration      `json:",omitempty"`
	Noncurrent            *NoncurrentRetention      `json:",omitempty"`
	AbortDays             *int                      `json:",omitempty"` // since the upload began
	Transitions           []LifecycleTransition     `json:",omitempty"`
	NoncurrentTransitions []NoncurrentTransitionDay `json:",omitempty"`
}

// LifecycleExpiration says when current versions expire: Days after they were made,
// or on Date, or as delete markers that nothing is left behind of.
type LifecycleExpiration struct {
	Days          int       `json:",omitempty"`
	Date          time.Time `json:",omitzero"`
	DeleteMarkers *bool     `json:",omitempty"`
}

// NoncurrentRetention says how long noncurrent versions stay: Days after they were
// succeeded, and the Newer newest of them for good.
type NoncurrentRetention struct {
	Days  int
	Newer int `json:",omitempty"`
}

// LifecycleTransition moves current versions to Class.
type LifecycleTransition struct {
	Days  *int      `json:",omitempty"`
	Date  time.Time `json:",omitzero"`
	Class string
}

// NoncurrentTransitionDay moves noncurrent versions to Class.
type NoncurrentTransitionDay struct {
	Days  int
	Newer int `json:",omitempty"`
	Class string
}
