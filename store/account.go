package store

import (
	"context"
	"encoding/json"

	"twinbucket/store/kv"
)

// accountRecord is what S3 keeps about an account itself.
type accountRecord struct {
	Public *PublicAccessBlock `json:",omitempty"`
}

func accountKey(account string) []byte {
	return append(newKey(kindAccount, len(account)), account...)
}

// AccountPublicAccess returns the account-wide Block Public Access setting, nil when
// there is none. It applies to all buckets of the account beside their own.
func (s *Store) AccountPublicAccess(ctx context.Context, account string) (p *PublicAccessBlock, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		rec, err := lookup(r, accountKey(account))
		if err != nil || rec == nil {
			p = nil
			return err
		}
		var a accountRecord
		if err := json.Unmarshal(rec, &a); err != nil {
			return errRecord
		}
		p = a.Public
		return nil
	})
	return p, failed(err)
}

// SetAccountPublicAccess changes it; nil takes it away.
func (s *Store) SetAccountPublicAccess(ctx context.Context, account string, p *PublicAccessBlock) error {
	rec, err := json.Marshal(accountRecord{Public: p})
	if err != nil {
		return failed(err)
	}
	return failed(s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		if p == nil {
			tx.Delete(accountKey(account))
			return nil
		}
		tx.Put(accountKey(account), rec)
		return nil
	}))
}

// resetAccounts forgets the settings of account, or of all when account is "".
func (s *Store) resetAccounts(ctx context.Context, account string) error {
	if account != "" {
		return s.SetAccountPublicAccess(ctx, account, nil)
	}
	return failed(s.removeRange(ctx, plainKey(kindAccount)))
}
