package blob_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"twinbucket/store/blob"
)

// Example seals a stream and reads a range of it back.
func Example() {
	var dataKey [32]byte // of the object, from its envelope
	id, err := blob.NewID(nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	var sealed bytes.Buffer // or a Writer of a Dir
	s, err := blob.Seal(&sealed, dataKey, id, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.Copy(s, strings.NewReader("a really replicated bucket")); err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Close(); err != nil {
		fmt.Println(err)
		return
	}

	r, err := blob.Open(bytes.NewReader(sealed.Bytes()), int64(sealed.Len()), dataKey, id)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	if _, err := io.Copy(os.Stdout, r.Range(9, 10)); err != nil {
		fmt.Println(err)
	}
	// Output: replicated
}
