package walkthrough

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func act(err error, note string) action {
	return func(_ context.Context, s *step) error {
		s.note = note
		s.detail("a line for %s", note)
		return err
	}
}

func performance(t *testing.T) (*play, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	return &play{stage: &stage{endpoint: "http://127.0.0.1:1", suffix: "-x"}, name: "test", out: &out}, &out
}

// TestFailureEndsTheWalkthrough: later steps do nothing, and the verdict shows want and got.
func TestFailureEndsTheWalkthrough(t *testing.T) {
	p, out := performance(t)
	a := p.actor("A", accountA)
	want := &Mismatch{What: "status", Want: "COMPLETED", Got: "FAILED", Why: []string{"because of this"}}
	p.step(t.Context(), a, "goes well", act(nil, "PENDING"))
	p.step(t.Context(), nil, "goes wrong", act(nil, "first"), act(want, "second"), act(nil, "third"))
	p.chapter("never reached")
	p.step(t.Context(), a, "never done", act(errors.New("must not run"), ""))
	p.verdict("other")

	var f *Failure
	if !errors.As(p.failure(), &f) {
		t.Fatalf("got %v, want a *Failure", p.failure())
	}
	if diff := cmp.Diff(*f, Failure{Walkthrough: "test", Step: 2, Text: "goes wrong", Err: want}, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
		t.Errorf("failure (-got +want):\n%s", diff)
	}
	for _, text := range []string{"PENDING", "a line for second", "want  COMPLETED", "got   FAILED", "because of this", "FAIL  at step 2"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the narration lacks %q:\n%s", text, out)
		}
	}
	for _, text := range []string{"never", "third", "PASS"} {
		if strings.Contains(out.String(), text) {
			t.Errorf("the narration has %q:\n%s", text, out)
		}
	}
}

func TestNoFailureIsNoError(t *testing.T) {
	p, out := performance(t)
	p.step(t.Context(), nil, "goes well", act(nil, ""))
	p.verdict("other")
	if err := p.failure(); err != nil {
		t.Errorf("got %v", err)
	}
	if !strings.HasPrefix(lastLine(out.String()), "PASS  1 steps") {
		t.Errorf("verdict: %q", lastLine(out.String()))
	}
}

// TestEdits: the mistakes are made by these.
func TestEdits(t *testing.T) {
	const policy = `{"Version": "2012-10-17", "Statement": [{"Action": ["kms:Decrypt"]}, {"Action": ["kms:Encrypt"]}]}`
	if got := without("kms:Decrypt")(policy); strings.Contains(got, "Decrypt") || !strings.Contains(got, "Encrypt") {
		t.Errorf("without: got %s", got)
	}
	if got := all(replace("Decrypt", "A"), replace("Encrypt", "B"))(policy); got != strings.NewReplacer("Decrypt", "A", "Encrypt", "B").Replace(policy) {
		t.Errorf("all: got %s", got)
	}
	for name, broken := range map[string]func(){
		"replace of nothing":  func() { replace("s3:None", "")(policy) },
		"without nothing":     func() { without("s3:None")(policy) },
		"unknown placeholder": func() { placeholders{}.fill("${nobody}") },
		"unknown document":    func() { template("none.json") },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "walkthrough: ") {
					t.Errorf("%s: got panic %q", name, text)
				}
			}()
			broken()
		}()
	}
}

func TestDigits(t *testing.T) {
	for range 100 {
		if got := digits(12); len(got) != 12 || got[0] == '0' {
			t.Fatalf("got %q", got)
		}
	}
}
