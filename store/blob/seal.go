package blob

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Sealer encrypts a stream. Close ends it; without Close the result cannot be opened.
type Sealer struct {
	dst   io.Writer
	box   box
	buf   *buffer
	n     int   // bytes of plaintext in buf
	chunk int64 // number of the chunk in buf
	err   error // sticky
}

var errSealerClosed = errors.New("blob: sealer is closed")

// Seal returns a Sealer that writes the sealed form of what is written to it to dst, in pieces
// of 64 KiB. The salt is read from random, crypto/rand.Reader if nil. The caller keeps dst: it
// closes or commits it after closing the Sealer.
func Seal(dst io.Writer, dataKey [32]byte, id ID, random io.Reader) (*Sealer, error) {
	s := &Sealer{dst: dst}
	if err := s.box.initRandom(&dataKey, id, random); err != nil {
		return nil, err
	}
	s.buf = buffers.Get().(*buffer)
	copy(s.buf.data[:], s.box.header())
	return s, nil
}

func (b *box) initRandom(key *[32]byte, id ID, random io.Reader) error {
	if random == nil {
		random = rand.Reader
	}
	var salt [saltSize]byte
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return fmt.Errorf("blob: reading random bytes: %w", err)
	}
	return b.init(key, id, salt[:])
}

// room returns the free part of the buffer. That is one byte more than a chunk, in the place of
// the tag, because only more data proves that a full chunk is not the last: with that byte in, the
// chunk is sealed and written, and the byte begins the next one.
func (s *Sealer) room() ([]byte, error) {
	if s.err == nil && s.n > ChunkSize {
		surplus := s.buf.data[headerSize+ChunkSize]
		s.flush(ChunkSize, false)
		s.buf.data[headerSize] = surplus
		s.n = 1
	}
	if s.err != nil {
		return nil, s.err
	}
	return s.buf.data[headerSize+s.n : headerSize+ChunkSize+1], nil
}

// flush seals and writes the first n bytes of the buffer, behind the header if they are the first.
func (s *Sealer) flush(n int, last bool) {
	out := s.box.seal(s.buf, n, s.chunk, last)
	if s.chunk == 0 {
		out = s.buf.data[:headerSize+len(out)]
	}
	s.chunk++
	written, err := s.dst.Write(out)
	if err == nil && written < len(out) {
		err = io.ErrShortWrite
	}
	s.err = err
}

// Write implements io.Writer.
func (s *Sealer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		room, err := s.room()
		if err != nil {
			return n, err
		}
		m := copy(room, p)
		s.n += m
		n += m
		p = p[m:]
	}
	return n, nil
}

// ReadFrom implements io.ReaderFrom: io.Copy to a Sealer needs no buffer in between.
func (s *Sealer) ReadFrom(r io.Reader) (n int64, err error) {
	// A reader that gives nothing and no error breaks its contract; a few times are forgiven.
	for idle := 0; idle < 100; {
		room, err := s.room()
		if err != nil {
			return n, err
		}
		m, err := r.Read(room)
		if m < 0 || m > len(room) {
			panic("blob: reader returned an impossible count")
		}
		s.n += m
		n += int64(m)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		idle++
		if m > 0 {
			idle = 0
		}
	}
	return n, io.ErrNoProgress
}

// Close seals what is left as the last chunk. It does not close the destination. A second Close,
// and a Write after it, return an error.
func (s *Sealer) Close() error {
	if s.err == nil && s.n > ChunkSize {
		_, _ = s.room() // leaves its error in s.err
	}
	if s.err == nil {
		s.flush(s.n, true)
	}
	err := s.err
	if s.buf != nil {
		buffers.Put(s.buf)
		s.buf = nil
	}
	s.err = errSealerClosed
	return err
}

// SealBytes appends the sealed form of plaintext to dst. It is what Seal would write.
func SealBytes(dst []byte, dataKey [32]byte, id ID, random io.Reader, plaintext []byte) ([]byte, error) {
	var b box
	if err := b.initRandom(&dataKey, id, random); err != nil {
		return nil, err
	}
	dst = slices.Grow(dst, int(SealedSize(int64(len(plaintext)))))
	dst = append(dst, b.header()...)
	var nonce [nonceSize]byte
	for chunk := int64(0); ; chunk++ {
		n := min(len(plaintext), ChunkSize)
		last := n == len(plaintext)
		dst = b.aead.Seal(dst, number(&nonce, chunk, last), plaintext[:n], b.aad[:])
		if last {
			return dst, nil
		}
		plaintext = plaintext[n:]
	}
}
