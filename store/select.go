package store

import (
	"cmp"
	"fmt"
	"slices"
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
	winners := c.winners(v)
	matches := make([]Match, len(c.Rules))
	for i := range c.Rules {
		r, m := &c.Rules[i], &matches[i]
		m.Rule = *r
		match := r.match(v)
		if m.Why = r.why(v, match); match != matched {
			continue
		}
		if w := winners.of(c, r.Destination.Bucket); w != r {
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

// selected is Select without reasons: the rules that take v, in order.
func (c *ReplicationConfiguration) selected(v *Version) []*ReplicationRule {
	var out []*ReplicationRule
	for _, i := range c.winners(v) {
		if r := &c.Rules[i]; r.excludes(v) == "" {
			out = append(out, r)
		}
	}
	return out
}

// winners are the indexes of the rules that decide for one destination bucket each.
type winners []int

func (w winners) of(c *ReplicationConfiguration, bucket string) *ReplicationRule {
	for _, i := range w {
		if c.Rules[i].Destination.Bucket == bucket {
			return &c.Rules[i]
		}
	}
	return nil
}

// winners finds the rules with the highest priority among those that match, by
// destination bucket. Few match, so a list is quicker than a map.
func (c *ReplicationConfiguration) winners(v *Version) (w winners) {
next:
	for i := range c.Rules {
		r := &c.Rules[i]
		if r.match(v) != matched {
			continue
		}
		for j, k := range w {
			if other := &c.Rules[k]; other.Destination.Bucket == r.Destination.Bucket {
				if r.Priority > other.Priority {
					w[j] = i
				}
				continue next
			}
		}
		w = append(w, i)
	}
	slices.Sort(w)
	return w
}

// match is whether a rule's filter admits a version. From noTag on it is the number of
// the filter tag that does not agree.
type match int

const (
	matched match = iota
	disabled
	otherPrefix
	markerByTag
	noTag
)

func (r *ReplicationRule) match(v *Version) match {
	switch {
	case !r.Enabled:
		return disabled
	case !strings.HasPrefix(v.Key, r.Prefix):
		return otherPrefix
	case len(r.Tags) > 0 && v.DeleteMarker:
		return markerByTag
	}
	for i, want := range r.Tags {
		if got, found := tagValue(v.Tags, want.Key); !found || got != want.Value {
			return noTag + match(i)
		}
	}
	return matched
}

// why puts a match in words.
func (r *ReplicationRule) why(v *Version, m match) string {
	switch m {
	case matched:
		return r.whyMatched()
	case disabled:
		return "rule is Disabled"
	case otherPrefix:
		return fmt.Sprintf("prefix %q does not match", r.Prefix)
	case markerByTag:
		return "delete markers carry no tags and the rule filters by tag"
	}
	want := r.Tags[m-noTag]
	if got, found := tagValue(v.Tags, want.Key); found {
		return fmt.Sprintf("tag %s is %q and the rule requires %q", want.Key, got, want.Value)
	}
	return fmt.Sprintf("object has no tag %s, which the rule requires as %q", want.Key, want.Value)
}

func (r *ReplicationRule) whyMatched() string {
	if len(r.Tags) == 0 {
		if r.Prefix == "" {
			return "the rule applies to all keys"
		}
		return fmt.Sprintf("prefix %q matches", r.Prefix)
	}
	var names []string
	for _, t := range r.Tags {
		names = append(names, t.Key+"="+t.Value)
	}
	text := "tag " + strings.Join(names, " and tag ")
	switch {
	case r.Prefix != "":
		return fmt.Sprintf("prefix %q and %s match", r.Prefix, text)
	case len(names) > 1:
		return text + " match"
	}
	return text + " matches"
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
	for _, r := range c.selected(&own) {
		if r.Destination.Bucket == d.Bucket {
			return *r, !v.IsReplica || r.ReplicaModifications == "Enabled"
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
	for _, r := range c.selected(&own) {
		if r.ReplicaModifications != "Enabled" {
			continue
		}
		known := false
		for _, d := range v.Destinations {
			known = known || d.Bucket == r.Destination.Bucket
		}
		if !known {
			v.Destinations = append(v.Destinations, DestinationStatus{RuleID: r.ID, Bucket: r.Destination.Bucket, Status: Completed})
		}
	}
}
