package kmsapi

import "twinbucket/internal/failure"

// throttledText is what KMS says when a quota is used up (K71).
const throttledText = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."

// classed is an input whose algorithm or key spec decides which request quota it
// counts against, instead of its operation (K70).
type classed interface{ quota() string }

// alsoCharged is an input that counts against more quotas than its operation's own (K92).
type alsoCharged interface{ alsoCharges() []charge }

// charge is one request against a quota of a Region.
type charge struct{ region, quota string }

// charge counts the call against the request quotas of its caller, or refuses it (K72).
// When a later one of several quotas is used up, what the earlier ones counted stays.
func (s *Service) charge(c *call, in any) error {
	quota := c.op.quota
	if of, ok := in.(classed); ok {
		quota = of.quota()
	}
	allowed := s.cfg.Limits.Allow(c.now, "kms", c.caller.Account(), c.region, quota)
	if more, ok := in.(alsoCharged); ok && allowed {
		for _, also := range more.alsoCharges() {
			allowed = allowed && s.cfg.Limits.Allow(c.now, "kms", c.caller.Account(), also.region, also.quota)
		}
	}
	if !allowed {
		return failure.New(throttling, throttledText)
	}
	return nil
}
