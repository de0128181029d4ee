package quota

import (
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
