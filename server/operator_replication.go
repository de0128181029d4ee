package server

import (
	"context"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// ReplicationState is the answer of GET replication, and of a wait that ran out.
type ReplicationState struct {
	Paused  bool          `json:"paused"`
	Pending int           `json:"pending"`
	Bytes   int64         `json:"pendingBytes"`
	Oldest  time.Time     `json:"oldest,omitzero"`
	Rules   []RuleState   `json:"rules"`
	Next    []PendingTask `json:"next"`
}

// RuleState counts one rule's versions since the start.
type RuleState struct {
	Bucket       string    `json:"bucket"`
	RuleID       string    `json:"ruleId"`
	Destination  string    `json:"destination"`
	Pending      int       `json:"pending"`
	PendingBytes int64     `json:"pendingBytes"`
	Oldest       time.Time `json:"oldest,omitzero"` // of the pending ones
	Completed    uint64    `json:"completed"`
	Failed       uint64    `json:"failed"`
}

// PendingTask is one version that waits.
type PendingTask struct {
	Bucket      string    `json:"bucket"`
	Key         string    `json:"key"`
	VersionID   string    `json:"versionId"`
	Destination string    `json:"destination"`
	Attempts    int       `json:"attempts"`
	Due         time.Time `json:"due"`
	LastError   string    `json:"lastError,omitempty"`
}

// shownTasks is how many waiting versions a state lists.
const shownTasks = 20

func (s *Server) state(ctx context.Context, bucket string) (*ReplicationState, error) {
	q := s.store.Queue()
	out := &ReplicationState{Paused: s.replicator.Paused(), Oldest: q.Oldest, Rules: []RuleState{}, Next: []PendingTask{}}
	for k, v := range q.ByRule {
		if bucket != "" && k.Bucket != bucket {
			continue
		}
		out.Pending += v.Pending
		out.Bytes += v.PendingBytes
		out.Rules = append(out.Rules, RuleState{k.Bucket, k.RuleID, k.Destination, v.Pending, v.PendingBytes, v.Oldest, v.Completed, v.Failed})
	}
	sort.Slice(out.Rules, func(i, j int) bool {
		a, b := out.Rules[i], out.Rules[j]
		return a.Bucket+"\x00"+a.RuleID+"\x00"+a.Destination < b.Bucket+"\x00"+b.RuleID+"\x00"+b.Destination
	})
	tasks, err := s.store.PendingTasks(ctx, bucket, shownTasks)
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		out.Next = append(out.Next, PendingTask{t.Bucket, t.Key, t.VersionID, t.Rule.Destination.Bucket, t.Attempt, t.Due, t.LastError})
	}
	return out, nil
}

func (s *Server) replicationState(w http.ResponseWriter, r *http.Request) {
	s.writeState(w, r, http.StatusOK)
}

func (s *Server) writeState(w http.ResponseWriter, r *http.Request, status int) {
	st, err := s.state(r.Context(), r.URL.Query().Get("bucket"))
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	writeJSON(w, status, st)
}

func (s *Server) replicationExplain(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("bucket") == "" || q.Get("key") == "" {
		writeError(w, http.StatusBadRequest, "BadRequest", "explain needs bucket and key, and takes versionId")
		return
	}
	e, err := s.replicator.Explain(r.Context(), q.Get("bucket"), q.Get("key"), q.Get("versionId"))
	if f := failure.Of(err); f != nil {
		writeError(w, http.StatusNotFound, string(f.Code), f.Message)
		return
	}
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, e)
}

const (
	defaultWait = 30 * time.Second
	maxWait     = 10 * time.Minute
)

// replicationWait answers 200 when nothing is pending, 408 with what is left after the timeout.
func (s *Server) replicationWait(w http.ResponseWriter, r *http.Request) {
	timeout := defaultWait
	if t := r.URL.Query().Get("timeout"); t != "" {
		d, err := parseWait(t)
		if err != nil {
			writeError(w, http.StatusBadRequest, "BadRequest", err.Error())
			return
		}
		timeout = d
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	if err := s.replicator.Wait(ctx, r.URL.Query().Get("bucket")); err != nil {
		s.writeState(w, r, http.StatusRequestTimeout)
		return
	}
	s.writeState(w, r, http.StatusOK)
}

// parseWait reads "30s", or plain seconds as other emulators take them.
func parseWait(t string) (time.Duration, error) {
	d, err := time.ParseDuration(t)
	if n, nerr := strconv.Atoi(t); nerr == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 || d > maxWait {
		return 0, fmt.Errorf("timeout must be a duration from 0s to %s, such as 30s", maxWait)
	}
	return d, nil
}

func (s *Server) replicationPause(w http.ResponseWriter, r *http.Request) {
	s.replicator.Pause()
	s.writeState(w, r, http.StatusOK)
}

func (s *Server) replicationResume(w http.ResponseWriter, r *http.Request) {
	s.replicator.Resume()
	s.writeState(w, r, http.StatusOK)
}

// replicationStep runs n due tasks (default 1) while the workers are held.
func (s *Server) replicationStep(w http.ResponseWriter, r *http.Request) {
	n := 1
	if v := r.URL.Query().Get("n"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 {
			writeError(w, http.StatusBadRequest, "BadRequest", "n must be a number of 1 or more")
			return
		}
	}
	if !s.replicator.Paused() {
		writeError(w, http.StatusConflict, "NotPaused", "the workers are running; pause them first: POST /_twinbucket/replication/pause")
		return
	}
	done, err := s.replicator.Step(r.Context(), n)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"ran": done})
}

// replicationRetry puts FAILED versions back: ?bucket&key&versionId narrow it.
func (s *Server) replicationRetry(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if st := q.Get("status"); st != "" && st != string(store.Failed) {
		writeError(w, http.StatusBadRequest, "BadRequest", "only status=FAILED can be retried: PENDING versions are retried by themselves")
		return
	}
	n, err := s.replicator.Retry(r.Context(), q.Get("bucket"), q.Get("key"), q.Get("versionId"))
	if f := failure.Of(err); f != nil {
		writeError(w, http.StatusNotFound, string(f.Code), f.Message)
		return
	}
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"retried": n})
}
