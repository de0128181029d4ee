package cwapi

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"twinbucket/internal/failure"
)

type getMetricDataInput struct {
	MetricDataQueries []metricDataQuery `json:"MetricDataQueries"`
	StartTime         *timestamp        `json:"StartTime"`
	EndTime           *timestamp        `json:"EndTime"`
	NextToken         string            `json:"NextToken"`
	ScanBy            string            `json:"ScanBy"`
	MaxDatapoints     *int32            `json:"MaxDatapoints"`
	LabelOptions      *labelOptions     `json:"LabelOptions"`
}

type metricDataQuery struct {
	ID         string      `json:"Id"`
	MetricStat *metricStat `json:"MetricStat"`
	Expression string      `json:"Expression"`
	Label      string      `json:"Label"`
	ReturnData *bool       `json:"ReturnData"`
	Period     *int32      `json:"Period"`
	AccountID  string      `json:"AccountId"`
}

type metricStat struct {
	Metric *metric `json:"Metric"`
	Period *int32  `json:"Period"`
	Stat   string  `json:"Stat"`
	Unit   string  `json:"Unit"`
}

type metric struct {
	Namespace  string      `json:"Namespace"`
	MetricName string      `json:"MetricName"`
	Dimensions []Dimension `json:"Dimensions"`
}

type labelOptions struct {
	Timezone string `json:"Timezone"`
}

type getMetricDataOutput struct {
	MetricDataResults []metricDataResult `json:"MetricDataResults"`
	NextToken         string             `json:"NextToken,omitempty"`
	Messages          []messageData      `json:"Messages"`
}

type metricDataResult struct {
	ID         string        `json:"Id"`
	Label      string        `json:"Label"`
	Timestamps []timestamp   `json:"Timestamps"`
	Values     []float64     `json:"Values"`
	StatusCode string        `json:"StatusCode"`
	Messages   []messageData `json:"Messages,omitempty"`
}

type messageData struct {
	Code  string `json:"Code"`
	Value string `json:"Value"`
}

// maxDataPoints is how many datapoints one answer of GetMetricData has at most (B14).
const maxDataPoints = 100_800

// getMetricData answers for up to 500 series. With more datapoints than MaxDatapoints
// the answer ends with a token; a result that goes on says PartialData (B14).
func (s *Service) getMetricData(c *call, in *getMetricDataInput) (*getMetricDataOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	room := maxDataPoints
	if in.MaxDatapoints != nil {
		room = int(*in.MaxDatapoints)
	}
	skip, err := parseToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	begun := skip
	out := &getMetricDataOutput{MetricDataResults: []metricDataResult{}, Messages: []messageData{}}
	for i := range in.MetricDataQueries {
		q := &in.MetricDataQueries[i]
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		r, err := s.metricData(c, in, q)
		if err != nil {
			return nil, err
		}
		n := len(r.Values)
		if skip > 0 && skip >= n { // told in an answer before
			skip -= n
			continue
		}
		r.Timestamps, r.Values = r.Timestamps[skip:], r.Values[skip:]
		skip = 0
		if len(r.Values) > room {
			r.StatusCode = "PartialData"
			r.Timestamps, r.Values = r.Timestamps[:room], r.Values[:room]
			out.NextToken = newToken(begun + in.room())
		}
		room -= len(r.Values)
		out.MetricDataResults = append(out.MetricDataResults, r)
		if out.NextToken != "" {
			break
		}
	}
	return out, nil
}

func (in *getMetricDataInput) room() int {
	if in.MaxDatapoints != nil {
		return int(*in.MaxDatapoints)
	}
	return maxDataPoints
}

