package store

import (
	"cmp"
	"fmt"
	"strings"
)

// Match explains one rule's verdict on one version, in the words of explain.
type Match struct {
	Rule     ReplicationRule
	Selected bool
	Why      string // "prefix Tax and tag class=a match; highest priority (2) for tax-replica"
}

// Select applies c to a new version or marker v: enabled rules whose prefix and
// tags match, one winner per destination bucket (highest priority), which alone
// decides; SSE-KMS versions only where the winner opts in; markers by the rules of
// each schema version (D58 to D62). It returns a Match for every rule, in order. That
// the bucket has versioning Enabled is for the caller to know.
func (c *ReplicationConfiguration) Select(v *Version) []Match {
	matches := make([]Match, len(c.Rules))
	candidate := make([]bool, len(c.Rules))
	winners := make(map[string]int, 1) // destination bucket -> index
	for i := range c.Rules {
		r := &c.Rules[i]
		why, ok := r.matches(v)
		matches[i] = Match{Rule: *r, Why: why}
		if candidate[i] = ok; !ok {
			continue
		}
		if w, found := winners[r.Destination.Bucket]; !found || r.Priority > c.Rules[w].Priority {
			winners[r.Destination.Bucket] = i
		}
	}
	for i := range c.Rules {
		if !candidate[i] {
			continue
		}
		r, m := &c.Rules[i], &matches[i]
		if w := &c.Rules[winners[r.Destination.Bucket]]; w != r {
			m.Why = fmt.Sprintf("rule %s with priority %d wins for %s", w.ID, w.Priority, r.Destination.Bucket)
			continue
		}
		if why := r.excludes(v); why != "" {
			m.Why = why
			continue
		}
		m.Selected = true
		if r.V2 {
			m.Why += fmt.Sprintf("; highest priority (%d) for %s", r.Priority, r.Destination.Bucket)
		}
	}
	return matches
}

// matches reports whether an enabled rule's filter admits v, and why or why not.
func (r *ReplicationRule) matches(v *Version) (why string, ok bool) {
	if !r.Enabled {
		return "rule is Disabled", false
	}
	if !strings.HasPrefix(v.Key, r.Prefix) {
		return fmt.Sprintf("prefix %q does not match", r.Prefix), false
	}
	if len(r.Tags) == 0 {
		if r.Prefix == "" {
			return "the rule applies to all keys", true
		}
		return fmt.Sprintf("prefix %q matches", r.Prefix), true
	}
	if v.DeleteMarker {
		return "delete markers carry no tags and the rule filters by tag", false
	}
	var names []string
	for _, want := range r.Tags {
		got, found := tagValue(v.Tags, want.Key)
		if !found {
			return fmt.Sprintf("object has no tag %s, which the rule requires as %q", want.Key, want.Value), false
		}
		if got != want.Value {
			return fmt.Sprintf("tag %s is %q and the rule requires %q", want.Key, got, want.Value), false
		}
		names = append(names, want.Key+"="+want.Value)
	}
	text := "tag " + strings.Join(names, " and tag ")
	if r.Prefix != "" {
		text = fmt.Sprintf("prefix %q and %s match", r.Prefix, text)
	} else if len(names) > 1 {
		text += " match"
	} else {
		text += " matches"
	}
	return text, true
}

func tagValue(tags []Tag, key string) (value string, ok bool) {
	for _, t := range tags {
		if t.Key == key {
			return t.Value, true
		}
	}
	return "", false
}

// excludes says why the rule that decides does not replicate v, "" if it does.
func (r *ReplicationRule) excludes(v *Version) string {
	switch {
	case v.IsReplica:
		return "version is itself a replica; replicas are not replicated again"
	case v.DeleteMarker && r.V2 && r.DeleteMarkers != "Enabled":
		return "version is a delete marker and the rule's DeleteMarkerReplication is not Enabled"
	case v.DeleteMarker:
		return ""
	case v.StorageClass == "GLACIER" || v.StorageClass == "DEEP_ARCHIVE":
		return fmt.Sprintf("objects in storage class %s are not replicated", v.StorageClass)
	case v.Encryption.KMS() && r.SSEKMS != "Enabled":
		return "object is SSE-KMS and the rule " + cmp.Or(optInState(r.SSEKMS), "has no SseKmsEncryptedObjects")
	}
	return ""
}

func optInState(sseKMS string) string {
	if sseKMS == "" {
		return ""
	}
	return "has SseKmsEncryptedObjects " + sseKMS
}

// ruleFor finds the rule in force for a version that has a destination already: a
// retry or a change of metadata. It is the rule that would select the version now;
// failing that, because tags of the filter changed since, the rule that did, if it
// still is there for the destination, enabled, and its prefix matches (D57).
func (c *ReplicationConfiguration) ruleFor(v *Version, d *DestinationStatus) (ReplicationRule, bool) {
	own := *v
	own.IsReplica = false
	for _, m := range c.Select(&own) {
		if m.Selected && m.Rule.Destination.Bucket == d.Bucket {
			return m.Rule, !v.IsReplica || m.Rule.ReplicaModifications == "Enabled"
		}
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		if r.ID != d.RuleID || r.Destination.Bucket != d.Bucket || !r.Enabled || !strings.HasPrefix(v.Key, r.Prefix) {
			continue
		}
		if len(r.Tags) > 0 && !v.DeleteMarker && r.excludes(&own) == "" {
			return *r, !v.IsReplica || r.ReplicaModifications == "Enabled"
		}
	}
	return ReplicationRule{}, false
}

// addReturnPaths gives a replica the destinations that changes of it go to.
func (c *ReplicationConfiguration) addReturnPaths(v *Version) {
	own := *v
	own.IsReplica = false
	for _, m := range c.Select(&own) {
		if !m.Selected || m.Rule.ReplicaModifications != "Enabled" {
			continue
		}
		known := false
		for _, d := range v.Destinations {
			known = known || d.Bucket == m.Rule.Destination.Bucket
		}
		if !known {
			v.Destinations = append(v.Destinations, DestinationStatus{RuleID: m.Rule.ID, Bucket: m.Rule.Destination.Bucket, Status: Completed})
		}
	}
}
