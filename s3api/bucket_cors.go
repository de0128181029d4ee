package s3api

import (
	"slices"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	maxCORSRules = 100 // S164
	corsRoot     = "CORSConfiguration"
)

// getBucketCors is GetBucketCors.
func (a *API) getBucketCors(req *request) error {
	if len(req.bucket.CORS) == 0 {
		return notConfigured("NoSuchCORSConfiguration", req)
	}
	d := newDocument(corsRoot)
	for i := range req.bucket.CORS {
		d.corsRule(&req.bucket.CORS[i])
	}
	return req.send(d, corsRoot)
}

func (d *document) corsRule(r *store.CORSRule) {
	d.open("CORSRule")
	d.optional("ID", r.ID)
	for _, list := range [...]struct {
		name   string
		values []string
	}{{"AllowedMethod", r.AllowedMethods}, {"AllowedOrigin", r.AllowedOrigins}, {"AllowedHeader", r.AllowedHeaders}, {"ExposeHeader", r.ExposeHeaders}} {
		for _, v := range list.values {
			d.text(list.name, v)
		}
	}
	if r.MaxAgeSeconds != nil {
		d.number("MaxAgeSeconds", int64(*r.MaxAgeSeconds))
	}
	d.close("CORSRule")
}

// putBucketCors is PutBucketCors.
func (a *API) putBucketCors(req *request) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	rules, err := parseCORS(body)
	if err != nil {
		return err
	}
	if err := a.setCORS(req, rules); err != nil {
		return err
	}
	return req.ok()
}

// deleteBucketCors is DeleteBucketCors.
func (a *API) deleteBucketCors(req *request) error {
	if err := a.setCORS(req, nil); err != nil {
		return err
	}
	return req.noContent()
}

func (a *API) setCORS(req *request, rules []store.CORSRule) error {
	return a.update(req, func(b *store.Bucket) error {
		b.CORS = rules
		return nil
	})
}

// parseCORS reads a CORSConfiguration (S164).
func parseCORS(body []byte) ([]store.CORSRule, error) {
	root, err := parseXML(body, corsRoot)
	if err != nil {
		return nil, err
	}
	var rules []store.CORSRule
	for _, e := range root.many("CORSRule") {
		r := store.CORSRule{
			ID:             e.one("ID").leaf(),
			AllowedHeaders: texts(e.many("AllowedHeader")), AllowedMethods: texts(e.many("AllowedMethod")),
			AllowedOrigins: texts(e.many("AllowedOrigin")), ExposeHeaders: texts(e.many("ExposeHeader")),
		}
		if age := e.one("MaxAgeSeconds"); age != nil {
			n := int(age.integer(1<<31 - 1))
			r.MaxAgeSeconds = &n
		}
		if len(r.AllowedMethods) == 0 || len(r.AllowedOrigins) == 0 {
			e.malformed()
		}
		rules = append(rules, r)
	}
	if err := root.end(); err != nil {
		return nil, err
	}
	if len(rules) == 0 || len(rules) > maxCORSRules {
		return nil, errMalformedXML
	}
	for i := range rules {
		if err := checkCORSRule(&rules[i]); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func checkCORSRule(r *store.CORSRule) error {
	if len(r.ID) > 255 {
		return failure.New("InvalidRequest", "The ID of a CORS rule is at most 255 characters long.")
	}
	for _, m := range r.AllowedMethods {
		if !slices.Contains([]string{"GET", "PUT", "HEAD", "POST", "DELETE"}, m) {
			return failure.Newf("InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is %s", m)
		}
	}
	for _, o := range r.AllowedOrigins {
		if strings.Count(o, "*") > 1 {
			return failure.Newf("InvalidRequest", `AllowedOrigin "%s" can not have more than one wildcard.`, o)
		}
	}
	for _, h := range r.AllowedHeaders {
		if strings.Count(h, "*") > 1 {
			return failure.Newf("InvalidRequest", `AllowedHeader "%s" can not have more than one wildcard.`, h)
		}
	}
	for _, h := range r.ExposeHeaders {
		if strings.Contains(h, "*") {
			return failure.Newf("InvalidRequest", `ExposeHeader "%s" contains wildcard. We currently do not support wildcard for ExposeHeader.`, h)
		}
	}
	return nil
}

func texts(elements []*element) []string {
	var out []string
	for _, e := range elements {
		out = append(out, e.leaf())
	}
	return out
}
