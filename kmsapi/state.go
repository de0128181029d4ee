package kmsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
}

func (st *state) clear() {
	*st = state{keys: map[keyRef]*key{}, aliases: map[aliasRef]*alias{}, grants: map[keyRef]*grantSet{}}
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
	s.write.Lock()
	defer s.write.Unlock()
	old := s.key(ref)
	if old == nil {
		return nil, errKeyGone(ref)
	}
	return s.replaceKey(ctx, old, fn)
}

// replaceKey is changeKey for those who hold the write lock.
func (s *Service) replaceKey(ctx context.Context, old *key, fn func(*keyRecord) error) (*key, error) {
	r := old.clone()
	if err := fn(r); err != nil {
		return nil, err
	}
	k, err := newKey(r, old.aliases)
	if err != nil {
		return nil, err
	}
	if err := s.put(ctx, r.record(), r); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.state.keys[k.keyRef] = k
	s.mu.Unlock()
	s.expect(k.due())
	return k, nil
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
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.state = st
	s.mu.Unlock()
	due := int64(math.MaxInt64)
	for _, k := range st.keys {
		due = min(due, k.due())
	}
	s.nextDue.Store(due)
	s.nudge()
	return nil
}

// read makes a state from the records. Aliases and grants whose key is gone, or
// younger than they are, were left by an interrupted deletion: they are not part of
// the state and are returned as orphans.
func (s *Service) read(ctx context.Context) (st state, orphans []change, err error) {
	var keys []*keyRecord
	var aliases []*alias
	var grants []*grant
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) (err error) {
		if keys, err = scan[keyRecord](r, prefixKey); err != nil {
			return err
		}
		if aliases, err = scan[alias](r, prefixAlias); err != nil {
			return err
		}
		grants, err = scan[grant](r, prefixGrant)
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
		k, err := newKey(r, names[r.keyRef])
		if err != nil {
			return st, nil, err
		}
		st.keys[k.keyRef] = k
	}
	return st, orphans, nil
}

// sweep deletes the records of orphans.
func (s *Service) sweep(ctx context.Context) error {
	_, orphans, err := s.read(ctx)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(orphans, kv.MaxOps) {
		if err := s.update(ctx, part...); err != nil {
			return fmt.Errorf("kmsapi: sweep: %w", err)
		}
	}
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
