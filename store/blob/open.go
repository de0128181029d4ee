package blob

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Reader reads the plaintext of one sealed blob at random. It is safe for concurrent use, except
// for Close.
type Reader struct {
	src    io.ReaderAt
	id     ID
	box    box
	size   int64
	chunks int64

	lastBuf *buffer
	last    []byte // plaintext of the last chunk, in lastBuf; authenticated by Open
}

// Open authenticates the end, and thereby the size, of the sealed blob in src, which is sealedLen
// bytes long. Errors: *CorruptError, ErrWrongKey, or an error of src. The Reader keeps using src
// and does not close it.
func Open(src io.ReaderAt, sealedLen int64, dataKey [32]byte, id ID) (*Reader, error) {
	r := &Reader{src: src, id: id}
	var ok bool
	if r.size, r.chunks, ok = plainSize(sealedLen); !ok {
		return nil, r.corrupt(-1, fmt.Sprintf("no blob is %d bytes long", sealedLen))
	}
	r.lastBuf = buffers.Get().(*buffer)
	if err := r.readEnds(&dataKey); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// readEnds reads the header and the last chunk: in one piece if they are neighbours.
func (r *Reader) readEnds(key *[32]byte) error {
	header := r.lastBuf.data[:headerSize]
	sealed := r.lastBuf.chunk(int(r.size - (r.chunks-1)*ChunkSize))
	if r.chunks == 1 {
		if err := r.readAt(r.lastBuf.data[:headerSize+len(sealed)], 0, -1); err != nil {
			return err
		}
	} else {
		if err := r.readAt(header, 0, -1); err != nil {
			return err
		}
		if err := r.readAt(sealed, r.offset(r.chunks-1), r.chunks-1); err != nil {
			return err
		}
	}
	reason, err := r.box.open(key, r.id, header)
	if err != nil {
		return err
	}
	if reason != "" {
		return r.corrupt(-1, reason)
	}
	if r.last, err = r.unseal(r.lastBuf, sealed, r.chunks-1); err != nil {
		return err
	}
	return nil
}

// Size returns the length of the plaintext.
func (r *Reader) Size() int64 { return r.size }

// Close returns the buffer of the Reader to the pool; the Reader and the Ranges made from it must
// not be used afterwards. It never fails. Leaving it out costs only a garbage collection.
func (r *Reader) Close() error {
	if r.lastBuf != nil {
		buffers.Put(r.lastBuf)
		r.lastBuf, r.last = nil, nil
	}
	return nil
}

// ReadAt implements io.ReaderAt. It decrypts every chunk it touches, anew for each call: read in
// large pieces, or use Range to read on.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("blob: negative offset")
	}
	part := r.Range(off, int64(len(p)))
	defer part.Close()
	n, err := io.ReadFull(part, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// offset returns where a chunk begins in the sealed form.
func (r *Reader) offset(chunk int64) int64 { return headerSize + chunk*sealedSize }

// load returns the plaintext of a chunk, in buf or in memory shared by all users of the Reader.
func (r *Reader) load(chunk int64, buf *buffer) ([]byte, error) {
	if chunk == r.chunks-1 {
		return r.last, nil
	}
	sealed := buf.chunk(ChunkSize)
	if err := r.readAt(sealed, r.offset(chunk), chunk); err != nil {
		return nil, err
	}
	return r.unseal(buf, sealed, chunk)
}

func (r *Reader) unseal(buf *buffer, sealed []byte, chunk int64) ([]byte, error) {
	plain, ok := r.box.unseal(buf, sealed, chunk, chunk == r.chunks-1)
	if !ok {
		return nil, r.corrupt(chunk, "authentication failed")
	}
	return plain, nil
}

// readAt fills p or fails; an early end is damage, since the length was given.
func (r *Reader) readAt(p []byte, off, chunk int64) error {
	n, err := r.src.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return r.corrupt(chunk, "the data ends early")
	case err == nil:
		panic("blob: ReaderAt returned less than asked and no error")
	}
	return fmt.Errorf("blob: reading %s: %w", r.id, err)
}

func (r *Reader) corrupt(chunk int64, reason string) error {
	return &CorruptError{ID: r.id, Chunk: chunk, Reason: reason}
}

// OpenBytes appends the plaintext of a sealed blob to dst. Errors: *CorruptError, ErrWrongKey.
func OpenBytes(dst []byte, dataKey [32]byte, id ID, sealed []byte) ([]byte, error) {
	r := Reader{id: id}
	var ok bool
	if r.size, r.chunks, ok = plainSize(int64(len(sealed))); !ok {
		return nil, r.corrupt(-1, fmt.Sprintf("no blob is %d bytes long", len(sealed)))
	}
	reason, err := r.box.open(&dataKey, id, sealed[:headerSize])
	if err != nil {
		return nil, err
	}
	if reason != "" {
		return nil, r.corrupt(-1, reason)
	}
	dst = slices.Grow(dst, int(r.size))
	var nonce [nonceSize]byte
	rest := sealed[headerSize:]
	for chunk := range r.chunks {
		n := min(len(rest), sealedSize)
		dst, err = r.box.aead.Open(dst, number(&nonce, chunk, chunk == r.chunks-1), rest[:n], r.box.aad[:])
		if err != nil {
			return nil, r.corrupt(chunk, "authentication failed")
		}
		rest = rest[n:]
	}
	return dst, nil
}
