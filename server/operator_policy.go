package server

import (
	"errors"
	"net/http"
	"strings"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// Policies as the operator API and the verbs of the command line see them.
type (
	// Enforcement says what becomes of denials.
	Enforcement = iamsim.Enforcement
	// Organization is what GET and PUT organization take and give.
	Organization = iamsim.Organization
	// Simulation is a request to decide, with policies to decide it by.
	Simulation = policy.Simulation
	// SimulationResult is the decision of a Simulation.
	SimulationResult = policy.SimulationResult
	// PolicyText is a policy of a Simulation.
	PolicyText = policy.Text
	// PolicyFinding is one fault of a policy text.
	PolicyFinding = policy.Finding
	// PolicyUse is a permission that somebody used.
	PolicyUse = policy.Use
)

// ParseEnforcement reads "strict", "soft" or "off"; "" is strict.
func ParseEnforcement(text string) (Enforcement, error) { return iamsim.ParseEnforcement(text) }

// SimulatePolicy decides a request by the policies of s alone; no server is asked.
func SimulatePolicy(s *Simulation) (*SimulationResult, error) { return policy.Simulate(s) }

// LintPolicy reports what AWS would refuse about a policy of a kind ("identity", "trust",
// "bucket", "key", "session", "scp" or "rcp") and what could never match.
func LintPolicy(text, kind, bucket string, managed bool) ([]PolicyFinding, error) {
	for _, k := range policy.DocumentKinds() {
		if string(k) == kind {
			return policy.Lint(text, policy.LintOptions{Kind: k, Bucket: bucket, Managed: managed}), nil
		}
	}
	var kinds []string
	for _, k := range policy.DocumentKinds() {
		kinds = append(kinds, string(k))
	}
	return nil, errors.New("a policy is of type " + strings.Join(kinds, ", ") + ", not " + kind)
}

// GeneratePolicy is the smallest policy that allows what uses lists.
func GeneratePolicy(uses []PolicyUse) string { return policy.Generate(uses) }

// UsesOf lists the permissions that events of a trail show principal using: a user, a
// role with all its sessions, one session, or an account's root. Denied requests count
// only with denied, except that those let through by soft enforcement always count.
func UsesOf(events []TrailEvent, principal string, denied bool) ([]PolicyUse, error) {
	p, err := policy.ParsePrincipal(principal)
	if err != nil {
		return nil, err
	}
	var uses []PolicyUse
	for i := range events {
		if !isActor(events[i].UserIdentity.ARN, principal, &p) {
			continue
		}
		for _, a := range events[i].Authorizations {
			if a.Outcome == string(policy.Allowed) || a.NotEnforced || denied {
				uses = append(uses, PolicyUse{Action: a.Action, Resource: a.Resource})
			}
		}
	}
	return uses, nil
}

// isActor reports whether the ARN of an event's caller is principal, or a session of it.
func isActor(caller, principal string, p *policy.Principal) bool {
	if p.Type != policy.AssumedRole || caller == principal {
		return caller == p.ARN
	}
	sessions := p.ARN[:strings.LastIndexByte(p.ARN, '/')+1]
	return strings.HasPrefix(principal, "arn:aws:iam:") && strings.HasPrefix(caller, sessions)
}

// getOrganization shows the organization; without one its id is "".
func (s *Server) getOrganization(w http.ResponseWriter, _ *http.Request) {
	o := s.iam.Organization()
	if o == nil {
		o = &Organization{}
	}
	if o.Accounts == nil {
		o.Accounts = map[string]iamsim.OrganizationAccount{}
	}
	writeJSON(w, http.StatusOK, o)
}

func (s *Server) putOrganization(w http.ResponseWriter, r *http.Request) {
	var o Organization
	if err := decodeJSON(w, r, &o); err != nil {
		writeError(w, http.StatusBadRequest, "BadRequest", err.Error()+`; send {"id":"o-…","managementAccount":"…","accounts":{"111122223333":{"path":"o-…/r-…/","scp":[["FullAWSAccess",{"name":"…","document":{…}}]]}}}`)
		return
	}
	s.setOrganization(w, r, &o)
}

func (s *Server) deleteOrganization(w http.ResponseWriter, r *http.Request) {
	s.setOrganization(w, r, nil)
}

func (s *Server) setOrganization(w http.ResponseWriter, r *http.Request, o *Organization) {
	err := s.iam.SetOrganization(r.Context(), o)
	var bad *iamsim.OrganizationError
	switch {
	case errors.As(err, &bad):
		writeError(w, http.StatusBadRequest, "BadRequest", bad.Error())
	case err != nil:
		s.internalError(w, r, err)
	default:
		s.getOrganization(w, r)
	}
}

// simulatePolicy decides a request as a living principal would meet it now, with the
// policies of the state; those in the body come on top (see [iamsim.Service.SimulateLive]).
func (s *Server) simulatePolicy(w http.ResponseWriter, r *http.Request) {
	var sim Simulation
	if err := decodeJSON(w, r, &sim); err != nil {
		writeError(w, http.StatusBadRequest, "BadRequest", err.Error()+`; send {"principal":"arn:…","action":"s3:GetObject","resource":"arn:…","context":{"aws:SourceIp":["10.0.0.1"]}}`)
		return
	}
	result, err := s.simulate(r, &sim)
	if f := failure.Of(err); f != nil {
		writeError(w, http.StatusNotFound, string(f.Code), f.Message)
		return
	}
	if err != nil {
		writeError(w, http.StatusBadRequest, "BadRequest", err.Error())
		return
	}
	writeJSON(w, http.StatusOK, result)
}

func (s *Server) simulate(r *http.Request, sim *Simulation) (*SimulationResult, error) {
	if _, err := sim.Input(); err != nil { // what is wrong with the question comes first
		return nil, err
	}
	caller, err := s.iam.LiveCaller(sim.Principal)
	if err != nil {
		return nil, err
	}
	action, resource := policy.CanonicalAction(sim.Action), sim.Resource
	if resource == "" {
		resource = "*"
	}
	ask := iamsim.PlainRequest(&caller, action, resource)
	switch service, _, _ := strings.Cut(action, ":"); {
	case service == "s3" && strings.HasPrefix(resource, "arn:") && action != "s3:CreateBucket":
		ask, err = s.s3.Question(r.Context(), &caller, action, resource)
	case service == "kms" && strings.Contains(resource, ":key/"):
		ask, err = s.kms.Question(&caller, action, resource, encryptionContext(sim.Context))
	}
	if err != nil {
		return nil, err
	}
	return s.iam.SimulateLive(&caller, &ask, sim)
}

// encryptionContext reads the entries out of kms:EncryptionContext:entry keys.
func encryptionContext(keys map[string][]string) map[string]string {
	const prefix = "kms:encryptioncontext:"
	entries := map[string]string{}
	for key, values := range keys {
		if len(key) > len(prefix) && strings.EqualFold(key[:len(prefix)], prefix) && len(values) == 1 {
			entries[key[len(prefix):]] = values[0]
		}
	}
	return entries
}
