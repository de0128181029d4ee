package cwapi

import (
	"slices"
	"time"

	"twinbucket/internal/failure"
)

type listMetricsInput struct {
	Namespace             string            `json:"Namespace"`
	MetricName            string            `json:"MetricName"`
	Dimensions            []dimensionFilter `json:"Dimensions"`
	NextToken             string            `json:"NextToken"`
	RecentlyActive        string            `json:"RecentlyActive"`
	IncludeLinkedAccounts *bool             `json:"IncludeLinkedAccounts"`
	OwningAccount         string            `json:"OwningAccount"`
}

// dimensionFilter takes any value of the dimension when Value is "".
type dimensionFilter struct {
	Name  string `json:"Name"`
	Value string `json:"Value"`
}

type listMetricsOutput struct {
	Metrics        []metric `json:"Metrics"`
	NextToken      string   `json:"NextToken,omitempty"`
	OwningAccounts []string `json:"OwningAccounts,omitempty"`
}

// metricsPage is how many metrics one answer lists (B16).
const metricsPage = 500

// listMetrics lists the series of the caller's account in the Region.
func (s *Service) listMetrics(c *call, in *listMetricsInput) (*listMetricsOutput, error) {
	if in.RecentlyActive != "" && in.RecentlyActive != "PT3H" {
		return nil, failure.New(invalidParameterValue, "The parameter RecentlyActive must be a value in the set [ PT3H ].")
	}
	at, err := parseToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &listMetricsOutput{Metrics: []metric{}}
	account := c.caller.Account()
	if in.OwningAccount != "" && in.OwningAccount != account {
		return out, nil // no account monitors another here
	}
	all := s.memory.list(account, c.region, func(r *record) bool { return in.takes(r, c.now) })
	if at > len(all) {
		at = len(all)
	}
	page := all[at:]
	if len(page) > metricsPage {
		page = page[:metricsPage]
		out.NextToken = newToken(at + metricsPage)
	}
	for _, series := range page {
		out.Metrics = append(out.Metrics, metric{series.Namespace, series.Name, series.Dimensions})
		if in.IncludeLinkedAccounts != nil && *in.IncludeLinkedAccounts {
			out.OwningAccounts = append(out.OwningAccounts, account)
		}
	}
	return out, nil
}

// takes reports whether a series passes the filters.
func (in *listMetricsInput) takes(r *record, now time.Time) bool {
	switch {
	case in.Namespace != "" && in.Namespace != r.series.Namespace,
		in.MetricName != "" && in.MetricName != r.series.Name,
		in.RecentlyActive != "" && now.Sub(r.written) > 3*time.Hour:
		return false
	}
	for _, f := range in.Dimensions {
		if !slices.ContainsFunc(r.series.Dimensions, func(d Dimension) bool {
			return d.Name == f.Name && (f.Value == "" || d.Value == f.Value)
		}) {
			return false
		}
	}
	return true
}
