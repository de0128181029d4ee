package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"twinbucket/server"
)

// replication holds, releases or advances the workers.
func (c *cli) replication(ctx context.Context, args []string) error {
	fs := c.flags("replication", "pause|resume|step")
	op := c.operatorFlags(fs)
	n := fs.Int("n", 1, "step: how many versions")
	rest, err := c.parse(fs, args, 1)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return hint(usagef("what shall the workers do?"), "twinbucket replication pause, resume or step --n 1")
	}
	switch rest[0] {
	case "pause", "resume":
		var st server.ReplicationState
		if err := op.call(ctx, "POST", "replication/"+rest[0], nil, nil, &st); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "%sd; %d versions wait\n", rest[0], st.Pending)
	case "step":
		var out struct {
			Ran int `json:"ran"`
		}
		if err := op.call(ctx, "POST", "replication/step", url.Values{"n": {strconv.Itoa(*n)}}, nil, &out); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "%d attempts made\n", out.Ran)
	default:
		return hint(usagef("unknown order %q", rest[0]), "twinbucket replication pause, resume or step --n 1")
	}
	return nil
}
