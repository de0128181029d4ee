// Package kvfault wraps a [kv.Engine] with faults that tests and operators set at run time.
//
//	faults := new(kvfault.Injector)
//	engine = kvfault.Wrap(engine, faults)
//	lost := faults.Add(kvfault.Rule{At: kvfault.Committed, Err: errLost, Count: 1})
//	…
//	faults.List() // what is set, how often each was asked and fired
//	faults.Remove(lost)
//
// A nil Injector means none: Wrap then returns the engine itself.
package kvfault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"twinbucket/store/kv"
)

// Point is a moment at which a fault can happen.
type Point int

const (
	// View is before the function of a View runs.
	View Point = iota
	// Update is before anything of an Update happens: an error means nothing was written.
	Update
	// Committed is after an Update committed, before its caller hears of it: an error hides a
	// success, and is reported as kv.ErrUncertain with the rule's error as cause.
	Committed
)

func (p Point) String() string {
	switch p {
	case View:
		return "view"
	case Update:
		return "update"
	case Committed:
		return "committed"
	}
	return fmt.Sprintf("point %d", int(p))
}

// Rule is one fault. It fires at its point, after Skip passes, Count times, each time with its
// probability.
type Rule struct {
	Name string // free text for lists
	At   Point
	// Err is returned to the caller. nil injects only a delay.
	Err error
	// Delay is called when the rule fires, before Err is returned, for instance to wait on a
	// clock; an error of its own, such as ctx's, takes the place of Err. nil does not wait.
	Delay func(ctx context.Context) error
	// Skip is how many times the point is passed before the rule may fire.
	Skip int
	// Count is how often the rule fires; 0 is without end.
	Count int
	// Probability is the chance to fire, above 0 and below 1; every other value is certainty.
	Probability float64
	// Rand decides by Probability; nil is a source of the process.
	Rand *rand.Rand
	// Off switches the rule off without removing it; see Injector.Switch.
	Off bool
}

func (r Rule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %s", r.At)
	if r.Name != "" {
		fmt.Fprintf(&b, " %q", r.Name)
	}
	if r.Delay != nil {
		b.WriteString(" delay")
	}
	if r.Err != nil {
		fmt.Fprintf(&b, " fail with %q", r.Err)
	}
	if r.certain() {
		b.WriteString(" always")
	} else {
		fmt.Fprintf(&b, " with probability %g", r.Probability)
	}
	if r.Skip > 0 {
		fmt.Fprintf(&b, " after %d", r.Skip)
	}
	if r.Count > 0 {
		fmt.Fprintf(&b, " at most %d times", r.Count)
	}
	if r.Off {
		b.WriteString(" (off)")
	}
	return b.String()
}

func (r Rule) certain() bool { return r.Probability <= 0 || r.Probability >= 1 }

// ID names a rule within its Injector.
type ID int

// Status is a rule with its counters.
type Status struct {
	ID    ID
	Rule  Rule
	Seen  int // times its point was passed while it was on
	Fired int
}

// Injector holds rules. The zero value has none. It is safe for concurrent use.
type Injector struct {
	mu    sync.Mutex
	next  ID
	rules []*Status
}

// Add adds a rule behind the others.
func (in *Injector) Add(r Rule) ID {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.next++
	in.rules = append(in.rules, &Status{ID: in.next, Rule: r})
	return in.next
}

// Remove removes a rule, or reports that there is none of that id.
func (in *Injector) Remove(id ID) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, s := range in.rules {
		if s.ID == id {
			in.rules = append(in.rules[:i:i], in.rules[i+1:]...)
			return true
		}
	}
	return false
}

// Switch turns a rule on or off, or reports that there is none of that id.
func (in *Injector) Switch(id ID, on bool) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, s := range in.rules {
		if s.ID == id {
			s.Rule.Off = !on
			return true
		}
	}
	return false
}

// Clear removes all rules.
func (in *Injector) Clear() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.rules = nil
}

// List returns the rules in order, with their counters.
func (in *Injector) List() []Status {
	in.mu.Lock()
	defer in.mu.Unlock()
	list := make([]Status, len(in.rules))
	for i, s := range in.rules {
		list[i] = *s
	}
	return list
}

// String returns one line per rule.
func (in *Injector) String() string {
	var b strings.Builder
	for _, s := range in.List() {
		fmt.Fprintf(&b, "%d: %s: fired %d of %d\n", s.ID, s.Rule, s.Fired, s.Seen)
	}
	return b.String()
}

// pass is called at a point. All rules that fire delay, in order; the first error is returned.
func (in *Injector) pass(ctx context.Context, at Point) error {
	var first error
	for _, r := range in.fire(at) {
		err := r.Err
		if r.Delay != nil {
			if delayErr := r.Delay(ctx); delayErr != nil {
				err = delayErr
			}
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// fire returns the rules that fire now and counts them. Delays must not run under the lock.
func (in *Injector) fire(at Point) []Rule {
	in.mu.Lock()
	defer in.mu.Unlock()
	var fired []Rule
	for _, s := range in.rules {
		r := &s.Rule
		if r.At != at || r.Off {
			continue
		}
		s.Seen++
		if s.Seen <= r.Skip || r.Count > 0 && s.Fired >= r.Count || !r.chance() {
			continue
		}
		s.Fired++
		fired = append(fired, *r)
	}
	return fired
}

func (r *Rule) chance() bool {
	switch {
	case r.certain():
		return true
	case r.Rand != nil:
		return r.Rand.Float64() < r.Probability
	}
	return rand.Float64() < r.Probability
}

// Wrap returns e with the faults of in. Watch and Close are never disturbed.
func Wrap(e kv.Engine, in *Injector) kv.Engine {
	if in == nil {
		return e
	}
	return &engine{Engine: e, in: in}
}

type engine struct {
	kv.Engine
	in *Injector
}

var _ kv.Engine = (*engine)(nil)

// View implements kv.Engine.
func (e *engine) View(ctx context.Context, fn func(kv.Reader) error) error {
	if err := e.in.pass(ctx, View); err != nil {
		return err
	}
	return e.Engine.View(ctx, fn)
}

// Update implements kv.Engine.
func (e *engine) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if err := e.in.pass(ctx, Update); err != nil {
		return err
	}
	if err := e.Engine.Update(ctx, fn); err != nil {
		return err
	}
	if err := e.in.pass(ctx, Committed); err != nil {
		return fmt.Errorf("%w: %w", kv.ErrUncertain, err)
	}
	return nil
}
