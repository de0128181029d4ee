package main

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/server"
)

func TestKMSQuotaFlag(t *testing.T) {
	limit := func(account, region, quota string, rate float64) server.Limit {
		return server.Limit{Service: "kms", Account: account, Region: region, Quota: quota, PerSecond: rate}
	}
	for _, tt := range []struct {
		text string
		want []server.Limit
	}{
		{"111122223333/us-east-1/symmetric=5", []server.Limit{limit("111122223333", "us-east-1", "symmetric", 5)}},
		{"*/*/GenerateDataKeyPair/RSA_4096=0.5,*/us-west-2/CreateKey=0", []server.Limit{limit("*", "*", "GenerateDataKeyPair/RSA_4096", 0.5), limit("*", "us-west-2", "CreateKey", 0)}},
		{"symmetric=5", nil}, {"*/*/symmetric", nil}, {"*/*/symmetric=-1", nil}, {"*/*/symmetric=NaN", nil}, {"*/*/symmetric=+Inf", nil}, {"", nil},
	} {
		cfg := &server.Config{}
		err := addQuotas(cfg, tt.text)
		if (err == nil) != (tt.want != nil) {
			t.Errorf("%q: %v", tt.text, err)
		}
		if diff := cmp.Diff(cfg.KMSQuotas, tt.want); err == nil && diff != "" {
			t.Errorf("%q (-got +want):\n%s", tt.text, diff)
		}
	}
}

// TestRootKeyErrorsSayWhatToDo: each way in which a root key does not fit has its own
// words and advice, and none shows a key.
func TestRootKeyErrorsSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	s := server.New(server.Config{Listen: "127.0.0.1:0", Data: dir})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "root.key")
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	serve := []string{"serve", "--listen", "127.0.0.1:0", "--data", dir}
	for _, tt := range []struct {
		name    string
		prepare func() error
		env     []string
		args    []string
		code    int
		has     []string
	}{
		{"another one", nil, []string{"TWINBUCKET_ROOT_KEY=" + other}, nil, 1, []string{"the root key that was given is not the one that " + dir + " was sealed with", "hint:", "TWINBUCKET_ROOT_KEY"}},
		{"not base64", nil, []string{"TWINBUCKET_ROOT_KEY=secret!"}, nil, 2, []string{"TWINBUCKET_ROOT_KEY", "32 bytes in base64", "head -c 32"}},
		{"both", nil, []string{"TWINBUCKET_ROOT_KEY=" + other}, []string{"--root-key-file", "x"}, 2, []string{"exclude each other"}},
		{"no such file", nil, nil, []string{"--root-key-file", filepath.Join(dir, "none")}, 1, []string{"there is no " + filepath.Join(dir, "none"), "hint:"}},
		{"open to others", func() error { return os.Chmod(path, 0o644) }, nil, nil, 1, []string{"mode 0644", "chmod 600 " + path}},
		{"gone", func() error { return os.Remove(path) }, nil, nil, 1, []string{"is gone: there is no " + path, "put the file back"}},
		{"damaged", func() error { return os.WriteFile(path, []byte("damaged"), 0o600) }, nil, nil, 1, []string{"can't be used", "head -c 32"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.prepare != nil {
				if err := tt.prepare(); err != nil {
					t.Fatal(err)
				}
			}
			stdout, stderr, code := do(t, tt.env, append(serve, tt.args...)...)
			if code != tt.code {
				t.Errorf("exit %d, want %d", code, tt.code)
			}
			for _, has := range tt.has {
				if !strings.Contains(stderr, has) {
					t.Errorf("%q lacks %q", stderr, has)
				}
			}
			for _, secret := range []string{other, strings.TrimSpace(string(kept)), "secret!"} {
				if strings.Contains(stdout+stderr, secret) {
					t.Errorf("a key was printed: %q", stderr)
				}
			}
		})
	}
}

// TestQuotaVerb sets a limit, takes it back, and says which profile is left.
func TestQuotaVerb(t *testing.T) {
	s := server.New(server.Config{Listen: "127.0.0.1:0", KMSQuotaProfile: server.AWSQuotas})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	env := []string{"TWINBUCKET_ENDPOINT=" + s.URL()}
	for _, tt := range []struct {
		args []string
		code int
		has  []string
	}{
		{[]string{"quota"}, 0, []string{"profile aws applies where nothing is set", "no limits are set"}},
		{[]string{"quota", "5", "--quota", "CreateKey"}, 0, []string{"CreateKey", "5"}},
		{[]string{"quota", "none"}, 1, []string{"NoSuchLimit"}},
		{[]string{"quota", "none", "--quota", "CreateKey"}, 0, []string{"no limits are set"}},
		{[]string{"quota", "-5"}, 2, []string{"hint:"}},
		{[]string{"quota", "lots"}, 2, []string{`"lots" is not a rate`, "twinbucket quota none"}},
	} {
		stdout, stderr, code := do(t, env, tt.args...)
		if code != tt.code {
			t.Errorf("%v: exit %d, want %d: %s%s", tt.args, code, tt.code, stdout, stderr)
		}
		for _, has := range tt.has {
			if !strings.Contains(stdout+stderr, has) {
				t.Errorf("%v: %q%q lacks %q", tt.args, stdout, stderr, has)
			}
		}
	}
}
