package server

import (
	"errors"

	"twinbucket/internal/quota"
	"twinbucket/internal/trail"
	"twinbucket/replicator"
	"twinbucket/store/kv/boltkv"
)

// What the operator API answers, for clients written in Go.
type (
	// Explanation is the answer of replication/explain.
	Explanation = replicator.Explanation
	// DestinationTrace is an Explanation's part for one destination.
	DestinationTrace = replicator.DestinationTrace
	// ExplainStep is one step of a DestinationTrace.
	ExplainStep = replicator.Step
	// Preflight is the answer of replication/preflight.
	Preflight = replicator.Preflight
	// Prospect is a Preflight's part for one destination.
	Prospect = replicator.Prospect
	// Fix is a statement to add, and where.
	Fix = replicator.Fix
	// TrailEvent is one record of the trail.
	TrailEvent = trail.Event
	// Limit is what PUT quotas takes.
	Limit = quota.Limit
)

// QuotaState is the answer of GET, PUT and DELETE quotas. Profile is what applies where
// Limits say nothing.
type QuotaState struct {
	Profile string        `json:"profile"`
	Limits  []quota.Limit `json:"limits"`
	Usage   []quota.Usage `json:"usage"`
}

// Unwritable reports whether err says that the data directory cannot be made or written.
func Unwritable(err error) bool {
	var e *boltkv.UnwritableError
	return errors.As(err, &e)
}

// FailureReasons lists the failureReasons that explanations and preflights use, sorted.
func FailureReasons() []string { return replicator.FailureReasons() }

// InUse reports whether err says that another process holds the data directory.
func InUse(err error) bool {
	var e *boltkv.InUseError
	return errors.As(err, &e)
}
