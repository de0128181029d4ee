package iamsim

import (
	"context"
	"errors"
	"strings"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// change collects the writes of one call. Its image may be read, not written.
type change struct {
	*image
	service *Service
	writes  []write
	// policies is set when something that authorization depends on changes.
	policies bool
}

type write struct {
	key   string
	value []byte // nil: delete
	apply func(*image)
}

// change runs fn, commits what it wrote and then shows it to readers. Changes run one
// after the other, so fn decides on the newest state. Readers are not held up by the
// commit, and never see what isn't durable.
func (s *Service) change(ctx context.Context, fn func(*change) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	c := &change{image: s.image, service: s}
	if err := fn(c); err != nil {
		return err
	}
	if len(c.writes) == 0 {
		return nil
	}
	if err := s.commit(ctx, c.writes); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range c.writes {
		c.writes[i].apply(s.image)
	}
	if c.policies {
		s.forgetEffective()
	}
	return nil
}

func (s *Service) commit(ctx context.Context, writes []write) error {
	err := s.cfg.Engine.Update(ctx, func(t kv.Txn) error {
		for i := range writes {
			if writes[i].value == nil {
				t.Delete([]byte(writes[i].key))
			} else {
				t.Put([]byte(writes[i].key), writes[i].value)
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, kv.ErrTooLarge):
		return failure.New("LimitExceeded", "The entity is larger than Twinbucket stores.").Because(err)
	case errors.Is(err, kv.ErrUncertain):
		// The image must show what the engine has, whichever it is.
		return errors.Join(err, s.reload(ctx))
	}
	return err
}

// reload replaces the image by what the engine holds. The caller holds s.writing.
func (s *Service) reload(ctx context.Context) error {
	im, err := s.load(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.image = im
	s.forgetEffective()
	return nil
}

// view runs fn while no change is applied.
func (s *Service) view(fn func(*image) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return fn(s.image)
}

func (c *change) add(key string, value []byte, apply func(*image)) {
	c.writes = append(c.writes, write{key, value, apply})
}

func (c *change) putEntity(e *entity) {
	c.policies = true
	e.arn = entityARN(e.Kind, e.Account, e.Path, e.Name)
	c.add(e.storeKey(), encode(e), func(im *image) { im.putEntity(e) })
}

// renameEntity moves an entity to the key of its new name.
func (c *change) renameEntity(from, to *entity) {
	c.add(from.storeKey(), nil, func(im *image) { delete(im.entities(from.Kind), from.key()) })
	c.putEntity(to)
}

func (c *change) deleteEntity(e *entity) {
	c.policies = true
	c.add(e.storeKey(), nil, func(im *image) { im.dropEntity(e) })
	if _, used := c.roleUsed[e.ID]; used {
		c.add(usedPrefix+e.ID, nil, func(*image) {})
	}
}

func (c *change) putPolicy(p *managedPolicy) {
	c.policies = true
	p.arn = policyARN(p.Account, p.Path, p.Name)
	c.add(policyPrefix+p.key(), encode(p), func(im *image) { im.putPolicy(p) })
}

func (c *change) putProfile(p *instanceProfile) {
	p.arn = profileARN(p.Account, p.Path, p.Name)
	c.add(profilePrefix+p.key(), encode(p), func(im *image) { im.putProfile(p) })
}

func (c *change) deleteProfile(p *instanceProfile) {
	c.add(profilePrefix+p.key(), nil, func(im *image) { delete(im.profiles, p.key()) })
}

func (c *change) putIssuer(p *oidcProvider) {
	c.add(issuerPrefix+p.key(), encode(p), func(im *image) { im.putIssuer(p) })
}

func (c *change) deleteIssuer(p *oidcProvider) {
	c.add(issuerPrefix+p.key(), nil, func(im *image) { delete(im.issuers, p.key()) })
}

func (c *change) deletePolicy(p *managedPolicy) {
	c.policies = true
	c.add(policyPrefix+p.key(), nil, func(im *image) { delete(im.policies, p.key()) })
}

func (c *change) putKey(k *accessKey) {
	c.add(keysPrefix+k.ID, encode(k), func(im *image) { im.putKey(k) })
}

func (c *change) deleteKey(k *accessKey) {
	c.add(keysPrefix+k.ID, nil, func(im *image) { delete(im.keys, k.ID) })
	c.add(keyUsePrefix+k.ID, nil, func(*image) {})
}

// saveKeyUses writes the last uses of access keys, which are only kept in memory while
// the process runs (I43). The caller holds s.writing.
func (s *Service) saveKeyUses(ctx context.Context) error {
	var writes []write
	for _, k := range s.image.keys {
		if use := k.used.last.Load(); use != nil {
			writes = append(writes, write{key: keyUsePrefix + k.ID, value: encode(use)})
		}
	}
	return s.commitAll(ctx, writes)
}

// commitAll commits any number of writes, in as many transactions as they take.
func (s *Service) commitAll(ctx context.Context, writes []write) error {
	for len(writes) > 0 {
		n := min(len(writes), kv.MaxOps)
		if err := s.commit(ctx, writes[:n]); err != nil {
			return err
		}
		writes = writes[n:]
	}
	return nil
}

// putSession records new credentials and takes some that have long ended with it.
func (c *change) putSession(ses *session) error {
	if err := c.service.putSession(newImage(), ses); err != nil { // a policy that can't be read must fail here, not when it is applied
		return err
	}
	c.sweepSessions(ses.Issued)
	c.add(sessionPrefix+ses.AccessKeyID, encode(ses), func(im *image) { im.sessions[ses.AccessKeyID] = ses })
	return nil
}

// Sessions are kept for a day after their end, so that their credentials are answered
// with ExpiredToken and not as unknown ones (I46).
const (
	sessionsKept    = 24 * time.Hour
	sessionsChecked = 64 // of all, at each new session
)

// sweepSessions forgets some sessions that ended long ago. Looking at a few, in the
// random order of a map, at every new session keeps their number in proportion to
// those in use.
func (c *change) sweepSessions(now time.Time) {
	checked := 0
	for _, ses := range c.sessions {
		if checked++; checked > sessionsChecked {
			return
		}
		if now.Sub(ses.Expires) > sessionsKept {
			c.add(sessionPrefix+ses.AccessKeyID, nil, func(im *image) { delete(im.sessions, ses.AccessKeyID) })
		}
	}
}

func (c *change) useRole(role *entity, use roleUse) {
	c.add(usedPrefix+role.ID, encode(use), func(im *image) { im.roleUsed[role.ID] = use })
}

// Reset forgets everything of account, or of all accounts when account is "".
func (s *Service) Reset(ctx context.Context, account string) error {
	if err := s.forget(ctx, account); err != nil || account != "" || s.cfg.Organization == nil {
		return err
	}
	return s.SetOrganization(ctx, s.cfg.Organization)
}

func (s *Service) forget(ctx context.Context, account string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.commitAll(ctx, s.recordsOf(account)); err != nil {
		return errors.Join(err, s.reload(ctx))
	}
	return s.reload(ctx)
}

// recordsOf lists the deletion of every record of account. The caller holds s.writing.
func (s *Service) recordsOf(account string) []write {
	var gone []write
	mine := func(owner, key string) {
		if account == "" || owner == account {
			gone = append(gone, write{key: key})
		}
	}
	im := s.image
	if im.organization != nil {
		mine("", organizationKey) // no account's
	}
	for _, e := range im.byID {
		mine(e.Account, e.storeKey())
		if _, used := im.roleUsed[e.ID]; used {
			mine(e.Account, usedPrefix+e.ID)
		}
	}
	for key := range im.policies {
		owner, _, _ := strings.Cut(key, "/")
		mine(owner, policyPrefix+key)
	}
	for key, p := range im.profiles {
		mine(p.Account, profilePrefix+key)
	}
	for key, p := range im.issuers {
		mine(p.Account, issuerPrefix+key)
	}
	for _, a := range im.aliases {
		mine(a.Account, aliasPrefix+a.Account)
	}
	for id, t := range im.tasks {
		mine(t.Account, taskPrefix+id)
	}
	for _, k := range im.keys {
		mine(k.Account, keysPrefix+k.ID)
		mine(k.Account, keyUsePrefix+k.ID)
	}
	for _, ses := range im.sessions {
		mine(ses.Principal.Account, sessionPrefix+ses.AccessKeyID)
	}
	return gone
}
