package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "twinbucket-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		os.Exit(1)
	}
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		os.RemoveAll(dir)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// prepare builds the binary into dir, finds the clients, and sets PATH to both.
func prepare(dir string) error {
	args := []string{"build", "-o", filepath.Join(dir, "twinbucket")}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../cmd/twinbucket")...)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the binary: %v\n%s", err, out)
	}
	path := []string{dir}
	// A version manager puts a slow wrapper before the interpreter; the clients live
	// beside the real one.
	out, err := exec.Command("python3", "-c", "import boto3, sys; print(sys.prefix)").Output()
	if err != nil {
		return fmt.Errorf("python3 with boto3 is missing (%v): make test installs Debian's python3-boto3", err)
	}
	path = append(path, filepath.Join(strings.TrimSpace(string(out)), "bin"), os.Getenv("PATH"))
	if err := os.Setenv("PATH", strings.Join(path, string(os.PathListSeparator))); err != nil {
		return err
	}
	aws, err := exec.LookPath("aws")
	if err != nil {
		return fmt.Errorf("the aws CLI is missing (%v): make test installs Debian's awscli", err)
	}
	return teachEndpoint(dir, aws)
}

// teachEndpoint helps an aws CLI from before AWS_ENDPOINT_URL was known (1.29 and 2.13,
// mid-2023; Debian 12 packages an older one): a wrapper before it on PATH turns the variable
// into the flag, so that commands are typed the same under every version.
func teachEndpoint(dir, aws string) error {
	out, err := exec.Command(aws, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s --version: %v\n%s", aws, err, out)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(out), "aws-cli/%d.%d.", &major, &minor); err != nil {
		return fmt.Errorf("%s --version says %q", aws, out)
	}
	if major == 1 && minor >= 29 || major == 2 && minor >= 13 || major > 2 {
		return nil
	}
	script := "#!/bin/sh\nexec " + aws + " --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n"
	return os.WriteFile(filepath.Join(dir, "aws"), []byte(script), 0o755)
}
