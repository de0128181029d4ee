package replicator

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"twinbucket/store"
)

// Explain tells the story of one version; versionID "" is the current one.
// Errors are those of store.Store.Version.
func (r *Replicator) Explain(ctx context.Context, bucket, key, versionID string) (*Explanation, error) {
	b, err := r.cfg.Queue.Bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	v, err := r.cfg.Queue.Version(ctx, bucket, key, versionID)
	if err != nil {
		return nil, err
	}
	traces, err := r.cfg.Queue.Trace(ctx, bucket, key, v.ID)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Bucket: bucket, Key: key, VersionID: v.ID, Status: string(v.ReplicationStatus()), Size: v.Size, Encryption: encryption(v)}
	for _, d := range v.Destinations {
		t := DestinationTrace{RuleID: d.RuleID, Destination: d.Bucket, Attempts: []Attempt{}, Steps: []Step{}}
		if raw, ok := traces[d.Bucket]; ok {
			if err := json.Unmarshal(raw, &t); err != nil {
				return nil, fmt.Errorf("replicator: trace of %s/%s: %w", bucket, key, err)
			}
			t.expand()
		}
		// The version's own record is the authority on the status.
		t.Status, t.FailureReason = string(d.Status), d.Reason
		t.Rules = verdicts(b, v)
		if err := r.foreseeRest(ctx, b, v, &t); err != nil {
			return nil, err
		}
		e.Destinations = append(e.Destinations, t)
	}
	if len(e.Destinations) == 0 {
		e.Destinations = []DestinationTrace{}
		e.Rules, e.Note = verdicts(b, v), note(b, v)
	}
	return e, nil
}

// foreseeRest says of the steps that a failed attempt did not reach what a preflight says
// of them now, under the same rule as it stands now.
func (r *Replicator) foreseeRest(ctx context.Context, b *store.Bucket, v *store.Version, t *DestinationTrace) error {
	if t.Status != string(store.Failed) || b.Replication == nil || v.IsReplica {
		return nil
	}
	rule := slices.IndexFunc(b.Replication.Rules, func(r store.ReplicationRule) bool {
		return r.ID == t.RuleID && r.Destination.Bucket == t.Destination
	})
	if rule < 0 || !slices.ContainsFunc(t.Steps, func(s Step) bool { return s.Outcome == StepNotReached }) {
		return nil
	}
	p, err := r.foresee(ctx, b, v, b.Replication.Rules[rule])
	if err != nil {
		return err
	}
	for i := range t.Steps {
		s := &t.Steps[i]
		if s.Outcome != StepNotReached {
			continue
		}
		for _, f := range p.Steps {
			if f.Action == s.Action {
				s.Foreseen = cmp.Or(f.Reason, f.Outcome)
			}
		}
	}
	return nil
}

// verdicts asks the configuration now in force.
func verdicts(b *store.Bucket, v *store.Version) []RuleVerdict {
	if b.Replication == nil {
		return nil
	}
	var out []RuleVerdict
	for _, m := range b.Replication.Select(v) {
		out = append(out, RuleVerdict{RuleID: m.Rule.ID, Selected: m.Selected, Why: m.Why})
	}
	return out
}

// note says why a version has no replication status.
func note(b *store.Bucket, v *store.Version) string {
	switch {
	case v.IsReplica:
		return "this version is a replica: replicas are not replicated again"
	case b.Replication == nil:
		return "the bucket has no replication configuration"
	}
	for _, m := range b.Replication.Select(v) {
		if m.Selected {
			return "the rule would select it now, but the version was written before the rule was: existing versions are not replicated"
		}
	}
	return "no rule selected this version when it was written"
}

func encryption(v *store.Version) string {
	switch {
	case v.DeleteMarker:
		return ""
	case v.Encryption.KeyARN != "":
		return v.Encryption.Algorithm + " " + v.Encryption.KeyARN
	}
	return v.Encryption.Algorithm
}
