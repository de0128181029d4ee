package sigv4

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// param is a query parameter; a parameter may be set and empty.
type param struct {
	value string
	set   bool
}

// queryAuth is the part of a query string that authenticates, in both versions. Of a repeated
// parameter the first counts; repeats stay in the canonical request, so the signature
// covers them.
type queryAuth struct {
	algorithm, credential, date, expires, signedHeaders, signature param
	token, contentSHA256                                           param
	v2Key, v2Signature, v2Expires, v2Token                         param
}

func (q *queryAuth) scan(rawQuery string) {
	for rawQuery != "" {
		var pair string
		pair, rawQuery, _ = strings.Cut(rawQuery, "&")
		name, value, _ := strings.Cut(pair, "=")
		if p := q.field(unescape(name)); p != nil && !p.set {
			p.value, p.set = unescape(value), true
		}
	}
}

func (q *queryAuth) field(name string) *param {
	switch name {
	case "X-Amz-Algorithm":
		return &q.algorithm
	case "X-Amz-Credential":
		return &q.credential
	case "X-Amz-Date":
		return &q.date
	case "X-Amz-Expires":
		return &q.expires
	case "X-Amz-SignedHeaders":
		return &q.signedHeaders
	case "X-Amz-Signature":
		return &q.signature
	case "X-Amz-Security-Token":
		return &q.token
	case "X-Amz-Content-Sha256":
		return &q.contentSHA256
	case "AWSAccessKeyId":
		return &q.v2Key
	case "Signature":
		return &q.v2Signature
	case "Expires":
		return &q.v2Expires
	case "x-amz-security-token":
		return &q.v2Token
	}
	return nil
}

// isV4 leaves X-Amz-Date and X-Amz-Expires out: alone they may be hoisted headers.
func (q *queryAuth) isV4() bool {
	return q.algorithm.set || q.credential.set || q.signature.set || q.signedHeaders.set
}

func (q *queryAuth) isV2() bool { return q.v2Key.set || q.v2Signature.set }

// missingV2 is in the order of AWS's message (A7).
func (q *queryAuth) missingV2() []string {
	return missing([]namedParam{
		{"Signature", q.v2Signature}, {"Expires", q.v2Expires}, {"AWSAccessKeyId", q.v2Key},
	})
}

// missingV4 is in the order of AWS's message (A11). X-Amz-Expires is asked for by S3 only:
// STS URLs, as EKS uses them, come without.
func (q *queryAuth) missingV4(service string) []string {
	params := []namedParam{
		{"X-Amz-Algorithm", q.algorithm}, {"X-Amz-Credential", q.credential}, {"X-Amz-Signature", q.signature},
		{"X-Amz-Date", q.date}, {"X-Amz-SignedHeaders", q.signedHeaders}, {"X-Amz-Expires", q.expires},
	}
	if service != "" && service != "s3" {
		params = params[:5]
	}
	return missing(params)
}

type namedParam struct {
	name string
	param
}

func missing(params []namedParam) (names []string) {
	for _, p := range params {
		if p.value == "" {
			names = append(names, p.name)
		}
	}
	return names
}

func parseQuery(r *http.Request, q *queryAuth) (*Signed, error) {
	s := &Signed{
		Form: FormQuery, req: r, Signature: q.signature.value,
		SessionToken: q.token.value, signedList: q.signedHeaders.value,
	}
	// The credential is read first so that a refusal knows its service, and reported late.
	credentialErr := s.setCredential(q.credential.value)
	switch a := q.algorithm.value; a {
	case algorithm, "":
	case algorithmA:
		return nil, s.fail(SigV4A).withValue(a)
	default:
		return nil, s.fail(UnsupportedAlgorithm).withValue(a)
	}
	if names := q.missingV4(s.Scope.Service); names != nil {
		e := s.fail(MissingQueryParams)
		e.Missing = names
		return nil, e
	}
	if credentialErr != nil {
		return nil, credentialErr
	}
	if err := s.setExpires(q.expires.value); err != nil {
		return nil, err
	}
	if err := s.setTime(q.date.value); err != nil {
		return nil, err
	}
	s.SignedHeaders = strings.Split(s.signedList, ";")
	s.setQueryPayload(q.contentSHA256)
	return s, nil
}

// setExpires checks X-Amz-Expires against its bounds (A12).
func (s *Signed) setExpires(v string) error {
	if v == "" {
		return nil
	}
	seconds, err := strconv.ParseInt(v, 10, 64) // out of range: the nearest bound
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return s.fail(ExpiresNotNumber).withValue(v)
	case seconds < 0:
		return s.fail(ExpiresNegative).withValue(v)
	case seconds > int64(MaxExpires/time.Second):
		return s.fail(ExpiresTooLong).withValue(v)
	}
	s.Expires, s.hasExpires = time.Duration(seconds)*time.Second, true
	return nil
}

// setQueryPayload: a presigned URL is normally made before the body is known and signs
// UNSIGNED-PAYLOAD. A payload header that was not signed still says how the body is framed,
// but can't have been part of what the client signed (A14).
func (s *Signed) setQueryPayload(p param) {
	header := s.req.Header.Get("X-Amz-Content-Sha256")
	s.ContentSHA256, s.payloadHash = unsignedPayload, unsignedPayload
	switch {
	case p.value != "":
		s.ContentSHA256, s.payloadHash = p.value, p.value
	case header != "":
		s.ContentSHA256 = header
		if s.isSigned("x-amz-content-sha256") {
			s.payloadHash = header
		}
	}
}

// unescape decodes a query name or value; one that can't be decoded stands for itself.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}
