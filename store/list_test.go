package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/store/kv"
)

// listAll pages through a listing and returns keys, common prefixes with a final *,
// and version ids where they were asked for.
func (f *fixture) listAll(q ListQuery, versions bool) (got []string) {
	f.t.Helper()
	for {
		list := f.List
		if versions {
			list = f.ListVersions
		}
		page, err := list(f.ctx, q)
		if err != nil {
			f.t.Fatal(err)
		}
		if n := len(page.Versions) + len(page.Prefixes); n > q.Max || n < q.Max && page.Truncated {
			f.t.Fatalf("page of %d items, truncated %v, for %+v", n, page.Truncated, q)
		}
		var items []string
		for i, v := range page.Versions {
			item := v.Key
			if versions {
				item += " " + v.ID
				if page.Latest[i] {
					item += " latest"
				}
			}
			items = append(items, item)
		}
		for _, p := range page.Prefixes {
			items = append(items, p+"*")
		}
		got = append(got, items...)
		if !page.Truncated {
			return got
		}
		q.After, q.AfterVersion = page.Next, page.NextVersion
	}
}

func TestList(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	f.bucket("b2", VersioningEnabled, nil)
	f.put("b2", "of another bucket", "")
	for _, k := range []string{
		"a", "a/", "a/1", "a/2/x", "a/2/y", "a\x00", "a\x00\x01", "ab", "b//c", "b/d", "\xff", "\xff\xff/1", "ü/x",
		"gone", "dir/gone", "half/gone", "half/here",
	} {
		f.put("b", k, "v1")
		f.put("b", k, "v2")
		if strings.HasSuffix(k, "gone") {
			f.delete("b", k, "")
		}
	}
	all := []string{
		"a", "a\x00", "a\x00\x01", "a/", "a/1", "a/2/x", "a/2/y", "ab", "b//c", "b/d", "half/here", "ü/x", "\xff", "\xff\xff/1",
	}
	for _, tc := range []struct {
		name string
		q    ListQuery
		want []string
	}{
		{"all", ListQuery{}, all},
		{"prefix", ListQuery{Prefix: "a/"}, all[3:7]},
		{"prefix is a key", ListQuery{Prefix: "a"}, all[:8]},
		{"prefix with NUL", ListQuery{Prefix: "a\x00"}, all[1:3]},
		{"prefix of 0xff", ListQuery{Prefix: "\xff"}, all[12:]},
		{"nothing", ListQuery{Prefix: "none"}, nil},
		{"delimiter", ListQuery{Delimiter: "/"}, []string{"a", "a\x00", "a\x00\x01", "a/*", "ab", "b/*", "half/*", "ü/*", "\xff", "\xff\xff/*"}},
		{"delimiter and prefix", ListQuery{Delimiter: "/", Prefix: "a/"}, []string{"a/", "a/1", "a/2/*"}},
		{"long delimiter", ListQuery{Delimiter: "//"}, append(append(append([]string{}, all[:8]...), "b//*"), all[9:]...)},
		{"delimiter of NUL", ListQuery{Delimiter: "\x00", Prefix: "a"}, []string{"a", "a\x00*", "a/", "a/1", "a/2/x", "a/2/y", "ab"}},
		{"after", ListQuery{After: "a/1"}, all[5:]},
		{"after what is not there", ListQuery{After: "a/1x"}, all[5:]},
		{"after before the prefix", ListQuery{After: "a", Prefix: "b"}, all[8:10]},
		{"after behind the prefix", ListQuery{After: "c", Prefix: "b"}, nil},
		{"after a common prefix", ListQuery{After: "a/", Delimiter: "/", Prefix: "a"}, []string{"ab"}},
		{"after a key in a common prefix", ListQuery{After: "a/1", Delimiter: "/", Prefix: "a"}, []string{"ab"}}, // D64
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := tc.q
			q.Bucket = "b"
			// Keys and common prefixes come apart within a page, so the order shows in
			// pages of one.
			q.Max = 1
			if d := cmp.Diff(f.listAll(q, false), tc.want); d != "" {
				t.Error(d)
			}
			want := slices.Sorted(slices.Values(tc.want))
			for _, q.Max = range []int{2, 3, 1000} {
				if d := cmp.Diff(slices.Sorted(slices.Values(f.listAll(q, false))), want); d != "" {
					t.Errorf("pages of %d: %s", q.Max, d)
				}
			}
		})
	}
	page, err := f.List(f.ctx, ListQuery{Bucket: "b", Max: 0})
	if err != nil || page.Truncated || len(page.Versions) != 0 {
		t.Errorf("Max 0: got %+v, %v", page, err)
	}
	_, err = f.List(f.ctx, ListQuery{Bucket: "none", Max: 1})
	wantCode(t, err, "NoSuchBucket")
	_, err = f.ListVersions(f.ctx, ListQuery{Bucket: "none", Max: 1})
	wantCode(t, err, "NoSuchBucket")
}

