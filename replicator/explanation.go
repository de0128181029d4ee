package replicator

import (
	"encoding/json"
	"maps"
	"slices"
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
	// Shared holds the condition keys that all steps have in common. It exists in
	// stored traces only, where it saves most of their size.
	Shared policy.Context `json:"shared,omitempty"`
}

// factor moves what all steps' contexts share to Shared.
func (d *DestinationTrace) factor() {
	var decided []*Step
	for i := range d.Steps {
		if d.Steps[i].Context != nil {
			decided = append(decided, &d.Steps[i])
		}
	}
	if len(decided) < 2 {
		return
	}
	d.Shared = policy.Context{}
	for k, v := range decided[0].Context {
		if !slices.ContainsFunc(decided[1:], func(s *Step) bool { w, ok := s.Context[k]; return !ok || !slices.Equal(v, w) }) {
			d.Shared[k] = v
		}
	}
	for _, s := range decided { // the maps belong to the decisions: leave them as they are
		own := make(policy.Context, len(s.Context)-len(d.Shared))
		for k, v := range s.Context {
			if _, ok := d.Shared[k]; !ok {
				own[k] = v
			}
		}
		s.Context = own
	}
}

// expand undoes factor.
func (d *DestinationTrace) expand() {
	for i := range d.Steps {
		if s := &d.Steps[i]; s.Principal != "" && d.Shared != nil {
			if s.Context == nil {
				s.Context = make(policy.Context, len(d.Shared))
			}
			maps.Copy(s.Context, d.Shared)
		}
	}
	d.Shared = nil
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
	StepAllowed = "allowed"
	StepDenied  = "denied"
	// StepNotEnforced is a denial that let the attempt go on, because enforcement is soft.
	StepNotEnforced = "denied but not enforced"
	StepThrottled   = "throttled"
	StepError       = "error"
	StepNotReached  = "not reached"
	StepNotNeeded   = "not needed"
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
	// AlsoFix is what else has to be added before the step is allowed.
	AlsoFix []Fix `json:"alsoFix,omitempty"`
	// Reason is the failureReason that the step alone would end a version with; a
	// preflight has it on every step that stands in the way.
	Reason string `json:"reason,omitempty"`
	// Foreseen is what a preflight says now of a step that was not reached: its outcome,
	// or the failureReason it would end with.
	Foreseen string `json:"foreseen,omitempty"`
}

// Fix is the smallest statement that would have allowed a denied step.
type Fix struct {
	Document  string          `json:"document"` // where to add it
	Statement json.RawMessage `json:"statement,omitempty"`
	Advice    string          `json:"advice,omitempty"` // when no statement helps
}
