package main

import (
	"context"
	"fmt"
	"net/url"
)

// reset empties the state of a running emulator.
func (c *cli) reset(ctx context.Context, args []string) error {
	fs := c.flags("reset", "")
	op := c.operatorFlags(fs)
	account := fs.String("account", "", "empty only this account")
	if _, err := c.parse(fs, args, 0); err != nil {
		return err
	}
	q := url.Values{}
	if *account != "" {
		q.Set("account", *account)
	}
	var out struct {
		Reset string `json:"reset"`
	}
	if err := op.call(ctx, "POST", "reset", q, nil, &out); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "emptied %s\n", out.Reset)
	return nil
}
