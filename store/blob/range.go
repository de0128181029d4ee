package blob

import "io"

// Range reads a part of a blob from front to back, one chunk at a time. It is not safe for
// concurrent use. As an io.WriterTo it hands whole chunks to the writer without copying them.
type Range struct {
	r        *Reader
	off, end int64
	buf      *buffer
	plain    []byte // what is left of the current chunk, up to end
}

// Range returns a reader of n bytes from off, or of all that follow if n is negative. What lies
// outside the blob is left out: a range past the end is empty.
func (r *Reader) Range(off, n int64) *Range {
	off = min(max(off, 0), r.size)
	end := r.size
	if n >= 0 && n < r.size-off {
		end = off + n
	}
	return &Range{r: r, off: off, end: end}
}

// fill makes plain non-empty or returns an error, io.EOF at the end of the range.
func (g *Range) fill() error {
	if len(g.plain) > 0 {
		return nil
	}
	if g.off >= g.end {
		g.Close()
		return io.EOF
	}
	chunk := g.off / ChunkSize
	if g.buf == nil && chunk < g.r.chunks-1 { // the Reader holds the last chunk already
		g.buf = buffers.Get().(*buffer)
	}
	plain, err := g.r.load(chunk, g.buf)
	if err != nil {
		return err
	}
	start := chunk * ChunkSize
	g.plain = plain[g.off-start : min(int64(len(plain)), g.end-start)]
	return nil
}

func (g *Range) consume(n int) {
	g.plain = g.plain[n:]
	g.off += int64(n)
}

// Read implements io.Reader.
func (g *Range) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := g.fill(); err != nil {
		return 0, err
	}
	n := copy(p, g.plain)
	g.consume(n)
	return n, nil
}

// WriteTo implements io.WriterTo.
func (g *Range) WriteTo(w io.Writer) (written int64, err error) {
	for {
		if err := g.fill(); err != nil {
			if err == io.EOF {
				err = nil
			}
			return written, err
		}
		n, err := w.Write(g.plain)
		if err == nil && n < len(g.plain) {
			err = io.ErrShortWrite
		}
		g.consume(n)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
}

// Close returns the buffer to the pool; reading afterwards gives io.EOF. It never fails. The end
// of the range closes by itself.
func (g *Range) Close() error {
	if g.buf != nil {
		buffers.Put(g.buf)
		g.buf = nil
	}
	g.plain, g.off = nil, g.end
	return nil
}
