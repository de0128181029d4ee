package server

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the README's table of operations")

func TestReadmeTableIsTheOperationTables(t *testing.T) {
	const path, begin, end = "../README.md", "<!-- operations:begin -->\n", "<!-- operations:end -->"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("README.md has lost its operations markers")
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+Operations()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(got, Operations()); diff != "" {
		t.Errorf("the README's table is not what the operation tables say; run make golden\n%s", diff)
	}
}
