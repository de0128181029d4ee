package quotasapi

import (
	"slices"

	"twinbucket/internal/failure"
)

type getRequestedServiceQuotaChangeInput struct {
	RequestID *string `json:"RequestId"`
}

// getRequestedServiceQuotaChange implements GetRequestedServiceQuotaChange.
func (s *Service) getRequestedServiceQuotaChange(c *call, in *getRequestedServiceQuotaChangeInput) (*requestedQuotaOutput, error) {
	if err := required("RequestId", in.RequestID); err != nil {
		return nil, err
	}
	c.shown = map[string]any{"requestId": *in.RequestID}
	if err := s.authorize(c, "*"); err != nil {
		return nil, err
	}
	own := s.list(func(r *request) bool {
		return r.ID == *in.RequestID && r.Account == c.caller.Account() && r.Region == c.region
	})
	if len(own) == 0 {
		return nil, failure.New(noSuchResource, "The request failed because the specified quota increase request does not exist.")
	}
	return &requestedQuotaOutput{own[0].change()}, nil
}

type listHistoryInput struct {
	ServiceCode *string
	QuotaCode   *string
	Status      *string
	paging
}

type listHistoryOutput struct {
	RequestedQuotas []requestedChange
	next
}

// listRequestedServiceQuotaChangeHistory implements ListRequestedServiceQuotaChangeHistory:
// the account's requests in the Region, newest first.
func (s *Service) listRequestedServiceQuotaChangeHistory(c *call, in *listHistoryInput) (*listHistoryOutput, error) {
	if err := s.authorize(c, "*"); err != nil {
		return nil, err
	}
	in.QuotaCode = nil // not a member of this operation
	return s.history(c, in)
}

// listRequestedServiceQuotaChangeHistoryByQuota implements
// ListRequestedServiceQuotaChangeHistoryByQuota.
func (s *Service) listRequestedServiceQuotaChangeHistoryByQuota(c *call, in *listHistoryInput) (*listHistoryOutput, error) {
	if err := s.authorize(c, "*"); err != nil {
		return nil, err
	}
	if _, err := s.find(c, &quotaNamed{in.ServiceCode, in.QuotaCode}); err != nil {
		return nil, err
	}
	return s.history(c, in)
}

func (s *Service) history(c *call, in *listHistoryInput) (*listHistoryOutput, error) {
	fits := func(want *string, got string) bool { return want == nil || *want == got }
	all := s.list(func(r *request) bool {
		return r.Account == c.caller.Account() && r.Region == c.region && fits(in.ServiceCode, serviceCode) &&
			fits(in.QuotaCode, codeOf(r.Quota)) && fits(in.Status, r.Status)
	})
	slices.Reverse(all)
	requests, rest, err := page(in.paging, all)
	if err != nil {
		return nil, err
	}
	out := &listHistoryOutput{RequestedQuotas: []requestedChange{}, next: rest}
	for _, r := range requests {
		out.RequestedQuotas = append(out.RequestedQuotas, r.change())
	}
	return out, nil
}
