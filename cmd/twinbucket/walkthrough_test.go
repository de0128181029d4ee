package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestWalkthroughVerb(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		code   int
		stdout []string
		stderr []string
	}{
		{"list", []string{"walkthrough"}, 0, []string{"crr-kms", "same-account", "cross-account", "pitfalls", "walkthrough NAME"}, nil},
		{"unknown", []string{"walkthrough", "crr"}, 2, nil, []string{`no such walkthrough: "crr"`, "hint:  twinbucket walkthrough lists them"}},
		{"two", []string{"walkthrough", "crr-kms", "pitfalls"}, 2, nil, []string{`unexpected argument "pitfalls"`}},
		{"nobody there", []string{"walkthrough", "crr-kms", "--endpoint", "http://127.0.0.1:1"}, 1, nil, []string{"no twinbucket answers at http://127.0.0.1:1"}},
		{"played", []string{"walkthrough", "--root-secret", "longer-than-eight", "crr-kms"}, 0, []string{"PASS  17 steps"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			c := &cli{stdout: &stdout, stderr: &stderr}
			if got := c.main(t.Context(), tt.args); got != tt.code {
				t.Errorf("exit code: got %d, want %d", got, tt.code)
			}
			for _, want := range tt.stdout {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("stdout lacks %q:\n%s", want, &stdout)
				}
			}
			for _, want := range tt.stderr {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr lacks %q:\n%s", want, &stderr)
				}
			}
			if len(tt.stderr) == 0 && stderr.Len() > 0 {
				t.Errorf("stderr: %s", &stderr)
			}
		})
	}
}
