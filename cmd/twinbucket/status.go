package main

import (
	"context"
	"fmt"
	"net/url"
	"text/tabwriter"

	"twinbucket/server"
)

// status prints services, queue, rules and the use of KMS quotas.
func (c *cli) status(ctx context.Context, args []string) error {
	fs := c.flags("status", "")
	op := c.operatorFlags(fs)
	bucket := fs.String("bucket", "", "only this source bucket")
	asJSON := fs.Bool("json", false, "print JSON")
	if _, err := c.parse(fs, args, 0); err != nil {
		return err
	}
	var health struct {
		Services map[string]string `json:"services"`
		Version  string            `json:"version"`
	}
	if err := op.call(ctx, "GET", "health", nil, nil, &health); err != nil {
		return err
	}
	q := url.Values{}
	if *bucket != "" {
		q.Set("bucket", *bucket)
	}
	var st server.ReplicationState
	if err := op.call(ctx, "GET", "replication", q, nil, &st); err != nil {
		return err
	}
	var quotas server.QuotaState
	if err := op.call(ctx, "GET", "quotas", nil, nil, &quotas); err != nil {
		return err
	}
	if *asJSON {
		return c.printJSON(map[string]any{"health": health, "replication": st, "quotas": quotas})
	}
	fmt.Fprintf(c.stdout, "twinbucket %s at %s   replication %s\n", health.Version, op.endpoint, health.Services["replication"])
	fmt.Fprintf(c.stdout, "%d versions wait (%d bytes)\n", st.Pending, st.Bytes)
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	if len(st.Rules) > 0 {
		fmt.Fprintln(w, "\nBUCKET\tRULE\tDESTINATION\tPENDING\tCOMPLETED\tFAILED")
	}
	for _, r := range st.Rules {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", r.Bucket, r.RuleID, r.Destination, r.Pending, r.Completed, r.Failed)
	}
	if len(st.Next) > 0 {
		fmt.Fprintln(w, "\nNEXT\tATTEMPTS\tDUE\tLAST ERROR")
	}
	for _, n := range st.Next {
		fmt.Fprintf(w, "s3://%s/%s\t%d\t%s\t%s\n", n.Bucket, n.Key, n.Attempts, n.Due.Format("15:04:05"), n.LastError)
	}
	if len(quotas.Usage) > 0 {
		fmt.Fprintln(w, "\nKMS ACCOUNT\tREGION\tQUOTA\tLIMIT/S\tALLOWED\tTHROTTLED")
	}
	for _, u := range quotas.Usage {
		limit := "none"
		if u.PerSecond >= 0 {
			limit = fmt.Sprint(u.PerSecond)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\n", u.Account, u.Region, u.Quota, limit, u.Allowed, u.Throttled)
	}
	return w.Flush()
}
