package s3api

import (
	"bytes"
	"context"
	"net/http"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// Inside performs an S3 request for caller, a service's session of a role, as if it had
// come over the wire signed by it: same rows, same permissions, same trail, no signature.
// r.Host names no bucket. It is how a batch job reads its manifest and writes its report
// (B44). The body of the answer is in memory, so it is not for large objects.
//
// A refusal is a *failure.Error with S3's code; a denial carries its Decision.
func (a *API) Inside(ctx context.Context, caller iamsim.Caller, region string, r *http.Request) (http.Header, []byte, error) {
	w := &memoryWriter{header: http.Header{}}
	var refusal error
	a.serve(w, r.WithContext(ctx), nil, func(req *request) error {
		req.inside, req.region = true, region
		refusal = a.handleAs(req, func(address) error {
			caller.Source.RequestID, caller.Source.UserAgent = req.id, r.UserAgent()
			req.caller = caller.Observed(req.permissions.Observe)
			return nil
		})
		return refusal
	})
	if refusal == nil {
		return w.header, w.body.Bytes(), nil
	}
	if f := failure.Of(refusal); f != nil {
		return nil, nil, f
	}
	out := wire(refusal)
	return nil, nil, failure.New(failure.Code(out.code), out.message).Because(refusal)
}

// memoryWriter is an http.ResponseWriter in memory.
type memoryWriter struct {
	header http.Header
	body   bytes.Buffer
}

func (w *memoryWriter) Header() http.Header         { return w.header }
func (w *memoryWriter) WriteHeader(int)             {}
func (w *memoryWriter) Write(p []byte) (int, error) { return w.body.Write(p) }

// AuthorizeInside asks whether caller may do action on a resource of bucket, with the
// bucket's policy. Errors: NoSuchBucket; a denial is AccessDenied with its Decision.
func (a *API) AuthorizeInside(ctx context.Context, caller iamsim.Caller, region, bucket, action, resource string, keys policy.Context) error {
	b, err := a.cfg.Store.Bucket(ctx, bucket)
	if err != nil {
		return err
	}
	d, err := a.decide(ctx, &caller, b, region, action, resource, keys)
	if err != nil || d.Permitted() {
		return err
	}
	f := failure.New("AccessDenied", d.Message()) // no client sees this text unasked, so it may say why
	f.Decision = d
	return f
}
