package store

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/checksum"
	"twinbucket/store/blob"
)

func sampleVersion() (Version, position) {
	pos := position{order: 1 << 60, random: [16]byte{1, 2, 3}}
	return Version{
		Bucket: "b", Key: "k", ID: pos.id(), Order: pos.order, Size: 1 << 40, ETag: strings.Repeat("e", 32) + "-2",
		LastModified: start, Owner: account, StorageClass: "GLACIER_IR", ACL: &ACL{},
		Headers:    Headers{ContentType: "text/plain", WebsiteRedirect: "/x"},
		Metadata:   map[string]string{"a": "b", "c": ""},
		Tags:       []Tag{{"k", "v"}, {"k2", ""}},
		Checksum:   Checksum{Algorithm: checksum.SHA256, Type: checksum.Composite, Value: "x-2"},
		Encryption: Encryption{Algorithm: "aws:kms", KeyARN: "arn", Context: map[string]string{"x": "y"}, BucketKey: true, WrappedKey: []byte{0, 1, 2}},
		Parts:      []Part{{Number: 1, ETag: "e", Data: Data{ID: blob.ID{9}, File: true, Size: 1 << 39}}, {Number: 10_000, Data: Data{ID: blob.ID{8}, Sealed: blob.ID{7}, Size: 5}}},
		Lock:       Lock{Mode: Compliance, Until: start.Add(time.Hour), LegalHold: HoldOn},
		Restore:    Restore{Ready: start, Expires: start.Add(48 * time.Hour)},
		Multipart:  true,
		IsReplica:  true,
		Destinations: []DestinationStatus{
			{RuleID: "r", Bucket: "d", Status: Pending, Updated: start},
			{RuleID: "r2", Bucket: "d2", Status: Failed, Reason: "DstBucketNotFound", Attempt: 3, Updated: start.Add(time.Nanosecond)},
		},
	}, pos
}

func TestVersionRecord(t *testing.T) {
	full, pos := sampleVersion()
	null := position{order: 5, null: true}
	for _, tc := range []struct {
		v   Version
		pos position
		set partSet
	}{
		{full, pos, partSet{}},
		{Version{Bucket: "b", Key: "k", ID: NullVersion, Order: 5, DeleteMarker: true}, null, partSet{}},
		{Version{Bucket: "b", Key: "k", ID: NullVersion, Order: 5}, null, partSet{id: blob.ID{7}, count: 600}},
	} {
		rec := appendVersion([]byte("before"), &tc.v, tc.pos, tc.set)[6:]
		got, set, err := decodeVersion("b", "k", rec)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(got, &tc.v); d != "" || set != tc.set {
			t.Errorf("set %v, %s", set, d)
		}
		if set, err := partSetOf(rec); err != nil || set != tc.set {
			t.Errorf("got %v, %v", set, err)
		}
		for i := range rec {
			if _, _, err := decodeVersion("b", "k", rec[:i]); err == nil {
				t.Errorf("decoded %d of %d bytes", i, len(rec))
			}
		}
		if _, _, err := decodeVersion("b", "k", append(slices.Clone(rec), 0)); err == nil {
			t.Error("decoded a record with a byte too many")
		}
		h, err := readHead(rec)
		if err != nil || h.pos != tc.pos || h.marker() != tc.v.DeleteMarker {
			t.Errorf("got %+v, %v", h, err)
		}
	}
}

func TestPositions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []position
	for range 500 {
		p := position{order: random.Uint64() >> (random.IntN(8) * 8), null: random.IntN(4) == 0}
		if !p.null {
			p.random = [16]byte{byte(random.Uint32()), byte(random.Uint32())}
		}
		all = append(all, p)
	}
	for _, p := range all {
		if got, ok := parsePosition(p.append(nil)); !ok || got != p {
			t.Errorf("got %v, want %v", got, p)
		}
		if !ValidVersionID(p.id()) {
			t.Errorf("%q is not valid", p.id())
		}
		if got, ok := parseID(p.id()); ok == p.null || ok && got != p {
			t.Errorf("got %v, want %v", got, p)
		}
		if strings.ContainsAny(p.id(), "-+/") || !p.null && len(p.id()) != 32 {
			t.Errorf("got id %q", p.id())
		}
	}
	// Newer first, as positions, as bytes and, for those of versioned writes, as text.
	for i, p := range all[1:] {
		q := all[i]
		byBytes := bytes.Compare(p.append(nil), q.append(nil)) < 0
		if p.newer(q) != byBytes {
			t.Errorf("%v newer than %v: %v, by bytes %v", p, q, p.newer(q), byBytes)
		}
		if !p.null && !q.null && p.newer(q) != (p.id() < q.id()) {
			t.Errorf("%q and %q sort otherwise than their positions", p.id(), q.id())
		}
	}
	for _, id := range []string{"", "Null", strings.Repeat("-", 32), strings.Repeat("0", 31), strings.Repeat("0", 33), "null "} {
		if ValidVersionID(id) {
			t.Errorf("%q is valid", id)
		}
	}
}

func TestKeysKeepOrder(t *testing.T) {
	keys := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00\xff", "a\x01", "a/", "ab", "\xff", "\xff\x00", "\xff\xff", "ü"}
	sort.Strings(keys)
	for _, k := range []func(string) []byte{
		func(s string) []byte { return headKey("b", s) },
		func(s string) []byte { return inObject(kindVersion, "b", s, 0) },
		func(s string) []byte { return headKey(s, "k") },
		func(s string) []byte { return ofVersion(kindTrace, s, "k", "id") },
	} {
		for i := range keys[1:] {
			if a, b := k(keys[i]), k(keys[i+1]); bytes.Compare(a, b) >= 0 {
				t.Errorf("%q sorts after %q: %x, %x", keys[i], keys[i+1], a, b)
			}
		}
	}
}

