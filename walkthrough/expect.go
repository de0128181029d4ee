package walkthrough

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"twinbucket/server"
)

// answer is an error as AWS sends it. An empty message is not compared.
type answer struct {
	status  int
	code    string
	message string
}

func (a answer) String() string { return fmt.Sprintf("%d %s %q", a.status, a.code, a.message) }

// served is what an action got that was not refused.
const served = "200"

// refused checks that an action is answered with want.
func refused(do action, want answer) action {
	return func(ctx context.Context, s *step) error {
		err := do(ctx, s)
		if err == nil {
			return &Mismatch{What: "answer", Want: want.String(), Got: served}
		}
		got, ok := answered(err)
		if !ok {
			return err
		}
		if want.message == "" {
			want.message = got.message
		}
		s.note = fmt.Sprintf("%d %s", got.status, got.code)
		s.detail("%s", got.message)
		return same("answer", got, want)
	}
}

// answered is the answer in an SDK's error; ok is false when there was none.
func answered(err error) (a answer, ok bool) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return a, false
	}
	a.code, a.message = api.ErrorCode(), api.ErrorMessage()
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		a.status = response.HTTPStatusCode()
	}
	return a, true
}

// denial is why a replication ends FAILED.
type denial struct {
	reason string // failureReason
	action string // the step that stopped it
	// decidedBy is the kind of policy whose allow was missing; "" when no policy decided.
	decidedBy string
	// closest is the element on which the closest statement failed, and says its value;
	// "" when no statement comes close.
	closest, says string
}

// fails waits for the object to end FAILED as want says, and shows the explanation.
func (o *object) fails(want denial) action {
	return func(ctx context.Context, s *step) error {
		if err := o.in.settled(ctx, s); err != nil {
			return err
		}
		if err := o.status("FAILED")(ctx, s); err != nil {
			return err
		}
		e, err := o.in.owner.stage.op.explain(ctx, o.in.name, o.key, o.version)
		if err != nil {
			return err
		}
		if len(e.Destinations) != 1 {
			return same("destinations of "+o.uri(), len(e.Destinations), 1)
		}
		d := &e.Destinations[0]
		s.note = "FAILED " + d.FailureReason
		s.details = append(s.details, tell(e)...)
		if err := want.check(d); err != nil {
			var m *Mismatch
			if errors.As(err, &m) {
				m.Why = tell(e)
			}
			return err
		}
		return nil
	}
}

// check holds the explanation against the denial.
func (want denial) check(d *server.DestinationTrace) error {
	if err := same("failureReason", d.FailureReason, want.reason); err != nil {
		return err
	}
	step := stopped(d)
	if step == nil {
		return &Mismatch{What: "step that stopped the replication", Want: want.action, Got: "none"}
	}
	if err := same("step that stopped the replication", step.Action, want.action); err != nil {
		return err
	}
	decidedBy := ""
	if step.Outcome == "denied" && step.DecidedBy != nil {
		decidedBy = string(step.DecidedBy.Type)
	}
	if err := same("policy that did not allow it", decidedBy, want.decidedBy); err != nil {
		return err
	}
	if want.closest == "" {
		return nil
	}
	var seen []string
	for _, n := range step.NearMiss {
		if n.FailedOn == want.closest && strings.Contains(n.Expected, want.says) {
			return nil
		}
		seen = append(seen, n.FailedOn+" "+n.Expected)
	}
	return &Mismatch{What: "closest statement", Want: want.closest + " " + want.says, Got: shown(strings.Join(seen, " or "))}
}

// stopped is the step at which an attempt ended, nil if none did.
func stopped(d *server.DestinationTrace) *server.ExplainStep {
	for i := range d.Steps {
		switch d.Steps[i].Outcome {
		case "denied", "error", "throttled":
			// Reading has an alternative that only counts when the first is denied too.
			if i+1 < len(d.Steps) && d.Steps[i+1].Action == "s3:GetObjectVersion" && d.Steps[i+1].Outcome == "allowed" {
				continue
			}
			return &d.Steps[i]
		}
	}
	return nil
}

// tell puts an explanation into a few lines: the step that stopped it, the closest
// statement, what to do.
func tell(e *server.Explanation) []string {
	var lines []string
	if e.Note != "" {
		lines = append(lines, e.Note)
	}
	for _, r := range e.Rules {
		lines = append(lines, r.Why)
	}
	for i := range e.Destinations {
		if s := stopped(&e.Destinations[i]); s != nil {
			lines = append(lines, tellStep(s)...)
		}
	}
	return lines
}

func tellStep(s *server.ExplainStep) []string {
	lines := []string{s.Action + " on " + s.Resource}
	if s.Outcome == "denied" && s.DecidedBy != nil {
		lines[0] += ": no " + string(s.DecidedBy.Type) + " allows it"
	} else if s.Message != "" {
		lines = append(lines, s.Message)
	}
	if len(s.NearMiss) > 0 {
		n := s.NearMiss[0]
		lines = append(lines,
			fmt.Sprintf("closest: %s, statement %d, line %d", n.Policy, n.Statement, n.Line),
			fmt.Sprintf("         %s says %s", n.FailedOn, n.Expected))
		if n.Hint != "" {
			lines = append(lines, "         "+n.Hint)
		}
	}
	switch f := s.Fix; {
	case f == nil:
	case f.Advice != "":
		lines = append(lines, "fix:     "+f.Advice)
	case len(s.NearMiss) == 0:
		lines = append(lines, "fix:     add to the "+f.Document, "         "+compact(f.Statement))
	}
	return lines
}

// compact puts a statement on one line; it comes indented in an answer.
func compact(statement json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, statement); err != nil {
		return string(statement)
	}
	return b.String()
}
