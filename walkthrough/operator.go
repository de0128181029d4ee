package walkthrough

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"twinbucket/server"
)

// operator is a client of the operator API.
type operator struct {
	endpoint string
	token    string
	http     *http.Client
}

// refusal is an answer of the operator API other than 2xx.
type refusal struct {
	status int
	body   []byte
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the operator API answered %d: %s", r.status, bytes.TrimSpace(r.body))
}

// call sends one call and decodes its answer into out, unless that is nil.
func (o *operator) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, o.endpoint+"/_twinbucket/"+path+"?"+query.Encode(), body)
	if err != nil {
		return err
	}
	if o.token != "" {
		req.Header.Set("Authorization", "Bearer "+o.token)
	}
	resp, err := o.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return &refusal{resp.StatusCode, b}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("the answer to %s %s is not twinbucket's: %w", method, path, err)
	}
	return nil
}

func (o *operator) state(ctx context.Context, bucket string) (*server.ReplicationState, error) {
	var st server.ReplicationState
	return &st, o.call(ctx, http.MethodGet, "replication", url.Values{"bucket": {bucket}}, nil, &st)
}

func (o *operator) pause(ctx context.Context) error {
	return o.call(ctx, http.MethodPost, "replication/pause", nil, nil, nil)
}

func (o *operator) resume(ctx context.Context) error {
	return o.call(ctx, http.MethodPost, "replication/resume", nil, nil, nil)
}

// wait returns when nothing of bucket is left to replicate, or what is left after
// timeout, such as "30s".
func (o *operator) wait(ctx context.Context, bucket, timeout string) (left *server.ReplicationState, err error) {
	err = o.call(ctx, http.MethodPost, "replication/wait", url.Values{"bucket": {bucket}, "timeout": {timeout}}, nil, nil)
	var r *refusal
	if !errors.As(err, &r) || r.status != http.StatusRequestTimeout {
		return nil, err
	}
	left = &server.ReplicationState{}
	return left, json.Unmarshal(r.body, left)
}

// retry puts the FAILED versions of one key back and returns how many there were.
func (o *operator) retry(ctx context.Context, bucket, key string) (int, error) {
	var out struct{ Retried int }
	err := o.call(ctx, http.MethodPost, "replication/retry", url.Values{"bucket": {bucket}, "key": {key}, "status": {"FAILED"}}, nil, &out)
	return out.Retried, err
}

func (o *operator) explain(ctx context.Context, bucket, key, versionID string) (*server.Explanation, error) {
	var e server.Explanation
	q := url.Values{"bucket": {bucket}, "key": {key}}
	if versionID != "" {
		q.Set("versionId", versionID)
	}
	return &e, o.call(ctx, http.MethodGet, "replication/explain", q, nil, &e)
}

// limitKMS sets how many cryptographic requests a second account may make in region.
func (o *operator) limitKMS(ctx context.Context, account, region string, perSecond float64) error {
	limit := server.Limit{Service: "kms", Account: account, Region: region, Quota: "symmetric", PerSecond: perSecond}
	return o.call(ctx, http.MethodPut, "quotas", nil, limit, nil)
}

// trail lists the kept calls of one operation of KMS, oldest first.
func (o *operator) trail(ctx context.Context, operation string) ([]server.TrailEvent, error) {
	var out struct{ Records []server.TrailEvent }
	err := o.call(ctx, http.MethodGet, "trail", url.Values{"service": {"kms"}, "name": {operation}}, nil, &out)
	return out.Records, err
}
