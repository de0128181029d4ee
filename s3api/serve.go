package s3api

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// Serve answers one S3 request. signed and signErr are what sigv4.Parse returned. It is
// the one place that authenticates, authorizes a row's action, renders errors, recovers
// from panics and records the call; a panic with http.ErrAbortHandler passes through.
func (a *API) Serve(w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, signErr error) {
	a.serve(w, r, signed, func(req *request) error { return a.handle(req, signErr) })
}

// serve answers one request, which handle takes through its operation.
func (a *API) serve(w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, handle func(*request) error) {
	req := &request{ctx: r.Context(), r: r, signed: signed, region: defaultRegion, start: time.Now()}
	req.writer.ResponseWriter = w
	req.w = &req.writer
	a.identify(req)
	err := guard(req, handle)
	abort := a.finish(req, err)
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// identify gives the response its ids; a request id that is already set stays (S6).
func (a *API) identify(req *request) {
	var random [42]byte
	if _, err := io.ReadFull(a.rand, random[:]); err != nil {
		panic(fmt.Sprintf("s3api: no randomness for request ids: %v", err))
	}
	h := req.w.Header()
	if req.id = h.Get("X-Amz-Request-Id"); req.id == "" {
		var id [16]byte
		hex.Encode(id[:], random[:8])
		req.id = strings.ToUpper(string(id[:]))
		h["X-Amz-Request-Id"] = []string{req.id}
	}
	h["X-Amz-Id-2"] = []string{base64.StdEncoding.EncodeToString(random[8:])}
	h["Server"] = []string{"AmazonS3"}
}

// errPanic wraps what a handler panicked with.
type errPanic struct {
	value any
	stack []byte
}

func (e *errPanic) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// guard runs the call and turns a panic into an error.
func guard(req *request, handle func(*request) error) (err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			err = errClientGone
		default:
			err = &errPanic{value: v, stack: debug.Stack()}
		}
	}()
	return handle(req)
}

// handle takes a request through the fixed order of checks (S7): signature, bucket,
// expected owner, Region, permission, and only then the operation looks at the body.
func (a *API) handle(req *request, signErr error) error {
	return a.handleAs(req, func(at address) error { return a.authenticate(req, at, signErr) })
}

// handleAs is handle for a caller that identify finds out.
func (a *API) handleAs(req *request, identify func(address) error) error {
	r := req.r
	req.query = r.URL.Query()
	at, route, routeErr := a.router.locate(r)
	req.bucketName, req.key, req.hosted = at.bucket, at.key, route == routeHosted
	if routeErr == nil {
		req.op, routeErr = a.router.find(r, at, route, req.query)
	}
	if err := identify(at); err != nil {
		return err
	}
	if r.Method == http.MethodOptions && at.bucket != "" {
		return a.preflight(req)
	}
	if isWebsiteHost(r.Host) {
		return failure.New("NotImplemented", "Website endpoints are not served by Twinbucket: read the objects through the REST API.")
	}
	if routeErr != nil {
		return routeErr
	}
	if len(at.key) > maxKeyLength {
		return failure.New("KeyTooLongError", "", "Size", fmt.Sprint(len(at.key)), "MaxSizeAllowed", fmt.Sprint(maxKeyLength))
	}
	if at.scope != serviceScope && !req.op.NewBucket {
		if err := a.enter(req); err != nil {
			return err
		}
	}
	if err := a.permit(req, at.scope); err != nil {
		return err
	}
	if req.bucket != nil {
		if err := req.chargeRequester(); err != nil {
			return err
		}
	}
	if req.op.Handler == nil {
		return failure.Newf("NotImplemented", "%s is not supported by Twinbucket. The README lists the supported operations.", req.op.Name)
	}
	return req.op.Handler(a, req)
}

// maxKeyLength is the longest key in bytes (S8).
const maxKeyLength = 1024

// authenticate finds out who calls, and for which Region.
func (a *API) authenticate(req *request, at address, signErr error) error {
	if signErr != nil && !errors.Is(signErr, sigv4.ErrAnonymous) {
		return signErr
	}
	options := sigv4.Options{S3: true, Service: "s3"}
	if req.signed != nil {
		req.region = req.signed.Scope.Region
		options.Region = at.region // a host that names a Region accepts no other (S9)
		if !isRegion(req.region) {
			options.Region = defaultRegion
		}
	} else if at.region != "" {
		req.region = at.region
	}
	caller, err := a.cfg.IAM.Authenticate(req.ctx, req.r, req.signed, options)
	if err != nil {
		return err
	}
	caller.Source.RequestID = req.id
	req.caller = caller.Observed(req.permissions.Observe)
	return nil
}

