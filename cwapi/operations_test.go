package cwapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// jsonCall sends one JSON request and decodes the answer, or returns the query error.
func (e *env) jsonCall(t *testing.T, operation, body string, out any) (code, message string) {
	t.Helper()
	status, header, got := e.send(t, "POST", "/", httpJSON(operation), body)
	if status != 200 {
		var f struct{ Message string }
		if err := json.Unmarshal([]byte(got), &f); err != nil {
			t.Fatal(err)
		}
		code, _, _ := strings.Cut(header.Get("X-Amzn-Query-Error"), ";")
		return code, f.Message
	}
	if err := json.Unmarshal([]byte(got), out); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	return "", ""
}

func TestFaults(t *testing.T) {
	e := newEnv(t)
	const times = `"StartTime":1772625600,"EndTime":1772629200,`
	const ok = `"Namespace":"N","MetricName":"M","Period":60,"Statistics":["Sum"]`
	query := func(q string) string { return `{` + times + `"MetricDataQueries":[` + q + `]}` }
	for _, tt := range []struct{ operation, body, code, message string }{
		{"GetMetricStatistics", `{` + times + `"MetricName":"M"}`, "MissingParameter", "The parameter Namespace is required."},
		{"GetMetricStatistics", `{` + times + `"Namespace":"N"}`, "MissingParameter", "The parameter MetricName is required."},
		{"GetMetricStatistics", `{` + times + `"Namespace":"N","MetricName":"M"}`, "MissingParameter", "The parameter Period is required."},
		{"GetMetricStatistics", `{` + times + `"Namespace":"N","MetricName":"M","Period":90}`, "InvalidParameterValue", "multiple of 60"},
		{"GetMetricStatistics", `{` + times + `"Namespace":"N","MetricName":"M","Period":0}`, "InvalidParameterValue", "multiple of 60"},
		{"GetMetricStatistics", `{` + times + `"Namespace":"N","MetricName":"M","Period":60}`, "MissingParameter", "Statistics or ExtendedStatistics"},
		{"GetMetricStatistics", `{` + times + ok + `,"ExtendedStatistics":["p9"]}`, "InvalidParameterCombination", "mutually exclusive"},
		{"GetMetricStatistics", `{` + times + `"Namespace":"N","MetricName":"M","Period":60,"Statistics":["Median"]}`, "InvalidParameterValue", "Statistics.member.1"},
		{"GetMetricStatistics", `{` + times + `"Namespace":"N","MetricName":"M","Period":60,"ExtendedStatistics":["p101"]}`, "InvalidParameterValue", "p101"},
		{"GetMetricStatistics", `{` + ok + `,"EndTime":1}`, "MissingParameter", "The parameter StartTime is required."},
		{"GetMetricStatistics", `{` + ok + `,"StartTime":1}`, "MissingParameter", "The parameter EndTime is required."},
		{"GetMetricStatistics", `{` + ok + `,"StartTime":1,"EndTime":1}`, "InvalidParameterValue", "The parameter StartTime must not equal parameter EndTime."},
		{"GetMetricStatistics", `{` + ok + `,"StartTime":2,"EndTime":1}`, "InvalidParameterValue", "must be less than"},
		{"GetMetricStatistics", `{` + ok + `,"StartTime":0,"EndTime":87060}`, "InvalidParameterCombination", "You have requested up to 1,451 datapoints, which exceeds the limit of 1,440."},
		{"GetMetricStatistics", `{` + ok + `,"StartTime":1e300,"EndTime":87060}`, "SerializationException", ""},
		{"GetMetricData", `{` + times + `"MetricDataQueries":[]}`, "MissingParameter", "MetricDataQueries"},
		{"GetMetricData", `{"StartTime":1,"EndTime":1,"MetricDataQueries":[{}]}`, "ValidationError", "must not equal"},
		{"GetMetricData", query(`{"Id":"A","MetricStat":{"Metric":{"Namespace":"N","MetricName":"M"},"Period":60,"Stat":"Sum"}}`), "ValidationError", "The value A for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."},
		{"GetMetricData", query(`{"Id":"a","Expression":"m1*2"}`), "ValidationError", "metric math and Metrics Insights are not supported by Twinbucket"},
		{"GetMetricData", query(`{"Id":"a"}`), "ValidationError", "MetricDataQueries.member.1.MetricStat is required"},
		{"GetMetricData", query(`{"Id":"a","MetricStat":{"Stat":"Sum"}}`), "ValidationError", "MetricStat.Period is required."},
		{"GetMetricData", `{` + times + `"ScanBy":"Random","MetricDataQueries":[{}]}`, "InvalidParameterValue", "ScanBy"},
		{"GetMetricData", `{` + times + `"MaxDatapoints":0,"MetricDataQueries":[{}]}`, "ValidationError", "MaxDatapoints"},
		{"GetMetricData", query(strings.TrimSuffix(strings.Repeat(`{},`, 501), ",")), "ValidationError", "500"},
		{"ListMetrics", `{"RecentlyActive":"PT4H"}`, "InvalidParameterValue", "PT3H"},
		{"ListMetrics", `{"NextToken":"what"}`, "InvalidNextToken", "NextToken"},
	} {
		code, message := e.jsonCall(t, tt.operation, tt.body, &struct{}{})
		if code != tt.code || !strings.Contains(message, tt.message) {
			t.Errorf("%s %.120s: %s %q, want %s with %q", tt.operation, tt.body, code, message, tt.code, tt.message)
		}
	}
	code, message := e.jsonCall(t, "GetMetricData", query(`{"Id":"a","MetricStat":{"Metric":{"Namespace":"N","MetricName":"M"},"Period":60,"Stat":"x"}},{"Id":"a"}`), nil)
	if code != "ValidationError" || strings.Count(message, "\n") != 2 || !strings.Contains(message, "not unique") {
		t.Errorf("several faults: %s %q", code, message)
	}
}

