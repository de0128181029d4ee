package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// typed is one command of the README with the output it shows.
type typed struct {
	line    int // in README.md
	command string
	want    []string
}

// TestReadmeSession runs the console blocks of the README in one shell, in order, and
// compares what they print with what the README shows.
func TestReadmeSession(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	session := consoleBlocks(string(text))
	if len(session) < 10 {
		t.Fatalf("the README's console blocks hold %d commands: has the fence changed?", len(session))
	}
	e, dir := start(t), t.TempDir()
	var script strings.Builder
	for i, c := range session {
		// Braces, not a subshell: variables live on. The status file says how far it came.
		fmt.Fprintf(&script, "{ %s\n} </dev/null >%s/%d.out 2>&1\necho $? >%s/%d.status\n", c.command, dir, i, dir, i)
	}
	bash := exec.CommandContext(t.Context(), "bash")
	bash.Stdin, bash.Dir = strings.NewReader(script.String()), dir
	bash.Env = append(processEnv(), "HOME="+dir, "TWINBUCKET_ENDPOINT="+e.URL, "AWS_EC2_METADATA_DISABLED=true", "LC_ALL=C.UTF-8")
	if out, err := bash.CombinedOutput(); err != nil {
		t.Fatalf("bash: %v\n%s", err, out)
	}
	for i, c := range session {
		out := readTrimmed(t, filepath.Join(dir, strconv.Itoa(i)+".out"))
		if status := readTrimmed(t, filepath.Join(dir, strconv.Itoa(i)+".status")); status != "0" {
			t.Fatalf("README.md:%d: $ %s\nexit code %s\n%s", c.line, c.command, status, out)
		}
		if out != "" {
			out += "\n"
		}
		if !pattern(c.want).MatchString(out) {
			t.Errorf("README.md:%d: $ %s\ngot:\n%s\nwant:\n%s", c.line, c.command, out, strings.Join(c.want, "\n"))
		}
	}
}

func readTrimmed(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(b), "\n")
}

// consoleBlocks takes the commands out of ```console fences: "$ " begins a command,
// other lines are its output.
func consoleBlocks(markdown string) []typed {
	var out []typed
	inside := false
	for i, line := range strings.Split(markdown, "\n") {
		switch command, prompt := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && prompt:
			out = append(out, typed{line: i + 1, command: command})
		case inside && len(out) > 0:
			last := &out[len(out)-1]
			last.want = append(last.want, line)
		}
	}
	return out
}

// pattern matches what the README shows: a line that is only … stands for any lines,
// none included, … within a line for any text.
func pattern(want []string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for _, line := range want {
		if line == "…" {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + `\n`)
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

func TestReadmePattern(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, out string
		want      []string
		match     bool
	}{
		{"nothing shown, nothing printed", "", nil, true},
		{"nothing shown, something printed", "x\n", nil, false},
		{"exact", "a.b\n", []string{"a.b"}, true},
		{"a dot is a dot", "axb\n", []string{"a.b"}, false},
		{"within a line", "id 12 ok\n", []string{"id … ok"}, true},
		{"not over lines", "id\n12 ok\n", []string{"id … ok"}, false},
		{"any lines", "a\nb\nc\nd\n", []string{"a", "…", "d"}, true},
		{"any lines, none", "a\nd\n", []string{"a", "…", "d"}, true},
		{"the rest", "a\nb\n", []string{"…"}, true},
		{"missing line", "a\n", []string{"a", "b"}, false},
	} {
		if got := pattern(tc.want).MatchString(tc.out); got != tc.match {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.match)
		}
	}
}
