package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// errSaid is the end of a verb that has printed its verdict: exit status 1 without
// another word.
var errSaid = errors.New("the verdict is printed")

// policy works on policies: with files alone, or with those of a running emulator.
func (c *cli) policy(ctx context.Context, args []string) error {
	const usage = "twinbucket policy simulate|lint|generate; each takes -h"
	if len(args) == 0 {
		return hint(usagef("policy needs an order"), usage)
	}
	switch order, rest := args[0], args[1:]; order {
	case "simulate":
		return c.policySimulate(ctx, rest)
	case "lint":
		return c.policyLint(rest)
	case "generate":
		return c.policyGenerate(ctx, rest)
	case "-h", "--help", "help":
		fmt.Fprintln(c.stdout, "Usage:", usage)
		return nil
	default:
		return hint(usagef("unknown order %q", order), usage)
	}
}

// readPolicy reads a policy file.
func readPolicy(path string) (string, error) {
	b, err := os.ReadFile(path)
	return string(b), err
}
