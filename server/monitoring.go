package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"twinbucket/cwapi"
	"twinbucket/monitor"
	"twinbucket/replicator"
	"twinbucket/s3api"
	"twinbucket/store"
)

// ruleMetrics are the numbers that CloudWatch has of a rule, for every rule, whether its
// Metrics are Enabled or not. What is pending stands in the state's collector.
type ruleMetrics struct {
	operations, failed *prometheus.CounterVec
	latency            *prometheus.GaugeVec
	events             *prometheus.CounterVec
}

func newRuleMetrics(registry *prometheus.Registry) *ruleMetrics {
	rule := []string{"bucket", "rule", "destination"}
	m := &ruleMetrics{
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twinbucket_replication_operations_total", Help: "Finished replication operations of a rule; SampleCount of OperationsFailedReplication.",
		}, rule),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twinbucket_replication_operations_failed_total", Help: "Those that failed; Sum of OperationsFailedReplication.",
		}, rule),
		latency: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "twinbucket_replication_latency_seconds", Help: "How far the destination was behind at the last measurement; ReplicationLatency.",
		}, rule),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twinbucket_replication_events_total", Help: "Replication events that were due, whether or not anybody is notified.",
		}, append(rule, "event")),
	}
	registry.MustRegister(m.operations, m.failed, m.latency, m.events)
	return m
}

// newMonitor wires replication's measurements to Prometheus and CloudWatch, and its
// events to the bucket's notifications.
func (s *Server) newMonitor(s3 *s3api.API) *monitor.Monitor {
	rules := newRuleMetrics(s.metrics.registry)
	return monitor.New(monitor.Config{
		Queue: s.store, Clock: s.clock, Logger: s.cfg.Logger,
		Measure: func(m monitor.Measurement) {
			rules.measure(&m)
			if m.Published {
				s.cloudwatch.Record(seriesOf(&m), m.At, m.Value)
			}
		},
		Announce: func(e monitor.Event) {
			rules.events.WithLabelValues(e.Bucket.Name, e.RuleID, e.Destination, e.Name[len("Replication:"):]).Inc()
			s3.Announce(e.Bucket, s3api.ByS3(), s3api.Change{
				Event: e.Name, Key: e.Key, VersionID: e.VersionID, Size: e.Size, ETag: e.ETag, Order: e.Order,
				Replication: &s3api.ReplicationEvent{
					RuleID: e.RuleID, Destination: e.Destination, Operation: e.Operation, RequestTime: e.RequestTime, Reason: e.Reason,
				},
			})
		},
	})
}

func (r *ruleMetrics) measure(m *monitor.Measurement) {
	labels := []string{m.Rule.Bucket, m.Rule.RuleID, m.Rule.Destination}
	switch m.Name {
	case monitor.OperationsFailed:
		r.operations.WithLabelValues(labels...).Inc()
		r.failed.WithLabelValues(labels...).Add(m.Value)
	case monitor.Latency:
		r.latency.WithLabelValues(labels...).Set(m.Value)
	}
}

// seriesOf is where CloudWatch has a measurement (B20).
func seriesOf(m *monitor.Measurement) cwapi.Series {
	return cwapi.Series{
		Account: m.Account, Region: m.Region, Namespace: "AWS/S3", Name: m.Name, Unit: m.Unit,
		Dimensions: []cwapi.Dimension{
			{Name: "SourceBucket", Value: m.Rule.Bucket}, {Name: "DestinationBucket", Value: m.Rule.Destination}, {Name: "RuleId", Value: m.Rule.RuleID},
		},
	}
}

// watched is an ended attempt as the monitor takes it.
func watched(e *replicator.Ended) monitor.Operation {
	return monitor.Operation{Task: e.Task, Status: store.ReplicationStatus(e.Status), Reason: e.Reason, Lag: e.Lag}
}
