// Package blobtest provides [Disk], a file system in memory for tests of everything that stores
// blobs: it can fail any operation and forget what was not synced.
//
//	disk := blobtest.NewDisk()
//	disk.Before(func(op blobtest.Op) error { … }) // nil lets the operation pass
//	dir, err := blob.OpenDir(disk, blob.DirOptions{})
//	…
//	dir, err = blob.OpenDir(disk.Crash(nil), blob.DirOptions{}) // after the power came back
package blobtest

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"twinbucket/store/blob"
)

// Op is one operation on a Disk.
type Op struct {
	N    int    // counted from 0 since NewDisk or Crash
	Kind string // mkdir, create, open, rename, remove, readdir, syncdir, write, sync, close
	Name string // of the file or directory, for rename the old one
}

func (op Op) String() string { return fmt.Sprintf("%d: %s %s", op.N, op.Kind, op.Name) }

// Disk is a blob.FS in memory. It is safe for concurrent use.
type Disk struct {
	mu     sync.Mutex
	root   *node
	ops    int
	before func(Op) error
}

var _ blob.FS = (*Disk)(nil)

// node is a file or a directory: as the process sees it, and as the medium holds it.
type node struct {
	data, synced []byte

	dir              bool
	entries, durable map[string]*node
}

func newDirNode() *node {
	return &node{dir: true, entries: map[string]*node{}, durable: map[string]*node{}}
}

// NewDisk returns an empty disk.
func NewDisk() *Disk { return &Disk{root: newDirNode()} }

// Before sets a function that is called before every operation; an error it returns becomes the
// operation's, which then does nothing, except that a failing write writes half. nil ends that. The
// function must not use the Disk.
func (d *Disk) Before(fn func(Op) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = fn
}

// step counts an operation and asks the hook. The caller holds mu.
func (d *Disk) step(kind, name string) error {
	op := Op{N: d.ops, Kind: kind, Name: name}
	d.ops++
	if d.before == nil {
		return nil
	}
	return d.before(op)
}

// Crash returns a new disk with what this one may hold after losing power. With a nil rnd that is
// exactly what was synced; otherwise each unsynced change of a name, and each unsynced content,
// is kept or lost at random, contents also in part.
func (d *Disk) Crash(rnd *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &Disk{root: d.root.crash(rnd)}
}

func (n *node) crash(rnd *rand.Rand) *node {
	if !n.dir {
		data := n.synced
		if rnd != nil && !bytes.Equal(n.data, n.synced) {
			data = n.data[:rnd.IntN(len(n.data)+1)]
		}
		return &node{data: bytes.Clone(data), synced: bytes.Clone(data)}
	}
	after := newDirNode()
	names := maps.Clone(n.durable)
	maps.Copy(names, n.entries)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		entry := n.durable[name]
		if rnd != nil && rnd.IntN(2) == 0 {
			entry = n.entries[name]
		}
		if entry != nil {
			after.entries[name] = entry.crash(rnd)
		}
	}
	after.durable = maps.Clone(after.entries)
	return after
}

// Files returns the names of all files, sorted.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var files []string
	var walk func(prefix string, n *node)
	walk = func(prefix string, n *node) {
		for name, entry := range n.entries {
			if entry.dir {
				walk(prefix+name+"/", entry)
			} else {
				files = append(files, prefix+name)
			}
		}
	}
	walk("", d.root)
	slices.Sort(files)
	return files
}

// locate returns the directory of name and the last element.
func (d *Disk) locate(op, name string) (*node, string, error) {
	dir := d.root
	for {
		first, rest, deeper := strings.Cut(name, "/")
		if !deeper {
			return dir, name, nil
		}
		dir = dir.entries[first]
		if dir == nil || !dir.dir {
			return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		name = rest
	}
}

// find returns the node of name.
func (d *Disk) find(op, name string) (*node, error) {
	if name == "." || name == ".." {
		return d.root, nil
	}
	dir, base, err := d.locate(op, name)
	if err == nil && dir.entries[base] == nil {
		err = &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, err
	}
	return dir.entries[base], nil
}

// Mkdir implements blob.FS.
func (d *Disk) Mkdir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("mkdir", name); err != nil {
		return err
	}
	dir := d.root
	for _, part := range strings.Split(name, "/") {
		if dir.entries[part] == nil {
			dir.entries[part] = newDirNode()
		}
		dir = dir.entries[part]
	}
	return nil
}

// Create implements blob.FS.
func (d *Disk) Create(name string) (blob.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("create", name); err != nil {
		return nil, err
	}
	dir, base, err := d.locate("create", name)
	if err != nil {
		return nil, err
	}
	if dir.entries[base] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	n := &node{}
	dir.entries[base] = n
	return &file{d: d, n: n, name: name}, nil
}

// Open implements blob.FS.
func (d *Disk) Open(name string) (blob.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("open", name); err != nil {
		return nil, err
	}
	n, err := d.find("open", name)
	if err != nil {
		return nil, err
	}
	return &file{d: d, n: n, name: name}, nil
}

// Rename implements blob.FS.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("rename", from); err != nil {
		return err
	}
	n, err := d.find("rename", from)
	if err != nil {
		return err
	}
	toDir, toBase, err := d.locate("rename", to)
	if err != nil {
		return err
	}
	fromDir, fromBase, _ := d.locate("rename", from)
	delete(fromDir.entries, fromBase)
	toDir.entries[toBase] = n
	return nil
}

// Remove implements blob.FS.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("remove", name); err != nil {
		return err
	}
	if _, err := d.find("remove", name); err != nil {
		return err
	}
	dir, base, _ := d.locate("remove", name)
	delete(dir.entries, base)
	return nil
}

// ReadDir implements blob.FS.
func (d *Disk) ReadDir(name string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("readdir", name); err != nil {
		return nil, err
	}
	n, err := d.find("readdir", name)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(n.entries)), nil
}

// SyncDir implements blob.FS.
func (d *Disk) SyncDir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("syncdir", name); err != nil {
		return err
	}
	n, err := d.find("syncdir", name)
	if err == nil && name != ".." {
		n.durable = maps.Clone(n.entries)
	}
	return err
}

// file is an open file.
type file struct {
	d    *Disk
	n    *node
	name string
}

func (f *file) Write(p []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	err := f.d.step("write", f.name)
	if err != nil {
		p = p[:len(p)/2]
	}
	f.n.data = append(f.n.data, p...)
	return len(p), err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.step("sync", f.name); err != nil {
		return err
	}
	f.n.synced = bytes.Clone(f.n.data)
	return nil
}

func (f *file) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return f.d.step("close", f.name)
}

func (f *file) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.n.data)), nil
}
