package kmsapi

import (
	"strings"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// target is the key a request is about.
type target struct {
	// key is nil for a key that does not exist and whose absence the caller may not
	// learn; authorizing such a target always fails.
	key *key
	arn string
	// account owns the key, or would.
	account string
	// alias is the name of the alias that the request used, "" if it named the key.
	alias string
	// implied: the ciphertext named the key, not the request.
	implied bool
}

// shapes of a key identifier that an operation takes.
type shape int

const (
	anyID    shape = iota // key id, key ARN, alias name, alias ARN
	keyOnly               // key id, key ARN
	aliasErr              // as keyOnly, in TargetKeyId, which has its own text for aliases
)

// resolve finds the key that id names for the caller in the call's region (K20 to
// K24). A short form means the caller's own account. The key may be another
// account's if the operation works across accounts.
func (s *Service) resolve(c *call, id string, takes shape) (*target, error) {
	t, err := s.lookUp(c, id, takes)
	if err != nil {
		return nil, err
	}
	c.keys = append(c.keys, t)
	if t.account != c.caller.Account() && !c.op.crossAccount {
		return nil, s.hidden(c, c.op.Action, t)
	}
	return t, nil
}

func (s *Service) lookUp(c *call, id string, takes shape) (*target, error) {
	own := c.caller.Account()
	switch {
	case strings.HasPrefix(id, "arn:"):
		return s.lookUpARN(c, id, takes)
	case strings.HasPrefix(id, "alias/"):
		if takes == aliasErr {
			return nil, errAliasTarget()
		}
		if takes == keyOnly {
			return nil, errInvalidKeyID(id)
		}
		return s.lookUpAlias(c, aliasRef{own, c.region, id})
	}
	if !isKeyID(id) {
		return nil, errInvalidKeyID(id)
	}
	return s.lookUpKey(c, keyRef{own, c.region, id})
}

func (s *Service) lookUpARN(c *call, id string, takes shape) (*target, error) {
	a, err := arn.Parse(id)
	if err != nil || a.Service != "kms" || !arn.IsAccount(a.Account) {
		return nil, failure.New(notFound, "Invalid arn "+id).Because(err) // K24
	}
	name, isKey := strings.CutPrefix(a.Resource, "key/")
	isAlias := !isKey && strings.HasPrefix(a.Resource, "alias/")
	switch {
	case isAlias && takes == aliasErr:
		return nil, errAliasTarget()
	case isAlias && takes == keyOnly:
		return nil, failure.New(invalidARN, "Key Aliases are not supported for this operation") // K23
	case !isAlias && !isKey:
		return nil, failure.New(notFound, "Invalid arn "+id) // K24
	case a.Region != c.region:
		return nil, failure.New(notFound, "Invalid arn "+a.Region) // K21
	case isAlias:
		return s.lookUpAlias(c, aliasRef{a.Account, a.Region, a.Resource})
	case !isKeyID(name):
		return nil, errInvalidKeyID(name)
	}
	return s.lookUpKey(c, keyRef{a.Account, a.Region, name})
}

func (s *Service) lookUpKey(c *call, ref keyRef) (*target, error) {
	k := s.key(ref)
	if k == nil && ref.Account == c.caller.Account() {
		return nil, errKeyGone(ref)
	}
	return &target{key: k, arn: ref.arn(), account: ref.Account}, nil
}

func (s *Service) lookUpAlias(c *call, ref aliasRef) (*target, error) {
	own := ref.Account == c.caller.Account()
	a := s.alias(ref)
	if a == nil && own && s.managedOnDemand(c, ref) {
		var err error
		if a, err = s.createManaged(c, ref); err != nil {
			return nil, err
		}
	}
	switch {
	case a != nil:
		t, err := s.lookUpKey(c, a.key())
		if err != nil {
			return nil, err
		}
		t.alias = ref.Name
		return t, nil
	case own:
		return nil, errAliasGone(ref)
	}
	return &target{arn: ref.arn(), account: ref.Account}, nil
}

func errAliasGone(ref aliasRef) error {
	return failure.Newf(notFound, "Alias %s is not found.", ref.arn()) // K22
}

func errAliasTarget() error {
	return failure.New(validation, "Aliases must refer to keys. Not aliases") // K25
}

// errInvalidKeyID: AWS quotes the text unless it looks like an alias (K21).
func errInvalidKeyID(id string) error {
	if strings.Contains(id, "/") {
		return failure.New(notFound, "Invalid keyId "+id)
	}
	return failure.New(notFound, "Invalid keyId '"+id+"'")
}

// multiRegionPrefix begins the ids of multi-Region keys (K85).
const multiRegionPrefix = "mrk-"

func isMultiRegionID(id string) bool { return strings.HasPrefix(id, multiRegionPrefix) }

// isKeyID reports whether id has the form of a key id: a UUID, or mrk- and 32 hex
// digits for multi-Region keys.
func isKeyID(id string) bool {
	if rest, ok := strings.CutPrefix(id, multiRegionPrefix); ok {
		return len(rest) == 32 && isHex(rest)
	}
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		switch i {
		case 8, 13, 18, 23:
			if id[i] != '-' {
				return false
			}
		default:
			if !isHex(id[i : i+1]) {
				return false
			}
		}
	}
	return true
}

func isHex(s string) bool {
	for i := range len(s) {
		if b := s[i]; (b < '0' || b > '9') && (b < 'a' || b > 'f') && (b < 'A' || b > 'F') {
			return false
		}
	}
	return true
}
