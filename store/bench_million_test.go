package store

import (
	"fmt"
	"testing"

	"twinbucket/internal/checksum"
	"twinbucket/store/kv"
)

// million is the size of the bucket that BenchmarkListMillion pages through.
const million = 1_000_000

// fillMillion writes the head records of a million empty objects, as many to a transaction
// as it takes. Through PutVersion it would take a minute.
func fillMillion(b *testing.B, s *Store) {
	b.Helper()
	v := Version{Bucket: "b", ETag: "0123456789abcdef0123456789abcdef", Owner: account, LastModified: start,
		Checksum: Checksum{Algorithm: checksum.CRC64NVME, Type: checksum.FullObject, Value: "AAAAAAAAAAA="},
		Headers:  Headers{ContentType: "binary/octet-stream"}, Encryption: Encryption{Algorithm: "AES256", WrappedKey: make([]byte, 61)}}
	for i := 0; i < million; {
		err := s.cfg.Engine.Update(b.Context(), func(tx kv.Txn) error {
			for end := min(i+batchOps, million); i < end; i++ {
				pos := position{order: uint64(i + 1)}
				tx.Put(headKey("b", fmt.Sprintf("dir%04d/key%07d", i/1000, i)), appendVersion(newHead(0, 0, 320), &v, pos, partSet{}))
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkListMillion lists pages of 1,000 of a million keys: from the beginning and the
// middle, rolled up into a thousand prefixes, and with all versions.
func BenchmarkListMillion(b *testing.B) {
	s := openBench(b, false)
	benchBucket(b, s, nil)
	fillMillion(b, s)
	pages := []struct {
		name string
		q    ListQuery
	}{
		{"flat", ListQuery{}},
		{"flat/middle", ListQuery{After: "dir0500/key0500499"}},
		{"delimiter", ListQuery{Delimiter: "/"}},
		{"prefix+delimiter", ListQuery{Prefix: "dir0700/", Delimiter: "/"}},
	}
	for _, p := range pages {
		p.q.Bucket, p.q.Max = "b", 1000
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				page, err := s.List(b.Context(), p.q)
				if err != nil || len(page.Versions)+len(page.Prefixes) != 1000 {
					b.Fatalf("%+v, %v", page, err)
				}
			}
		})
		b.Run("versions/"+p.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				page, err := s.ListVersions(b.Context(), p.q)
				if err != nil || len(page.Versions)+len(page.Prefixes) != 1000 {
					b.Fatalf("%+v, %v", page, err)
				}
			}
		})
	}
}

// BenchmarkComplete puts 10,000 small parts together. Uploading them is not measured.
func BenchmarkComplete(b *testing.B) {
	s := openBench(b, false)
	benchBucket(b, s, nil)
	dk, wrapped, err := s.NewDataKey()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for n := range b.N {
		b.StopTimer()
		u, err := s.CreateUpload(b.Context(), Upload{Version: Version{Bucket: "b", Key: fmt.Sprint("k", n), Owner: account, Multipart: true,
			Encryption: Encryption{Algorithm: "AES256", WrappedKey: wrapped}}})
		if err != nil {
			b.Fatal(err)
		}
		v := u.Version
		for i := range MaxPartNumber {
			d, err := s.sealInline(dk, []byte("part"))
			if err != nil {
				b.Fatal(err)
			}
			p := Part{Number: i + 1, ETag: "0123456789abcdef0123456789abcdef", Data: d}
			if err := s.PutPart(b.Context(), u, StoredPart{Part: p}); err != nil {
				b.Fatal(err)
			}
			v.Parts = append(v.Parts, Part{Number: p.Number, ETag: p.ETag})
			v.Size += d.Size
		}
		b.StartTimer()
		if _, err := s.CompleteUpload(b.Context(), u, v, Condition{}); err != nil {
			b.Fatal(err)
		}
	}
}
