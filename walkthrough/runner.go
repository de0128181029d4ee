package walkthrough

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// textWidth is the column at which a step's outcome stands.
const textWidth = 82

// play is one performance of a walkthrough: it numbers, times and narrates the steps.
// After the first failure further steps do nothing, so that a walkthrough can be
// written as a plain list of them.
type play struct {
	*stage
	name    string
	out     io.Writer
	started time.Time
	steps   int
	failed  *Failure
}

// step is what an action can add to the narration of its step.
type step struct {
	note    string   // behind the time: PENDING
	details []string // lines below
}

func (s *step) detail(format string, args ...any) {
	s.details = append(s.details, fmt.Sprintf(format, args...))
}

// action is something done or checked; its error ends the walkthrough.
type action func(ctx context.Context, s *step) error

// Failure is the step that did not go as it goes on AWS.
type Failure struct {
	Walkthrough string
	Step        int    // counted from 1
	Text        string // what the step was about
	Err         error  // a *Mismatch, an API's error, or a transport's
}

func (f *Failure) Error() string {
	return fmt.Sprintf("walkthrough %s failed at step %d (%s): %v", f.Walkthrough, f.Step, f.Text, f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }

// Mismatch is an expectation that did not hold.
type Mismatch struct {
	What string   // what was looked at: "replication status of tax-source/Tax/a.pdf"
	Want string   // as on AWS
	Got  string   // as here
	Why  []string // the explanation of the replication, where there is one
}

func (m *Mismatch) Error() string { return fmt.Sprintf("%s: want %s, got %s", m.What, m.Want, m.Got) }

// same is a *Mismatch unless got is want.
func same[T comparable](what string, got, want T) error {
	if got == want {
		return nil
	}
	return &Mismatch{What: what, Want: shown(want), Got: shown(got)}
}

func shown(v any) string {
	if s := fmt.Sprint(v); s != "" {
		return s
	}
	return "nothing"
}

// step performs one step: who acts (nil: the service), what it is about, and the
// actions in order.
func (p *play) step(ctx context.Context, who *actor, text string, actions ...action) {
	if p.failed != nil {
		return
	}
	p.steps++
	letter := " "
	if who != nil {
		letter = who.letter
	}
	began := time.Now()
	var s step
	var err error
	for _, do := range actions {
		if err = do(ctx, &s); err != nil {
			break
		}
	}
	took := time.Since(began)
	outcome := "ok"
	if err != nil {
		outcome = "FAILED"
	}
	line := fmt.Sprintf("%3d  %s  %s%s  %-2s %6.1f ms   %s", p.steps, letter, text, pad(text), outcome, milliseconds(took), s.note)
	fmt.Fprintln(p.out, strings.TrimRight(line, " "))
	for _, d := range s.details {
		fmt.Fprintln(p.out, "          "+d)
	}
	if err != nil {
		p.failed = &Failure{Walkthrough: p.name, Step: p.steps, Text: text, Err: err}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func pad(text string) string {
	return strings.Repeat(" ", max(textWidth-utf8.RuneCountInString(text), 0))
}

// chapter prints a heading; the steps go on counting.
func (p *play) chapter(format string, args ...any) {
	if p.failed == nil {
		fmt.Fprintf(p.out, "\n"+format+"\n", args...)
	}
}

// welcome says where the walkthrough plays.
func (p *play) welcome() {
	p.started = time.Now()
	fmt.Fprintf(p.out, "Twinbucket on %s (%s)\n", p.endpoint, p.kind())
}

// cast says who plays, once the walkthrough knows.
func (p *play) cast(actors ...*actor) {
	var who []string
	for _, a := range actors {
		who = append(who, a.letter+" "+a.account)
	}
	fmt.Fprintf(p.out, "accounts: %s\n", strings.Join(who, " · "))
}

// failure is what Run returns; a nil *Failure must not become an error.
func (p *play) failure() error {
	if p.failed == nil {
		return nil
	}
	return p.failed
}

// verdict ends the narration.
func (p *play) verdict(next string) {
	took := time.Since(p.started).Seconds()
	if p.failed == nil {
		fmt.Fprintf(p.out, "\nPASS  %d steps in %.2f s.   Try next: twinbucket walkthrough %s · twinbucket serve\n", p.steps, took, next)
		return
	}
	var m *Mismatch
	if errors.As(p.failed.Err, &m) {
		fmt.Fprintf(p.out, "\n      %s\n        want  %s\n        got   %s\n", m.What, m.Want, m.Got)
		for _, line := range m.Why {
			fmt.Fprintln(p.out, "        "+line)
		}
	} else {
		fmt.Fprintf(p.out, "\n      %v\n", p.failed.Err)
	}
	fmt.Fprintf(p.out, "FAIL  at step %d after %.2f s.   Try next: %s\n", p.failed.Step, took, p.pointer())
}
