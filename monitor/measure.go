package monitor

import (
	"time"

	"twinbucket/store"
)

// Metric names and units (B20).
const (
	Latency           = "ReplicationLatency"
	BytesPending      = "BytesPendingReplication"
	OperationsPending = "OperationsPendingReplication"
	OperationsFailed  = "OperationsFailedReplication"
)

// Measurement is one value of one metric of one rule.
type Measurement struct {
	Rule store.RuleKey
	Name string
	Unit string // Seconds, Bytes or Count
	At   time.Time
	// Account and Region say where it is published: in the source bucket's account, and in
	// the Region of the destination, or for failures in that of the source (B20).
	Account, Region string
	// Published: the rule has Metrics Enabled. Other rules have no metrics on AWS.
	Published bool
	Value     float64
}

// gauge remembers what of a rule was measured last.
type gauge struct {
	pending bool      // something was waiting
	ended   bool      // something has ended since
	sampled time.Time // when an attempt measured the queue last
}

// sampleEvery bounds how often attempts measure their queue.
const sampleEvery = time.Second

// rule is what measurements of one rule have in common.
type rule struct {
	key       store.RuleKey
	source    *store.Bucket
	published bool
	// near and far are the Regions of source and destination. A destination that does not
	// exist is measured in the source's Region (B23).
	near, far string
}

// find loads a rule; ok is false when its bucket is gone.
func (m *Monitor) find(k store.RuleKey, published bool) (rule, bool) {
	source, err := m.cfg.Queue.Bucket(m.ctx, k.Bucket)
	if err != nil {
		return rule{}, false
	}
	r := rule{key: k, source: source, published: published, near: source.Region, far: source.Region}
	if to, err := m.cfg.Queue.Bucket(m.ctx, k.Destination); err == nil {
		r.far = to.Region
	}
	return r, true
}

func (m *Monitor) put(r *rule, name, unit, region string, at time.Time, value float64) {
	m.cfg.Measure(Measurement{
		Rule: r.key, Name: name, Unit: unit, At: at, Account: r.source.Account, Region: region, Published: r.published, Value: value,
	})
}

// measure counts a finished attempt.
func (m *Monitor) measure(op *Operation) {
	t := &op.Task
	r, ok := m.find(t.Queue(), t.Rule.Destination.Metrics == "Enabled")
	if !ok {
		return
	}
	now := m.cfg.Clock.Now()
	m.mu.Lock()
	behind := now.Truncate(time.Minute).After(m.looked)
	m.mu.Unlock()
	if behind { // the clock jumped, and the queue must be seen before this task leaves it
		m.measureAll(now)
	}
	switch {
	case op.Status == store.Failed && !partial(op):
		m.put(&r, OperationsFailed, "Count", r.near, now, 1)
	case op.Status == store.Completed || op.Status == store.Failed:
		m.put(&r, OperationsFailed, "Count", r.near, now, 0)
	}
	if t.Job != "" {
		return // the other metrics are of live replication (B22)
	}
	if op.Status == store.Completed {
		m.put(&r, Latency, "Seconds", r.far, now, op.Lag.Seconds())
	}
	m.mu.Lock()
	g := m.gauge(r.key)
	g.ended = true
	due := now.Sub(g.sampled) >= sampleEvery
	if due {
		g.sampled = now
	}
	m.mu.Unlock()
	if due {
		m.putQueue(&r, m.cfg.Queue.RuleQueue(r.key), now)
	}
}

// partial: the object arrived without its tags, which S3 does not count (B24).
func partial(op *Operation) bool {
	return op.Task.Kind == store.TaskObject && (op.Reason == "SrcGetTaggingNotPermitted" || op.Reason == "DstPutTaggingNotPermitted")
}

func (m *Monitor) gauge(k store.RuleKey) *gauge {
	g := m.gauges[k]
	if g == nil {
		g = &gauge{}
		m.gauges[k] = g
	}
	return g
}

// putQueue measures what waits.
func (m *Monitor) putQueue(r *rule, q store.RuleStats, at time.Time) {
	m.put(r, OperationsPending, "Count", r.far, at, float64(q.Pending-q.Batch))
	m.put(r, BytesPending, "Bytes", r.far, at, float64(q.PendingBytes-q.BatchBytes))
	if !q.Oldest.IsZero() && q.Pending > q.Batch {
		m.put(r, Latency, "Seconds", r.far, at, max(0, at.Sub(q.Oldest).Seconds()))
	}
}

// longestGap is how many minutes that nobody looked at are filled in.
const longestGap = 360

// measureAll measures every rule that has something waiting, or had at the last look, so
// that a series comes back to zero before it falls silent. The clock may have been
// advanced over many minutes: what waits now has waited in those too.
func (m *Monitor) measureAll(now time.Time) {
	stats := m.cfg.Queue.Queue()
	m.mu.Lock()
	since := m.looked
	m.looked = now
	var rules []store.RuleKey
	for k, q := range stats.ByRule {
		g := m.gauge(k)
		if waits := q.Pending > q.Batch; waits || g.pending || g.ended {
			g.pending, g.ended = waits, false
			rules = append(rules, k)
		}
	}
	for k := range m.gauges {
		if _, ok := stats.ByRule[k]; !ok {
			delete(m.gauges, k)
		}
	}
	m.mu.Unlock()
	for _, k := range rules {
		r, ok := m.find(k, m.published(k))
		if !ok {
			continue
		}
		q := stats.ByRule[k]
		if q.Pending > q.Batch {
			m.fill(&r, q, since, now)
		}
		m.putQueue(&r, q, now)
	}
}

// fill measures the end of every minute between two looks in which q was waiting.
func (m *Monitor) fill(r *rule, q store.RuleStats, since, now time.Time) {
	first := since.Truncate(time.Minute)
	if oldest := q.Oldest.Truncate(time.Minute); oldest.After(first) {
		first = oldest
	}
	last := now.Truncate(time.Minute)
	if gap := last.Sub(first); gap > longestGap*time.Minute {
		first = last.Add(-longestGap * time.Minute)
	}
	for at := first; at.Before(last); at = at.Add(time.Minute) {
		m.putQueue(r, q, at.Add(time.Minute-time.Nanosecond))
	}
}

// published reports whether the configuration in force has Metrics Enabled for a rule.
func (m *Monitor) published(k store.RuleKey) bool {
	b, err := m.cfg.Queue.Bucket(m.ctx, k.Bucket)
	if err != nil || b.Replication == nil {
		return false
	}
	for i := range b.Replication.Rules {
		r := &b.Replication.Rules[i]
		if r.ID == k.RuleID && r.Destination.Bucket == k.Destination {
			return r.Destination.Metrics == "Enabled"
		}
	}
	return false
}
