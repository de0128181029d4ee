package server

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/clock"
	"twinbucket/internal/quota"
	"twinbucket/internal/trail"
	"twinbucket/replicator"
	"twinbucket/store"
)

// metrics are one server's; the registry belongs to it.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	attempts *prometheus.CounterVec
	lag      prometheus.Histogram
	softened *prometheus.CounterVec
}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twinbucket_requests_total", Help: "Calls by service, operation and error code; the service's own calls included.",
		}, []string{"service", "operation", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "twinbucket_request_duration_seconds", Help: "Time to answer a call.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"service"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twinbucket_replication_attempts_total", Help: "Replication attempts by how they ended.",
		}, []string{"status", "reason"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "twinbucket_replication_lag_seconds", Help: "From the commit of a version to the end of its replication.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900},
		}),
	}
	m.softened = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "twinbucket_soft_denials_total", Help: "Denials that were not enforced, because enforcement is soft.",
	}, []string{"service", "action"})
	m.registry.MustRegister(m.softened)
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "twinbucket_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.seconds, m.attempts, m.lag, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// call counts one recorded call.
func (m *metrics) call(e *trail.Event, took time.Duration) {
	service := strings.TrimSuffix(e.EventSource, ".amazonaws.com")
	code := e.ErrorCode
	if code == "" {
		code = "OK"
	}
	m.requests.WithLabelValues(service, e.EventName, code).Inc()
	m.seconds.WithLabelValues(service).Observe(took.Seconds())
}

// softDenial counts a denial that is not enforced.
func (m *metrics) softDenial(d *policy.Decision) {
	service, _, _ := strings.Cut(d.Action, ":")
	m.softened.WithLabelValues(service, d.Action).Inc()
}

// attempt counts one replication attempt.
func (m *metrics) attempt(e replicator.Ended) {
	status, reason := string(e.Status), e.Reason
	switch {
	case e.Status == "":
		status = "CANCELLED"
	case e.Throttled:
		reason = "throttled"
	}
	m.attempts.WithLabelValues(status, reason).Inc()
	if e.Status == store.Completed {
		m.lag.Observe(e.Lag.Seconds())
	}
}

// stateCollector reads queue and quota counts when they are scraped.
type stateCollector struct {
	store  *store.Store
	limits *quota.Limiter
	clock  clock.Clock

	pending, bytes, oldest, ruleOldest, kmsAllowed, kmsThrottled, kmsLimit *prometheus.Desc
}

func newStateCollector(st *store.Store, limits *quota.Limiter, c clock.Clock) *stateCollector {
	rule := []string{"bucket", "rule", "destination"}
	window := []string{"account", "region", "quota"}
	return &stateCollector{store: st, limits: limits, clock: c,
		pending:      prometheus.NewDesc("twinbucket_replication_pending", "Versions that wait for replication.", rule, nil),
		bytes:        prometheus.NewDesc("twinbucket_replication_pending_bytes", "Their bytes.", rule, nil),
		oldest:       prometheus.NewDesc("twinbucket_replication_oldest_seconds", "Age of the oldest waiting version.", nil, nil),
		ruleOldest:   prometheus.NewDesc("twinbucket_replication_rule_oldest_seconds", "Age of the oldest version that waits for a rule.", rule, nil),
		kmsAllowed:   prometheus.NewDesc("twinbucket_kms_quota_allowed_total", "KMS requests within their quota.", window, nil),
		kmsThrottled: prometheus.NewDesc("twinbucket_kms_quota_throttled_total", "KMS requests refused by their quota.", window, nil),
		kmsLimit:     prometheus.NewDesc("twinbucket_kms_quota_limit", "KMS requests a second that the quota allows; absent where nothing limits.", window, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.pending, c.bytes, c.oldest, c.ruleOldest, c.kmsAllowed, c.kmsThrottled, c.kmsLimit} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	q, now := c.store.Queue(), c.clock.Now()
	for k, v := range q.ByRule {
		ch <- prometheus.MustNewConstMetric(c.pending, prometheus.GaugeValue, float64(v.Pending), k.Bucket, k.RuleID, k.Destination)
		ch <- prometheus.MustNewConstMetric(c.bytes, prometheus.GaugeValue, float64(v.PendingBytes), k.Bucket, k.RuleID, k.Destination)
		ch <- prometheus.MustNewConstMetric(c.ruleOldest, prometheus.GaugeValue, ageOf(v.Oldest, now), k.Bucket, k.RuleID, k.Destination)
	}
	ch <- prometheus.MustNewConstMetric(c.oldest, prometheus.GaugeValue, ageOf(q.Oldest, now))
	for _, u := range c.limits.Usage(now) {
		ch <- prometheus.MustNewConstMetric(c.kmsAllowed, prometheus.CounterValue, float64(u.Allowed), u.Account, u.Region, u.Quota)
		ch <- prometheus.MustNewConstMetric(c.kmsThrottled, prometheus.CounterValue, float64(u.Throttled), u.Account, u.Region, u.Quota)
		if u.PerSecond >= 0 {
			ch <- prometheus.MustNewConstMetric(c.kmsLimit, prometheus.GaugeValue, u.PerSecond, u.Account, u.Region, u.Quota)
		}
	}
}

// ageOf is in seconds; nothing is 0 old.
func ageOf(t, now time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return now.Sub(t).Seconds()
}
