package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"
	"strings"

	"twinbucket/server"
)

// rootKeyEnv holds the root key itself. There is no flag for it: command lines show in ps.
const rootKeyEnv = envPrefix + "ROOT_KEY"

// kmsFlags binds the settings of KMS, its quotas and its keys at rest.
func kmsFlags(fs *flag.FlagSet, cfg *server.Config) {
	fs.Float64Var(&cfg.KMSPerSecond, "kms-tps", 0, "KMS cryptographic requests a second per account and Region; 0 is no limit")
	fs.StringVar(&cfg.KMSQuotaProfile, "kms-quota-profile", server.NoQuotas, "none, or aws: AWS's default request quotas of each Region wherever nothing else limits")
	fs.Func("kms-quota", "`ACCOUNT/REGION/QUOTA=RATE` requests a second, such as */us-east-1/CreateKey=5; * is every one; may be repeated, or several with commas", func(v string) error {
		return addQuotas(cfg, v)
	})
	fs.DurationVar(&cfg.QuotaGrantAfter, "quota-grant-after", 0, "domain `time` after which Service Quotas grants an increase (default 1m)")
	fs.DurationVar(&cfg.BucketKeyTTL, "bucket-key-ttl", 0, "domain `time` for which S3 holds a bucket key for a requester without asking KMS again (default 5m)")
	fs.DurationVar(&cfg.KMSReplicaDelay, "kms-replica-delay", 0, "domain `time` for which a new replica key is Creating, and keys are Updating when their primary Region changes")
	fs.StringVar(&cfg.RootKeyFile, "root-key-file", "", "`file` with the key that seals secrets at rest, 32 bytes in base64; or "+rootKeyEnv+" has it (default root.key in --data, made on the first start)")
}

// addQuotas reads ACCOUNT/REGION/QUOTA=RATE,… The name of a quota may hold slashes.
func addQuotas(cfg *server.Config, v string) error {
	for one := range strings.SplitSeq(v, ",") {
		name, text, _ := strings.Cut(one, "=")
		parts := strings.SplitN(name, "/", 3)
		rate, err := strconv.ParseFloat(text, 64)
		if err != nil || len(parts) != 3 || !(rate >= 0) || math.IsInf(rate, 1) {
			return fmt.Errorf("%q is not ACCOUNT/REGION/QUOTA=RATE", one)
		}
		cfg.KMSQuotas = append(cfg.KMSQuotas, server.Limit{Service: "kms", Account: parts[0], Region: parts[1], Quota: parts[2], PerSecond: rate})
	}
	return nil
}

// rootKey takes the root key from the environment.
func (c *cli) rootKey(cfg *server.Config) error {
	text, ok := c.getenv(rootKeyEnv)
	if !ok || text == "" {
		return nil
	}
	if cfg.RootKeyFile != "" {
		return usagef("%s and --root-key-file exclude each other", rootKeyEnv)
	}
	key, err := server.ParseRootKey(text)
	if err != nil {
		return hint(usagef("%s: %v", rootKeyEnv, err), "make one with: head -c 32 /dev/urandom | base64")
	}
	cfg.RootKey = key
	return nil
}

// rootKeyHint says what to do about a root key that does not fit, if err is about one.
func rootKeyHint(err error) error {
	var e *server.RootKeyError
	if !errors.As(err, &e) {
		return nil
	}
	switch {
	case e.Wrong():
		return hint(err, "give the key that it was sealed with (%s, --root-key-file, or root.key in --data); without it the secrets are lost, and only an empty --data helps", rootKeyEnv)
	case e.Missing() && e.Path != "" && strings.HasPrefix(e.Path, e.Data) && e.Data != "":
		return hint(err, "put the file back, or give the key by %s or --root-key-file; without it the secrets are lost, and only an empty --data helps", rootKeyEnv)
	case e.Open():
		return hint(err, "chmod 600 %s, if nobody else has read it", e.Path)
	}
	return hint(err, "a root key is 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64")
}
