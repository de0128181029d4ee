package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"twinbucket/server"
)

// errWouldNot is the end of a preflight that found something in the way: exit status 1
// without another word, because everything is said.
var errWouldNot = errors.New("it would not replicate")

// preflight says what would happen to an object, before one is written.
func (c *cli) preflight(ctx context.Context, args []string) error {
	fs := c.flags("preflight", "BUCKET")
	op := c.operatorFlags(fs)
	asJSON := fs.Bool("json", false, "print the prospect as JSON")
	q := url.Values{}
	param := func(name, query, usage string) {
		fs.Func(name, usage, func(v string) error { q.Set(query, v); return nil })
	}
	param("key", "key", "object `key`; default: one that the first enabled rule's prefix matches")
	param("sse", "sse", "`algorithm` of the upload, AES256 or aws:kms; default: the bucket's default encryption")
	param("kms-key", "kmsKey", "KMS key `id`, ARN or alias of the upload")
	param("storage-class", "storageClass", "storage `class` of the upload")
	fs.Func("tags", "tags of the upload as `k=v,…`", func(v string) error {
		tags, err := tagging(v)
		q.Set("tags", tags)
		return err
	})
	size := fs.Int64("size", 0, "`bytes` of the upload")
	bucketKey := fs.Bool("bucket-key", false, "the upload uses an S3 Bucket Key")
	marker := fs.Bool("delete", false, "ask about a DELETE of the key instead")
	rest, err := c.parse(fs, args, 1)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return hint(usagef("preflight of which bucket?"), "twinbucket preflight BUCKET --key KEY")
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(rest[0], "s3://"), "/")
	q.Set("bucket", bucket)
	if key != "" {
		q.Set("key", key)
	}
	if *size > 0 {
		q.Set("size", strconv.FormatInt(*size, 10))
	}
	if *bucketKey {
		q.Set("bucketKey", "true")
	}
	if *marker {
		q.Set("deleteMarker", "true")
	}
	var p server.Preflight
	if err := op.call(ctx, "GET", "replication/preflight", q, nil, &p); err != nil {
		return err
	}
	if *asJSON {
		if err := c.printJSON(p); err != nil {
			return err
		}
	} else {
		writePreflight(c.stdout, &p, *marker)
	}
	if !p.Replicates {
		return errWouldNot
	}
	return nil
}

// tagging turns k=v,k2=v2 into the form of x-amz-tagging.
func tagging(list string) (string, error) {
	var pairs []string
	for _, pair := range strings.Split(list, ",") {
		k, v, ok := strings.Cut(pair, "=")
		if !ok || k == "" {
			return "", fmt.Errorf("%q is not k=v", pair)
		}
		pairs = append(pairs, url.QueryEscape(k)+"="+url.QueryEscape(v))
	}
	return strings.Join(pairs, "&"), nil
}

func writePreflight(w io.Writer, p *server.Preflight, marker bool) {
	what := fmt.Sprintf("An object %s (%s)", p.Key, p.Encryption)
	if marker {
		what = "A delete marker of " + p.Key
	}
	if len(p.Destinations) == 0 {
		fmt.Fprintf(w, "%s would NOT replicate from %s: %s\n", what, p.Bucket, p.Note)
	}
	for _, d := range p.Destinations {
		if d.FailureReason == "" {
			fmt.Fprintf(w, "%s would replicate to %s   rule %q (prefix %q%s)\n", what, d.Destination, d.RuleID, d.Prefix, priority(d.Priority))
		} else {
			fmt.Fprintf(w, "%s would FAIL to reach %s: %s   rule %q (prefix %q%s)\n", what, d.Destination, d.FailureReason, d.RuleID, d.Prefix, priority(d.Priority))
		}
		writeProspect(w, &d)
	}
	for _, r := range p.Rules {
		if !r.Selected {
			fmt.Fprintf(w, "  · rule %q would not: %s\n", r.RuleID, r.Why)
		}
	}
}

// writeProspect lists what stands in the way, or what lets everything pass.
func writeProspect(w io.Writer, d *server.Prospect) {
	passed := 0
	for _, s := range d.Steps {
		if s.Reason == "" && s.Outcome == "allowed" {
			passed++
		}
	}
	if d.FailureReason == "" {
		for _, s := range d.Steps {
			fmt.Fprintf(w, "  %s %-38s %s\n", marks[s.Outcome], s.Action, passedBy(&s))
		}
		return
	}
	fmt.Fprintf(w, "  ✓ %d checks pass\n", passed)
	for _, s := range d.Steps {
		if s.Reason == "" {
			continue
		}
		name := s.Action
		if name == "" {
			name = s.Step
		}
		if s.Resource != "" {
			name += " on " + s.Resource
		}
		fmt.Fprintf(w, "  ✗ %s   %s\n", name, s.Reason)
		writeWhy(w, &s)
	}
}

func passedBy(s *server.ExplainStep) string {
	if s.Outcome == "allowed" {
		return reference(s)
	}
	return s.Message
}
