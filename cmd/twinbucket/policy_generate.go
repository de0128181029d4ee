package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"twinbucket/server"
)

// everyEvent asks for the whole trail.
const everyEvent = 1 << 30

// policyGenerate prints the smallest policy for what the trail shows a principal using.
func (c *cli) policyGenerate(ctx context.Context, args []string) error {
	fs := c.flags("policy generate", "")
	op := c.operatorFlags(fs)
	principal := fs.String("principal", "", "`ARN` of a user, role, role session or account root")
	denied := fs.Bool("include-denied", false, "allow what was denied too")
	if _, err := c.parse(fs, args, 0); err != nil {
		return err
	}
	if *principal == "" {
		return hint(usagef("generate a policy for whom?"), "twinbucket policy generate --principal arn:aws:iam::111122223333:role/crr")
	}
	var out struct {
		Records []server.TrailEvent
		Total   int
	}
	if err := op.call(ctx, "GET", "trail", url.Values{"limit": {strconv.Itoa(everyEvent)}}, nil, &out); err != nil {
		return err
	}
	uses, err := server.UsesOf(out.Records, *principal, *denied)
	if err != nil {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	if len(uses) == 0 {
		return hint(fmt.Errorf("the trail shows no permission that %s used", *principal), "let it do its work first; with --enforce=soft nothing is refused meanwhile")
	}
	fmt.Fprint(c.stdout, server.GeneratePolicy(uses))
	if out.Total > len(out.Records) {
		fmt.Fprintf(c.stderr, "note: the trail keeps the last %d of %d calls; what came before is not in the policy\n", len(out.Records), out.Total)
	}
	return nil
}
