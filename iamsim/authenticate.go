package iamsim

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/arn"
)

// defaultRootKey is the access key id of the root of defaultAccount.
const (
	defaultRootKey = "test"
	defaultAccount = "000000000000"
)

// Authenticate turns a parsed signature into a Caller: it finds the credentials,
// verifies the signature with opts and fills in the request's Source. A nil signed
// is an anonymous caller. Errors are *sigv4.Error.
func (s *Service) Authenticate(_ context.Context, r *http.Request, signed *sigv4.Signed, opts sigv4.Options) (Caller, error) {
	if signed == nil {
		c := Anonymous()
		c.Source = requestSource(r)
		return c, nil
	}
	now := s.transportTime()
	var c Caller
	var used *lastUse
	_, err := s.verifier.Authenticate(signed, now, func(id, token string) (secret string, err error) {
		c, secret, used, err = s.credentials(id, token)
		return secret, err
	}, opts)
	if err != nil {
		var refused *sigv4.Error
		if errors.As(err, &refused) {
			return Caller{}, refused
		}
		return Caller{}, err
	}
	used.note(s.cfg.Clock.Now(), signed.Scope)
	c.AccessKeyID = signed.AccessKeyID
	c.Source = requestSource(r)
	c.Source.AuthType = "REST-HEADER"
	switch signed.Form {
	case sigv4.FormHeader:
	case sigv4.FormPost, sigv4.FormPostV2:
		c.Source.AuthType = "POST"
	default:
		c.Source.AuthType = "REST-QUERY-STRING"
	}
	if signed.Form != sigv4.FormQueryV2 && signed.Form != sigv4.FormPostV2 { // which do not say when they were made
		c.Source.SignatureAge = max(0, now.Sub(signed.Time))
	}
	return c, nil
}

// credentials finds the secret of an access key and whom it stands for.
func (s *Service) credentials(id, token string) (c Caller, secret string, used *lastUse, err error) {
	refuse := func(k sigv4.Kind) (Caller, string, *lastUse, error) {
		return Caller{}, "", nil, &sigv4.Error{Kind: k, AccessKeyID: id}
	}
	if account := rootAccount(id); account != "" {
		if token != "" {
			return refuse(sigv4.InvalidToken)
		}
		return Root(account), s.cfg.RootSecret, nil, nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k := s.image.keys[id]; k != nil {
		user := s.image.byID[k.UserID]
		switch {
		case user == nil || !k.Active:
			return refuse(sigv4.UnknownKey)
		case token != "":
			return refuse(sigv4.InvalidToken)
		}
		return userCaller(user), k.Secret, k.used, nil
	}
	ses := s.image.sessions[id]
	switch {
	case ses == nil:
		return refuse(sigv4.UnknownKey)
	case subtle.ConstantTimeCompare([]byte(token), []byte(ses.Token)) == 0:
		return refuse(sigv4.InvalidToken)
	case !s.cfg.Clock.Now().Before(ses.Expires):
		return refuse(sigv4.ExpiredToken)
	}
	return Caller{Principal: ses.Principal, UserName: ses.UserName, UserID: ses.UserID, Session: ses.state}, ses.Secret, nil, nil
}

// rootAccount is the account whose root an access key id is, "" for other keys.
func rootAccount(id string) string {
	switch {
	case id == defaultRootKey:
		return defaultAccount
	case arn.IsAccount(id):
		return id
	}
	return ""
}

// Root is the root user of an account.
func Root(account string) Caller {
	return Caller{Principal: policy.Principal{Type: policy.Account, Account: account, ARN: arn.Root(account)}, UserID: account}
}

// Anonymous is a caller without credentials.
func Anonymous() Caller {
	return Caller{Principal: policy.Principal{Type: policy.Anonymous}, UserID: "anonymous"}
}

func userCaller(user *entity) Caller {
	return Caller{
		Principal: policy.Principal{Type: policy.User, Account: user.Account, ARN: user.arn, UniqueID: user.ID},
		UserName:  user.Name,
		UserID:    user.ID,
	}
}

// requestSource is the transport side of r.
func requestSource(r *http.Request) Source {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	return Source{IP: ip, UserAgent: r.UserAgent(), Referer: r.Referer(), Secure: r.TLS != nil}
}

// lastUse remembers when and for what a key was used last (I43). A nil one forgets.
type lastUse struct{ last atomic.Pointer[keyUse] }

type keyUse struct {
	At              time.Time
	Service, Region string
}

// note is on the path of every request, so it writes at most once a minute.
func (u *lastUse) note(at time.Time, scope sigv4.Scope) {
	if u == nil {
		return
	}
	if l := u.last.Load(); l != nil && at.Sub(l.At) < time.Minute && l.Service == scope.Service && l.Region == scope.Region {
		return
	}
	u.last.Store(&keyUse{at, scope.Service, scope.Region})
}
