package replicator

import (
	"cmp"
	"math"
	"slices"
	"time"

	"twinbucket/store"
)

// A scheduler says from which queues to claim. Each queue (source bucket, rule,
// destination) is served in turn, those with the fewest attempts under way first, so that
// none waits behind another's backlog. What is held up stays in its queue: by a KMS quota
// (see lane), by a destination that does not answer, by the bandwidth limit.
//
// Memory is that of the queues with something to do. It is not safe for concurrent use.
type scheduler struct {
	workers int
	groups  map[store.RuleKey]*group
	lanes   map[laneKey]*lane
	meters  *meters
	running int
	turn    uint64
}

// group is one queue with something to do.
type group struct {
	key     store.RuleKey
	next    time.Time // when there is something to claim; zero: nothing is known of
	running int
	served  uint64 // the turn it was served last
	// limit is how many attempts it may have under way. It halves when the destination
	// fails and grows by one a round of successes.
	limit float64
	// failing counts failures in a row, of different versions, that may pass; until is
	// when to try again.
	failing int
	failed  string // id of the task that failed last
	until   time.Time
	lanes   []*lane // the quotas that have refused it
	meter   *meter
}

const (
	// failingFrom is how many different versions have to fail before their queue is slowed
	// down: one that can't be read must not hold up the others.
	failingFrom = 3
	failingCap  = 5 * time.Second
)

func newScheduler(workers int, m *meters) *scheduler {
	return &scheduler{workers: workers, groups: map[store.RuleKey]*group{}, lanes: map[laneKey]*lane{}, meters: m}
}

func (s *scheduler) group(k store.RuleKey) *group {
	g := s.groups[k]
	if g == nil {
		g = &group{key: k, limit: float64(s.workers), meter: s.meters.of(k.Destination)}
		s.groups[k] = g
	}
	return g
}

// due notes that k has something to claim at at.
func (s *scheduler) due(k store.RuleKey, at time.Time) {
	if g := s.group(k); g.next.IsZero() || at.Before(g.next) {
		g.next = at
	}
}

// plan shares out the free workers. When all are busy, a queue without any attempt under
// way gets one beyond them, up to as many again: slow ones must not take the last worker
// from the others. alarm is when to plan again, zero if only an event can change anything.
func (s *scheduler) plan(now time.Time) (wants []store.Want, alarm time.Time) {
	ready, alarm := s.ready(now)
	shares := make([]int, len(ready))
	for free := s.workers - s.running; free > 0 && len(ready) > 0; free-- {
		best := -1
		for i := range ready {
			r := &ready[i]
			if shares[i] < r.room && (best < 0 || r.group.running+shares[i] < ready[best].group.running+shares[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		shares[best]++
	}
	lent := max(0, s.running-s.workers)
	full := s.running >= s.workers
	for i, r := range ready {
		if full && shares[i] == 0 && r.group.running == 0 && lent < s.workers {
			shares[i], lent = 1, lent+1
		}
		if shares[i] > 0 {
			wants = append(wants, store.Want{Queue: r.group.key, Max: shares[i]})
		}
	}
	return wants, alarm
}

// turn is a group that may be served, with how many attempts it has room for.
type turn struct {
	group *group
	room  int
}

// ready lists the groups that may be served now, those served longest ago first, and when
// the next of the others may be.
func (s *scheduler) ready(now time.Time) (ready []turn, alarm time.Time) {
	for _, g := range s.groups {
		if g.next.IsZero() {
			continue
		}
		room, at := g.room(now)
		if at.After(now) {
			if alarm.IsZero() || at.Before(alarm) {
				alarm = at
			}
			continue
		}
		if room > 0 {
			ready = append(ready, turn{g, room})
		}
	}
	slices.SortFunc(ready, func(a, b turn) int { return cmp.Compare(a.group.served, b.group.served) })
	return ready, alarm
}

// room is how many attempts g may begin now. If none because it is too early, at says when.
func (g *group) room(now time.Time) (n int, at time.Time) {
	at = g.next
	if g.until.After(at) {
		at = g.until
	}
	if t := g.meter.free(now); t.After(at) {
		at = t
	}
	n = int(math.Max(1, g.limit)) - g.running
	for _, l := range g.lanes {
		room, wait := l.room(now)
		if t := now.Add(wait); wait > 0 && t.After(at) {
			at = t
		}
		n = min(n, room)
	}
	return n, at
}

// claimed notes what a claim brought: n tasks of want, and when there is more.
func (s *scheduler) claimed(want store.Want, n int, next time.Time) {
	g := s.group(want.Queue)
	g.next = next
	g.running += n
	s.running += n
	s.turn++
	g.served = s.turn
	for _, l := range g.lanes {
		l.start(n)
	}
	s.drop(g)
}

// result is how an attempt ended, as far as the pace goes.
type result struct {
	task store.Task
	due  time.Time // of the next attempt, if there is one
	// refusedBy is the quota that refused it.
	refusedBy laneKey
	// faulty: it failed for a reason that may pass, other than a quota.
	faulty bool
}

// ended notes the end of an attempt.
func (s *scheduler) ended(r result, now time.Time) {
	g := s.group(r.task.Queue())
	g.running--
	s.running--
	if !r.due.IsZero() {
		s.due(g.key, r.due)
	}
	if r.refusedBy != (laneKey{}) {
		s.lane(g, r.refusedBy).throttled(now)
		return
	}
	for _, l := range g.lanes {
		l.succeeded(now)
	}
	if r.faulty {
		g.fault(r.task.ID, now)
	} else {
		g.failing, g.until = 0, time.Time{}
		g.limit = math.Min(float64(s.workers), g.limit+1/math.Max(1, g.limit))
	}
	s.drop(g)
}

// fault slows a group down whose attempts fail one after the other.
func (g *group) fault(id string, now time.Time) {
	if id == g.failed {
		return // the same version again: it has a backoff of its own
	}
	g.failed = id
	if g.failing++; g.failing < failingFrom {
		return
	}
	g.limit = math.Max(1, g.limit/2)
	g.until = now.Add(min(backoffBase<<min(g.failing-failingFrom, 10), failingCap))
}

// lane makes g subject to the quota k.
func (s *scheduler) lane(g *group, k laneKey) *lane {
	l := s.lanes[k]
	if l == nil {
		l = &lane{}
		s.lanes[k] = l
	}
	if !slices.Contains(g.lanes, l) {
		g.lanes = append(g.lanes, l)
	}
	return l
}

// drop forgets a group that has nothing to do and nothing to remember.
func (s *scheduler) drop(g *group) {
	if g.next.IsZero() && g.running == 0 && g.failing == 0 && len(g.lanes) == 0 {
		delete(s.groups, g.key)
	}
}

// forgive forgets every refusal and failure.
func (s *scheduler) forgive() {
	clear(s.lanes)
	for _, g := range s.groups {
		g.lanes, g.failing, g.until, g.limit = nil, 0, time.Time{}, float64(s.workers)
	}
}
