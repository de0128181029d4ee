package batch

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/batchjob"
	"twinbucket/internal/clock"
	"twinbucket/internal/failure"
	"twinbucket/store"
	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "111122223333"
	region  = "us-east-1"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// world is a store and S3 as far as jobs see them. Replication of a version ends when the
// test says so, or at once with auto.
type world struct {
	t      testing.TB
	kv     kv.Engine
	clock  *clock.Manual
	engine *Engine

	mu       sync.Mutex
	auto     func(key string) (store.ReplicationStatus, string) // nil: versions stay PENDING
	versions map[string]*store.Version
	started  map[string]int // by key
	objects  map[string][]byte
	refuse   func(r *http.Request) error
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db, err := boltkv.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, kv: db, clock: clock.NewManual(start), versions: map[string]*store.Version{}, started: map[string]int{}, objects: map[string][]byte{}}
	w.open()
	t.Cleanup(func() {
		_ = w.engine.Close(context.Background())
		_ = db.Close()
	})
	return w
}

// open starts an engine on the world's records, as a process does.
func (w *world) open() {
	w.t.Helper()
	w.engine = New(Config{Engine: w.kv, Versions: w, Objects: w, Roles: w, Clock: w.clock, Logger: slog.New(slog.DiscardHandler)})
	if err := w.engine.Open(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// have makes n versions with the keys k0, k1, ….
func (w *world) have(n int) {
	for i := range n {
		key := fmt.Sprintf("k%05d", i)
		w.versions[key] = &store.Version{Bucket: "src", Key: key, ID: "v", LastModified: start, Encryption: store.Encryption{Algorithm: "AES256"}}
	}
}

func (w *world) Bucket(_ context.Context, name string) (*store.Bucket, error) {
	if name != "src" && name != "reports" {
		return nil, failure.New("NoSuchBucket", "")
	}
	return &store.Bucket{Name: name, Account: account, Region: region}, nil
}

func (w *world) Version(_ context.Context, _, key, _ string) (*store.Version, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.versions[key]
	if v == nil {
		return nil, failure.New("NoSuchKey", "")
	}
	c := *v
	c.Destinations = append([]store.DestinationStatus(nil), v.Destinations...)
	return &c, nil
}

func (w *world) ListVersions(_ context.Context, q store.ListQuery) (*store.ListPage, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &store.ListPage{}
	for i := range len(w.versions) {
		key := fmt.Sprintf("k%05d", i)
		if key <= q.After {
			continue
		}
		if len(p.Versions) == q.Max {
			p.Truncated = true
			return p, nil
		}
		p.Versions, p.Next = append(p.Versions, w.versions[key]), key
	}
	return p, nil
}

func (w *world) StartReplication(_ context.Context, bucket, key, id, job string) ([]store.Task, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.versions[key]
	if v == nil {
		return nil, failure.New("SrcKeyNotFound", "gone")
	}
	w.started[key]++
	to := store.DestinationStatus{Bucket: "dst", Status: store.Pending}
	if w.auto != nil {
		to.Status, to.Reason = w.auto(key)
	}
	v.Destinations = []store.DestinationStatus{to}
	return []store.Task{{ID: key, Bucket: bucket, Key: key, VersionID: v.ID, Job: job, Rule: store.ReplicationRule{Destination: store.Destination{Bucket: "dst"}}}}, nil
}

// end ends the replication of a key and tells the engine.
func (w *world) end(key string, status store.ReplicationStatus) {
	w.mu.Lock()
	w.versions[key].Destinations[0].Status = status
	w.mu.Unlock()
	w.engine.Settled(store.Task{Bucket: "src", Key: key})
}

func (w *world) AssumeServiceRole(context.Context, iamsim.ServiceRole) (iamsim.Caller, error) {
	return iamsim.Caller{}, nil
}

func (w *world) AuthorizeInside(context.Context, iamsim.Caller, string, string, string, string, policy.Context) error {
	return nil
}

// Inside keeps and returns objects by their path.
func (w *world) Inside(_ context.Context, _ iamsim.Caller, _ string, r *http.Request) (http.Header, []byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		if err := w.refuse(r); err != nil {
			return nil, nil, err
		}
	}
	name := path.Clean(r.URL.Path)
	h := http.Header{"Etag": {`"e"`}}
	if r.Method == http.MethodPut {
		b := make([]byte, r.ContentLength)
		_, err := r.Body.Read(b)
		w.objects[name] = b
		return h, nil, err
	}
	text, ok := w.objects[name]
	if !ok {
		return nil, nil, failure.New("NoSuchKey", "The specified key does not exist.")
	}
	var from, to int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); err != nil {
		return nil, nil, err
	}
	if from >= len(text) {
		return nil, nil, failure.New("InvalidRange", "")
	}
	part := text[from:min(to+1, len(text))]
	h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+len(part)-1, len(text)))
	return h, part, nil
}

// spec is a job over everything in src.
func spec(token string) batchjob.Job {
	return batchjob.Job{
		Account: account, Region: region, Token: token, Priority: 1, RoleARN: "arn:aws:iam::111122223333:role/batch",
		Generator: &batchjob.Generator{SourceBucket: "arn:aws:s3:::src"},
		Report:    batchjob.Report{Enabled: true, Bucket: "arn:aws:s3:::reports", Scope: "AllTasks"},
	}
}

func (w *world) create(s batchjob.Job) string {
	w.t.Helper()
	id, err := w.engine.Create(context.Background(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// until looks until the job is as cond wants it; the job runs in other goroutines.
func (w *world) until(id, what string, cond func(*batchjob.Job) bool) *batchjob.Job {
	w.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		j, err := w.engine.Describe(context.Background(), account, region, id)
		if err != nil {
			w.t.Fatal(err)
		}
		if cond(j) {
			return j
		}
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("never %s: job is %s, %+v %+v", what, j.Status, j.Progress, j.Failures)
		}
	}
}

func (w *world) untilStatus(id string, s batchjob.Status) *batchjob.Job {
	w.t.Helper()
	return w.until(id, string(s), func(j *batchjob.Job) bool { return j.Status == s })
}

// begun reports how often the replication of a key was begun.
func (w *world) begun(key string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.started[key]
}
