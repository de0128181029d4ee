package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"twinbucket/internal/trail"
)

// health is the readiness answer: the port is open only when everything is.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"services": map[string]string{"s3": "running", "kms": "running", "iam": "running", "sts": "running", "replication": s.replicationHealth()},
		"version":  s.cfg.Version,
		"edition":  "twinbucket",
	})
}

func (s *Server) replicationHealth() string {
	if s.replicator.Paused() {
		return "paused"
	}
	return "running"
}

// initStatus answers LocalStack's readiness poll: there are no scripts still to run.
func (s *Server) initStatus(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"completed": map[string]bool{"BOOT": true, "START": true, "READY": true, "SHUTDOWN": false},
		"scripts":   []string{},
	})
}

// reset empties the state and keeps the process.
func (s *Server) reset(w http.ResponseWriter, r *http.Request) {
	account := r.URL.Query().Get("account")
	if err := s.Reset(r.Context(), account); err != nil {
		s.internalError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"reset": orAll(account)})
}

func orAll(account string) string {
	if account == "" {
		return "all accounts"
	}
	return account
}

// internalError answers 500 without the cause, which goes to the log.
func (s *Server) internalError(w http.ResponseWriter, r *http.Request, err error) {
	s.cfg.Logger.Error("operator call failed", "method", r.Method, "path", r.URL.Path, "err", err)
	writeError(w, http.StatusInternalServerError, "InternalError", "the call failed; the server's log has the cause")
}

// check walks the whole store: 200 when every record and file agrees, 500 with what
// does not. It is exact only while nothing is written.
func (s *Server) check(w http.ResponseWriter, r *http.Request) {
	status, problems := http.StatusOK, []string{}
	for _, err := range s.Check(r.Context()) {
		status, problems = http.StatusInternalServerError, append(problems, err.Error())
	}
	writeJSON(w, status, map[string][]string{"problems": problems})
}

type clockState struct {
	Now    time.Time `json:"now"`
	Offset string    `json:"offset"`
}

func (s *Server) getClock(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, clockState{s.clock.Now(), s.clock.Offset().String()})
}

func (s *Server) advanceClock(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Advance string `json:"advance"`
	}
	if err := decodeJSON(w, r, &in); err != nil {
		writeError(w, http.StatusBadRequest, "BadRequest", err.Error()+`; send {"advance":"15m"}`)
		return
	}
	by, err := time.ParseDuration(in.Advance)
	if err != nil || by < 0 {
		writeError(w, http.StatusBadRequest, "BadRequest", `advance must be a duration such as "15m" or "168h", and not negative: domain time never runs backwards`)
		return
	}
	s.clock.Advance(by)
	// What lifecycle rules are due to do is done when the call returns.
	if err := s.lifecycle.Run(r.Context()); err != nil {
		s.internalError(w, r, err)
		return
	}
	s.getClock(w, r)
}

// getTrail lists calls, oldest first. Filters: service (s3, kms, …), name, account, error, limit.
func (s *Server) getTrail(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit := 1000
	if l := q.Get("limit"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 {
			writeError(w, http.StatusBadRequest, "BadRequest", "limit must be a number of 1 or more")
			return
		}
		limit = n
	}
	events := s.trail.Events(limit, func(e *trail.Event) bool {
		return (q.Get("service") == "" || strings.HasPrefix(e.EventSource, q.Get("service")+".")) &&
			(q.Get("name") == "" || e.EventName == q.Get("name")) &&
			(q.Get("account") == "" || e.UserIdentity.AccountID == q.Get("account")) &&
			(q.Get("error") == "" || e.ErrorCode == q.Get("error"))
	})
	if events == nil {
		events = []trail.Event{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"Records": events, "total": s.trail.Total()})
}