// metricData is one result with all its datapoints.
func (s *Service) metricData(c *call, in *getMetricDataInput, q *metricDataQuery) (metricDataResult, error) {
	m := q.MetricStat
	w, err := newWindow(in.StartTime, in.EndTime, *m.Period, validationError)
	if err != nil {
		return metricDataResult{}, err
	}
	r := metricDataResult{ID: q.ID, Label: q.Label, StatusCode: "Complete", Timestamps: []timestamp{}, Values: []float64{}}
	if r.Label == "" {
		r.Label = m.Metric.MetricName
	}
	account := c.caller.Account()
	if q.AccountID != "" && q.AccountID != account {
		return r, nil // no account monitors another here
	}
	st, _ := anyStatistic(m.Stat) // checked
	periods := s.memory.periods(Series{account, c.region, m.Metric.Namespace, m.Metric.MetricName, m.Unit, m.Metric.Dimensions}, w)
	if in.ScanBy != "TimestampAscending" {
		slices.Reverse(periods)
	}
	for _, p := range periods {
		if v, ok := st.of(p); ok {
			r.Timestamps, r.Values = append(r.Timestamps, timestamp(p.start)), append(r.Values, v)
		}
	}
	return r, nil
}

// queryID is what names a query (B15).
var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// maxQueries is how many queries one call takes.
const maxQueries = 500

// check reports everything that is wrong with the queries, a line for each (B15).
func (in *getMetricDataInput) check() error {
	switch {
	case len(in.MetricDataQueries) == 0:
		return failure.New(missingParameter, "The parameter MetricDataQueries is required.")
	case len(in.MetricDataQueries) > maxQueries:
		return failure.Newf(validationError, "The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	case in.ScanBy != "" && in.ScanBy != "TimestampAscending" && in.ScanBy != "TimestampDescending":
		return failure.New(invalidParameterValue, "The parameter ScanBy must be a value in the set [ TimestampDescending, TimestampAscending ].")
	case in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > maxDataPoints):
		return failure.Newf(validationError, "The parameter MaxDatapoints must be between 1 and %d.", maxDataPoints)
	}
	if _, err := newWindow(in.StartTime, in.EndTime, 60, validationError); err != nil {
		return err
	}
	var wrong []string
	seen := map[string]bool{}
	for i := range in.MetricDataQueries {
		q := &in.MetricDataQueries[i]
		wrong = append(wrong, q.faults(fmt.Sprintf("MetricDataQueries.member.%d", i+1))...)
		if seen[q.ID] {
			wrong = append(wrong, "The values for parameter id in MetricDataQueries are not unique.")
		}
		seen[q.ID] = true
	}
	if len(wrong) > 0 {
		return failure.New(validationError, strings.Join(wrong, "\n"))
	}
	return nil
}

func (q *metricDataQuery) faults(at string) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	switch {
	case q.ID == "":
		add("The parameter %s.Id is required.", at)
	case !queryID.MatchString(q.ID):
		add("The value %s for parameter %s.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", q.ID, at)
	}
	m := q.MetricStat
	switch {
	case q.Expression != "":
		add("%s has an Expression: metric math and Metrics Insights are not supported by Twinbucket.", at)
		return wrong
	case m == nil:
		add("The parameter %s.MetricStat is required.", at)
		return wrong
	}
	if m.Metric == nil || m.Metric.Namespace == "" || m.Metric.MetricName == "" {
		add("The parameter %s.MetricStat.Metric needs Namespace and MetricName.", at)
	}
	switch {
	case m.Period == nil:
		add("The parameter %s.MetricStat.Period is required.", at)
	case !validPeriod(*m.Period):
		add("The value %d for parameter %s.MetricStat.Period is not a multiple of 60.", *m.Period, at)
	}
	if _, ok := anyStatistic(m.Stat); !ok {
		add("The value %s for parameter %s.MetricStat.Stat is not a valid statistic.", m.Stat, at)
	}
	return wrong
}

// A token is how many items earlier answers told.
func newToken(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(n)))
}

func parseToken(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		var n int
		if n, err = strconv.Atoi(string(b)); err == nil && n > 0 {
			return n, nil
		}
	}
	return 0, failure.New(invalidNextToken, "The value of NextToken is not one that this operation returned.")
}
