package iamsim

import (
	"strings"

	"twinbucket/internal/failure"
)

// accountAlias is the one other name of an account.
type accountAlias struct{ Account, Alias string }

// alias reads a required account alias (I54).
func (f *form) alias() string {
	v := f.text("AccountAlias", 3, 63)
	if v != "" && !isAlias(v) {
		f.violate("accountAlias", v, `satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`)
	}
	return v
}

func isAlias(v string) bool {
	return strings.Trim(v, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && v[0] != '-' && v[len(v)-1] != '-' && !strings.Contains(v, "--")
}

// createAccountAlias replaces the account's alias; nobody may have the new one (I54).
func createAccountAlias(s *Service, c *call) (any, error) {
	a := &accountAlias{Account: c.account(), Alias: c.form.alias()}
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		for _, taken := range ch.aliases {
			if taken.Alias == a.Alias {
				return failure.Newf("EntityAlreadyExists", "The account alias %s already exists.", a.Alias)
			}
		}
		ch.add(aliasPrefix+a.Account, encode(a), func(im *image) { im.aliases[a.Account] = a })
		return nil
	})
}

func deleteAccountAlias(s *Service, c *call) (any, error) {
	alias := c.form.alias()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		a := ch.aliases[c.account()]
		if a == nil || a.Alias != alias {
			return failure.Newf("NoSuchEntity", "The account alias with name %s cannot be found.", alias)
		}
		ch.add(aliasPrefix+a.Account, nil, func(im *image) { delete(im.aliases, a.Account) })
		return nil
	})
}

type aliasesResult struct {
	AccountAliases []string
	paging
}

// listAccountAliases has one page: there is at most one alias.
func listAccountAliases(s *Service, c *call) (any, error) {
	c.form.page()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	out := &aliasesResult{AccountAliases: []string{}}
	return out, s.view(func(im *image) error {
		if a := im.aliases[c.account()]; a != nil {
			out.AccountAliases = append(out.AccountAliases, a.Alias)
		}
		return nil
	})
}
