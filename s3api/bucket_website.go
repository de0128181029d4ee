package s3api

import (
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// website is the website configuration. It is kept for who reads it back; websites are
// not served (S158).
var website = keptDocument{
	name: store.DocumentWebsite, missing: "NoSuchWebsiteConfiguration", check: (*API).checkWebsite, checksum: true,
	root: parent("WebsiteConfiguration",
		parent("ErrorDocument", text("Key")).opt(),
		parent("IndexDocument", text("Suffix")).opt(),
		parent("RedirectAllRequestsTo", text("HostName"), text("Protocol").opt()).opt(),
		parent("RoutingRules", parent("RoutingRule",
			parent("Condition", text("HttpErrorCodeReturnedEquals").opt(), text("KeyPrefixEquals").opt()).opt(),
			parent("Redirect", text("HostName").opt(), text("HttpRedirectCode").opt(), text("Protocol").opt(),
				text("ReplaceKeyPrefixWith").opt(), text("ReplaceKeyWith").opt()),
		).list()).opt()),
}

func (a *API) getBucketWebsite(req *request) error    { return a.getDocument(req, &website) }
func (a *API) putBucketWebsite(req *request) error    { return a.putDocument(req, &website) }
func (a *API) deleteBucketWebsite(req *request) error { return a.deleteDocument(req, website.name) }

// isWebsiteHost tells the hosts of website endpoints: BUCKET.s3-website-REGION.… and
// BUCKET.s3-website.REGION.… (S158).
func isWebsiteHost(host string) bool {
	return strings.Contains(host, ".s3-website-") || strings.Contains(host, ".s3-website.")
}

// checkWebsite holds a website configuration against S3's rules (S159).
func (a *API) checkWebsite(req *request, root *element) error {
	index, all := root.find("IndexDocument", "Suffix"), root.find("RedirectAllRequestsTo")
	switch {
	case all != nil && len(root.children) > 1:
		return failure.New("InvalidArgument", "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
			"ArgumentName", "RedirectAllRequestsTo", "ArgumentValue", "not null")
	case all != nil:
		return checkProtocol(all)
	case index == nil:
		return failure.New("InvalidArgument", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
			"ArgumentName", "IndexDocument", "ArgumentValue", "null")
	case index.text == "" || strings.Contains(index.text, "/"):
		return failure.New("InvalidArgument", "The IndexDocument Suffix is not well formed",
			"ArgumentName", "IndexDocument", "ArgumentValue", index.text)
	}
	rules := root.find("RoutingRules")
	if rules == nil {
		return nil
	}
	for _, rule := range rules.children {
		if c := rule.find("Condition"); c != nil && len(c.children) == 0 {
			return failure.New("InvalidRequest", "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.")
		}
		redirect := rule.find("Redirect")
		if redirect.find("ReplaceKeyPrefixWith") != nil && redirect.find("ReplaceKeyWith") != nil {
			return failure.New("InvalidRequest", "You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
		}
		if err := checkProtocol(redirect); err != nil {
			return err
		}
	}
	return nil
}

func checkProtocol(e *element) error {
	switch p := e.find("Protocol"); {
	case p == nil, p.text == "http", p.text == "https":
		return nil
	}
	return failure.New("InvalidRequest", "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.")
}
