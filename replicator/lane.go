package replicator

import (
	"math"
	"time"
)

// A lane paces attempts towards one KMS request quota (R25), which belongs to an account in a
// Region and is shared with everybody else there. It is not limited until KMS refuses;
// then it goes on with nine tenths of what the second let through, and grows by a
// twentieth each second without refusals (additive increase, multiplicative decrease).
// The rest of a second with a refusal is left to others, because it would be refused too.
//
// Times are domain time. A lane is not safe for concurrent use; its scheduler is.
type lane struct {
	rate   float64 // attempts a second; 0: not limited
	tokens float64 // attempts that may start now; at most a burst
	filled time.Time

	second  time.Time // what the counts are about
	done    int
	refused bool
	idle    int // seconds in a row that used less than a quarter of the rate
	until   time.Time
}

// laneKey is a KMS quota.
type laneKey struct{ account, region string }

const (
	slowestLane = 1.0 / 16 // attempts a second, where nothing gets through
	laneIdle    = 10       // seconds after which an unused limit is forgotten
)

// burst is how many attempts may start at once: a twentieth of a second's.
func (l *lane) burst() float64 { return math.Max(1, l.rate/20) }

// roll begins a new second if one has begun, and fills the bucket.
func (l *lane) roll(now time.Time) {
	if s := now.Truncate(time.Second); !s.Equal(l.second) {
		if l.rate > 0 && l.done > 0 && !l.refused {
			l.rate += math.Max(l.rate/20, math.Min(l.rate, 1))
		}
		if l.idle++; float64(l.done) >= l.rate/4 || l.refused {
			l.idle = 0
		}
		if l.idle >= laneIdle && l.rate >= 1 {
			l.rate = 0
		}
		l.second, l.done, l.refused = s, 0, false
	}
	if passed := now.Sub(l.filled); passed > 0 {
		l.tokens = math.Min(l.burst(), l.tokens+passed.Seconds()*l.rate)
	}
	l.filled = now
}

// room is how many attempts may start now; wait is how long until one may, if none.
func (l *lane) room(now time.Time) (n int, wait time.Duration) {
	l.roll(now)
	switch {
	case now.Before(l.until):
		return 0, l.until.Sub(now)
	case l.rate == 0:
		return math.MaxInt, 0
	case l.tokens >= 1:
		return int(l.tokens), 0
	}
	return 0, time.Duration((1-l.tokens)/l.rate*float64(time.Second)) + time.Microsecond
}

// start takes the tokens of n attempts.
func (l *lane) start(n int) {
	if l.rate > 0 {
		l.tokens -= float64(n)
	}
}

// succeeded notes an attempt that was not refused.
func (l *lane) succeeded(now time.Time) {
	l.roll(now)
	l.done++
}

// throttled notes a refusal. Only the first of a second slows the lane down: those after
// it were under way already.
func (l *lane) throttled(now time.Time) {
	l.roll(now)
	if l.refused || now.Before(l.until) {
		return
	}
	l.refused = true
	switch {
	case l.done > 0:
		l.rate = 0.9 * float64(l.done)
	case l.rate > 0:
		l.rate = math.Max(l.rate/2, slowestLane)
	default:
		l.rate = 1
	}
	l.tokens = 0
	l.until = l.second.Add(time.Second)
}
