package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"twinbucket/server"
)

// policyFlags binds the settings about policies.
func policyFlags(fs *flag.FlagSet, cfg *server.Config) {
	fs.Func("enforce", "`mode`: strict refuses what policies deny, soft only logs, counts and shows it, off asks no policy (default strict)", func(v string) (err error) {
		cfg.Enforce, err = server.ParseEnforcement(v)
		return err
	})
	fs.Func("organization", "JSON `file` of an AWS Organization: its accounts, service and resource control policies", func(v string) (err error) {
		cfg.Organization, err = readOrganization(v)
		return err
	})
}

// readOrganization reads an organization; policies that are names of files are read too,
// relative to it.
func readOrganization(path string) (*server.Organization, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var o server.Organization
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	err = o.ReadFiles(func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return os.ReadFile(name)
	})
	return &o, err
}

// warnEnforcement says when policies are not what they are on AWS.
func warnEnforcement(log *slog.Logger, cfg *server.Config) {
	switch cfg.Enforce {
	case "soft":
		log.Warn("enforcement is soft: what policies deny is logged, counted and let through")
	case "off":
		log.Warn("enforcement is off: no policy is asked, whoever has credentials may do everything")
	}
}
