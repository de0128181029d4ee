package rootkey

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// OpenFileError is a root key file that other users may read or write.
type OpenFileError struct {
	Path string
	Mode os.FileMode
}

// Error names the file and its mode.
func (e *OpenFileError) Error() string {
	return fmt.Sprintf("%s has mode %04o: a root key belongs to its owner alone", e.Path, e.Mode.Perm())
}

// LoadFile reads a root key file: the text form of [Parse]. Whoever gives the file
// answers for its permissions.
func LoadFile(path string) (*Key, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	k, err := Parse(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// LoadOwn is LoadFile for a file that CreateFile made: it must still be its owner's
// alone (*OpenFileError).
func LoadOwn(path string) (*Key, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := st.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" { // which has no such bits
		return nil, &OpenFileError{path, mode}
	}
	return LoadFile(path)
}

// CreateFile makes a new root key and its file, readable by the owner only, which
// must not be there yet and which nobody else makes meanwhile. When it returns, file and
// directory entry are on the disk.
func CreateFile(path string, random io.Reader) (*Key, error) {
	var secret [Size]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return nil, fmt.Errorf("rootkey: %w", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, &fs.PathError{Op: "create", Path: path, Err: errors.Join(fs.ErrExist, err)}
	}
	// The file appears under its name only when it is whole: an interrupted start
	// leaves a temporary file that the next one replaces.
	temp := path + ".tmp"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := writeFile(temp, base64.StdEncoding.EncodeToString(secret[:])+"\n"); err != nil {
		return nil, err
	}
	if err := os.Rename(temp, path); err != nil {
		return nil, err
	}
	return New(secret), syncDir(filepath.Dir(path))
}

func writeFile(path, text string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
