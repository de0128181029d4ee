package walkthrough

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"twinbucket/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lastLine is the verdict of a performance.
func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

// numbered matches the line of a step that went well.
var numbered = regexp.MustCompile(`(?m)^ *(\d+)  [ A-Z]  .*  ok +[\d.]+ ms`)

// TestWalkthroughs plays each one on a server that it starts itself.
func TestWalkthroughs(t *testing.T) {
	tests := []struct {
		name  string
		steps int
		says  []string
	}{
		{"crr-kms", 17, []string{"PENDING", "COMPLETED", "owned by B", "via s3.us-east-1 ", "via s3.us-west-2 "}},
		{"same-account", 16, []string{"key …7c711927", "key …91b7d8e5", "589512693537"}},
		{"cross-account", 18, []string{"400 MalformedPolicyDocument", "400 MalformedPolicyDocumentException"}},
		{"pitfalls", 136, []string{
			"DstKmsKeyNotFound", "SrcGetObjectNotPermitted", "DstPutObjectNotPermitted", "SrcGetTaggingNotPermitted", "AssumeRoleNotPermitted",
			"503 SlowDown", "400 ThrottlingException",
		}},
	}
	if len(tests) != len(List()) {
		t.Errorf("%d walkthroughs are tested, %d listed", len(tests), len(List()))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Run(t.Context(), &out, tt.name, Options{}); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			if got, want := lastLine(out.String()), fmt.Sprintf("PASS  %d steps in ", tt.steps); !strings.HasPrefix(got, want) {
				t.Errorf("verdict: got %q, want %q", got, want)
			}
			if got := len(numbered.FindAllString(out.String(), -1)); got != tt.steps {
				t.Errorf("numbered steps: got %d, want %d", got, tt.steps)
			}
			for _, want := range tt.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the narration does not say %q", want)
				}
			}
			if t.Failed() || testing.Verbose() {
				t.Log("\n" + out.String())
			}
		})
	}
}

// TestTwiceOnARunningServer: names differ, and what was changed for a while is restored.
func TestTwiceOnARunningServer(t *testing.T) {
	srv := server.New(server.Config{Listen: "127.0.0.1:0", RootSecret: "another-secret", OperatorToken: "let-me-in"})
	if err := srv.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	opts := Options{Endpoint: srv.URL() + "/", RootSecret: "another-secret", Token: "let-me-in"}
	for range 2 {
		for _, w := range List() {
			var out bytes.Buffer
			if err := Run(t.Context(), &out, w.Name, opts); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
		}
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	op := &operator{endpoint: srv.URL(), token: opts.Token, http: client}
	st, err := op.state(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if st.Paused || st.Pending != 0 {
		t.Errorf("left behind: paused %v, %d pending", st.Paused, st.Pending)
	}
	var quotas server.QuotaState
	if err := op.call(t.Context(), http.MethodGet, "quotas", nil, nil, &quotas); err != nil {
		t.Fatal(err)
	}
	for _, l := range quotas.Limits {
		if l.Account == accountA || l.Account == "*" || l.PerSecond != highLimit {
			t.Errorf("left behind: limit %+v", l)
		}
	}
	if errs := srv.Check(t.Context()); len(errs) > 0 {
		t.Errorf("broken invariants: %v", errors.Join(errs...))
	}
}

// TestFirstStepFails: a wrong secret is refused at the first call, and Run says where.
func TestFirstStepFails(t *testing.T) {
	srv := server.New(server.Config{Listen: "127.0.0.1:0", RootSecret: "another-secret"})
	if err := srv.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close(context.Background()) })
	for _, w := range List() {
		var out bytes.Buffer
		var f *Failure
		if err := Run(t.Context(), &out, w.Name, Options{Endpoint: srv.URL()}); !errors.As(err, &f) {
			t.Fatalf("%s: got %v, want a *Failure", w.Name, err)
		}
		if a, _ := answered(f.Err); f.Step != 1 || !strings.Contains(a.code, "Signature") {
			t.Errorf("%s: got step %d, %v", w.Name, f.Step, f.Err)
		}
		if !strings.HasPrefix(lastLine(out.String()), "FAIL  at step 1") {
			t.Errorf("%s: verdict %q", w.Name, lastLine(out.String()))
		}
	}
}

func TestUnknownName(t *testing.T) {
	err := Run(t.Context(), &bytes.Buffer{}, "crr", Options{})
	if !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
}

// TestNothingToPlayOn: an endpoint that is no emulator, and one whose workers are held.
func TestNothingToPlayOn(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	if err := Run(t.Context(), &bytes.Buffer{}, "crr-kms", Options{Endpoint: other.URL}); err == nil || !strings.Contains(err.Error(), "no twinbucket answers") {
		t.Errorf("got %v", err)
	}
	srv := server.New(server.Config{Listen: "127.0.0.1:0"})
	if err := srv.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close(context.Background()) })
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	op := &operator{endpoint: srv.URL(), http: client}
	if err := op.pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), &bytes.Buffer{}, "crr-kms", Options{Endpoint: srv.URL()}); err == nil || !strings.Contains(err.Error(), "are held") {
		t.Errorf("got %v", err)
	}
}
