package kmsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// Records are JSON under kms/<kind>/<account>/<region>/<key id or alias name>,
// grants with one more part. None of the parts but an alias name holds a slash.
const (
	prefixAll   = "kms/"
	prefixKey   = "kms/key/"
	prefixAlias = "kms/alias/"
	prefixGrant = "kms/grant/"
	prefixUse   = "kms/use/"
)

func (r keyRef) record() []byte {
	return []byte(prefixKey + r.Account + "/" + r.Region + "/" + r.ID)
}

// aliasRef names an alias; Name starts with "alias/".
type aliasRef struct{ Account, Region, Name string }

func (r aliasRef) arn() string { return arn.Alias(r.Region, r.Account, r.Name) }

func (r aliasRef) record() []byte {
	return []byte(prefixAlias + r.Account + "/" + r.Region + "/" + r.Name)
}

// alias is an alias as stored.
type alias struct {
	aliasRef
	KeyID   string
	Created time.Time
	Updated time.Time
}

func (a *alias) key() keyRef { return keyRef{a.Account, a.Region, a.KeyID} }

// state is everything in memory. Its values are immutable but for the grant sets.
type state struct {
	keys    map[keyRef]*key
	aliases map[aliasRef]*alias
	grants  map[keyRef]*grantSet
	sets    map[setRef][]string // the Regions of multi-Region keys, sorted
}

func (st *state) clear() {
	*st = state{keys: map[keyRef]*key{}, aliases: map[aliasRef]*alias{}, grants: map[keyRef]*grantSet{}, sets: map[setRef][]string{}}
}

// setRef names a multi-Region key: what its members have in common.
type setRef struct{ account, id string }

// addKey publishes a key that is new or replaces its version before.
func (st *state) addKey(k *key) {
	st.keys[k.keyRef] = k
	if !k.multiRegion() {
		return
	}
	ref := setRef{k.Account, k.ID}
	if at, found := slices.BinarySearch(st.sets[ref], k.Region); !found {
		st.sets[ref] = slices.Insert(slices.Clone(st.sets[ref]), at, k.Region)
	}
}

func (st *state) removeKey(k *key) {
	delete(st.keys, k.keyRef)
	ref := setRef{k.Account, k.ID}
	rest := slices.DeleteFunc(slices.Clone(st.sets[ref]), func(region string) bool { return region == k.Region })
	if st.sets[ref] = rest; len(rest) == 0 {
		delete(st.sets, ref)
	}
}

// relatives are the other members of a multi-Region key, sorted by Region.
func (s *Service) relatives(k *key) []*key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*key
	for _, region := range s.state.sets[setRef{k.Account, k.ID}] {
		if region != k.Region {
			out = append(out, s.state.keys[keyRef{k.Account, region, k.ID}])
		}
	}
	return out
}

// key returns the current version of a key, nil if there is none.
func (s *Service) key(ref keyRef) *key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.keys[ref]
}

func (s *Service) alias(ref aliasRef) *alias {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.aliases[ref]
}

