package sigv4

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// appendCanonicalRequest builds the canonical request around an already canonical path.
func (s *Signed) appendCanonicalRequest(b []byte, path, payloadHash string) []byte {
	b = append(b, s.req.Method...)
	b = append(b, '\n')
	b = append(b, path...)
	b = append(b, '\n')
	b = appendCanonicalQuery(b, s.req.URL.RawQuery, s.Form == FormQuery)
	b = append(b, '\n')
	for _, name := range s.SignedHeaders {
		b = append(b, name...)
		b = append(b, ':')
		b = s.appendHeader(b, name)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, s.signedList...)
	b = append(b, '\n')
	return append(b, payloadHash...)
}

// appendStringToSign builds the string to sign of a request.
func (s *Signed) appendStringToSign(b, canonicalRequest []byte) []byte {
	b = append(b, algorithm...)
	b = append(b, '\n')
	b = append(b, s.dateText...)
	b = append(b, '\n')
	b = s.Scope.appendTo(b)
	b = append(b, '\n')
	sum := sha256.Sum256(canonicalRequest)
	return hex.AppendEncode(b, sum[:])
}

func (s Scope) appendTo(b []byte) []byte {
	b = append(b, s.Date...)
	b = append(b, '/')
	b = append(b, s.Region...)
	b = append(b, '/')
	b = append(b, s.Service...)
	b = append(b, '/')
	return append(b, terminator...)
}

// canonicalPaths gives the path as AWS defines it and, when that differs, as a client may
// have signed it. S3 takes every byte of the target as it is and encodes it once. Other
// services remove dot segments and doubled slashes, and encode the encoded path again.
// Clients differ in whether they normalise before they sign; both forms name the same
// resource, so accepting either gives nothing away (A3, A4).
func (s *Signed) canonicalPaths(s3 bool) (canonical, asSent string) {
	raw := s.rawPath()
	if s3 {
		return escape(raw, inPath), raw
	}
	return doubleEscape(removeDotSegments(raw)), doubleEscape(raw)
}

// rawPath is the escaped path exactly as it came over the wire. URL.Path is of no use: it is
// decoded, and decoding loses the difference between "/" and "%2F".
func (s *Signed) rawPath() string {
	target := s.req.RequestURI
	if target == "" { // a request that net/http's server did not read
		target = s.req.URL.EscapedPath()
	}
	if i := strings.IndexByte(target, '?'); i >= 0 {
		target = target[:i]
	}
	if !strings.HasPrefix(target, "/") {
		if u, err := url.Parse(target); err == nil && u.Host != "" { // absolute form, as proxies get it
			target = u.EscapedPath()
		}
	}
	if target == "" {
		return "/"
	}
	return target
}

// removeDotSegments resolves "." and ".." and drops empty segments, keeping a final slash.
func removeDotSegments(path string) string {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "//") {
		return path
	}
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
		}
	}
	clean := "/" + strings.Join(kept, "/")
	if strings.HasSuffix(path, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// appendCanonicalQuery sorts the parameters by encoded name, then by encoded value (A5).
func appendCanonicalQuery(b []byte, rawQuery string, presigned bool) []byte {
	type pair struct{ name, value string }
	var room [16]pair
	pairs := room[:0]
	for rawQuery != "" {
		var p string
		p, rawQuery, _ = strings.Cut(rawQuery, "&")
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		name = escape(name, inQuery)
		if presigned && name == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, pair{name, escape(value, inQuery)})
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.value, y.value))
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, p.name...)
		b = append(b, '=')
		b = append(b, p.value...)
	}
	return b
}

// appendHeader appends a signed header's values, joined by commas. net/http's server takes
// some headers out of the map; they are put together again here.
func (s *Signed) appendHeader(b []byte, name string) []byte {
	if name == "host" {
		return appendTrimmed(b, s.req.Host)
	}
	var room [64]byte
	values := s.req.Header[string(appendHeaderKey(room[:0], name))]
	if len(values) == 0 {
		switch name {
		case "content-length":
			if s.req.ContentLength >= 0 {
				return strconv.AppendInt(b, s.req.ContentLength, 10)
			}
		case "transfer-encoding":
			values = s.req.TransferEncoding
		}
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, v)
	}
	return b
}

// appendHeaderKey turns "x-amz-date" into the key that http.Header uses, without an allocation.
func appendHeaderKey(b []byte, name string) []byte {
	upper := true
	for i := range len(name) {
		c := name[i]
		switch {
		case upper && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		case !upper && 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		b = append(b, c)
		upper = c == '-'
	}
	return b
}

// appendTrimmed drops outer white space and makes one space of every run of them.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	for {
		i := strings.Index(v, "  ")
		if i < 0 {
			return append(b, v...)
		}
		b = append(b, v[:i+1]...)
		v = strings.TrimLeft(v[i:], " ")
	}
}
