package blob

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// sizes are the lengths at which the format does something of its own.
var sizes = []int{0, 1, 100, ChunkSize - 1, ChunkSize, ChunkSize + 1, 2*ChunkSize - 1, 2 * ChunkSize, 2*ChunkSize + 1, 5*ChunkSize + 77}

func pattern(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i*7 ^ i>>8)
	}
	return p
}

// salted seals with a fixed salt.
func salted(t testing.TB, key [32]byte, id ID, salt string, plain []byte) []byte {
	t.Helper()
	sealed, err := SealBytes(nil, key, id, bytes.NewReader([]byte(salt)), plain)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

const testSalt = "0123456789abcdef"

type vector struct {
	Size         int
	DataKey      string
	ID           ID
	Salt         string
	SealedSize   int64
	SealedSHA256 string
	Sealed       string
}

func TestVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range file.Vectors {
		t.Run(fmt.Sprint(v.Size), func(t *testing.T) {
			key, err := hex.DecodeString(v.DataKey)
			if err != nil {
				t.Fatal(err)
			}
			salt, err := hex.DecodeString(v.Salt)
			if err != nil {
				t.Fatal(err)
			}
			plain := pattern(v.Size)
			sealed := salted(t, [32]byte(key), v.ID, string(salt), plain)
			sum := sha256.Sum256(sealed)
			if got := hex.EncodeToString(sum[:]); got != v.SealedSHA256 {
				t.Errorf("SHA-256 of the sealed form: got %s, want %s", got, v.SealedSHA256)
			}
			if got := hex.EncodeToString(sealed); v.Sealed != "" && got != v.Sealed {
				t.Errorf("sealed form: got %s, want %s", got, v.Sealed)
			}
			if got := SealedSize(int64(v.Size)); got != v.SealedSize || got != int64(len(sealed)) {
				t.Errorf("SealedSize: got %d, want %d; really %d", got, v.SealedSize, len(sealed))
			}
			opened, err := OpenBytes(nil, [32]byte(key), v.ID, sealed)
			if err != nil || !bytes.Equal(opened, plain) {
				t.Errorf("OpenBytes: %d bytes, %v", len(opened), err)
			}
		})
	}
}

// TestSealWritesWhatSealBytesWrites: however the plaintext arrives, the sealed form is the same.
func TestSealWritesWhatSealBytesWrites(t *testing.T) {
	key, id := benchKey()
	feeds := map[string]func(s *Sealer, plain []byte) error{
		"one Write": func(s *Sealer, plain []byte) error {
			_, err := s.Write(plain)
			return err
		},
		"odd Writes": func(s *Sealer, plain []byte) error {
			for len(plain) > 0 {
				n, err := s.Write(plain[:min(4099, len(plain))])
				if err != nil {
					return err
				}
				plain = plain[n:]
			}
			return nil
		},
		"ReadFrom": func(s *Sealer, plain []byte) error {
			n, err := io.Copy(s, struct{ io.Reader }{bytes.NewReader(plain)})
			if n != int64(len(plain)) {
				return fmt.Errorf("copied %d bytes of %d: %w", n, len(plain), err)
			}
			return err
		},
		"ReadFrom with data and EOF together": func(s *Sealer, plain []byte) error {
			_, err := s.ReadFrom(iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(plain))))
			return err
		},
		"several ReadFroms": func(s *Sealer, plain []byte) error {
			half := len(plain) / 2
			_, err1 := s.ReadFrom(bytes.NewReader(plain[:half]))
			_, err2 := s.ReadFrom(bytes.NewReader(plain[half:]))
			return errors.Join(err1, err2)
		},
	}
	for name, feed := range feeds {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				plain := pattern(size)
				want := salted(t, key, id, testSalt, plain)
				var got bytes.Buffer
				s, err := Seal(&got, key, id, bytes.NewReader([]byte(testSalt)))
				if err != nil {
					t.Fatal(err)
				}
				if err := feed(s, plain); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), want) {
					t.Errorf("the sealed forms differ: %d and %d bytes", got.Len(), len(want))
				}
				if _, err := s.Write([]byte{1}); err == nil {
					t.Error("Write after Close succeeded")
				}
				if err := s.Close(); err == nil {
					t.Error("second Close succeeded")
				}
			})
		}
	}
}

