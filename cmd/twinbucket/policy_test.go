package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/server"
)

// golden compares an output with a file of testdata/policy.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "policy", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

func policyFile(name string) string {
	return filepath.ToSlash(filepath.Join("testdata", "policy", name))
}

func TestPolicyLint(t *testing.T) {
	for _, tt := range []struct {
		golden string
		code   int
		args   []string
	}{
		{"lint-role.txt", 1, []string{policyFile("role.json")}},
		{"lint-role-json.txt", 1, []string{"--json", policyFile("role.json")}},
		{"lint-good.txt", 0, []string{"--managed", policyFile("good.json")}},
		{"lint-bucket.txt", 1, []string{"--type", "bucket", "--bucket", "tax-source", policyFile("bucket.json")}},
		{"lint-several.txt", 1, []string{policyFile("good.json"), policyFile("broken.json")}},
	} {
		out, errs, code := do(t, nil, append([]string{"policy", "lint"}, tt.args...)...)
		if code != tt.code || errs != "" {
			t.Errorf("%s: exit %d, want %d: %s", tt.golden, code, tt.code, errs)
		}
		golden(t, tt.golden, out)
	}
}

func TestPolicySimulateFiles(t *testing.T) {
	role := []string{"--principal", "arn:aws:iam::111122223333:role/crr", "--action", "s3:GetObject", "--resource", "arn:aws:s3:::tax-source/Tax/a.pdf", "--identity", policyFile("good.json")}
	for _, tt := range []struct {
		golden string
		code   int
		args   []string
	}{
		{"simulate-allowed.txt", 0, append(role, "--context", "aws:SourceIp=10.1.2.3")},
		{"simulate-denied.txt", 1, role},
		{"simulate-scp.txt", 1, append(role, "--context", "aws:SourceIp=10.1.2.3", "--scp", "FullAWSAccess", "--scp", "FullAWSAccess,"+policyFile("scp.json"))},
		{"simulate-json.txt", 1, append(role, "--json", "--resource", "arn:aws:s3:::tax-source/other", "--context", "aws:SourceIp=10.1.2.3")},
	} {
		out, errs, code := do(t, nil, append([]string{"policy", "simulate"}, tt.args...)...)
		if code != tt.code || errs != "" {
			t.Errorf("%s: exit %d, want %d: %s", tt.golden, code, tt.code, errs)
		}
		golden(t, tt.golden, out)
	}
}

// TestPolicyAsksTheEmulator: without files, or with --live, the operator API decides.
func TestPolicyAsksTheEmulator(t *testing.T) {
	var asked []server.Simulation
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /_twinbucket/policy/simulate":
			var s server.Simulation
			if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
				t.Error(err)
			}
			asked = append(asked, s)
			_, _ = w.Write([]byte(`{"outcome":"allowed","action":"` + s.Action + `","resource":"` + s.Resource + `","decidedBy":{"type":"account root user"}}`))
		case "GET /_twinbucket/trail":
			_, _ = w.Write([]byte(`{"total":7,"Records":[{"userIdentity":{"arn":"arn:aws:sts::111122223333:assumed-role/crr/s"},"authorizations":[{"action":"s3:GetObject","resource":"arn:aws:s3:::b/k","outcome":"allowed"}]}]}`))
		default:
			http.NotFound(w, r)
		}
	}))
	defer emulator.Close()
	at := []string{"--endpoint", emulator.URL}

	out, errs, code := do(t, nil, append([]string{"policy", "simulate", "--principal", "111122223333", "--action", "s3:GetObject", "--action", "s3:PutObject", "--resource", "arn:aws:s3:::b/k"}, at...)...)
	if code != 0 || strings.Count(out, "✓ allowed") != 2 || !strings.Contains(out, "by account root user") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	out, errs, code = do(t, nil, append([]string{"policy", "simulate", "--live", "--principal", "111122223333", "--action", "s3:GetObject", "--identity", policyFile("good.json")}, at...)...)
	if code != 0 || len(asked) != 3 || len(asked[2].Identity) != 1 || asked[2].Identity[0].Name != policyFile("good.json") || asked[2].Resource != "*" {
		t.Errorf("exit %d: %s%s, asked %+v", code, out, errs, asked)
	}

	out, errs, code = do(t, nil, append([]string{"policy", "generate", "--principal", "arn:aws:iam::111122223333:role/crr"}, at...)...)
	if code != 0 || !strings.Contains(errs, "the last 1 of 7 calls") {
		t.Errorf("exit %d: %s", code, errs)
	}
	golden(t, "generate.txt", out)
	_, errs, code = do(t, nil, append([]string{"policy", "generate", "--principal", "arn:aws:iam::111122223333:role/idle"}, at...)...)
	if code != 1 || !strings.Contains(errs, "no permission that arn:aws:iam::111122223333:role/idle used") || !strings.Contains(errs, "--enforce=soft") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestPolicyUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		has  string
	}{
		{nil, 2, "simulate|lint|generate"},
		{[]string{"judge"}, 2, `unknown order "judge"`},
		{[]string{"lint"}, 2, "lint which policy?"},
		{[]string{"lint", "--type", "queue", policyFile("good.json")}, 2, "not queue"},
		{[]string{"lint", "none.json"}, 1, "none.json"},
		{[]string{"simulate", "--action", "s3:GetObject"}, 2, "needs --principal and --action"},
		{[]string{"simulate", "--principal", "bob", "--action", "s3:GetObject", "--identity", policyFile("good.json")}, 2, `"bob" is not a principal`},
		{[]string{"simulate", "--principal", "111122223333", "--action", "s3:GetObject", "--identity", policyFile("broken.json")}, 2, "line 3, column 50"},
		{[]string{"simulate", "--principal", "111122223333", "--action", "s3:GetObject", "--identity", "none.json"}, 2, "none.json"},
		{[]string{"simulate", "--context", "key"}, 2, "it takes key=value"},
		{[]string{"generate"}, 2, "for whom?"},
	} {
		_, errs, code := do(t, nil, append([]string{"policy"}, tt.args...)...)
		if code != tt.code || !strings.Contains(errs, tt.has) {
			t.Errorf("policy %s: exit %d, want %d: %s", strings.Join(tt.args, " "), code, tt.code, errs)
		}
	}
	if out, _, code := do(t, nil, "policy", "help"); code != 0 || !strings.Contains(out, "simulate|lint|generate") {
		t.Errorf("policy help: exit %d: %s", code, out)
	}
}

