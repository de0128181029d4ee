package store

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"crypto/cipher"

	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/internal/rootkey"
	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// DefaultInlineLimit is the largest plaintext that is kept in a record when Config
// says nothing. With syncs a record is a third of the time of a blob file up to 64 KiB
// at least, for it shares the commit of its version; without them, in memory, a file
// becomes the cheaper one at about half of that, because the engine copies pages.
const DefaultInlineLimit = 32 << 10

// Config is what a Store needs. All but Rand, RootKey and InlineLimit are required.
type Config struct {
	Engine kv.Engine
	Blobs  *blob.Dir
	Clock  clock.Clock
	Logger *slog.Logger
	Rand   io.Reader // default crypto/rand.Reader
	// RootKey seals the master key of SSE-S3. Without one it is sealed under a key that
	// nobody keeps, which does for an Engine that nobody opens again.
	RootKey *rootkey.Key
	// InlineLimit is the largest plaintext kept sealed in its record; 0 means
	// DefaultInlineLimit, a negative one that everything becomes a blob.
	InlineLimit int64
}

// Store is the S3 domain model and its transactions, and the replication task queue.
// It is the only package that knows how keys and records are laid out.
// Errors are *failure.Error: NoSuchBucket, NoSuchKey, NoSuchVersion, NoSuchUpload,
// BucketAlreadyExists, BucketAlreadyOwnedByYou, BucketNotEmpty, PreconditionFailed,
// ConditionalRequestConflict, OperationAborted, InvalidPart, InvalidRange, DataGone,
// DstBucketUnversioned, StaleAttempt, and InternalError with a private cause.
type Store struct {
	cfg       Config
	master    cipher.AEAD
	lastOrder atomic.Uint64
	buckets   bucketCache
	buffers   sync.Pool // *[]byte of InlineLimit+1
	pins      pins
	queue     queue
	claiming  sync.Mutex
	wake      chan struct{}
}

// New returns a Store; call Open before use.
func New(cfg Config) *Store {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	} else {
		cfg.Rand = &lockedReader{r: cfg.Rand}
	}
	switch {
	case cfg.InlineLimit == 0:
		cfg.InlineLimit = DefaultInlineLimit
	case cfg.InlineLimit < 0:
		cfg.InlineLimit = -1
	}
	s := &Store{cfg: cfg, wake: make(chan struct{}, 1)}
	s.queue.reset()
	return s
}

// lockedReader makes a seeded source safe for the goroutines that share the Store.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// Open loads or makes the master key, checks the record format, finishes what a
// crash interrupted, sweeps unreferenced blobs and counts the queue.
func (s *Store) Open(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.openFormat, s.openMaster, s.finishTrash, s.finishDeletions, s.purgeCompleted, s.sweepBlobs, s.countQueue,
	} {
		if err := step(ctx); err != nil {
			return failed(err)
		}
	}
	return nil
}

// Close releases what Open took; engine and blobs belong to the caller. Nothing is
// left running, so it may be called at any time and more than once.
func (s *Store) Close(ctx context.Context) error { return nil }

// openFormat refuses a store of another record format.
func (s *Store) openFormat(ctx context.Context) error {
	var found byte
	err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		v, err := tx.Get(plainKey(kindFormat))
		if errors.Is(err, kv.ErrNotFound) {
			found = recordFormat
			tx.Put(plainKey(kindFormat), []byte{recordFormat})
			return nil
		}
		if err == nil && len(v) == 1 {
			found = v[0]
		}
		return err
	})
	if err == nil && found != recordFormat {
		return failure.Newf("InternalError", "the data were written in record format %d, this program knows %d", found, recordFormat)
	}
	return err
}

// getter is what reads share between a snapshot and a transaction.
type getter interface {
	Get(key []byte) ([]byte, error)
}

// lookup is Get with a nil value for an absent key.
func lookup(g getter, key []byte) ([]byte, error) {
	v, err := g.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	if err == nil && v == nil {
		v = []byte{}
	}
	return v, err
}

// change is what a transaction decided for after its commit. Each run of the
// transaction starts with a fresh one.
type change struct {
	added   []Task    // tasks made
	removed []counted // tasks that are no more
	stirred []RuleKey // queues with a task that is due earlier now
	files   []blob.ID // blobs that nothing refers to any more
	sets    []blob.ID // part sets to destroy
	ended   []string  // uploads whose parts are to be cleaned up
}

// update runs a transaction and then does what it decided.
func (s *Store) update(ctx context.Context, fn func(tx kv.Txn, c *change) error) error {
	var c change
	var made []Task // counted already
	err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		s.queue.forget(made)
		c, made = change{}, nil
		err := fn(tx, &c)
		if err == nil {
			made = c.added
			s.queue.add(made)
		}
		return err
	})
	if err != nil {
		s.queue.forget(made)
		return err
	}
	s.after(ctx, &c)
	return nil
}

// after follows a commit. The caller's context no longer matters: the commit stands,
// so what it leaves behind is cleaned up even if the client is gone. A clean-up that
// fails is logged and repeated by Open.
func (s *Store) after(ctx context.Context, c *change) {
	s.queue.remove(c.removed...)
	if len(c.added)+len(c.stirred) > 0 {
		for i := range c.added {
			c.stirred = append(c.stirred, c.added[i].Queue())
		}
		s.queue.stir(c.stirred...)
		s.notify()
	}
	s.removeBlobs(c.files)
	if len(c.sets) == 0 && len(c.ended) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	for _, set := range c.sets {
		if err := s.destroyPartSet(ctx, set); err != nil {
			s.cfg.Logger.Error("store: part set not removed", "set", set, "error", err)
		}
	}
	for _, upload := range c.ended {
		if err := s.cleanUpload(ctx, upload); err != nil {
			s.cfg.Logger.Error("store: parts not removed", "upload", upload, "error", err)
		}
	}
}

// notify wakes whoever claims tasks.
func (s *Store) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Wake returns a channel that receives after commits that made tasks due: a hint, never the data.
func (s *Store) Wake() <-chan struct{} { return s.wake }
