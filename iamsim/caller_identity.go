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

// getAccessKeyInfo tells the account of a key. AWS reads it from the id; ours carry none,
// so keys that were never issued here are unknown.
func getAccessKeyInfo(s *Service, c *call) (any, error) {
	id := c.form.text("AccessKeyId", 1, 128)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if account := rootAccount(id); account != "" {
		return &accessKeyInfoResult{account}, nil
	}
	out := &accessKeyInfoResult{}
	err := s.view(func(im *image) error {
		if k := im.keys[id]; k != nil {
			out.Account = k.Account
			return nil
		}
		if ses := im.sessions[id]; ses != nil {
			out.Account = ses.Principal.Account
			return nil
		}
		return failure.Newf("InvalidParameterValue", "The access key id %s is not known here.", id)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
