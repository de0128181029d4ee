package store

import (
	"slices"
	"sort"
	"time"
)

// ages says when the oldest of a queue's tasks was made without remembering each task: it
// counts them in time slots of equal width, which doubles when there would be too many. The
// answer can be too early by one width, which is about a hundredth of the queue's span.
type ages struct {
	width int64 // of a slot, in nanoseconds
	slots []ageSlot
}

// ageSlot counts the tasks made in [at, at+width); first is the earliest ever counted in it.
type ageSlot struct {
	at, first int64
	n         int
}

const (
	maxAgeSlots = 256
	minAgeWidth = int64(time.Millisecond)
)

// find returns the place of the slot of created, and whether it is there.
func (a *ages) find(created int64) (i int, found bool) {
	at := created - created%a.width
	i = sort.Search(len(a.slots), func(i int) bool { return a.slots[i].at >= at })
	return i, i < len(a.slots) && a.slots[i].at == at
}

func (a *ages) add(t time.Time) {
	created := int64(nanos(t))
	if a.width == 0 {
		a.width = minAgeWidth
	}
	i, found := a.find(created)
	if found {
		s := &a.slots[i]
		s.n++
		s.first = min(s.first, created)
		return
	}
	a.slots = slices.Insert(a.slots, i, ageSlot{at: created - created%a.width, first: created, n: 1})
	for len(a.slots) > maxAgeSlots {
		a.widen()
	}
}

// widen doubles the width and drops what is empty.
func (a *ages) widen() {
	a.width *= 2
	kept := a.slots[:0]
	for _, s := range a.slots {
		s.at -= s.at % a.width
		switch n := len(kept); {
		case s.n == 0:
		case n > 0 && kept[n-1].at == s.at:
			kept[n-1].n += s.n
		default:
			kept = append(kept, s)
		}
	}
	a.slots = kept
}

func (a *ages) remove(t time.Time) {
	if a.width == 0 {
		return
	}
	i, found := a.find(int64(nanos(t)))
	if !found {
		return
	}
	a.slots[i].n--
	empty := 0
	for empty < len(a.slots) && a.slots[empty].n == 0 {
		empty++
	}
	if a.slots = a.slots[:copy(a.slots, a.slots[empty:])]; len(a.slots) == 0 {
		a.width = 0
	}
}

// oldest is zero when there is no task.
func (a *ages) oldest() time.Time {
	if len(a.slots) == 0 {
		return time.Time{}
	}
	return fromNanos(uint64(a.slots[0].first))
}
