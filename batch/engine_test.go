package batch

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// awaitBegun looks until the replication of a key was begun n times.
func (w *world) awaitBegun(id, key string, n int) {
	w.t.Helper()
	w.until(id, fmt.Sprintf("begun %s %d times", key, n), func(*batchjob.Job) bool { return w.begun(key) >= n })
}

func TestJobGoesOnAfterARestart(t *testing.T) {
	w := newWorld(t)
	const n = 3*chunkRows - 5
	w.have(n)
	id := w.create(spec("t"))
	last := func(chunk int) string { return fmt.Sprintf("k%05d", (chunk+1)*chunkRows-1) }
	w.awaitBegun(id, last(0), 1)
	for i := range chunkRows { // the first chunk ends
		w.end(fmt.Sprintf("k%05d", i), store.Completed)
	}
	w.awaitBegun(id, last(1), 1)
	w.end(fmt.Sprintf("k%05d", chunkRows), store.Completed) // of the second one a row
	if err := w.engine.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.auto = func(key string) (store.ReplicationStatus, string) {
		if key == last(1) {
			return store.Failed, "DstBucketNotFound"
		}
		return store.Completed, ""
	}
	w.mu.Unlock()
	w.open()
	j := w.untilStatus(id, batchjob.Complete)
	if p := j.Progress; p.Total != n || p.Succeeded != n-1 || p.Failed != 1 {
		t.Errorf("progress %+v", p)
	}
	if got := w.begun("k00000"); got != 1 {
		t.Errorf("the first chunk was begun %d times", got)
	}
	rows, failed := 0, 0
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, text := range w.objects {
		if strings.HasSuffix(name, ".csv") {
			rows += strings.Count(string(text), "\n")
			failed += strings.Count(string(text), "src,"+last(1)+",v,failed,DstBucketNotFound,404,")
		}
	}
	if rows != n || failed != 1 {
		t.Errorf("the report has %d rows of %d and %d failures", rows, n, failed)
	}
}

func TestMostlyFailingJobIsStopped(t *testing.T) {
	w := newWorld(t)
	w.have(20 * chunkRows)
	w.auto = func(key string) (store.ReplicationStatus, string) { return store.Failed, "DstBucketNotFound" }
	j := w.untilStatus(w.create(spec("t")), batchjob.Failed)
	if len(j.Failures) != 1 || j.Failures[0].Code != "FailureRateExceeded" || j.Progress.Failed != 8*chunkRows {
		t.Errorf("job %+v %+v", j.Failures, j.Progress)
	}
	// Below a thousand it goes on to the end.
	w = newWorld(t)
	w.have(900)
	w.auto = func(key string) (store.ReplicationStatus, string) { return store.Failed, "DstBucketNotFound" }
	if j := w.untilStatus(w.create(spec("t")), batchjob.Complete); j.Progress.Failed != 900 {
		t.Errorf("progress %+v", j.Progress)
	}
}

func TestCancelDoesNotWaitForAStuckVersion(t *testing.T) {
	w := newWorld(t)
	w.have(3)
	id := w.create(spec("t"))
	w.awaitBegun(id, "k00002", 1)
	w.end("k00001", store.Completed)
	w.until(id, "active", func(j *batchjob.Job) bool { return j.Status == batchjob.Active })
	// The signal of k00001 may still be on its way; a look at everything sees it too.
	w.clock.Advance(checkEvery)
	if _, err := w.engine.SetStatus(t.Context(), account, region, id, batchjob.Cancelled, "enough"); err != nil {
		t.Fatal(err)
	}
	j := w.untilStatus(id, batchjob.Cancelled)
	if p := j.Progress; p.Total != 3 || p.Succeeded > 1 || p.Failed != 0 || j.StatusReason != "enough" {
		t.Errorf("job %+v", j)
	}
}

func TestVersionRemovedWhileItWaits(t *testing.T) {
	w := newWorld(t)
	w.have(1)
	id := w.create(spec("t"))
	w.awaitBegun(id, "k00000", 1)
	w.mu.Lock()
	delete(w.versions, "k00000")
	w.mu.Unlock()
	j := w.until(id, "complete", func(j *batchjob.Job) bool {
		w.clock.Advance(checkEvery) // nobody tells the job: it looks by itself
		return j.Status == batchjob.Complete
	})
	if j.Progress.Failed != 1 {
		t.Errorf("progress %+v", j.Progress)
	}
}

func TestTroubleThatPassesIsWaitedOut(t *testing.T) {
	w := newWorld(t)
	w.have(1)
	w.auto = func(string) (store.ReplicationStatus, string) { return store.Completed, "" }
	left := 2
	w.refuse = func(r *http.Request) error {
		if left--; left >= 0 {
			return failure.New("SlowDown", "Please reduce your request rate.")
		}
		return nil
	}
	id := w.create(spec("t"))
	w.until(id, "complete", func(j *batchjob.Job) bool {
		w.clock.Advance(rest)
		return j.Status == batchjob.Complete
	})
}

func TestHigherPriorityGoesFirst(t *testing.T) {
	w := newWorld(t)
	w.have(1)
	if err := w.engine.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := map[int]string{}
	w.objects["/reports/list"] = []byte("src,k00000,v\n")
	for p := range 6 {
		s := spec(fmt.Sprint(p))
		s.Priority, s.Generator = p, nil
		s.Manifest = &batchjob.Manifest{Format: batchjob.FormatCSV, Fields: []string{"Bucket", "Key", "VersionId"}, Location: batchjob.Location{ObjectARN: "arn:aws:s3:::reports/list"}}
		ids[p] = w.create(s)
	}
	w.open() // with room for four
	for _, p := range []int{5, 4, 3, 2} {
		w.untilStatus(ids[p], batchjob.Active)
	}
	for _, p := range []int{1, 0} {
		if j, err := w.engine.Describe(t.Context(), account, region, ids[p]); err != nil || j.Status != batchjob.New {
			t.Errorf("job of priority %d: %v, %v", p, j, err)
		}
	}
	w.end("k00000", store.Completed)
	for _, id := range ids {
		w.until(id, "complete", func(j *batchjob.Job) bool {
			w.mu.Lock()
			pending := len(w.versions["k00000"].Destinations) > 0 && w.versions["k00000"].Destinations[0].Status == store.Pending
			w.mu.Unlock()
			if pending {
				w.end("k00000", store.Completed)
			}
			return j.Status == batchjob.Complete
		})
	}
}

func TestResetForgetsJobs(t *testing.T) {
	w := newWorld(t)
	w.have(1)
	id := w.create(spec("t"))
	w.awaitBegun(id, "k00000", 1)
	if err := w.engine.Reset(t.Context(), "999999999999"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Describe(t.Context(), account, region, id); err != nil {
		t.Errorf("reset of another account: %v", err)
	}
	if err := w.engine.Reset(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Describe(t.Context(), account, region, id); failure.CodeOf(err) != "NoSuchJob" {
		t.Errorf("after reset: %v", err)
	}
	if id2 := w.create(spec("t")); id2 == id {
		t.Error("the token of a forgotten job is remembered")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.engine.Close(ctx); err != nil {
		t.Error(err)
	}
}
