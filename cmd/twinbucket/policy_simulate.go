package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"twinbucket/server"
)

// simulateFlags is what the command line of a simulation says.
type simulateFlags struct {
	server.Simulation
	actions, resources []string
	live, json         bool
	files              int // policies given
}

func (c *cli) simulateFlags(fs *flag.FlagSet) *simulateFlags {
	f := &simulateFlags{}
	f.Context = map[string][]string{}
	fs.StringVar(&f.Principal, "principal", "", "`ARN` of a user, role, role session or account root; a service such as s3.amazonaws.com; or anonymous")
	list := func(name, usage string, to *[]string) {
		fs.Func(name, usage+"; may be repeated", func(v string) error { *to = append(*to, v); return nil })
	}
	list("action", "`service:Name` to decide", &f.actions)
	list("resource", "`ARN` acted on; default *", &f.resources)
	fs.StringVar(&f.ResourceAccount, "resource-account", "", "`account` that owns the resource; default: the ARN's, or the principal's")
	fs.Func("context", "condition key as `key=value`; may be repeated, also for further values of one key", func(v string) error {
		key, value, ok := strings.Cut(v, "=")
		if !ok || key == "" {
			return errors.New("it takes key=value")
		}
		f.Context[key] = append(f.Context[key], value)
		return nil
	})
	policies := func(name, usage string, to *[]server.PolicyText) {
		fs.Func(name, "`file` of "+usage+"; may be repeated", func(v string) error {
			text, err := f.read(v)
			*to = append(*to, text)
			return err
		})
	}
	policies("identity", "an identity policy of the principal", &f.Identity)
	policies("boundary", "a permissions boundary", &f.Boundary)
	policies("session", "a session policy", &f.Session)
	policies("resource-policy", "the bucket, key or trust policy", &f.ResourcePolicy)
	levels := func(name, usage string, to *[][]server.PolicyText) {
		fs.Func(name, "`files` of the "+usage+" policies of one level, with commas between; repeat it for every level from the root down; FullAWSAccess is AWS's", func(v string) error {
			var level []server.PolicyText
			for _, name := range strings.Split(v, ",") {
				text, err := f.read(name)
				if err != nil {
					return err
				}
				level = append(level, text)
			}
			*to = append(*to, level)
			return nil
		})
	}
	levels("scp", "service control", &f.SCP)
	levels("rcp", "resource control", &f.RCP)
	fs.BoolVar(&f.live, "live", false, "ask a running emulator: its policies decide, with the given ones on top (the default without any file)")
	fs.BoolVar(&f.json, "json", false, "print the decisions as JSON")
	return f
}

const everythingAllowed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func (f *simulateFlags) read(path string) (server.PolicyText, error) {
	f.files++
	if path == "FullAWSAccess" || path == "RCPFullAWSAccess" {
		return server.PolicyText{Name: path, Document: everythingAllowed}, nil
	}
	text, err := readPolicy(path)
	return server.PolicyText{Name: filepath.ToSlash(path), Document: text}, err
}

// policySimulate decides each action on each resource. The exit status is 1 when any is denied.
func (c *cli) policySimulate(ctx context.Context, args []string) error {
	fs := c.flags("policy simulate", "")
	op := c.operatorFlags(fs)
	f := c.simulateFlags(fs)
	if _, err := c.parse(fs, args, 0); err != nil {
		return err
	}
	if f.Principal == "" || len(f.actions) == 0 {
		return hint(usagef("simulate needs --principal and --action"),
			"twinbucket policy simulate --principal arn:aws:iam::111122223333:role/crr --action s3:GetObject --resource arn:aws:s3:::bucket/key --identity role.json")
	}
	if len(f.resources) == 0 {
		f.resources = []string{"*"}
	}
	var results []*server.SimulationResult
	denied := false
	for _, action := range f.actions {
		for _, resource := range f.resources {
			r, err := f.decide(ctx, op, action, resource)
			if err != nil {
				return err
			}
			results, denied = append(results, r), denied || r.Outcome != "allowed"
		}
	}
	if f.json {
		if err := c.printJSON(results); err != nil {
			return err
		}
	} else {
		for _, r := range results {
			writeSimulation(c.stdout, r)
		}
	}
	if denied {
		return errSaid
	}
	return nil
}

// decide asks the emulator, or the given files alone.
func (f *simulateFlags) decide(ctx context.Context, op *operator, action, resource string) (*server.SimulationResult, error) {
	s := f.Simulation
	s.Action, s.Resource = action, resource
	if !f.live && f.files > 0 {
		r, err := server.SimulatePolicy(&s)
		if err != nil {
			return nil, hint(fmt.Errorf("%w: %v", errUsage, err), "twinbucket policy lint FILE tells more about a policy")
		}
		return r, nil
	}
	r := &server.SimulationResult{}
	return r, op.call(ctx, "POST", "policy/simulate", nil, &s, r)
}

// writeSimulation prints a decision: the verdict first, then the layers, what is closest
// to an allow, and what the request lacks.
func writeSimulation(w io.Writer, r *server.SimulationResult) {
	mark := "✗"
	if r.Outcome == "allowed" {
		mark = "✓"
	}
	fmt.Fprintf(w, "%s %s  %s on %s\n", mark, r.Outcome, r.Action, r.Resource)
	if by := r.DecidedBy; by.Statement > 0 {
		fmt.Fprintf(w, "    by %s %s, statement %d%s, line %d:%d\n", by.Type, by.Policy, by.Statement, sid(by.Sid), by.Line, by.Column)
	} else if r.Outcome == "allowed" {
		fmt.Fprintf(w, "    by %s %s\n", by.Type, by.Policy)
	}
	if r.Message != "" {
		fmt.Fprintf(w, "    %s\n", r.Message)
	}
	for _, l := range r.Layers {
		fmt.Fprintf(w, "    %-24s %-13s %s\n", l.Type, l.Verdict, looked(l.Statements))
	}
	for i, n := range r.NearMisses {
		label := "also:   "
		if i == 0 {
			label = "closest:"
		}
		fmt.Fprintf(w, "    %s %s, statement %d%s, line %d:%d: %s says %q, the request has %q\n", label, n.Policy, n.Statement, sid(n.Sid), n.Line, n.Column, n.FailedOn, n.Expected, n.Got)
		if n.Hint != "" {
			fmt.Fprintf(w, "             %s\n", n.Hint)
		}
		if n.Fix != "" {
			fmt.Fprintf(w, "             fix: write %q\n", n.Fix)
		}
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(w, "    not given: %s\n", strings.Join(r.Missing, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(r.Context)) {
		fmt.Fprintf(w, "      %s = %s\n", key, strings.Join(r.Context[key], ", "))
	}
}

func sid(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf(" %q", s)
}

func looked(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 statement"
	}
	return fmt.Sprintf("%d statements", n)
}
