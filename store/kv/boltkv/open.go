package boltkv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of the data file in the data directory.
const FileName = "twinbucket.db"

// Options are the settings of Open.
type Options struct {
	// Owner says more about this process to a second one that finds the directory in use, for
	// instance "listening on 127.0.0.1:4566". The process id is always told. See SetOwner.
	Owner string
}

// Open opens the engine in dir, creating both as needed, and holds dir until Close. Errors:
// *InUseError, *UnwritableError, *DamagedError, or an error of the medium.
func Open(dir string, opts Options) (*Engine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &UnwritableError{Dir: dir, Err: err}
	}
	path := filepath.Join(dir, FileName)
	db, err := openBolt(path, boltOptions())
	if err != nil {
		return nil, classify(dir, path, err)
	}
	e := newEngine(db)
	if err := e.claim(dir, opts.Owner); err != nil {
		_ = e.Close() // what it may complain about is the same trouble again
		return nil, &UnwritableError{Dir: dir, Err: err}
	}
	return e, nil
}

// claim finishes opening a locked directory: it names the owner, lays out a new file, and makes
// the directory entries of a new file as durable as its contents.
func (e *Engine) claim(dir, detail string) error {
	o := &ownerFile{path: filepath.Join(dir, ownerName)}
	if err := o.write(detail); err != nil {
		return err
	}
	e.owner = o
	created, err := e.layOut()
	if err != nil || !created {
		return err
	}
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
}

// SetOwner replaces Options.Owner, for what is only known after Open, such as the listen address.
func (e *Engine) SetOwner(detail string) error {
	if e.owner == nil {
		return nil
	}
	return e.owner.write(detail)
}

// OpenMemory opens an engine on a throw-away file: nothing is synced, and nothing is left after
// Close or, where the OS can unlink an open file, after the process ends in any way.
func OpenMemory() (*Engine, error) {
	var kept string // the path, if the OS would not unlink it
	opts := boltOptions()
	opts.NoSync = true
	opts.NoGrowSync = true
	opts.OpenFile = func(string, int, os.FileMode) (*os.File, error) {
		f, err := createScratch()
		if err == nil && os.Remove(f.Name()) != nil {
			kept = f.Name()
		}
		return f, err
	}
	db, err := openBolt("memory", opts)
	if err != nil {
		return nil, err
	}
	e := newEngine(db)
	e.throwaway, e.removeOnClose = true, kept
	if _, err := e.layOut(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func newEngine(db *bbolt.DB) *Engine {
	e := &Engine{db: db}
	e.committer.idle.L = &e.committer.mu
	return e
}

// boltOptions are the settings common to both forms.
func boltOptions() *bbolt.Options {
	opts := *bbolt.DefaultOptions
	// Long enough for a predecessor that is just exiting, short enough for a clear answer.
	opts.Timeout = 150 * time.Millisecond
	// The array form searches linearly for runs of pages: slow once much was deleted.
	opts.FreelistType = bbolt.FreelistMapType
	// A commit would otherwise rewrite the whole list of free pages, megabytes after a large
	// deletion. Close writes it once; after a crash Open walks the file instead (measured: 0.3 s for
	// 350 MiB).
	opts.NoFreelistSync = true
	opts.NoStatistics = true
	// Outgrowing the map means waiting for every running View and stopping new ones. Address
	// space is free, so take more than data will need. On Windows the file would grow to this size.
	switch {
	case runtime.GOOS == "windows":
	case strconv.IntSize == 64:
		opts.InitialMmapSize = 1 << 30
		opts.InitialMmapSize <<= 4 // in two steps: the constant would not fit 32 bits
	default:
		opts.InitialMmapSize = 128 << 20
	}
	return &opts
}

// openBolt opens the file, without the large map if address space is limited (ulimit -v). bbolt
// reports some kinds of damage by panicking.
func openBolt(path string, opts *bbolt.Options) (db *bbolt.DB, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &DamagedError{Path: path, Err: fmt.Errorf("%v", v)}
		}
	}()
	db, err = bbolt.Open(path, 0o600, opts)
	if errors.Is(err, syscall.ENOMEM) && opts.InitialMmapSize > 0 {
		opts.InitialMmapSize = 0
		db, err = bbolt.Open(path, 0o600, opts)
	}
	return db, err
}

// classify turns an error of openBolt into one the operator understands.
func classify(dir, path string, err error) error {
	var pathErr *os.PathError
	var damaged *DamagedError
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return &InUseError{Dir: dir, Owner: readOwner(dir)}
	case errors.As(err, &damaged):
		return err
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return &DamagedError{Path: path, Err: err}
	case errors.As(err, &pathErr):
		return &UnwritableError{Dir: dir, Err: err}
	}
	return fmt.Errorf("opening data file %s: %w", path, err)
}

// layOut creates the bucket of a new file.
func (e *Engine) layOut() (created bool, err error) {
	err = e.db.View(func(tx *bbolt.Tx) error {
		created = tx.Bucket(bucketName) == nil
		return nil
	})
	if err != nil || !created {
		return created, err
	}
	return true, e.db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucketName)
		return err
	})
}

// syncDir makes the entries of a directory durable. Windows does it by itself and refuses.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
