package blob

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

func benchKey() (key [32]byte, id ID) {
	for i := range key {
		key[i] = byte(i)
	}
	return key, ID{1, 2, 3}
}

func BenchmarkSealStream(b *testing.B) {
	key, id := benchKey()
	data := make([]byte, 8<<20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := Seal(io.Discard, key, id, nil)
		if err != nil {
			b.Fatal(err)
		}
		// A plain reader, as a request body is.
		if _, err := io.Copy(s, struct{ io.Reader }{bytes.NewReader(data)}); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenStream(b *testing.B) {
	key, id := benchKey()
	sealed, err := SealBytes(nil, key, id, nil, make([]byte, 8<<20))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(8 << 20)
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(bytes.NewReader(sealed), int64(len(sealed)), key, id)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := r.Range(0, -1).WriteTo(io.Discard); n != 8<<20 || err != nil {
			b.Fatal(n, err)
		}
		r.Close()
	}
}

func BenchmarkBytes(b *testing.B) {
	key, id := benchKey()
	for _, size := range []int{0, 4 << 10, 64 << 10} {
		sealed, err := SealBytes(nil, key, id, nil, make([]byte, size))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("seal/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			plain, buf := make([]byte, size), []byte(nil)
			for b.Loop() {
				buf, err = SealBytes(buf[:0], key, id, nil, plain)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("open/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf, err = OpenBytes(buf[:0], key, id, sealed)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDir writes and reads back whole objects through files.
func BenchmarkDir(b *testing.B) {
	key, _ := benchKey()
	durable, err := OpenDir(OS(b.TempDir()), DirOptions{})
	if err != nil {
		b.Fatal(err)
	}
	memory, err := OpenMemory()
	if err != nil {
		b.Fatal(err)
	}
	defer memory.Close()
	for _, size := range []int{128 << 10, 8 << 20} {
		plain := make([]byte, size)
		for name, d := range map[string]*Dir{"durable": durable, "memory": memory} {
			b.Run(fmt.Sprintf("%s/write/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					id, _ := NewID(nil)
					if err := writeBlob(d, key, id, plain); err != nil {
						b.Fatal(err)
					}
					if err := d.Remove(id); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/read/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				id, _ := NewID(nil)
				if err := writeBlob(d, key, id, plain); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					f, err := d.Open(id)
					if err != nil {
						b.Fatal(err)
					}
					r, err := Open(f, f.Size(), key, id)
					if err != nil {
						b.Fatal(err)
					}
					if n, err := io.Copy(io.Discard, r.Range(0, -1)); err != nil || n != int64(size) {
						b.Fatal(n, err)
					}
					r.Close()
					f.Close()
				}
			})
		}
	}
}

// writeBlob seals plain into a committed blob.
func writeBlob(d *Dir, key [32]byte, id ID, plain []byte) error {
	w, err := d.Create(id)
	if err != nil {
		return err
	}
	defer w.Abort()
	s, err := Seal(w, key, id, nil)
	if err != nil {
		return err
	}
	if _, err := s.Write(plain); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return w.Commit()
}
