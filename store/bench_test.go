package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"twinbucket/internal/clock"
	"twinbucket/store/blob"
	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
)

// openBench opens a store as the server does, durable or in memory.
func openBench(b *testing.B, durable bool) *Store {
	b.Helper()
	var engine *boltkv.Engine
	var blobs *blob.Dir
	var err error
	if durable {
		dir := b.TempDir()
		if engine, err = boltkv.Open(dir, boltkv.Options{}); err == nil {
			blobs, err = blob.OpenDir(blob.OS(dir+"/blobs"), blob.DirOptions{})
		}
	} else if engine, err = boltkv.OpenMemory(); err == nil {
		blobs, err = blob.OpenMemory()
	}
	if err != nil {
		b.Fatal(err)
	}
	var e kv.Engine = engine
	s := New(Config{Engine: e, Blobs: blobs, Clock: new(clock.Domain), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := engine.Close(); err != nil {
			b.Error(err)
		}
		if err := blobs.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func benchBucket(b *testing.B, s *Store, c *ReplicationConfiguration) {
	b.Helper()
	if err := s.CreateBucket(b.Context(), Bucket{Name: "b", Account: account, Versioning: VersioningEnabled, Replication: c}); err != nil {
		b.Fatal(err)
	}
}

// benchPut is what a PUT costs below the API: a data key, sealing, one transaction.
func benchPut(ctx context.Context, s *Store, key string, body []byte) (*Version, error) {
	dk, wrapped, err := s.NewDataKey()
	if err != nil {
		return nil, err
	}
	d, err := s.WriteData(ctx, dk, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return s.PutVersion(ctx, Version{
		Bucket: "b", Key: key, Size: int64(len(body)), ETag: "0123456789abcdef0123456789abcdef", Owner: account,
		Headers: Headers{ContentType: "application/octet-stream"}, Encryption: Encryption{Algorithm: "AES256", WrappedKey: wrapped},
		Parts: []Part{{ETag: "0123456789abcdef0123456789abcdef", Data: d}},
	}, Condition{})
}

func BenchmarkPut(b *testing.B) {
	for _, durable := range []bool{false, true} {
		for _, size := range []int{4 << 10, 32 << 10, 64 << 10, 65 << 10} {
			for _, clients := range []int{1, 32} {
				b.Run(fmt.Sprintf("durable=%v/size=%d/clients=%d", durable, size, clients), func(b *testing.B) {
					s := openBench(b, durable)
					benchBucket(b, s, nil)
					body := make([]byte, size)
					b.SetBytes(int64(size))
					b.ReportAllocs()
					next := make(chan int, 1024)
					done := make(chan error, clients)
					b.ResetTimer()
					for range clients {
						go func() {
							var failed error
							for i := range next {
								if _, err := benchPut(b.Context(), s, fmt.Sprintf("key/%08d", i%100_000), body); err != nil {
									failed = err
								}
							}
							done <- failed
						}()
					}
					for i := range b.N {
						next <- i
					}
					close(next)
					for range clients {
						if err := <-done; err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s := openBench(b, false)
	benchBucket(b, s, nil)
	for i := range 10_000 {
		if _, err := benchPut(b.Context(), s, fmt.Sprintf("key/%08d", i), make([]byte, 4<<10)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("Version", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := s.Version(b.Context(), "b", fmt.Sprintf("key/%08d", i%10_000), ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("VersionAndRead", func(b *testing.B) {
		b.SetBytes(4 << 10)
		b.ReportAllocs()
		for i := range b.N {
			v, err := s.Version(b.Context(), "b", fmt.Sprintf("key/%08d", i%10_000), "")
			if err != nil {
				b.Fatal(err)
			}
			dk, err := s.UnwrapDataKey(v.Encryption.WrappedKey)
			if err != nil {
				b.Fatal(err)
			}
			r, err := s.OpenParts(b.Context(), dk, v.Parts, 0, -1)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := r.(io.WriterTo).WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
			r.Close()
		}
	})
	b.Run("Bucket", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := s.Bucket(b.Context(), "b"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkList(b *testing.B) {
	s := openBench(b, false)
	benchBucket(b, s, nil)
	for i := range 100_000 {
		if _, err := s.PutVersion(b.Context(), Version{Bucket: "b", Key: fmt.Sprintf("dir%03d/key%08d", i%100, i), ETag: "0123456789abcdef0123456789abcdef", Owner: account}, Condition{}); err != nil {
			b.Fatal(err)
		}
	}
	for _, q := range []ListQuery{{}, {Delimiter: "/"}, {After: "dir050/"}} {
		b.Run(fmt.Sprintf("after=%q,delimiter=%q", q.After, q.Delimiter), func(b *testing.B) {
			q.Bucket, q.Max = "b", 1000
			b.ReportAllocs()
			for range b.N {
				page, err := s.List(b.Context(), q)
				if err != nil || len(page.Versions)+len(page.Prefixes) < 100 {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("versions", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := s.ListVersions(b.Context(), ListQuery{Bucket: "b", Max: 1000}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkQueue is the queue's share of replicating one object: its task is made,
// claimed and settled with a trace.
func BenchmarkQueue(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(fmt.Sprintf("durable=%v", durable), func(b *testing.B) {
			s := openBench(b, durable)
			benchBucket(b, s, replication(rule("r", "", "d", 1)))
			b.ReportAllocs()
			trace := make([]byte, 4<<10)
			for done := 0; done < b.N; {
				b.StopTimer()
				for i := range 200 {
					if _, err := s.PutVersion(b.Context(), Version{Bucket: "b", Key: fmt.Sprint("key", done+i), Owner: account}, Condition{}); err != nil {
						b.Fatal(err)
					}
					if durable && i == 20 {
						break
					}
				}
				b.StartTimer()
				tasks, _, err := s.Claim(b.Context(), 200, time.Minute)
				if err != nil {
					b.Fatal(err)
				}
				var ends []Ended
				for _, t := range tasks {
					ends = append(ends, Ended{t, Result{Status: Completed, Trace: trace}})
				}
				if err := s.SettleAll(b.Context(), ends); err != nil {
					b.Fatal(err)
				}
				done += len(tasks)
			}
		})
	}
}

func BenchmarkSelect(b *testing.B) {
	c := replication(rule("r1", "Tax", "d1", 1), rule("r2", "Other", "d2", 2))
	v := Version{Key: "Tax/1"}
	b.ReportAllocs()
	for range b.N {
		if m := c.Select(&v); !m[0].Selected {
			b.Fatal("not selected")
		}
	}
}
