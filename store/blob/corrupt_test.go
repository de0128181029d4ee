package blob

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// TestDamage: whatever is done to the sealed form, no wrong byte is ever read. Damage at the ends
// and any change of length shows in Open, damage in between before the chunk it is in.
func TestDamage(t *testing.T) {
	key, id := benchKey()
	plain := pattern(3*ChunkSize + 5)
	sealed := salted(t, key, id, testSalt, plain)
	other := salted(t, key, ID{9}, testSalt, plain)
	resalted := salted(t, key, id, "fedcba9876543210", plain)
	chunk := func(n int) (from, to int) {
		return headerSize + n*sealedSize, min(headerSize+(n+1)*sealedSize, len(sealed))
	}
	flip := func(at int) []byte {
		s := bytes.Clone(sealed)
		s[at] ^= 0x10
		return s
	}
	splice := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	_, end0 := chunk(0)
	_, end1 := chunk(1)
	_, end2 := chunk(2)
	swapped := splice(sealed[:headerSize], sealed[end0:end1], sealed[headerSize:end0], sealed[end1:])

	tests := []struct {
		name   string
		sealed []byte
		key    [32]byte
		id     ID
		want   error
		chunk  int64 // -2: Open itself fails, whichever chunk it names
	}{
		{"magic", flip(0), key, id, ErrCorrupt, -2},
		{"version", flip(4), key, id, ErrCorrupt, -2},
		{"chunk size", flip(5), key, id, ErrCorrupt, -2},
		{"reserved", flip(7), key, id, ErrCorrupt, -2},
		{"salt", flip(8), key, id, ErrWrongKey, -2},
		{"key check", flip(headerSize - 1), key, id, ErrWrongKey, -2},
		{"another key", sealed, [32]byte{1}, id, ErrWrongKey, -2},
		{"another id", sealed, key, ID{9}, ErrCorrupt, -2},
		{"another blob's data under this id", other, key, id, ErrCorrupt, -2},
		{"last chunk", flip(len(sealed) - 20), key, id, ErrCorrupt, -2},
		{"last tag", flip(len(sealed) - 1), key, id, ErrCorrupt, -2},
		{"one byte off", sealed[:len(sealed)-1], key, id, ErrCorrupt, -2},
		{"last chunk off", sealed[:end2], key, id, ErrCorrupt, -2},
		{"two chunks off", sealed[:end1], key, id, ErrCorrupt, -2},
		{"cut in the last tag", sealed[:end2+15], key, id, ErrCorrupt, -2},
		{"only a tag left of the last chunk", sealed[:end2+16], key, id, ErrCorrupt, -2},
		{"only the header left", sealed[:headerSize], key, id, ErrCorrupt, -2},
		{"cut in the header", sealed[:10], key, id, ErrCorrupt, -2},
		{"nothing left", nil, key, id, ErrCorrupt, -2},
		{"one byte more", append(bytes.Clone(sealed), 0), key, id, ErrCorrupt, -2},
		{"a chunk more", append(bytes.Clone(sealed), sealed[headerSize:end0]...), key, id, ErrCorrupt, -2},
		{"last chunk twice", append(bytes.Clone(sealed), sealed[end2:]...), key, id, ErrCorrupt, -2},
		{"first chunk", flip(headerSize), key, id, ErrCorrupt, 0},
		{"middle chunk", flip(end0 + 1000), key, id, ErrCorrupt, 1},
		{"middle tag", flip(end1 - 1), key, id, ErrCorrupt, 1},
		{"chunks swapped", swapped, key, id, ErrCorrupt, 0},
		{"chunk of another blob", splice(sealed[:end0], other[end0:end1], sealed[end1:]), key, id, ErrCorrupt, 1},
		{"chunk of another salt", splice(sealed[:end0], resalted[end0:end1], sealed[end1:]), key, id, ErrCorrupt, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := OpenBytes(nil, test.key, test.id, test.sealed); !errors.Is(err, test.want) {
				t.Errorf("OpenBytes: got %v, want %v", err, test.want)
			}
			r, err := Open(bytes.NewReader(test.sealed), int64(len(test.sealed)), test.key, test.id)
			if test.chunk == -2 {
				if !errors.Is(err, test.want) {
					t.Errorf("Open: got %v, want %v", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			got, err := io.ReadAll(r.Range(0, -1))
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Chunk != test.chunk || corrupt.ID != id {
				t.Errorf("reading: got %v, want damage in chunk %d", err, test.chunk)
			}
			if !bytes.Equal(got, plain[:test.chunk*ChunkSize]) {
				t.Errorf("read %d bytes before the damage, want exactly the %d chunks before", len(got), test.chunk)
			}
			tail := make([]byte, 5)
			if n, err := r.ReadAt(tail, 3*ChunkSize); n != 5 || !bytes.Equal(tail, plain[3*ChunkSize:]) {
				t.Errorf("the sound end: got %d, %v", n, err)
			}
		})
	}
}

// TestEveryBit flips each bit of a small blob.
func TestEveryBit(t *testing.T) {
	key, id := benchKey()
	sealed := salted(t, key, id, testSalt, []byte("every bit counts"))
	for bit := range len(sealed) * 8 {
		s := bytes.Clone(sealed)
		s[bit/8] ^= 1 << (bit % 8)
		if got, err := OpenBytes(nil, key, id, s); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrWrongKey) {
			t.Errorf("bit %d flipped: got %q, %v", bit, got, err)
		}
	}
}

// TestShrinkingSource: the file turns out shorter than it was.
func TestShrinkingSource(t *testing.T) {
	key, id := benchKey()
	sealed := salted(t, key, id, testSalt, pattern(2*ChunkSize))
	short := bytes.NewReader(sealed[:len(sealed)-100])
	if _, err := Open(short, int64(len(sealed)), key, id); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

// TestSourceErrors: a failing medium is not mistaken for damage.
func TestSourceErrors(t *testing.T) {
	key, id := benchKey()
	sealed := salted(t, key, id, testSalt, pattern(3*ChunkSize))
	broken := errors.New("broken")
	for fail := range 4 {
		t.Run(fmt.Sprint(fail), func(t *testing.T) {
			src := &failingReaderAt{r: bytes.NewReader(sealed), left: fail, err: broken}
			r, err := Open(src, int64(len(sealed)), key, id)
			if err == nil {
				_, err = io.Copy(io.Discard, r.Range(0, -1))
			}
			if !errors.Is(err, broken) || errors.Is(err, ErrCorrupt) {
				t.Errorf("got %v, want the error of the source", err)
			}
		})
	}
	r, err := Open(bytes.NewReader(sealed), int64(len(sealed)), key, id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n, err := r.Range(0, -1).WriteTo(iotest.TruncateWriter(writerFunc(func(p []byte) (int, error) { return len(p) / 2, nil }), 1<<20))
	if err != nil && !errors.Is(err, io.ErrShortWrite) || n == 0 {
		t.Errorf("short write: got %d, %v", n, err)
	}
}

type failingReaderAt struct {
	r    io.ReaderAt
	left int
	err  error
}

func (f *failingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if f.left == 0 {
		return 0, f.err
	}
	f.left--
	return f.r.ReadAt(p, off)
}

// FuzzOpen: foreign bytes never panic, and the two ways to open agree about them. Only what was
// sealed under the key opens at all.
func FuzzOpen(f *testing.F) {
	key, id := benchKey()
	for _, size := range []int{0, 1, 100, ChunkSize, ChunkSize + 1} {
		sealed := salted(f, key, id, testSalt, pattern(size))
		f.Add(sealed)
		f.Add(sealed[:len(sealed)-1])
		f.Add(append(bytes.Clone(sealed), 0))
		sealed = bytes.Clone(sealed)
		sealed[len(sealed)-1] ^= 1
		f.Add(sealed)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		plain, errBytes := OpenBytes(nil, key, id, sealed)
		var read []byte
		r, errStream := Open(bytes.NewReader(sealed), int64(len(sealed)), key, id)
		if errStream == nil {
			read, errStream = io.ReadAll(r.Range(0, -1))
			r.Close()
		}
		if (errBytes == nil) != (errStream == nil) {
			t.Fatalf("OpenBytes: %v; Open: %v", errBytes, errStream)
		}
		if errBytes != nil {
			if !errors.Is(errBytes, ErrCorrupt) && !errors.Is(errBytes, ErrWrongKey) {
				t.Fatalf("untyped error %v", errBytes)
			}
			return
		}
		if !bytes.Equal(plain, read) || SealedSize(int64(len(plain))) != int64(len(sealed)) {
			t.Fatalf("OpenBytes gives %d bytes, Open %d, of %d sealed", len(plain), len(read), len(sealed))
		}
	})
}
