package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The old presigned URL, signature version 2 (A36). The aws CLI v1 still makes it by
// default in us-east-1, so "aws s3 presign" would not work without it. The header form of
// version 2 is refused: no client of today sends it.

// regionV2 is the Region of a version 2 signature, which names none.
const regionV2 = "us-east-1"

// parseQueryV2 reads AWSAccessKeyId, Expires (a time, in seconds since 1970) and Signature.
func parseQueryV2(r *http.Request, q *queryAuth) (*Signed, error) {
	s := &Signed{
		Form: FormQueryV2, req: r, AccessKeyID: q.v2Key.value, Scope: Scope{Region: regionV2, Service: "s3"},
		Signature: q.v2Signature.value, dateText: q.v2Expires.value,
		SessionToken: q.v2Token.value, ContentSHA256: unsignedPayload, payloadHash: unsignedPayload,
	}
	if names := q.missingV2(); names != nil {
		e := s.fail(SigV2)
		e.Missing = names
		return nil, e
	}
	seconds, err := strconv.ParseInt(q.v2Expires.value, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return nil, s.fail(ExpiresNotNumber).withValue(q.v2Expires.value)
	}
	s.Time = time.Unix(seconds, 0).UTC()
	return s, nil
}

// checkV2 is what needs no secret: the service and the end of the validity.
func (s *Signed) checkV2(now time.Time, o Options) error {
	if err := s.checkScope(Options{Service: o.Service}); err != nil {
		return err
	}
	if now.After(s.Time) {
		e := s.fail(Expired)
		e.ExpiresAt, e.ServerTime = s.Time, now.UTC()
		return e
	}
	return nil
}

// matchV2 compares the signature. The signed resource starts with the bucket; where the host
// name carries it, the path does not.
func (s *Signed) matchV2(secret string) error {
	toSign := s.stringToSignV2("")
	if !s.matchesV2(secret, toSign) {
		host, _, _ := strings.Cut(s.req.Host, ".")
		if !s.matchesV2(secret, s.stringToSignV2("/"+host)) {
			e := s.fail(BadSignature)
			e.StringToSign, e.SignatureProvided = toSign, s.Signature
			return e
		}
	}
	s.verified = true
	return nil
}

func (s *Signed) matchesV2(secret, toSign string) bool {
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(toSign))
	return hmac.Equal([]byte(base64.StdEncoding.EncodeToString(h.Sum(nil))), []byte(s.Signature))
}

// stringToSignV2 is method, Content-MD5, Content-Type, expiry, the x-amz-* headers and the
// resource. Headers may have been moved to the query by whoever made the URL.
func (s *Signed) stringToSignV2(bucket string) string {
	query := s.req.URL.Query()
	header := func(name string) string {
		if v := s.req.Header.Get(name); v != "" {
			return v
		}
		return query.Get(strings.ToLower(name))
	}
	var b strings.Builder
	for _, v := range [...]string{s.req.Method, header("Content-MD5"), header("Content-Type"), s.dateText} {
		b.WriteString(v)
		b.WriteByte('\n')
	}
	amz := map[string]string{}
	for name, values := range s.req.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			amz[name] = strings.Join(values, ",")
		}
	}
	for name, values := range query {
		if strings.HasPrefix(name, "x-amz-") {
			amz[name] = values[0]
		}
	}
	for _, name := range sortedKeys(amz) {
		b.WriteString(name + ":" + strings.TrimSpace(amz[name]) + "\n")
	}
	path, _, _ := strings.Cut(s.req.RequestURI, "?")
	b.WriteString(bucket + path)
	writeSubresourcesV2(&b, query)
	return b.String()
}

// subresourcesV2 are the query parameters that version 2 signs.
var subresourcesV2 = []string{
	"accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "encryption", "inventory", "lifecycle", "location",
	"logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
	"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "restore", "select", "select-type", "storageClass", "tagging", "torrent",
	"uploadId", "uploads", "versionId", "versioning", "versions", "website",
}

func writeSubresourcesV2(b *strings.Builder, query url.Values) {
	separator := "?"
	for _, name := range subresourcesV2 {
		values, ok := query[name]
		if !ok {
			continue
		}
		b.WriteString(separator + name)
		if values[0] != "" {
			b.WriteString("=" + values[0])
		}
		separator = "&"
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
