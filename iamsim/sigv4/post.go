package sigv4

import (
	"net/http"
	"time"
)

// postFields are the fields that sign a form, in the order in which AWS misses them (A37).
var (
	postFieldsV4 = [...]string{"X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date"}
	postFieldsV2 = [...]string{"Signature", "AWSAccessKeyId"}
)

// ParsePost reads what the fields of a browser's form claim about its signature, which is
// over the policy as it was sent (A37). field gives a field's value whatever the case of its
// name, and whether it was sent. expires is when the policy ends, which the signature's
// validity goes by; zero if that can't be read, which is then for the caller to refuse.
//
// A form without signature gives an *Error that matches ErrAnonymous, a form that lacks
// fields the kind MissingFormField with Missing.
func ParsePost(r *http.Request, field func(name string) (value string, sent bool), expires time.Time) (*Signed, error) {
	has := func(names []string) bool {
		for _, name := range names {
			if _, sent := field(name); sent {
				return true
			}
		}
		return false
	}
	s := &Signed{req: r, hasExpires: !expires.IsZero(), policyEnds: expires}
	s.SessionToken, _ = field("x-amz-security-token")
	names := postFieldsV4[:]
	switch {
	case has(names):
		s.Form = FormPost
	case has(postFieldsV2[:]):
		s.Form, names = FormPostV2, postFieldsV2[:]
	default:
		return nil, &Error{Kind: MissingToken, Form: FormPost, cause: ErrAnonymous}
	}
	values := make([]string, len(names))
	for i, name := range append(names[:len(names):len(names)], "Policy") {
		v, sent := field(name)
		if !sent {
			e := s.fail(MissingFormField)
			e.Missing = []string{name}
			return nil, e
		}
		if i < len(values) {
			values[i] = v
		} else {
			s.policy = v
		}
	}
	if s.Signature = values[0]; s.Form == FormPostV2 {
		s.AccessKeyID, s.Scope = values[1], Scope{Region: regionV2, Service: "s3"}
		return s, nil
	}
	return s, s.setPost(values[1], values[2], values[3])
}

func (s *Signed) setPost(with, credential, date string) error {
	if with == algorithmA {
		return s.fail(SigV4A).withValue(with)
	}
	if with != algorithm {
		return s.fail(UnsupportedAlgorithm).withValue(with)
	}
	if err := s.setCredential(credential); err != nil {
		return err
	}
	return s.setTime(date)
}

// checkPost is what needs no secret: scope and the end of the policy.
func (s *Signed) checkPost(now time.Time, o Options) error {
	if s.Form == FormPostV2 {
		o.Region = ""
	}
	if err := s.checkScope(o); err != nil {
		return err
	}
	if s.hasExpires && now.After(s.policyEnds) {
		e := s.fail(Expired)
		e.ExpiresAt, e.ServerTime = s.policyEnds, now.UTC()
		return e
	}
	return nil
}

// matchPost compares the signature over the policy.
func (s *Signed) matchPost(key signingKey, secret string) error {
	if s.Form == FormPostV2 && s.matchesV2(secret, s.policy) || s.Form == FormPost && matches(key, []byte(s.policy), s.Signature) {
		s.verified = true
		return nil
	}
	e := s.fail(BadSignature)
	e.StringToSign, e.SignatureProvided = s.policy, s.Signature
	return e
}
