package main

import (
	"context"
	"fmt"
)

// clock shows domain time, or advances it: deletion windows, session expiry, quota
// windows and retries follow.
func (c *cli) clock(ctx context.Context, args []string) error {
	fs := c.flags("clock", "[DURATION]")
	op := c.operatorFlags(fs)
	rest, err := c.parse(fs, args, 1)
	if err != nil {
		return err
	}
	var st struct {
		Now    string `json:"now"`
		Offset string `json:"offset"`
	}
	if len(rest) == 0 {
		err = op.call(ctx, "GET", "clock", nil, nil, &st)
	} else {
		err = op.call(ctx, "POST", "clock", nil, map[string]string{"advance": rest[0]}, &st)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%s (%s ahead of real time)\n", st.Now, st.Offset)
	return nil
}
