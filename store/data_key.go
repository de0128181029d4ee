package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"

	"twinbucket/internal/failure"
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

// openMaster loads the master key, or makes it on the first start.
func (s *Store) openMaster(ctx context.Context) error {
	fresh := make([]byte, 32)
	s.random(fresh)
	var key [32]byte
	err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		v, err := lookup(tx, plainKey(kindMaster))
		if err != nil {
			return err
		}
		if v == nil {
			v = fresh
			tx.Put(plainKey(kindMaster), v)
		}
		if copy(key[:], v) != len(key) || len(v) != len(key) {
			return failure.New("InternalError", "the master key of the store is damaged")
		}
		return nil
	})
	if err != nil {
		return err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return err
	}
	s.master, err = cipher.NewGCM(block)
	return err
}
