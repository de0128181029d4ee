package quotasapi

import (
	"encoding/hex"
	"io"

	"twinbucket/internal/failure"
)

type requestServiceQuotaIncreaseInput struct {
	quotaNamed
	DesiredValue *float64
	ContextID    *string `json:"ContextId"`
}

type requestedQuotaOutput struct {
	RequestedQuota requestedChange
}

const mostDesired = 10_000_000_000 // the largest value of the model

// requestServiceQuotaIncrease implements RequestServiceQuotaIncrease: one open request a
// quota, for more than there is (K101). It is granted after Config.GrantAfter.
func (s *Service) requestServiceQuotaIncrease(c *call, in *requestServiceQuotaIncreaseInput) (*requestedQuotaOutput, error) {
	e, notFound := s.find(c, &in.quotaNamed)
	resource := "*"
	if e != nil {
		resource = quotaARN(c.region, c.caller.Account(), e.code)
	}
	if err := s.authorize(c, resource); err != nil {
		return nil, err
	}
	switch {
	case notFound != nil:
		return nil, notFound
	case in.ContextID != nil:
		return nil, failure.New(illegalArgument, "The quotas of KMS apply to accounts, so there is no ContextId.")
	case in.DesiredValue == nil:
		return nil, failure.New(illegalArgument, "DesiredValue is required.")
	}
	c.shown["desiredValue"] = *in.DesiredValue
	if !(*in.DesiredValue >= 0 && *in.DesiredValue <= mostDesired) {
		return nil, failure.Newf(illegalArgument, "DesiredValue must be from 0 to %d.", mostDesired)
	}
	if *in.DesiredValue <= s.value(e, c.caller.Account(), c.region) {
		return nil, failure.New(illegalArgument, "You must provide a quota value greater than the current quota value")
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(s.cfg.Rand, id); err != nil {
		return nil, err
	}
	r := &request{
		ID: hex.EncodeToString(id), Account: c.caller.Account(), Region: c.region, Quota: e.quota, Desired: *in.DesiredValue,
		Requester: c.caller.Principal.ARN, Created: c.now, Grant: c.now.Add(s.cfg.GrantAfter), Status: statusPending,
	}
	s.write.Lock()
	defer s.write.Unlock()
	if open := s.list(func(o *request) bool { return o.Status == statusPending && o.sameQuota(r) }); len(open) > 0 {
		return nil, failure.New(alreadyExists, "Only one open service quota increase request is allowed per quota.")
	}
	if err := s.put(c.ctx, r); err != nil {
		return nil, err
	}
	s.nudge()
	return &requestedQuotaOutput{r.change()}, nil
}

func (r *request) sameQuota(o *request) bool {
	return r.Account == o.Account && r.Region == o.Region && r.Quota == o.Quota
}
