package s3api

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	metadataPrefix     = "X-Amz-Meta-"
	maxMetadata        = 2048 // bytes of names and values together (S231)
	defaultContentType = "binary/octet-stream"
	standardClass      = "STANDARD"
)

// readHeaders takes the system metadata of a write. aws-chunked is how the request was sent,
// not how the content is encoded, and is left out (S246).
func readHeaders(h http.Header) store.Headers {
	s := store.Headers{
		ContentType:        h.Get("Content-Type"),
		ContentLanguage:    h.Get("Content-Language"),
		ContentDisposition: h.Get("Content-Disposition"),
		CacheControl:       h.Get("Cache-Control"),
		Expires:            h.Get("Expires"),
		WebsiteRedirect:    h.Get("X-Amz-Website-Redirect-Location"),
	}
	if s.ContentType == "" {
		s.ContentType = defaultContentType // S200
	}
	var kept []string
	for _, v := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(v, ",") {
			if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "aws-chunked") {
				kept = append(kept, coding)
			}
		}
	}
	s.ContentEncoding = strings.Join(kept, ",")
	return s
}

// readMetadata takes the user metadata of a write; names come back in lower case (S231).
func readMetadata(h http.Header) (map[string]string, error) {
	var m map[string]string
	size := 0
	for name, values := range h {
		if !strings.HasPrefix(name, metadataPrefix) {
			continue
		}
		if m == nil {
			m = map[string]string{}
		}
		name = strings.ToLower(name[len(metadataPrefix):])
		value := strings.Join(values, ",")
		m[name] = value
		size += len(name) + len(value)
	}
	if size > maxMetadata {
		return nil, failure.New("MetadataTooLarge", "",
			"Size", strconv.Itoa(size), "MaxSizeAllowed", strconv.Itoa(maxMetadata))
	}
	return m, nil
}

// readStorageClass takes the storage class of a write; "" is STANDARD (S229).
func readStorageClass(h http.Header) (string, error) {
	switch class := h.Get("X-Amz-Storage-Class"); class {
	case "", standardClass:
		return "", nil
	case "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR":
		return class, nil
	default:
		return "", failure.New("InvalidStorageClass", "", "StorageClassRequested", class)
	}
}

// shownClass is the storage class as lists show it.
func shownClass(class string) string {
	if class == "" {
		return standardClass
	}
	return class
}

// setObjectHeaders describes v in the answer to GET and HEAD, all but length, range,
// checksum and tag count.
func setObjectHeaders(h http.Header, bucket *store.Bucket, v *store.Version) {
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	set("Accept-Ranges", "bytes")
	set("Etag", `"`+v.ETag+`"`)
	set("Last-Modified", v.LastModified.UTC().Format(http.TimeFormat))
	set("Content-Type", v.Headers.ContentType)
	set("Content-Encoding", v.Headers.ContentEncoding)
	set("Content-Language", v.Headers.ContentLanguage)
	set("Content-Disposition", v.Headers.ContentDisposition)
	set("Cache-Control", v.Headers.CacheControl)
	set("Expires", v.Headers.Expires)
	set("X-Amz-Website-Redirect-Location", v.Headers.WebsiteRedirect)
	set("X-Amz-Storage-Class", v.StorageClass) // not sent for STANDARD (S229)
	set("X-Amz-Replication-Status", string(v.ReplicationStatus()))
	setVersionID(h, bucket, v.ID)
	setEncryptionHeaders(h, &v.Encryption)
	for name, value := range v.Metadata {
		// In lower case, as S3 sends it: botocore takes the names as they come (S231).
		h[strings.ToLower(metadataPrefix)+name] = []string{encodeMetadata(value)}
	}
}

// setVersionID shows a version's id, also "null", in buckets that have ever been versioned (S237).
func setVersionID(h http.Header, bucket *store.Bucket, id string) {
	if bucket.Versioning != store.Unversioned {
		h["X-Amz-Version-Id"] = []string{id}
	}
}

// encodeMetadata gives text that a header can't carry the form of RFC 2047 (S231).
func encodeMetadata(v string) string {
	for i := range len(v) {
		if v[i] >= 0x80 {
			return strings.ReplaceAll(mime.QEncoding.Encode("UTF-8", v), "=?UTF-8?q?", "=?UTF-8?Q?")
		}
	}
	return v
}

// responseOverrides are the query parameters of GET that replace a response header (S239).
var responseOverrides = [...]struct{ parameter, header string }{
	{"response-content-type", "Content-Type"},
	{"response-content-encoding", "Content-Encoding"},
	{"response-content-language", "Content-Language"},
	{"response-content-disposition", "Content-Disposition"},
	{"response-cache-control", "Cache-Control"},
	{"response-expires", "Expires"},
}

// overrideHeaders applies response-* parameters, which an unsigned request may not have (S239).
func overrideHeaders(req *request, h http.Header) error {
	for _, o := range responseOverrides {
		if v := req.query.Get(o.parameter); v != "" {
			if req.signed == nil && !req.inside {
				return failure.New("InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
			}
			text, ok := latin1(v)
			if !ok {
				return failure.New("InvalidArgument", "Header value cannot be represented using ISO-8859-1.",
					"ArgumentName", o.parameter, "ArgumentValue", v)
			}
			h[o.header] = []string{text}
		}
	}
	return nil
}

// latin1 is text in the encoding of header values; ok is false if that has no such character.
func latin1(s string) (text string, ok bool) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		out = append(out, byte(r))
	}
	return string(out), true
}

// parseTagHeader reads x-amz-tagging: URL-encoded pairs, each name once (S232).
func parseTagHeader(header string) ([]store.Tag, error) {
	bad := invalidHeader("x-amz-tagging", header,
		"The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	var tags []store.Tag
	for pair := range strings.SplitSeq(header, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if strings.Contains(value, "=") {
			return nil, bad
		}
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, bad
		}
		tags = append(tags, store.Tag{Key: name, Value: value})
	}
	sortTags(tags)
	for i := 1; i < len(tags); i++ {
		if tags[i].Key == tags[i-1].Key {
			return nil, bad
		}
	}
	return tags, checkObjectTags(tags)
}
