package checksum

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// check holds each algorithm's digest of "123456789": the check values of the CRC catalogue
// and the SHA digests of any other implementation.
var check = map[Algorithm]string{
	CRC32:     "cbf43926",
	CRC32C:    "e3069283",
	CRC64NVME: "ae8b14860a799888",
	SHA1:      "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
	SHA256:    "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	SHA512:    "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
	MD5:       "25f9e794323b453885f5181f1b624d0b",
	XXHASH64:  "8cb841db40e6ae83",
	XXHASH3:   "72dcb18b67a17dff",
	XXHASH128: "33119477ede5dcd5e9716427681d5860",
}

func digest(a Algorithm, data []byte) []byte {
	h := New(a)
	h.Write(data)
	return h.Sum(nil)
}

func TestKnownValues(t *testing.T) {
	if len(check) != len(Algorithms()) {
		t.Fatalf("%d check values for %d algorithms", len(check), len(Algorithms()))
	}
	for _, a := range Algorithms() {
		got := digest(a, []byte("123456789"))
		if hex.EncodeToString(got) != check[a] {
			t.Errorf("%s: got %x, want %s", a, got, check[a])
		}
		if len(got) != a.Size() {
			t.Errorf("%s: size %d, want %d", a, a.Size(), len(got))
		}
		if back, err := Decode(a, Encode(got)); err != nil || !bytes.Equal(back, got) {
			t.Errorf("%s: decoded %x, %v", a, back, err)
		}
	}
}

