package iamsim

import (
	"slices"
	"time"

	"twinbucket/iamsim/policy"
)

// Caller is who makes a call, and how. It is always an explicit parameter of the
// functions that act for somebody; it never travels in a context.Context.
// A Caller is a value: the With… and Through… methods return changed copies.
type Caller struct {
	Principal policy.Principal
	// AccessKeyID signed the request; "" for anonymous callers and services.
	AccessKeyID string
	// UserName is aws:username; IAM users only.
	UserName string
	// UserID is aws:userid: the account id, AIDA…, AROA…:session or account:name.
	UserID string
	// Session describes temporary credentials; nil for long-term keys.
	Session *Session
	// Via lists the services that forwarded the call, such as
	// "s3.us-east-1.amazonaws.com"; empty for direct calls.
	Via []string
	// Source is where the request came from.
	Source Source

	observe func(*policy.Decision)
	// foreseen: nobody makes the call, so its denials are not told of.
	foreseen bool
}

// Session is what a set of temporary credentials carries.
type Session struct {
	Name           string // role session name or federated user name
	Issued         time.Time
	Expires        time.Time
	Policies       []policy.Source // session policies
	HasPolicies    bool
	Tags           map[string]string
	TransitiveTags []string
	SourceIdentity string
	// Provider is the ARN of the identity provider behind a web identity's session, and
	// Claims are its condition keys, "issuer.example.com:sub".
	Provider string
	Claims   map[string][]string
	// InvokedBy is the service that assumed the role, "s3.amazonaws.com" for replication.
	InvokedBy string
}

// Source is the transport side of a request, for condition keys and the trail.
// The zero value stands for a call from inside AWS: no aws:SourceIp.
type Source struct {
	IP        string
	UserAgent string
	Referer   string
	Secure    bool // TLS
	RequestID string
	// AuthType is s3:authType: REST-HEADER, REST-QUERY-STRING or POST.
	AuthType string
	// SignatureAge is s3:signatureAge.
	SignatureAge time.Duration
}

// Account is the account whose quotas and identity policies apply.
func (c *Caller) Account() string { return c.Principal.Account }

// ThroughService returns c as seen by a service that service calls on c's behalf:
// kms:ViaService is set, the caller's network address is gone.
func (c Caller) ThroughService(service string) Caller {
	c.Via = append(slices.Clone(c.Via), service)
	c.Source.IP = ""
	return c
}

// Observed returns c with fn called for every decision made for it, allowed or
// denied, in order. It is how explanations are gathered.
func (c Caller) Observed(fn func(*policy.Decision)) Caller {
	if prev := c.observe; prev != nil {
		c.observe = func(d *policy.Decision) { prev(d); fn(d) }
		return c
	}
	c.observe = fn
	return c
}

// Unobserved returns c with its decisions shown to nobody.
func (c Caller) Unobserved() Caller {
	c.observe = nil
	return c
}

// Request asks whether a caller may do Action on Resource.
type Request struct {
	// Action in canonical case, "s3:PutObject".
	Action string
	// Resource is the ARN, or "*" for actions without a resource type.
	Resource string
	// ResourceAccount owns the resource.
	ResourceAccount string
	// Region is aws:RequestedRegion.
	Region string
	// Context holds the service's own condition keys. Authorize adds the global ones to a copy.
	Context policy.Context
	Rule    policy.Rule
	// ResourcePolicies are the bucket, key or trust policies of the resource.
	ResourcePolicies []policy.Source
	Grant            *policy.GrantMatch
	RestrictPublic   bool
	// AWSManaged: the resource is an AWS managed key, which resource control policies spare.
	AWSManaged bool
	// Optional: a denial only leaves something out of the answer, so it is no denial of
	// the request. It is not observed, logged or softened.
	Optional bool
}
