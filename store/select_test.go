package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSelect(t *testing.T) {
	with := func(r ReplicationRule, change func(*ReplicationRule)) ReplicationRule { change(&r); return r }
	tagged := func(r ReplicationRule, tags ...Tag) ReplicationRule { r.Tags = tags; return r }
	v1 := ReplicationRule{ID: "v1", Enabled: true, Prefix: "Tax", Destination: Destination{Bucket: "dst"}}
	kms := Version{Key: "Tax/1", Encryption: Encryption{Algorithm: "aws:kms"}}
	marker := Version{Key: "Tax/1", DeleteMarker: true}
	for _, tc := range []struct {
		name  string
		v     Version
		rules []ReplicationRule
		want  []string // Why, with a + before it if selected
	}{
		// D58
		{"V1 prefix", Version{Key: "Tax/1"}, []ReplicationRule{v1}, []string{`+prefix "Tax" matches`}},
		{"V1 other prefix", Version{Key: "tax/1"}, []ReplicationRule{v1}, []string{`prefix "Tax" does not match`}},
		{"V2 all keys", Version{Key: "x"}, []ReplicationRule{rule("r", "", "dst", 1)}, []string{"+the rule applies to all keys; highest priority (1) for dst"}},
		{"disabled", Version{Key: "Tax/1"}, []ReplicationRule{with(v1, func(r *ReplicationRule) { r.Enabled = false })}, []string{"rule is Disabled"}},
		// D59
		{"tags", Version{Key: "Tax/1", Tags: []Tag{{"a", "1"}, {"b", "2"}, {"c", "3"}}},
			[]ReplicationRule{
				tagged(rule("r1", "Tax", "d1", 1), Tag{"a", "1"}),
				tagged(rule("r2", "", "d2", 1), Tag{"a", "1"}, Tag{"b", "2"}),
				tagged(rule("r3", "", "d3", 1), Tag{"a", "2"}),
				tagged(rule("r4", "", "d4", 1), Tag{"z", "1"}),
				tagged(rule("r5", "", "d5", 1), Tag{"c", "3"}),
			},
			[]string{
				`+prefix "Tax" and tag a=1 match; highest priority (1) for d1`,
				"+tag a=1 and tag b=2 match; highest priority (1) for d2",
				`tag a is "1" and the rule requires "2"`,
				`object has no tag z, which the rule requires as "1"`,
				"+tag c=3 matches; highest priority (1) for d5",
			}},
		// D60
		{"priority", Version{Key: "Tax/1"},
			[]ReplicationRule{rule("low", "Tax", "dst", 1), rule("high", "", "dst", 2), rule("elsewhere", "", "other", 0)},
			[]string{"rule high with priority 2 wins for dst", "+the rule applies to all keys; highest priority (2) for dst", "+the rule applies to all keys; highest priority (0) for other"}},
		{"a higher priority that does not match", Version{Key: "Tax/1"},
			[]ReplicationRule{rule("low", "Tax", "dst", 1), rule("high", "Other", "dst", 2)},
			[]string{`+prefix "Tax" matches; highest priority (1) for dst`, `prefix "Other" does not match`}},
		// D61
		{"KMS without opt-in", kms, []ReplicationRule{v1}, []string{"object is SSE-KMS and the rule has no SseKmsEncryptedObjects"}},
		{"KMS with opt-out", kms, []ReplicationRule{with(v1, func(r *ReplicationRule) { r.SSEKMS = "Disabled" })}, []string{"object is SSE-KMS and the rule has SseKmsEncryptedObjects Disabled"}},
		{"KMS with opt-in", kms, []ReplicationRule{with(v1, func(r *ReplicationRule) { r.SSEKMS = "Enabled" })}, []string{`+prefix "Tax" matches`}},
		{"KMS, the winner decides alone", kms,
			[]ReplicationRule{with(rule("low", "", "dst", 1), func(r *ReplicationRule) { r.SSEKMS = "Enabled" }), rule("high", "", "dst", 2)},
			[]string{"rule high with priority 2 wins for dst", "object is SSE-KMS and the rule has no SseKmsEncryptedObjects"}},
		// D62
		{"marker V1", marker, []ReplicationRule{v1}, []string{`+prefix "Tax" matches`}},
		{"marker V2", marker, []ReplicationRule{rule("r", "", "dst", 1)}, []string{"version is a delete marker and the rule's DeleteMarkerReplication is not Enabled"}},
		{"marker V2 with opt-in", marker,
			[]ReplicationRule{with(rule("r", "", "dst", 1), func(r *ReplicationRule) { r.DeleteMarkers = "Enabled" })},
			[]string{"+the rule applies to all keys; highest priority (1) for dst"}},
		{"marker and tag rule", marker,
			[]ReplicationRule{with(tagged(rule("r", "", "dst", 1), Tag{"a", "1"}), func(r *ReplicationRule) { r.DeleteMarkers = "Enabled" })},
			[]string{"delete markers carry no tags and the rule filters by tag"}},
		{"replica", Version{Key: "Tax/1", IsReplica: true}, []ReplicationRule{v1}, []string{"version is itself a replica; replicas are not replicated again"}},
		{"GLACIER", Version{Key: "Tax/1", StorageClass: "GLACIER"}, []ReplicationRule{v1}, []string{"objects in storage class GLACIER are not replicated"}},
		{"DEEP_ARCHIVE", Version{Key: "Tax/1", StorageClass: "DEEP_ARCHIVE"}, []ReplicationRule{v1}, []string{"objects in storage class DEEP_ARCHIVE are not replicated"}},
		{"GLACIER_IR", Version{Key: "Tax/1", StorageClass: "GLACIER_IR"}, []ReplicationRule{v1}, []string{`+prefix "Tax" matches`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for i, m := range replication(tc.rules...).Select(&tc.v) {
				if d := cmp.Diff(m.Rule, tc.rules[i]); d != "" {
					t.Error(d)
				}
				if m.Selected {
					m.Why = "+" + m.Why
				}
				got = append(got, m.Why)
			}
			if d := cmp.Diff(got, tc.want); d != "" {
				t.Error(d)
			}
		})
	}
}

