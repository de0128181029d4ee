package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"text/tabwriter"

	"twinbucket/server"
)

// trail lists the last calls, the ones that services made for somebody included.
func (c *cli) trail(ctx context.Context, args []string) error {
	fs := c.flags("trail", "")
	op := c.operatorFlags(fs)
	limit := fs.Int("n", 50, "how many of the newest")
	service := fs.String("service", "", "only s3, kms, iam or sts")
	name := fs.String("name", "", "only this operation")
	account := fs.String("account", "", "only calls by this account")
	code := fs.String("error", "", "only calls that ended in this error code")
	asJSON := fs.Bool("json", false, "print CloudTrail-shaped records")
	if _, err := c.parse(fs, args, 0); err != nil {
		return err
	}
	q := url.Values{"limit": {strconv.Itoa(*limit)}}
	for k, v := range map[string]string{"service": *service, "name": *name, "account": *account, "error": *code} {
		if v != "" {
			q.Set(k, v)
		}
	}
	var out struct{ Records []server.TrailEvent }
	if err := op.call(ctx, "GET", "trail", q, nil, &out); err != nil {
		return err
	}
	if *asJSON {
		return c.printJSON(out)
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIME\tCALL\tREGION\tBY\tRESULT")
	for _, e := range out.Records {
		result := "ok"
		if e.ErrorCode != "" {
			result = e.ErrorCode
		}
		for _, a := range e.Authorizations {
			if a.NotEnforced {
				result += ", " + a.Action + " denied and not enforced"
			}
		}
		by := e.UserIdentity.ARN
		if e.UserIdentity.InvokedBy != "" {
			by += " via " + e.UserIdentity.InvokedBy
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.EventTime.Format("15:04:05.000"), e.EventName, e.AWSRegion, by, result)
	}
	return w.Flush()
}
