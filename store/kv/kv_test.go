package kv_test

import (
	"bytes"
	"fmt"
	"testing"

	"twinbucket/store/kv"
)

func TestPrefixEnd(t *testing.T) {
	tests := []struct{ prefix, want []byte }{
		{nil, nil},
		{[]byte("a"), []byte("b")},
		{[]byte("a/"), []byte("a0")},
		{[]byte("a\xff\xff"), []byte("b")},
		{[]byte{0xff}, nil},
		{[]byte{0xff, 0xff}, nil},
		{[]byte{0}, []byte{1}},
		{[]byte{0xfe, 0xff}, []byte{0xff}},
	}
	for _, test := range tests {
		prefix := bytes.Clone(test.prefix)
		if got := kv.PrefixEnd(prefix); !bytes.Equal(got, test.want) || (got == nil) != (test.want == nil) {
			t.Errorf("PrefixEnd(%q): got %q, want %q", test.prefix, got, test.want)
		}
		if !bytes.Equal(prefix, test.prefix) {
			t.Errorf("PrefixEnd(%q) changed its argument to %q", test.prefix, prefix)
		}
	}
}

func TestBufferWritesEachKeyOnce(t *testing.T) {
	var b kv.Buffer
	for round := range 2 { // a reused buffer starts empty
		b.Reset(func([]byte) ([]byte, error) { return nil, kv.ErrNotFound })
		b.Put([]byte("a"), []byte("1"))
		b.Delete([]byte("b"))
		b.Delete([]byte("a"))
		b.Put([]byte("b"), []byte("22"))
		got := ""
		for _, w := range b.Writes() {
			got += fmt.Sprintf("%s=%s,%v ", w.Key, w.Value, w.Delete)
		}
		if want := "a=,true b=22,false "; got != want || b.Err() != nil || b.Bytes() != 7 {
			t.Errorf("round %d: got %q, %v, %d bytes; want %q, 7 bytes", round, got, b.Err(), b.Bytes(), want)
		}
	}
}

// ExamplePrefixEnd lists the keys under a prefix.
func ExamplePrefixEnd() {
	prefix := []byte("bucket/photos/")
	fmt.Printf("%q\n", kv.PrefixEnd(prefix))
	// Output: "bucket/photos0"
}
