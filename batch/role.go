package batch

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	service     = "batchoperations.s3.amazonaws.com" // B44
	sessionName = "s3-batch-operations"
)

// actor does what a job does, with the job's role.
type actor struct {
	engine *Engine
	job    *job
	caller iamsim.Caller
}

// assume takes the job's role; a denial is failure code AssumeRoleNotPermitted.
func (e *Engine) assume(ctx context.Context, j *job) (*actor, error) {
	caller, err := e.cfg.Roles.AssumeServiceRole(ctx, iamsim.ServiceRole{
		Service: service, RoleARN: j.RoleARN, SessionName: sessionName, Region: j.Region, SourceARN: j.ARN(), SourceAccount: j.Account,
	})
	if f := failure.Of(err); f != nil && f.Code == "AccessDenied" {
		return nil, &failure.Error{Code: "AssumeRoleNotPermitted", Message: f.Message, Decision: f.Decision, Cause: err}
	}
	return &actor{e, j, caller}, err
}

// splitARN is the bucket and the key of an object's ARN.
func splitARN(object string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(object, arn.Bucket(""))
	if !ok {
		return "", "", false
	}
	bucket, key, _ = strings.Cut(rest, "/")
	return bucket, key, bucket != ""
}

// request makes an S3 request in path style.
func (a *actor) request(ctx context.Context, method, bucket, key string, body io.Reader) (*http.Request, error) {
	u := url.URL{Scheme: "http", Host: "s3.internal", Path: "/" + bucket + "/" + key}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, failure.Newf("InvalidManifest", "%s/%s can't be addressed.", bucket, key).Because(err)
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.Header.Set("User-Agent", service)
	return r, nil
}

// put writes an object; header may add to the request's. It returns the ETag.
func (a *actor) put(ctx context.Context, bucket, key, contentType, owner string, header http.Header, content []byte) (etag string, err error) {
	r, err := a.request(ctx, http.MethodPut, bucket, key, bytes.NewReader(content))
	if err != nil {
		return "", err
	}
	for k, v := range header {
		r.Header[k] = v
	}
	sum := md5.Sum(content)
	r.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Content-Length", strconv.Itoa(len(content)))
	if owner != "" {
		r.Header.Set("X-Amz-Expected-Bucket-Owner", owner)
	}
	h, _, err := a.engine.cfg.Objects.Inside(ctx, a.caller, a.job.Region, r)
	if err != nil {
		return "", err
	}
	return strings.Trim(h.Get("Etag"), `"`), nil
}

// window is how much of a manifest is in memory at once.
const window = 4 << 20

// object reads an object from front to back in ranges, each an ordinary GET.
type object struct {
	actor                *actor
	ctx                  context.Context
	bucket, key, version string
	etag                 string // If-Match; "" any, then that of the first range
	at, size             int64  // size is -1 before the first range
	buffered             bytes.Reader
}

func (a *actor) open(ctx context.Context, bucket, key, version, etag string) *object {
	return &object{actor: a, ctx: ctx, bucket: bucket, key: key, version: version, etag: strings.Trim(etag, `"`), size: -1}
}

// Read implements io.Reader. Errors are those of GetObject.
func (o *object) Read(p []byte) (int, error) {
	for o.buffered.Len() == 0 {
		if o.size >= 0 && o.at >= o.size {
			return 0, io.EOF
		}
		if err := o.fetch(); err != nil {
			return 0, err
		}
	}
	return o.buffered.Read(p)
}

func (o *object) fetch() error {
	r, err := o.actor.request(o.ctx, http.MethodGet, o.bucket, o.key, nil)
	if err != nil {
		return err
	}
	if o.version != "" {
		r.URL.RawQuery = url.Values{"versionId": {o.version}}.Encode()
	}
	if o.etag != "" {
		r.Header.Set("If-Match", `"`+o.etag+`"`)
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", o.at, o.at+window-1))
	h, content, err := o.actor.engine.cfg.Objects.Inside(o.ctx, o.actor.caller, o.actor.job.Region, r)
	if failure.CodeOf(err) == "InvalidRange" && o.at == 0 { // an empty object has no range
		o.size = 0
		return nil
	}
	if err != nil {
		return err
	}
	_, total, _ := strings.Cut(h.Get("Content-Range"), "/")
	if o.size, err = strconv.ParseInt(total, 10, 64); err != nil || len(content) == 0 {
		return fmt.Errorf("batch: range of %s/%s: %q with %d bytes", o.bucket, o.key, h.Get("Content-Range"), len(content))
	}
	o.etag = strings.Trim(h.Get("Etag"), `"`)
	o.at += int64(len(content))
	o.buffered.Reset(content)
	return nil
}

// mayStart asks for s3:InitiateReplication on a row's object (B44).
func (a *actor) mayStart(ctx context.Context, o row) error {
	err := a.engine.cfg.Objects.AuthorizeInside(ctx, a.caller, a.job.Region, o.Bucket, "s3:InitiateReplication", arn.Object(o.Bucket, o.Key), nil)
	switch f := failure.Of(err); {
	case f == nil:
		return err
	case f.Code == "NoSuchBucket":
		return failure.Newf("SrcBucketNotFound", "the source bucket %s does not exist", o.Bucket)
	case f.Code == "AccessDenied":
		return &failure.Error{Code: "InitiateReplicationNotPermitted", Message: f.Message, Decision: f.Decision, Cause: err}
	}
	return err
}

// mayGenerate asks for what listing the bucket for a manifest needs (B44).
func (a *actor) mayGenerate(ctx context.Context, b *store.Bucket) error {
	for _, action := range [...]string{"s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration"} {
		if err := a.engine.cfg.Objects.AuthorizeInside(ctx, a.caller, a.job.Region, b.Name, action, arn.Bucket(b.Name), nil); err != nil {
			return err
		}
	}
	return nil
}
