package s3api

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxListed is the largest page of every list (S260).
const maxListed = 1000

// listing is what the list operations have in common: the parameters of the page and the
// writing of keys, which encoding-type=url percent-encodes (S264).
type listing struct {
	prefix, delimiter string
	max               int
	encoded           bool
	owners            bool // entries carry their owner
	restores          bool // entries of archived objects carry their state (S323)
	now               time.Time
}

func (a *API) readListing(req *request, maxParameter string) (listing, error) {
	q := req.query
	l := listing{prefix: q.Get("prefix"), delimiter: q.Get("delimiter"), now: a.cfg.Clock.Now()}
	for _, v := range req.r.Header["X-Amz-Optional-Object-Attributes"] {
		l.restores = l.restores || strings.Contains(v, "RestoreStatus")
	}
	if v, ok := q["encoding-type"]; ok {
		if v[0] != "url" {
			return l, failure.New("InvalidArgument", "Invalid Encoding Method specified in Request",
				"ArgumentName", "encoding-type", "ArgumentValue", v[0])
		}
		l.encoded = true
	}
	var err error
	l.max, err = readMax(req, maxParameter)
	return l, err
}

// readMax reads a page size; more than maxListed is maxListed.
func readMax(req *request, parameter string) (int, error) {
	v := req.query.Get(parameter)
	if v == "" {
		return maxListed, nil
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil {
		return 0, failure.New("InvalidArgument", "Provided "+parameter+" not an integer or within integer range",
			"ArgumentName", parameter, "ArgumentValue", v)
	}
	if n < 0 {
		return 0, failure.New("InvalidArgument", "Argument "+parameter+" must be an integer between 0 and 2147483647",
			"ArgumentName", parameter, "ArgumentValue", v)
	}
	return min(int(n), maxListed), nil
}

// name writes an element with a key, prefix, delimiter or marker.
func (l *listing) name(d *document, element, value string) {
	if !l.encoded {
		d.text(element, value)
		return
	}
	d.open(element)
	d.buf = appendURLEncoded(d.buf, value)
	d.close(element)
}

// optionalName is name, unless value is empty.
func (l *listing) optionalName(d *document, element, value string) {
	if value != "" {
		l.name(d, element, value)
	}
}

// end writes what closes every list: the common prefixes and the encoding.
func (l *listing) end(d *document, prefixes []string) {
	for _, p := range prefixes {
		d.open("CommonPrefixes")
		l.name(d, "Prefix", p)
		d.close("CommonPrefixes")
	}
	if l.encoded {
		d.text("EncodingType", "url")
	}
}

// summary writes what lists tell about a version's content, between its key and its owner.
func (l *listing) summary(d *document, v *store.Version) {
	d.time("LastModified", v.LastModified)
	d.buf = append(d.buf, "<ETag>&quot;"...)
	d.buf = appendEscaped(d.buf, v.ETag)
	d.buf = append(d.buf, "&quot;</ETag>"...)
	if v.Checksum.Algorithm != "" {
		d.text("ChecksumAlgorithm", string(v.Checksum.Algorithm))
		d.text("ChecksumType", string(v.Checksum.Type))
	}
	d.number("Size", v.Size)
	d.text("StorageClass", shownClass(v.StorageClass))
	if l.restores {
		writeRestoreStatus(d, v, l.now)
	}
}

func (l *listing) owner(d *document, account string) {
	if l.owners {
		d.open("Owner")
		d.text("ID", canonicalID(account))
		d.close("Owner")
	}
}

// contents writes the entries of the two lists of current versions.
func (l *listing) contents(d *document, versions []*store.Version) {
	for _, v := range versions {
		d.open("Contents")
		l.name(d, "Key", v.Key)
		l.summary(d, v)
		l.owner(d, v.Owner)
		d.close("Contents")
	}
}

// entrySize is about what one entry takes, to make room for a page at once.
const entrySize = 360

// appendURLEncoded encodes as S3 does: like a form, but with slashes left alone (S264).
func appendURLEncoded(buf []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.*/", c) >= 0:
			buf = append(buf, c)
		case c == ' ':
			buf = append(buf, '+')
		default:
			buf = append(buf, '%', hex[c>>4], hex[c&15])
		}
	}
	return buf
}

// tokenVersion begins every continuation token.
const tokenVersion = "1"

// continuationToken hides where a page ended (S261).
func continuationToken(after string) string {
	return base64.URLEncoding.EncodeToString([]byte(tokenVersion + after))
}

func parseContinuationToken(token string) (string, error) {
	text, err := base64.URLEncoding.DecodeString(token)
	after, ok := strings.CutPrefix(string(text), tokenVersion)
	if err != nil || !ok || after == "" {
		return "", failure.New("InvalidArgument", "The continuation token provided is incorrect", "ArgumentName", "continuation-token")
	}
	return after, nil
}
