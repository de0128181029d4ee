package cwapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMemoryIsBounded(t *testing.T) {
	s := New(Config{})
	for i := range KeptMinutes + 10 {
		s.Record(failed("r"), noon.Add(time.Duration(i)*time.Minute), float64(i))
	}
	s.Record(failed("r"), noon, 1000) // older than all that is kept
	w := window{start: noon.Add(-time.Hour), end: noon.Add(100 * time.Hour), period: Resolution}
	got := s.memory.periods(failed("r"), w)
	if len(got) != KeptMinutes || got[0].sum != 10 || got[len(got)-1].sum != KeptMinutes+9 {
		t.Errorf("kept %d minutes, first %v, last %v", len(got), got[0], got[len(got)-1])
	}
	for i := range MaxSeries + 5 {
		s.Record(failed(fmt.Sprint(i)), noon.Add(48*time.Hour+time.Duration(i)*time.Second), 1)
	}
	if n := len(s.memory.series); n != MaxSeries {
		t.Errorf("%d series, want %d", n, MaxSeries)
	}
	if got := s.memory.periods(failed("r"), w); got != nil {
		t.Errorf("the series written least recently is still there: %v", got)
	}
	s.Reset("111122223333")
	if n := len(s.memory.series); n != MaxSeries {
		t.Errorf("reset of another account left %d series", n)
	}
	s.Reset("")
	if n := len(s.memory.series); n != 0 {
		t.Errorf("reset left %d series", n)
	}
}

func TestPeriods(t *testing.T) {
	s := New(Config{})
	for _, minute := range []int{3, 0, 1, 1, 7} { // in any order
		s.Record(failed("r"), noon.Add(time.Duration(minute)*time.Minute+time.Second), float64(minute))
	}
	type row struct {
		At             int
		N, Sum, Lo, Hi float64
	}
	for _, tt := range []struct {
		name             string
		from, to, period int // minutes
		want             []row
	}{
		{"minutes", 0, 10, 1, []row{{0, 1, 0, 0, 0}, {1, 2, 2, 1, 1}, {3, 1, 3, 3, 3}, {7, 1, 7, 7, 7}}},
		{"end is exclusive", 0, 7, 1, []row{{0, 1, 0, 0, 0}, {1, 2, 2, 1, 1}, {3, 1, 3, 3, 3}}},
		{"periods count from the start", 1, 10, 5, []row{{1, 3, 5, 1, 3}, {6, 1, 7, 7, 7}}},
		{"all in one", 0, 60, 60, []row{{0, 5, 12, 0, 7}}},
		{"nothing there", 20, 30, 1, nil},
	} {
		at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
		var got []row
		for _, p := range s.memory.periods(failed("r"), window{at(tt.from), at(tt.to), time.Duration(tt.period) * time.Minute}) {
			got = append(got, row{int(p.start.Sub(noon).Minutes()), p.count, p.sum, p.min, p.max})
		}
		if d := cmp.Diff(got, tt.want); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}
