package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/store/blob"
	"twinbucket/store/blob/blobtest"
)

var key = [32]byte{1, 2, 3}

func newID(t *testing.T) blob.ID {
	t.Helper()
	id, err := blob.NewID(nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// write seals content into a committed blob, as the store does.
func write(d *blob.Dir, id blob.ID, content []byte) error {
	w, err := d.Create(id)
	if err != nil {
		return err
	}
	defer w.Abort()
	s, err := blob.Seal(w, key, id, nil)
	if err != nil {
		return err
	}
	if _, err := s.Write(content); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return w.Commit()
}

func read(d *blob.Dir, id blob.ID) ([]byte, error) {
	f, err := d.Open(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := blob.Open(f, f.Size(), key, id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r.Range(0, -1))
}

func list(t *testing.T, d *blob.Dir) []blob.ID {
	t.Helper()
	var ids []blob.ID
	err := d.List(t.Context(), func(id blob.ID) error {
		ids = append(ids, id)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

func compareIDs(a, b blob.ID) int { return bytes.Compare(a[:], b[:]) }

func sorted(ids ...blob.ID) []blob.ID {
	slices.SortFunc(ids, compareIDs)
	return ids
}

// TestDir runs the same story on every kind of directory.
func TestDir(t *testing.T) {
	kinds := map[string]func(t *testing.T) *blob.Dir{
		"durable": func(t *testing.T) *blob.Dir {
			d, err := blob.OpenDir(blob.OS(filepath.Join(t.TempDir(), "new", "blobs")), blob.DirOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return d
		},
		"memory": func(t *testing.T) *blob.Dir {
			d, err := blob.OpenMemory()
			if err != nil {
				t.Fatal(err)
			}
			return d
		},
		"fake": func(t *testing.T) *blob.Dir {
			d, err := blob.OpenDir(blobtest.NewDisk(), blob.DirOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return d
		},
	}
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			defer func() {
				for range 2 {
					if err := d.Close(); err != nil {
						t.Error(err)
					}
				}
			}()
			big := bytes.Repeat([]byte("twinbucket"), 50_000)
			contents := map[blob.ID][]byte{newID(t): nil, newID(t): []byte("small"), newID(t): big}
			var ids []blob.ID
			for id, content := range contents {
				if err := write(d, id, content); err != nil {
					t.Fatal(err)
				}
				ids = append(ids, id)
			}
			for id, content := range contents {
				if got, err := read(d, id); err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s: %d bytes, %v; want %d", id, len(got), err, len(content))
				}
			}
			if diff := cmp.Diff(list(t, d), sorted(ids...)); diff != "" {
				t.Errorf("blobs (-got +want):\n%s", diff)
			}
			if _, err := d.Open(newID(t)); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("absent blob: got %v, want ErrNotFound", err)
			}

			open, err := d.Open(ids[0])
			if err != nil {
				t.Fatal(err)
			}
			defer open.Close()
			for range 2 { // a second Remove finds nothing, which is fine
				if err := d.Remove(ids[0]); err != nil {
					t.Error(err)
				}
			}
			if n, err := io.Copy(io.Discard, io.NewSectionReader(open, 0, open.Size())); n != open.Size() || err != nil {
				t.Errorf("reading on after Remove: %d bytes of %d, %v", n, open.Size(), err)
			}
			if diff := cmp.Diff(list(t, d), sorted(ids[1:]...)); diff != "" {
				t.Errorf("after Remove (-got +want):\n%s", diff)
			}
		})
	}
}

func TestWriterEnds(t *testing.T) {
	disk := blobtest.NewDisk()
	d, err := blob.OpenDir(disk, blob.DirOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := d.Create(newID(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if files := disk.Files(); len(files) != 1 || !strings.HasPrefix(files[0], "tmp/") {
		t.Errorf("while writing: files %v, want one in tmp", files)
	}
	for range 2 {
		if err := w.Abort(); err != nil {
			t.Errorf("Abort: %v", err)
		}
	}
	if files := disk.Files(); len(files) != 0 {
		t.Errorf("after Abort: files %v", files)
	}
	if err := w.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit after Abort: got %v", err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Abort: got %v", err)
	}
}

// TestSweep: only what was there at the start and nobody wants goes.
func TestSweep(t *testing.T) {
	disk := blobtest.NewDisk()
	before, err := blob.OpenDir(disk, blob.DirOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kept, dropped := newID(t), newID(t)
	for _, id := range []blob.ID{kept, dropped} {
		if err := write(before, id, []byte("old")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := before.Create(newID(t)); err != nil { // never ended: the process dies
		t.Fatal(err)
	}
	if err := disk.Mkdir("ab"); err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{"ab/notes.txt", "ab/cd" + strings.Repeat("0", 30)} {
		if _, err := disk.Create(foreign); err != nil {
			t.Fatal(err)
		}
	}

	d, err := blob.OpenDir(disk, blob.DirOptions{})
	if err != nil {
		t.Fatal(err)
	}
	fresh, during, unfinished := newID(t), newID(t), newID(t)
	if err := write(d, fresh, []byte("new")); err != nil {
		t.Fatal(err)
	}
	w, err := d.Create(unfinished)
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("record store is down")
	if _, err := d.Sweep(t.Context(), func(blob.ID) (bool, error) { return false, failed }); !errors.Is(err, failed) {
		t.Errorf("Sweep with failing keep: got %v", err)
	}
	var asked []blob.ID
	removed, err := d.Sweep(t.Context(), func(id blob.ID) (bool, error) {
		if len(asked) == 0 {
			if err := write(d, during, []byte("newer")); err != nil {
				return false, err
			}
		}
		asked = append(asked, id)
		return id == kept, nil
	})
	if err != nil || removed != 1 {
		t.Errorf("Sweep: got %d, %v; want 1", removed, err)
	}
	if diff := cmp.Diff(sorted(asked...), sorted(kept, dropped)); diff != "" {
		t.Errorf("keep was asked about (-got +want):\n%s", diff)
	}
	if err := w.Commit(); err != nil {
		t.Errorf("a write begun before the sweep: %v", err)
	}
	if diff := cmp.Diff(list(t, d), sorted(kept, fresh, during, unfinished)); diff != "" {
		t.Errorf("after the sweep (-got +want):\n%s", diff)
	}
	if removed, err := d.Sweep(t.Context(), func(blob.ID) (bool, error) { return false, nil }); removed != 0 || err != nil {
		t.Errorf("second Sweep: got %d, %v; want nothing done", removed, err)
	}
	files := disk.Files()
	if !slices.Contains(files, "ab/notes.txt") || len(files) != 6 {
		t.Errorf("files after the sweep: %v", files)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.List(canceled, func(blob.ID) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("List under an ended context: got %v", err)
	}
}

// story is what a store does with a Dir: it refers to a blob only after Commit, and removes it
// only after forgetting it. It ends at the first error, as a process does that loses power.
type story struct {
	refers map[blob.ID][]byte
}

func (s *story) run(disk *blobtest.Disk) error {
	d, err := blob.OpenDir(disk, blob.DirOptions{})
	if err != nil {
		return err
	}
	ids := []blob.ID{{0xaa, 1}, {0xaa, 2}, {0xbb, 3}, {0xbb, 4}}
	for i, id := range ids {
		content := bytes.Repeat([]byte{byte(i)}, i*40_000)
		if err := write(d, id, content); err != nil {
			return err
		}
		s.refers[id] = content
		if i == 1 {
			w, err := d.Create(blob.ID{0xcc})
			if err != nil {
				return err
			}
			if _, err := w.Write([]byte("half")); err != nil {
				return err
			}
			if err := w.Abort(); err != nil {
				return err
			}
			delete(s.refers, ids[0])
			if err := d.Remove(ids[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestPowerLoss cuts the power at every single operation of the story, and looks at what a disk
// may then hold: every blob referred to is whole, and a sweep leaves those and no others.
func TestPowerLoss(t *testing.T) {
	cut := errors.New("power is gone")
	for step := 0; ; step++ {
		disk := blobtest.NewDisk()
		disk.Before(func(op blobtest.Op) error {
			if op.N >= step {
				return cut
			}
			return nil
		})
		s := story{refers: map[blob.ID][]byte{}}
		err := s.run(disk)
		if err != nil && !errors.Is(err, cut) {
			t.Fatalf("step %d: %v", step, err)
		}
		for seed := range uint64(6) {
			var rnd *rand.Rand // first the disk that loses all it may
			if seed > 0 {
				rnd = rand.New(rand.NewPCG(seed, uint64(step)))
			}
			checkAfterCrash(t, fmt.Sprintf("step %d, seed %d", step, seed), disk.Crash(rnd), s.refers)
		}
		if err == nil {
			if step < 20 || len(s.refers) != 3 {
				t.Errorf("the story took %d steps to %d blobs", step, len(s.refers))
			}
			return
		}
	}
}

func checkAfterCrash(t *testing.T, at string, disk *blobtest.Disk, refers map[blob.ID][]byte) {
	t.Helper()
	d, err := blob.OpenDir(disk, blob.DirOptions{})
	if err != nil {
		t.Fatalf("%s: OpenDir: %v", at, err)
	}
	if _, err := d.Sweep(t.Context(), func(id blob.ID) (bool, error) {
		_, wanted := refers[id]
		return wanted, nil
	}); err != nil {
		t.Fatalf("%s: Sweep: %v", at, err)
	}
	var want []blob.ID
	for id, content := range refers {
		want = append(want, id)
		if got, err := read(d, id); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: blob %s: %d bytes, %v; want %d", at, id, len(got), err, len(content))
		}
	}
	if diff := cmp.Diff(list(t, d), sorted(want...)); diff != "" {
		t.Errorf("%s: blobs (-got +want):\n%s", at, diff)
	}
	if files := disk.Files(); len(files) != len(want) {
		t.Errorf("%s: files %v", at, files)
	}
}

// TestFaults fails each kind of operation once, in every place of the story: the error comes out
// with its cause, and the blobs whose Commit succeeded are whole.
func TestFaults(t *testing.T) {
	for step := 0; ; step++ {
		disk := blobtest.NewDisk()
		var failed blobtest.Op
		disk.Before(func(op blobtest.Op) error {
			if op.N == step {
				failed = op
				return &fs.PathError{Op: op.Kind, Path: op.Name, Err: syscall.ENOSPC}
			}
			return nil
		})
		s := story{refers: map[blob.ID][]byte{}}
		err := s.run(disk)
		if failed.Kind == "" {
			if err != nil || step < 20 {
				t.Errorf("without a fault: %d steps, %v", step, err)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: got %v, want the cause", failed, err)
		}
		disk.Before(nil)
		checkAfterCrash(t, failed.String(), disk, s.refers)
	}
}

func TestMemoryLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := blob.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	id := newID(t)
	if err := write(d, id, []byte("x")); err != nil {
		t.Fatal(err)
	}
	var dir string
	for _, parent := range []string{os.TempDir(), "/dev/shm"} {
		found, err := filepath.Glob(filepath.Join(parent, "twinbucket-blobs-*", "*", id.String()))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 1 {
			dir = filepath.Dir(filepath.Dir(found[0]))
		}
	}
	if dir == "" {
		t.Fatal("the blob is in no throw-away directory")
	}

	// A directory without a living owner, as after kill -9, beside the first.
	abandoned := filepath.Join(filepath.Dir(dir), "twinbucket-blobs-abandoned-"+id.String())
	if err := os.MkdirAll(filepath.Join(abandoned, "ab"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(abandoned, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := blob.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(abandoned); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the abandoned directory is still there: %v", err)
	}
	if _, err := read(d, id); err != nil {
		t.Errorf("a living process lost its blob: %v", err)
	}
	for _, d := range []*blob.Dir{d, second} {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there after Close: %v", dir, err)
	}
}
