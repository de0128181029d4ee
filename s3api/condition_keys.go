package s3api

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/arn"
	"twinbucket/store"
)

// commonKeys adds the condition keys that every S3 request has (S25). It returns
// keys, or a new context when keys is nil.
func commonKeys(req *request, keys policy.Context) policy.Context {
	if keys == nil {
		keys = make(policy.Context, 16)
	}
	source := &req.caller.Source
	if source.AuthType != "" {
		keys.Set("s3:authtype", source.AuthType)
		keys.Set("s3:signatureversion", signatureVersion(req.signed))
		keys.Set("s3:signatureage", strconv.FormatInt(source.SignatureAge.Milliseconds(), 10))
	}
	if req.r.TLS != nil {
		keys.Set("s3:tlsversion", tlsVersion(req.r.TLS.Version))
	}
	if req.signed != nil && req.signed.ContentSHA256 != "" {
		keys.Set("s3:x-amz-content-sha256", req.signed.ContentSHA256)
	}
	if v := req.query.Get("versionId"); v != "" {
		keys.Set("s3:versionid", v)
	}
	return keys
}

// signatureVersion is the value of s3:signatureversion (S25).
func signatureVersion(signed *sigv4.Signed) string {
	if signed != nil && (signed.Form == sigv4.FormQueryV2 || signed.Form == sigv4.FormPostV2) {
		return "AWS"
	}
	return "AWS4-HMAC-SHA256"
}

func tlsVersion(v uint16) string {
	switch v {
	case tls.VersionTLS12:
		return "1.2"
	case tls.VersionTLS13:
		return "1.3"
	}
	return strings.TrimPrefix(tls.VersionName(v), "TLS ")
}

// listKeys adds s3:prefix, s3:delimiter and s3:max-keys where the query has them: a
// parameter that was not sent has no key, not an empty one (S26).
func (a *API) listKeys(req *request, keys policy.Context) {
	for _, p := range [...]struct{ parameter, key string }{
		{"prefix", "s3:prefix"}, {"delimiter", "s3:delimiter"}, {"max-keys", "s3:max-keys"},
	} {
		if v, ok := req.query[p.parameter]; ok {
			keys.Set(p.key, v...)
		}
	}
}

// putHeaders are the request headers whose text is a condition key of s3:PutObject.
var putHeaders = [...]struct{ header, key string }{
	{"X-Amz-Acl", "s3:x-amz-acl"},
	{"X-Amz-Grant-Read", "s3:x-amz-grant-read"},
	{"X-Amz-Grant-Write", "s3:x-amz-grant-write"},
	{"X-Amz-Grant-Read-Acp", "s3:x-amz-grant-read-acp"},
	{"X-Amz-Grant-Write-Acp", "s3:x-amz-grant-write-acp"},
	{"X-Amz-Grant-Full-Control", "s3:x-amz-grant-full-control"},
	{"X-Amz-Metadata-Directive", "s3:x-amz-metadata-directive"},
	{"X-Amz-Server-Side-Encryption", "s3:x-amz-server-side-encryption"},
	{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "s3:x-amz-server-side-encryption-customer-algorithm"},
	{"X-Amz-Storage-Class", "s3:x-amz-storage-class"},
	{"X-Amz-Website-Redirect-Location", "s3:x-amz-website-redirect-location"},
	{"X-Amz-Object-Lock-Mode", "s3:object-lock-mode"},
	{"X-Amz-Object-Lock-Retain-Until-Date", "s3:object-lock-retain-until-date"},
	{"X-Amz-Object-Lock-Legal-Hold", "s3:object-lock-legal-hold"},
	{"If-Match", "s3:if-match"},
	{"If-None-Match", "s3:if-none-match"},
}

// putKeys adds the condition keys of s3:PutObject (S27).
func (a *API) putKeys(req *request, keys policy.Context) {
	h := req.r.Header
	addHeaders(h, keys)
	if v := h["X-Amz-Copy-Source"]; len(v) > 0 {
		keys.Set("s3:x-amz-copy-source", copySourceKey(v[0]))
	}
	if id := h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"); id != "" {
		keys.Set("s3:x-amz-server-side-encryption-aws-kms-key-id", a.keyARN(req, id))
	}
	switch req.op.Name {
	case "UploadPart", "UploadPartCopy":
		keys.Set("s3:objectcreationoperation", "false")
	default:
		keys.Set("s3:objectcreationoperation", "true")
	}
	if hasLockHeaders(h) {
		if l, err := readLock(h, a.cfg.Clock.Now()); err == nil { // the handler refuses others
			setLockKeys(keys, l, a.cfg.Clock.Now())
		}
	}
	if v := h.Get("X-Amz-Tagging"); v != "" {
		tags, err := url.ParseQuery(v)
		if err != nil {
			return // the handler refuses the header
		}
		requestTagKeys(keys, func(yield func(key, value string)) {
			for k, v := range tags {
				yield(k, v[0])
			}
		})
	}
}

func addHeaders(h http.Header, keys policy.Context) {
	for i := range putHeaders {
		if v, ok := h[putHeaders[i].header]; ok {
			keys.Set(putHeaders[i].key, v...)
		}
	}
}

// copySourceKey is x-amz-copy-source as the condition key has it: without the leading
// slash and the version (S27).
func copySourceKey(v string) string {
	v, _, _ = strings.Cut(strings.TrimPrefix(v, "/"), "?versionId=")
	if raw, err := url.PathUnescape(v); err == nil {
		return raw
	}
	return v
}

// keyARN spells a KMS key as conditions see it: the ARN, also of bare ids and aliases,
// which belong to the caller's account (S27).
func (a *API) keyARN(req *request, id string) string {
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	region := req.region
	if req.bucket != nil {
		region = req.bucket.Region
	}
	if strings.HasPrefix(id, "alias/") {
		return arn.Alias(region, req.caller.Account(), id)
	}
	return arn.Key(region, req.caller.Account(), id)
}

// putTaggingKeys adds the tags in the body of PutObjectTagging and the existing ones. A
// body that can't be read as tags adds none: the handler will refuse it.
func (a *API) putTaggingKeys(req *request, keys policy.Context) {
	if body, err := a.readBody(req, maxConfigBody, true); err == nil {
		if tags, err := parseTagging(body); err == nil {
			requestTagKeys(keys, func(yield func(key, value string)) {
				for _, t := range tags {
					yield(t.Key, t.Value)
				}
			})
		}
	}
	a.existingTagKeys(req, keys)
}

func requestTagKeys(keys policy.Context, each func(yield func(key, value string))) {
	var names []string
	each(func(key, value string) {
		keys.Set("s3:requestobjecttag/"+key, value)
		names = append(names, key)
	})
	if names != nil {
		keys.Set("s3:requestobjecttagkeys", names...)
	}
}

// existingTagKeys adds the tags of the addressed version. A version that is not there
// has none; the handler answers for that (S28).
func (a *API) existingTagKeys(req *request, keys policy.Context) {
	v, err := a.requestedVersion(req)
	if err == nil {
		existingTags(keys, v.Tags)
	}
}

// existingTags adds s3:ExistingObjectTag/<key> for each tag.
func existingTags(keys policy.Context, tags []store.Tag) {
	for _, t := range tags {
		keys.Set("s3:existingobjecttag/"+t.Key, t.Value)
	}
}
