package store

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"twinbucket/internal/clock"
	"twinbucket/internal/rootkey"
	"twinbucket/store/blob"
	"twinbucket/store/kv/boltkv"
)

// crashDir makes the test binary the process that is killed: see crashChild.
const crashDir = "TWINBUCKET_STORE_CRASH_DIR"

// openDurable opens a store in dir.
func openDurable(dir string) (*Store, func() error, error) {
	engine, err := boltkv.Open(dir, boltkv.Options{})
	if err != nil {
		return nil, nil, err
	}
	blobs, err := blob.OpenDir(blob.OS(dir+"/blobs"), blob.DirOptions{})
	if err != nil {
		return nil, nil, err
	}
	s := New(Config{
		Engine: engine, Blobs: blobs, Clock: new(clock.Domain), InlineLimit: 2000, RootKey: rootkey.New([rootkey.Size]byte{1}),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err := s.Open(context.Background()); err != nil {
		return nil, nil, err
	}
	return s, engine.Close, nil
}

// crashBody is what a key should hold.
func crashBody(key string) []byte { return bytes.Repeat([]byte(key), 10+len(key)*len(key)*4) }

// crashChild writes until it is killed: objects inline and in blobs, multipart uploads,
// overwrites, removals and settled tasks. Each acknowledged write is a line on stdout.
func crashChild(dir string) {
	s, _, err := openDurable(dir)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	ctx := context.Background()
	if err := s.CreateBucket(ctx, Bucket{Name: "b", Account: account, Versioning: VersioningEnabled, Replication: replication(rule("r", "", "d", 1))}); err != nil &&
		!strings.HasPrefix(err.Error(), "BucketAlready") {
		fmt.Println("error", err)
		os.Exit(1)
	}
	out := make(chan string)
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				if err := crashWrite(ctx, s, w, i, out); err != nil {
					out <- "error " + err.Error()
				}
			}
		}()
	}
	for line := range out {
		fmt.Println(line)
	}
}

func crashWrite(ctx context.Context, s *Store, w, i int, out chan<- string) error {
	key := fmt.Sprintf("%d/%s%d/%d", w, strings.Repeat("x", i%20), os.Getpid(), i)
	dk, wrapped, err := s.NewDataKey()
	if err != nil {
		return err
	}
	body := crashBody(key)
	v := Version{Bucket: "b", Key: key, Size: int64(len(body)), ETag: "e", Encryption: Encryption{WrappedKey: wrapped}}
	if i%5 == 4 {
		u, err := s.CreateUpload(ctx, Upload{Version: v})
		if err != nil {
			return err
		}
		const n = 20
		for p := range n {
			d, err := s.WriteData(ctx, dk, bytes.NewReader(body[len(body)*p/n:len(body)*(p+1)/n]))
			if err != nil {
				return err
			}
			part := Part{Number: p + 1, ETag: "e", Data: d}
			if err := s.PutPart(ctx, u, StoredPart{Part: part}); err != nil {
				return err
			}
			v.Parts = append(v.Parts, part)
		}
		_, err = s.CompleteUpload(ctx, u, v, Condition{})
		if err != nil {
			return err
		}
	} else {
		d, err := s.WriteData(ctx, dk, bytes.NewReader(body))
		if err != nil {
			return err
		}
		v.Parts = []Part{{ETag: "e", Data: d}}
		stored, err := s.PutVersion(ctx, v, Condition{})
		if err != nil {
			return err
		}
		if i%7 == 6 {
			if _, err := s.Delete(ctx, "b", key, stored.ID, account, Condition{}); err != nil {
				return err
			}
			out <- "deleted " + key
			return nil
		}
	}
	out <- "put " + key
	if i%3 == 0 {
		tasks, _, err := s.Claim(ctx, 5, time.Minute)
		if err != nil {
			return err
		}
		for _, t := range tasks {
			if err := s.Settle(ctx, t, Result{Status: Completed, Trace: []byte("t")}); err != nil {
				return err
			}
			out <- "settled " + t.Key
		}
	}
	return nil
}

// Property: after kill -9 at any moment every acknowledged write is there and can be
// read, acknowledged removals and settlements stand, every invariant holds, and
// nothing that is not referred to takes up space.
func TestCrash(t *testing.T) {
	rounds, lines := 5, 120
	if testing.Short() {
		rounds = 1
	}
	dir := t.TempDir()
	state := map[string]string{} // key -> last acknowledged
	for round := range rounds {
		runCrashChild(t, dir, lines+round*17, state)
		s, closeEngine, err := openDurable(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range s.Check(t.Context()) {
			t.Errorf("round %d: %v", round, err)
		}
		for key, last := range state {
			checkCrashKey(t, s, key, last)
		}
		if err := closeEngine(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d keys acknowledged over %d crashes", len(state), rounds)
}

func runCrashChild(t *testing.T, dir string, lines int, state map[string]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	in := bufio.NewScanner(stdout)
	for n := 0; in.Scan(); n++ {
		if n == lines {
			once.Do(func() { _ = cmd.Process.Kill() })
		}
		what, key, _ := strings.Cut(in.Text(), " ")
		switch {
		case what == "error":
			t.Error(in.Text())
		case what == "settled" && state[key] == "deleted":
		default:
			state[key] = what
		}
	}
	_ = cmd.Process.Kill()
	if err := cmd.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
}

func checkCrashKey(t *testing.T, s *Store, key, last string) {
	t.Helper()
	v, err := s.Version(t.Context(), "b", key, "")
	if last == "deleted" {
		wantCode(t, err, "NoSuchKey")
		return
	}
	if err != nil {
		t.Errorf("%s %s: %v", last, key, err)
		return
	}
	if last == "settled" && v.ReplicationStatus() != Completed {
		t.Errorf("%s: settled and %s", key, v.ReplicationStatus())
	}
	dk, err := s.UnwrapDataKey(v.Encryption.WrappedKey)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.OpenParts(t.Context(), dk, v.Parts, 0, -1)
	if err != nil {
		t.Errorf("%s %s: %v", last, key, err)
		return
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, crashBody(key)) {
		t.Errorf("%s %s: %d bytes, %v", last, key, len(got), err)
	}
}
