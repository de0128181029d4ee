package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts types the walkthrough documents, their pitfalls and the everyday use of
// S3 with the real aws CLI. Each script has an emulator of its own; its file serve.flags,
// when it has one, holds flags for it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			flags, err := os.ReadFile(filepath.Join(env.WorkDir, "serve.flags"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			e := start(tb, strings.Fields(string(flags))...)
			env.Vars = append(env.Vars, clientEnv(tb, env.WorkDir, e)...)
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"aws":        program("aws"),
			"twinbucket": program("twinbucket"),
			"capture":    capture,
			"profile":    profile,
			"fill":       fill,
			"json":       compareJSON,
			"get":        get,
		},
	})
}

// program runs a program as typed; "!" says that it must fail.
func program(name string) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		err := ts.Exec(name, args...)
		switch {
		case err == nil && neg:
			ts.Fatalf("unexpected success of %s %s", name, strings.Join(args, " "))
		case err != nil && !neg:
			ts.Fatalf("%s: %v", name, err)
		}
	}
}

// capture VAR keeps what the last program printed, as VAR=$(…) does.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: capture VAR")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// profile NAME adds the credentials that the last program printed, two or three words, to
// the CLI's configuration.
func profile(ts *testscript.TestScript, neg bool, args []string) {
	words := strings.Fields(ts.ReadFile("stdout"))
	if neg || len(args) != 1 || len(words) < 2 || len(words) > 3 {
		ts.Fatalf("usage: profile NAME, after a program that prints credentials as text")
	}
	f, err := os.OpenFile(ts.Getenv("AWS_CONFIG_FILE"), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	defer f.Close()
	fmt.Fprintf(f, "[profile %s]\nregion = us-east-1\naws_access_key_id = %s\naws_secret_access_key = %s\n", args[0], words[0], words[1])
	if len(words) == 3 {
		fmt.Fprintf(f, "aws_session_token = %s\n", words[2])
	}
}

// fill FILE OLD NEW … fills placeholders: it replaces each OLD, which must be there.
func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args)%2 == 0 {
		ts.Fatalf("usage: fill FILE OLD NEW [OLD NEW]…")
	}
	text := ts.ReadFile(args[0])
	for i := 1; i < len(args); i += 2 {
		if !strings.Contains(text, args[i]) {
			ts.Fatalf("%s has no %q to fill", args[0], args[i])
		}
		text = strings.ReplaceAll(text, args[i], args[i+1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// compareJSON is `json FILE PATH WANT`: the value at a dotted path, written as text,
// must be WANT; with "!" it must not. Numbers in the path index arrays, -1 is the last.
func compareJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH WANT")
	}
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &v); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	v, err := follow(v, strings.Split(args[1], "."))
	if err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	got, ok := v.(string)
	if !ok {
		b, err := json.Marshal(v)
		ts.Check(err)
		got = string(b)
	}
	if (got == args[2]) == neg {
		ts.Fatalf("%s: %s is %s, want %s (negated: %v)", args[0], args[1], got, args[2], neg)
	}
}

func follow(v any, path []string) (any, error) {
	for _, name := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			at, err := strconv.Atoi(name)
			if err == nil && at < 0 {
				at += len(x)
			}
			if err != nil || at < 0 || at >= len(x) {
				return nil, fmt.Errorf("no element %s in an array of %d", name, len(x))
			}
			v = x[at]
		default:
			return nil, fmt.Errorf("%s is looked for in %v", name, v)
		}
	}
	return v, nil
}

// get URL STATUS FILE fetches as a client without credentials does.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: get URL STATUS FILE")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Get(args[0])
	ts.Check(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if strconv.Itoa(resp.StatusCode) != args[1] {
		ts.Fatalf("GET answered %s, want %s\n%s", resp.Status, args[1], b)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b, 0o600))
}
