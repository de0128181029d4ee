package main

import (
	"context"
	"fmt"
	"runtime"
)

// version prints the version and what it was built with.
func (c *cli) version(_ context.Context, args []string) error {
	if _, err := c.parse(c.flags("version", ""), args, 0); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "twinbucket %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
