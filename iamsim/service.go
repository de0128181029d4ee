package iamsim

import (
	"container/list"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/clock"
	"twinbucket/internal/jwt"
	"twinbucket/internal/trail"
	"twinbucket/store/kv"
)

// Config is what a Service needs. Engine, Clock and Logger are required.
type Config struct {
	Engine     kv.Engine
	Clock      clock.Clock
	Rand       io.Reader      // default crypto/rand.Reader
	RootSecret string         // secret of the root keys, default "test"
	Record     trail.Recorder // optional
	Enforce    Enforcement    // default Strict
	// Organization replaces the stored one at Open and after a Reset of everything; nil
	// leaves the stored one, and after a Reset none.
	Organization *Organization
	// OnSoftDenial is told of every denial that is not enforced; optional.
	OnSoftDenial func(*policy.Decision)
	// Issuers are the public keys of OpenID Connect issuers by URL, "https://issuer.example.com":
	// a JSON Web Key Set or PEM. AWS fetches them from the issuer; nothing is fetched here.
	Issuers map[string][]byte
	Logger  *slog.Logger
}

// Service holds accounts, users, roles, policies and sessions, serves the IAM and
// STS APIs, and decides every request of every service. It is safe for concurrent use.
type Service struct {
	cfg        Config
	random     *source
	verifier   *sigv4.Verifier
	parsed     *parsed
	aws        map[string]*managedPolicy // AWS managed policies, by ARN
	operations map[string]*operation     // by service and name
	issuerKeys map[string]jwt.Keys       // by issuer URL; set by Open
	messages   *messages
	// transportTime is real time: signatures are made with the client's real clock.
	transportTime func() time.Time

	// writing is held by the one change that is being made.
	writing sync.Mutex

	mu         sync.RWMutex
	image      *image                // guarded by mu; changed only with writing held too
	effective  map[string]*effective // guarded by mu
	generation uint64                // guarded by mu; counts what empties effective
}

// New returns a Service on cfg.Engine; call Open before use.
func New(cfg Config) *Service {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.RootSecret == "" {
		cfg.RootSecret = "test"
	}
	if cfg.Enforce == "" {
		cfg.Enforce = Strict
	}
	if cfg.Record == nil {
		cfg.Record = func(trail.Event, time.Duration, error) {}
	}
	random := &source{r: cfg.Rand}
	m := &messages{random: random}
	m.aead = sync.OnceValue(m.newAEAD)
	return &Service{
		cfg:           cfg,
		random:        random,
		messages:      m,
		verifier:      &sigv4.Verifier{},
		parsed:        &parsed{byText: map[string]*list.Element{}, order: list.New()},
		aws:           awsManagedPolicies(),
		operations:    operationTable(),
		transportTime: time.Now,
		image:         newImage(),
		effective:     map[string]*effective{},
	}
}

// Open loads what the service keeps in memory.
func (s *Service) Open(ctx context.Context) error {
	var err error
	if s.issuerKeys, err = parseIssuers(s.cfg.Issuers); err != nil {
		return err
	}
	s.writing.Lock()
	err = s.reload(ctx)
	s.writing.Unlock()
	if err != nil || s.cfg.Organization == nil {
		return err
	}
	return s.SetOrganization(ctx, s.cfg.Organization)
}

// Close stores what is only kept in memory and releases the rest. The engine stays
// open: it is its owner's.
func (s *Service) Close(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.saveKeyUses(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.image = newImage()
	s.forgetEffective()
	return err
}

// PrincipalID returns the unique id of a live user or role, given its ARN or, as a
// pinned principal of a dead entity is shown, the id itself (I23). It implements
// policy.Resolver.
func (s *Service) PrincipalID(arn string) (id string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.image.principalID(arn)
}

func (im *image) principalID(arn string) (id string, ok bool) {
	e := im.entityByARN(arn)
	if e == nil {
		e = im.byID[arn]
	}
	if e == nil {
		return "", false
	}
	return e.ID, true
}

var _ policy.Resolver = (*Service)(nil)