func TestListSummary(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", VersioningEnabled, nil)
	v, err := f.PutVersion(f.ctx, f.fullVersion("b", "k"), Condition{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Version{
		Bucket: "b", Key: "k", ID: v.ID, Order: v.Order, Size: 4, ETag: v.ETag, LastModified: v.LastModified,
		Owner: account, StorageClass: "STANDARD_IA", Checksum: Checksum{Algorithm: v.Checksum.Algorithm, Type: v.Checksum.Type},
	}
	for name, list := range map[string]func(context.Context, ListQuery) (*ListPage, error){"List": f.List, "ListVersions": f.ListVersions} {
		page, err := list(f.ctx, ListQuery{Bucket: "b", Max: 1})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(page.Versions, []*Version{want}); d != "" || page.Truncated {
			t.Errorf("%s: truncated %v, %s", name, page.Truncated, d)
		}
	}
}

func TestListVersions(t *testing.T) {
	f := newFixture(t)
	f.bucket("b", Unversioned, nil)
	var want []string
	for _, k := range []string{"a", "b/1", "b/2", "c"} {
		f.versioning("b", VersioningSuspended)
		f.put("b", k, "null")
		f.versioning("b", VersioningEnabled)
		v1, v2 := f.put("b", k, "1"), f.put("b", k, "2")
		m := f.delete("b", k, "")
		want = append(want, k+" "+m.VersionID+" latest", k+" "+v2.ID, k+" "+v1.ID, k+" null")
	}
	for max := 1; max < 20; max++ {
		if d := cmp.Diff(f.listAll(ListQuery{Bucket: "b", Max: max}, true), want); d != "" {
			t.Fatalf("pages of %d: %s", max, d)
		}
	}
	rolled := append(append([]string{}, want[:4]...), "b/*")
	rolled = append(rolled, want[12:]...)
	if d := cmp.Diff(f.listAll(ListQuery{Bucket: "b", Delimiter: "/", Max: 1}, true), rolled); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(f.listAll(ListQuery{Bucket: "b", Prefix: "b/", Max: 3}, true), want[4:12]); d != "" {
		t.Error(d)
	}
	// The marker may have been removed since.
	_, id, _ := strings.Cut(want[1], " ")
	f.delete("b", "a", id)
	if d := cmp.Diff(f.listAll(ListQuery{Bucket: "b", Prefix: "a", After: "a", AfterVersion: id, Max: 9}, true), want[2:4]); d != "" {
		t.Error(d)
	}
	f.delete("b", "a", NullVersion)
	got := f.listAll(ListQuery{Bucket: "b", Prefix: "a", After: "a", AfterVersion: NullVersion, Max: 9}, true)
	if d := cmp.Diff(got, []string{want[0], want[2]}); d != "" {
		t.Error(d)
	}
}

// counting counts how a snapshot is read.
type counting struct {
	kv.Engine
	steps atomic.Int64 // seeks and next steps of cursors, and gets
}

func (c *counting) View(ctx context.Context, fn func(kv.Reader) error) error {
	return c.Engine.View(ctx, func(r kv.Reader) error { return fn(countingReader{r, c}) })
}

type countingReader struct {
	kv.Reader
	c *counting
}

func (r countingReader) Get(k []byte) ([]byte, error) {
	r.c.steps.Add(1)
	return r.Reader.Get(k)
}

func (r countingReader) Cursor(start, end []byte) kv.Cursor {
	return &countingCursor{r.Reader.Cursor(start, end), r.c}
}

type countingCursor struct {
	kv.Cursor
	c *counting
}

func (c *countingCursor) Seek(k []byte) ([]byte, []byte) {
	c.c.steps.Add(1)
	return c.Cursor.Seek(k)
}

func (c *countingCursor) Next() ([]byte, []byte) {
	c.c.steps.Add(1)
	return c.Cursor.Next()
}

// Lists cost their results, not the bucket.
func TestListCost(t *testing.T) {
	var c *counting
	f := newFixtureOn(t, func(e kv.Engine) kv.Engine { c = &counting{Engine: e}; return c }, Config{})
	f.bucket("b", VersioningEnabled, nil)
	v := f.version("b", "", nil)
	v.Parts = nil
	for i := range 10_000 {
		v.Key = fmt.Sprintf("dir%02d/%04d", i%100, i)
		if _, err := f.PutVersion(f.ctx, v, Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	v.Key = "dir00/0000"
	for range 200 {
		if _, err := f.PutVersion(f.ctx, v, Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name  string
		q     ListQuery
		list  func(context.Context, ListQuery) (*ListPage, error)
		items int
	}{
		{"common prefixes", ListQuery{Delimiter: "/", Max: 1000}, f.List, 100},
		{"a page of common prefixes", ListQuery{Delimiter: "/", Max: 10, After: "dir49/"}, f.List, 10},
		{"one directory", ListQuery{Delimiter: "/", Prefix: "dir07/", Max: 1000}, f.List, 100},
		{"a page", ListQuery{Max: 50, After: "dir50/"}, f.List, 50},
		{"current versions of an old key", ListQuery{Prefix: "dir00/00", Max: 10}, f.List, 1},
		{"common prefixes of versions", ListQuery{Delimiter: "/", Max: 1000}, f.ListVersions, 100},
		{"a page of versions", ListQuery{Max: 50, After: "dir50/"}, f.ListVersions, 50},
	} {
		tc.q.Bucket = "b"
		c.steps.Store(0)
		page, err := tc.list(f.ctx, tc.q)
		if err != nil {
			t.Fatal(err)
		}
		got := c.steps.Load()
		if n := len(page.Versions) + len(page.Prefixes); n != tc.items {
			t.Errorf("%s: got %d items, want %d", tc.name, n, tc.items)
		}
		if limit := int64(2*tc.items + 10); got > limit {
			t.Errorf("%s: %d steps for %d items, want at most %d", tc.name, got, tc.items, limit)
		}
	}
}
