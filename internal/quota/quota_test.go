package quota

import (
	"math"
	"testing"
	"time"
)

var t0 = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestWindowRefusesTheRestOfTheSecond(t *testing.T) {
	var l Limiter
	if err := l.Set(Limit{Service: "kms", PerSecond: 2}); err != nil {
		t.Fatal(err)
	}
	want := []bool{true, true, false, false}
	for i, w := range want {
		if got := l.Allow(t0.Add(time.Duration(i)*100*time.Millisecond), "kms", "1", "us-east-1", "symmetric"); got != w {
			t.Errorf("request %d: %v, want %v", i, got, w)
		}
	}
	if !l.Allow(t0.Add(time.Second), "kms", "1", "us-east-1", "symmetric") {
		t.Error("the next second must serve again")
	}
	if !l.Allow(t0, "kms", "2", "us-east-1", "symmetric") {
		t.Error("another account has its own window")
	}
	if got := l.NextWindow(t0.Add(300*time.Millisecond), "kms", "1", "us-east-1", "symmetric"); got != 700*time.Millisecond {
		t.Errorf("next window in %v, want 700ms", got)
	}
}

func TestMostSpecificLimitWins(t *testing.T) {
	var l Limiter
	for _, lim := range []Limit{
		{Service: "kms", PerSecond: 1000},
		{Service: "kms", Region: "us-east-1", PerSecond: 1},
		{Service: "kms", Account: "1", PerSecond: 0},
	} {
		if err := l.Set(lim); err != nil {
			t.Fatal(err)
		}
	}
	if l.Allow(t0, "kms", "1", "eu-west-1", "symmetric") {
		t.Error("account 1 is limited to nothing")
	}
	if !l.Allow(t0, "kms", "2", "us-east-1", "symmetric") || l.Allow(t0, "kms", "2", "us-east-1", "symmetric") {
		t.Error("us-east-1 serves exactly one a second")
	}
}

func TestSlowRatesUseLongerWindows(t *testing.T) {
	var l Limiter
	if err := l.Set(Limit{Service: "kms", PerSecond: 0.5}); err != nil {
		t.Fatal(err)
	}
	got := 0
	for i := range 8 {
		if l.Allow(t0.Add(time.Duration(i)*500*time.Millisecond), "kms", "1", "r", "q") {
			got++
		}
	}
	if got != 2 {
		t.Errorf("%d requests served in four seconds at 0.5 a second, want 2", got)
	}
}

func TestUsage(t *testing.T) {
	var l Limiter
	if err := l.Set(Limit{Service: "kms", PerSecond: 1}); err != nil {
		t.Fatal(err)
	}
	l.Allow(t0, "kms", "1", "r", "q")
	l.Allow(t0, "kms", "1", "r", "q")
	u := l.Usage(t0)
	if len(u) != 1 || u[0].Allowed != 1 || u[0].Throttled != 1 || u[0].InWindow != 1 || u[0].PerSecond != 1 {
		t.Errorf("usage %+v", u)
	}
	if err := l.Set(Limit{Service: "kms", PerSecond: -1}); err == nil {
		t.Error("a negative rate was accepted")
	}
}

func TestRemove(t *testing.T) {
	var l Limiter
	all := Limit{Service: "kms", Quota: "q", PerSecond: 5}
	own := Limit{Service: "kms", Account: "1", Region: "r", Quota: "q", PerSecond: 1}
	for _, lim := range []Limit{all, own} {
		if err := l.Set(lim); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		remove  Limit
		removed bool
		want    float64
		limited bool
	}{
		{Limit{Service: "kms", Account: "2", Quota: "q"}, false, 1, true},
		{own, true, 5, true},
		{own, false, 5, true},
		{Limit{Service: "kms", Account: Any, Region: Any, Quota: "q"}, true, 0, false},
	} {
		if got := l.Remove(tt.remove); got != tt.removed {
			t.Errorf("removing %+v: %v, want %v", tt.remove, got, tt.removed)
		}
		if got, ok := l.Of("kms", "1", "r", "q"); got != tt.want || ok != tt.limited {
			t.Errorf("after removing %+v: %v, %v; want %v, %v", tt.remove, got, ok, tt.want, tt.limited)
		}
	}
}

// TestDefault: the default is what is left when nothing was set, however little
// specific what was set is.
func TestDefault(t *testing.T) {
	var l Limiter
	l.SetDefault(func(service, region, quota string) (float64, bool) { return 7, region == "r" && quota == "q" })
	if got, ok := l.Of("kms", "1", "r", "q"); got != 7 || !ok {
		t.Errorf("default %v, %v", got, ok)
	}
	if _, ok := l.Of("kms", "1", "elsewhere", "q"); ok {
		t.Error("a default where there is none")
	}
	if u := l.Usage(t0); len(u) != 0 {
		t.Errorf("usage %+v of nothing", u)
	}
	l.Allow(t0, "kms", "1", "r", "q")
	if u := l.Usage(t0); len(u) != 1 || u[0].PerSecond != 7 {
		t.Errorf("usage %+v, want the default", u)
	}
	if err := l.Set(Limit{Service: "kms", PerSecond: 3}); err != nil {
		t.Fatal(err)
	}
	if got, _ := l.Of("kms", "1", "r", "q"); got != 3 {
		t.Errorf("%v a second, want the 3 that were set for everything", got)
	}
}

func TestSetRefuses(t *testing.T) {
	var l Limiter
	for _, lim := range []Limit{{PerSecond: 1}, {Service: "kms", PerSecond: -1}, {Service: "kms", PerSecond: math.NaN()}, {Service: "kms", PerSecond: math.Inf(1)}} {
		if err := l.Set(lim); err == nil {
			t.Errorf("%+v was accepted", lim)
		}
	}
}
