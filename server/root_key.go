package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"twinbucket/internal/rootkey"
	"twinbucket/store/kv"
)

// RootKey seals what is secret in a data directory: key material, and the store's
// master key.
type RootKey = rootkey.Key

// ParseRootKey reads the text form of a root key: 32 bytes in base64.
func ParseRootKey(text string) (*RootKey, error) { return rootkey.Parse(text) }

// RootKeyError is a root key that is missing, unusable, or not the one that sealed the
// data directory.
type RootKeyError struct {
	Data  string // the data directory
	Path  string // the file, "" for a key that was given by itself
	Cause error  // fs.ErrNotExist, rootkey.ErrSealed, *rootkey.OpenFileError, …
}

// Error says which of them it is.
func (e *RootKeyError) Error() string {
	from := "the root key that was given"
	if e.Path != "" {
		from = "the root key in " + e.Path
	}
	switch {
	case e.Wrong():
		return fmt.Sprintf("%s is not the one that %s was sealed with", from, e.Data)
	case e.Missing():
		return fmt.Sprintf("the root key of %s is gone: there is no %s", e.Data, e.Path)
	}
	return fmt.Sprintf("%s can't be used: %v", from, e.Cause)
}

// Wrong reports whether it is another key than the one that sealed the directory.
func (e *RootKeyError) Wrong() bool { return errors.Is(e.Cause, rootkey.ErrSealed) }

// Missing reports whether its file is gone.
func (e *RootKeyError) Missing() bool { return errors.Is(e.Cause, fs.ErrNotExist) }

// Open reports whether others than its owner may read its file.
func (e *RootKeyError) Open() bool {
	var open *rootkey.OpenFileError
	return errors.As(e.Cause, &open)
}

// Unwrap returns the cause.
func (e *RootKeyError) Unwrap() error { return e.Cause }

// rootKeyFile is the name of the root key in a data directory. Whoever copies the
// directory without it has copied no secret.
const rootKeyFile = "root.key"

// checkRecord holds a known text, sealed: it tells the right root key from every other
// one before anything is opened with it.
const (
	checkRecord = "root/check"
	checkText   = "twinbucket"
)

// openRootKey finds the root key: the given one, that of the given file, or that of the
// data directory, which is made on the first start. A state that nobody keeps gets a
// key that nobody keeps. Errors are those of the engine, or a *RootKeyError.
func (s *Server) openRootKey(ctx context.Context) error {
	random := s.cfg.Rand
	if random == nil {
		random = rand.Reader
	}
	var sealed []byte
	err := s.engine.View(ctx, func(r kv.Reader) (err error) {
		sealed, err = r.Get([]byte(checkRecord))
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	path := s.cfg.RootKeyFile
	switch {
	case s.cfg.RootKey != nil:
		s.root, path = s.cfg.RootKey, ""
	case path != "":
		s.root, err = rootkey.LoadFile(path)
	case s.cfg.Data == "":
		s.root, err = rootkey.Random(random)
	default:
		path = filepath.Join(s.cfg.Data, rootKeyFile)
		if s.root, err = rootkey.LoadOwn(path); errors.Is(err, fs.ErrNotExist) && sealed == nil {
			s.root, err = rootkey.CreateFile(path, random)
		}
	}
	if err == nil && sealed != nil {
		_, err = s.root.Open(sealed, checkRecord)
	}
	if err != nil {
		return &RootKeyError{s.cfg.Data, path, err}
	}
	if sealed != nil {
		return nil
	}
	if sealed, err = s.root.Seal(random, []byte(checkText), checkRecord); err != nil {
		return err
	}
	return s.engine.Update(ctx, func(tx kv.Txn) error {
		tx.Put([]byte(checkRecord), sealed)
		return nil
	})
}
