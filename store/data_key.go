package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"

	"twinbucket/internal/rootkey"
	"twinbucket/store/kv"
)

// DataKey is a plaintext data key.
type DataKey [32]byte

// String keeps a data key out of logs.
func (DataKey) String() string { return "DataKey(secret)" }

// GoString does the same for %#v.
func (DataKey) GoString() string { return "DataKey(secret)" }

// wrapFormat is the first byte of a wrapped data key: AES-256-GCM under the master
// key with a random nonce, this byte as associated data.
const wrapFormat = 1

var errWrapped = errors.New("store: wrapped data key is damaged or of another store")

// NewDataKey makes a data key and wraps it under the store's master key (SSE-S3).
func (s *Store) NewDataKey() (key DataKey, wrapped []byte, err error) {
	s.random(key[:])
	wrapped = make([]byte, 1+s.master.NonceSize(), 1+s.master.NonceSize()+len(key)+s.master.Overhead())
	wrapped[0] = wrapFormat
	s.random(wrapped[1:])
	return key, s.master.Seal(wrapped, wrapped[1:], key[:], wrapped[:1]), nil
}

// UnwrapDataKey undoes NewDataKey.
func (s *Store) UnwrapDataKey(wrapped []byte) (key DataKey, err error) {
	n := 1 + s.master.NonceSize()
	if len(wrapped) != n+len(key)+s.master.Overhead() || wrapped[0] != wrapFormat {
		return DataKey{}, failed(errWrapped)
	}
	if _, err := s.master.Open(key[:0], wrapped[1:n], wrapped[n:], wrapped[:1]); err != nil {
		return DataKey{}, failed(errWrapped)
	}
	return key, nil
}

// RootKeyError is a master key that the root key does not open: the root key is another
// one than that which sealed it, or the record is damaged.
type RootKeyError struct{ Cause error }

// Error says so.
func (e *RootKeyError) Error() string {
	return "the store's master key can't be opened: " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *RootKeyError) Unwrap() error { return e.Cause }

const masterContext = "store master key" // what the sealed master key is bound to

// openMaster loads the master key, or makes it on the first start. It is kept sealed
// under the root key. Errors are those of the engine, or a *RootKeyError.
func (s *Store) openMaster(ctx context.Context) error {
	root := s.cfg.RootKey
	if root == nil {
		var err error
		if root, err = rootkey.Random(s.cfg.Rand); err != nil {
			return err
		}
	}
	var fresh DataKey
	s.random(fresh[:])
	sealed, err := root.Seal(s.cfg.Rand, fresh[:], masterContext)
	if err != nil {
		return err
	}
	var kept []byte
	err = s.cfg.Engine.Update(ctx, func(tx kv.Txn) (err error) {
		if kept, err = lookup(tx, plainKey(kindMaster)); err == nil && kept == nil {
			kept = sealed
			tx.Put(plainKey(kindMaster), sealed)
		}
		return err
	})
	if err != nil {
		return err
	}
	key, err := root.Open(kept, masterContext)
	if err != nil {
		return &RootKeyError{err}
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	s.master, err = cipher.NewGCM(block)
	return err
}
