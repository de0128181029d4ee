// Command twinbucket runs a local S3, KMS, IAM and STS emulator that really
// replicates buckets, and talks to one that runs.
//
// Each verb stands in its own file and gets its own flags; every flag can also be
// set as TWINBUCKET_<NAME> in the environment. Failures print "error:" and, where
// something can be done, "hint:". Exit codes: 0 success, 1 failure, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
)

// version is set at build time with -ldflags "-X main.version=…".
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &cli{stdout: os.Stdout, stderr: os.Stderr, env: os.Environ()}
	code := c.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// cli is one run of the command: where it writes and what surrounds it.
type cli struct {
	stdout, stderr io.Writer
	env            []string
}

// verb is one subcommand.
type verb struct {
	name    string
	args    string
	summary string
	run     func(c *cli, ctx context.Context, args []string) error
}

// verbs in the order of the help text.
func verbs() []verb {
	return []verb{
		{"serve", "", "run the emulator", (*cli).serve},
		{"walkthrough", "[NAME]", "play a documented scenario from start to verified replica; without a name, list them", (*cli).walkthrough},
		{"explain", "s3://BUCKET/KEY", "say why a version did or did not arrive", (*cli).explain},
		{"preflight", "BUCKET", "say what would happen to an object before one is written; exit 1 if it would not replicate", (*cli).preflight},
		{"policy", "simulate|lint|generate", "decide a request by policies, find the faults of one, or make the smallest one for a principal", (*cli).policy},
		{"wait", "", "wait until nothing is waiting for replication", (*cli).wait},
		{"status", "", "show services, queue, rules and KMS use", (*cli).status},
		{"retry", "[s3://BUCKET[/KEY]]", "put FAILED versions back to PENDING", (*cli).retry},
		{"replication", "pause|resume|step", "hold, release or advance the workers", (*cli).replication},
		{"quota", "[PER-SECOND|none]", "show, set or take back a KMS request limit", (*cli).quota},
		{"clock", "[DURATION]", "show domain time, or advance it", (*cli).clock},
		{"trail", "", "list the last calls, the service's own included", (*cli).trail},
		{"reset", "", "empty the state of a running emulator", (*cli).reset},
		{"env", "", "print the environment that points clients here", (*cli).environment},
		{"version", "", "print the version", (*cli).version},
	}
}

// errUsage marks errors that exit with 2.
var errUsage = errors.New("usage")

// hinted is an error with advice on what to do.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func hint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUsage}, args...)...)
}

// main runs one verb and returns the exit code.
func (c *cli) main(ctx context.Context, args []string) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		c.help()
		return 0
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return c.report(v.run(c, ctx, args[1:]))
		}
	}
	return c.report(hint(usagef("unknown verb %q", args[0]), "twinbucket help lists the verbs"))
}

// report prints an error and turns it into an exit code.
func (c *cli) report(err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if errors.Is(err, errWouldNot) || errors.Is(err, errSaid) {
		return 1
	}
	text := strings.TrimPrefix(err.Error(), errUsage.Error()+": ")
	fmt.Fprintln(c.stderr, "error:", text)
	var h hinted
	if errors.As(err, &h) {
		fmt.Fprintln(c.stderr, "hint: ", h.hint)
	}
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

func (c *cli) help() {
	fmt.Fprint(c.stdout, "Twinbucket: a local S3, KMS and IAM that really replicates.\n\nUsage: twinbucket VERB [flags]\n\n")
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %s %s\t%s\n", v.name, v.args, v.summary)
	}
	w.Flush()
	fmt.Fprint(c.stdout, "\nFlags of a verb: twinbucket VERB -h. Every flag can be set as TWINBUCKET_<NAME>.\n")
}

// getenv looks a variable up.
func (c *cli) getenv(name string) (string, bool) {
	for _, kv := range slices.Backward(c.env) {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v, true
		}
	}
	return "", false
}

const envPrefix = "TWINBUCKET_"

func envName(flagName string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

// flags makes the flag set of a verb.
func (c *cli) flags(verb, args string) *flag.FlagSet {
	fs := flag.NewFlagSet(verb, flag.ContinueOnError)
	fs.SetOutput(c.stderr)
	fs.Usage = func() {
		fmt.Fprintf(c.stderr, "Usage: twinbucket %s [flags] %s\n\n", verb, args)
		fs.PrintDefaults()
	}
	return fs
}

// parse reads the command line, flags before or after the arguments, then the
// environment for flags that were not given. It returns the arguments.
func (c *cli) parse(fs *flag.FlagSet, args []string, maxArgs int) ([]string, error) {
	var rest []string
	fs.SetOutput(io.Discard)
	for {
		if err := fs.Parse(args); err != nil {
			fs.SetOutput(c.stderr)
			if errors.Is(err, flag.ErrHelp) {
				fs.SetOutput(c.stdout)
				fmt.Fprintf(c.stdout, "Usage: twinbucket %s [flags]\n\n", fs.Name())
				fs.PrintDefaults()
				return nil, err
			}
			return nil, hint(fmt.Errorf("%w: %v", errUsage, err), "twinbucket %s -h lists the flags", fs.Name())
		}
		if fs.NArg() == 0 {
			break
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
	if len(rest) > maxArgs {
		return nil, hint(usagef("unexpected argument %q", rest[maxArgs]), "twinbucket %s -h shows the usage", fs.Name())
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		if v, ok := c.getenv(envName(f.Name)); ok && !given[f.Name] && err == nil {
			if serr := fs.Set(f.Name, v); serr != nil {
				err = usagef("%s=%q: %v", envName(f.Name), v, serr)
			}
		}
	})
	return rest, err
}
