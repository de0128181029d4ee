package server

import (
	"context"
	"fmt"
	"net/http"

	"twinbucket/internal/quota"
	"twinbucket/kmsapi"
	"twinbucket/quotasapi"
)

// Profiles of KMS request quotas.
const (
	// NoQuotas limits nothing but what was set.
	NoQuotas = "none"
	// AWSQuotas limits whatever was not set as AWS does by default, per Region.
	AWSQuotas = "aws"
)

// openQuotas sets the limits of the configuration.
func (s *Server) openQuotas() error {
	switch s.cfg.KMSQuotaProfile {
	case "", NoQuotas:
	case AWSQuotas:
		s.limits.SetDefault(func(service, region, name string) (float64, bool) {
			if service != "kms" {
				return 0, false
			}
			return kmsapi.DefaultQuota(region, name)
		})
	default:
		return fmt.Errorf("the KMS quota profile is %s or %s, not %q", NoQuotas, AWSQuotas, s.cfg.KMSQuotaProfile)
	}
	limits := s.cfg.KMSQuotas
	if s.cfg.KMSPerSecond > 0 {
		limits = append([]quota.Limit{{Service: "kms", Quota: "symmetric", PerSecond: s.cfg.KMSPerSecond}}, limits...)
	}
	for _, lim := range limits {
		if err := s.limits.Set(lim); err != nil {
			return err
		}
	}
	return nil
}

// newServiceQuotas makes the API by which clients see the quotas of KMS and ask for more.
// A grant lets throttled replication try again at once.
func (s *Server) newServiceQuotas() *quotasapi.Service {
	return quotasapi.New(quotasapi.Config{
		Engine: s.engine, IAM: s.iam, Clock: s.clock, Limits: s.limits, Quotas: kmsapi.QuotaNames(), Default: kmsapi.DefaultQuota,
		GrantAfter: s.cfg.QuotaGrantAfter, OnGrant: s.nudgeReplication, Record: s.record, Logger: s.cfg.Logger,
	})
}

// nudgeReplication makes throttled attempts due.
func (s *Server) nudgeReplication(ctx context.Context) {
	if err := s.replicator.Nudge(ctx); err != nil {
		s.cfg.Logger.ErrorContext(ctx, "throttled replication could not be hastened", "error", err)
	}
}

func (s *Server) getQuotas(w http.ResponseWriter, r *http.Request) {
	profile := s.cfg.KMSQuotaProfile
	if profile == "" {
		profile = NoQuotas
	}
	writeJSON(w, http.StatusOK, QuotaState{profile, s.limits.Limits(), s.limits.Usage(s.clock.Now())})
}

// putQuota sets one limit; throttled replication tries again at once.
func (s *Server) putQuota(w http.ResponseWriter, r *http.Request) {
	var lim quota.Limit
	if err := decodeJSON(w, r, &lim); err != nil {
		writeError(w, http.StatusBadRequest, "BadRequest", err.Error()+`; send {"service":"kms","account":"*","region":"*","quota":"symmetric","perSecond":500}`)
		return
	}
	if err := s.limits.Set(lim); err != nil {
		writeError(w, http.StatusBadRequest, "BadRequest", err.Error()+"; DELETE takes a limit back")
		return
	}
	s.quotasChanged(w, r)
}

// deleteQuota takes one limit back: ?service&account&region&quota name it as it was set,
// and the less specific limit or the profile applies again.
func (s *Server) deleteQuota(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	lim := quota.Limit{Service: q.Get("service"), Account: q.Get("account"), Region: q.Get("region"), Quota: q.Get("quota")}
	if !s.limits.Remove(lim) {
		writeError(w, http.StatusNotFound, "NoSuchLimit", "no such limit is set; GET quotas lists those that are, with the names to give here")
		return
	}
	s.quotasChanged(w, r)
}

func (s *Server) quotasChanged(w http.ResponseWriter, r *http.Request) {
	if err := s.replicator.Nudge(r.Context()); err != nil {
		s.internalError(w, r, err)
		return
	}
	s.getQuotas(w, r)
}
