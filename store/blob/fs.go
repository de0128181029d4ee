package blob

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// FS is the part of a file system that a Dir uses, relative to the directory of the Dir. Names
// have slashes. Errors wrap fs.ErrNotExist where that is the reason. Tests put fakes here; see
// package blobtest.
type FS interface {
	// Mkdir makes a directory and those above it; one that exists is no error.
	Mkdir(dir string) error
	// Create makes a file that must not exist and opens it for writing.
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Rename moves a file, replacing one that is there.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// ReadDir returns the names in a directory, in any order.
	ReadDir(dir string) ([]string, error)
	// SyncDir makes the entries of a directory durable. "." is the root, ".." what holds it.
	SyncDir(dir string) error
}

// File is an open file of an FS. Sync makes its contents durable, not its name.
type File interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Sync() error
	Size() (int64, error)
}

// OS returns the directory of the operating system's file system as an FS.
func OS(dir string) FS { return osFS(dir) }

type osFS string

func (d osFS) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

func (d osFS) Mkdir(dir string) error { return os.MkdirAll(d.path(dir), 0o700) }

func (d osFS) Create(name string) (File, error) {
	return open(d.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (d osFS) Open(name string) (File, error) { return open(d.path(name), os.O_RDONLY) }

func open(path string, flag int) (File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err // not a nil *os.File in an interface
	}
	return osFile{f}, nil
}

func (d osFS) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

func (d osFS) Remove(name string) error { return os.Remove(d.path(name)) }

func (d osFS) ReadDir(dir string) ([]string, error) {
	f, err := os.Open(d.path(dir))
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	return names, errors.Join(err, f.Close())
}

func (d osFS) SyncDir(dir string) error {
	if runtime.GOOS == "windows" { // does it by itself, and refuses
		return nil
	}
	f, err := os.Open(d.path(dir))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
