package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// model is what a bucket should hold: for each key its versions, newest first.
type model struct {
	versioning Versioning
	keys       map[string][]modelVersion
}

type modelVersion struct {
	id     string
	body   string
	marker bool
	tags   string
}

func (m *model) dropNull(key string) {
	m.keys[key] = slices.DeleteFunc(m.keys[key], func(v modelVersion) bool { return v.id == NullVersion })
}

func (m *model) add(key string, v modelVersion) {
	if v.id == NullVersion {
		m.dropNull(key)
	}
	m.keys[key] = append([]modelVersion{v}, m.keys[key]...)
}

func (m *model) sorted() []string {
	var keys []string
	for k, versions := range m.keys {
		if len(versions) > 0 {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

func rollUp(key, prefix, delimiter string) (string, bool) {
	if delimiter != "" {
		if i := strings.Index(key[len(prefix):], delimiter); i >= 0 {
			return key[:len(prefix)+i+len(delimiter)], true
		}
	}
	return "", false
}

// list gives what listAll gives in pages of one.
func (m *model) list(prefix, delimiter string, versions bool) (got []string) {
	for _, key := range m.sorted() {
		if !strings.HasPrefix(key, prefix) || !versions && m.keys[key][0].marker {
			continue
		}
		if common, ok := rollUp(key, prefix, delimiter); ok {
			if item := common + "*"; !slices.Contains(got, item) {
				got = append(got, item)
			}
			continue
		}
		if !versions {
			got = append(got, key)
			continue
		}
		for i, v := range m.keys[key] {
			item := key + " " + v.id
			if i == 0 {
				item += " latest"
			}
			got = append(got, item)
		}
	}
	return got
}

// TestModel runs random operations against the store and the model; after each the
// two must agree. A failure prints the seed and the operations.
func TestModel(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			run := &modelRun{
				f: newFixtureOn(t, nil, Config{InlineLimit: 20}),
				m: model{keys: map[string][]modelVersion{}}, r: rand.New(rand.NewPCG(uint64(seed), 1)),
			}
			run.f.bucket("b", Unversioned, replication(rule("r", "a", "dst", 1)))
			for i := range 400 {
				run.step()
				if i%20 == 0 || t.Failed() {
					run.compare()
				}
				if t.Failed() {
					t.Fatalf("seed %d, after:\n%s", seed, strings.Join(run.log, "\n"))
				}
			}
		})
	}
}

type modelRun struct {
	f   *fixture
	m   model
	r   *rand.Rand
	log []string
}

func (run *modelRun) note(format string, args ...any) {
	run.log = append(run.log, fmt.Sprintf(format, args...))
}

func (run *modelRun) key() string {
	return []string{"a", "a/1", "a/2", "a\x00", "b", "b/x/y", "b/x/z", "\xff"}[run.r.IntN(8)]
}

func (run *modelRun) step() {
	f, m, r := run.f, &run.m, run.r
	if r.IntN(3) == 0 {
		f.clock.Advance(time.Duration(r.IntN(1000)) * time.Millisecond)
	}
	switch key := run.key(); r.IntN(10) {
	case 0, 1, 2:
		body := strings.Repeat("x", r.IntN(40))
		v := f.put("b", key, body)
		run.note("put %q %d bytes: %s", key, len(body), v.ID)
		m.add(key, modelVersion{id: v.ID, body: body})
	case 3:
		d := f.delete("b", key, "")
		run.note("delete %q: %+v", key, d)
		if m.versioning == Unversioned {
			m.dropNull(key)
		} else {
			m.add(key, modelVersion{id: d.VersionID, marker: true})
		}
	case 4, 5:
		versions := m.keys[key]
		if len(versions) == 0 {
			return
		}
		i := r.IntN(len(versions))
		d := f.delete("b", key, versions[i].id)
		run.note("remove %q %s: %+v", key, versions[i].id, d)
		if d.Removed != true || d.DeleteMarker != versions[i].marker {
			f.t.Errorf("got %+v", d)
		}
		m.keys[key] = slices.Delete(slices.Clone(versions), i, i+1)
	case 6:
		versions := m.keys[key]
		if len(versions) == 0 {
			return
		}
		v := &versions[r.IntN(len(versions))]
		value := fmt.Sprint(r.IntN(5))
		_, err := f.SetTags(f.ctx, "b", key, v.id, []Tag{{"t", value}})
		run.note("tag %q %s %s: %v", key, v.id, value, err)
		if v.marker {
			wantCode(f.t, err, "MethodNotAllowed")
		} else if v.tags = value; err != nil {
			f.t.Error(err)
		}
	case 7:
		m.versioning = []Versioning{VersioningEnabled, VersioningSuspended}[r.IntN(2)]
		run.note("versioning %s", m.versioning)
		f.versioning("b", m.versioning)
	case 8:
		n := 1 + r.IntN(20)
		v := f.completeBig("b", key, n, "part")
		var body strings.Builder
		for i := range n {
			fmt.Fprintf(&body, "part %d\n", i+1)
		}
		run.note("complete %q %d parts: %s", key, n, v.ID)
		m.add(key, modelVersion{id: v.ID, body: body.String(), tags: "1"})
	case 9:
		result := Result{Status: []ReplicationStatus{Completed, Failed}[r.IntN(2)], Trace: []byte("t")}
		run.note("settle %d", len(f.settleAll(result)))
	}
}

// compare looks at everything from all sides.
func (run *modelRun) compare() {
	f, m := run.f, &run.m
	f.check()
	for _, q := range []ListQuery{{}, {Prefix: "a"}, {Delimiter: "/"}, {Prefix: "b/", Delimiter: "/"}, {Delimiter: "x"}} {
		for _, versions := range []bool{false, true} {
			want := m.list(q.Prefix, q.Delimiter, versions)
			q.Bucket, q.Max = "b", 1
			if d := cmp.Diff(f.listAll(q, versions), want); d != "" {
				f.t.Errorf("list %+v, versions %v: %s", q, versions, d)
			}
			q.Max = 1 + run.r.IntN(10)
			if got := f.listAll(q, versions); len(got) != len(want) {
				f.t.Errorf("list %+v, versions %v: %d items, want %d", q, versions, len(got), len(want))
			}
		}
	}
	for key, versions := range m.keys {
		for i, want := range versions {
			ids := []string{want.id}
			if i == 0 {
				ids = append(ids, "")
			}
			for _, id := range ids {
				v, body := f.get("b", key, id)
				got := modelVersion{id: v.ID, body: body, marker: v.DeleteMarker}
				if len(v.Tags) > 0 {
					got.tags = v.Tags[0].Value
				}
				if got != want {
					f.t.Errorf("%q %q: got %+v, want %+v", key, id, got, want)
				}
			}
		}
		if len(versions) == 0 {
			_, err := f.Version(f.ctx, "b", key, "")
			wantCode(f.t, err, "NoSuchKey")
		}
	}
}
