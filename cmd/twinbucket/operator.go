package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// operator is a client of the operator API of a running emulator.
type operator struct {
	endpoint string
	token    string
}

const defaultEndpoint = "http://127.0.0.1:4566"

// operatorFlags binds the flags that all client verbs share.
func (c *cli) operatorFlags(fs *flag.FlagSet) *operator {
	endpoint := defaultEndpoint
	if v, ok := c.getenv("AWS_ENDPOINT_URL"); ok && v != "" {
		endpoint = v
	}
	op := &operator{}
	fs.StringVar(&op.endpoint, "endpoint", endpoint, "`URL` of the emulator")
	fs.StringVar(&op.token, "token", "", "operator token, when the emulator asks for one")
	return op
}

// statusError is an answer other than 2xx.
type statusError struct {
	status  int
	code    string
	message string
	body    []byte
}

func (e *statusError) Error() string {
	if e.message != "" {
		return e.code + ": " + e.message
	}
	return fmt.Sprintf("the emulator answered %d", e.status)
}

// call sends one operator call and decodes its JSON answer into out (nil: ignored).
func (o *operator) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	u := strings.TrimSuffix(o.endpoint, "/") + "/_twinbucket/" + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return hint(usagef("--endpoint %q is not a URL: %v", o.endpoint, err), "it looks like %s", defaultEndpoint)
	}
	if o.token != "" {
		req.Header.Set("Authorization", "Bearer "+o.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return hint(fmt.Errorf("no emulator answers at %s", o.endpoint), "start one with: twinbucket serve; or name another with --endpoint")
		}
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		se := &statusError{status: resp.StatusCode, body: b}
		var envelope struct {
			Error struct{ Code, Message string }
		}
		if json.Unmarshal(b, &envelope) == nil {
			se.code, se.message = envelope.Error.Code, envelope.Error.Message
		}
		return se
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return hint(fmt.Errorf("%s does not answer like twinbucket: %v", o.endpoint, err), "is another program listening there?")
	}
	return nil
}

// printJSON prints v as it came.
func (c *cli) printJSON(v any) error {
	enc := json.NewEncoder(c.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// splitS3URL cuts s3://bucket/key; the key may be empty.
func splitS3URL(s string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(s, "s3://")
	if !ok {
		return "", "", hint(usagef("%q is not an S3 URL", s), "write it as s3://bucket/key")
	}
	bucket, key, _ = strings.Cut(rest, "/")
	if bucket == "" {
		return "", "", hint(usagef("%q names no bucket", s), "write it as s3://bucket/key")
	}
	return bucket, key, nil
}
