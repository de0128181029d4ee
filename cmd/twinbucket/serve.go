package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"twinbucket/server"
)

// serveFlags binds every setting of a server to a flag.
func serveFlags(fs *flag.FlagSet) (cfg *server.Config, memory *bool, config, logLevel, logFormat *string) {
	cfg = &server.Config{Version: version}
	fs.StringVar(&cfg.Listen, "listen", server.DefaultListen, "`address` to listen on; anything but loopback opens the root keys to the network")
	fs.StringVar(&cfg.Data, "data", "", "`directory` that keeps the state")
	memory = fs.Bool("memory", false, "keep nothing: a throw-away store (the default without --data)")
	fs.StringVar(&cfg.RootSecret, "root-secret", "test", "secret key of the root access keys")
	kmsFlags(fs, cfg)
	fs.IntVar(&cfg.Workers, "workers", 8, "replication attempts at once")
	fs.Int64Var(&cfg.ReplicationBandwidth, "replication-bandwidth", 0, "`bytes` a second replicated to one destination bucket; 0 is no limit")
	fs.BoolVar(&cfg.StrictRegions, "strict-regions", false, "refuse S3 requests signed for another Region than the bucket's with 301 or 400, as AWS does")
	fs.Func("notify", "`ARN=URL` of an endpoint that gets the S3 events for the topic, queue or function; * is every ARN; may be repeated", func(v string) error {
		arn, url, ok := strings.Cut(v, "=")
		if !ok || arn == "" {
			return errors.New("it takes ARN=URL")
		}
		if cfg.Notify == nil {
			cfg.Notify = map[string]string{}
		}
		cfg.Notify[arn] = url
		return nil
	})
	fs.StringVar(&cfg.OperatorToken, "operator-token", "", "ask for this bearer token on state-changing operator calls")
	fs.DurationVar(&cfg.DrainTimeout, "drain", 10*time.Second, "how long SIGTERM waits for requests under way")
	fs.Func("domain", "further host `suffix` for virtual-host buckets; may be repeated", func(v string) error {
		cfg.Domains = append(cfg.Domains, v)
		return nil
	})
	fs.Func("oidc-issuer", "`URL=FILE` of an OpenID Connect issuer and its public keys (JWKS or PEM), for AssumeRoleWithWebIdentity; may be repeated", func(v string) error {
		return addIssuer(cfg, v)
	})
	policyFlags(fs, cfg)
	config = fs.String("config", "", "JSON `file` with flag names as keys; flags and environment win over it")
	logLevel = fs.String("log-level", "info", "debug, info, warn or error; debug logs every call")
	logFormat = fs.String("log-format", "", "text or json; default: text on a terminal, else json")
	return cfg, memory, config, logLevel, logFormat
}

// addIssuer reads URL=FILE.
func addIssuer(cfg *server.Config, v string) error {
	url, file, ok := strings.Cut(v, "=")
	if !ok || !strings.HasPrefix(url, "https://") {
		return errors.New("it takes https://ISSUER=FILE")
	}
	keys, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if cfg.OIDCIssuers == nil {
		cfg.OIDCIssuers = map[string][]byte{}
	}
	cfg.OIDCIssuers[url] = keys
	return nil
}

