package store

// Match explains one rule's verdict on one version, in the words of explain.
type Match struct {
	Rule     ReplicationRule
	Selected bool
	Why      string // "prefix Tax and tag class=a match; highest priority (2) for tax-replica"
}

// Select applies c to a new version or marker v: enabled rules whose prefix and
// tags match, one winner per destination bucket (highest priority), which alone
// decides; SSE-KMS versions only where the winner opts in; markers by the rules of
// each schema version. It returns a Match for every rule, in order.
func (c *ReplicationConfiguration) Select(v *Version) []Match { panic("store: not built") }
