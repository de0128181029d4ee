package policy

import (
	"net/netip"
	"strings"
)

// IsPublic reports whether S3 calls a bucket policy public: some Allow gives a
// wildcard principal access without narrowing it to fixed values (P50).
// GetBucketPolicyStatus, BlockPublicPolicy and RestrictPublicBuckets use it.
func IsPublic(d *Document) bool { return d.public }

func isPublic(d *Document) bool {
	for _, s := range d.Statements {
		if s.isPublic() {
			return true
		}
	}
	return false
}

func (s *Statement) isPublic() bool {
	if s.Effect != Allow || !s.namesEveryone() {
		return false
	}
	for i := range s.Conditions {
		if s.Conditions[i].narrows() {
			return false
		}
	}
	return true
}

func (s *Statement) namesEveryone() bool {
	if s.NotPrincipal {
		return len(s.principal) > 0
	}
	for i := range s.principal {
		if s.principal[i].form == formEveryone {
			return true
		}
	}
	return false
}

// narrows reports whether a condition ties the statement to fixed values of one
// of the keys S3 trusts. Operators that also hold without the key don't.
func (c *Condition) narrows() bool {
	if c.op.negated || c.op.ifExists || c.op.set == forAllValues || len(c.Values) == 0 {
		return false
	}
	switch c.op.family {
	case stringFamily, stringFoldFamily, likeFamily, arnFamily, ipFamily:
	default:
		return false
	}
	for _, v := range c.Values {
		if !fixedFor(c.key, v.Text) {
			return false
		}
	}
	return true
}

func fixedFor(key, value string) bool {
	switch key {
	case "aws:sourceip":
		p, ok := parsePrefix(value)
		return ok && narrowPrefix(p)
	case "s3:dataaccesspointarn":
		// The access point's name may be a wildcard: its account is fixed before it.
		f, ok := arnFields(value)
		return ok && isAccountID(f[4]) && !strings.Contains(value, "${") && !hasWildcard(f[3])
	case "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
		"aws:userid", "aws:principalorgid", "aws:principalarn", "aws:principalaccount",
		"s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointaccount":
		return value != "" && !hasWildcard(value) && !strings.Contains(value, "${")
	}
	return false
}

// narrowPrefix: IPv4 blocks from /8 and IPv6 blocks from /32 count as narrow.
func narrowPrefix(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return p.Bits() >= 8
	}
	return p.Bits() >= 32
}
