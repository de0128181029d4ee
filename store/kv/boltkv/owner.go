package boltkv

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// InUseError says that another process holds the data directory.
type InUseError struct {
	Dir   string
	Owner string // what the holder wrote about itself, such as "process 4711, listening on 127.0.0.1:4566"; may be empty
}

func (e *InUseError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("data directory %s is in use by another twinbucket", e.Dir)
	}
	return fmt.Sprintf("data directory %s is in use by another twinbucket (%s)", e.Dir, e.Owner)
}

// UnwritableError says that the data directory cannot be created or written.
type UnwritableError struct {
	Dir string
	Err error
}

func (e *UnwritableError) Error() string {
	return fmt.Sprintf("data directory %s cannot be written: %v", e.Dir, e.Err)
}

func (e *UnwritableError) Unwrap() error { return e.Err }

// DamagedError says that the data file is there but is not one this package can open.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("data file %s is damaged or not of this program: %v", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// ownerFile tells a second process who holds the lock. It is information only: the lock is on
// the data file, so an owner file left behind by a crash means nothing.
type ownerFile struct{ path string }

const ownerName = "owner"

// write replaces the file as a whole, so that nobody reads half a line.
func (o *ownerFile) write(detail string) error {
	text := fmt.Sprintf("process %d", os.Getpid())
	if detail != "" {
		text += ", " + detail
	}
	tmp := o.path + ".new"
	if err := os.WriteFile(tmp, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, o.path)
}

func (o *ownerFile) remove() error { return os.Remove(o.path) }

// readOwner returns what the owner file in dir says, as one line of sane length.
func readOwner(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, ownerName))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if len(line) > 200 {
		line = line[:200]
	}
	return strings.TrimSpace(line)
}
