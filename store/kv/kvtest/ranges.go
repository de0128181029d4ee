package kvtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/store/kv"
)

func testScanBounds(t *testing.T, e kv.Engine) {
	put(t, e, pair{"a", "1"}, pair{"b", "2"}, pair{"b\x00", "3"}, pair{"b/x", "4"}, pair{"c", "5"}, pair{"\xff\xff", "6"})
	tests := []struct {
		name       string
		start, end []byte
		want       string // the values, in order
	}{
		{"everything", nil, nil, "123456"},
		{"empty slices are no bounds but the first key and nothing", []byte{}, []byte{}, ""},
		{"from a key", []byte("b"), nil, "23456"},
		{"from between keys", []byte("aa"), nil, "23456"},
		{"after a key", []byte("b\x00"), nil, "3456"},
		{"end excluded", nil, []byte("b"), "1"},
		{"end between keys", nil, []byte("bz"), "1234"},
		{"one key", []byte("b"), []byte("b\x00"), "2"},
		{"empty range", []byte("b"), []byte("b"), ""},
		{"reversed range", []byte("c"), []byte("a"), ""},
		{"past the end", []byte("\xff\xff\x00"), nil, ""},
		{"prefix", []byte("b"), kv.PrefixEnd([]byte("b")), "234"},
		{"prefix without end", []byte("\xff"), kv.PrefixEnd([]byte("\xff")), "6"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			for _, p := range scan(t, e, test.start, test.end) {
				got += p.Value
			}
			if got != test.want {
				t.Errorf("Scan: got values %q, want %q", got, test.want)
			}
			got = ""
			err := e.View(t.Context(), func(r kv.Reader) error {
				c := r.Cursor(test.start, test.end)
				for k, v := c.Next(); k != nil; k, v = c.Next() {
					got += string(v)
				}
				return c.Err()
			})
			if err != nil || got != test.want {
				t.Errorf("Cursor: got values %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func testScanStops(t *testing.T, e kv.Engine) {
	put(t, e, pair{"a", "1"}, pair{"b", "2"}, pair{"c", "3"})
	refused := errors.New("refused")
	for name, want := range map[string]error{"more is false": nil, "error": refused} {
		calls := 0
		err := e.View(t.Context(), func(r kv.Reader) error {
			return r.Scan(nil, nil, func(k, v []byte) (bool, error) {
				calls++
				if string(k) == "b" {
					return want != nil, want
				}
				return true, nil
			})
		})
		if err != want || calls != 2 {
			t.Errorf("%s: got %v after %d calls, want %v after 2", name, err, calls, want)
		}
	}
}

func testCursorSeek(t *testing.T, e kv.Engine) {
	put(t, e, pair{"a", ""}, pair{"c", ""}, pair{"e", ""}, pair{"g", ""}, pair{"i", ""})
	var got []string
	err := e.View(t.Context(), func(r kv.Reader) error {
		c := r.Cursor([]byte("b"), []byte("h"))
		note := func(op string, k []byte) {
			if k == nil {
				k = []byte("end")
			}
			got = append(got, op+" "+string(k))
		}
		seek := func(key string) {
			k, _ := c.Seek([]byte(key))
			note("seek "+key+":", k)
		}
		next := func() {
			k, _ := c.Next()
			note("next:", k)
		}
		seek("e")
		next()
		next()
		next()
		seek("d") // back again
		seek("a") // before the range
		next()
		seek("g\x00")
		next()
		seek("z")
		seek("g")
		return c.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"seek e: e", "next: g", "next: end", "next: end",
		"seek d: e", "seek a: c", "next: e",
		"seek g\x00: end", "next: end", "seek z: end", "seek g: g",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("cursor (-got +want):\n%s", diff)
	}
}

// testCursorSkipsPrefixes lists as a delimiter listing does: it sees each directory once,
// whatever the directory holds.
func testCursorSkipsPrefixes(t *testing.T, e kv.Engine) {
	for dir := range 5 {
		var files []pair
		for file := range 90 {
			files = append(files, pair{fmt.Sprintf("dir%d/file%03d", dir, file), "x"})
		}
		put(t, e, files...)
	}
	put(t, e, pair{"dir2.txt", ""}, pair{"zzz", ""})
	var got []string
	err := e.View(t.Context(), func(r kv.Reader) error {
		c := r.Cursor(nil, nil)
		k, _ := c.Next()
		for k != nil {
			name := string(k)
			if len(name) > 5 && name[4] == '/' {
				got = append(got, name[:5])
				k, _ = c.Seek(kv.PrefixEnd(k[:5]))
				continue
			}
			got = append(got, name)
			k, _ = c.Next()
		}
		return c.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"dir0/", "dir1/", "dir2.txt", "dir2/", "dir3/", "dir4/", "zzz"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("listing (-got +want):\n%s", diff)
	}
}
