package kv

import "bytes"

// Write is one buffered operation: a put, or a delete when Delete is set.
type Write struct {
	Key    []byte
	Value  []byte
	Delete bool
}

// Buffer is the Txn every engine builds its transactions from. It collects writes, lets reads
// see them, and enforces the limits of the package, so that all engines refuse the same
// transactions. After the Update function returned nil, an engine checks Err and then applies
// Writes.
//
// The zero value is not ready: call Reset.
type Buffer struct {
	read   func(key []byte) ([]byte, error)
	writes []Write
	ops    int
	bytes  int
	err    error
}

var _ Txn = (*Buffer)(nil)

// Reset empties the buffer, keeping its memory, and sets where reads go that no buffered write
// answers. read returns ErrNotFound for an absent key.
func (b *Buffer) Reset(read func(key []byte) ([]byte, error)) {
	clear(b.writes)
	*b = Buffer{read: read, writes: b.writes[:0]}
}

// Get implements Txn.
func (b *Buffer) Get(key []byte) ([]byte, error) {
	if !b.admit(key, 0) {
		return nil, b.err
	}
	if w := b.find(key); w != nil {
		if w.Delete {
			return nil, ErrNotFound
		}
		return w.Value, nil
	}
	return b.read(key)
}

// Put implements Txn.
func (b *Buffer) Put(key, value []byte) {
	if b.admit(key, len(value)) {
		b.set(Write{Key: key, Value: value})
	}
}

// Delete implements Txn.
func (b *Buffer) Delete(key []byte) {
	if b.admit(key, 0) {
		b.set(Write{Key: key, Delete: true})
	}
}

func (b *Buffer) set(w Write) {
	if old := b.find(w.Key); old != nil {
		*old = w
		return
	}
	b.writes = append(b.writes, w)
}

// find returns the buffered write of key, nil if there is none. There are at most MaxOps writes
// and usually under ten: a search beats a map.
func (b *Buffer) find(key []byte) *Write {
	for i := range b.writes {
		if bytes.Equal(b.writes[i].Key, key) {
			return &b.writes[i]
		}
	}
	return nil
}

// admit counts one operation and reports whether the transaction is still within its limits. The
// first breach sticks.
func (b *Buffer) admit(key []byte, valueLen int) bool {
	if b.err != nil {
		return false
	}
	b.ops++
	b.bytes += len(key) + valueLen
	switch {
	case len(key) == 0 || len(key) > MaxKeyLen:
		b.err = ErrBadKey
	case b.ops > MaxOps || b.bytes > MaxBytes:
		b.err = ErrTooLarge
	}
	return b.err == nil
}

// Err returns the limit the transaction broke, nil if none. A transaction that broke one is not
// committed even when its function returned nil.
func (b *Buffer) Err() error { return b.err }

// Writes returns the buffered writes, each key once, in no promised order. The slice is valid
// until Reset.
func (b *Buffer) Writes() []Write { return b.writes }

// Bytes returns the size of the transaction as the limits count it.
func (b *Buffer) Bytes() int { return b.bytes }
