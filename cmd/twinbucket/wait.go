package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"twinbucket/server"
)

// wait blocks until nothing is waiting for replication, with a line of progress on
// a terminal. It fails when the timeout runs out first.
func (c *cli) wait(ctx context.Context, args []string) error {
	fs := c.flags("wait", "")
	op := c.operatorFlags(fs)
	bucket := fs.String("bucket", "", "only this source bucket")
	timeout := fs.Duration("timeout", 30*time.Second, "give up after this long")
	if _, err := c.parse(fs, args, 0); err != nil {
		return err
	}
	slice := *timeout
	progress := c.progress()
	if progress {
		slice = 500 * time.Millisecond
	}
	deadline, start := time.Now().Add(*timeout), time.Now()
	var first *server.ReplicationState
	for {
		q := url.Values{"timeout": {min(slice, max(time.Until(deadline), 0)).String()}}
		if *bucket != "" {
			q.Set("bucket", *bucket)
		}
		var st server.ReplicationState
		err := op.call(ctx, "POST", "replication/wait", q, nil, &st)
		if err == nil {
			if progress && first != nil {
				fmt.Fprint(c.stderr, "\r\033[K")
			}
			fmt.Fprintf(c.stdout, "idle: %s\n", totals(&st))
			return nil
		}
		var se *statusError
		if !errors.As(err, &se) || se.status != http.StatusRequestTimeout {
			return err
		}
		if err := json.Unmarshal(se.body, &st); err != nil {
			return err
		}
		if first == nil {
			first = &st
		}
		if !time.Now().Before(deadline) {
			return waitFailed(&st)
		}
		fmt.Fprint(c.stderr, "\r\033[K", bar(first.Pending, &st, time.Since(start)))
	}
}

// progress reports whether stderr shows a person something.
func (c *cli) progress() bool {
	f, ok := c.stderr.(*os.File)
	return ok && isTerminal(f)
}

// bar is the line of progress.
func bar(total int, st *server.ReplicationState, took time.Duration) string {
	total = max(total, st.Pending)
	done := total - st.Pending
	const width = 20
	filled := 0
	if total > 0 {
		filled = done * width / total
	}
	line := fmt.Sprintf("replicating  %s%s  %d / %d", strings.Repeat("█", filled), strings.Repeat("░", width-filled), done, total)
	if rate := float64(done) / took.Seconds(); rate > 0 {
		line += fmt.Sprintf("   %.0f obj/s   about %.0f s left", rate, float64(st.Pending)/rate)
	}
	if st.Paused {
		line += "   the workers are held"
	}
	return line
}

func totals(st *server.ReplicationState) string {
	var done, failed uint64
	for _, r := range st.Rules {
		done, failed = done+r.Completed, failed+r.Failed
	}
	return fmt.Sprintf("%d completed, %d failed since the start", done, failed)
}

// waitFailed says what is left and why.
func waitFailed(st *server.ReplicationState) error {
	err := fmt.Errorf("%d versions still wait for replication", st.Pending)
	switch {
	case st.Paused:
		return hint(err, "the workers are held: twinbucket replication resume")
	case len(st.Next) > 0 && st.Next[0].LastError != "":
		n := st.Next[0]
		return hint(err, "s3://%s/%s: %s (next try %s); twinbucket explain s3://%s/%s", n.Bucket, n.Key, n.LastError, n.Due.Format("15:04:05"), n.Bucket, n.Key)
	}
	return hint(err, "give it longer with --timeout; twinbucket status shows the queue")
}
