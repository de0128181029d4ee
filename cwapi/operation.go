package cwapi

import (
	"context"
	"time"

	"twinbucket/iamsim"
)

// Operation is one row of the operation table as the outside sees it.
type Operation struct {
	Name      string
	Action    string // cloudwatch:GetMetricData
	Supported bool
}

// Operations lists every operation of CloudWatch, sorted by name.
func Operations() []Operation {
	var out []Operation
	for _, op := range table() {
		out = append(out, Operation{op.name, op.action(), op.serve != nil})
	}
	return out
}

// operation is one row of the table.
type operation struct {
	name string
	// serve decodes an input and performs the operation; nil refuses it.
	serve func(s *Service, c *call, decode func(any) error) (any, error)
}

func (o *operation) action() string { return "cloudwatch:" + o.name }

// call is one request on its way through an operation.
type call struct {
	ctx    context.Context
	caller iamsim.Caller
	region string
	// now is the one domain time of the whole request.
	now         time.Time
	permissions iamsim.Permissions
}

// row is a supported operation.
func row[In, Out any](name string, fn func(*Service, *call, *In) (*Out, error)) *operation {
	return &operation{name: name, serve: func(s *Service, c *call, decode func(any) error) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		out, err := fn(s, c, in)
		if err != nil {
			return nil, err
		}
		return out, nil
	}}
}

// table is the whole CloudWatch API, sorted by name: routing, authorization, metrics
// labels, the support table and the refusals come from it.
func table() []*operation {
	var rows []*operation
	for _, name := range [...]string{
		"AssociateDatasetKmsKey", "CreateResourceMetricsConfiguration", "DeleteAlarmMuteRule", "DeleteAlarms", "DeleteAnomalyDetector",
		"DeleteDashboards", "DeleteInsightRules", "DeleteMetricStream", "DeleteResourceMetricsConfiguration", "DescribeAlarmContributors",
		"DescribeAlarmHistory", "DescribeAlarms", "DescribeAlarmsForMetric", "DescribeAnomalyDetectors", "DescribeInsightRules",
		"DisableAlarmActions", "DisableInsightRules", "DisassociateDatasetKmsKey", "EnableAlarmActions", "EnableInsightRules",
		"GetAlarmMuteRule", "GetDashboard", "GetDataset", "GetInsightRuleReport", "GetMetricData", "GetMetricStatistics",
		"GetMetricStream", "GetMetricWidgetImage", "GetOTelEnrichment", "GetResourceMetricsConfiguration", "ListAlarmMuteRules",
		"ListDashboards", "ListManagedInsightRules", "ListMetricStreams", "ListMetrics", "ListTagsForResource", "PutAlarmMuteRule",
		"PutAnomalyDetector", "PutCompositeAlarm", "PutDashboard", "PutInsightRule", "PutLogAlarm", "PutManagedInsightRules",
		"PutMetricAlarm", "PutMetricData", "PutMetricStream", "SetAlarmState", "StartMetricStreams", "StartOTelEnrichment",
		"StopMetricStreams", "StopOTelEnrichment", "TagResource", "UntagResource", "UpdateOTelEnrichment", "UpdateResourceMetricsConfiguration",
	} {
		switch name {
		case "GetMetricData":
			rows = append(rows, row(name, (*Service).getMetricData))
		case "GetMetricStatistics":
			rows = append(rows, row(name, (*Service).getMetricStatistics))
		case "ListMetrics":
			rows = append(rows, row(name, (*Service).listMetrics))
		default:
			rows = append(rows, &operation{name: name})
		}
	}
	return rows
}