// keysOf lists the keys of an account in a region, sorted by id.
func (s *Service) keysOf(account, region string) []*key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*key
	for ref, k := range s.state.keys {
		if ref.Account == account && ref.Region == region {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b *key) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// aliasesOf lists the aliases of an account in a region, sorted by name.
func (s *Service) aliasesOf(account, region string) []*alias {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*alias
	for ref, a := range s.state.aliases {
		if ref.Account == account && ref.Region == region {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *alias) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// errKeyGone: a key that was resolved has been deleted meanwhile.
func errKeyGone(ref keyRef) error {
	return failure.Newf(notFound, "Key '%s' does not exist", ref.arn())
}

// changeKey lets fn change the current record of a key, stores it and publishes it.
// State checks belong into fn: nothing else changes while it runs. A record that fn
// left as it was is stored again, which does no harm.
func (s *Service) changeKey(ctx context.Context, ref keyRef, fn func(*keyRecord) error) (*key, error) {
	return s.changeSet(ctx, ref, fn, nil)
}

// changeSet is changeKey for what the members of a multi-Region key share: after fn
// has changed the key, spread changes every other member, all in one transaction.
func (s *Service) changeSet(ctx context.Context, ref keyRef, fn, spread func(*keyRecord) error) (*key, error) {
	s.write.Lock()
	defer s.write.Unlock()
	old := s.key(ref)
	if old == nil {
		return nil, errKeyGone(ref)
	}
	return s.replaceSet(ctx, old, fn, spread)
}

// replaceSet is changeSet for those who hold the write lock.
func (s *Service) replaceSet(ctx context.Context, old *key, fn, spread func(*keyRecord) error) (*key, error) {
	olds := []*key{old}
	if spread != nil {
		olds = append(olds, s.relatives(old)...)
	}
	keys := make([]*key, len(olds))
	changes := make([]change, len(olds))
	for i, o := range olds {
		r := o.clone()
		if i > 0 {
			fn = spread
		}
		if err := fn(r); err != nil {
			return nil, err
		}
		k, err := newKey(r, o.aliases, o)
		if err != nil {
			return nil, err
		}
		keys[i], changes[i] = k, change{r.record(), r}
	}
	if err := s.update(ctx, changes...); err != nil {
		return nil, err
	}
	s.mu.Lock()
	for _, k := range keys {
		s.state.addKey(k)
	}
	s.mu.Unlock()
	for _, k := range keys {
		s.expect(k.due())
	}
	return keys[0], nil
}

// put stores one record as JSON.
func (s *Service) put(ctx context.Context, at []byte, record any) error {
	return s.update(ctx, change{at, record})
}

// change is one record to store; a nil record deletes it.
type change struct {
	at     []byte
	record any
}

// update stores up to kv.MaxOps records in one transaction. The caller holds the
// write lock. When the engine can't tell whether the transaction was committed,
// memory is loaded again so that it says what the engine says.
func (s *Service) update(ctx context.Context, changes ...change) error {
	values := make([][]byte, len(changes))
	for i, c := range changes {
		if c.record == nil {
			continue
		}
		v, err := json.Marshal(c.record)
		if err != nil {
			return err
		}
		values[i] = v
	}
	err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		for i, c := range changes {
			if values[i] == nil {
				tx.Delete(c.at)
			} else {
				tx.Put(c.at, values[i])
			}
		}
		return nil
	})
	if errors.Is(err, kv.ErrUncertain) {
		return errors.Join(err, s.load(context.WithoutCancel(ctx)))
	}
	return err
}

// load reads everything from the engine and replaces what is in memory.
func (s *Service) load(ctx context.Context) error {
	st, _, err := s.read(ctx)
	if err == nil {
		s.adopt(st)
	}
	return err
}

// adopt replaces what is in memory.
func (s *Service) adopt(st state) {
	due := int64(never)
	s.mu.Lock()
	for ref, k := range st.keys {
		if old := s.state.keys[ref]; old != nil {
			k.lastUse = old.lastUse // uses since the last Close are in memory only
		}
		due = min(due, k.due())
	}
	s.state = st
	s.mu.Unlock()
	s.nextDue.Store(due)
	s.nudge()
}

// read makes a state from the records. Aliases, grants and last uses whose key is gone,
// or younger than they are, were left by an interrupted deletion: they are not part of
// the state and are returned as orphans. A *SealError is key material that the root key
// does not open.
func (s *Service) read(ctx context.Context) (st state, orphans []change, err error) {
	var keys []*keyRecord
	var aliases []*alias
	var grants []*grant
	var uses []*keyUse
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) (err error) {
		if keys, err = scan[keyRecord](r, prefixKey); err != nil {
			return err
		}
		if aliases, err = scan[alias](r, prefixAlias); err != nil {
			return err
		}
		if grants, err = scan[grant](r, prefixGrant); err != nil {
			return err
		}
		uses, err = scan[keyUse](r, prefixUse)
		return err
	})
	if err != nil {
		return st, nil, fmt.Errorf("kmsapi: load: %w", err)
	}
	st.clear()
	born := map[keyRef]time.Time{}
	for _, r := range keys {
		born[r.keyRef] = r.Created
	}
	names := map[keyRef][]string{} // sorted, as the scan was
	for _, a := range aliases {
		if at, ok := born[a.key()]; !ok || a.Updated.Before(at) {
			orphans = append(orphans, change{at: a.record()})
			continue
		}
		st.aliases[a.aliasRef] = a
		names[a.key()] = append(names[a.key()], a.Name)
	}
	for _, g := range grants {
		if at, ok := born[g.Key]; !ok || g.Created.Before(at) {
			orphans = append(orphans, change{at: g.record()})
			continue
		}
		st.addGrant(g)
	}
	for _, r := range keys {
		if err := s.unseal(r); err != nil {
			return st, nil, err
		}
		k, err := newKey(r, names[r.keyRef], nil)
		if err != nil {
			return st, nil, err
		}
		st.addKey(k)
	}
	for _, u := range uses {
		if at, ok := born[u.Key]; !ok || u.At.Before(at) {
			orphans = append(orphans, change{at: u.record()})
			continue
		}
		u.saved = true
		st.keys[u.Key].lastUse.Store(u)
	}
	return st, orphans, nil
}

// sweep is load for a start: it deletes the records of orphans.
func (s *Service) sweep(ctx context.Context) error {
	st, orphans, err := s.read(ctx)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(orphans, kv.MaxOps) {
		if err := s.update(ctx, part...); err != nil {
			return fmt.Errorf("kmsapi: sweep: %w", err)
		}
	}
	s.adopt(st)
	return nil
}

// scan reads all records under a prefix.
func scan[T any](r kv.Reader, prefix string) ([]*T, error) {
	var out []*T
	err := r.Scan([]byte(prefix), kv.PrefixEnd([]byte(prefix)), func(k, v []byte) (bool, error) {
		record := new(T)
		if err := json.Unmarshal(v, record); err != nil {
			return false, fmt.Errorf("record %s: %w", k, err)
		}
		out = append(out, record)
		return true, nil
	})
	return out, err
}

// Reset forgets the keys, aliases and grants of account, or all when account is "".
func (s *Service) Reset(ctx context.Context, account string) error {
	s.write.Lock()
	defer s.write.Unlock()
	var gone []change
	err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		gone = gone[:0]
		return r.Scan([]byte(prefixAll), kv.PrefixEnd([]byte(prefixAll)), func(k, _ []byte) (bool, error) {
			// kms/<kind>/<account>/…
			if parts := strings.SplitN(string(k), "/", 4); account == "" || len(parts) == 4 && parts[2] == account {
				gone = append(gone, change{at: slices.Clone(k)})
			}
			return true, nil
		})
	})
	if err != nil {
		return fmt.Errorf("kmsapi: reset: %w", err)
	}
	for part := range slices.Chunk(gone, kv.MaxOps) {
		if err := s.update(ctx, part...); err != nil {
			return errors.Join(fmt.Errorf("kmsapi: reset: %w", err), s.load(context.WithoutCancel(ctx)))
		}
	}
	return s.load(ctx)
}
