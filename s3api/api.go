package s3api

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"time"

	"twinbucket/iamsim"
	"twinbucket/internal/clock"
	"twinbucket/internal/trail"
	"twinbucket/store"
)

// Config is what an API needs.
type Config struct {
	Store  *store.Store
	IAM    *iamsim.Service
	Keys   KeyService
	Clock  clock.Clock
	Rand   io.Reader      // default crypto/rand.Reader
	Record trail.Recorder // optional
	Logger *slog.Logger
	// Domains are the host suffixes under which a first label is a bucket name,
	// besides localhost, localhost.localstack.cloud and amazonaws.com.
	Domains []string
	// StrictRegions refuses requests signed for another Region than the bucket's as AWS
	// does (301 or 400, S169) instead of serving them.
	StrictRegions bool
	// Notify delivers an event, as JSON, to the target with the ARN. It must not block.
	// nil: events go nowhere.
	Notify func(targetARN string, event []byte)
	// KeyChecks answers what Keys would; only Imagine and ForeseeReplication need it.
	KeyChecks KeyChecker
	// BucketKeyTTL is how long a bucket-level key (S3 Bucket Keys) is held for a requester,
	// in domain time; 0 means five minutes.
	BucketKeyTTL time.Duration
}

// DataKey is a new data key under a KMS key.
type DataKey struct {
	Plaintext  []byte
	Ciphertext []byte
	KeyARN     string
}

// KeyService is KMS as S3 calls it for somebody. caller is already
// ThroughService("s3.<region>.amazonaws.com"); region is where the key must live.
// Errors are *failure.Error with KMS's codes and messages.
type KeyService interface {
	GenerateDataKey(ctx context.Context, caller iamsim.Caller, region, keyID string, encCtx map[string]string) (DataKey, error)
	Decrypt(ctx context.Context, caller iamsim.Caller, region string, ciphertext []byte, encCtx map[string]string) (plaintext []byte, keyARN string, err error)
	Encrypt(ctx context.Context, caller iamsim.Caller, region, keyID string, plaintext []byte, encCtx map[string]string) (ciphertext []byte, keyARN string, err error)
}

// API serves S3 over HTTP and to the replicator. It is safe for concurrent use.
type API struct {
	cfg        Config
	router     *router
	rand       io.Reader
	bucketKeys *bucketKeys
}

// New builds an API. It opens nothing and starts nothing.
func New(cfg Config) *API {
	a := &API{cfg: cfg, router: newRouter(operationTable(), cfg.Domains), rand: rand.Reader}
	if cfg.Rand != nil {
		a.rand = &lockedReader{r: cfg.Rand}
	}
	a.bucketKeys = newBucketKeys(cfg.Clock, cmp.Or(cfg.BucketKeyTTL, defaultBucketKeyTTL))
	return a
}

// lockedReader makes a reader that tests seed safe for concurrent requests.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}
