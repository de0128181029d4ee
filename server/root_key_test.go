package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"twinbucket/internal/rootkey"
)

// run opens a server on cfg, calls fn and closes it again.
func run(t *testing.T, cfg Config, fn func(s *Server, k *kms.Client, o *s3.Client)) error {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	s := New(cfg)
	if err := s.Open(t.Context()); err != nil {
		return err
	}
	client := benchClient(t)
	c := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.URL()), HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(benchAccount, "test", "")}
	fn(s, kms.NewFromConfig(c), s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }))
	return s.Close(context.WithoutCancel(t.Context()))
}

func nothing(*Server, *kms.Client, *s3.Client) {}

// TestRootKeyOfADirectory: the first start makes the key, later ones need the same; a
// copy of the directory without it opens nothing.
func TestRootKeyOfADirectory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, rootKeyFile)
	var keyID string
	err := run(t, Config{Data: dir}, func(_ *Server, k *kms.Client, o *s3.Client) {
		out, err := k.CreateKey(t.Context(), &kms.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		keyID = *out.KeyMetadata.KeyId
		must(t)(o.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}))
		must(t)(o.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), Body: bytes.NewReader([]byte("x"))}))
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v; want mode 0600", st, err)
	}
	works := func(_ *Server, k *kms.Client, o *s3.Client) {
		must(t)(k.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &keyID, Plaintext: []byte("x")}))
		must(t)(o.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k")}))
	}
	if err := run(t, Config{Data: dir}, works); err != nil {
		t.Errorf("second start: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ParseRootKey(string(text))
	if err != nil {
		t.Fatal(err)
	}

	refused := func(what string, cfg Config, is func(*RootKeyError) bool) {
		t.Helper()
		cfg.Data = dir
		var e *RootKeyError
		if err := run(t, cfg, nothing); !errors.As(err, &e) || !is(e) || e.Data != dir {
			t.Errorf("%s: %v", what, err)
		}
	}
	other, err := rootkey.Random(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	refused("another key given", Config{RootKey: other}, func(e *RootKeyError) bool { return e.Wrong() && e.Path == "" })
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("readable by others", Config{}, (*RootKeyError).Open)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refused("gone", Config{}, (*RootKeyError).Missing)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a lost key was replaced by a new one: %v", err)
	}
	if err := run(t, Config{Data: dir, RootKey: own}, works); err != nil {
		t.Errorf("the same key given by itself: %v", err)
	}
	elsewhere := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(elsewhere, text, 0o644); err != nil { // as orchestrators mount secrets
		t.Fatal(err)
	}
	if err := run(t, Config{Data: dir, RootKeyFile: elsewhere}, works); err != nil {
		t.Errorf("the same key in another file: %v", err)
	}
	refused("no such file", Config{RootKeyFile: filepath.Join(dir, "none")}, (*RootKeyError).Missing)
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("replaced", Config{}, func(e *RootKeyError) bool { return e.Wrong() && e.Path == path })
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("damaged", Config{}, func(e *RootKeyError) bool { return !e.Wrong() && !e.Missing() && !e.Open() })
}

// TestNothingSecretOnDisk: no file of the data directory but the root key's holds the key
// that opens the others, nor any plaintext.
func TestNothingSecretOnDisk(t *testing.T) {
	dir := t.TempDir()
	secret := bytes.Repeat([]byte("a plaintext that nobody may find. "), 3000)
	if err := run(t, Config{Data: dir}, func(_ *Server, k *kms.Client, o *s3.Client) {
		must(t)(o.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}))
		must(t)(o.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), Body: bytes.NewReader(secret)}))
		must(t)(o.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("small"), Body: bytes.NewReader(secret[:100])}))
	}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, rootKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == rootKeyFile {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for what, needle := range map[string][]byte{"the plaintext": secret[:30], "the root key": raw, "the root key's text": bytes.TrimSpace(text)} {
			if bytes.Contains(b, needle) {
				t.Errorf("%s holds %s", path, what)
			}
		}
		return err
	})
	if err != nil || files < 2 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestMemoryNeedsNoRootKey: a throw-away server has one that nobody keeps.
func TestMemoryNeedsNoRootKey(t *testing.T) {
	if err := run(t, Config{}, func(_ *Server, k *kms.Client, _ *s3.Client) {
		must(t)(k.CreateKey(t.Context(), &kms.CreateKeyInput{}))
	}); err != nil {
		t.Error(err)
	}
}
