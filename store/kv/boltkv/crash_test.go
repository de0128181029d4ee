package boltkv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"twinbucket/store/kv"
)

// crashDirEnv makes the test binary the process that TestCrash kills.
const crashDirEnv = "BOLTKV_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirEnv); dir != "" {
		writeUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

const crashWorkers = 8

// writeUntilKilled writes three records per transaction from several goroutines and prints the
// key of each transaction once Update returned.
func writeUntilKilled(dir string) {
	e, err := Open(dir, Options{Owner: "about to be killed"})
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for w := range crashWorkers {
		wg.Go(func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("%d/%d/%06d", os.Getpid(), w, n)
				err := e.Update(context.Background(), func(tx kv.Txn) error {
					for part := range 3 {
						tx.Put(fmt.Appendf(nil, "%s/%d", key, part), make([]byte, 100+n%5000))
					}
					tx.Delete(fmt.Appendf(nil, "%d/%d/%06d/2", os.Getpid(), w, n-1))
					return nil
				})
				out.Lock()
				if err != nil {
					fmt.Println("error:", err)
				} else {
					fmt.Println(key)
				}
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestCrash kills a writing process again and again on one directory: what it acknowledged is
// there, no transaction is there in part, the file is sound, and the directory is free again.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 4 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), crashDirEnv+"="+dir)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		for n := 0; lines.Scan(); n++ {
			acknowledged[lines.Text()] = true
			if n == 100 {
				wantInUse(t, dir, cmd.Process.Pid)
			}
			if n == 300+50*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the process was not killed")
		}
		checkAcknowledged(t, dir, acknowledged)
		checkFile(t, filepath.Join(dir, FileName))
	}
	if len(acknowledged) < 1200 {
		t.Errorf("only %d acknowledged transactions", len(acknowledged))
	}
}

func wantInUse(t *testing.T, dir string, pid int) {
	t.Helper()
	_, err := Open(dir, Options{})
	var inUse *InUseError
	if want := fmt.Sprintf("process %d, about to be killed", pid); !errors.As(err, &inUse) || inUse.Owner != want {
		t.Errorf("Open beside a living process: got %v, want InUseError of %s", err, want)
	}
}

func checkAcknowledged(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	e, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = e.View(t.Context(), func(r kv.Reader) error {
		for key := range acknowledged {
			for part := range 2 { // the third is deleted by the next transaction
				if _, err := r.Get(fmt.Appendf(nil, "%s/%d", key, part)); err != nil {
					t.Errorf("acknowledged %s, part %d: %v", key, part, err)
				}
			}
		}
		parts := map[string]int{}
		err := r.Scan(nil, nil, func(k, _ []byte) (bool, error) {
			parts[string(k[:len(k)-2])] |= 1 << (k[len(k)-1] - '0')
			return true, nil
		})
		whole := 0
		for key, set := range parts {
			switch set {
			case 0b111:
				whole++
			case 0b011:
			default:
				t.Errorf("transaction %s is there in part: %03b", key, set)
			}
		}
		if whole%crashWorkers != 0 {
			t.Errorf("%d transactions have all parts, want one per goroutine and round", whole)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
