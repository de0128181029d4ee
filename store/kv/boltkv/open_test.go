package boltkv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

func TestInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b") // made by Open
	first, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantOwner := func(want string) {
		t.Helper()
		_, err := Open(dir, Options{Owner: "the second"})
		var inUse *InUseError
		if !errors.As(err, &inUse) {
			t.Fatalf("second Open: got %v, want InUseError", err)
		}
		if diff := cmp.Diff(inUse, &InUseError{Dir: dir, Owner: want}); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
	}
	me := fmt.Sprintf("process %d", os.Getpid())
	wantOwner(me)
	if err := first.SetOwner("listening on 127.0.0.1:4566"); err != nil {
		t.Fatal(err)
	}
	wantOwner(me + ", listening on 127.0.0.1:4566")
	if err := os.WriteFile(filepath.Join(dir, ownerName), []byte(strings.Repeat("x", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	wantOwner(strings.Repeat("x", 200))
	if err := os.Remove(filepath.Join(dir, ownerName)); err != nil {
		t.Fatal(err)
	}
	wantOwner("")
	if err := first.SetOwner(""); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != FileName {
		t.Errorf("after Close: got %v, %v; want only the data file", entries, err)
	}

	second, err := Open(dir, Options{Owner: "the second"})
	if err != nil {
		t.Fatal(err)
	}
	wantOwner(me + ", the second")
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestErrorTexts(t *testing.T) {
	for err, want := range map[error]string{
		&InUseError{Dir: "/data", Owner: "process 4711, listening on 127.0.0.1:4566"}: "data directory /data is in use by another twinbucket (process 4711, listening on 127.0.0.1:4566)",
		&InUseError{Dir: "/data"}:                             "data directory /data is in use by another twinbucket",
		&UnwritableError{Dir: "/data", Err: fs.ErrPermission}: "data directory /data cannot be written: permission denied",
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	blocked := t.TempDir()
	if err := os.Mkdir(filepath.Join(blocked, FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	unnamed := t.TempDir()
	if err := os.Mkdir(filepath.Join(unnamed, ownerName), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"a file in the way":                    file,
		"below a file":                         filepath.Join(file, "dir"),
		"a directory instead of the data file": blocked,
		"no owner file":                        unnamed,
	} {
		_, err := Open(dir, Options{})
		var unwritable *UnwritableError
		if !errors.As(err, &unwritable) || unwritable.Dir != dir || unwritable.Err == nil {
			t.Errorf("%s: got %v, want UnwritableError", name, err)
		}
	}
	if err := os.Remove(filepath.Join(unnamed, ownerName)); err != nil {
		t.Fatal(err)
	}
	e, err := Open(unnamed, Options{}) // the failed Open holds no lock
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestDamaged(t *testing.T) {
	for name, content := range map[string]string{
		"text":  strings.Repeat("this is no database. ", 1000),
		"zeros": string(make([]byte, 64<<10)),
		"short": "x",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, FileName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir, Options{})
		var damaged *DamagedError
		if !errors.As(err, &damaged) || damaged.Path != filepath.Join(dir, FileName) {
			t.Errorf("%s: got %v, want DamagedError", name, err)
		}
		after, err := os.ReadFile(filepath.Join(dir, FileName))
		if err != nil || string(after) != content {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

// TestMemoryFileHasNoName: there is nothing to leave behind.
func TestMemoryFileHasNoName(t *testing.T) {
	e := openMemory(t)
	if _, err := os.Stat(e.db.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: got %v, want it gone", e.db.Path(), err)
	}
	if err := e.SetOwner("nobody asks"); err != nil {
		t.Error(err)
	}
}

// TestMemoryFallback: with nothing writable the error says so.
func TestMemoryFallback(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "absent"))
	f, err := createScratch()
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if filepath.Dir(f.Name()) != "/dev/shm" {
		t.Errorf("throw-away file at %s", f.Name())
	}
}

// checkFile verifies the structure of a closed data file.
func checkFile(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("data file: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
