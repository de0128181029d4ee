package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"text/tabwriter"

	"twinbucket/server"
)

// quota shows, sets or takes back a KMS request limit.
func (c *cli) quota(ctx context.Context, args []string) error {
	fs := c.flags("quota", "[PER-SECOND|none]")
	op := c.operatorFlags(fs)
	account := fs.String("account", "*", "calling account")
	region := fs.String("region", "*", "Region")
	name := fs.String("quota", "symmetric", "quota: symmetric, rsa, ecc, GenerateDataKeyPair/SPEC, or an operation's name")
	rest, err := c.parse(fs, args, 1)
	if err != nil {
		return err
	}
	var st server.QuotaState
	switch {
	case len(rest) == 0:
		err = op.call(ctx, "GET", "quotas", nil, nil, &st)
	case rest[0] == "none":
		err = op.call(ctx, "DELETE", "quotas", url.Values{"service": {"kms"}, "account": {*account}, "region": {*region}, "quota": {*name}}, nil, &st)
	default:
		var perSecond float64
		if perSecond, err = strconv.ParseFloat(rest[0], 64); err != nil || !(perSecond >= 0) {
			return hint(usagef("%q is not a rate", rest[0]), "twinbucket quota 5 allows five KMS requests a second; twinbucket quota none takes the limit back")
		}
		err = op.call(ctx, "PUT", "quotas", nil, server.Limit{Service: "kms", Account: *account, Region: *region, Quota: *name, PerSecond: perSecond}, &st)
	}
	if err != nil {
		return err
	}
	if st.Profile != server.NoQuotas {
		fmt.Fprintf(c.stdout, "profile %s applies where nothing is set\n", st.Profile)
	}
	if len(st.Limits) == 0 {
		fmt.Fprintln(c.stdout, "no limits are set")
		return nil
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tACCOUNT\tREGION\tQUOTA\tPER SECOND")
	for _, l := range st.Limits {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\n", l.Service, l.Account, l.Region, l.Quota, l.PerSecond)
	}
	return w.Flush()
}
