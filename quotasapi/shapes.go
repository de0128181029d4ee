package quotasapi

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// epoch is a point in time; JSON carries it as seconds since 1970 with milliseconds.
type epoch time.Time

// MarshalJSON writes the number.
func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, math.Round(float64(time.Time(e).UnixMicro())/1e3)/1e3, 'f', -1, 64), nil
}

// serviceQuota describes a quota (K99).
type serviceQuota struct {
	ServiceCode         string
	ServiceName         string
	QuotaArn            string
	QuotaCode           string
	QuotaName           string
	Value               float64
	Unit                string
	Adjustable          bool
	GlobalQuota         bool
	Period              period
	QuotaAppliedAtLevel string
}

type period struct {
	PeriodValue int
	PeriodUnit  string
}

// describe shows a quota as an account has it in a Region, or for no account as AWS
// gives it (K100): where nothing limits, AWS's default is what it would have.
func (s *Service) describe(e *entry, account, region string) serviceQuota {
	return serviceQuota{
		ServiceCode: serviceCode, ServiceName: serviceName, QuotaArn: quotaARN(region, account, e.code), QuotaCode: e.code, QuotaName: e.name,
		Value: s.value(e, account, region), Unit: "None", Adjustable: true, Period: period{1, "SECOND"}, QuotaAppliedAtLevel: "ACCOUNT",
	}
}

func (s *Service) value(e *entry, account, region string) float64 {
	if account != "" {
		if v, ok := s.cfg.Limits.Of(serviceCode, account, region, e.quota); ok {
			return v
		}
	}
	v, _ := s.cfg.Default(region, e.quota)
	return v
}

func quotaARN(region, account, code string) string {
	return arn.ARN{Partition: "aws", Service: "servicequotas", Region: region, Account: account, Resource: serviceCode + "/" + code}.String()
}

// quotaNamed are the members that name one quota.
type quotaNamed struct {
	ServiceCode *string
	QuotaCode   *string
}

// find gives the quota that the members name.
func (s *Service) find(c *call, in *quotaNamed) (*entry, error) {
	if err := required("ServiceCode", in.ServiceCode, "QuotaCode", in.QuotaCode); err != nil {
		return nil, err
	}
	c.shown = map[string]any{"serviceCode": *in.ServiceCode, "quotaCode": *in.QuotaCode}
	if *in.ServiceCode != serviceCode {
		return nil, errNoService()
	}
	for i := range s.quotas {
		if s.quotas[i].code == *in.QuotaCode {
			return &s.quotas[i], nil
		}
	}
	return nil, errNoQuota()
}

// required refuses a request that leaves a member out: name, value pairs.
func required(members ...any) error {
	for i := 0; i+1 < len(members); i += 2 {
		if v, ok := members[i+1].(*string); ok && (v == nil || *v == "") {
			return failure.Newf(illegalArgument, "%v is required.", members[i])
		}
	}
	return nil
}

// paging are the members of list operations (K99).
type paging struct {
	MaxResults *int
	NextToken  *string
}

type next struct {
	NextToken string `json:",omitempty"`
}

const maxResults = 100 // on a page, also when the request says nothing

// page cuts one page out of items, which are in order. A token holds how many came before.
func page[T any](p paging, items []T) ([]T, next, error) {
	limit := maxResults
	if p.MaxResults != nil {
		if limit = *p.MaxResults; limit < 1 || limit > maxResults {
			return nil, next{}, failure.Newf(illegalArgument, "MaxResults must be from 1 to %d.", maxResults)
		}
	}
	start := 0
	if p.NextToken != nil {
		b, err := base64.RawURLEncoding.DecodeString(*p.NextToken)
		text, ok := strings.CutPrefix(string(b), "after:")
		if n, perr := strconv.Atoi(text); err == nil && perr == nil && ok && n >= 0 {
			start = min(n, len(items))
		} else {
			return nil, next{}, failure.New(badToken, "The pagination token is not valid.")
		}
	}
	end := min(start+limit, len(items))
	if end == len(items) {
		return items[start:], next{}, nil
	}
	return items[start:end], next{base64.RawURLEncoding.EncodeToString([]byte("after:" + strconv.Itoa(end)))}, nil
}

// requestedChange describes a request for an increase (K102).
type requestedChange struct {
	ID                    string `json:"Id"`
	ServiceCode           string
	ServiceName           string
	QuotaCode             string
	QuotaName             string
	DesiredValue          float64
	Status                string
	Created               epoch
	LastUpdated           epoch
	Requester             string
	QuotaArn              string
	GlobalQuota           bool
	Unit                  string
	QuotaRequestedAtLevel string
}

func (r *request) change() requestedChange {
	code := codeOf(r.Quota)
	updated := r.Created
	if r.Status == statusApproved {
		updated = r.Grant
	}
	requester, err := json.Marshal(map[string]string{"accountId": r.Account, "callerArn": r.Requester})
	if err != nil {
		panic("quotasapi: " + err.Error()) // strings always encode
	}
	return requestedChange{
		ID: r.ID, ServiceCode: serviceCode, ServiceName: serviceName, QuotaCode: code, QuotaName: nameOf(r.Quota),
		DesiredValue: r.Desired, Status: r.Status, Created: epoch(r.Created), LastUpdated: epoch(updated), Requester: string(requester),
		QuotaArn: quotaARN(r.Region, r.Account, code), Unit: "None", QuotaRequestedAtLevel: "ACCOUNT",
	}
}
