package iamsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/store/kv"
)

// image is all state of the service in memory. Its maps are guarded by Service.mu;
// what they point to is immutable.
type image struct {
	users    map[string]*entity          // by nameKey
	groups   map[string]*entity          // by nameKey
	roles    map[string]*entity          // by nameKey
	policies map[string]*managedPolicy   // by nameKey; customer managed only
	profiles map[string]*instanceProfile // by nameKey
	issuers  map[string]*oidcProvider    // by nameKey of the URL
	aliases  map[string]*accountAlias    // by account
	tasks    map[string]*deletionTask    // by id
	byID     map[string]*entity
	keys     map[string]*accessKey // by access key id
	sessions map[string]*session   // by access key id
	roleUsed map[string]roleUse    // by role id
	// organization is nil when there is none.
	organization *organization
}

type roleUse struct {
	At     time.Time
	Region string
}

func newImage() *image {
	return &image{
		users: map[string]*entity{}, groups: map[string]*entity{}, roles: map[string]*entity{}, policies: map[string]*managedPolicy{},
		profiles: map[string]*instanceProfile{}, issuers: map[string]*oidcProvider{},
		aliases: map[string]*accountAlias{}, tasks: map[string]*deletionTask{},
		byID: map[string]*entity{}, keys: map[string]*accessKey{}, sessions: map[string]*session{},
		roleUsed: map[string]roleUse{},
	}
}

// entities is the map that holds entities of kind.
func (im *image) entities(kind entityKind) map[string]*entity {
	switch kind {
	case roleKind:
		return im.roles
	case groupKind:
		return im.groups
	}
	return im.users
}

// entity finds a user, group or role by name, without regard to case (I11); nil if there is none.
func (im *image) entity(kind entityKind, account, name string) *entity {
	return im.entities(kind)[nameKey(account, name)]
}

// entityByARN finds a live user or role by its exact ARN.
func (im *image) entityByARN(arn string) *entity {
	kind, account, name, ok := splitEntityARN(arn)
	if !ok {
		return nil
	}
	if e := im.entity(kind, account, name); e != nil && e.arn == arn {
		return e
	}
	return nil
}

// splitEntityARN takes a user or role ARN apart; name is without the path.
func splitEntityARN(arn string) (kind entityKind, account, name string, ok bool) {
	rest, ok := strings.CutPrefix(arn, "arn:aws:iam::")
	if !ok {
		return "", "", "", false
	}
	account, rest, _ = strings.Cut(rest, ":")
	k, rest, ok := strings.Cut(rest, "/")
	if !ok || k != string(userKind) && k != string(roleKind) {
		return "", "", "", false
	}
	return entityKind(k), account, rest[strings.LastIndexByte(rest, '/')+1:], true
}

func (im *image) putEntity(e *entity) {
	e.arn = entityARN(e.Kind, e.Account, e.Path, e.Name)
	im.entities(e.Kind)[e.key()] = e
	im.byID[e.ID] = e
}

func (im *image) dropEntity(e *entity) {
	delete(im.entities(e.Kind), e.key())
	delete(im.byID, e.ID)
	delete(im.roleUsed, e.ID)
}

func (im *image) putPolicy(p *managedPolicy) {
	p.arn = policyARN(p.Account, p.Path, p.Name)
	im.policies[p.key()] = p
}

func (im *image) putKey(k *accessKey) {
	k.used = &lastUse{}
	if old := im.keys[k.ID]; old != nil {
		k.used = old.used
	}
	im.keys[k.ID] = k
}

// useKey restores what an earlier process knew of a key's use. The scan of the engine
// meets keys before their uses.
func (im *image) useKey(id string, use *keyUse) {
	if k := im.keys[id]; k != nil {
		k.used.last.Store(use)
	}
}

// count is how many items belong to an account: what quotas limit.
func count[T any](items map[string]T, account string) int {
	n := 0
	for key := range items {
		if len(key) > len(account) && key[:len(account)] == account && key[len(account)] == '/' {
			n++
		}
	}
	return n
}

// keysOf returns a user's access keys.
func (im *image) keysOf(userID string) []*accessKey {
	var keys []*accessKey
	for _, k := range im.keys {
		if k.UserID == userID {
			keys = append(keys, k)
		}
	}
	return keys
}

// load reads every record of the engine.
func (s *Service) load(ctx context.Context) (*image, error) {
	im := newImage()
	start := []byte(keyPrefix)
	err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(start, kv.PrefixEnd(start), func(k, v []byte) (bool, error) {
			if err := s.loadRecord(im, string(k), v); err != nil {
				return false, fmt.Errorf("iamsim: record %q: %w", k, err)
			}
			return true, nil
		})
	})
	return im, err
}

func (s *Service) loadRecord(im *image, key string, value []byte) error {
	prefix := key[:min(len(key), len(userPrefix))]
	switch prefix {
	case userPrefix, rolePrefix, groupPrefix:
		return loadInto(value, im.putEntity)
	case profilePrefix:
		return loadInto(value, im.putProfile)
	case issuerPrefix:
		return loadInto(value, im.putIssuer)
	case aliasPrefix:
		return loadInto(value, func(a *accountAlias) { im.aliases[a.Account] = a })
	case taskPrefix:
		return loadInto(value, func(t *deletionTask) { im.tasks[t.ID] = t })
	case keyUsePrefix:
		return loadInto(value, func(u *keyUse) { im.useKey(key[len(prefix):], u) })
	case organizationKey:
		return s.loadOrganization(im, value)
	case policyPrefix:
		return loadInto(value, im.putPolicy)
	case keysPrefix:
		return loadInto(value, im.putKey)
	case sessionPrefix:
		var ses session
		if err := json.Unmarshal(value, &ses); err != nil {
			return err
		}
		return s.putSession(im, &ses)
	case usedPrefix:
		return loadInto(value, func(u *roleUse) { im.roleUsed[key[len(prefix):]] = *u })
	}
	return errors.New("unknown kind")
}

func loadInto[T any](value []byte, put func(*T)) error {
	var record T
	if err := json.Unmarshal(value, &record); err != nil {
		return err
	}
	put(&record)
	return nil
}

// putSession prepares a session for use and enters it.
func (s *Service) putSession(im *image, ses *session) error {
	state := &Session{
		Name: ses.Name, Issued: ses.Issued, Expires: ses.Expires, HasPolicies: len(ses.Policies) > 0,
		Tags: ses.Tags, TransitiveTags: ses.TransitiveTags, SourceIdentity: ses.SourceIdentity,
		Provider: ses.Provider, Claims: ses.Claims,
	}
	for _, p := range ses.Policies {
		doc, err := s.ParsePolicy(p.Text)
		if err != nil {
			return err
		}
		state.Policies = append(state.Policies, policy.Source{Type: policy.Session, Owner: p.Owner, Name: p.Name, Doc: doc})
	}
	ses.state = state
	im.sessions[ses.AccessKeyID] = ses
	return nil
}