func TestSealErrors(t *testing.T) {
	key, id := benchKey()
	broken := errors.New("broken")
	if _, err := Seal(io.Discard, key, id, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("without randomness: got %v", err)
	}
	if _, err := SealBytes(nil, key, id, iotest.ErrReader(broken), nil); !errors.Is(err, broken) {
		t.Errorf("SealBytes without randomness: got %v", err)
	}

	s, err := Seal(writerFunc(func([]byte) (int, error) { return 0, broken }), key, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Write(make([]byte, 3*ChunkSize))
	if !errors.Is(err, broken) {
		t.Errorf("Write to a broken destination: got %v", err)
	}
	if err := s.Close(); !errors.Is(err, broken) {
		t.Errorf("Close after that: got %v, want the error again: nothing complete was written", err)
	}

	s, err = Seal(writerFunc(func(p []byte) (int, error) { return len(p) - 1, nil }), key, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("short write: got %v, want io.ErrShortWrite", err)
	}

	s, err = Seal(io.Discard, key, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.ReadFrom(io.MultiReader(bytes.NewReader(pattern(10)), iotest.ErrReader(broken))); n != 10 || !errors.Is(err, broken) {
		t.Errorf("ReadFrom a broken source: got %d, %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a broken source is no fault of the Sealer: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestOpenReadsEveryRange(t *testing.T) {
	key, id := benchKey()
	for _, size := range sizes {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			plain := pattern(size)
			sealed := salted(t, key, id, testSalt, plain)
			r, err := Open(bytes.NewReader(sealed), int64(len(sealed)), key, id)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if got := r.Size(); got != int64(size) {
				t.Errorf("Size: got %d, want %d", got, size)
			}
			// Byte by byte, over a window around the start of the second chunk.
			from := min(ChunkSize-30, max(0, size-60))
			window := plain[from:min(from+60, size)]
			if err := iotest.TestReader(io.NewSectionReader(r, int64(from), int64(len(window))), window); err != nil {
				t.Error(err)
			}
			if err := iotest.TestReader(r.Range(int64(from), int64(len(window))), window); err != nil {
				t.Error(err)
			}
			offsets := []int{0, 1, size / 2, size - 1, size, size + 1, ChunkSize - 1, ChunkSize, ChunkSize + 1}
			lengths := []int{-1, 0, 1, 17, ChunkSize - 1, ChunkSize, ChunkSize + 1, size, size + 1}
			for _, off := range offsets {
				for _, n := range lengths {
					from := min(max(off, 0), size)
					to := size
					if n >= 0 {
						to = min(from+n, size)
					}
					want := plain[from:to]
					got, err := io.ReadAll(r.Range(int64(off), int64(n)))
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("Range(%d, %d): %d bytes, %v; want %d", off, n, len(got), err, len(want))
					}
					var w bytes.Buffer
					written, err := r.Range(int64(off), int64(n)).WriteTo(&w)
					if err != nil || written != int64(len(want)) || !bytes.Equal(w.Bytes(), want) {
						t.Errorf("Range(%d, %d).WriteTo: %d bytes, %v; want %d", off, n, written, err, len(want))
					}
				}
			}
		})
	}
}

func TestReadAtIsParallel(t *testing.T) {
	key, id := benchKey()
	plain := pattern(3*ChunkSize + 5)
	sealed := salted(t, key, id, testSalt, plain)
	r, err := Open(bytes.NewReader(sealed), int64(len(sealed)), key, id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	errs := make(chan error)
	for worker := range uint64(4) {
		go func() {
			rnd := rand.New(rand.NewPCG(worker, 1))
			for range 50 {
				off := rnd.IntN(len(plain))
				p := make([]byte, rnd.IntN(len(plain)-off)+1)
				if n, err := r.ReadAt(p, int64(off)); n != len(p) && err == nil || !bytes.Equal(p[:n], plain[off:off+n]) {
					errs <- fmt.Errorf("ReadAt(%d bytes, %d): %d, %w", len(p), off, n, err)
					return
				}
			}
			errs <- nil
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("negative offset accepted")
	}
}

// TestStreamingAllocatesNoMoreForMore: the memory of a stream does not depend on its length.
func TestStreamingAllocatesNoMoreForMore(t *testing.T) {
	key, id := benchKey()
	const size = 64 << 20
	allocated := func(fn func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fn()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	// A source and destination of any length without memory: zeros sealed, ciphertext remade on reading.
	sealed := salted(t, key, id, testSalt, make([]byte, size))
	for name, fn := range map[string]func(){
		"Seal": func() {
			s, err := Seal(io.Discard, key, id, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if n, err := io.Copy(s, io.LimitReader(zeros{}, size)); n != size || err != nil {
				t.Error(n, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		},
		"Open": func() {
			r, err := Open(bytes.NewReader(sealed), int64(len(sealed)), key, id)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			if n, err := io.Copy(io.Discard, r.Range(0, -1)); n != size || err != nil {
				t.Error(n, err)
			}
		},
	} {
		if got, most := allocated(fn), uint64(400<<10); got > most {
			t.Errorf("%s of %d bytes allocated %d bytes, want at most %d", name, size, got, most)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestID(t *testing.T) {
	id, err := NewID(bytes.NewReader([]byte("0123456789abcdef")))
	if err != nil {
		t.Fatal(err)
	}
	const text = "30313233343536373839616263646566"
	if got := id.String(); got != text {
		t.Errorf("String: got %s, want %s", got, text)
	}
	var back struct{ ID ID }
	if err := json.Unmarshal([]byte(`{"ID":"`+text+`"}`), &back); err != nil || back.ID != id {
		t.Errorf("from JSON: got %v, %v", back.ID, err)
	}
	js, err := json.Marshal(back)
	if diff := cmp.Diff(string(js), `{"ID":"`+text+`"}`); diff != "" || err != nil {
		t.Errorf("to JSON: %v (-got +want):\n%s", err, diff)
	}
	for _, bad := range []string{"", text[1:], text + "0", "3031323334353637383961626364656F", "3031323334353637383961626364656g", "../../../../../../etc/passwd0000"} {
		if _, err := ParseID(bad); err == nil {
			t.Errorf("ParseID(%q) succeeded", bad)
		}
	}
	if !(ID{}).IsZero() || id.IsZero() {
		t.Error("IsZero is wrong")
	}
	if _, err := NewID(bytes.NewReader([]byte("short"))); err == nil {
		t.Error("NewID of too little randomness succeeded")
	}
	a, errA := NewID(nil)
	b, errB := NewID(nil)
	if a == b || errA != nil || errB != nil {
		t.Errorf("two ids: %s, %s, %v, %v", a, b, errA, errB)
	}
}
