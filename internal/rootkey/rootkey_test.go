package rootkey

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newKey(t testing.TB) *Key {
	t.Helper()
	k, err := Random(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealOpen(t *testing.T) {
	k, secret := newKey(t), []byte("a secret")
	sealed, err := k.Seal(rand.Reader, secret, "key", "1")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, secret) {
		t.Error("the sealed form shows the secret")
	}
	if got, err := k.Open(sealed, "key", "1"); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("opened %q, %v", got, err)
	}
	again, err := k.Seal(rand.Reader, secret, "key", "1")
	if err != nil || bytes.Equal(again, sealed) {
		t.Errorf("sealed twice alike, %v", err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another root key": func() ([]byte, error) { return newKey(t).Open(sealed, "key", "1") },
		"another context":  func() ([]byte, error) { return k.Open(sealed, "key", "2") },
		"moved boundary":   func() ([]byte, error) { return k.Open(sealed, "key1", "") },
		"joined context":   func() ([]byte, error) { return k.Open(sealed, "key1") },
		"no context":       func() ([]byte, error) { return k.Open(sealed) },
		"cut off":          func() ([]byte, error) { return k.Open(sealed[:len(sealed)-1], "key", "1") },
		"nonce only":       func() ([]byte, error) { return k.Open(sealed[:13], "key", "1") },
		"nothing":          func() ([]byte, error) { return k.Open(nil, "key", "1") },
	} {
		if got, err := open(); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("%s: %q, %v; want ErrSealed", name, got, err)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := k.Open(bad, "key", "1"); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}

func TestParse(t *testing.T) {
	text := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, Size))
	for _, tt := range []struct {
		text, want string
	}{
		{text, ""},
		{"  " + text + "\n", ""},
		{strings.TrimRight(text, "="), ""},
		{"", "this has 0"},
		{"AAAA", "this has 3"},
		{text + text, "not base64"},
		{"not a key!", "not base64"},
	} {
		k, err := Parse(tt.text)
		if tt.want == "" {
			if err != nil || k == nil {
				t.Errorf("Parse(%q): %v", tt.text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.text != "" && strings.Contains(err.Error(), tt.text) {
			t.Errorf("Parse(%q): %v, want %q without the text", tt.text, err, tt.want)
		}
	}
}

func TestPrintingShowsNothing(t *testing.T) {
	k := newKey(t)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(format, k); got != "[root key]" {
			t.Errorf("%s prints %q", format, got)
		}
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.key")
	if err := os.WriteFile(path+".tmp", []byte("left by an interrupted start"), 0o644); err != nil {
		t.Fatal(err)
	}
	k, err := CreateFile(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", st.Mode(), err)
	}
	sealed, err := k.Seal(rand.Reader, []byte("s"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOwn(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(sealed); err != nil || string(got) != "s" {
		t.Errorf("after loading: %q, %v", got, err)
	}
	if _, err := CreateFile(path, rand.Reader); !errors.Is(err, os.ErrExist) {
		t.Errorf("replaced a root key: %v", err)
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) != 1 {
		t.Errorf("files %v, %v", left, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	var open *OpenFileError
	if _, err := LoadOwn(path); !errors.As(err, &open) || open.Mode != 0o640 {
		t.Errorf("a file that others may read: %v", err)
	}
	if _, err := LoadFile(path); err != nil {
		t.Errorf("LoadFile minds the mode: %v", err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadFile(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged file: %v, want its name", err)
	}
}

// FuzzOpen: no bytes open unless they were sealed.
func FuzzOpen(f *testing.F) {
	k := New([Size]byte{1})
	sealed, err := k.Seal(bytes.NewReader(make([]byte, 12)), []byte("secret"), "c")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{version})
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := k.Open(b, "c"); err == nil && !bytes.Equal(b, sealed) {
			t.Errorf("opened %x as %q", b, got)
		}
	})
}
