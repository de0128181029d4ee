package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/server"
)

// TestPreflightText pins what people read; the input is what the operator API answers.
func TestPreflightText(t *testing.T) {
	files, err := filepath.Glob("testdata/preflight/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d preflights in testdata, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var p server.Preflight
		if err := json.Unmarshal(b, &p); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		writePreflight(&out, &p, false)
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

func TestTagging(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a=b", "a=b"}, {"a=b,c=", "a=b&c="}, {"a b=c&d,e==", "a+b=c%26d&e=%3D"}, {"a", ""}, {"=b", ""}, {"", ""},
	} {
		got, err := tagging(tt.in)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q: got %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

// Every failureReason has a sentence that says what it means.
func TestEveryReasonHasAVerdict(t *testing.T) {
	for _, reason := range server.FailureReasons() {
		if verdict[reason] == "" {
			t.Errorf("%s has none", reason)
		}
	}
	if len(verdict) != len(server.FailureReasons()) {
		t.Errorf("%d verdicts for %d reasons", len(verdict), len(server.FailureReasons()))
	}
}