// The published digests of nothing at all tell the byte order: big-endian, the high half first.
func TestXXH3OfNothing(t *testing.T) {
	for a, want := range map[Algorithm]string{XXHASH64: "ef46db3751d8e999", XXHASH3: "2d06800538d394c2", XXHASH128: "99aa06d3014798d86001c324468d497f"} {
		if got := hex.EncodeToString(digest(a, nil)); got != want {
			t.Errorf("%s: got %s, want %s", a, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	headers := map[Algorithm]string{
		CRC32: "x-amz-checksum-crc32", CRC32C: "x-amz-checksum-crc32c", CRC64NVME: "x-amz-checksum-crc64nvme",
		SHA1: "x-amz-checksum-sha1", SHA256: "x-amz-checksum-sha256", SHA512: "x-amz-checksum-sha512", MD5: "x-amz-checksum-md5",
		XXHASH64: "x-amz-checksum-xxhash64", XXHASH3: "x-amz-checksum-xxhash3", XXHASH128: "x-amz-checksum-xxhash128",
	}
	for _, a := range Algorithms() {
		if got, want := a.Header(), headers[a]; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		for _, name := range []string{a.Header(), strings.ToUpper(a.Header())} {
			if got, ok := ParseHeader(name); !ok || got != a {
				t.Errorf("ParseHeader(%s) = %s, %v", name, got, ok)
			}
		}
		for _, name := range []string{string(a), a.Lower()} {
			if got, err := ParseAlgorithm(name); err != nil || got != a {
				t.Errorf("ParseAlgorithm(%s) = %s, %v", name, got, err)
			}
		}
	}
	for _, name := range []string{"", "x-amz-checksum-", "x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-checksum-algorithm", "x-amz-meta-crc32", "crc32"} {
		if a, ok := ParseHeader(name); ok {
			t.Errorf("ParseHeader(%q) = %s", name, a)
		}
	}
	for _, name := range []string{"", "SHA384", "CRC32 ", "crc"} {
		_, err := ParseAlgorithm(name)
		var e *UnsupportedError
		if !errors.As(err, &e) || e.Name != name {
			t.Errorf("ParseAlgorithm(%q): %v", name, err)
		}
	}
}

func TestUnknownAlgorithmPanics(t *testing.T) {
	for name, f := range map[string]func(Algorithm){
		"New": func(a Algorithm) { New(a) }, "Size": func(a Algorithm) { a.Size() }, "Lower": func(a Algorithm) { a.Lower() },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got, want := recover(), `checksum: unknown algorithm "MD4"`; got != want {
					t.Errorf("got %v, want %v", got, want)
				}
			}()
			f("MD4")
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, value := range []string{
		"", "not base64", "AAAA", "AAAAAA", "AAAAAAA=", "AAAAAAAA", "AAAAAB==", "AAAA\nAA==", "AAAAAA==\n", " AAAAAA==", "-_AAAA==", "AAAAAA==-2",
	} {
		_, err := Decode(CRC32, value)
		var e *ValueError
		if !errors.As(err, &e) || e.Algorithm != CRC32 || e.Value != value {
			t.Errorf("Decode(%q): %v", value, err)
		}
	}
	if got, err := Decode(CRC32, "AAAAAA=="); err != nil || !bytes.Equal(got, make([]byte, 4)) {
		t.Errorf("got %x, %v", got, err)
	}
}

func TestTypes(t *testing.T) {
	tests := []struct {
		algorithm             Algorithm
		normal                Type
		fullObject, composite bool
	}{
		{CRC32, Composite, true, true},
		{CRC32C, Composite, true, true},
		{CRC64NVME, FullObject, true, false},
		{SHA1, Composite, false, true},
		{SHA256, Composite, false, true},
		{SHA512, Composite, false, true},
		{MD5, Composite, false, true},
		{XXHASH64, Composite, false, true},
		{XXHASH3, Composite, false, true},
		{XXHASH128, Composite, false, true},
	}
	for _, tt := range tests {
		for text, ok := range map[string]bool{"": true, "FULL_OBJECT": tt.fullObject, "COMPOSITE": tt.composite, "full_object": false} {
			want := Type(text)
			if text == "" {
				want = tt.normal
			}
			got, err := tt.algorithm.ParseType(text)
			if ok {
				if err != nil || got != want {
					t.Errorf("%s.ParseType(%q) = %q, %v", tt.algorithm, text, got, err)
				}
				continue
			}
			var e *TypeError
			if !errors.As(err, &e) || e.Algorithm != tt.algorithm || e.Type != text || e.Known() != (text != "full_object") {
				t.Errorf("%s.ParseType(%q) = %q, %v", tt.algorithm, text, got, err)
			}
		}
	}
}

func TestComposite(t *testing.T) {
	for _, a := range Algorithms() {
		one, two := digest(a, []byte("part one")), digest(a, []byte("part two"))
		want := digest(a, append(bytes.Clone(one), two...))
		value := CompositeValue(a, [][]byte{one, two})
		if value != base64.StdEncoding.EncodeToString(want)+"-2" {
			t.Errorf("%s: got %s", a, value)
		}
		if got, n, err := DecodeComposite(a, value); err != nil || n != 2 || !bytes.Equal(got, want) {
			t.Errorf("%s: decoded %x, %d, %v", a, got, n, err)
		}
	}
	if _, n, err := DecodeComposite(CRC32, "5FRUiw==-3"); err != nil || n != 3 { // A34
		t.Errorf("got %d, %v", n, err)
	}
	for _, value := range []string{"", "-", "5FRUiw==", "5FRUiw==-", "5FRUiw==-0", "5FRUiw==-03", "5FRUiw==-+3", "5FRUiw==--3", "5FRUiw==-10001", "5FRUiw==-99999999999", "5FRU-3", "5FRUi!==-3"} {
		_, _, err := DecodeComposite(CRC32, value)
		var e *ValueError
		if !errors.As(err, &e) || e.Value != value {
			t.Errorf("DecodeComposite(%q): %v", value, err)
		}
	}
}

// Combining the CRCs of the pieces must give the CRC of the whole, however it is cut.
func TestCombineProperty(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, a := range []Algorithm{CRC32, CRC32C, CRC64NVME} {
		for round := range 200 {
			whole := make([]byte, random.IntN(20_000))
			for i := range whole {
				whole[i] = byte(random.Uint32())
			}
			var parts []Part
			for rest := whole; len(rest) > 0 || len(parts) == 0; {
				n := min(len(rest), random.IntN(9000)) // empty parts too
				parts = append(parts, Part{digest(a, rest[:n]), int64(n)})
				rest = rest[n:]
			}
			got, err := Combine(a, parts)
			if want := digest(a, whole); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s, round %d, %d bytes in %d parts: got %x, %v, want %x", a, round, len(whole), len(parts), got, err, want)
			}
		}
	}
}

// Sizes far beyond what a test can hash: combining must be associative there too.
func TestCombineLarge(t *testing.T) {
	for _, a := range []Algorithm{CRC32, CRC32C, CRC64NVME} {
		x, y, z := Part{digest(a, []byte("x")), 5 << 30}, Part{digest(a, []byte("y")), 5<<40 + 1}, Part{digest(a, []byte("z")), 7}
		all, err := Combine(a, []Part{x, y, z})
		if err != nil {
			t.Fatal(err)
		}
		yz, err := Combine(a, []Part{y, z})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Combine(a, []Part{x, {yz, y.Size + z.Size}})
		if err != nil || !bytes.Equal(got, all) {
			t.Errorf("%s: got %x, %v, want %x", a, got, err, all)
		}
	}
}

func TestCombineRefuses(t *testing.T) {
	for _, a := range []Algorithm{SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128} {
		_, err := Combine(a, []Part{{digest(a, nil), 0}})
		var e *TypeError
		if !errors.As(err, &e) || e.Algorithm != a || e.Type != "FULL_OBJECT" {
			t.Errorf("%s: %v", a, err)
		}
	}
	_, err := Combine(CRC64NVME, []Part{{digest(CRC32, nil), 0}})
	var e *ValueError
	if !errors.As(err, &e) || e.Algorithm != CRC64NVME {
		t.Errorf("short digest: %v", err)
	}
	for _, a := range []Algorithm{CRC32, CRC32C, CRC64NVME} {
		if got, err := Combine(a, nil); err != nil || !bytes.Equal(got, digest(a, nil)) {
			t.Errorf("%s of nothing: %x, %v", a, got, err)
		}
	}
}

func TestMulti(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 10_000)
	m := NewMulti(true, CRC32, SHA256, CRC32)
	for rest := data; len(rest) > 0; {
		n := min(len(rest), 33_333)
		if k, err := m.Write(rest[:n]); k != n || err != nil {
			t.Fatalf("Write: %d, %v", k, err)
		}
		rest = rest[n:]
	}
	sum := md5.Sum(data)
	got := map[string][]byte{"md5": m.MD5(), "crc32": m.Digest(CRC32), "sha256": m.Digest(SHA256), "sha1": m.Digest(SHA1)}
	want := map[string][]byte{"md5": sum[:], "crc32": digest(CRC32, data), "sha256": digest(SHA256, data), "sha1": nil}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
	none := NewMulti(false)
	if n, err := none.Write(data); n != len(data) || err != nil || none.MD5() != nil {
		t.Errorf("%d, %v, %x", n, err, none.MD5())
	}
}

// FuzzDecode: what is accepted is exactly what Encode writes.
func FuzzDecode(f *testing.F) {
	for _, v := range []string{"AAAAAA==", "5FRUiw==-3", "", "rosUhgp5mIg=", "AAAA\r\nAA=="} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, a := range Algorithms() {
			got, err := Decode(a, value)
			var e *ValueError
			switch {
			case err != nil && (!errors.As(err, &e) || got != nil):
				t.Fatalf("%s: %x, %v", a, got, err)
			case err == nil && (Encode(got) != value || len(got) != a.Size()):
				t.Fatalf("%s: %q decodes to %x", a, value, got)
			}
			if _, n, err := DecodeComposite(a, value); err == nil && (n < 1 || n > 10000) {
				t.Fatalf("%s: %q has %d parts", a, value, n)
			}
		}
	})
}

func BenchmarkCombine(b *testing.B) {
	parts := make([]Part, 10_000)
	for i := range parts {
		parts[i] = Part{digest(CRC64NVME, []byte{byte(i)}), 8 << 20}
	}
	for b.Loop() {
		if _, err := Combine(CRC64NVME, parts); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	data := make([]byte, 1<<20)
	for _, a := range Algorithms() {
		b.Run(string(a), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			h := New(a)
			for b.Loop() {
				h.Write(data)
			}
		})
	}
}

func ExampleCombine() {
	// The parts of an upload, each with the CRC that was stored with it.
	whole, _ := Combine(CRC32, []Part{
		{Digest: digest(CRC32, []byte("1234")), Size: 4},
		{Digest: digest(CRC32, []byte("56789")), Size: 5},
	})
	fmt.Println(hex.EncodeToString(whole))
	// Output: cbf43926
}
