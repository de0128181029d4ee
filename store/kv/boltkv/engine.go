// Package boltkv is the default [kv.Engine]: one bbolt file in the data directory.
//
// [Open] locks the directory for this process: a second one gets an [*InUseError] that names the
// first. [OpenMemory] runs the same code on a file without a name that vanishes with the process.
//
// # Group commit
//
// A commit costs two syncs of the file whatever it holds, so concurrent Updates share one. No
// timer decides who travels together: while one group is being synced, the next gathers in a
// queue. There is no committer goroutine either; the first caller to find nobody committing
// leads. It takes all who wait, runs their functions one after the other in one bbolt
// transaction, commits, answers them, and hands the lead to the first caller who queued
// meanwhile. A single writer therefore never waits for company and never changes goroutine.
//
// Each function writes to its own [kv.Buffer], which is applied only on success: one that fails
// or panics leaves no trace in the group. All are answered after the commit, the failed ones
// too, since a failure may rest on what an earlier member of the same group wrote.
//
// # When the disk fails
//
// A failed commit is answered with [kv.ErrUncertain]. If the disk is merely full the engine goes
// on. After any other failure it refuses all further Updates until it is reopened: once a sync
// has failed, the kernel may report the next one as good without having written the lost pages.
package boltkv

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"twinbucket/store/kv"
)

// bucketName holds every pair. The suffix is the version of the layout.
var bucketName = []byte("twinbucket.1")

// Engine is a kv.Engine on one bbolt file.
type Engine struct {
	db    *bbolt.DB
	owner *ownerFile // nil for OpenMemory
	// removeOnClose is the path of a throw-away file the OS would not unlink while open.
	removeOnClose string
	throwaway     bool

	committer committer
	watchers  watchers
	stats     stats

	closeOnce sync.Once
}

var _ kv.Engine = (*Engine)(nil)

type stats struct{ updates, commits atomic.Uint64 }

// Stats counts what the engine did since it was opened.
type Stats struct {
	Updates uint64 // Update calls answered, failed ones included
	Commits uint64 // commits to the medium; Updates/Commits is the mean group size
}

// Stats returns the counters.
func (e *Engine) Stats() Stats {
	return Stats{Updates: e.stats.updates.Load(), Commits: e.stats.commits.Load()}
}

// View implements kv.Engine.
func (e *Engine) View(ctx context.Context, fn func(kv.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, err := e.db.Begin(false)
	if err != nil {
		if errors.Is(err, berrors.ErrDatabaseNotOpen) {
			return kv.ErrClosed
		}
		return err
	}
	// Deferred so that a panic of fn releases the snapshot: a leaked one would block Close.
	defer tx.Rollback()
	return fn(&reader{bucket: tx.Bucket(bucketName)})
}

// Watch implements kv.Engine.
func (e *Engine) Watch(ctx context.Context, prefix []byte) <-chan struct{} {
	return e.watchers.add(ctx, prefix)
}

// Close implements kv.Engine.
func (e *Engine) Close() (err error) {
	e.closeOnce.Do(func() { err = e.close() })
	return err
}

func (e *Engine) close() error {
	e.committer.stop()
	e.watchers.close()
	var errs []error
	if !e.throwaway && e.committer.broken == nil {
		errs = append(errs, e.writeFreelist())
	}
	if e.owner != nil {
		errs = append(errs, e.owner.remove()) // before the lock goes: afterwards it may be another's
	}
	errs = append(errs, e.db.Close())
	if e.removeOnClose != "" {
		errs = append(errs, os.Remove(e.removeOnClose))
	}
	return errors.Join(errs...)
}

// writeFreelist stores the list of free pages, which commits leave out, so that the next Open
// need not find them by walking the whole file. After a crash it does walk.
func (e *Engine) writeFreelist() error {
	e.db.NoFreelistSync = false
	tx, err := e.db.Begin(true)
	if err != nil {
		return err
	}
	return tx.Commit()
}
