package store

import (
	"context"
	"errors"
	"io"
	"slices"

	"twinbucket/internal/failure"
	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// OpenParts reads length bytes from offset of the concatenated parts, decrypting
// and authenticating; length -1 reads to the end. Every part's last chunk is
// authenticated before its first byte is returned. The reader implements io.WriterTo.
//
// The first part is opened at once, so what is wrong with it is an error here and
// not in the middle of an answer. Once open, the reader reads to its end whatever
// happens to the version. A version that was removed before is code DataGone: look
// it up again. A range that is not within the parts is InvalidRange.
func (s *Store) OpenParts(ctx context.Context, key DataKey, parts []Part, offset, length int64) (io.ReadCloser, error) {
	segments, err := cut(parts, offset, length)
	if err != nil {
		return nil, err
	}
	p := &partsReader{s: s, ctx: ctx, key: key, segments: segments}
	if err := p.hold(); err != nil {
		p.Close()
		return nil, err
	}
	if p.next(); p.err != nil {
		defer p.Close()
		return nil, p.err
	}
	return p, nil
}

// segment is the range of one part that is read.
type segment struct {
	data   Data
	offset int64
	length int64
}

// cut divides a range of the concatenated parts into ranges of parts, leaving out
// the empty ones.
func cut(parts []Part, offset, length int64) ([]segment, error) {
	var total int64
	for i := range parts {
		total += parts[i].Data.Size
	}
	if length < 0 {
		length = total - offset
	}
	if offset < 0 || length < 0 || offset > total || length > total-offset {
		return nil, failure.New("InvalidRange", "The requested range is not satisfiable")
	}
	segments := make([]segment, 0, 1)
	for i := range parts {
		d := &parts[i].Data
		if offset >= d.Size {
			offset -= d.Size
			continue
		}
		n := min(length, d.Size-offset)
		if n == 0 {
			break
		}
		segments = append(segments, segment{data: *d, offset: offset, length: n})
		offset, length = 0, length-n
	}
	return segments, nil
}

// partsReader reads segments one after the other.
type partsReader struct {
	s        *Store
	ctx      context.Context
	key      DataKey
	segments []segment
	pinned   []blob.ID
	err      error // what ended the reading before the end, for good

	current interface {
		io.Reader
		io.WriterTo
	}
	reader *blob.Reader
	file   *blob.OpenFile
	inline bytesReader
	buf    *[]byte // what inline is in, if it is from the pool
}

// hold secures the parts against removal: it loads inline data that Version did not
// bring, and pins blobs that are to be opened later. Only then does it look whether
// they are still referred to, so a removal is either seen here or sees the pins.
func (p *partsReader) hold() error {
	var later []blob.ID
	load := false
	for i := range p.segments {
		d := &p.segments[i].data
		switch {
		case d.File && i > 0:
			later = append(later, d.ID)
		case !d.File && d.Inline == nil:
			load = true
		}
	}
	if len(later) == 0 && !load {
		return nil
	}
	p.s.pins.pin(later)
	p.pinned = later
	err := p.s.cfg.Engine.View(p.ctx, func(r kv.Reader) error {
		for i := range p.segments {
			d := &p.segments[i].data
			switch {
			case d.File:
				if i > 0 {
					if _, err := r.Get(idKey(kindBlob, d.ID)); err != nil {
						return err
					}
				}
			case d.Inline == nil:
				v, err := r.Get(idKey(kindInline, d.ID))
				if err != nil {
					return err
				}
				d.Inline = slices.Clone(v)
			}
		}
		return nil
	})
	if errors.Is(err, kv.ErrNotFound) {
		return dataGone(err)
	}
	return failed(err)
}

func dataGone(cause error) error {
	return failure.New(DataGone, "The version was removed while it was being opened.").Because(cause)
}

// next opens the next segment. Without one, or if it can't be read, current is nil.
func (p *partsReader) next() {
	p.release()
	if len(p.segments) == 0 {
		return
	}
	if p.err = failed(p.ctx.Err()); p.err != nil {
		return
	}
	seg := &p.segments[0]
	p.segments = p.segments[1:]
	if seg.data.File {
		p.err = p.openFile(seg)
	} else {
		p.err = p.openInline(seg)
	}
}

func (p *partsReader) openInline(seg *segment) error {
	p.buf = p.s.buffer()
	plain, err := blob.OpenBytes((*p.buf)[:0], p.key, seg.data.sealedID(), seg.data.Inline)
	if err != nil {
		return failed(err)
	}
	if int64(len(plain)) != seg.data.Size {
		return failed(blob.ErrCorrupt)
	}
	p.inline = plain[seg.offset : seg.offset+seg.length]
	p.current = &p.inline
	return nil
}

func (p *partsReader) openFile(seg *segment) error {
	f, err := p.s.cfg.Blobs.Open(seg.data.ID)
	if errors.Is(err, blob.ErrNotFound) {
		return dataGone(err)
	}
	if err != nil {
		return failed(err)
	}
	p.file = f
	if p.reader, err = blob.Open(f, f.Size(), p.key, seg.data.sealedID()); err != nil {
		return failed(err)
	}
	if p.reader.Size() != seg.data.Size {
		return failed(blob.ErrCorrupt)
	}
	p.current = p.reader.Range(seg.offset, seg.length)
	return nil
}

// Read implements io.Reader.
func (p *partsReader) Read(b []byte) (int, error) {
	for p.current != nil {
		n, err := p.current.Read(b)
		if err == io.EOF {
			p.next()
			err = nil
		}
		if err != nil {
			p.stop(err)
		}
		if n > 0 {
			return n, nil
		}
	}
	if p.err != nil {
		return 0, p.err
	}
	return 0, io.EOF
}

// WriteTo implements io.WriterTo. An error of w is returned as it is.
func (p *partsReader) WriteTo(w io.Writer) (written int64, err error) {
	for p.current != nil {
		n, err := p.current.WriteTo(w)
		written += n
		if err != nil {
			p.stop(err)
			return written, err
		}
		p.next()
	}
	return written, p.err
}

func (p *partsReader) stop(err error) {
	p.release()
	p.err = failed(err)
}

// release closes the current segment.
func (p *partsReader) release() {
	p.current, p.inline = nil, nil
	if p.reader != nil {
		p.reader.Close()
		p.reader = nil
	}
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
	if p.buf != nil {
		p.s.buffers.Put(p.buf)
		p.buf = nil
	}
}

// Close implements io.Closer. A second Close does nothing.
func (p *partsReader) Close() error {
	p.release()
	p.segments = nil
	if p.err == nil {
		p.err = failed(io.ErrClosedPipe)
	}
	if p.pinned != nil {
		p.s.removeBlobs(p.s.pins.unpin(p.pinned))
		p.pinned = nil
	}
	return nil
}

// bytesReader is a bytes.Reader that costs no allocation of its own.
type bytesReader []byte

func (b *bytesReader) Read(p []byte) (int, error) {
	if len(*b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, *b)
	*b = (*b)[n:]
	return n, nil
}

func (b *bytesReader) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(*b)
	*b = (*b)[n:]
	return int64(n), err
}
