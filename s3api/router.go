package s3api

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"twinbucket/internal/failure"
)

// router finds the bucket, the key and the row of a request. mux tells the scopes
// apart; within a scope a map finds the row, because mux tries its routes one by one.
type router struct {
	mux   *mux.Router
	hosts hosts
	rows  []operation
	table map[selector][]*candidate
	// subresources are the query parameters that select rows of a scope.
	subresources [objectScope + 1]map[string]bool
}

// selector is the key of the table. sub is the sub-resource, "" for plain requests.
type selector struct {
	scope  scope
	method string
	sub    string
}

// candidate is a row with the query parameters that must be there.
type candidate struct {
	op    *operation
	terms []term
}

type term struct {
	name, value string
	hasValue    bool
}

// address is what a request's host and path name.
type address struct {
	scope  scope
	bucket string
	key    string
	region string // of the host; "" when the host names none
}

// Route names; hosted routes get their bucket from the Host header.
const (
	routeService      = "service"
	routeObjectLambda = "object lambda"
	routePath         = "path"
	routeHosted       = "hosted"
)

func newRouter(rows []operation, domains []string) *router {
	rt := &router{
		mux: mux.NewRouter().SkipClean(true).UseEncodedPath(), hosts: newHosts(domains),
		rows: rows, table: map[selector][]*candidate{},
	}
	hosted := func(r *http.Request, _ *mux.RouteMatch) bool { return rt.hosts.split(r.Host).bucket != "" }
	rt.mux.PathPrefix("/").MatcherFunc(hosted).Name(routeHosted)
	rt.mux.Path("/").Name(routeService)
	rt.mux.Path("/WriteGetObjectResponse").Methods(http.MethodPost).Name(routeObjectLambda)
	rt.mux.PathPrefix("/").Name(routePath)

	for i := range rt.rows {
		op := &rt.rows[i]
		c := &candidate{op: op}
		if op.Query != "" {
			for t := range strings.SplitSeq(op.Query, "&") {
				name, value, hasValue := strings.Cut(t, "=")
				c.terms = append(c.terms, term{name, value, hasValue})
			}
		}
		key := selector{scope: op.Scope, method: op.Method}
		if len(c.terms) > 0 && !c.terms[0].hasValue {
			key.sub = c.terms[0].name
			if rt.subresources[op.Scope] == nil {
				rt.subresources[op.Scope] = map[string]bool{}
			}
			rt.subresources[op.Scope][key.sub] = true
		}
		if op.Name == "WriteGetObjectResponse" {
			key.sub = routeObjectLambda // only its own path leads here
		}
		rt.table[key] = append(rt.table[key], c)
	}
	return rt
}

// locate reads a request's address. Keys keep every byte of the path: nothing is
// cleaned, percent-encoding is undone exactly once, "+" stays (S2).
func (rt *router) locate(r *http.Request) (address, string, error) {
	var match mux.RouteMatch
	if !rt.mux.Match(r, &match) || match.Route == nil {
		return address{}, "", failure.New("InvalidURI", "", "URI", r.RequestURI)
	}
	host := rt.hosts.split(r.Host)
	at := address{region: host.region}
	route := match.Route.GetName()
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	switch route {
	case routeService, routeObjectLambda:
		return at, route, nil
	case routeHosted:
		at.scope, at.bucket = bucketScope, host.bucket
		if path == "" {
			return at, route, nil
		}
	default:
		name, key, _ := strings.Cut(path, "/")
		bucket, err := url.PathUnescape(name)
		if err != nil {
			return at, route, failure.New("InvalidURI", "", "URI", r.RequestURI)
		}
		at.scope, at.bucket = bucketScope, bucket
		if path = key; path == "" {
			return at, route, nil
		}
	}
	key, err := url.PathUnescape(path)
	if err != nil {
		return at, route, failure.New("InvalidURI", "", "URI", r.RequestURI)
	}
	at.scope, at.key = objectScope, key
	return at, route, nil
}

