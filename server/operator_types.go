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
	// TrailEvent is one record of the trail.
	TrailEvent = trail.Event
	// Limit is what PUT quotas takes.
	Limit = quota.Limit
)

// QuotaState is the answer of GET and PUT quotas.
type QuotaState struct {
	Limits []quota.Limit `json:"limits"`
	Usage  []quota.Usage `json:"usage"`
}

// InUse reports whether err says that another process holds the data directory.
func InUse(err error) bool {
	var e *boltkv.InUseError
	return errors.As(err, &e)
}
