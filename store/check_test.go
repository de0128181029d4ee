package store

import (
	"strings"
	"testing"

	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// Every kind of damage is found: each case breaks one record of a sound store.
func TestCheckFinds(t *testing.T) {
	type env struct {
		*fixture
		v, old, null *Version // current, second, and null version of key k in bucket b
		u            *Upload
	}
	null := func(e *env) position { return position{order: e.null.Order, null: true} }
	for _, tc := range []struct {
		name   string
		damage func(e *env, tx kv.Txn)
		want   string
	}{
		{"bucket gone", func(e *env, tx kv.Txn) { tx.Delete(bucketKey("b")) }, "has no bucket"},
		{"bucket renamed", func(e *env, tx kv.Txn) {
			rec, _ := tx.Get(bucketKey("b"))
			tx.Put(bucketKey("c"), rec)
		}, `holds bucket "b"`},
		{"head gone", func(e *env, tx kv.Txn) { tx.Delete(headKey("b", "k")) }, "has no head"},
		{"head cut", func(e *env, tx kv.Txn) { tx.Put(headKey("b", "k"), []byte{1}) }, "damaged record"},
		{"null version gone", func(e *env, tx kv.Txn) { tx.Delete(versionKey("b", "k", null(e))) }, "points to a null version"},
		{"null version unknown", func(e *env, tx kv.Txn) {
			head, _ := getHead(tx, "b", "k")
			tx.Put(headKey("b", "k"), append(newHead(0, 0, 0), head.rec...))
		}, "null version that the head does not know"},
		{"wrong place", func(e *env, tx kv.Txn) {
			rec, _ := tx.Get(versionKey("b", "k", null(e)))
			tx.Put(versionKey("b", "k", position{order: 7}), rec)
		}, "holds version null"},
		{"newer than the head", func(e *env, tx kv.Txn) {
			pos := position{order: 1 << 63}
			tx.Put(versionKey("b", "k", pos), appendVersion(nil, &Version{}, pos, partSet{}))
		}, "is not older than the head"},
		{"sealed data gone", func(e *env, tx kv.Txn) { tx.Delete(idKey(kindInline, e.v.Parts[0].Data.ID)) }, "are not there"},
		{"sealed data cut", func(e *env, tx kv.Txn) { tx.Put(idKey(kindInline, e.v.Parts[0].Data.ID), []byte("x")) }, "has 1 bytes of"},
		{"data of nobody", func(e *env, tx kv.Txn) { tx.Put(idKey(kindInline, blob.ID{1}), nil) }, "referred to by nothing"},
		{"blob note gone", func(e *env, tx kv.Txn) { tx.Delete(idKey(kindBlob, e.old.Parts[0].Data.ID)) }, "are not there"},
		{"data shared", func(e *env, tx kv.Txn) {
			head, _ := getHead(tx, "b", "k")
			tx.Put(headKey("b", "k2"), append(newHead(0, 0, 0), head.rec...))
		}, "referred to twice"},
		{"wrong size", func(e *env, tx kv.Txn) {
			v := *e.v
			v.Size++
			loc, _ := locate(tx, "b", "k", "")
			_ = loc.rewrite(tx, &v)
		}, "says 6 bytes and has 5"},
		{"task gone", func(e *env, tx kv.Txn) {
			list, _ := getPending(tx, ofVersion(kindPending, "b", "k", e.v.ID))
			tx.Delete(list[0].key("b"))
		}, "the queue counts 2 tasks"},
		{"task index gone", func(e *env, tx kv.Txn) { tx.Delete(ofVersion(kindPending, "b", "k", e.v.ID)) }, "is Pending and has no task"},
		{"task of a settled destination", func(e *env, tx kv.Txn) {
			v := *e.v
			v.Destinations = []DestinationStatus{{Bucket: "d", Status: Completed}}
			loc, _ := locate(tx, "b", "k", "")
			_ = loc.rewrite(tx, &v)
		}, "without Pending destination"},
		{"task elsewhere", func(e *env, tx kv.Txn) {
			list, _ := getPending(tx, ofVersion(kindPending, "b", "k", e.v.ID))
			rec, _ := tx.Get(list[0].key("b"))
			list[0].due = start.Add(1)
			tx.Put(list[0].key("b"), rec)
			tx.Put(ofVersion(kindPending, "b", "k", e.v.ID), encodePending(list))
		}, "is not at its due time"},
		{"trace of nothing", func(e *env, tx kv.Txn) { tx.Put(ofVersion(kindTrace, "b", "none", NullVersion), encodeTraces(nil)) }, "a version that is not there"},
		{"part of no upload", func(e *env, tx kv.Txn) { tx.Delete(uploadKey("b", "k", e.u.ID)) }, "part of no upload"},
		{"part set of no version", func(e *env, tx kv.Txn) { tx.Put(partSetKey(blob.ID{1}, 0), []byte{recordFormat, 0}) }, "part set of no version"},
		{"trash", func(e *env, tx kv.Txn) { tx.Put(idKey(kindTrash, blob.ID{1}), []byte{trashSetOnly}) }, "was not cleaned up"},
		{"ended upload", func(e *env, tx kv.Txn) { tx.Put(endedKey("u"), nil) }, "was not cleaned up"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := env{fixture: newFixtureOn(t, nil, Config{InlineLimit: 10})}
			e.bucket("b", Unversioned, replication(rule("r", "", "d", 1)))
			e.null = e.put("b", "k", "null")
			e.versioning("b", VersioningEnabled)
			e.old, e.v = e.put("b", "k", "in a blob of its own"), e.put("b", "k", "small")
			e.u = e.upload("b", "k")
			e.part(e.u, 1, "part")
			if errs := e.Check(e.ctx); len(errs) > 0 {
				t.Fatal(errs)
			}
			undo := e.snapshot()
			if err := e.cfg.Engine.Update(e.ctx, func(tx kv.Txn) error { tc.damage(&e, tx); return nil }); err != nil {
				t.Fatal(err)
			}
			found := false
			errs := e.Check(e.ctx)
			for _, err := range errs {
				found = found || strings.Contains(err.Error(), tc.want)
			}
			if !found {
				t.Errorf("got %v, want one that says %q", errs, tc.want)
			}
			undo()
		})
	}
	t.Run("blob gone", func(t *testing.T) {
		f := newFixtureOn(t, nil, Config{InlineLimit: -1})
		f.bucket("b", Unversioned, nil)
		id := f.put("b", "k", "x").Parts[0].Data.ID
		stray := f.version("b", "k", []byte("x")).Parts[0].Data
		if err := f.blobs.Remove(id); err != nil {
			t.Fatal(err)
		}
		errs := f.Check(f.ctx)
		if len(errs) != 2 || !strings.Contains(errs[0].Error()+errs[1].Error(), "is missing") || !strings.Contains(errs[0].Error()+errs[1].Error(), "referred to by nothing") {
			t.Errorf("got %v", errs)
		}
		f.DiscardData(stray)
		f.delete("b", "k", "")
	})
}

// snapshot copies all records and returns a function that brings them back.
func (f *fixture) snapshot() (restore func()) {
	f.t.Helper()
	records := func() map[string]string {
		m := map[string]string{}
		if err := f.cfg.Engine.View(f.ctx, func(r kv.Reader) error {
			return r.Scan(nil, nil, func(k, v []byte) (bool, error) { m[string(k)] = string(v); return true, nil })
		}); err != nil {
			f.t.Fatal(err)
		}
		return m
	}
	before := records()
	return func() {
		f.t.Helper()
		now := records()
		if err := f.cfg.Engine.Update(f.ctx, func(tx kv.Txn) error {
			for k := range now {
				if _, ok := before[k]; !ok {
					tx.Delete([]byte(k))
				}
			}
			for k, v := range before {
				if now[k] != v {
					tx.Put([]byte(k), []byte(v))
				}
				if _, ok := now[k]; !ok {
					tx.Put([]byte(k), []byte(v))
				}
			}
			return nil
		}); err != nil {
			f.t.Fatal(err)
		}
	}
}
