package batch

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadCSV(t *testing.T) {
	all := []string{"Bucket", "Key", "VersionId"}
	for _, tt := range []struct {
		name   string
		fields []string
		text   string
		want   []row
		fault  string
	}{
		{"versions", all, "b,k,v1\nb,k2,\n", []row{{"b", "k", "v1"}, {"b", "k2", ""}}, ""},
		{"quoted and escaped", all, `"b","a%20b%2Fc+d%2B",""` + "\r\n", []row{{"b", "a b/c d+", ""}}, ""},
		{"other columns", []string{"Ignore", "Key", "Bucket"}, "x,k,b", []row{{"b", "k", ""}}, ""},
		{"empty", all, "", nil, ""},
		{"no key column", []string{"Bucket", "Ignore"}, "b,k", nil, "no column Bucket or no column Key"},
		{"too few fields", all, "b,k,v\nb,k", []row{{"b", "k", "v"}}, "line 2"},
		{"no key", all, "b,,v", nil, "line 1 of the manifest names no object"},
		{"no bucket", all, ",k,v", nil, "names no object"},
		{"bad escape", all, "b,%zz,v", nil, "names no object"},
		{"open quote", all, `b,"k,v`, nil, "line 1"},
		{"endless key", all, "b," + strings.Repeat("k", 4000) + ",v", nil, "names no object"},
	} {
		var got []row
		err := readCSV(strings.NewReader(tt.text), tt.fields, func(o row) error { got = append(got, o); return nil })
		if d := cmp.Diff(got, tt.want); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
		bad := new(errManifest)
		if (tt.fault == "") != (err == nil) || err != nil && (!errors.As(err, &bad) || !strings.Contains(bad.text, tt.fault)) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.fault)
		}
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text)) // a Buffer's writes don't fail
	_ = z.Close()
	return b.String()
}

func TestInventory(t *testing.T) {
	_, fields, err := parseInventory([]byte(`{"fileFormat":"CSV","fileSchema":"Bucket, Key, VersionId, IsLatest","files":[{"key":"a"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []row
	take := func(o row) error { got = append(got, o); return nil }
	if err := readInventoryFile(strings.NewReader(zipped("b,k,v,true\n")), fields, take); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(got, []row{{"b", "k", "v"}}); d != "" {
		t.Error(d)
	}
	whole := zipped("b,k,v,true\n")
	for name, text := range map[string]string{"not gzip": "b,k", "cut": whole[:len(whole)-6]} {
		if err := readInventoryFile(strings.NewReader(text), fields, take); !errors.As(err, new(*errManifest)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{`{`, `{"fileFormat":"ORC"}`, `[]`} {
		if _, _, err := parseInventory([]byte(text)); !errors.As(err, new(*errManifest)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzManifest reads foreign manifests; what is wrong with them is an errManifest.
func FuzzManifest(f *testing.F) {
	f.Add("b,k,v\n", false)
	f.Add("\"b\",\"k%20\",\"\"\r\nb,x", false)
	f.Add(zipped("b,k,v\n"), true)
	f.Add(`{"fileFormat":"CSV","fileSchema":"Bucket, Key"}`, true)
	f.Fuzz(func(t *testing.T, text string, inventory bool) {
		fields := []string{"Bucket", "Key", "VersionId"}
		take := func(o row) error {
			if o.Bucket == "" || o.Key == "" {
				t.Errorf("row %q names nothing", o)
			}
			return nil
		}
		err := readCSV(strings.NewReader(text), fields, take)
		if inventory {
			err = readInventoryFile(strings.NewReader(text), fields, take)
			if _, _, perr := parseInventory([]byte(text)); perr != nil && !errors.As(perr, new(*errManifest)) {
				t.Errorf("error %v is no fault of the manifest", perr)
			}
		}
		if err != nil && !errors.As(err, new(*errManifest)) {
			t.Errorf("error %v (%T) is no fault of the manifest", err, err)
		}
	})
}
