package server

import (
	"io"
	"log/slog"
	"time"
)

// Config is every setting of a server. The zero value of a field means its default.
type Config struct {
	// Listen is host:port; port 0 picks a free one. Default 127.0.0.1:4566.
	Listen string
	// Data is the directory that keeps the state. Empty means a throw-away store.
	Data string
	// RootSecret is the secret key of the root access keys. Default "test".
	RootSecret string
	// KMSPerSecond limits KMS cryptographic requests per account and Region; 0 means no limit.
	KMSPerSecond float64
	// Workers is how many replication attempts run at once. Default 8.
	Workers int
	// RedirectRegions answers requests signed for the wrong Region as AWS does.
	RedirectRegions bool
	// Domains are further host suffixes for virtual-host buckets.
	Domains []string
	// OperatorToken, when set, must come as a bearer token with state-changing operator calls.
	OperatorToken string
	// TrailSize is how many calls the trail keeps. Default 10,000.
	TrailSize int
	// DrainTimeout bounds Close. Default 10 s.
	DrainTimeout time.Duration
	// Version is what health and version report.
	Version string
	Logger  *slog.Logger // default: discard
	Rand    io.Reader    // default crypto/rand.Reader
}

// Defaults in one place.
const (
	DefaultListen  = "127.0.0.1:4566"
	defaultSecret  = "test"
	defaultTrail   = 10_000
	defaultDrain   = 10 * time.Second
	readHeaderTime = 30 * time.Second
	maxHeaderBytes = 64 << 10
	idleTime       = 2 * time.Minute
)

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.RootSecret == "" {
		c.RootSecret = defaultSecret
	}
	if c.TrailSize == 0 {
		c.TrailSize = defaultTrail
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = defaultDrain
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	return c
}
