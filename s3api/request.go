package s3api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/arn"
	"twinbucket/store"
)

// scope is what an operation's path names.
type scope int

const (
	serviceScope scope = iota
	bucketScope
	objectScope
)

// operation is one row of the operation table: routing, authorization, metrics
// labels, the support table and the list of refused operations come from it.
type operation struct {
	Name   string // "PutObject"
	Method string
	Scope  scope
	// Query is the sub-resource that selects the row ("replication", "uploads"), with
	// "=value" where the value selects ("list-type=2") and "&more" where further
	// parameters must be there ("analytics&id"). Header selects by presence.
	Query  string
	Header string
	// Action is authorized before the handler runs, on the bucket or object ARN by
	// Scope; VersionAction replaces it when versionId is in the query. "" leaves
	// authorization to the handler (DeleteObjects authorizes each key).
	Action        string
	VersionAction string
	// Keys adds condition keys that the row's Action knows beyond those every request
	// has, such as the request's tags; nil: none.
	Keys func(*API, *request, policy.Context)
	// Initiator marks what whoever began the addressed upload may do without being allowed
	// to; being denied explicitly still counts.
	Initiator bool
	// Form marks the operation whose caller and object stand in its body: the handler
	// authorizes the Action.
	Form bool
	// NewBucket marks the operations that run without an existing bucket.
	NewBucket bool
	// Handler is nil for operations that are refused with 501.
	Handler func(*API, *request) error
}

// request is one call on its way through the API. Handlers write the success
// response themselves and return errors for everything else.
type request struct {
	ctx    context.Context
	w      http.ResponseWriter
	r      *http.Request
	op     *operation
	signed *sigv4.Signed // nil: anonymous
	caller iamsim.Caller
	// permissions is what the caller was authorized for so far.
	permissions iamsim.Permissions
	query       url.Values
	id          string // x-amz-request-id
	region      string // of the signature's scope, us-east-1 when unsigned

	inside  bool   // a service's own call, which needs no signature
	control bool   // a call of S3 Control
	account string // that a call of S3 Control is about
	jobs    Jobs
	jobID   string

	bucketName string
	key        string
	hosted     bool          // the Host header names the bucket
	bucket     *store.Bucket // set for bucket and object scope, except CreateBucket

	start  time.Time // transport time, for the call's duration
	writer responseWriter
	// What readBody read, or why it could not.
	body    []byte
	bodyErr error
	hasBody bool
	// version is what requestedVersion loaded.
	version    *store.Version
	versionErr error
	hasVersion bool
}

// bucketARN is the ARN of the addressed bucket.
func (req *request) bucketARN() string { return arn.Bucket(req.bucketName) }

// objectARN is the ARN of the addressed object.
func (req *request) objectARN() string { return arn.Object(req.bucketName, req.key) }

// requestedVersion loads the version that key and versionId name, once: condition
// keys and the handler share the lookup. Errors are the store's.
func (a *API) requestedVersion(req *request) (*store.Version, error) {
	if !req.hasVersion {
		req.version, req.versionErr = a.cfg.Store.Version(req.ctx, req.bucketName, req.key, req.query.Get("versionId"))
		req.hasVersion = true
	}
	return req.version, req.versionErr
}

// responseWriter remembers what was sent.
type responseWriter struct {
	http.ResponseWriter
	status int // 0: nothing sent yet
}

func (w *responseWriter) WriteHeader(status int) {
	if w.status == 0 || w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
