package s3api

import (
	"net/http"
	"strings"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// readWriteCondition reads If-Match and If-None-Match of a write (S221). Of the many forms
// HTTP knows S3 takes one ETag in If-Match and "*" in If-None-Match; what it does not take
// it answers with 501.
func readWriteCondition(h http.Header) (store.Condition, error) {
	match, none := h.Get("If-Match"), h.Get("If-None-Match")
	switch {
	case match != "" && none != "":
		return store.Condition{}, headerNotImplemented("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
	case none != "" && none != "*":
		return store.Condition{}, headerNotImplemented("If-None-Match", "We don't accept the provided value of If-None-Match header for this API")
	case match == "*":
		return store.Condition{}, headerNotImplemented("If-Match", "We don't accept the provided value of If-Match header for this API")
	}
	return store.Condition{IfMatch: trimETag(match), IfNoneMatch: none != ""}, nil
}

// readDeleteCondition reads If-Match of a delete; the other two conditions exist only for
// directory buckets (S244).
func readDeleteCondition(h http.Header) (store.Condition, error) {
	for _, name := range []string{"x-amz-if-match-last-modified-time", "x-amz-if-match-size"} {
		if h.Get(name) != "" {
			return store.Condition{}, failure.New("NotImplemented", "", "Header", name)
		}
	}
	return readWriteCondition(h)
}

func headerNotImplemented(header, why string) error {
	return failure.New("NotImplemented", "", "Header", header, "additionalMessage", why)
}

// readConditions are the four conditions of a read, by their header names.
type readConditions struct {
	prefix            string // of the names in errors: "" or "x-amz-copy-source-"
	match, none       string
	modified, unmodif string
}

func getConditions(h http.Header) readConditions {
	return readConditions{match: h.Get("If-Match"), none: h.Get("If-None-Match"),
		modified: h.Get("If-Modified-Since"), unmodif: h.Get("If-Unmodified-Since")}
}

func copySourceConditions(h http.Header) readConditions {
	const p = "X-Amz-Copy-Source-"
	return readConditions{prefix: "x-amz-copy-source-", match: h.Get(p + "If-Match"), none: h.Get(p + "If-None-Match"),
		modified: h.Get(p + "If-Modified-Since"), unmodif: h.Get(p + "If-Unmodified-Since")}
}

// check returns the name of the first condition that v fails, "" when all hold. ETags come
// before dates: a condition on the ETag switches the date of the same kind off (S222).
// A date in the future, or one that can't be read, is as if it were not there.
func (c readConditions) check(v *store.Version, now time.Time) string {
	changed := v.LastModified.Truncate(time.Second) // what Last-Modified tells
	if c.match != "" {
		if !etagListed(c.match, v.ETag) {
			return c.prefix + "If-Match"
		}
	} else if t, ok := parseDate(c.unmodif); ok && changed.After(t) {
		return c.prefix + "If-Unmodified-Since"
	}
	if c.none != "" {
		if etagListed(c.none, v.ETag) {
			return c.prefix + "If-None-Match"
		}
	} else if t, ok := parseDate(c.modified); ok && !t.After(now) && !changed.After(t) {
		return c.prefix + "If-Modified-Since"
	}
	return ""
}

// parseDate reads an HTTP date; most requests have none.
func parseDate(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(s)
	return t, err == nil
}

// notModified tells which failed conditions of a GET are 304 rather than 412.
func notModified(condition string) bool {
	return condition == "If-None-Match" || condition == "If-Modified-Since"
}

func preconditionFailed(condition string) error {
	return failure.New("PreconditionFailed", "", "Condition", condition)
}

// etagListed reports whether etag is in an If-Match or If-None-Match list, with or without quotes.
func etagListed(list, etag string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == "*" || trimETag(item) == etag {
			return true
		}
	}
	return false
}

// trimETag takes the quotes and a weakness mark off.
func trimETag(s string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(s), "W/"), `"`)
}