// The quick way that writes take and the one that explains agree.
func TestSelectedIsSelect(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	some := func(of ...string) string { return of[rng.IntN(len(of))] }
	hits := 0
	for range 5000 {
		c := &ReplicationConfiguration{}
		for i := range 1 + rng.IntN(5) {
			r := ReplicationRule{ID: fmt.Sprint(i), V2: rng.IntN(4) > 0, Priority: rng.IntN(3), Enabled: rng.IntN(5) > 0, Prefix: some("", "a", "ab", "b"),
				SSEKMS: some("", "Enabled", "Disabled"), DeleteMarkers: some("Enabled", "Disabled"), Destination: Destination{Bucket: some("x", "y")}}
			if rng.IntN(3) == 0 {
				r.Tags = []Tag{{"k", some("1", "2")}}
			}
			c.Rules = append(c.Rules, r)
		}
		v := &Version{Key: some("a", "abc", "b"), Tags: []Tag{{"k", some("1", "2")}}, DeleteMarker: rng.IntN(4) == 0, IsReplica: rng.IntN(6) == 0,
			StorageClass: some("", "", "GLACIER"), Encryption: Encryption{Algorithm: some("AES256", "aws:kms")}}
		var want, got []string
		for _, m := range c.Select(v) {
			if m.Selected {
				want = append(want, m.Rule.ID)
			}
			if m.Why == "" {
				t.Errorf("no reason for %+v of %+v", m.Rule, v)
			}
		}
		for _, r := range c.selected(v) {
			got = append(got, r.ID)
		}
		if hits += len(want); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v of %+v for %+v", got, want, c.Rules, v)
		}
	}
	if hits < 1000 {
		t.Errorf("only %d rules were selected", hits)
	}
}