// enter finds the bucket and refuses callers that expect another owner or Region.
func (a *API) enter(req *request) error {
	bucket, err := a.cfg.Store.Bucket(req.ctx, req.bucketName)
	if err != nil {
		if failure.CodeOf(err) == "NoSuchBucket" {
			return a.noSuchBucket(req)
		}
		return err
	}
	req.bucket = bucket
	req.shareWithOrigin()
	if err := expectOwner(req.r.Header.Get("X-Amz-Expected-Bucket-Owner"), bucket); err != nil {
		return err
	}
	if req.op.Scope == bucketScope || bucket.Region != req.region {
		req.w.Header()["X-Amz-Bucket-Region"] = []string{bucket.Region}
	}
	// GetBucketLocation is how clients find the Region, so it answers everywhere (S10).
	if a.cfg.StrictRegions && req.signed != nil && bucket.Region != req.region && req.op.Name != "GetBucketLocation" {
		return req.wrongRegion()
	}
	return nil
}

// wrongRegion refuses a request that was signed for another Region than the bucket's (S169).
// A host name with the bucket leads to the bucket's Region, where only the signature is
// wrong; a path leads to the Region it was signed for, where the bucket is not.
func (req *request) wrongRegion() error {
	if req.hosted {
		return failure.New("AuthorizationHeaderMalformed",
			fmt.Sprintf("The authorization header is malformed; the region '%s' is wrong; expecting '%s'", req.region, req.bucket.Region),
			"Region", req.bucket.Region)
	}
	return failure.New("PermanentRedirect", "",
		"Endpoint", req.bucket.Name+".s3."+req.bucket.Region+".amazonaws.com", "Bucket", req.bucket.Name)
}

// noSuchBucket answers for a name without a bucket: names that no bucket can have are
// their own error (S11).
func (a *API) noSuchBucket(req *request) error {
	if !validBucketName(req.bucketName) {
		return failure.New("InvalidBucketName", "", "BucketName", req.bucketName)
	}
	return failure.New("NoSuchBucket", "", "BucketName", req.bucketName)
}

// expectOwner checks an …expected-bucket-owner header's value (S12).
func expectOwner(value string, bucket *store.Bucket) error {
	switch {
	case value == "" || value == bucket.Account:
		return nil
	case !arn.IsAccount(value):
		return failure.Newf("InvalidBucketOwnerAWSAccountID", "The value of the expected bucket owner parameter must be an AWS Account ID... [%s]", value)
	}
	return failure.New("AccessDenied", "Access Denied")
}

// permit authorizes the row's action.
func (a *API) permit(req *request, s scope) error {
	op := req.op
	if op.Action == "" || op.Form {
		return nil
	}
	action := op.Action
	if op.VersionAction != "" && req.query.Get("versionId") != "" {
		action = op.VersionAction
	}
	keys := make(policy.Context, 16)
	if op.Keys != nil {
		op.Keys(a, req, keys)
	}
	switch {
	case s == serviceScope:
		return a.authorizeOwn(req, action, "*", keys)
	case op.NewBucket:
		return a.authorizeOwn(req, action, req.bucketARN(), keys)
	case s == bucketScope:
		return a.authorize(req, action, req.bucketARN(), keys)
	}
	err := a.authorize(req, action, req.objectARN(), keys)
	if op.Initiator && isDenial(err) && !explicitlyDenied(err) && a.isInitiator(req) {
		return nil
	}
	return err
}

// finish renders what is left to render and records the call. It reports whether the
// connection must be cut, because a response broke off in the middle.
func (a *API) finish(req *request, err error) (abort bool) {
	if err == nil {
		a.record(req, rendered{status: req.writer.status}, nil)
		return false
	}
	if req.abandoned(err) {
		a.record(req, rendered{status: statusClientGone, code: "RequestCanceled"}, err)
		return true
	}
	out := wire(err)
	if out.status >= 500 && out.code == "InternalError" {
		a.cfg.Logger.ErrorContext(req.ctx, "S3 request failed inside", "requestId", req.id, "operation", req.operationName(), "error", err)
	}
	a.record(req, out, err)
	if req.writer.status != 0 {
		return true
	}
	req.renderError(out)
	return false
}

// statusClientGone stands in records for calls that nobody waited for.
const statusClientGone = 499

func (req *request) operationName() string {
	if req.op == nil {
		return "Unknown"
	}
	return req.op.Name
}
