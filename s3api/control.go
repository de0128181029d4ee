package s3api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/arn"
	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
)

const (
	controlPrefix    = "/v20180820/"
	controlNamespace = "http://awss3control.amazonaws.com/doc/2018-08-20/"
	accountHeader    = "X-Amz-Account-Id"
)

// Control is S3 Control, the API of what belongs to an account rather than to a bucket:
// its public access block, and the tags of resources by their ARN. It shares signatures,
// authorization and errors with the API it is made of.
type Control struct {
	api  *API
	rows []controlOperation
	jobs Jobs // nil: there are no batch jobs
}

// controlOperation is one row of S3 Control's table.
type controlOperation struct {
	Name   string
	Method string
	// Path is what follows the version in the path: fixed segments, {Name} for one and
	// {Name+} for any number of them.
	Path    string
	Action  string // of supported operations
	Handler func(*API, *request) error
	// Keys adds the action's own condition keys.
	Keys func(*API, *request, policy.Context)
}

// NewControl returns S3 Control for the buckets of api.
func NewControl(api *API) *Control { return &Control{api: api, rows: controlTable()} }

// IsControl tells a request for S3 Control from one for a key of a bucket that is called
// like its version: by the account that every call names, in a header or in the host (S171).
func IsControl(r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, controlPrefix) {
		return false
	}
	return r.Header.Get(accountHeader) != "" || accountOfHost(r.Host) != ""
}

// accountOfHost is the account in a host name such as 111122223333.localhost.
func accountOfHost(host string) string {
	if label, _, ok := strings.Cut(host, "."); ok && arn.IsAccount(label) {
		return label
	}
	return ""
}

// Serve answers one S3 Control request, as [API.Serve] does S3's.
func (c *Control) Serve(w http.ResponseWriter, r *http.Request, signed *sigv4.Signed, signErr error) {
	c.api.serve(w, r, signed, func(req *request) error {
		req.control, req.jobs = true, c.jobs
		return c.handle(req, signErr)
	})
}

// handle takes a request through the checks: signature, operation, account, permission.
func (c *Control) handle(req *request, signErr error) error {
	a, r := c.api, req.r
	req.query = r.URL.Query()
	row, rest := c.find(r)
	if row != nil {
		req.op = &operation{Name: row.Name, Method: row.Method, Action: row.Action}
	}
	if err := a.authenticate(req, address{}, signErr); err != nil {
		return err
	}
	if row == nil {
		return failure.New("MethodNotAllowed", "", "Method", r.Method, "ResourceType", "SERVICE")
	}
	if row.Handler == nil {
		return failure.Newf("NotImplemented", "%s of S3 Control is not supported by Twinbucket. The README lists the supported operations.", row.Name)
	}
	if err := req.readAccount(); err != nil {
		return err
	}
	if strings.HasSuffix(row.Path, "+}") {
		return c.onResource(req, row, rest)
	}
	keys, resource := policy.Context{}, "*"
	if strings.Contains(row.Path, "{JobId}") {
		req.jobID = strings.Split(r.URL.Path, "/")[3]
		resource = batchjob.ARN(req.region, req.account, req.jobID)
	}
	if row.Keys != nil {
		row.Keys(a, req, keys)
	}
	if err := a.authorizeAccount(req, row.Action, resource, keys); err != nil {
		return err
	}
	return row.Handler(a, req)
}

// find is the row of a request, with what its {Name+} stands for.
func (c *Control) find(r *http.Request) (*controlOperation, string) {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), controlPrefix), "/")
	for i := range c.rows {
		row := &c.rows[i]
		if row.Method != r.Method {
			continue
		}
		if rest, ok := matchPath(strings.Split(row.Path, "/"), path); ok {
			return row, rest
		}
	}
	return nil, ""
}

// matchPath compares a path's segments with a row's; greedy is what {Name+} stands for.
func matchPath(pattern, path []string) (greedy string, ok bool) {
	for i, p := range pattern {
		if strings.HasSuffix(p, "+}") {
			after := len(pattern) - i - 1
			if len(path)-i-after < 1 {
				return "", false
			}
			end := len(path) - after
			if _, ok := matchPath(pattern[i+1:], path[end:]); !ok {
				return "", false
			}
			return strings.Join(path[i:end], "/"), true
		}
		if i >= len(path) || path[i] == "" || !strings.HasPrefix(p, "{") && p != path[i] {
			return "", false
		}
	}
	return "", len(path) == len(pattern)
}

// readAccount finds the account that the call is about (S171).
func (req *request) readAccount() error {
	if req.account = req.r.Header.Get(accountHeader); req.account == "" {
		req.account = accountOfHost(req.r.Host)
	}
	if !arn.IsAccount(req.account) {
		return failure.New("InvalidRequest", "Invalid account id")
	}
	return nil
}

// authorizeAccount asks for an action on the account itself ("*") or something of it. Nobody outside of it can be
// allowed: accounts have no policy to open.
func (a *API) authorizeAccount(req *request, action, resource string, keys policy.Context) error {
	if req.account != req.caller.Account() {
		return failure.New("AccessDenied", "")
	}
	return a.authorizeOwn(req, action, resource, keys)
}

// onResource finds the bucket that an ARN in the path names, and authorizes the action on
// it. Other resources than buckets don't exist here.
func (c *Control) onResource(req *request, row *controlOperation, rest string) error {
	a := c.api
	resource, err := url.PathUnescape(rest)
	if err != nil {
		return failure.New("InvalidURI", "", "URI", req.r.RequestURI)
	}
	name, ok := strings.CutPrefix(resource, arn.Bucket(""))
	if !ok || strings.Contains(name, "/") {
		return failure.Newf("NotImplemented", "%s is supported by Twinbucket for buckets only.", row.Name)
	}
	req.bucketName = name
	if req.bucket, err = a.cfg.Store.Bucket(req.ctx, name); err != nil {
		if failure.CodeOf(err) == "NoSuchBucket" {
			err = failure.New("NoSuchResource", "")
		}
		return err
	}
	if req.bucket.Account != req.account {
		return failure.New("AccessDenied", "")
	}
	keys := policy.Context{}
	if err := a.authorize(req, row.Action, req.bucketARN(), keys); err != nil {
		return err
	}
	return row.Handler(a, req)
}

// controlError is S3 Control's error document: the same elements in a wrapper (S172).
func controlError(out rendered, requestID, hostID string) []byte {
	d := document{buf: append(make([]byte, 0, 512), xmlDeclaration...)}
	d.open("ErrorResponse", fmt.Sprintf(" xmlns=%q", controlNamespace))
	d.open("Error")
	d.text("Code", out.code)
	d.text("Message", out.message)
	for _, f := range out.fields {
		d.text(f.Name, f.Value)
	}
	d.close("Error")
	d.text("RequestId", requestID)
	d.text("HostId", hostID)
	d.close("ErrorResponse")
	return d.buf
}

// newControlDocument starts a success document of S3 Control.
func newControlDocument(root string) *document {
	d := &document{buf: append(make([]byte, 0, 512), xmlDeclaration...)}
	d.open(root, fmt.Sprintf(" xmlns=%q", controlNamespace))
	return d
}