// serve runs the emulator until it is told to stop.
func (c *cli) serve(ctx context.Context, args []string) error {
	flags := c.flags("serve", "")
	cfg, memory, config, logLevel, logFormat := serveFlags(flags)
	if _, err := c.parse(flags, args, 0); err != nil {
		return err
	}
	if *config != "" {
		if err := c.applyConfig(flags, *config); err != nil {
			return err
		}
	}
	if err := c.rootKey(cfg); err != nil {
		return err
	}
	if *memory && cfg.Data != "" {
		return usagef("--memory and --data exclude each other")
	}
	log, err := newLogger(c.stderr, *logLevel, *logFormat)
	if err != nil {
		return err
	}
	cfg.Logger = log
	c.warnUnknownEnv(log, flags)

	srv := server.New(*cfg)
	if err := srv.Open(ctx); err != nil {
		return serveHint(err, cfg)
	}
	announce(log, srv, cfg)
	select {
	case <-ctx.Done():
		log.Info("stopping", "drain", cfg.DrainTimeout)
	case err := <-srv.Failed():
		return errors.Join(err, srv.Close(context.WithoutCancel(ctx)))
	}
	if err := srv.Close(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	log.Info("stopped")
	return nil
}

// announce says where the server is, what it keeps and which keys are open.
func announce(log *slog.Logger, srv *server.Server, cfg *server.Config) {
	state := cfg.Data
	if state == "" {
		state = "memory (nothing is kept)"
	}
	log.Info("twinbucket is ready", "endpoint", srv.URL(), "state", state, "version", version)
	secret := "the given --root-secret"
	if cfg.RootSecret == "test" {
		secret = `"test"`
	}
	log.Warn("root keys are open: access key test is root of 000000000000, any 12-digit access key is root of that account", "secret", secret)
	warnEnforcement(log, cfg)
	if host, _, err := net.SplitHostPort(cfg.Listen); err == nil {
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			log.Warn("listening beyond loopback: whoever reaches this port has root keys; set --root-secret and --operator-token", "listen", cfg.Listen)
		}
	}
}

// serveHint adds what to do to the errors that people meet when they start a server.
func serveHint(err error, cfg *server.Config) error {
	if hinted := rootKeyHint(err); hinted != nil {
		return hinted
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return hint(fmt.Errorf("%s is in use by another program", cfg.Listen), "stop it, or listen elsewhere: --listen 127.0.0.1:0 picks a free port")
	case server.InUse(err):
		return hint(err, "stop it, or give this one its own --data and --listen")
	case server.Unwritable(err):
		return hint(err, "give --data a directory that this user may write, or use --memory")
	case errors.Is(err, syscall.EACCES):
		return hint(err, "ports under 1024 need privileges: pick a higher one")
	}
	return err
}

// applyConfig sets flags from a JSON file, where neither the command line nor the
// environment did.
func (c *cli) applyConfig(flags *flag.FlagSet, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return hint(err, "--config takes a JSON file such as {\"listen\": \"127.0.0.1:4566\", \"kms-tps\": 5}")
	}
	var values map[string]any
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&values); err != nil {
		return usagef("%s is not a JSON object: %v", path, err)
	}
	given := map[string]bool{"config": true}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range values {
		if flags.Lookup(name) == nil || name == "config" {
			return usagef("%s: unknown setting %q", path, name)
		}
		if given[name] {
			continue
		}
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, v := range list {
			if err := flags.Set(name, fmt.Sprint(v)); err != nil {
				return usagef("%s: %s: %v", path, name, err)
			}
		}
	}
	return nil
}

// warnUnknownEnv tells of variables that look like settings and do nothing.
func (c *cli) warnUnknownEnv(log *slog.Logger, flags *flag.FlagSet) {
	known := map[string]bool{envPrefix + "ENDPOINT": true, envPrefix + "TOKEN": true, rootKeyEnv: true}
	flags.VisitAll(func(f *flag.Flag) { known[envName(f.Name)] = true })
	for _, kv := range c.env {
		if k, _, _ := strings.Cut(kv, "="); strings.HasPrefix(k, envPrefix) && !known[k] {
			log.Warn("this environment variable does nothing; twinbucket serve -h lists the flags", "name", k)
		}
	}
}

// newLogger makes text on a terminal and JSON otherwise.
func newLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level must be debug, info, warn or error, not %q", level)
	}
	opts := &slog.HandlerOptions{Level: l}
	if format == "" {
		format = "json"
		if f, ok := w.(*os.File); ok && isTerminal(f) {
			format = "text"
		}
	}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, usagef("--log-format must be text or json, not %q", format)
}

// isTerminal tells a terminal from a file or pipe; that it also takes /dev/null for
// one does no harm here.
func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
