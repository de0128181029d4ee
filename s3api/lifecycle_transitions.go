package s3api

import (
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// leastDays is how long objects must have been stored before they may move to a class (S183).
func leastDays(class string) int {
	if class == "STANDARD_IA" || class == "ONEZONE_IA" {
		return 30
	}
	return 0
}

// selectionText names what a rule selects, for error messages.
func selectionText(r *store.LifecycleRule) string {
	if r.FilterForm == "" || r.FilterForm == "Prefix" {
		return "prefix '" + r.Prefix + "'"
	}
	return "filter '(prefix=" + r.Prefix + ")'"
}

// checkTransitions holds the transitions of current versions against each other and
// against the expiration (S183).
func checkTransitions(r *store.LifecycleRule) error {
	seen := map[string]bool{}
	for _, t := range r.Transitions {
		if seen[t.Class] {
			return failure.Newf("InvalidRequest", "'StorageClass' must be different for 'Transition' actions in same 'Rule' with %s", selectionText(r))
		}
		seen[t.Class] = true
		if t.Days == nil {
			if r.Expiration != nil && !r.Expiration.Date.IsZero() && !r.Expiration.Date.After(t.Date) {
				return failure.Newf("InvalidArgument", "'Date' in the Expiration action for %s must be later than 'Date' in the Transition action", selectionText(r))
			}
			continue
		}
		switch n := *t.Days; {
		case n < 0:
			return failure.New("InvalidArgument", "'Days' in the Transition action must be nonnegative")
		case n < leastDays(t.Class):
			return failure.Newf("InvalidArgument", "'Days' in Transition action must be greater than or equal to %d for storageClass '%s'", leastDays(t.Class), t.Class)
		case r.Expiration != nil && r.Expiration.Days > 0 && r.Expiration.Days <= n:
			return failure.Newf("InvalidArgument", "'Days' in the Expiration action for %s must be greater than 'Days' in the Transition action", selectionText(r))
		}
	}
	return nil
}

// checkNoncurrentTransitions does the same for noncurrent versions.
func checkNoncurrentTransitions(r *store.LifecycleRule) error {
	seen := map[string]bool{}
	for _, t := range r.NoncurrentTransitions {
		if seen[t.Class] {
			return failure.Newf("InvalidRequest", "'StorageClass' must be different for 'NoncurrentVersionTransition' actions in same 'Rule' with %s", selectionText(r))
		}
		seen[t.Class] = true
		if err := checkNewer(t.Newer, "NoncurrentVersionTransition"); err != nil {
			return err
		}
		switch {
		case t.Days < 0:
			return failure.New("InvalidArgument", "'NoncurrentDays' in the NoncurrentVersionTransition action must be nonnegative")
		case t.Days < leastDays(t.Class):
			return failure.Newf("InvalidArgument", "'NoncurrentDays' in NoncurrentVersionTransition action must be greater than or equal to %d for storageClass '%s'", leastDays(t.Class), t.Class)
		case r.Noncurrent != nil && r.Noncurrent.Days <= t.Days:
			return failure.Newf("InvalidArgument", "'NoncurrentDays' in the NoncurrentVersionExpiration action for %s must be greater than 'NoncurrentDays' in the NoncurrentVersionTransition action", selectionText(r))
		}
	}
	return nil
}
