package blob

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// OpenMemory opens a Dir in a throw-away directory, without syncs: in /dev/shm if there is room
// for a gigabyte, in the temporary directory otherwise. Close removes it. What a killed process
// left behind is removed by the next OpenMemory.
func OpenMemory() (*Dir, error) {
	parent := scratchParent()
	removeAbandoned(parent)
	scratch, err := newScratch(parent)
	if err != nil && parent != os.TempDir() {
		scratch, err = newScratch(os.TempDir())
	}
	if err != nil {
		return nil, fmt.Errorf("blob: making a throw-away directory: %w", err)
	}
	d, err := OpenDir(OS(scratch.dir), DirOptions{NoSync: true})
	if err != nil {
		return nil, errors.Join(err, scratch.remove())
	}
	d.onClose = scratch.remove
	return d, nil
}

const (
	// minScratch is the free room below which memory-backed storage is not used: containers get
	// a /dev/shm of 64 MiB by default.
	minScratch    = 1 << 30
	scratchPrefix = "twinbucket-blobs-"
	scratchLock   = "lock"
)

func scratchParent() string {
	const shm = "/dev/shm"
	if freeBytes(shm) < minScratch {
		return os.TempDir()
	}
	return shm
}

// scratch is a throw-away directory. Its owner holds a lock on a file in it, which the system
// lets go when the process ends, in whatever way: an unlocked one is nobody's.
type scratch struct {
	dir  string
	lock *os.File
}

func newScratch(parent string) (*scratch, error) {
	// Several attempts, because another process may take the new lock for an abandoned one in
	// the instant before we hold it.
	var lastErr error
	for range 10 {
		dir, err := os.MkdirTemp(parent, scratchPrefix+"*")
		if err != nil {
			return nil, err
		}
		lock, err := os.OpenFile(filepath.Join(dir, scratchLock), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			s := &scratch{dir: dir, lock: lock}
			if err = tryLock(lock); err == nil || errors.Is(err, errors.ErrUnsupported) {
				return s, nil
			}
			lock.Close()
		}
		lastErr = errors.Join(err, os.RemoveAll(dir))
	}
	return nil, lastErr
}

func (s *scratch) remove() error {
	return errors.Join(s.lock.Close(), os.RemoveAll(s.dir))
}

// removeAbandoned removes the throw-away directories of processes that were killed. Failures are
// passed over: the files of others must not keep this process from starting.
func removeAbandoned(parent string) {
	dirs, _ := filepath.Glob(filepath.Join(parent, scratchPrefix+"*"))
	for _, dir := range dirs {
		lock, err := os.OpenFile(filepath.Join(dir, scratchLock), os.O_RDWR, 0)
		if err != nil {
			continue // someone else's, or one being made
		}
		if tryLock(lock) == nil {
			_ = os.RemoveAll(dir)
		}
		lock.Close()
	}
}
