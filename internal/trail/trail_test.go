package trail

import (
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func names(events []Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.EventName)
	}
	return out
}

func TestTrailKeepsTheNewest(t *testing.T) {
	tr := New(3)
	for i := range 5 {
		tr.Add(Event{EventName: strconv.Itoa(i)})
	}
	if diff := cmp.Diff([]string{"2", "3", "4"}, names(tr.Events(0, nil))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"4"}, names(tr.Events(1, nil))); diff != "" {
		t.Error(diff)
	}
	even := tr.Events(0, func(e *Event) bool { return e.EventName != "3" })
	if diff := cmp.Diff([]string{"2", "4"}, names(even)); diff != "" {
		t.Error(diff)
	}
	if tr.Total() != 5 {
		t.Errorf("total %d, want 5", tr.Total())
	}
	tr.Reset()
	if got := tr.Events(0, nil); len(got) != 0 {
		t.Errorf("after Reset: %v", got)
	}
}

// TestAddFromManyGoroutines is for the race detector: services record at the same time.
func TestAddFromManyGoroutines(t *testing.T) {
	const writers, each = 8, 50
	tr := New(10)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				tr.Add(Event{EventName: "PutObject"})
				tr.Events(1, nil)
			}
		})
	}
	wg.Wait()
	if got := tr.Total(); got != writers*each {
		t.Errorf("total: got %d, want %d", got, writers*each)
	}
}
