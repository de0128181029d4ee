package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/server"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// do runs one command line and returns what it printed and its exit code.
func do(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	c := &cli{stdout: &out, stderr: &errs, env: env}
	code = c.main(t.Context(), args)
	return out.String(), errs.String(), code
}

func TestErrorsSayWhatToDo(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for _, tt := range []struct {
		name string
		args []string
		env  []string
		code int
		has  []string
	}{
		{"unknown verb", []string{"serv"}, nil, 2, []string{`error: unknown verb "serv"`, "hint:", "twinbucket help"}},
		{"unknown flag", []string{"serve", "--prot", "1"}, nil, 2, []string{"error:", "-prot", "twinbucket serve -h"}},
		{"stray argument", []string{"serve", "now"}, nil, 2, []string{`unexpected argument "now"`}},
		{"bad environment", []string{"serve"}, []string{"TWINBUCKET_KMS_TPS=many"}, 2, []string{`TWINBUCKET_KMS_TPS="many"`}},
		{"contradiction", []string{"serve", "--memory", "--data", "x"}, nil, 2, []string{"exclude each other"}},
		{"log level", []string{"serve", "--log-level", "loud"}, nil, 2, []string{"debug, info, warn or error"}},
		{"config file missing", []string{"serve", "--config", "/nonexistent.json"}, nil, 1, []string{"nonexistent.json", "hint:"}},
		{"issuer without keys", []string{"serve", "--oidc-issuer", "https://issuer.example.com"}, nil, 2, []string{"https://ISSUER=FILE"}},
		{"issuer that is no URL", []string{"serve", "--oidc-issuer", "issuer=keys.json"}, nil, 2, []string{"https://ISSUER=FILE"}},
		{"issuer's file missing", []string{"serve", "--oidc-issuer", "https://issuer.example.com=/nonexistent.json"}, nil, 2, []string{"nonexistent.json"}},
		{"issuer's file without keys", []string{"serve", "--listen", "127.0.0.1:0", "--oidc-issuer", "https://issuer.example.com=main.go"}, nil, 1, []string{`OpenID Connect issuer "https://issuer.example.com"`}},
		{"nobody listens", []string{"status", "--endpoint", dead.URL}, nil, 1, []string{"no emulator answers at " + dead.URL, "twinbucket serve"}},
		{"not an endpoint", []string{"status", "--endpoint", "::"}, nil, 2, []string{"not a URL"}},
		{"explain nothing", []string{"explain"}, nil, 2, []string{"explain what?", "s3://bucket/key"}},
		{"explain a bucket", []string{"explain", "s3://b"}, nil, 2, []string{"names no key"}},
		{"explain a path", []string{"explain", "b/k"}, nil, 2, []string{"not an S3 URL"}},
		{"retry a path", []string{"retry", "b/k"}, nil, 2, []string{"not an S3 URL"}},
		{"workers told nothing", []string{"replication"}, nil, 2, []string{"pause, resume or step"}},
		{"workers told nonsense", []string{"replication", "faster"}, nil, 2, []string{`unknown order "faster"`}},
		{"quota of words", []string{"quota", "lots"}, nil, 2, []string{`"lots" is not a rate`}},
		{"unknown walkthrough", []string{"walkthrough", "nowhere"}, nil, 2, []string{"nowhere", "hint:"}},
	} {
		_, stderr, code := do(t, tt.env, tt.args...)
		if code != tt.code {
			t.Errorf("%s: exit %d, want %d: %s", tt.name, code, tt.code, stderr)
		}
		for _, want := range tt.has {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: %q is not in %q", tt.name, want, stderr)
			}
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	out, _, code := do(t, nil)
	for _, v := range verbs() {
		if !strings.Contains(out, "  "+v.name) {
			t.Errorf("help does not list %s", v.name)
		}
	}
	if code != 0 {
		t.Errorf("help exits %d", code)
	}
	if out, _, code := do(t, nil, "serve", "-h"); code != 0 || !strings.Contains(out, "-kms-tps") {
		t.Errorf("serve -h: exit %d, %q", code, out)
	}
	if out, _, _ := do(t, nil, "version"); !strings.HasPrefix(out, "twinbucket ") {
		t.Errorf("version: %q", out)
	}
}

func TestSettingsComeFromFlagThenEnvironmentThenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(`{"kms-tps": 7, "listen": "127.0.0.1:1", "workers": 3, "domain": ["a.example", "b.example"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &cli{stdout: io.Discard, stderr: io.Discard, env: []string{"TWINBUCKET_LISTEN=127.0.0.1:2", "TWINBUCKET_WORKERS=4"}}
	fs := c.flags("serve", "")
	cfg, _, _, _, _ := serveFlags(fs)
	if _, err := c.parse(fs, []string{"--workers", "5", "--config", file}, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.applyConfig(fs, file); err != nil {
		t.Fatal(err)
	}
	got := []any{cfg.Workers, cfg.Listen, cfg.KMSPerSecond, cfg.Domains}
	if diff := cmp.Diff([]any{5, "127.0.0.1:2", 7.0, []string{"a.example", "b.example"}}, got); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(file, []byte(`{"kms_tps": 7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.applyConfig(fs, file); err == nil || !strings.Contains(err.Error(), `unknown setting "kms_tps"`) {
		t.Errorf("unknown setting: %v", err)
	}
}

func TestEnvPointsClientsHere(t *testing.T) {
	out, _, _ := do(t, []string{"AWS_ENDPOINT_URL=http://127.0.0.1:9"}, "env", "--account", "111122223333", "--region", "eu-west-1")
	for _, want := range []string{`AWS_ENDPOINT_URL="http://127.0.0.1:9"`, `AWS_ACCESS_KEY_ID="111122223333"`, `AWS_REGION="eu-west-1"`} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
}

// TestExplainText pins what people read; the input is what the operator API answers.
func TestExplainText(t *testing.T) {
	files, err := filepath.Glob("testdata/explain/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d explanations in testdata, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var e server.Explanation
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		writeExplanation(&out, &e, false)
		golden := strings.TrimSuffix(file, ".json") + ".txt"
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
	}
}

// TestVerbsAgainstAServer runs the client verbs against a live server.
func TestVerbsAgainstAServer(t *testing.T) {
	s := server.New(server.Config{Listen: "127.0.0.1:0"})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	env := []string{"TWINBUCKET_ENDPOINT=" + s.URL()}
	for _, tt := range []struct {
		args []string
		code int
		has  string
	}{
		{[]string{"wait", "--timeout", "5s"}, 0, "idle: 0 completed"},
		{[]string{"status"}, 0, "replication running"},
		{[]string{"status", "--json"}, 0, `"pending": 0`},
		{[]string{"replication", "step"}, 1, "pause them first"},
		{[]string{"replication", "pause"}, 0, "paused; 0 versions wait"},
		{[]string{"replication", "step", "--n", "2"}, 0, "0 attempts made"},
		{[]string{"replication", "resume"}, 0, "resumed"},
		{[]string{"quota"}, 0, "no limits are set"},
		{[]string{"quota", "5", "--region", "us-east-1"}, 0, "us-east-1"},
		{[]string{"clock", "1h"}, 0, "(1h0m0s ahead of real time)"},
		{[]string{"clock", "tomorrow"}, 1, "duration"},
		{[]string{"trail", "--service", "s3"}, 0, "TIME"},
		{[]string{"retry"}, 0, "0 put back to PENDING"},
		{[]string{"retry", "s3://none"}, 1, "NoSuchBucket"},
		{[]string{"explain", "s3://none/k"}, 1, "NoSuchBucket"},
		{[]string{"preflight", "none"}, 1, "NoSuchBucket"},
		{[]string{"preflight"}, 2, "which bucket"},
		{[]string{"preflight", "b", "--tags", "a"}, 2, "not k=v"},
		{[]string{"reset"}, 0, "emptied all accounts"},
	} {
		stdout, stderr, code := do(t, env, tt.args...)
		if code != tt.code || !strings.Contains(stdout+stderr, tt.has) {
			t.Errorf("%v: exit %d (want %d), printed %q%q (want %q in it)", tt.args, code, tt.code, stdout, stderr, tt.has)
		}
	}
}
