package s3api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// preflight answers a browser's CORS preflight, which is never signed and asks for no
// permission: 200 with what the matching rule allows, or 403 (S15, S165).
func (a *API) preflight(req *request) error {
	h := req.r.Header
	origin := h.Get("Origin")
	if origin == "" {
		return failure.New("BadRequest", "Insufficient information. Origin request header needed.")
	}
	method := h.Get("Access-Control-Request-Method")
	refused := func(message string) error {
		shown := method
		if shown == "" {
			shown = http.MethodOptions
		}
		kind := "BUCKET"
		if req.bucket != nil && len(req.bucket.CORS) > 0 && req.key != "" {
			kind = "OBJECT"
		}
		return failure.New("AccessForbidden", message, "Method", shown, "ResourceType", kind)
	}
	bucket, err := a.cfg.Store.Bucket(req.ctx, req.bucketName)
	if failure.CodeOf(err) == "NoSuchBucket" {
		return refused("CORSResponse: Bucket not found")
	}
	if err != nil {
		return err
	}
	req.bucket = bucket
	if len(bucket.CORS) == 0 {
		return refused("CORSResponse: CORS is not enabled for this bucket.")
	}
	headers := splitList(h["Access-Control-Request-Headers"])
	rule, allowed := corsRule(bucket.CORS, origin, method, headers)
	if rule == nil {
		return refused("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
	}
	setCORSHeaders(req.w.Header(), rule, allowed)
	if len(headers) > 0 {
		req.w.Header()["Access-Control-Allow-Headers"] = []string{strings.Join(headers, ", ")}
	}
	return req.ok()
}

// shareWithOrigin adds the CORS headers to the answer of an actual request from a page,
// if a rule covers it (S165).
func (req *request) shareWithOrigin() {
	origin := req.r.Header.Get("Origin")
	if origin == "" || len(req.bucket.CORS) == 0 {
		return
	}
	method := req.r.Method
	if asked := req.r.Header.Get("Access-Control-Request-Method"); asked != "" {
		method = asked
	}
	if rule, allowed := corsRule(req.bucket.CORS, origin, method, nil); rule != nil {
		setCORSHeaders(req.w.Header(), rule, allowed)
	}
}

// corsRule is the first rule that covers a request, with the origin to answer: "*" only
// where the rule says so itself.
func corsRule(rules []store.CORSRule, origin, method string, headers []string) (*store.CORSRule, string) {
	for i := range rules {
		r := &rules[i]
		allowed := ""
		for _, o := range r.AllowedOrigins {
			if o == "*" {
				allowed = "*"
				break
			}
			if wildcardMatch(o, origin) {
				allowed = origin
				break
			}
		}
		if allowed != "" && slices.Contains(r.AllowedMethods, method) && allowsHeaders(r, headers) {
			return r, allowed
		}
	}
	return nil, ""
}

func allowsHeaders(r *store.CORSRule, headers []string) bool {
	for _, h := range headers {
		ok := false
		for _, allowed := range r.AllowedHeaders {
			ok = ok || wildcardMatch(strings.ToLower(allowed), h)
		}
		if !ok {
			return false
		}
	}
	return true
}

// wildcardMatch matches a pattern with at most one "*".
func wildcardMatch(pattern, s string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == s
	}
	return len(s) >= len(before)+len(after) && strings.HasPrefix(s, before) && strings.HasSuffix(s, after)
}

// splitList reads a comma-separated header, in lower case.
func splitList(values []string) []string {
	var out []string
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.ToLower(strings.TrimSpace(part)); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

func setCORSHeaders(h http.Header, r *store.CORSRule, origin string) {
	h["Access-Control-Allow-Origin"] = []string{origin}
	h["Access-Control-Allow-Methods"] = []string{strings.Join(r.AllowedMethods, ", ")}
	if origin != "*" {
		h["Access-Control-Allow-Credentials"] = []string{"true"}
	}
	if len(r.ExposeHeaders) > 0 {
		h["Access-Control-Expose-Headers"] = []string{strings.Join(r.ExposeHeaders, ", ")}
	}
	if r.MaxAgeSeconds != nil {
		h["Access-Control-Max-Age"] = []string{strconv.Itoa(*r.MaxAgeSeconds)}
	}
	h["Vary"] = []string{"Origin, Access-Control-Request-Headers, Access-Control-Request-Method"}
}
