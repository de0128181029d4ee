package integration

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestRefusedStarts starts processes that can't work: they say why and what to do.
func TestRefusedStarts(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	running := start(t, "--data", data)
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, []byte(`{"lisen":"127.0.0.1:0"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args []string
		env  string
		code int
		want string // pattern of stderr
	}{
		{"data directory in use", []string{"serve", "--listen", "127.0.0.1:0", "--data", data}, "", 1,
			`^error: .*` + regexp.QuoteMeta(data) + ` is in use by another twinbucket \(process \d+, listening on ` + regexp.QuoteMeta(strings.TrimPrefix(running.URL, "http://")) + `\)\nhint:  stop it, or give this one its own --data and --listen\n$`},
		{"busy port", []string{"serve", "--listen", taken.Addr().String()}, "", 1, `(?m)^error: .*` + taken.Addr().String() + `.* in use.*\nhint: .*--listen`},
		{"directory that can't be made", []string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(file, "data")}, "", 1, `(?m)^error: .*` + regexp.QuoteMeta(file) + `.*\nhint: .*--data`},
		{"data is a file", []string{"serve", "--listen", "127.0.0.1:0", "--data", file}, "", 1, `(?m)^error: .*` + regexp.QuoteMeta(file) + `.*\nhint: .*--data`},
		{"unknown flag", []string{"serve", "--colour"}, "", 2, `(?m)^error: flag provided but not defined: -colour\nhint:  twinbucket serve -h lists the flags$`},
		{"unknown verb", []string{"server"}, "", 2, `(?m)^error: unknown verb "server"\nhint: `},
		{"argument too many", []string{"serve", "now"}, "", 2, `(?m)^error: unexpected argument "now"`},
		{"two stores", []string{"serve", "--memory", "--data", data}, "", 2, `--memory and --data exclude each other`},
		{"wrong value in the environment", []string{"serve"}, "TWINBUCKET_KMS_TPS=many", 2, `(?m)^error: TWINBUCKET_KMS_TPS="many"`},
		{"unknown setting in a file", []string{"serve", "--config", config}, "", 2, `(?m)^error: .*unknown setting "lisen"`},
		{"nobody answers", []string{"wait", "--endpoint", "http://127.0.0.1:1"}, "", 1, `(?m)^error: no emulator answers at http://127.0.0.1:1\nhint: `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c := exec.CommandContext(ctx, "twinbucket", tc.args...)
			c.Env = append(processEnv(), tc.env)
			var stderr strings.Builder
			c.Stderr = &stderr
			err := c.Run()
			if code := c.ProcessState.ExitCode(); err == nil || code != tc.code {
				t.Errorf("exit code %d (%v), want %d", code, err, tc.code)
			}
			if !regexp.MustCompile(tc.want).MatchString(stderr.String()) {
				t.Errorf("stderr:\n%swant a match of %s", stderr.String(), tc.want)
			}
		})
	}
}

// TestSettingsFromTheEnvironment starts a process with variables instead of flags.
func TestSettingsFromTheEnvironment(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "made", "on", "demand")
	e := launch(t, []string{"TWINBUCKET_DATA=" + data, "TWINBUCKET_ROOT_SECRET=another-secret", "TWINBUCKET_LISEN=typo"})
	line := e.await(t, "twinbucket is ready")
	if !strings.Contains(line, data) {
		t.Errorf("the data directory was not taken from the environment: %s", line)
	}
	e.await(t, "TWINBUCKET_LISEN")
	e.terminate(t)
	if code := e.exitCode(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, e.log)
	}
}

// TestStateSurvivesRestart stops and starts a process on the same directory.
func TestStateSurvivesRestart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	e := start(t, "--data", data)
	c := s3.NewFromConfig(sdkConfig(t, e, accountA, "us-east-1"), pathStyle)
	must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}))(t)
	must(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("key"), Body: strings.NewReader("hello")}))(t)
	e.stop(t)
	e = start(t, "--data", data)
	c = s3.NewFromConfig(sdkConfig(t, e, accountA, "us-east-1"), pathStyle)
	obj := must(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("key")}))(t)
	if got := read(t, obj.Body); string(got) != "hello" {
		t.Errorf("got %q, want hello", got)
	}
}

// TestSIGTERMDrains stops the process in the middle of an upload, which is still answered
// and kept.
func TestSIGTERMDrains(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	e := start(t, "--data", data)
	c := s3.NewFromConfig(sdkConfig(t, e, accountA, "us-east-1"), pathStyle)
	must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}))(t)

	const half = 1 << 20
	feed, answered := beginUpload(t, e, "/bucket/slow", 2*half)
	text := []byte(strings.Repeat("x", half))
	must(feed.Write(text))(t)
	e.terminate(t)
	e.await(t, `"msg":"stopping"`)
	must(feed.Write(text))(t)
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the upload under way ended with %v, want 200", err)
	}
	if code := e.exitCode(t); code != 0 {
		t.Errorf("exit code %d, want 0\n%s", code, e.log)
	}

	e = start(t, "--data", data)
	c = s3.NewFromConfig(sdkConfig(t, e, accountA, "us-east-1"), pathStyle)
	head := must(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bucket"), Key: aws.String("slow")}))(t)
	if got := aws.ToInt64(head.ContentLength); got != 2*half {
		t.Errorf("the object has %d bytes, want %d", got, 2*half)
	}
}

// TestSIGTERMGivesUp: a client that never ends its upload can't hold the process up.
func TestSIGTERMGivesUp(t *testing.T) {
	t.Parallel()
	e := start(t, "--drain", "200ms")
	c := s3.NewFromConfig(sdkConfig(t, e, accountA, "us-east-1"), pathStyle)
	must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}))(t)
	feed, answered := beginUpload(t, e, "/bucket/never", 1<<20)
	asked := time.Now()
	e.terminate(t)
	if code := e.exitCode(t); code != 1 {
		t.Errorf("exit code %d, want 1: a request was cut off\n%s", code, e.log)
	}
	if took := time.Since(asked); took > 20*time.Second {
		t.Errorf("the process held on for %s with --drain 200ms", took)
	}
	e.await(t, "draining requests")
	if err := feed.CloseWithError(io.ErrClosedPipe); err != nil { // the transport waits for the body's end
		t.Fatal(err)
	}
	if err := <-answered; err == nil {
		t.Error("an upload that was cut off was answered with 200")
	}
}

// beginUpload starts a PUT and returns when the server has begun to read its body: size
// bytes, which the test writes to feed. The error is nil after a 200.
func beginUpload(t *testing.T, e *emulator, path string, size int64) (feed *io.PipeWriter, answered <-chan error) {
	t.Helper()
	body, feed := io.Pipe()
	req := signed(t, http.MethodPut, e.URL+path, body, size)
	req.Header.Set("Expect", "100-continue") // is answered when the handler begins to read
	begun, end := make(chan struct{}), make(chan error, 1)
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(begun) }}))
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: patience}, Timeout: patience}
	t.Cleanup(client.CloseIdleConnections)
	go func() {
		resp, err := client.Do(req)
		if err == nil {
			if resp.Body.Close(); resp.StatusCode != http.StatusOK {
				err = errors.New(resp.Status)
			}
		}
		end <- err
	}()
	select {
	case <-begun:
	case err := <-end:
		t.Fatalf("the upload did not begin: %v", err)
	}
	return feed, end
}
