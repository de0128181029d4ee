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
	// RootKey seals what is secret in Data; or RootKeyFile has it. Without either Data
	// keeps one of its own, in the file root.key.
	RootKey     *RootKey
	RootKeyFile string
	// KMSReplicaDelay is how long multi-Region keys are Creating and Updating, in domain time.
	KMSReplicaDelay time.Duration
	// KMSPerSecond limits KMS cryptographic requests per account and Region; 0 means no limit.
	KMSPerSecond float64
	// KMSQuotaProfile is what limits KMS requests where nothing else does: NoQuotas, the
	// default, or AWSQuotas.
	KMSQuotaProfile string
	// KMSQuotas are further limits, of service "kms"; the most specific one applies.
	KMSQuotas []Limit
	// QuotaGrantAfter is how long, in domain time, Service Quotas takes to grant a request
	// for an increase. Default one minute.
	QuotaGrantAfter time.Duration
	// BucketKeyTTL is how long S3 holds the key of a bucket with an S3 Bucket Key for a
	// requester, in domain time. Default five minutes.
	BucketKeyTTL time.Duration
	// Workers is how many replication attempts run at once. Default 8.
	Workers int
	// ReplicationBandwidth limits the bytes a second replicated to one destination bucket;
	// 0 means no limit.
	ReplicationBandwidth int64
	// StrictRegions refuses S3 requests signed for another Region than the bucket's as AWS does.
	StrictRegions bool
	// Notify are the URLs that S3 events are sent to, by the ARN of their target; "*" for
	// every ARN that has none of its own.
	Notify map[string]string
	// OIDCIssuers are the public keys of OpenID Connect issuers by URL, for
	// AssumeRoleWithWebIdentity: a JSON Web Key Set or PEM each.
	OIDCIssuers map[string][]byte
	// Enforce says what becomes of denials: "strict" (the default), "soft" or "off".
	Enforce Enforcement
	// Organization is the AWS Organization of the accounts, with its service and resource
	// control policies. It replaces the stored one; nil leaves that.
	Organization *Organization
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
