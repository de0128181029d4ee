package lifecycle

import (
	"context"
	"slices"

	"twinbucket/store"
)

// classes are the storage classes from warm to cold: versions move only to the right (S185).
var classes = []string{"STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"}

// coldness is a class's place among classes; REDUCED_REDUNDANCY is as warm as STANDARD.
func coldness(class string) int { return max(slices.Index(classes, class), 0) }

// smallObject is the size below which objects don't move unless a rule asks for them (S185).
const smallObject = 128 << 10

// move is the coldest transition that is due.
type move struct {
	rule  *store.LifecycleRule
	class string
}

func (m *move) consider(rule *store.LifecycleRule, class string) {
	if m.rule == nil || coldness(class) > coldness(m.class) {
		m.rule, m.class = rule, class
	}
}

func (r *round) transition(ctx context.Context, v *store.Version, m move, current bool) error {
	if m.rule == nil || coldness(m.class) <= coldness(v.StorageClass) || r.tooSmall(v, m) {
		return nil
	}
	done, err := r.cfg.Store.Transition(ctx, v.Bucket, v.Key, v.ID, m.class, current)
	if err == nil && done {
		r.did(Action{Kind: Transitioned, Rule: m.rule.ID, Key: v.Key, VersionID: v.ID, Version: v, Class: m.class})
	}
	return err
}

// tooSmall: small objects stay where they are unless the rule selects by size, or the
// configuration lets them go to the archive classes.
func (r *round) tooSmall(v *store.Version, m move) bool {
	if v.Size >= smallObject || m.rule.GreaterThan != nil || m.rule.LessThan != nil {
		return false
	}
	archive := m.class == "GLACIER" || m.class == "DEEP_ARCHIVE"
	return !(archive && r.bucket.Lifecycle.MinimumSize == "varies_by_storage_class")
}
