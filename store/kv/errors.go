package kv

import "errors"

// Errors of reads and of the lifecycle.
var (
	// ErrNotFound is returned by Get when the key has no value.
	ErrNotFound = errors.New("kv: not found")
	// ErrClosed is returned by every verb once Close was called.
	ErrClosed = errors.New("kv: engine is closed")
)

// Errors of transactions.
var (
	// ErrTooLarge is returned when a transaction exceeds MaxOps operations or MaxBytes of keys
	// and values; nothing was written.
	ErrTooLarge = errors.New("kv: transaction too large")
	// ErrBadKey is returned when a key is empty or longer than MaxKeyLen; nothing was written.
	ErrBadKey = errors.New("kv: key is empty or too long")
	// ErrUncertain is returned when the medium failed during a commit, so that the writes may or
	// may not be there now and after a restart: read again before deciding.
	ErrUncertain = errors.New("kv: outcome of the commit is unknown")
)