func TestPages(t *testing.T) {
	e := newEnv(t)
	const n = 7
	for i := range n {
		e.Record(failed("a"), noon.Add(time.Duration(i)*time.Minute), float64(i))
		e.Record(failed("b"), noon.Add(time.Duration(i)*time.Minute), float64(10+i))
	}
	rule := func(id, name string) string {
		return fmt.Sprintf(`{"Id":%q,"MetricStat":{"Period":60,"Stat":"Sum","Metric":{"Namespace":"AWS/S3","MetricName":"OperationsFailedReplication",
			"Dimensions":[{"Name":"RuleId","Value":%q},{"Name":"SourceBucket","Value":"src"},{"Name":"DestinationBucket","Value":"dst"}]}}}`, id, name)
	}
	token, got, pages := "", map[string][]float64{}, 0
	for {
		var out getMetricDataOutput
		body := fmt.Sprintf(`{"StartTime":%d,"EndTime":%d,"ScanBy":"TimestampAscending","MaxDatapoints":3,"NextToken":%q,"MetricDataQueries":[%s,%s]}`,
			noon.Unix(), noon.Add(time.Hour).Unix(), token, rule("a", "a"), rule("b", "b"))
		if code, message := e.jsonCall(t, "GetMetricData", body, &out); code != "" {
			t.Fatal(code, message)
		}
		for _, r := range out.MetricDataResults {
			got[r.ID] = append(got[r.ID], r.Values...)
		}
		pages++
		if token = out.NextToken; token == "" {
			break
		}
	}
	if pages != 5 || fmt.Sprint(got["a"]) != "[0 1 2 3 4 5 6]" || fmt.Sprint(got["b"]) != "[10 11 12 13 14 15 16]" {
		t.Errorf("%d pages: %v", pages, got)
	}
	for i := range metricsPage + 3 {
		e.Record(failed(fmt.Sprintf("r%04d", i)), noon.Add(-4*time.Hour), 0)
	}
	var first, second, active listMetricsOutput
	e.jsonCall(t, "ListMetrics", `{}`, &first)
	e.jsonCall(t, "ListMetrics", `{"NextToken":"`+first.NextToken+`"}`, &second)
	if len(first.Metrics) != metricsPage || len(second.Metrics) != 5 || second.NextToken != "" {
		t.Errorf("pages of %d and %d metrics", len(first.Metrics), len(second.Metrics))
	}
	e.jsonCall(t, "ListMetrics", `{"RecentlyActive":"PT3H"}`, &active)
	if len(active.Metrics) != 2 {
		t.Errorf("%d metrics recently active, want 2", len(active.Metrics))
	}
}
