package cwapi

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"twinbucket/internal/failure"
)

// statistic is one number of a period.
type statistic struct {
	name string
	of   func(summary) (value float64, ok bool)
}

// plainStatistics are those that Statistics takes, in the order of the API.
var plainStatistics = [...]statistic{
	{"SampleCount", func(s summary) (float64, bool) { return s.count, true }},
	{"Average", func(s summary) (float64, bool) { return s.sum / s.count, true }},
	{"Sum", func(s summary) (float64, bool) { return s.sum, true }},
	{"Minimum", func(s summary) (float64, bool) { return s.min, true }},
	{"Maximum", func(s summary) (float64, bool) { return s.max, true }},
}

func plainStatistic(name string) (statistic, bool) {
	for _, st := range plainStatistics {
		if st.name == name {
			return st, true
		}
	}
	return statistic{}, false
}

// extended matches percentiles and trimmed statistics (B13).
var extended = regexp.MustCompile(`^(?:(?i:p|tm|wm|tc|ts)([0-9]{1,3}(?:\.[0-9]{1,10})?)|IQM|(?i:PR|TM|WM|TC|TS)\([0-9.%]*:[0-9.%]*\))$`)

// extendedStatistic reads a statistic that needs the distribution of the measurements.
// Only their summary is kept, so a period has one only where all its measurements are
// equal, which is CloudWatch's rule for summaries (B13).
func extendedStatistic(name string) (statistic, bool) {
	m := extended.FindStringSubmatch(name)
	if m == nil {
		return statistic{}, false
	}
	if m[1] != "" {
		if p, err := strconv.ParseFloat(m[1], 64); err != nil || p > 100 {
			return statistic{}, false
		}
	}
	value := strings.HasPrefix(strings.ToLower(name), "p") && m[1] != "" || name == "IQM" ||
		m[1] != "" && (strings.HasPrefix(strings.ToLower(name), "tm") || strings.HasPrefix(strings.ToLower(name), "wm"))
	return statistic{name, func(s summary) (float64, bool) {
		return s.min, value && s.min == s.max
	}}, true
}

// anyStatistic reads what GetMetricData's Stat takes.
func anyStatistic(name string) (statistic, bool) {
	if st, ok := plainStatistic(name); ok {
		return st, true
	}
	return extendedStatistic(name)
}

// validPeriod reports whether a period of so many seconds exists (B11).
func validPeriod(seconds int32) bool {
	switch seconds {
	case 1, 5, 10, 20, 30:
		return true
	}
	return seconds > 0 && seconds%60 == 0
}

// newWindow rounds the start down to the minute (B12); code is what bad times give.
func newWindow(start, end *timestamp, seconds int32, code failure.Code) (window, error) {
	switch {
	case start == nil:
		return window{}, failure.New(missingParameter, "The parameter StartTime is required.")
	case end == nil:
		return window{}, failure.New(missingParameter, "The parameter EndTime is required.")
	}
	from, to := start.time(), end.time()
	switch {
	case from.Equal(to):
		return window{}, failure.New(code, "The parameter StartTime must not equal parameter EndTime.")
	case from.After(to):
		return window{}, failure.New(code, "The parameter StartTime must be less than the parameter EndTime.")
	}
	return window{start: from.Truncate(Resolution), end: to, period: time.Duration(seconds) * time.Second}, nil
}