// find is the row that a request asks for; the error is MethodNotAllowed. Of several
// sub-resources the first in the alphabet that has a row counts, so that the same
// request always gets the same answer (S3).
func (rt *router) find(r *http.Request, at address, route string, query url.Values) (*operation, error) {
	if route == routeObjectLambda {
		return rt.table[selector{serviceScope, http.MethodPost, routeObjectLambda}][0].op, nil
	}
	var op *operation
	sub := ""
	for name := range query {
		if !rt.subresources[at.scope][name] {
			continue
		}
		found := rt.row(selector{at.scope, r.Method, name}, r, query)
		if sub == "" || found != nil && (op == nil || name < sub) || found == nil && op == nil && name < sub {
			op, sub = found, name
		}
	}
	if sub == "" {
		op = rt.row(selector{scope: at.scope, method: r.Method}, r, query)
	}
	if op != nil {
		return op, nil
	}
	kind := strings.ToUpper(sub)
	if kind == "" {
		kind = [...]string{serviceScope: "SERVICE", bucketScope: "BUCKET", objectScope: "OBJECT"}[at.scope]
	}
	return nil, failure.New("MethodNotAllowed", "", "Method", r.Method, "ResourceType", kind)
}

// row is the first row under key whose selectors all fit.
func (rt *router) row(key selector, r *http.Request, query url.Values) *operation {
	for _, c := range rt.table[key] {
		if c.fits(r, query) {
			return c.op
		}
	}
	return nil
}

func (c *candidate) fits(r *http.Request, query url.Values) bool {
	for _, t := range c.terms {
		v, ok := query[t.name]
		if !ok || t.hasValue && v[0] != t.value {
			return false
		}
	}
	return c.op.Header == "" || r.Header[c.op.Header] != nil
}

// hosts reads Host headers.
type hosts struct{ domains []string }

// host is what a Host header says.
type host struct{ bucket, region string }

func newHosts(domains []string) hosts {
	h := hosts{domains: []string{"localhost.localstack.cloud", "localhost", "amazonaws.com"}}
	for _, d := range domains {
		if d = strings.ToLower(strings.Trim(d, ".")); d != "" && !slices.Contains(h.domains, d) {
			h.domains = append(h.domains, d)
		}
	}
	// The longest suffix first: bucket.localhost.localstack.cloud is not under another domain.
	slices.SortStableFunc(h.domains, func(a, b string) int { return len(b) - len(a) })
	return h
}

// split finds the bucket and the Region in a Host header (S4): bucket.DOMAIN,
// bucket.s3.DOMAIN, bucket.s3.REGION.DOMAIN, bucket.s3-REGION.DOMAIN, each also with
// "dualstack". Under localstack.cloud and amazonaws.com a bucket needs the "s3" label.
// Other hosts, addresses among them, are path style.
func (h hosts) split(hostport string) host {
	name := hostport
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		if h, _, err := net.SplitHostPort(hostport); err == nil {
			name = h
		}
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, d := range h.domains {
		if name == d {
			return host{}
		}
		if labels, ok := strings.CutSuffix(name, "."+d); ok {
			return splitLabels(labels, d == "amazonaws.com" || strings.HasSuffix(d, "localstack.cloud"))
		}
	}
	return host{}
}

// splitLabels reads what stands before the domain.
func splitLabels(labels string, needsService bool) host {
	parts := strings.Split(labels, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		p := parts[i]
		if p != "s3" && !strings.HasPrefix(p, "s3-") {
			continue
		}
		var out host
		rest := parts[i+1:]
		if len(rest) > 0 && rest[0] == "dualstack" {
			rest = rest[1:]
		}
		if region, ok := strings.CutPrefix(p, "s3-"); ok {
			if !isRegion(region) || len(rest) > 0 {
				continue
			}
			out.region = region
		} else if len(rest) == 1 && isRegion(rest[0]) {
			out.region = rest[0]
		} else if len(rest) > 0 {
			continue
		}
		out.bucket = strings.Join(parts[:i], ".")
		return out
	}
	if needsService {
		return host{}
	}
	return host{bucket: labels}
}
