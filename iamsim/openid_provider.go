package iamsim

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"twinbucket/internal/failure"
)

// oidcProvider tells an account to believe an OpenID Connect issuer. Immutable in an image.
type oidcProvider struct {
	Account     string
	URL         string // without https://
	ClientIDs   []string
	Thumbprints []string
	Created     time.Time
	Tags        []tag `json:",omitempty"`

	arn string
}

// Limits of one provider (I58).
const (
	maxClientIDs   = 100
	maxThumbprints = 5
)

func (p *oidcProvider) key() string { return nameKey(p.Account, p.URL) }

func (p *oidcProvider) edit() *oidcProvider {
	c := *p
	c.ClientIDs, c.Thumbprints, c.Tags = slices.Clone(p.ClientIDs), slices.Clone(p.Thumbprints), slices.Clone(p.Tags)
	return &c
}

func issuerARN(account, url string) string {
	return "arn:aws:iam::" + account + ":oidc-provider/" + url
}

func (im *image) putIssuer(p *oidcProvider) {
	p.arn = issuerARN(p.Account, p.URL)
	im.issuers[p.key()] = p
}

// issuer finds an account's provider by its ARN, or nil.
func (im *image) issuer(account, arn string) *oidcProvider {
	url, ok := strings.CutPrefix(arn, issuerARN(account, ""))
	if !ok {
		return nil
	}
	return im.issuers[nameKey(account, url)]
}

func (im *image) findIssuer(account, arn string) (*oidcProvider, error) {
	if p := im.issuer(account, arn); p != nil {
		return p, nil
	}
	return nil, failure.Newf("NoSuchEntity", "OpenIDConnect Provider not found for arn %s", arn)
}

// issuerARN reads the parameter that names a provider.
func (f *form) issuerARN() string {
	v := f.text("OpenIDConnectProviderArn", 20, 2048)
	if v != "" && !strings.HasPrefix(v, "arn:aws:iam::") {
		f.reject("ValidationError", "Invalid ARN:  Could not be parsed!") // I15
	}
	return v
}

// issuerURL reads the Url of a new provider, without its scheme (I58).
func (f *form) issuerURL() string {
	v := f.text("Url", 1, 255)
	rest, ok := strings.CutPrefix(v, "https://")
	u, err := url.Parse(v)
	if v != "" && (!ok || err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !printable(v, '!', '~')) {
		f.reject("InvalidInput", "Invalid Open ID Connect Provider URL")
	}
	return strings.TrimSuffix(rest, "/")
}

func (f *form) thumbprints() []string {
	list := f.list("ThumbprintList", "")
	if len(list) > maxThumbprints {
		f.reject("InvalidInput", "Thumbprint list must contain fewer than %d entries.", maxThumbprints)
	}
	for _, v := range list {
		if len(v) != 40 || !allOf(v, "") {
			f.violate("thumbprintList", v, "satisfy constraint: [Member must have length less than or equal to 40, Member must have length greater than or equal to 40]")
			break
		}
	}
	return list
}

func (f *form) clientIDs(list []string) []string {
	for _, v := range list {
		if v == "" || len(v) > 255 {
			f.violate("clientIDList", v, "satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 1]")
			break
		}
	}
	return list
}

type createIssuerResult struct {
	OpenIDConnectProviderArn string
	Tags                     []tagShape
}

func createIssuer(s *Service, c *call) (any, error) {
	f := c.form
	p := &oidcProvider{
		Account: c.account(), URL: f.issuerURL(), ClientIDs: f.clientIDs(f.list("ClientIDList", "")), Thumbprints: f.thumbprints(),
		Created: c.now, Tags: f.tagsOf(asGiven),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	err := s.change(c.ctx, func(ch *change) error {
		switch {
		case ch.issuers[p.key()] != nil:
			return failure.Newf("EntityAlreadyExists", "Provider with url https://%s already exists.", p.URL)
		case len(p.ClientIDs) > maxClientIDs:
			return limitExceeded("ClientIdsPerOpenIdConnectProvider", maxClientIDs)
		}
		if err := room(count(ch.issuers, p.Account), maxIssuers, "OpenIdConnectProvidersPerAccount"); err != nil {
			return err
		}
		ch.putIssuer(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &createIssuerResult{issuerARN(p.Account, p.URL), tagShapes(p.Tags)}, nil
}

type issuerResult struct {
	Url            string
	ClientIDList   []string
	ThumbprintList []string
	CreateDate     time.Time
	Tags           []tagShape
}

func getIssuer(s *Service, c *call) (any, error) {
	arn := c.form.issuerARN()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	var out *issuerResult
	err := s.view(func(im *image) error {
		p, err := im.findIssuer(c.account(), arn)
		if err == nil {
			out = &issuerResult{p.URL, append([]string{}, p.ClientIDs...), append([]string{}, p.Thumbprints...), p.Created, tagShapes(p.Tags)}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type issuerEntry struct{ Arn string }

type issuersResult struct{ OpenIDConnectProviderList []issuerEntry }

func listIssuers(s *Service, c *call) (any, error) {
	out := &issuersResult{OpenIDConnectProviderList: []issuerEntry{}}
	return out, s.view(func(im *image) error {
		for _, p := range im.issuers {
			if p.Account == c.account() {
				out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, issuerEntry{p.arn})
			}
		}
		slices.SortFunc(out.OpenIDConnectProviderList, func(a, b issuerEntry) int { return strings.Compare(a.Arn, b.Arn) })
		return nil
	})
}

// deleteIssuer succeeds for a provider that does not exist (I58).
func deleteIssuer(s *Service, c *call) (any, error) {
	arn := c.form.issuerARN()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		if p := ch.issuer(c.account(), arn); p != nil {
			ch.deleteIssuer(p)
		}
		return nil
	})
}
