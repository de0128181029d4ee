package main

import (
	"context"
	"fmt"
)

// environment prints the variables that point the aws CLI and the SDKs here:
// eval "$(twinbucket env)".
func (c *cli) environment(ctx context.Context, args []string) error {
	fs := c.flags("env", "")
	op := c.operatorFlags(fs)
	account := fs.String("account", "000000000000", "account whose root key to use")
	region := fs.String("region", "us-east-1", "Region")
	secret := fs.String("root-secret", "test", "secret of the root keys")
	if _, err := c.parse(fs, args, 0); err != nil {
		return err
	}
	key := *account
	if key == "000000000000" {
		key = "test"
	}
	for _, kv := range [][2]string{
		{"AWS_ENDPOINT_URL", op.endpoint}, {"AWS_ACCESS_KEY_ID", key}, {"AWS_SECRET_ACCESS_KEY", *secret},
		{"AWS_REGION", *region}, {"AWS_DEFAULT_REGION", *region},
	} {
		fmt.Fprintf(c.stdout, "export %s=%q\n", kv[0], kv[1])
	}
	return nil
}
