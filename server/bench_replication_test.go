package server

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"twinbucket/store"
)

// benchWorld is a world whose rule takes everything; the benchmarks speak to its server by
// requests that are signed once.
func benchWorld(b *testing.B, cfg Config) *world {
	b.Helper()
	w := newWorld(b, openRig(b, cfg), "")
	w.replicate(w.kmsRule())
	w.cfg.Credentials = root(accountA)
	return w
}

// fill writes n objects of size bytes while the workers are held.
func (w *world) fill(b *testing.B, n, size int, kms bool) {
	b.Helper()
	w.replicator.Pause()
	put := w.putter(b, size, kms)
	for range n {
		w.ok(put())
	}
}

// putter sends one PUT again and again.
func (w *world) putter(b *testing.B, size int, kms bool) func() error {
	b.Helper()
	url := w.URL() + "/" + w.src + "/key"
	body := bytes.Repeat([]byte("twinbucket "), size/11+1)[:size]
	var sse map[string]string
	if kms {
		sse = map[string]string{"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": w.srcKey}
	}
	header := w.signedHeader(b, "PUT", url, body, sse)
	return func() error { return send(w.http, "PUT", url, header, body) }
}

// BenchmarkReplicate measures from the release of held workers to an empty queue.
func BenchmarkReplicate(b *testing.B) {
	for _, kept := range []string{"memory", "data"} {
		for _, encryption := range []string{"SSE-S3", "SSE-KMS"} {
			for _, size := range []struct {
				name  string
				bytes int
			}{{"4KiB", 4 << 10}, {"1MiB", 1 << 20}, {"64MiB", 64 << 20}} {
				for _, workers := range []int{1, 8, 32} {
					b.Run(fmt.Sprintf("%s/%s/%s/workers=%d", kept, encryption, size.name, workers), func(b *testing.B) {
						cfg := Config{Workers: workers}
						if kept == "data" {
							cfg.Data = b.TempDir()
						}
						w := benchWorld(b, cfg)
						w.fill(b, b.N, size.bytes, encryption == "SSE-KMS")
						b.ReportAllocs()
						b.SetBytes(int64(size.bytes))
						before := cpu(b)
						b.ResetTimer()
						w.replicator.Resume()
						if err := w.replicator.Wait(b.Context(), ""); err != nil {
							b.Fatal(err)
						}
						b.StopTimer()
						b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
						b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
						w.allCompleted(b, b.N)
					})
				}
			}
		}
	}
}

func (w *world) allCompleted(b *testing.B, n int) {
	b.Helper()
	var completed, failed uint64
	for _, st := range w.store.Queue().ByRule {
		completed, failed = completed+st.Completed, failed+st.Failed
	}
	if completed != uint64(n) || failed != 0 {
		b.Fatalf("%d completed and %d failed of %d", completed, failed, n)
	}
}