// TestCaretOfLongLines: only the surroundings of the place are shown.
func TestCaretOfLongLines(t *testing.T) {
	for _, tt := range []struct {
		line   string
		column int
		want   string
	}{
		{`  "a": 1`, 3, "    \"a\": 1\n    ^\n"},
		{"\t\"ü\": 1", 7, "    \"ü\": 1\n         ^\n"},
		{strings.Repeat("x", 80) + "!" + strings.Repeat("y", 300), 81, "    …" + strings.Repeat("x", 50) + "!" + strings.Repeat("y", 49) + "…\n    " + strings.Repeat(" ", 51) + "^\n"},
		{"short", 99, "    short\n         ^\n"},
		{"bad \xff byte\r", 5, "    bad \uFFFD byte\n        ^\n"},
	} {
		var b strings.Builder
		writeCaret(&b, tt.line, tt.column)
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%q: %s", tt.line, diff)
		}
	}
}

// TestOrganizationFile: policies by name of a file, relative to the organization's.
func TestOrganizationFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("NoDeletes.json", `{"Statement":{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}}`)
	write("org.json", `{"id":"o-a1b2c3d4e5","managementAccount":"999999999999","accounts":{"111122223333":{"scp":[["FullAWSAccess","NoDeletes.json"]]}}}`)
	o, err := readOrganization(filepath.Join(dir, "org.json"))
	if err != nil {
		t.Fatal(err)
	}
	level := o.Accounts["111122223333"].SCP[0]
	if len(level) != 2 || level[1].Name != "NoDeletes" || !strings.Contains(level[1].Document, "s3:Delete*") {
		t.Errorf("%+v", level)
	}
	for name, text := range map[string]string{"gone.json": `{"accounts":{"1":{"scp":[["nowhere.json"]]}}}`, "bad.json": `[`} {
		write(name, text)
		if _, errs, code := do(t, nil, "serve", "--organization", filepath.Join(dir, name)); code != 2 || !strings.Contains(errs, "-organization") {
			t.Errorf("%s: exit %d: %s", name, code, errs)
		}
	}
	write("closed.json", `{"id":"o-1","managementAccount":"999999999999","accounts":{}}`)
	if _, errs, code := do(t, nil, "serve", "--listen", "127.0.0.1:0", "--organization", filepath.Join(dir, "closed.json")); code != 1 || !strings.Contains(errs, `"o-1" is not the id of an organization`) {
		t.Errorf("exit %d: %s", code, errs)
	}
	if _, errs, code := do(t, nil, "serve", "--enforce", "lax"); code != 2 || !strings.Contains(errs, "strict, soft or off") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestEnforcementIsAnnounced: at start, so that nobody trusts a server that lets everything pass.
func TestEnforcementIsAnnounced(t *testing.T) {
	for mode, want := range map[server.Enforcement]string{"soft": "enforcement is soft", "off": "enforcement is off", "strict": ""} {
		var b strings.Builder
		log, err := newLogger(&b, "info", "text")
		if err != nil {
			t.Fatal(err)
		}
		warnEnforcement(log, &server.Config{Enforce: mode})
		if got := b.String(); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", mode, got)
		}
	}
}
