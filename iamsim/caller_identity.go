package iamsim

import "twinbucket/internal/failure"

type callerIdentityResult struct {
	UserId  string
	Account string
	Arn     string
}

// getCallerIdentity works for everyone with credentials, whatever policies say (I36).
func getCallerIdentity(_ *Service, c *call) (any, error) {
	return &callerIdentityResult{c.caller.UserID, c.account(), c.caller.Principal.ARN}, nil
}

type accessKeyInfoResult struct{ Account string }

// getAccessKeyInfo tells the account of a key: of one that was issued here by looking it
// up, of others by reading the id as AWS does (I50).
func getAccessKeyInfo(s *Service, c *call) (any, error) {
	id := c.form.text("AccessKeyId", 1, 128)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if account := rootAccount(id); account != "" {
		return &accessKeyInfoResult{account}, nil
	}
	account := accountOfKey(id)
	_ = s.view(func(im *image) error {
		if k := im.keys[id]; k != nil {
			account = k.Account
		} else if ses := im.sessions[id]; ses != nil {
			account = ses.Principal.Account
		}
		return nil
	})
	if account == "" {
		return nil, failure.Newf("InvalidParameterValue", "The access key id %s is not known here.", id)
	}
	return &accessKeyInfoResult{account}, nil
}
