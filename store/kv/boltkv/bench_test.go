package boltkv

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"twinbucket/store/kv"
)

// engines are the two forms, by name.
func engines(tb testing.TB) map[string]*Engine {
	tb.Helper()
	durable, err := Open(tb.TempDir(), Options{})
	if err != nil {
		tb.Fatal(err)
	}
	memory, err := OpenMemory()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := durable.Close(); err != nil {
			tb.Error(err)
		}
		if err := memory.Close(); err != nil {
			tb.Error(err)
		}
	})
	return map[string]*Engine{"durable": durable, "memory": memory}
}

// BenchmarkUpdate writes three records of 200 bytes under a scattered key and reads two, about
// what recording a small object takes.
func BenchmarkUpdate(b *testing.B) {
	for name, e := range engines(b) {
		for _, workers := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/workers=%d", name, workers), func(b *testing.B) {
				b.ReportAllocs()
				var n atomic.Uint64
				before := e.Stats()
				if workers == 1 {
					for b.Loop() {
						benchUpdate(b, e, n.Add(1))
					}
				} else {
					b.SetParallelism(max(1, workers/runtime.GOMAXPROCS(0)))
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							benchUpdate(b, e, n.Add(1))
						}
					})
				}
				after := e.Stats()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
				b.ReportMetric(float64(after.Updates-before.Updates)/float64(after.Commits-before.Commits), "updates/commit")
			})
		}
	}
}

func benchUpdate(b *testing.B, e *Engine, n uint64) {
	value := make([]byte, 200)
	err := e.Update(b.Context(), func(tx kv.Txn) error {
		for i := range byte(3) {
			key := binary.BigEndian.AppendUint64([]byte{'k', i}, n*0x9e3779b97f4a7c15)
			if i < 2 {
				if _, err := tx.Get(key); err != nil && err != kv.ErrNotFound {
					return err
				}
			}
			tx.Put(key, value)
		}
		return nil
	})
	if err != nil {
		b.Error(err)
	}
}

func BenchmarkViewGet(b *testing.B) {
	e := engines(b)["memory"]
	const count = 100_000
	key := func(n int) []byte { return fmt.Appendf(nil, "bucket/object-%06d", n) }
	for n := 0; n < count; n += 50 {
		err := e.Update(b.Context(), func(tx kv.Txn) error {
			for i := n; i < n+50; i++ {
				tx.Put(key(i), make([]byte, 300))
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("Get", func(b *testing.B) {
		b.ReportAllocs()
		k := key(77_777)
		for b.Loop() {
			err := e.View(b.Context(), func(r kv.Reader) error {
				_, err := r.Get(k)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Scan1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			left := 1000
			err := e.View(b.Context(), func(r kv.Reader) error {
				return r.Scan(key(500), nil, func(k, v []byte) (bool, error) {
					left--
					return left > 0, nil
				})
			})
			if err != nil || left != 0 {
				b.Fatal(err, left)
			}
		}
	})
}
