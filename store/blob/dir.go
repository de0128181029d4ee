package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// tempDir holds blobs being written. All others are in directories named by the first byte of
// their id, so that none grows too long.
const tempDir = "tmp"

// Dir stores sealed blobs in files. It is safe for concurrent use. One process may use a
// directory at a time; the lock of the engine beside it sees to that.
type Dir struct {
	fs      FS
	noSync  bool
	sweep   sync.Mutex // held by Sweep
	onClose func() error

	mu    sync.Mutex
	fresh map[ID]struct{} // created since OpenDir; nil once the sweep is over
}

// DirOptions are the settings of OpenDir.
type DirOptions struct {
	// NoSync leaves out every sync: a crash of the machine may then lose committed blobs.
	NoSync bool
}

// OpenDir opens the blob directory at the root of fsys, creating it as needed, and removes what
// a previous process left half written.
func OpenDir(fsys FS, opts DirOptions) (*Dir, error) {
	d := &Dir{fs: fsys, noSync: opts.NoSync, fresh: make(map[ID]struct{})}
	if err := fsys.Mkdir(tempDir); err != nil {
		return nil, fmt.Errorf("blob: making the directory: %w", err)
	}
	// The directory itself must survive a crash if a blob in it is to.
	if err := d.syncDirs(".", ".."); err != nil {
		return nil, fmt.Errorf("blob: making the directory: %w", err)
	}
	names, err := fsys.ReadDir(tempDir)
	if err != nil {
		return nil, fmt.Errorf("blob: reading the directory: %w", err)
	}
	for _, name := range names {
		if err := fsys.Remove(tempDir + "/" + name); err != nil {
			return nil, fmt.Errorf("blob: removing a left-over file: %w", err)
		}
	}
	return d, nil
}

// Close releases what OpenMemory made, and does nothing after OpenDir. Files being written or
// read must be closed first.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.onClose == nil {
		return nil
	}
	err := d.onClose()
	d.onClose = nil
	return err
}

func shard(id ID) string { return fmt.Sprintf("%02x", id[0]) }

func place(id ID) string { return shard(id) + "/" + id.String() }

func temp(id ID) string { return tempDir + "/" + id.String() }

// Writer is a blob being written. It ends with Commit or Abort; Abort after either does nothing,
// so it can be deferred.
type Writer struct {
	d    *Dir
	id   ID
	file File // nil once ended
	err  error
}

// Create begins the blob id, which must never have been used before. What is written to the
// Writer should come from a Sealer of the same id.
func (d *Dir) Create(id ID) (*Writer, error) {
	d.mu.Lock()
	if d.fresh != nil {
		d.fresh[id] = struct{}{}
	}
	d.mu.Unlock()
	f, err := d.fs.Create(temp(id))
	if err != nil {
		return nil, fmt.Errorf("blob: creating %s: %w", id, err)
	}
	return &Writer{d: d, id: id, file: f}, nil
}

// Write implements io.Writer. After an error only Abort makes sense: Commit returns that error.
func (w *Writer) Write(p []byte) (int, error) {
	if w.file == nil {
		return 0, fs.ErrClosed
	}
	n, err := w.file.Write(p)
	if err != nil {
		w.err = fmt.Errorf("blob: writing %s: %w", w.id, err)
	}
	return n, w.err
}

// Commit makes the blob durable under its id. If it fails the blob is gone, or a later sweep
// removes it.
func (w *Writer) Commit() error {
	if w.file == nil {
		return fs.ErrClosed
	}
	if w.err != nil {
		return errors.Join(w.err, w.Abort())
	}
	var err error
	if !w.d.noSync {
		err = w.file.Sync()
	}
	err = errors.Join(err, w.file.Close())
	w.file = nil
	if err == nil {
		err = w.d.settle(w.id)
	}
	if err != nil {
		err = errors.Join(err, w.d.fs.Remove(temp(w.id)))
		return fmt.Errorf("blob: committing %s: %w", w.id, err)
	}
	if err := w.d.syncDirs(shard(w.id)); err != nil {
		return fmt.Errorf("blob: committing %s: %w", w.id, errors.Join(err, w.d.Remove(w.id)))
	}
	return nil
}

