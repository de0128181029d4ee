package cwapi

import (
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"twinbucket/iamsim"
	"twinbucket/internal/clock"
	"twinbucket/internal/trail"
)

// Config is what a Service needs. IAM and Clock are required.
type Config struct {
	IAM    *iamsim.Service
	Clock  clock.Clock
	Rand   io.Reader      // default crypto/rand.Reader; safe for concurrent use
	Record trail.Recorder // optional
	Logger *slog.Logger   // default: nothing is logged
}

// Service keeps metrics and answers for CloudWatch. It starts nothing and needs no Close.
type Service struct {
	cfg    Config
	ops    map[string]*operation
	cbor   cborCodec
	memory memory

	// realTime measures how long calls take; nothing else may use it.
	realTime func() time.Time
}

// New returns a Service without metrics.
func New(cfg Config) *Service {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: cfg, ops: map[string]*operation{}, cbor: newCBORCodec(), realTime: time.Now}
	s.memory.series = map[seriesKey]*record{}
	for _, op := range table() {
		s.ops[op.name] = op
	}
	return s
}

// Record takes one measurement of a series at a time of the domain clock.
func (s *Service) Record(series Series, at time.Time, value float64) {
	s.memory.record(series, at, value)
}

// Reset forgets the metrics of account, or all of them when account is "".
func (s *Service) Reset(account string) { s.memory.reset(account) }

// newID makes a request or event id.
func (s *Service) newID() string {
	u, err := uuid.NewRandomFromReader(s.cfg.Rand)
	if err != nil {
		return uuid.Nil.String()
	}
	return u.String()
}
