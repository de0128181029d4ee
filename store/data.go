package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// WriteData seals r under key until EOF: inline when it is small, else into a new
// blob, which is durable when WriteData returns. Unless the Data is stored in a
// version or part, the caller must DiscardData it. An error of r is the private
// cause of the failure, or the failure itself if it is one.
func (s *Store) WriteData(ctx context.Context, key DataKey, r io.Reader) (Data, error) {
	buf := s.buffer()
	defer s.buffers.Put(buf)
	n, err := fill(&contextReader{ctx, r}, *buf)
	switch {
	case err == io.EOF:
		return s.sealInline(key, (*buf)[:n])
	case err != nil:
		return Data{}, failed(err)
	}
	return s.writeBlob(ctx, key, io.MultiReader(bytes.NewReader((*buf)[:n]), r))
}

// fill reads until buf is full or r ends. Unlike io.ReadFull it does not mistake an
// io.ErrUnexpectedEOF of r, a body cut short, for the end.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	if n == len(buf) {
		return n, nil
	}
	return n, err
}

// buffer returns a buffer that is one byte longer than what may stay inline.
func (s *Store) buffer() *[]byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, s.cfg.InlineLimit+1)
	return &b
}

func (s *Store) sealInline(key DataKey, plain []byte) (Data, error) {
	d := Data{ID: s.inlineID(), Size: int64(len(plain))}
	sealed, err := blob.SealBytes(make([]byte, 0, blob.SealedSize(d.Size)), key, d.ID, s.cfg.Rand, plain)
	if err != nil {
		return Data{}, failed(err)
	}
	d.Inline = sealed
	return d, nil
}

// inlineID begins with the time, so that records of data are appended to the engine's
// tree and not scattered over it. Blob files spread over directories by the first
// byte of their id and keep random ones.
func (s *Store) inlineID() (id blob.ID) {
	s.random(id[:])
	binary.BigEndian.PutUint64(id[:], s.nextOrder(nanos(s.cfg.Clock.Now())))
	return id
}

func (s *Store) writeBlob(ctx context.Context, key DataKey, r io.Reader) (Data, error) {
	id, err := blob.NewID(s.cfg.Rand)
	if err != nil {
		return Data{}, failed(err)
	}
	w, err := s.cfg.Blobs.Create(id)
	if err != nil {
		return Data{}, failed(err)
	}
	defer w.Abort()
	sealer, err := blob.Seal(w, key, id, s.cfg.Rand)
	if err != nil {
		return Data{}, failed(err)
	}
	n, err := sealer.ReadFrom(&contextReader{ctx, r})
	if err == nil {
		err = sealer.Close()
	}
	if err == nil {
		err = w.Commit()
	}
	if err != nil {
		return Data{}, failed(err)
	}
	return Data{ID: id, File: true, Size: n}, nil
}

// contextReader ends a long read when its request ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// DiscardData removes the blob of a write that was not committed. Inline data needs
// nothing, and a blob that a record refers to after all, which happens when the
// outcome of a commit was unknown, stays.
func (s *Store) DiscardData(d Data) {
	if !d.File || d.ID.IsZero() {
		return
	}
	err := s.cfg.Engine.View(context.Background(), func(r kv.Reader) error {
		_, err := r.Get(idKey(kindBlob, d.ID))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		s.removeBlobs([]blob.ID{d.ID})
	}
}

// removeBlobs removes blobs that nothing refers to, those being read once they are
// not. An open file stays readable, but a reader of many parts opens them one by one.
func (s *Store) removeBlobs(ids []blob.ID) {
	for _, id := range ids {
		if s.pins.doom(id) {
			continue
		}
		if err := s.cfg.Blobs.Remove(id); err != nil {
			s.cfg.Logger.Error("store: blob not removed", "blob", id, "error", err)
		}
	}
}

// pins are the blobs that readers will still open.
type pins struct {
	mu     sync.Mutex
	counts map[blob.ID]int
	doomed map[blob.ID]bool // pinned blobs to remove when unpinned
}

func (p *pins) pin(ids []blob.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts == nil {
		p.counts, p.doomed = map[blob.ID]int{}, map[blob.ID]bool{}
	}
	for _, id := range ids {
		p.counts[id]++
	}
}

// unpin returns the blobs that are to be removed now.
func (p *pins) unpin(ids []blob.ID) (remove []blob.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		if p.counts[id]--; p.counts[id] > 0 {
			continue
		}
		delete(p.counts, id)
		if p.doomed[id] {
			delete(p.doomed, id)
			remove = append(remove, id)
		}
	}
	return remove
}

// doom reports whether id is pinned, and if so leaves its removal to unpin.
func (p *pins) doom(id blob.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts[id] == 0 {
		return false
	}
	p.doomed[id] = true
	return true
}

// sweepBlobs removes the blobs without a record that a crash left.
func (s *Store) sweepBlobs(ctx context.Context) error {
	return s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		n, err := s.cfg.Blobs.Sweep(ctx, func(id blob.ID) (bool, error) {
			v, err := lookup(r, idKey(kindBlob, id))
			return v != nil, err
		})
		if n > 0 {
			s.cfg.Logger.Info("store: removed unreferenced blobs", "count", n)
		}
		return err
	})
}