func TestTimes(t *testing.T) {
	for _, tm := range []time.Time{{}, start, start.Add(1), time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := fromNanos(nanos(tm)); !got.Equal(tm) {
			t.Errorf("got %v, want %v", got, tm)
		}
	}
	if nanos(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)) != 0 || nanos(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)) != 1<<63-1 {
		t.Error("times out of range are not clamped")
	}
}

// FuzzKeys: whatever the components, keys come apart again.
func FuzzKeys(f *testing.F) {
	f.Add("b", "k", []byte("tail"))
	f.Add("", "\x00\x01\x00\xff", []byte{0, 1})
	f.Fuzz(func(t *testing.T, bucket, key string, tail []byte) {
		b, k, rest, ok := cutObject(append(inObject(kindVersion, bucket, key, 0), tail...))
		if !ok || b != bucket || k != key || !bytes.Equal(rest, tail) {
			t.Errorf("got %q %q %q %v", b, k, rest, ok)
		}
		if b, k, ok := cutHead(headKey(bucket, key)); !ok || b != bucket || k != key {
			t.Errorf("got %q %q %v", b, k, ok)
		}
		cutObject(tail)
		cutHead(tail)
		cutID(tail)
		cutTask(tail)
		if s, rest, ok := cutComponent(tail); ok && !bytes.Equal(append(appendComponent(nil, s), rest...), tail) {
			t.Errorf("%q is not the only form of its component", tail)
		}
		if p, ok := parsePosition(tail); ok && !bytes.Equal(p.append(nil), tail) {
			t.Errorf("%q is not the only form of its position", tail)
		}
		if p, ok := parseID(key); ok && p.id() != key {
			t.Errorf("%q is not the only form of its version id", key)
		}
	})
}

// FuzzRecords: no bytes panic a decoder or make it ask for more memory than they are
// worth, and what is decoded encodes to the same value again.
func FuzzRecords(f *testing.F) {
	v, pos := sampleVersion()
	f.Add(appendVersion(nil, &v, pos, partSet{}))
	f.Add(appendVersion(newHead(1, 2, 0), &Version{DeleteMarker: true}, position{null: true}, partSet{}))
	task := storedTask{Task: Task{ID: "i", Kind: TaskObject, Bucket: "b", Key: "k", Rule: rule("r", "p", "d", -1), Created: start, Due: start, Attempt: 2}, again: metaTags}
	task.Rule.Tags = []Tag{{"a", "b"}}
	f.Add(encodeTask(&task))
	f.Add(encodePending([]pendingTask{{"d", "r", "i", start}}))
	f.Add(encodeTraces([]trace{{"d", "text"}}))
	f.Add(encodeUpload(&uploadRecord{Upload: Upload{Version: v, Initiator: "arn", Initiated: start}, revision: 3, existed: true}))
	f.Add(encodeStoredPart(&StoredPart{Part: v.Parts[0], Modified: start}))
	f.Add(encodeRef(&versionRef{bucket: "b", key: "k", pos: pos, at: start}))
	f.Add(append([]byte{recordFormat}, `0123456789abcdef{"Name":"b"}`...))
	f.Fuzz(func(t *testing.T, rec []byte) {
		again := func(name string, got, want any, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: does not decode again: %v", name, err)
			} else if d := cmp.Diff(got, want, cmp.AllowUnexported(storedTask{}, pendingTask{}, trace{}, versionRef{}, position{}, uploadRecord{})); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		if v, set, err := decodeVersion("b", "k", rec); err == nil {
			h, _ := readHead(rec)
			v2, set2, err := decodeVersion("b", "k", appendVersion(nil, v, h.pos, set))
			if again("version", v2, v, err); set2 != set {
				t.Errorf("got %v, want %v", set2, set)
			}
			var sum Version
			if err := decodeSummary(rec, &sum); err != nil || sum.ID != v.ID || sum.ETag != v.ETag || sum.Size != v.Size {
				t.Errorf("summary differs: %v", err)
			}
		}
		if h, err := parseHead(rec); err == nil {
			var sum Version
			_ = decodeSummary(h.rec, &sum)
		}
		if v, err := decodeTask(rec); err == nil {
			v2, err := decodeTask(encodeTask(&v))
			again("task", v2, v, err)
		}
		if v, err := decodePending(rec); err == nil {
			v2, err := decodePending(encodePending(v))
			again("pending", v2, v, err)
		}
		if v, err := decodeTraces(rec); err == nil {
			v2, err := decodeTraces(encodeTraces(v))
			again("traces", v2, v, err)
		}
		if v, err := decodeUpload("b", "k", "id", rec); err == nil {
			if v.Version.Order != 0 {
				return // only positions of zero are ever written
			}
			v2, err := decodeUpload("b", "k", "id", encodeUpload(v))
			again("upload", v2, v, err)
		}
		if v, err := decodeStoredPart(rec); err == nil {
			v2, err := decodeStoredPart(encodeStoredPart(&v))
			again("part", v2, v, err)
		}
		if v, err := decodeRef(rec); err == nil {
			v2, err := decodeRef(encodeRef(&v))
			again("ref", v2, v, err)
		}
		_, _ = decodeChunk(rec)
		_, _ = decodeBucket(rec)
	})
}
