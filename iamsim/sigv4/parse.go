package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// Parse reads what a request, as net/http's server hands it out, claims about its signature.
//
// An unsigned request gives an *Error of kind MissingToken that matches ErrAnonymous. Any other
// fault of form is an *Error too; its Form, AccessKeyID and Scope are set as far as they
// could be read, so that the server knows in which service's words to refuse.
//
// Parse keeps r: its Header, Host and URL.RawQuery must not change until Verify has run.
func Parse(r *http.Request) (*Signed, error) {
	var query queryAuth
	query.scan(r.URL.RawQuery)

	auth := r.Header["Authorization"]
	if len(auth) == 0 || len(auth) == 1 && auth[0] == "" {
		switch {
		case query.isV4():
			return parseQuery(r, &query)
		case query.isV2():
			return parseQueryV2(r, &query)
		}
		return nil, &Error{Kind: MissingToken, cause: ErrAnonymous}
	}
	if len(auth) > 1 || query.isV4() || query.isV2() { // A6
		return nil, &Error{Kind: MultipleMechanisms, Form: FormHeader}
	}
	return parseHeader(r, auth[0])
}

func parseHeader(r *http.Request, auth string) (*Signed, error) {
	s := &Signed{Form: FormHeader, req: r}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(auth), " ")
	switch scheme {
	case algorithm:
	case algorithmA:
		return nil, s.fail(SigV4A).withValue(scheme)
	case "AWS":
		e := s.fail(SigV2)
		e.AccessKeyID, _, _ = strings.Cut(strings.TrimSpace(rest), ":")
		return nil, e
	default:
		return nil, s.fail(UnsupportedAlgorithm).withValue(scheme)
	}
	credential, err := s.readComponents(auth, rest)
	if err != nil {
		return nil, err
	}
	if err := s.setCredential(credential); err != nil {
		return nil, err
	}
	if err := s.setHeaderTime(auth); err != nil {
		return nil, err
	}
	s.SessionToken = r.Header.Get("X-Amz-Security-Token")
	s.ContentSHA256 = r.Header.Get("X-Amz-Content-Sha256")
	s.payloadHash = s.ContentSHA256
	return s, nil
}

// readComponents reads "Credential=…, SignedHeaders=…, Signature=…" in any order (A2).
func (s *Signed) readComponents(auth, rest string) (credential string, err error) {
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		field := (*string)(nil)
		switch name {
		case "Credential":
			field = &credential
		case "SignedHeaders":
			field = &s.signedList
		case "Signature":
			field = &s.Signature
		}
		if !found || field == nil || *field != "" {
			return "", s.fail(MalformedHeader).withValue(part)
		}
		*field = value
	}
	var missing []string
	for _, c := range [...]struct{ name, value string }{
		{"Credential", credential}, {"Signature", s.Signature}, {"SignedHeaders", s.signedList},
	} {
		if c.value == "" {
			missing = append(missing, c.name)
		}
	}
	if missing != nil {
		e := s.fail(MissingComponents)
		e.Missing, e.AuthorizationHash = missing, hashAuthorization(auth)
		return "", e
	}
	s.SignedHeaders = strings.Split(s.signedList, ";")
	return credential, nil
}

// setCredential takes "key/date/region/service/aws4_request" apart.
func (s *Signed) setCredential(credential string) error {
	var parts [5]string
	rest, found := credential, true
	for i := range parts {
		if !found {
			return s.fail(MalformedCredential).withValue(credential)
		}
		parts[i], rest, found = strings.Cut(rest, "/")
		if parts[i] == "" {
			return s.fail(MalformedCredential).withValue(credential)
		}
	}
	if found {
		return s.fail(MalformedCredential).withValue(credential)
	}
	s.AccessKeyID = parts[0]
	s.Scope = Scope{Date: parts[1], Region: parts[2], Service: parts[3]}
	if parts[4] != terminator {
		e := s.fail(WrongTerminator).withValue(parts[4])
		e.Expected = terminator
		return e
	}
	return nil
}

// setHeaderTime takes X-Amz-Date, or else Date, which may be an HTTP date (A9).
func (s *Signed) setHeaderTime(auth string) error {
	if v := s.req.Header.Get("X-Amz-Date"); v != "" {
		return s.setTime(v)
	}
	v := s.req.Header.Get("Date")
	if v == "" {
		e := s.fail(MissingDate)
		e.AuthorizationHash = hashAuthorization(auth)
		return e
	}
	for _, layout := range [...]string{http.TimeFormat, time.RFC1123Z, time.RFC850, time.ANSIC} {
		if t, err := time.Parse(layout, v); err == nil {
			return s.setTime(t.UTC().Format(timeFormat))
		}
	}
	return s.setTime(v)
}

// setTime reads an ISO 8601 basic time and holds the scope's date against it.
func (s *Signed) setTime(v string) error {
	t, err := time.Parse(timeFormat, v)
	// time.Parse would let fractions of a second through.
	if err != nil || len(v) != len(timeFormat) {
		return s.fail(MalformedDate).withValue(v)
	}
	s.Time, s.dateText = t, v
	if date := v[:len(dateFormat)]; s.Scope.Date != date {
		e := s.fail(ScopeDateMismatch).withValue(s.Scope.Date)
		e.Expected = date
		return e
	}
	return nil
}

// hashAuthorization is the hash that IAM's IncompleteSignature messages quote (A17).
func hashAuthorization(auth string) string {
	sum := sha256.Sum256([]byte(auth))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (e *Error) withValue(v string) *Error {
	e.Value = v
	return e
}