// BenchmarkReplicationLag puts 4 KiB objects at a steady rate, below what the machine can
// do, and reports how long after the commit their replicas were settled.
func BenchmarkReplicationLag(b *testing.B) {
	for _, rate := range []int{100, 500} {
		for _, encryption := range []string{"SSE-S3", "SSE-KMS"} {
			b.Run(fmt.Sprintf("%s/%d-per-s", encryption, rate), func(b *testing.B) {
				w := benchWorld(b, Config{})
				put := w.putter(b, 4<<10, encryption == "SSE-KMS")
				tick := time.NewTicker(time.Second / time.Duration(rate))
				defer tick.Stop()
				for range b.N {
					<-tick.C
					w.ok(put())
				}
				w.settle()
				b.StopTimer()
				var lags []time.Duration
				page, err := w.store.ListVersions(b.Context(), store.ListQuery{Bucket: w.src, Max: b.N + 1})
				if err != nil {
					b.Fatal(err)
				}
				for _, v := range page.Versions {
					full, err := w.store.Version(b.Context(), w.src, v.Key, v.ID)
					if err != nil {
						b.Fatal(err)
					}
					lags = append(lags, full.Destinations[0].Updated.Sub(time.Unix(0, int64(full.Order)))) // Order is the time of the write
				}
				slices.Sort(lags)
				b.ReportMetric(float64(lags[len(lags)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}

// BenchmarkBacklog is the cost of the queue by its length: claiming and settling a batch of
// 16 tasks, the memory that each waiting task takes, and the time to count them at start.
func BenchmarkBacklog(b *testing.B) {
	for _, tasks := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(tasks), func(b *testing.B) {
			w := benchWorld(b, Config{})
			w.replicator.Pause()
			before := heap()
			w.queueUp(b, tasks)
			memory := float64(heap()-before) / float64(tasks)
			queue := store.Want{Queue: store.RuleKey{Bucket: w.src, RuleID: "r", Destination: w.dst}, Max: 16}
			done := 0
			for b.Loop() {
				if done+queue.Max > tasks/2 { // keep it about as long as it was
					b.StopTimer()
					w.queueUp(b, done)
					done = 0
					b.StartTimer()
				}
				claimed, _, err := w.store.ClaimFrom(b.Context(), []store.Want{queue}, time.Minute)
				if err != nil || len(claimed) != queue.Max {
					b.Fatal(len(claimed), err)
				}
				ends := make([]store.Ended, len(claimed))
				for i, t := range claimed {
					ends[i] = store.Ended{Task: t, Result: store.Result{Status: store.Completed, Trace: []byte("{}")}}
				}
				if err := w.store.SettleAll(b.Context(), ends); err != nil {
					b.Fatal(err)
				}
				done += queue.Max
			}
			again := store.New(store.Config{Engine: w.engine, Blobs: w.blobs, Clock: w.clock, Logger: w.Server.cfg.Logger, RootKey: w.Server.root})
			start := time.Now()
			if err := again.Open(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(start).Seconds()*1000, "open-ms")
			b.ReportMetric(memory, "heap-B/task")
			b.ReportMetric(float64(again.Pending()), "tasks")
		})
	}
}

// queueUp commits n versions with one task each through the store, many at a time.
func (w *world) queueUp(b *testing.B, n int) {
	b.Helper()
	const writers = 64
	errs := make(chan error, writers)
	for c := range writers {
		go func() { // ends with its share
			var err error
			for i := c; i < n && err == nil; i += writers {
				_, err = w.store.PutVersion(context.Background(), store.Version{Bucket: w.src, Key: fmt.Sprintf("k%07d", i), Owner: accountA, ETag: "x",
					Encryption: store.Encryption{Algorithm: "AES256"}}, store.Condition{})
			}
			errs <- err
		}()
	}
	for range writers {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkRules is the cost of one more rule: a PUT that one of n rules selects, the last.
func BenchmarkRules(b *testing.B) {
	for _, n := range []int{1, 2, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := benchWorld(b, Config{})
			var rules []types.ReplicationRule
			for i := range n {
				rules = append(rules, w.plainRule(func(r *types.ReplicationRule) {
					r.ID, r.Priority, r.Filter.Prefix = aws.String(fmt.Sprint("r", i)), aws.Int32(int32(i)), aws.String(fmt.Sprintf("%d/", i))
					if i == n-1 {
						r.Filter.Prefix = aws.String("")
					}
				}))
			}
			w.replicate(rules...)
			w.replicator.Pause()
			put := w.putter(b, 0, false)
			load(b, 1, 0, func(int) error { return put() })
		})
	}
}

// BenchmarkDestinations is the cost of one more destination, from the PUT to the last replica.
func BenchmarkDestinations(b *testing.B) {
	for _, n := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := benchWorld(b, Config{})
			var rules []types.ReplicationRule
			for i := range n {
				name := fmt.Sprint("more", i)
				w.makeBucket(accountA, name, regionA)
				w.setRolePolicy(name, allow("s3:ReplicateObject", "arn:aws:s3:::"+name+"/*"))
				rules = append(rules, w.plainRule(func(r *types.ReplicationRule) {
					r.ID, r.Priority, r.Destination.Bucket = &name, aws.Int32(int32(i)), aws.String("arn:aws:s3:::"+name)
				}))
			}
			w.replicate(rules...)
			put := w.putter(b, 4<<10, false)
			load(b, 1, 4<<10, func(int) error { return put() })
			w.settle()
			b.ReportMetric(float64(b.N*n), "replicas")
			w.allCompleted(b, b.N*n)
		})
	}
}
