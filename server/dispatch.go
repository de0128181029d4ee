package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"twinbucket/cwapi"
	"twinbucket/iamsim/sigv4"
	"twinbucket/quotasapi"
	"twinbucket/s3api"
)

// api is one emulated service behind the dispatcher.
type api interface {
	Serve(w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, signErr error)
}

// dispatch routes one request: the operator API by its path, then by the service
// the signature was made for, then by what only one protocol looks like. Everything
// else is S3, the only service with anonymous callers and free-form paths.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_twinbucket/") || strings.HasPrefix(r.URL.Path, "/_localstack/") {
		s.operator.ServeHTTP(w, r)
		return
	}
	signed, err := sigv4.Parse(r)
	service := serviceOf(r, signed, err)
	target, ok := s.apis[service]
	if !ok {
		refuseService(w, service)
		return
	}
	target.Serve(w, r, signed, err)
}

// serviceOf names the service that a request is meant for. A signature that can't be
// read may still say which: its refusal comes in that service's words.
func serviceOf(r *http.Request, signed *sigv4.Signed, signErr error) string {
	var unread *sigv4.Error
	switch {
	case strings.HasPrefix(r.Header.Get("X-Amz-Target"), "TrentService."):
		return "kms"
	case quotasapi.IsRequest(r):
		return "servicequotas"
	case cwapi.IsRequest(r):
		return "monitoring"
	case s3api.IsControl(r):
		return "s3control"
	case signed != nil && signed.Scope.Service != "":
		return signed.Scope.Service
	case errors.As(signErr, &unread) && unread.Scope.Service != "":
		return unread.Scope.Service
	case r.URL.Path == "/" && (isForm(r) || r.URL.Query().Has("Action")):
		return "iam"
	}
	return "s3"
}

// isForm tells the Query protocol's POST from S3's multipart form upload.
func isForm(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method == http.MethodPost && err == nil && t == "application/x-www-form-urlencoded"
}

// refuseService answers for services that are not emulated here.
func refuseService(w http.ResponseWriter, service string) {
	writeError(w, http.StatusNotImplemented, "NotImplemented",
		fmt.Sprintf("Twinbucket emulates S3, KMS, IAM, STS, the replication metrics of CloudWatch and the KMS quotas of Service Quotas; this request was made for %q", service))
}

// operatorError is the body of a failed operator call.
type operatorError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func writeError(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]operatorError{"error": {code, message}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("server: internal error: response: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a client that went away has nobody to tell
}

// errNotJSON is what decodeJSON wraps.
var errNotJSON = errors.New("the body is not the JSON this call takes")

// decodeJSON reads a small JSON body strictly.
func decodeJSON(w http.ResponseWriter, r *http.Request, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%w: %v", errNotJSON, err)
	}
	return nil
}
