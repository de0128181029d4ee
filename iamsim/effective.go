package iamsim

import (
	"fmt"
	"strings"

	"twinbucket/iamsim/policy"
)

// effective is what an authorization needs of a user or role, ready to use. Immutable.
type effective struct {
	identity []policy.Source
	boundary []policy.Source
	tags     []contextTag
}

// contextTag is a tag as a condition key.
type contextTag struct{ key, value string }

func principalTag(t, value string) contextTag {
	return contextTag{"aws:principaltag/" + strings.ToLower(t), value}
}

// forgetEffective is called with mu held when policies, attachments or tags have changed.
func (s *Service) forgetEffective() {
	s.generation++
	clear(s.effective)
}

// effectiveOf returns what the user or role of that unique id has: nil when it was
// deleted, so that a session of a deleted role may do nothing.
func (s *Service) effectiveOf(id string) (*effective, error) {
	s.mu.RLock()
	eff := s.effective[id]
	e, generation := s.image.byID[id], s.generation
	if eff != nil || e == nil {
		s.mu.RUnlock()
		return eff, nil
	}
	holders := append([]*entity{e}, s.image.groupsOf(e)...)
	var attached []*managedPolicy
	for _, h := range holders {
		for _, arn := range h.Attached {
			attached = append(attached, s.managed(s.image, arn))
		}
	}
	boundary := s.managed(s.image, e.Boundary)
	s.mu.RUnlock()

	eff, err := s.buildEffective(holders, attached, boundary)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation == generation {
		s.effective[id] = eff
	}
	return eff, nil
}

// buildEffective takes the entity, followed by its groups if it is a user with any.
func (s *Service) buildEffective(holders []*entity, attached []*managedPolicy, boundary *managedPolicy) (*effective, error) {
	eff := &effective{}
	for _, h := range holders {
		for _, p := range h.Inline {
			src, err := s.inlineSource(h, p)
			if err != nil {
				return nil, err
			}
			eff.identity = append(eff.identity, src)
		}
	}
	for _, p := range attached {
		src, err := s.managedSource(policy.Identity, p)
		if err != nil {
			return nil, err
		}
		eff.identity = append(eff.identity, src)
	}
	if boundary != nil {
		src, err := s.managedSource(policy.Boundary, boundary)
		if err != nil {
			return nil, err
		}
		eff.boundary = []policy.Source{src}
	}
	for _, t := range holders[0].Tags {
		eff.tags = append(eff.tags, principalTag(t.Key, t.Value))
	}
	return eff, nil
}

// inlineSource is an inline policy as a decision takes it.
func (s *Service) inlineSource(e *entity, p inlinePolicy) (policy.Source, error) {
	doc, err := s.ParsePolicy(p.Text)
	if err != nil {
		return policy.Source{}, fmt.Errorf("iamsim: stored policy %s of %s: %w", p.Name, e.arn, err)
	}
	return policy.Source{Type: policy.Identity, Owner: e.Account, Name: string(e.Kind) + " policy " + e.Name + "/" + p.Name, Doc: doc}, nil
}

// managed finds a managed policy by ARN: AWS's or a customer's; nil if there is none.
func (s *Service) managed(im *image, arn string) *managedPolicy {
	if p := s.aws[arn]; p != nil {
		return p
	}
	account, name, ok := splitPolicyARN(arn)
	if !ok {
		return nil
	}
	if p := im.policies[nameKey(account, name)]; p != nil && p.arn == arn {
		return p
	}
	return nil
}

// splitPolicyARN takes a managed policy's ARN apart; name is without the path.
func splitPolicyARN(arn string) (account, name string, ok bool) {
	rest, ok := strings.CutPrefix(arn, "arn:aws:iam::")
	if !ok {
		return "", "", false
	}
	account, rest, _ = strings.Cut(rest, ":")
	if !strings.HasPrefix(rest, "policy/") {
		return "", "", false
	}
	return account, rest[strings.LastIndexByte(rest, '/')+1:], true
}

func (s *Service) managedSource(typ policy.Type, p *managedPolicy) (policy.Source, error) {
	doc, err := s.ParsePolicy(p.text())
	if err != nil {
		return policy.Source{}, fmt.Errorf("iamsim: stored policy %s: %w", p.arn, err)
	}
	return policy.Source{Type: typ, Owner: p.Account, Name: p.arn, Doc: doc}, nil
}
