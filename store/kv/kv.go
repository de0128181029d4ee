// Package kv is the contract between the domain packages and an ordered key-value engine.
//
// An [Engine] has three verbs. View reads a consistent snapshot: points, ranges, seeks. Update
// runs a small serializable transaction of point operations. Watch says, without promise, that
// something under a prefix changed. Nothing else of an engine may be relied on: no nested
// buckets, sequences, expiry or revision numbers, so that a distributed engine can take the
// place of a local one without a change in the packages above.
//
// # What the caller must do
//
//   - The function given to Update is pure: it reads through its Txn, computes, writes through
//     its Txn, and touches nothing else that outlives it except variables it assigns afresh on
//     every run. An engine may run it again (a conflict), may run it on another goroutine, and
//     may discard what it did. Random ids and the time are taken before Update, not inside.
//   - No scans in Update. A decision that depends on a range ("is this bucket empty?") needs a
//     fence record which every writer of that range reads: write the fence, scan a snapshot,
//     then write the outcome.
//   - No Update, and no second View, inside a View or an Update: engines may deadlock.
//   - Views are short. A View that lasts as long as a download holds back reclamation and, in
//     some engines, growth.
//
// # Lifetime of bytes
//
// A slice obtained from a Reader or a Txn, key or value, is valid until the function it was
// obtained in returns, and must not be modified: engines hand out their own memory, so reading
// a 64 KiB value costs no copy. Copy what has to live longer. Conversely, the engine keeps the
// slices given to Put and Delete until Update returns; do not change them before.
//
// # Limits
//
// A transaction has at most [MaxOps] operations (every Get, Put and Delete counts) and [MaxBytes]
// of keys and written values; a key has 1 to [MaxKeyLen] bytes, any bytes. Every engine enforces
// this through [Buffer].
//
// The package kvtest holds the contract as a test suite; kvfault wraps an engine with faults.
package kv

import "context"

// Bounds of one transaction and of one key. They are what an etcd cluster with default settings
// accepts, rounded down, so a transaction that fits here fits every engine.
const (
	MaxOps    = 96
	MaxBytes  = 1 << 20
	MaxKeyLen = 4096
)

// Engine is an ordered map from byte strings to byte strings. Keys are ordered as bytes.Compare
// orders them. All methods are safe for concurrent use.
type Engine interface {
	// View runs fn on a snapshot: fn sees every Update that returned before View was called and
	// none that commits while fn runs. View returns fn's error unchanged, ErrClosed, ctx's error
	// when ctx ended before fn ran, or an error of the medium.
	View(ctx context.Context, fn func(Reader) error) error

	// Update runs fn and commits what it wrote, all or nothing, as if transactions ran one after
	// the other; it returns nil only once the writes are durable. If fn returns an error nothing
	// is written and Update returns that error unchanged. Other errors: ErrClosed, ErrTooLarge,
	// ErrBadKey, ctx's error when ctx ended before fn's writes were submitted, ErrUncertain when
	// the commit may or may not have happened, or an error of the medium. A panic of fn
	// surfaces in the caller of Update and writes nothing.
	Update(ctx context.Context, fn func(Txn) error) error

	// Watch returns a channel of capacity one that receives a value after commits which put or
	// deleted a key with the prefix. It is a hint: signals coalesce, and may be lost when an
	// engine loses its connection, so its user also looks from time to time. The channel is closed when ctx
	// ends or the engine is closed.
	Watch(ctx context.Context, prefix []byte) <-chan struct{}

	// Close waits for running Views and Updates, refuses new ones with ErrClosed, and releases
	// the medium. A second Close does nothing and returns nil.
	Close() error
}

// Reader reads one snapshot. It is valid until the View function returns and is not safe for
// concurrent use.
type Reader interface {
	// Get returns the value of key, or ErrNotFound. The length does not tell an empty value from
	// an absent one; the error does.
	Get(key []byte) ([]byte, error)

	// Scan calls fn for every pair with start <= key < end in order until fn returns false or an
	// error, and returns that error. A nil start is the first key; a nil end is no bound.
	Scan(start, end []byte, fn func(k, v []byte) (more bool, err error)) error

	// Cursor walks the same range by hand. Seeking costs about one Get however many keys lie
	// between, which is how a delimiter listing skips a common prefix.
	Cursor(start, end []byte) Cursor
}

// Cursor walks one range of a snapshot in order:
//
//	c := r.Cursor(start, end)
//	for k, v := c.Next(); k != nil; k, v = c.Next() {
//		…
//	}
//	return c.Err()
type Cursor interface {
	// Seek moves to the first pair of the range whose key is at or after key and returns it; a
	// nil key says there is none. Keys before the start of the range count as the start.
	Seek(key []byte) (k, v []byte)
	// Next moves to the following pair, or to the first one on a new cursor. After the end it
	// keeps returning a nil key until Seek is called.
	Next() (k, v []byte)
	// Err returns the error that ended the walk, nil at the plain end of the range.
	Err() error
}

// Txn is one transaction: point reads and buffered writes. Its reads see its own writes. It is
// valid until the Update function returns and is not safe for concurrent use.
type Txn interface {
	// Get returns the value of key, ErrNotFound, ErrTooLarge or ErrBadKey.
	Get(key []byte) ([]byte, error)
	// Put sets key to value. A breach of the limits is reported by Update.
	Put(key, value []byte)
	// Delete removes key; an absent key is no error. A breach of the limits is reported by Update.
	Delete(key []byte)
}

// PrefixEnd returns the first key after all keys with the prefix: Scan(p, PrefixEnd(p), …) visits
// exactly those. It returns nil, no bound, when there is no such key (an empty prefix, or only
// 0xff bytes).
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}
