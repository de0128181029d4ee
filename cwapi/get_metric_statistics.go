package cwapi

import (
	"strconv"

	"twinbucket/internal/failure"
)

type getMetricStatisticsInput struct {
	Namespace          string      `json:"Namespace"`
	MetricName         string      `json:"MetricName"`
	Dimensions         []Dimension `json:"Dimensions"`
	StartTime          *timestamp  `json:"StartTime"`
	EndTime            *timestamp  `json:"EndTime"`
	Period             *int32      `json:"Period"`
	Statistics         []string    `json:"Statistics"`
	ExtendedStatistics []string    `json:"ExtendedStatistics"`
	Unit               string      `json:"Unit"`
}

type getMetricStatisticsOutput struct {
	Datapoints []datapoint `json:"Datapoints"`
	Label      string      `json:"Label"`
}

type datapoint struct {
	Timestamp          timestamp          `json:"Timestamp"`
	SampleCount        *float64           `json:"SampleCount,omitempty"`
	Average            *float64           `json:"Average,omitempty"`
	Sum                *float64           `json:"Sum,omitempty"`
	Minimum            *float64           `json:"Minimum,omitempty"`
	Maximum            *float64           `json:"Maximum,omitempty"`
	Unit               string             `json:"Unit"`
	ExtendedStatistics map[string]float64 `json:"ExtendedStatistics,omitempty"`
}

// maxStatisticPoints is how many datapoints one call may ask for (B12).
const maxStatisticPoints = 1440

// getMetricStatistics answers for one series; its datapoints have no promised order, and
// come oldest first here.
func (s *Service) getMetricStatistics(c *call, in *getMetricStatisticsInput) (*getMetricStatisticsOutput, error) {
	stats, err := in.statistics()
	if err != nil {
		return nil, err
	}
	w, err := newWindow(in.StartTime, in.EndTime, *in.Period, invalidParameterValue)
	if err != nil {
		return nil, err
	}
	if n := (w.end.Sub(w.start) + w.period - 1) / w.period; n > maxStatisticPoints {
		return nil, failure.Newf(invalidParameterCombination, "You have requested up to %s datapoints, which exceeds the limit of 1,440. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range.", thousands(int64(n)))
	}
	series := Series{c.caller.Account(), c.region, in.Namespace, in.MetricName, in.Unit, in.Dimensions}
	unit := in.Unit
	if unit == "" {
		unit = s.memory.unitOf(series)
	}
	out := &getMetricStatisticsOutput{Label: in.MetricName, Datapoints: []datapoint{}}
	for _, p := range s.memory.periods(series, w) {
		d := datapoint{Timestamp: timestamp(p.start), Unit: unit}
		known := false
		for _, st := range stats {
			known = d.set(st, p) || known
		}
		if known {
			out.Datapoints = append(out.Datapoints, d)
		}
	}
	return out, nil
}

// statistics checks the parameters and returns what is asked for.
func (in *getMetricStatisticsInput) statistics() ([]statistic, error) {
	switch {
	case in.Namespace == "":
		return nil, failure.New(missingParameter, "The parameter Namespace is required.")
	case in.MetricName == "":
		return nil, failure.New(missingParameter, "The parameter MetricName is required.")
	case in.Period == nil:
		return nil, failure.New(missingParameter, "The parameter Period is required.")
	case !validPeriod(*in.Period):
		return nil, failure.New(invalidParameterValue, "The parameter Period must be a multiple of 60.")
	case len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0:
		return nil, failure.New(missingParameter, "The parameter Statistics or ExtendedStatistics must be specified.")
	case len(in.Statistics) > 0 && len(in.ExtendedStatistics) > 0:
		return nil, failure.New(invalidParameterCombination, "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.")
	}
	var out []statistic
	for i, name := range in.Statistics {
		st, ok := plainStatistic(name)
		if !ok {
			return nil, failure.Newf(invalidParameterValue, "The parameter Statistics.member.%d must be a value in the set [ SampleCount, Average, Sum, Minimum, Maximum ].", i+1)
		}
		out = append(out, st)
	}
	for _, name := range in.ExtendedStatistics {
		st, ok := extendedStatistic(name)
		if !ok {
			return nil, failure.Newf(invalidParameterValue, "The value %s for parameter ExtendedStatistics is not supported.", name)
		}
		out = append(out, st)
	}
	return out, nil
}

// set fills in one statistic of a period, unless the period has none.
func (d *datapoint) set(st statistic, p summary) bool {
	value, ok := st.of(p)
	if !ok {
		return false
	}
	switch st.name {
	case "SampleCount":
		d.SampleCount = &value
	case "Average":
		d.Average = &value
	case "Sum":
		d.Sum = &value
	case "Minimum":
		d.Minimum = &value
	case "Maximum":
		d.Maximum = &value
	default:
		if d.ExtendedStatistics == nil {
			d.ExtendedStatistics = map[string]float64{}
		}
		d.ExtendedStatistics[st.name] = value
	}
	return true
}

// thousands writes n as AWS's text does: 1,451.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
