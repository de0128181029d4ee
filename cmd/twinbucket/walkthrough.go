package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"twinbucket/walkthrough"
)

// walkthrough plays a documented scenario against a server of its own, or a running
// one. Without a name it lists them.
func (c *cli) walkthrough(ctx context.Context, args []string) error {
	fs := c.flags("walkthrough", "[NAME]")
	var opts walkthrough.Options
	fs.StringVar(&opts.Endpoint, "endpoint", "", "`URL` of a running emulator; without it the walkthrough starts its own")
	fs.StringVar(&opts.RootSecret, "root-secret", "test", "secret of the root keys")
	fs.StringVar(&opts.Token, "token", "", "operator token, when the emulator asks for one")
	rest, err := c.parse(fs, args, 1)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return c.listWalkthroughs()
	}
	err = walkthrough.Run(ctx, c.stdout, rest[0], opts)
	if errors.Is(err, walkthrough.ErrUnknown) {
		return hint(fmt.Errorf("%w: %v", errUsage, err), "twinbucket walkthrough lists them")
	}
	return err
}

func (c *cli) listWalkthroughs() error {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, s := range walkthrough.List() {
		fmt.Fprintf(w, "%s\t%s\n", s.Name, s.Text)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.stdout, "\nPlay one: twinbucket walkthrough NAME [--endpoint URL]")
	return err
}
