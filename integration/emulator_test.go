package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// emulator is one running binary.
type emulator struct {
	URL string

	cmd    *exec.Cmd
	client *http.Client
	log    *journal
	exited chan struct{} // closed when the process has ended and its log is read
	ended  bool          // the test itself stopped or killed it
}

// journal collects the lines that a process logs and lets tests wait for one.
type journal struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and replaced with every line
	done  bool
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	close(j.more)
	j.more = make(chan struct{})
}

func (j *journal) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.done = true
	close(j.more)
	j.more = make(chan struct{})
}

// find returns the first line that holds text; more tells when to look again, done
// that there will be no more lines.
func (j *journal) find(text string) (line string, more <-chan struct{}, done bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if at := slices.IndexFunc(j.lines, func(l string) bool { return strings.Contains(l, text) }); at >= 0 {
		return j.lines[at], j.more, j.done
	}
	return "", j.more, j.done
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, "\n")
}

// patience bounds every wait for a process: longer means that something hangs.
const patience = time.Minute

// start runs `twinbucket serve` on a free port with further flags and waits until it
// is ready. When the test ends the emulator is checked and stopped.
func start(tb testing.TB, args ...string) *emulator {
	tb.Helper()
	e := launch(tb, nil, args...)
	tb.Cleanup(func() {
		if !e.ended {
			e.stop(tb)
		}
	})
	var ready struct{ Endpoint string }
	if err := json.Unmarshal([]byte(e.await(tb, "twinbucket is ready")), &ready); err != nil || ready.Endpoint == "" {
		tb.Fatalf("the startup line has no endpoint: %v\n%s", err, e.log)
	}
	e.URL = ready.Endpoint
	return e
}

// launch runs `twinbucket serve` and waits for nothing.
func launch(tb testing.TB, env []string, args ...string) *emulator {
	tb.Helper()
	e := &emulator{
		cmd:    exec.Command("twinbucket", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...),
		client: &http.Client{Transport: &http.Transport{}, Timeout: patience},
		log:    &journal{more: make(chan struct{})},
		exited: make(chan struct{}),
	}
	e.cmd.Env = append(processEnv(), env...)
	stderr, err := e.cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		defer close(e.exited)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			e.log.add(lines.Text())
		}
		_, _ = io.Copy(io.Discard, stderr) // after a line that is too long: never block the process
		_ = e.cmd.Wait()                   // the exit code is read from ProcessState
		e.log.end()
	}()
	tb.Cleanup(func() {
		_ = e.cmd.Process.Kill() // an error means that it has ended, as it should
		<-e.exited
		e.client.CloseIdleConnections()
	})
	return e
}

// processEnv is the environment of processes that must not inherit settings.
func processEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "AWS_") || strings.HasPrefix(kv, "TWINBUCKET_")
	})
}

// await returns the first log line that holds text.
func (e *emulator) await(tb testing.TB, text string) string {
	tb.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		line, more, done := e.log.find(text)
		if line != "" {
			return line
		}
		if done {
			tb.Fatalf("the process ended without saying %q:\n%s", text, e.log)
		}
		select {
		case <-more:
		case <-timeout.C:
			tb.Fatalf("the process did not say %q within %s:\n%s", text, patience, e.log)
		}
	}
}

// stop checks the emulator, ends it by SIGTERM and expects exit code 0 and a log
// without errors.
func (e *emulator) stop(tb testing.TB) {
	tb.Helper()
	if e.URL != "" {
		e.check(tb)
	}
	e.terminate(tb)
	if code := e.exitCode(tb); code != 0 {
		tb.Errorf("SIGTERM ended the emulator with exit code %d, want 0\n%s", code, e.log)
	}
	e.quiet(tb)
}

// quiet expects that an ended process has logged no error, race or panic.
func (e *emulator) quiet(tb testing.TB) {
	tb.Helper()
	for _, bad := range []string{`"level":"ERROR"`, "DATA RACE", "panic"} {
		if line, _, _ := e.log.find(bad); line != "" {
			tb.Errorf("the emulator logged: %s", line)
		}
	}
}

func (e *emulator) terminate(tb testing.TB) {
	tb.Helper()
	e.ended = true
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Errorf("SIGTERM: %v\n%s", err, e.log)
	}
}

// kill ends the emulator as a crash would: kill -9.
func (e *emulator) kill(tb testing.TB) {
	tb.Helper()
	e.ended = true
	if err := e.cmd.Process.Kill(); err != nil {
		tb.Fatalf("kill -9: %v\n%s", err, e.log)
	}
	<-e.exited
	e.client.CloseIdleConnections()
	e.quiet(tb)
}

// exitCode waits for the end of the process.
func (e *emulator) exitCode(tb testing.TB) int {
	tb.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-e.exited:
		return e.cmd.ProcessState.ExitCode()
	case <-timeout.C:
		tb.Fatalf("the process did not end within %s:\n%s", patience, e.log)
		return -1
	}
}

// operate sends one operator call and decodes its JSON answer into out, unless nil.
func (e *emulator) operate(tb testing.TB, method, path string, out any) int {
	tb.Helper()
	req, err := http.NewRequest(method, e.URL+"/_twinbucket/"+path, nil)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", method, path, err, e.log)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, path, err)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			tb.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
	return resp.StatusCode
}

// idle waits until nothing waits for replication.
func (e *emulator) idle(tb testing.TB) {
	tb.Helper()
	var left json.RawMessage
	if code := e.operate(tb, "POST", "replication/wait?timeout=50s", &left); code != http.StatusOK {
		tb.Fatalf("replication does not come to rest:\n%s", left)
	}
}

// check expects that the whole store agrees with itself.
func (e *emulator) check(tb testing.TB) {
	tb.Helper()
	e.operate(tb, "POST", "replication/pause", nil)
	var report struct{ Problems []string }
	if code := e.operate(tb, "GET", "check", &report); code != http.StatusOK || len(report.Problems) > 0 {
		tb.Errorf("the store does not agree with itself (%d):\n%s", code, strings.Join(report.Problems, "\n"))
	}
}

// Accounts of the documents, with the Regions of their profiles.
const (
	accountA = "111122223333" // us-east-1
	accountB = "444455556666" // us-west-2
	accountC = "589512693537" // default, us-east-1
)

// clientEnv writes the aws configuration into dir and returns the variables that
// point the CLI and the SDKs to e.
func clientEnv(tb testing.TB, dir string, e *emulator) []string {
	tb.Helper()
	var config bytes.Buffer
	for _, p := range []struct{ section, account, region string }{
		{"default", accountC, "us-east-1"}, {"profile accountA", accountA, "us-east-1"}, {"profile accountB", accountB, "us-west-2"},
	} {
		fmt.Fprintf(&config, "[%s]\nregion = %s\naws_access_key_id = %s\naws_secret_access_key = test\ncli_pager =\n", p.section, p.region, p.account)
	}
	path := filepath.Join(dir, ".aws-config")
	if err := os.WriteFile(path, config.Bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return []string{
		"AWS_CONFIG_FILE=" + path, "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, ".aws-credentials"),
		"AWS_ENDPOINT_URL=" + e.URL, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "TWINBUCKET_ENDPOINT=" + e.URL, "LC_ALL=C.UTF-8",
	}
}
