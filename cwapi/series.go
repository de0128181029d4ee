package cwapi

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// MaxSeries is how many series are kept; the one written least recently makes room.
	MaxSeries = 4096
	// KeptMinutes is how many minutes with measurements a series keeps.
	KeptMinutes = 360
	// Resolution is the length of the shortest period that has statistics of its own (B10).
	Resolution = time.Minute
)

// Dimension is one name and value that tell series of a metric apart.
type Dimension struct {
	Name  string `json:"Name"`
	Value string `json:"Value"`
}

// Series names one series: a metric of an account in a Region with its dimensions, whose
// order has no meaning.
type Series struct {
	Account, Region string
	Namespace, Name string
	Unit            string // Seconds, Bytes, Count, …
	Dimensions      []Dimension
}

// seriesKey is a Series as a map's key.
type seriesKey struct{ account, region, namespace, name, unit, dimensions string }

func (s *Series) key() seriesKey {
	return seriesKey{s.Account, s.Region, s.Namespace, s.Name, s.Unit, dimensionKey(s.Dimensions)}
}

// dimensionKey is the same for the same dimensions in any order.
func dimensionKey(list []Dimension) string {
	sorted := sortedDimensions(list)
	var b strings.Builder
	for _, d := range sorted {
		b.WriteString(d.Name)
		b.WriteByte(0)
		b.WriteString(d.Value)
		b.WriteByte(0)
	}
	return b.String()
}

func sortedDimensions(list []Dimension) []Dimension {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Dimension) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return sorted
}

// summary are the statistics of the measurements of one stretch of time.
type summary struct {
	start         time.Time
	count         float64
	sum, min, max float64
}

func (s *summary) add(o summary) {
	if s.count == 0 {
		s.min, s.max = math.Inf(1), math.Inf(-1)
	}
	s.count += o.count
	s.sum += o.sum
	s.min, s.max = min(s.min, o.min), max(s.max, o.max)
}

// record is a series with what is kept of it.
type record struct {
	series  Series
	minutes []summary // ascending
	written time.Time // domain time of the last measurement
}

// add merges one measurement into its minute. Minutes that are older than all that is
// kept of a full series are dropped.
func (r *record) add(at time.Time, value float64) {
	one := summary{start: at.UTC().Truncate(Resolution), count: 1, sum: value, min: value, max: value}
	i, found := slices.BinarySearchFunc(r.minutes, one.start, func(s summary, t time.Time) int { return s.start.Compare(t) })
	if found {
		r.minutes[i].add(one)
		return
	}
	if len(r.minutes) == KeptMinutes {
		if i == 0 {
			return
		}
		r.minutes = slices.Delete(r.minutes, 0, 1)
		i--
	}
	r.minutes = slices.Insert(r.minutes, i, one)
}

// memory holds all series.
type memory struct {
	mu     sync.RWMutex
	series map[seriesKey]*record
}

func (m *memory) record(s Series, at time.Time, value float64) {
	k := s.key()
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.series[k]
	if r == nil {
		if len(m.series) >= MaxSeries {
			m.evict()
		}
		s.Dimensions = sortedDimensions(s.Dimensions)
		r = &record{series: s}
		m.series[k] = r
	}
	r.written = at
	r.add(at, value)
}

// evict drops the series that was written least recently.
func (m *memory) evict() {
	var oldest seriesKey
	var at time.Time
	first := true
	for k, r := range m.series {
		if first || r.written.Before(at) {
			oldest, at, first = k, r.written, false
		}
	}
	delete(m.series, oldest)
}

func (m *memory) reset(account string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.series {
		if account == "" || k.account == account {
			delete(m.series, k)
		}
	}
}

// window is what a client asks for: whole periods from a start on.
type window struct {
	start, end time.Time
	period     time.Duration
}

// periods gathers what s has in w, one summary for each period that has measurements,
// oldest first. unit "" is any.
func (m *memory) periods(s Series, w window) []summary {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []summary
	for _, r := range m.match(s) {
		for _, minute := range r.minutes {
			if minute.start.Before(w.start) || !minute.start.Before(w.end) {
				continue
			}
			at := w.start.Add(minute.start.Sub(w.start) / w.period * w.period)
			i, found := slices.BinarySearchFunc(out, at, func(s summary, t time.Time) int { return s.start.Compare(t) })
			if !found {
				out = slices.Insert(out, i, summary{start: at})
			}
			out[i].add(minute)
		}
	}
	return out
}

// match finds the series of s's account, Region, metric and dimensions, with its unit
// unless that is "".
func (m *memory) match(s Series) []*record {
	k := s.key()
	if k.unit != "" {
		if r := m.series[k]; r != nil {
			return []*record{r}
		}
		return nil
	}
	var out []*record
	for have, r := range m.series {
		have.unit = ""
		if have == k {
			out = append(out, r)
		}
	}
	return out
}

// unitOf names the unit of a series, "None" when there is no such series.
func (m *memory) unitOf(s Series) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.match(s) {
		return r.series.Unit
	}
	return "None"
}

// list returns the series of an account and Region that match, sorted by name and
// dimensions.
func (m *memory) list(account, region string, match func(*record) bool) []Series {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Series
	for k, r := range m.series {
		if k.account == account && k.region == region && match(r) {
			out = append(out, r.series)
		}
	}
	slices.SortFunc(out, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name),
			cmp.Compare(dimensionKey(a.Dimensions), dimensionKey(b.Dimensions)))
	})
	return out
}
