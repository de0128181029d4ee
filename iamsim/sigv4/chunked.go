package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

const (
	// maxBuffered is the largest signed chunk that is kept back until its signature is
	// checked. The SDKs send 64 to 128 KiB.
	maxBuffered = 1 << 20
	// minChunk is the least size of a chunk that another one follows (A24).
	minChunk = 8192
	// maxLine bounds a chunk header or trailer line; it is the reader's buffer.
	maxLine = 4096
	// maxTrailer bounds all trailer lines together.
	maxTrailer = 8192
)

// chunkReader takes the aws-chunked framing off a body (A20):
//
//	<hex size>[;chunk-signature=<64 hex>]\r\n<bytes>\r\n … 0[;chunk-signature=…]\r\n[trailers]\r\n
//
// A signed chunk of up to maxBuffered bytes is verified before any of it is released, a
// larger one before its last bytes are: memory stays bounded, and a caller that commits only
// after io.EOF never commits a byte that was not verified.
type chunkReader struct {
	signed    *Signed
	source    *bufio.Reader
	payload   Payload
	announced []string
	trailer   map[string]string

	want, total int64 // decoded bytes declared and begun (whole chunks)
	number      int   // of the current chunk, from 1
	size        int64 // of the current chunk
	left        int64 // of the current chunk, when it is streamed
	buffer      []byte
	ready       []byte // verified and not yet released: the rest of buffer

	signer    *chunkSigner // nil: chunks are unsigned
	signature string       // the current chunk's
	hash      hash.Hash    // of a streamed signed chunk
}

func newChunkReader(s *Signed, body io.Reader, p Payload, want int64, announced []string) *chunkReader {
	c := &chunkReader{
		signed: s, source: bufio.NewReaderSize(body, maxLine), payload: p, announced: announced, want: want,
	}
	if p.signed() {
		c.signer = newChunkSigner(s)
	}
	return c
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(c.ready) == 0 {
		if c.left > 0 {
			return c.stream(p)
		}
		if err := c.nextChunk(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// nextChunk reads a chunk's header and, if it is to be verified in one piece, its bytes. It
// returns io.EOF after the last chunk.
func (c *chunkReader) nextChunk() error {
	previous := c.size
	c.number++
	if err := c.readHeader(); err != nil {
		return err
	}
	if c.size == 0 {
		return c.finish()
	}
	if c.number > 1 && previous < minChunk {
		e := c.fail(InvalidChunkSize)
		e.Chunk, e.ChunkSize = c.number-1, previous
		return e
	}
	if c.size > c.want-c.total {
		return c.signed.incomplete(c.want, c.total+c.size, io.EOF)
	}
	c.total += c.size
	if c.signer == nil || c.size > maxBuffered {
		c.left = c.size
		if c.signer != nil {
			c.hash = sha256.New()
		}
		return nil
	}
	return c.bufferChunk()
}

// bufferChunk reads the whole chunk and releases it if its signature is right.
func (c *chunkReader) bufferChunk() error {
	if int64(cap(c.buffer)) < c.size {
		c.buffer = make([]byte, c.size)
	}
	c.buffer = c.buffer[:c.size]
	if n, err := io.ReadFull(c.source, c.buffer); err != nil {
		return c.cut(err, c.total-c.size+int64(n))
	}
	if err := c.endOfLine(); err != nil {
		return err
	}
	sum := sha256.Sum256(c.buffer)
	if err := c.verifyChunk(sum[:]); err != nil {
		return err
	}
	c.ready = c.buffer
	return nil
}

// stream passes bytes of a chunk on as they come.
func (c *chunkReader) stream(p []byte) (int, error) {
	n, err := c.source.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	if c.left > 0 {
		if err != nil {
			return 0, c.cut(err, c.total-c.left)
		}
		return n, nil
	}
	if err := c.endOfLine(); err != nil {
		return 0, err
	}
	if c.hash != nil {
		var room [sha256.Size]byte
		if err := c.verifyChunk(c.hash.Sum(room[:0])); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// finish checks everything that follows the last byte of content.
func (c *chunkReader) finish() error {
	if c.total != c.want {
		return c.signed.incomplete(c.want, c.total, io.EOF)
	}
	if c.signer != nil {
		empty := sha256.Sum256(nil)
		if err := c.verifyChunk(empty[:]); err != nil {
			return err
		}
	}
	if c.payload.trailer() {
		if err := c.readTrailer(); err != nil {
			return err
		}
	} else if err := c.endOfLine(); err != nil {
		return err
	}
	if _, err := c.source.ReadByte(); err == nil {
		return c.fail(MalformedTrailer) // bytes after the end
	} else if err != io.EOF {
		return c.cut(err, c.total)
	}
	return io.EOF
}

// readHeader reads "<hex size>[;chunk-signature=<64 hex>]\r\n" into size and signature.
func (c *chunkReader) readHeader() error {
	line, err := c.source.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return c.malformed()
	} else if err != nil {
		return c.cut(err, c.total)
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return c.malformed()
	}
	digits, extension, _ := bytes.Cut(line, []byte(";"))
	if c.size, ok = parseSize(digits); !ok {
		return c.malformed()
	}
	if c.signer == nil {
		return nil
	}
	signature, ok := bytes.CutPrefix(extension, []byte("chunk-signature="))
	if !ok {
		return c.malformed()
	}
	c.signature = string(signature)
	return nil
}

// parseSize reads a chunk size: hexadecimal digits, nothing else.
func parseSize(digits []byte) (size int64, ok bool) {
	if len(digits) == 0 || len(digits) > 15 {
		return 0, false
	}
	for _, d := range digits {
		v, ok := unhex(d)
		if !ok {
			return 0, false
		}
		size = size<<4 | int64(v)
	}
	return size, true
}

// endOfLine reads the line end after a chunk's bytes.
func (c *chunkReader) endOfLine() error {
	for _, want := range [...]byte{'\r', '\n'} {
		got, err := c.source.ReadByte()
		if err != nil {
			return c.cut(err, c.total)
		}
		if got != want {
			return c.malformed()
		}
	}
	return nil
}

// cut is a read error: a body that ends too early is incomplete, other errors are the body's.
func (c *chunkReader) cut(err error, got int64) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return c.signed.incomplete(c.want, got, err)
	}
	return err
}

func (c *chunkReader) malformed() error {
	e := c.fail(MalformedChunk)
	e.Chunk = c.number
	return e
}

func (c *chunkReader) fail(k Kind) *Error { return c.signed.fail(k) }
