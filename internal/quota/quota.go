// Package quota counts requests in fixed one-second windows per service, account,
// region and quota name, and refuses what is over the limit for the rest of the
// window, as AWS KMS does. Refused requests use up nothing.
package quota

import (
	"cmp"
	"fmt"
	"math"
	"sort"
	"sync"
	"time"
)

// Any matches every account, region or quota name in a Limit.
const Any = "*"

// Limit sets how many requests a second are served. Account, Region and Quota may be [Any].
type Limit struct {
	Service   string  `json:"service"`
	Account   string  `json:"account"`
	Region    string  `json:"region"`
	Quota     string  `json:"quota"`
	PerSecond float64 `json:"perSecond"`
}

// Usage is the count of one quota since the start and in its current window.
type Usage struct {
	Service   string  `json:"service"`
	Account   string  `json:"account"`
	Region    string  `json:"region"`
	Quota     string  `json:"quota"`
	PerSecond float64 `json:"perSecond"`
	InWindow  int64   `json:"inWindow"`
	Allowed   uint64  `json:"allowed"`
	Throttled uint64  `json:"throttled"`
}

type id struct{ service, account, region, quota string }

type counter struct {
	window    time.Time
	used      int64
	allowed   uint64
	throttled uint64
}

// Default is the limit of a quota where none was set, for every account; ok is false
// where there is none.
type Default func(service, region, quota string) (perSecond float64, ok bool)

// Limiter applies limits. The zero value has no limits and refuses nothing.
type Limiter struct {
	mu       sync.Mutex
	limits   map[id]float64
	fallback Default
	counters map[id]*counter
}

// SetDefault sets what applies where no limit was set; nil takes it back.
func (l *Limiter) SetDefault(d Default) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fallback = d
}

// Set adds or replaces one limit. A PerSecond below 1 stands for one request in a
// longer window: 0.5 is one every two seconds; 0 refuses everything.
func (l *Limiter) Set(lim Limit) error {
	if lim.Service == "" || !(lim.PerSecond >= 0) || math.IsInf(lim.PerSecond, 1) {
		return fmt.Errorf("quota: a limit needs a service and perSecond of 0 or more, got %q and %v", lim.Service, lim.PerSecond)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limits == nil {
		l.limits = map[id]float64{}
	}
	l.limits[lim.id()] = lim.PerSecond
	return nil
}

// Remove takes a limit back, and reports whether it was set. What then applies is the
// next less specific limit, or the default.
func (l *Limiter) Remove(lim Limit) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, set := l.limits[lim.id()]
	delete(l.limits, lim.id())
	return set
}

// id is what a limit applies to; what it leaves out is [Any].
func (lim *Limit) id() id {
	return id{lim.Service, cmp.Or(lim.Account, Any), cmp.Or(lim.Region, Any), cmp.Or(lim.Quota, Any)}
}

// Of is the limit that applies; ok is false where there is none.
func (l *Limiter) Of(service, account, region, quota string) (perSecond float64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit(id{service, account, region, quota})
}

// Allow counts one request at time now and reports whether it is within the limit.
func (l *Limiter) Allow(now time.Time, service, account, region, quota string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := id{service, account, region, quota}
	c := l.counters[k]
	if c == nil {
		if l.counters == nil {
			l.counters = map[id]*counter{}
		}
		c = &counter{}
		l.counters[k] = c
	}
	limit, ok := l.limit(k)
	size := window(limit)
	if w := now.Truncate(size); !w.Equal(c.window) {
		c.window, c.used = w, 0
	}
	if ok && float64(c.used)+1 > limit*size.Seconds() {
		c.throttled++
		return false
	}
	c.used++
	c.allowed++
	return true
}

// NextWindow is how long a refused caller waits until its window ends.
func (l *Limiter) NextWindow(now time.Time, service, account, region, quota string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit, _ := l.limit(id{service, account, region, quota})
	size := window(limit)
	return now.Truncate(size).Add(size).Sub(now)
}

// window is one second, or long enough to hold one request of a slower rate.
func window(perSecond float64) time.Duration {
	if perSecond <= 0 || perSecond >= 1 {
		return time.Second
	}
	return time.Duration(float64(time.Second) / perSecond)
}

// limit finds the most specific limit: a named account beats a named region beats a
// named quota beats the default.
func (l *Limiter) limit(k id) (float64, bool) {
	for _, account := range []string{k.account, Any} {
		for _, region := range []string{k.region, Any} {
			for _, quota := range []string{k.quota, Any} {
				if v, ok := l.limits[id{k.service, account, region, quota}]; ok {
					return v, true
				}
			}
		}
	}
	if l.fallback == nil {
		return 0, false
	}
	return l.fallback(k.service, k.region, k.quota)
}

// Limits lists what was set, sorted.
func (l *Limiter) Limits() []Limit {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Limit, 0, len(l.limits))
	for k, v := range l.limits {
		out = append(out, Limit{k.service, k.account, k.region, k.quota, v})
	}
	sort.Slice(out, func(i, j int) bool { return fmt.Sprint(out[i]) < fmt.Sprint(out[j]) })
	return out
}

// Usage lists every quota that was ever used, sorted. PerSecond is -1 where no limit applies.
func (l *Limiter) Usage(now time.Time) []Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Usage, 0, len(l.counters))
	for k, c := range l.counters {
		u := Usage{Service: k.service, Account: k.account, Region: k.region, Quota: k.quota,
			PerSecond: -1, Allowed: c.allowed, Throttled: c.throttled}
		if v, ok := l.limit(k); ok {
			u.PerSecond = v
		}
		if now.Truncate(window(u.PerSecond)).Equal(c.window) {
			u.InWindow = c.used
		}
		out = append(out, u)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		return fmt.Sprint(a.Service, a.Account, a.Region, a.Quota) < fmt.Sprint(b.Service, b.Account, b.Region, b.Quota)
	})
	return out
}

// Reset forgets counts; limits stay.
func (l *Limiter) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counters = nil
}
