package kmsapi

import (
	"regexp"
	"slices"
	"strings"

	"twinbucket/internal/failure"
)

// maxAliases is how many aliases one key may have (K26).
const maxAliases = 50

var namePattern = regexp.MustCompile("^[a-zA-Z0-9:/_-]+$")

func (v *violations) aliasName(name *string) {
	if v.required("aliasName", name != nil) {
		v.text("aliasName", name, 1, 256)
		v.pattern("aliasName", name, namePattern)
	}
}

// checkAliasName applies the rules that the model's pattern does not express (K26).
func checkAliasName(name string) error {
	switch {
	case !strings.HasPrefix(name, "alias/"):
		return failure.New(validation, `Alias must start with the prefix "alias/". `+
			"Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	case strings.HasPrefix(name, "alias/aws/"):
		return failure.New(notAuthorized, "")
	case strings.Contains(name, ":"):
		return failure.New(validation, name+" contains invalid characters for an alias")
	case name == "alias/":
		return failure.New(invalidAliasName, "The alias has no name")
	}
	return nil
}

// ownAlias checks a name and returns the reference in the caller's account and region.
func ownAlias(c *call, name string) (aliasRef, error) {
	return aliasRef{c.caller.Account(), c.region, name}, checkAliasName(name)
}

// authorizeAlias asks for the action on the alias, which IAM policies alone decide,
// and on each key (K42).
func (s *Service) authorizeAlias(c *call, ref aliasRef, keys ...*target) error {
	if _, err := s.authorizeIAM(c, c.op.Action, ref.arn(), nil); err != nil {
		return err
	}
	for _, t := range keys {
		if err := s.authorize(c, keyAuth{action: c.op.Action, target: t}); err != nil {
			return err
		}
	}
	return nil
}

// publishAlias replaces or, when to is nil, removes an alias in memory, together
// with the lists of alias names that the keys carry. The caller holds the write lock.
func (s *Service) publishAlias(ref aliasRef, from, to *alias) error {
	updated := map[keyRef][]string{}
	names := func(ref keyRef) []string {
		if list, ok := updated[ref]; ok {
			return list
		}
		return slices.Clone(s.key(ref).aliases)
	}
	if from != nil && s.key(from.key()) != nil {
		updated[from.key()] = slices.DeleteFunc(names(from.key()), func(n string) bool { return n == ref.Name })
	}
	if to != nil {
		list := append(names(to.key()), ref.Name)
		slices.Sort(list)
		updated[to.key()] = list
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, list := range updated {
		old := s.state.keys[at]
		k, err := newKey(&old.keyRecord, list, old)
		if err != nil {
			return err
		}
		s.state.keys[at] = k
	}
	if to == nil {
		delete(s.state.aliases, ref)
	} else {
		s.state.aliases[ref] = to
	}
	return nil
}
