package iamsim

import (
	"strconv"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
)

// contextBuilder collects single-valued keys with one allocation for all values.
// Keys are given in lower case, as policy.Context holds them.
type contextBuilder struct {
	keys   policy.Context
	values []string
}

func (b *contextBuilder) set(key, value string) {
	b.values = append(b.values, value)
	n := len(b.values)
	b.keys[key] = b.values[n-1 : n : n]
}

func (b *contextBuilder) flag(key string, value bool) { b.set(key, strconv.FormatBool(value)) }

// requestContext is the service's own keys with the global ones added (I42). The
// service's map is not changed: it may be used for several requests, and every
// decision keeps the context it was made from.
func requestContext(now time.Time, c *Caller, eff *effective, req *Request) policy.Context {
	const most = 21 // global keys without tags
	tags := 0
	if eff != nil {
		tags = len(eff.tags)
	}
	if c.Session != nil {
		tags += len(c.Session.Tags)
	}
	b := contextBuilder{make(policy.Context, len(req.Context)+most+tags), make([]string, 0, most+tags)}
	b.request(now, c, req)
	b.principal(c)
	if c.Session != nil {
		b.session(c.Session)
	}
	b.principalTags(c, eff)
	for k, v := range req.Context {
		b.keys[k] = v
	}
	return b.keys
}

func (b *contextBuilder) request(now time.Time, c *Caller, req *Request) {
	b.set("aws:currenttime", now.UTC().Format(time.RFC3339))
	b.set("aws:epochtime", strconv.FormatInt(now.Unix(), 10))
	// Calls that come from inside AWS are made over TLS and show no address (I42).
	b.flag("aws:securetransport", c.Source.Secure || c.Source.IP == "")
	b.flag("aws:viaawsservice", len(c.Via) > 0)
	if c.Source.IP != "" {
		b.set("aws:sourceip", c.Source.IP)
	}
	if c.Source.UserAgent != "" {
		b.set("aws:useragent", c.Source.UserAgent)
	}
	if c.Source.Referer != "" {
		b.set("aws:referer", c.Source.Referer)
	}
	if req.Region != "" {
		b.set("aws:requestedregion", req.Region)
	}
	if req.ResourceAccount != "" {
		b.set("aws:resourceaccount", req.ResourceAccount)
	}
}

// principal sets what the table of I25 has for each kind of caller.
func (b *contextBuilder) principal(c *Caller) {
	p := &c.Principal
	switch p.Type {
	case policy.Anonymous:
		b.set("aws:principaltype", string(p.Type))
		b.set("aws:principalaccount", "anonymous")
		b.set("aws:userid", "anonymous")
		return
	case policy.Service:
		b.flag("aws:principalisawsservice", true)
		b.set("aws:principalservicename", p.ARN)
		b.set("aws:principalservicenameslist", p.ARN)
		return
	case policy.WebIdentity: // aws:FederatedProvider and the claims come with the request
		b.flag("aws:principalisawsservice", false)
		return
	case policy.AssumedRole:
		b.set("aws:principalarn", p.RoleARN)
	default:
		b.set("aws:principalarn", p.ARN)
	}
	b.set("aws:principaltype", string(p.Type))
	b.set("aws:principalaccount", p.Account)
	b.set("aws:userid", c.UserID)
	b.flag("aws:principalisawsservice", false)
	if c.UserName != "" {
		b.set("aws:username", c.UserName)
	}
}

func (b *contextBuilder) session(ses *Session) {
	b.set("aws:tokenissuetime", ses.Issued.UTC().Format(time.RFC3339))
	b.flag("aws:multifactorauthpresent", false) // there is no MFA here
	if ses.SourceIdentity != "" {
		b.set("aws:sourceidentity", ses.SourceIdentity)
	}
	if ses.Provider != "" {
		b.set("aws:federatedprovider", ses.Provider)
	}
	for key, values := range ses.Claims {
		b.keys[key] = values
	}
}

// principalTags lays the session's tags over those of the user or role (I25).
func (b *contextBuilder) principalTags(c *Caller, eff *effective) {
	if eff != nil {
		for i := range eff.tags {
			b.set(eff.tags[i].key, eff.tags[i].value)
		}
	}
	if c.Session != nil {
		for k, v := range c.Session.Tags {
			b.set("aws:principaltag/"+strings.ToLower(k), v)
		}
	}
}
