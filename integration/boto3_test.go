package integration

import (
	"os/exec"
	"testing"
)

// TestBoto3 runs the cases of testdata/boto3 with boto3's default settings.
func TestBoto3(t *testing.T) {
	t.Parallel()
	e := start(t)
	env := append(processEnv(), clientEnv(t, t.TempDir(), e)...)
	for _, name := range []string{"put_get", "multipart", "presigned", "presigned_version_2_and_kms", "checksums", "paginator", "keys", "roles"} {
		t.Run(name, func(t *testing.T) {
			c := exec.CommandContext(t.Context(), "python3", "-B", "testdata/boto3/clients.py", name)
			c.Env = env
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
