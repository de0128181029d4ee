package server

import (
	"crypto/subtle"
	_ "embed"
	"net"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

//go:embed openapi.json
var openapi []byte

// newOperator builds the operator API: what it can do stands in openapi.json.
func (s *Server) newOperator() http.Handler {
	mux := http.NewServeMux()
	const p = "/_twinbucket/"
	mux.HandleFunc("GET "+p+"health", s.health)
	mux.Handle("GET "+p+"metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET "+p+"openapi.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openapi)
	})
	mux.HandleFunc("GET "+p+"check", s.check)
	mux.HandleFunc("POST "+p+"reset", s.reset)
	mux.HandleFunc("GET "+p+"replication", s.replicationState)
	mux.HandleFunc("GET "+p+"replication/explain", s.replicationExplain)
	mux.HandleFunc("GET "+p+"replication/preflight", s.replicationPreflight)
	mux.HandleFunc("POST "+p+"replication/wait", s.replicationWait)
	mux.HandleFunc("POST "+p+"replication/pause", s.replicationPause)
	mux.HandleFunc("POST "+p+"replication/resume", s.replicationResume)
	mux.HandleFunc("POST "+p+"replication/step", s.replicationStep)
	mux.HandleFunc("POST "+p+"replication/retry", s.replicationRetry)
	mux.HandleFunc("GET "+p+"quotas", s.getQuotas)
	mux.HandleFunc("PUT "+p+"quotas", s.putQuota)
	mux.HandleFunc("DELETE "+p+"quotas", s.deleteQuota)
	mux.HandleFunc("GET "+p+"clock", s.getClock)
	mux.HandleFunc("POST "+p+"clock", s.advanceClock)
	mux.HandleFunc("GET "+p+"trail", s.getTrail)
	mux.HandleFunc("GET "+p+"organization", s.getOrganization)
	mux.HandleFunc("PUT "+p+"organization", s.putOrganization)
	mux.HandleFunc("DELETE "+p+"organization", s.deleteOrganization)
	mux.HandleFunc("POST "+p+"policy/simulate", s.simulatePolicy)
	mux.HandleFunc("GET /_localstack/health", s.health)
	mux.HandleFunc("GET /_localstack/init", s.initStatus)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, "NotFound", "no operator call "+r.Method+" "+r.URL.Path+"; GET /_twinbucket/openapi.json lists them")
	})
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard keeps web pages out: a browser may reach this port from any site, so names
// that could be rebound to it are refused, cross-site requests are refused by the
// handler behind it, and a token can be asked for.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !localName(r.Host) {
			writeError(w, http.StatusForbidden, "ForbiddenHost", "the operator API answers to localhost, IP addresses and single-label host names only, not to "+r.Host)
			return
		}
		if r.Method != http.MethodGet && s.cfg.OperatorToken != "" {
			token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if subtle.ConstantTimeCompare([]byte(token), []byte(s.cfg.OperatorToken)) != 1 {
				writeError(w, http.StatusUnauthorized, "OperatorTokenRequired", "send the operator token as Authorization: Bearer …")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// localName reports whether a Host header names this machine or a neighbour in a
// compose network: nothing that public DNS could point here for a foreign page.
func localName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return net.ParseIP(host) != nil || !strings.Contains(host, ".") ||
		strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".internal") ||
		host == "localhost.localstack.cloud" || strings.HasSuffix(host, ".localhost.localstack.cloud")
}
