package replicator

import (
	"encoding/json"
	"time"

	"twinbucket/iamsim/policy"
)

// Explanation answers why a version did or did not arrive.
type Explanation struct {
	Bucket     string `json:"bucket"`
	Key        string `json:"key"`
	VersionID  string `json:"versionId"`
	Status     string `json:"status"` // "" when the version is not eligible
	Size       int64  `json:"size"`
	Encryption string `json:"encryption"` // AES256, or aws:kms and the key ARN
	// Destinations holds one entry a destination that was tried or is pending.
	Destinations []DestinationTrace `json:"destinations"`
	// Rules is how the configuration now in force looks at the version: all there is
	// to say about a version that was never eligible.
	Rules []RuleVerdict `json:"rules,omitempty"`
	// Note says what a version without a status needs to know.
	Note string `json:"note,omitempty"`
}

// DestinationTrace is the trace of one version towards one destination.
type DestinationTrace struct {
	RuleID        string        `json:"ruleId"`
	Priority      int           `json:"priority,omitempty"`
	Prefix        string        `json:"prefix"`
	Destination   string        `json:"destination"`
	Status        string        `json:"status"`
	FailureReason string        `json:"failureReason,omitempty"`
	Message       string        `json:"message,omitempty"`
	Attempts      []Attempt     `json:"attempts"`
	Rules         []RuleVerdict `json:"rules,omitempty"`
	Steps         []Step        `json:"steps"`
}

// RuleVerdict says whether a rule selected the version, and why.
type RuleVerdict struct {
	RuleID   string `json:"ruleId"`
	Selected bool   `json:"selected"`
	Why      string `json:"why"`
}

// Attempt is one try. RetryAfter is the time the next one is due, PENDING only.
type Attempt struct {
	At         time.Time `json:"at"`
	Outcome    string    `json:"outcome"` // COMPLETED, FAILED, PENDING
	Message    string    `json:"message,omitempty"`
	RetryAfter time.Time `json:"retryAfter,omitzero"`
}

// Step outcomes.
const (
	StepAllowed    = "allowed"
	StepDenied     = "denied"
	StepThrottled  = "throttled"
	StepError      = "error"
	StepNotReached = "not reached"
	StepNotNeeded  = "not needed"
)

// Step is one permission or action of an attempt, in the order S3 takes them.
type Step struct {
	N         int               `json:"n"`
	Step      string            `json:"step"`
	Principal string            `json:"principal,omitempty"`
	Action    string            `json:"action"`
	Resource  string            `json:"resource,omitempty"`
	Context   policy.Context    `json:"context,omitempty"`
	Outcome   string            `json:"outcome"`
	DecidedBy *policy.Reference `json:"decidedBy,omitempty"`
	Layers    []policy.Layer    `json:"layers,omitempty"`
	NearMiss  []policy.NearMiss `json:"nearMisses,omitempty"`
	Message   string            `json:"message,omitempty"`
	Fix       *Fix              `json:"fix,omitempty"`
}

// Fix is the smallest statement that would have allowed a denied step.
type Fix struct {
	Document  string          `json:"document"` // where to add it
	Statement json.RawMessage `json:"statement,omitempty"`
	Advice    string          `json:"advice,omitempty"` // when no statement helps
}
