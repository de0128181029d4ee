package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Options are what a service expects of a signature.
type Options struct {
	// S3 selects S3's rules: path as sent, payload hash from x-amz-content-sha256, every
	// x-amz-* header signed. Without it the rules of all other services hold.
	S3 bool
	// Service and Region are what the scope must name; empty accepts any.
	Service, Region string
	// Body is the whole request body; without S3 its hash is part of what was signed.
	Body []byte
}

// Verifier verifies signatures and remembers derived signing keys. The zero value is ready;
// it is safe for concurrent use and must not be copied.
type Verifier struct {
	keys keyCache
}

// Authenticate checks s, finds the secret through lookup, and checks the signature. The
// secret is looked up only if everything that needs none is in order. Errors are an *Error,
// or lookup's error wrapped.
func (v *Verifier) Authenticate(s *Signed, now time.Time, lookup Lookup, o Options) (Credentials, error) {
	if err := s.check(now, o); err != nil {
		return Credentials{}, err
	}
	secret, err := lookup(s.AccessKeyID, s.SessionToken)
	if err != nil {
		return Credentials{}, fmt.Errorf("sigv4: access key %s: %w", s.AccessKeyID, err)
	}
	if err := v.match(s, secret, o); err != nil {
		return Credentials{}, err
	}
	return Credentials{AccessKeyID: s.AccessKeyID, SecretKey: secret, SessionToken: s.SessionToken}, nil
}

// Verify checks s against a known secret at the time now.
func (v *Verifier) Verify(s *Signed, now time.Time, secret string, o Options) error {
	if err := s.check(now, o); err != nil {
		return err
	}
	return v.match(s, secret, o)
}

func (v *Verifier) match(s *Signed, secret string, o Options) error {
	switch s.Form {
	case FormQueryV2:
		return s.matchV2(secret)
	case FormPost, FormPostV2:
		return s.matchPost(v.keys.get(secret, s.Scope), secret)
	}
	return s.match(v.keys.get(secret, s.Scope), o)
}

// Verify is Verifier.Verify without a cache, for callers that verify one request.
func (s *Signed) Verify(now time.Time, secret string, o Options) error {
	if err := s.check(now, o); err != nil {
		return err
	}
	return new(Verifier).match(s, secret, o)
}

// check is everything that needs no secret.
func (s *Signed) check(now time.Time, o Options) error {
	s.verified = false
	switch s.Form {
	case FormQueryV2:
		return s.checkV2(now, o)
	case FormPost, FormPostV2:
		return s.checkPost(now, o)
	}
	if err := s.checkScope(o); err != nil {
		return err
	}
	if err := s.checkTime(now); err != nil {
		return err
	}
	if !s.isSigned("host") {
		e := s.fail(HostNotSigned)
		e.Headers = []string{"host"}
		return e
	}
	if !o.S3 {
		return nil
	}
	if names := s.unsignedHeaders(); names != nil {
		e := s.fail(HeadersNotSigned)
		e.Headers = names
		return e
	}
	return s.checkPayload()
}

func (s *Signed) checkScope(o Options) error {
	if o.Service != "" && s.Scope.Service != o.Service {
		e := s.fail(WrongService).withValue(s.Scope.Service)
		e.Expected = o.Service
		return e
	}
	if o.Region != "" && s.Scope.Region != o.Region {
		e := s.fail(WrongRegion).withValue(s.Scope.Region)
		e.Expected = o.Region
		return e
	}
	return nil
}

// checkTime: a header signature is good for MaxSkew either way (A10); a presigned URL from
// its date, with the same tolerance for a clock that runs ahead, to the end of its validity
// (A12). An URL without X-Amz-Expires, which S3 does not accept, is held to MaxSkew too.
func (s *Signed) checkTime(now time.Time) error {
	var e *Error
	switch {
	case s.Form == FormQuery && s.Time.After(now.Add(MaxSkew)):
		e = s.fail(NotYetValid)
	case s.hasExpires:
		if !now.After(s.Time.Add(s.Expires)) {
			return nil
		}
		e = s.fail(Expired)
		e.ExpiresAt, e.Expires = s.Time.Add(s.Expires), s.Expires
	case now.Sub(s.Time).Abs() > MaxSkew:
		e = s.fail(Skewed)
	default:
		return nil
	}
	e.RequestTime, e.ServerTime = s.Time, now.UTC()
	return e
}

// checkPayload refuses an S3 payload declaration that no body could meet.
func (s *Signed) checkPayload() error {
	switch s.Payload() {
	case PayloadMissing:
		return s.fail(MissingContentSHA256)
	case PayloadInvalid:
		return s.fail(InvalidContentSHA256).withValue(s.ContentSHA256)
	case PayloadSigV4A:
		return s.fail(SigV4A).withValue(s.ContentSHA256)
	}
	return nil
}

// unsignedHeaders lists the x-amz-* headers that were sent without being signed. A presigned
// URL may come with x-amz-content-sha256 unsigned (A15).
func (s *Signed) unsignedHeaders() []string {
	var names []string
	for key := range s.req.Header {
		if !strings.HasPrefix(key, "X-Amz-") || s.isSigned(key) {
			continue
		}
		if s.Form == FormQuery && key == "X-Amz-Content-Sha256" {
			continue
		}
		names = append(names, strings.ToLower(key))
	}
	slices.Sort(names)
	return names
}

func (s *Signed) isSigned(name string) bool {
	for _, h := range s.SignedHeaders {
		if len(h) == len(name) && strings.EqualFold(h, name) {
			return true
		}
	}
	return false
}

// match compares the signature with the one the key gives.
func (s *Signed) match(key signingKey, o Options) error {
	payloadHash := s.payloadHash
	if !o.S3 {
		sum := sha256.Sum256(o.Body)
		payloadHash = hex.EncodeToString(sum[:])
	}
	canonical, asSent := s.canonicalPaths(o.S3)
	var room [2048]byte
	request := s.appendCanonicalRequest(room[:0], canonical, payloadHash)
	var room2 [256]byte
	toSign := s.appendStringToSign(room2[:0], request)
	if !matches(key, toSign, s.Signature) {
		// The error shows the form that AWS defines, whichever was tried last.
		e := s.fail(BadSignature)
		e.CanonicalRequest, e.StringToSign, e.SignatureProvided = string(request), string(toSign), s.Signature
		if canonical == asSent {
			return e
		}
		request = s.appendCanonicalRequest(request[:0], asSent, payloadHash)
		if !matches(key, s.appendStringToSign(toSign[:0], request), s.Signature) {
			return e
		}
	}
	s.key, s.verified = key, true
	return nil
}

// matches compares in constant time.
func matches(key signingKey, toSign []byte, signature string) bool {
	h := hmac.New(sha256.New, key[:])
	h.Write(toSign)
	var sum [sha256.Size]byte
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], h.Sum(sum[:0]))
	return hmac.Equal(text[:], []byte(signature))
}
