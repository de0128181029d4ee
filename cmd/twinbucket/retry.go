package main

import (
	"context"
	"fmt"
	"net/url"
)

// retry puts FAILED versions back to PENDING under the configuration now in force.
func (c *cli) retry(ctx context.Context, args []string) error {
	fs := c.flags("retry", "[s3://BUCKET[/KEY]]")
	op := c.operatorFlags(fs)
	versionID := fs.String("version-id", "", "only this version")
	rest, err := c.parse(fs, args, 1)
	if err != nil {
		return err
	}
	q := url.Values{"status": {"FAILED"}}
	if len(rest) == 1 {
		bucket, key, err := splitS3URL(rest[0])
		if err != nil {
			return err
		}
		q.Set("bucket", bucket)
		if key != "" {
			q.Set("key", key)
		}
	}
	if *versionID != "" {
		q.Set("versionId", *versionID)
	}
	var out struct {
		Retried int `json:"retried"`
	}
	if err := op.call(ctx, "POST", "replication/retry", q, nil, &out); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%d put back to PENDING\n", out.Retried)
	if out.Retried == 0 {
		fmt.Fprintln(c.stderr, "hint:  only FAILED versions that a rule still selects are put back; twinbucket explain says which state a version is in")
	}
	return nil
}
