package quotasapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"twinbucket/internal/clock"
	"twinbucket/internal/quota"
	"twinbucket/store/kv"
)

// Values of RequestStatus (K102).
const (
	statusPending  = "PENDING"
	statusApproved = "APPROVED"
)

// request is one request for an increase, as stored under quotas/request/<account>/<id>.
type request struct {
	ID        string
	Account   string
	Region    string
	Quota     string
	Desired   float64
	Requester string // ARN
	Created   time.Time
	// Grant is when it is or was granted.
	Grant  time.Time
	Status string
}

const prefixRequest = "quotas/request/"

func (r *request) record() []byte { return []byte(prefixRequest + r.Account + "/" + r.ID) }

// limit is what a granted request sets.
func (r *request) limit() quota.Limit {
	return quota.Limit{Service: serviceCode, Account: r.Account, Region: r.Region, Quota: r.Quota, PerSecond: r.Desired}
}

// load reads all requests and sets what was granted, in the order of the grants.
func (s *Service) load(ctx context.Context) error {
	requests := map[string]*request{}
	err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		clear(requests)
		return r.Scan([]byte(prefixRequest), kv.PrefixEnd([]byte(prefixRequest)), func(k, v []byte) (bool, error) {
			one := new(request)
			if err := json.Unmarshal(v, one); err != nil {
				return false, fmt.Errorf("record %s: %w", k, err)
			}
			requests[one.ID] = one
			return true, nil
		})
	})
	if err != nil {
		return fmt.Errorf("quotasapi: load: %w", err)
	}
	s.mu.Lock()
	s.requests = requests
	s.mu.Unlock()
	for _, r := range s.list(func(r *request) bool { return r.Status == statusApproved }) {
		if err := s.cfg.Limits.Set(r.limit()); err != nil {
			return err
		}
	}
	return nil
}

// list gives the requests that fit, oldest first.
func (s *Service) list(fit func(*request) bool) []*request {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*request
	for _, r := range s.requests {
		if fit(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *request) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return out
}

// put stores a request and publishes it. The caller holds the write lock.
func (s *Service) put(ctx context.Context, r *request) error {
	v, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error { tx.Put(r.record(), v); return nil }); err != nil {
		return err
	}
	s.mu.Lock()
	s.requests[r.ID] = r
	s.mu.Unlock()
	return nil
}

// settle grants what is due at now. Every operation calls it first, so none ever sees a
// request past its time, however the clock was moved.
func (s *Service) settle(ctx context.Context, now time.Time) error {
	due := func(r *request) bool { return r.Status == statusPending && !r.Grant.After(now) }
	if len(s.list(due)) == 0 {
		return nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	for _, r := range s.list(due) {
		granted := *r
		granted.Status = statusApproved
		if err := s.put(ctx, &granted); err != nil {
			return err
		}
		if err := s.cfg.Limits.Set(granted.limit()); err != nil {
			return err
		}
	}
	if s.cfg.OnGrant != nil {
		s.cfg.OnGrant(ctx)
	}
	return nil
}

// retryAfter is how long the granter waits, in domain time, after the engine failed.
const retryAfter = time.Minute

// grantDue grants requests at their time when no operation comes along, until ctx ends.
func (s *Service) grantDue(ctx context.Context) {
	for ctx.Err() == nil {
		now := s.cfg.Clock.Now()
		wait := clock.Forever
		for _, r := range s.list(func(r *request) bool { return r.Status == statusPending }) {
			wait = min(wait, r.Grant.Sub(now))
		}
		if wait <= 0 {
			err := s.settle(ctx, now)
			if err == nil {
				continue
			}
			s.cfg.Logger.ErrorContext(ctx, "quotas: granting failed, will retry", "error", err)
			wait = retryAfter
		}
		clock.Wait(ctx, s.cfg.Clock, wait, s.wake)
	}
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // already awake
	}
}

// Reset forgets the requests of account, or all when account is "", and takes back what
// they were granted.
func (s *Service) Reset(ctx context.Context, account string) error {
	s.write.Lock()
	defer s.write.Unlock()
	for _, r := range s.list(func(r *request) bool { return account == "" || r.Account == account }) {
		if err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error { tx.Delete(r.record()); return nil }); err != nil {
			return fmt.Errorf("quotasapi: reset: %w", err)
		}
		s.mu.Lock()
		delete(s.requests, r.ID)
		s.mu.Unlock()
		if r.Status == statusApproved {
			s.cfg.Limits.Remove(r.limit())
		}
	}
	return nil
}
