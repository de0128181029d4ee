// Package trail keeps the last calls in memory, shaped like CloudTrail records:
// client calls and the calls that services make for somebody. Secrets, plaintext
// and ciphertext are never recorded.
package trail

import (
	"sync"
	"time"
)

// Identity is who called.
type Identity struct {
	Type        string `json:"type"` // Root, IAMUser, AssumedRole, FederatedUser, AWSService, Anonymous
	PrincipalID string `json:"principalId,omitempty"`
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	InvokedBy   string `json:"invokedBy,omitempty"`
}

// Resource is one thing the call acted on.
type Resource struct {
	ARN       string `json:"ARN"`
	AccountID string `json:"accountId,omitempty"`
	Type      string `json:"type,omitempty"`
}

// Authorization is one permission that a call was checked for. CloudTrail has no such
// list: it is how the least policy for a caller can be found.
type Authorization struct {
	Action   string `json:"action"`   // s3:PutObject
	Resource string `json:"resource"` // ARN, or * for actions without one
	Outcome  string `json:"outcome"`  // allowed, implicitDeny or explicitDeny
	// NotEnforced: denied and let through, because enforcement is soft.
	NotEnforced bool `json:"notEnforced,omitempty"`
}

// Event is one call.
type Event struct {
	EventID         string         `json:"eventID"`
	EventTime       time.Time      `json:"eventTime"`
	EventSource     string         `json:"eventSource"` // s3.amazonaws.com
	EventName       string         `json:"eventName"`
	AWSRegion       string         `json:"awsRegion,omitempty"`
	SourceIPAddress string         `json:"sourceIPAddress,omitempty"`
	UserAgent       string         `json:"userAgent,omitempty"`
	UserIdentity    Identity       `json:"userIdentity"`
	RequestID       string         `json:"requestID,omitempty"`
	Request         map[string]any `json:"requestParameters,omitempty"`
	Resources       []Resource     `json:"resources,omitempty"`
	// Authorizations lists what the call was checked for, calls that other services
	// made for it included; no permission twice, and at most 100.
	Authorizations []Authorization `json:"authorizations,omitempty"`
	ReadOnly       bool            `json:"readOnly"`
	ErrorCode      string          `json:"errorCode,omitempty"`
	ErrorMessage   string          `json:"errorMessage,omitempty"`
	HTTPStatus     int             `json:"httpStatus,omitempty"`
	Recipient      string          `json:"recipientAccountId,omitempty"`
}

// Trail is a bounded ring of events. The zero value keeps nothing; use New.
type Trail struct {
	mu    sync.Mutex
	ring  []Event
	next  int
	total uint64
}

// New returns a trail that keeps the last size events.
func New(size int) *Trail { return &Trail{ring: make([]Event, 0, size)} }

// Add records e. A nil Trail drops it.
func (t *Trail) Add(e Event) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if cap(t.ring) == 0 {
		return
	}
	t.total++
	if len(t.ring) < cap(t.ring) {
		t.ring = append(t.ring, e)
		return
	}
	t.ring[t.next] = e
	t.next = (t.next + 1) % len(t.ring)
}

// Events returns the kept events that match, oldest first, at most limit of the
// newest; limit <= 0 means all. A nil match takes every event.
func (t *Trail) Events(limit int, match func(*Event) bool) []Event {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Event
	for i := range t.ring {
		e := &t.ring[(t.next+i)%len(t.ring)]
		if match == nil || match(e) {
			out = append(out, *e)
		}
	}
	if limit > 0 && len(out) > limit {
		out = out[len(out)-limit:]
	}
	return out
}

// Total is the number of events ever recorded, kept or not.
func (t *Trail) Total() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// Reset forgets everything.
func (t *Trail) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ring, t.next, t.total = t.ring[:0], 0, 0
}

// Recorder takes one finished call: its event, how long it took, and the private
// cause when it failed inside. The server turns it into trail, metrics and log.
type Recorder func(e Event, took time.Duration, cause error)