// settle gives a temporary file its final name.
func (d *Dir) settle(id ID) error {
	err := d.fs.Rename(temp(id), place(id))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The first blob of its directory.
	if err := d.fs.Mkdir(shard(id)); err != nil {
		return err
	}
	if err := d.syncDirs("."); err != nil {
		return err
	}
	return d.fs.Rename(temp(id), place(id))
}

func (d *Dir) syncDirs(dirs ...string) error {
	if d.noSync {
		return nil
	}
	for _, dir := range dirs {
		if err := d.fs.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// Abort drops the blob. After Commit or Abort it does nothing and returns nil.
func (w *Writer) Abort() error {
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.file.Close(), w.d.fs.Remove(temp(w.id)))
	w.file = nil
	return err
}

// OpenFile is a blob being read, still sealed: give it to Open. It stays readable after Remove.
type OpenFile struct {
	File
	size int64
}

// Size returns the sealed length in bytes.
func (f *OpenFile) Size() int64 { return f.size }

// Open opens the sealed blob id for reading. The error is or wraps ErrNotFound if there is none.
func (d *Dir) Open(id ID) (*OpenFile, error) {
	f, err := d.fs.Open(place(id))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
		}
		return nil, fmt.Errorf("blob: opening %s: %w", id, err)
	}
	size, err := f.Size()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blob: opening %s: %w", id, err), f.Close())
	}
	return &OpenFile{File: f, size: size}, nil
}

// Remove removes the blob id; an absent one is no error. The removal is not synced: a blob that
// a crash brings back has no record any more, and the sweep removes it.
func (d *Dir) Remove(id ID) error {
	err := d.fs.Remove(place(id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: removing %s: %w", id, err)
	}
	return nil
}

// List calls fn for every committed blob, in no order, until it returns an error. Blobs that come
// or go meanwhile may be seen or not. Files with names that are no ids are left alone.
func (d *Dir) List(ctx context.Context, fn func(ID) error) error {
	shards, err := d.fs.ReadDir(".")
	if err != nil {
		return fmt.Errorf("blob: listing: %w", err)
	}
	for _, dir := range shards {
		if len(dir) != 2 { // the temporary directory, or nothing of ours
			continue
		}
		names, err := d.fs.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("blob: listing: %w", err)
		}
		for _, name := range names {
			id, err := ParseID(name)
			if err != nil || shard(id) != dir {
				continue
			}
			if err := errors.Join(ctx.Err(), fn(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sweep removes the blobs that were there at OpenDir and that keep does not want, and returns how
// many. Blobs created since are never touched, so it may run while the Dir is in use; keep is asked
// after OpenDir and sees every record committed before. An error of keep ends the sweep, which can
// then be repeated. Once it succeeded, further calls do nothing. Call it soon after OpenDir: until
// then the Dir remembers every id it created.
func (d *Dir) Sweep(ctx context.Context, keep func(ID) (bool, error)) (removed int, err error) {
	d.sweep.Lock()
	defer d.sweep.Unlock()
	d.mu.Lock()
	over := d.fresh == nil
	d.mu.Unlock()
	if over {
		return 0, nil
	}
	err = d.List(ctx, func(id ID) error {
		if d.isFresh(id) {
			return nil
		}
		wanted, err := keep(id)
		if err != nil || wanted {
			return err
		}
		if err := d.Remove(id); err != nil {
			return err
		}
		removed++
		return nil
	})
	if err == nil {
		d.mu.Lock()
		d.fresh = nil
		d.mu.Unlock()
	}
	return removed, err
}

func (d *Dir) isFresh(id ID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, fresh := d.fresh[id]
	return fresh
}
