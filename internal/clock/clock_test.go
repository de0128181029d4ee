package clock

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func fired(t *Timer) bool {
	select {
	case <-t.C:
		return true
	default:
		return false
	}
}

func TestManualFiresWhatIsDue(t *testing.T) {
	m := NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	now, soon, late := m.NewTimer(0), m.NewTimer(time.Minute), m.NewTimer(time.Hour)
	if !fired(now) {
		t.Error("a timer of zero did not fire at once")
	}
	stopped := m.NewTimer(time.Second)
	stopped.Stop()
	m.Advance(time.Minute)
	if !fired(soon) || fired(late) || fired(stopped) {
		t.Error("Advance(1m) must fire the one-minute timer only")
	}
	m.Advance(time.Hour)
	if !fired(late) {
		t.Error("the one-hour timer did not fire")
	}
}

func TestDomainFiresInRealTimeAndByAdvance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d Domain
		start := d.Now()
		real, far := d.NewTimer(time.Second), d.NewTimer(7*24*time.Hour)
		<-real.C // the bubble's time moves on by itself
		if got := d.Now().Sub(start); got != time.Second {
			t.Errorf("clock moved %v, want 1s", got)
		}
		d.Advance(7 * 24 * time.Hour)
		if !fired(far) {
			t.Error("advancing a week did not fire the week's timer")
		}
		if got := d.Offset(); got != 7*24*time.Hour {
			t.Errorf("offset %v, want 168h", got)
		}
		again := d.NewTimer(time.Minute)
		before := d.Now()
		<-again.C
		if got := d.Now().Sub(before); got != time.Minute {
			t.Errorf("a timer set after an advance fired after %v, want 1m", got)
		}
	})
}

func TestWaitEndsByTimeWakeOrContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d Domain
		before := d.Now()
		Wait(t.Context(), &d, time.Minute, nil)
		if got := d.Now().Sub(before); got != time.Minute {
			t.Errorf("waited %v, want 1m", got)
		}
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		Wait(t.Context(), &d, Forever, wake)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		Wait(ctx, &d, Forever, nil)
		if got := d.Now().Sub(before); got != time.Minute {
			t.Errorf("a wake-up or an ended context took %v", got-time.Minute)
		}
	})
}
