package iamsim

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/jwt"
)

// issuer is an OpenID Connect issuer outside.
type issuer struct {
	t   testing.TB
	key *rsa.PrivateKey
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{t, key}
}

func (i *issuer) pem() []byte {
	i.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&i.key.PublicKey)
	if err != nil {
		i.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

type claims = map[string]any

// token signs claims over sensible defaults.
func (i *issuer) token(over claims) string {
	i.t.Helper()
	c := claims{"iss": "https://issuer.example.com/realm", "sub": "job-7", "aud": "app", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	for k, v := range over {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		i.t.Fatal(err)
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(b)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, i.key, crypto.SHA256, sum[:])
	if err != nil {
		i.t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

const (
	issuerProvider = "arn:aws:iam::111111111111:oidc-provider/issuer.example.com/realm"
	webTrust       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + issuerProvider + `"},"Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"],
		"Condition":{"StringEquals":{"issuer.example.com/realm:aud":"app"},"StringLike":{"issuer.example.com/realm:sub":"job-*"}}}]}`
)

// withIssuer gives the service the issuer's keys and account A the provider.
func withIssuer(t testing.TB) (*fixture, *issuer) {
	t.Helper()
	f, i := newFixture(t), newIssuer(t)
	keys, err := parseIssuers(map[string][]byte{"https://issuer.example.com/realm": i.pem()})
	if err != nil {
		t.Fatal(err)
	}
	f.issuerKeys = keys
	f.must(rootOf(accountA), "CreateOpenIDConnectProvider", "Url", "https://issuer.example.com/realm", "ClientIDList.member.1", "app")
	return f, i
}

// webCall is an unsigned AssumeRoleWithWebIdentity.
func (f *fixture) webCall(token, role string) answer {
	f.t.Helper()
	return f.do(f.post("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=session&RoleArn=" + role + "&WebIdentityToken=" + token))
}

func TestAssumeRoleWithWebIdentity(t *testing.T) {
	f, i := withIssuer(t)
	role := f.newRole(accountA, "web", webTrust, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${issuer.example.com/realm:sub}/*"},
		{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"StringEquals":{"aws:FederatedProvider":"`+issuerProvider+`","aws:PrincipalTag/team":"blue"}}}]}`)
	token := i.token(claims{
		"amr":     []string{"mfa", "pwd"},
		tagsClaim: claims{"principal_tags": claims{"team": []string{"blue"}}, "transitive_tag_keys": []string{"team"}},
	})
	c := f.sdk(creds{})
	c.Credentials = aws.AnonymousCredentials{}
	out, err := sts.NewFromConfig(c).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &role, RoleSessionName: aws.String("session"), WebIdentityToken: &token, DurationSeconds: aws.Int32(900),
	})
	if err != nil {
		t.Fatal(err)
	}
	if *out.SubjectFromWebIdentityToken != "job-7" || *out.Audience != "app" || *out.Provider != "https://issuer.example.com/realm" ||
		*out.AssumedRoleUser.Arn != "arn:aws:sts::111111111111:assumed-role/web/session" || !out.Credentials.Expiration.Equal(f.clock.Now().Add(15*time.Minute)) {
		t.Errorf("answer %+v %+v", out, out.AssumedRoleUser)
	}
	event := f.lastEvent()
	if event.UserIdentity.Type != "WebIdentityUser" || event.UserIdentity.PrincipalID != issuerProvider+":app:job-7" || event.Recipient != accountA || strings.Contains(jsonOf(t, event), token) {
		t.Errorf("event %+v", event)
	}

	session := creds{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	f.must(session, "ListUsers")
	again := serveOn(t, f.engine) // the session and its claims are stored
	for _, f := range []*fixture{f, again} {
		who := f.as(session)
		for resource, want := range map[string]bool{"arn:aws:s3:::b/job-7/x": true, "arn:aws:s3:::b/job-8/x": false} {
			d, err := f.Authorize(t.Context(), &who, &Request{Action: "s3:GetObject", Resource: resource, ResourceAccount: accountA})
			if err != nil || d.Allowed() != want {
				t.Errorf("%s: %v %v, want allowed %t", resource, d.Outcome, err, want)
			}
			if diff := cmp.Diff([]string{"mfa", "pwd"}, d.Context["issuer.example.com/realm:amr"]); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every way in which a token does not count (I59).
func TestWebIdentityRefusals(t *testing.T) {
	f, i := withIssuer(t)
	role := f.newRole(accountA, "web", webTrust, "")
	f.newRole(accountA, "plain", trusting("Federated", issuerProvider), "") // only sts:AssumeRole
	f.newRole(accountB, "foreign", strings.ReplaceAll(webTrust, accountA, accountB), "")
	root := rootOf(accountA)
	f.must(root, "CreateOpenIDConnectProvider", "Url", "https://keyless.example.com", "ClientIDList.member.1", "app")
	const denied = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
	past := time.Now().Add(-time.Minute).Unix()
	for _, tc := range []struct {
		name, role, token string
		code, message     string // message: a prefix
	}{
		{"no token", role, "none", "InvalidIdentityToken", "The ID Token provided is not a valid JWT."},
		{"another's key", role, newIssuer(t).token(nil), "InvalidIdentityToken", "The ID Token's signature is invalid"},
		{"no URL", role, i.token(claims{"iss": "issuer"}), "InvalidIdentityToken", "Issuer must be a valid URL"},
		{"unknown issuer", role, i.token(claims{"iss": "https://other.example.com"}), "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://other.example.com"},
		{"provider of another account", "arn:aws:iam::222222222222:role/foreign", i.token(nil), "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://issuer.example.com/realm"},
		{"no keys", role, i.token(claims{"iss": "https://keyless.example.com"}), "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider"},
		{"expired", role, i.token(claims{"exp": past}), "ExpiredTokenException", "Token expired: current date/time "},
		{"no expiry", role, i.token(claims{"exp": nil}), "InvalidIdentityToken", "Missing a required claim: exp"},
		{"no subject", role, i.token(claims{"sub": nil}), "InvalidIdentityToken", "Missing a required claim: sub"},
		{"no audience", role, i.token(claims{"aud": nil}), "InvalidIdentityToken", "Missing a required claim: aud"},
		{"not yet", role, i.token(claims{"nbf": time.Now().Add(time.Hour).Unix()}), "InvalidIdentityToken", "The ID Token is not valid yet"},
		{"audience", role, i.token(claims{"aud": "other"}), "InvalidIdentityToken", "Incorrect token audience"},
		{"authorized party", role, i.token(claims{"azp": "other"}), "InvalidIdentityToken", "Incorrect token audience"},
		{"tag of two values", role, i.token(claims{tagsClaim: claims{"principal_tags": claims{"k": []string{"a", "b"}}}}), "IDPRejectedClaim", "The principal tag k must have one value"},
		{"bad tag", role, i.token(claims{tagsClaim: claims{"principal_tags": claims{"": []string{"a"}}}}), "ValidationError", "1 validation error detected: Value '' at 'tags.1.member.key'"},
		{"condition", role, i.token(claims{"sub": "other"}), "AccessDenied", denied},
		{"trust for another action", "arn:aws:iam::111111111111:role/plain", i.token(nil), "AccessDenied", denied},
		{"missing role", "arn:aws:iam::111111111111:role/none", i.token(nil), "AccessDenied", denied},
	} {
		got := f.webCall(tc.token, tc.role)
		if got.Code != tc.code || !strings.HasPrefix(got.Message, tc.message) {
			t.Errorf("%s: %d %s: %s\nwant %s: %s", tc.name, got.Status, got.Code, got.Message, tc.code, tc.message)
		}
	}
	if event := f.lastEvent(); event.Recipient != accountA || event.ErrorCode != "AccessDenied" {
		t.Errorf("event of a denial: %+v", event)
	}
	if got := f.webCall(i.token(claims{"aud": []string{"x", "app"}}), role); got.Status != http.StatusOK {
		t.Errorf("one of two audiences: %+v", got)
	}
	f.must(root, "DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn", issuerProvider)
	if got := f.webCall(i.token(nil), role); got.Code != "InvalidIdentityToken" {
		t.Errorf("after the provider was deleted: %+v", got)
	}
}

// What GitHub's tokens say beside the standard claims is a condition key too.
func TestWebIdentityClaims(t *testing.T) {
	p := &oidcProvider{Account: accountA, URL: "token.actions.githubusercontent.com", ClientIDs: []string{"sts.amazonaws.com"}}
	f, i := newFixture(t), newIssuer(t)
	keys, err := parseIssuers(map[string][]byte{"https://token.actions.githubusercontent.com": i.pem()})
	if err != nil {
		t.Fatal(err)
	}
	f.issuerKeys = keys
	f.must(rootOf(accountA), "CreateOpenIDConnectProvider", "Url", "https://"+p.URL, "ClientIDList.member.1", "sts.amazonaws.com")
	id, err := f.identify(i.token(claims{"iss": "https://" + p.URL, "aud": "x", "azp": "sts.amazonaws.com", "repository": "o/r", "run_id": "1"}), accountA)
	if err != nil {
		t.Fatal(err)
	}
	const prefix = "token.actions.githubusercontent.com:"
	want := map[string][]string{prefix + "aud": {"sts.amazonaws.com"}, prefix + "oaud": {"x"}, prefix + "sub": {"job-7"}, prefix + "repository": {"o/r"}}
	if diff := cmp.Diff(want, id.conditionKeys()); diff != "" {
		t.Error(diff)
	}
}

func TestOpenIDConnectProviderLifecycle(t *testing.T) {
	f := newFixture(t)
	c, ctx := f.iam(rootOf(accountA)), t.Context()
	thumbprint := strings.Repeat("ab", 20)
	created := check[*iam.CreateOpenIDConnectProviderOutput](t)(c.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://issuer.example.com/realm"), ClientIDList: []string{"app"}, ThumbprintList: []string{thumbprint},
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	}))
	arn := created.OpenIDConnectProviderArn
	if *arn != issuerProvider {
		t.Errorf("ARN %s", *arn)
	}
	read := func() *iam.GetOpenIDConnectProviderOutput {
		t.Helper()
		return check[*iam.GetOpenIDConnectProviderOutput](t)(c.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}))
	}
	check[*iam.AddClientIDToOpenIDConnectProviderOutput](t)(c.AddClientIDToOpenIDConnectProvider(ctx, &iam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: aws.String("b")}))
	check[*iam.RemoveClientIDFromOpenIDConnectProviderOutput](t)(c.RemoveClientIDFromOpenIDConnectProvider(ctx, &iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: aws.String("app")}))
	check[*iam.UpdateOpenIDConnectProviderThumbprintOutput](t)(c.UpdateOpenIDConnectProviderThumbprint(ctx, &iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn, ThumbprintList: []string{strings.Repeat("c", 40)}}))
	check[*iam.TagOpenIDConnectProviderOutput](t)(c.TagOpenIDConnectProvider(ctx, &iam.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, Tags: []types.Tag{{Key: aws.String("K"), Value: aws.String("w")}}}))
	got := read()
	if *got.Url != "issuer.example.com/realm" || !cmp.Equal(got.ClientIDList, []string{"b"}) || got.ThumbprintList[0][:1] != "c" || len(got.Tags) != 2 { // I58
		t.Errorf("provider %+v", got)
	}
	check[*iam.UntagOpenIDConnectProviderOutput](t)(c.UntagOpenIDConnectProvider(ctx, &iam.UntagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, TagKeys: []string{"K"}}))
	if tags := check[*iam.ListOpenIDConnectProviderTagsOutput](t)(c.ListOpenIDConnectProviderTags(ctx, &iam.ListOpenIDConnectProviderTagsInput{OpenIDConnectProviderArn: arn})).Tags; len(tags) != 1 || *tags[0].Key != "k" {
		t.Errorf("tags %+v", tags)
	}
	if list := check[*iam.ListOpenIDConnectProvidersOutput](t)(c.ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})).OpenIDConnectProviderList; len(list) != 1 || *list[0].Arn != *arn {
		t.Errorf("list %+v", list)
	}
	root := rootOf(accountA)
	f.refused(answer{Status: 409, Code: "EntityAlreadyExists", Message: "Provider with url https://issuer.example.com/realm already exists."}, root, "CreateOpenIDConnectProvider", "Url", "https://issuer.example.com/realm/")
	for _, url := range []string{"http://x", "https://", "https://x?q=1", "https://u@x"} {
		f.refused(answer{Status: 400, Code: "InvalidInput", Message: "Invalid Open ID Connect Provider URL"}, root, "CreateOpenIDConnectProvider", "Url", url)
	}
	for range 2 { // deleting again is no error (I58)
		check[*iam.DeleteOpenIDConnectProviderOutput](t)(c.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}))
	}
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "OpenIDConnect Provider not found for arn " + *arn}, root, "GetOpenIDConnectProvider", "OpenIDConnectProviderArn", *arn)
}

// Keys that can't be read stop Open.
func TestOpenRefusesBadIssuers(t *testing.T) {
	f := newFixture(t)
	for url, b := range map[string]string{"https://x": "no keys", "http://x": string(newIssuer(t).pem())} {
		s := New(Config{Engine: f.engine, Clock: f.clock, Logger: slog.New(slog.DiscardHandler), Issuers: map[string][]byte{url: []byte(b)}})
		if err := s.Open(context.Background()); err == nil || !strings.Contains(err.Error(), url) {
			t.Errorf("Open with %s: %v", url, err)
		}
	}
}

// unsignedToken is a token with these claims that nobody has signed; nil if they are none.
func unsignedToken(t *testing.T, text string) *jwt.Token {
	t.Helper()
	token, err := jwt.Parse(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(text)) + ".")
	if err != nil {
		return nil
	}
	return token
}

// Whatever a token says, into makes a request or an error of it.
func FuzzWebIdentityClaims(f *testing.F) {
	f.Add(`{"https://aws.amazon.com/tags":{"principal_tags":{"a":["b"]},"transitive_tag_keys":["a"]},"sub":"s","aud":["x"],"azp":"y","amr":"z"}`)
	f.Add(`{"https://aws.amazon.com/tags":[],"aud":1}`)
	provider := &oidcProvider{Account: accountA, URL: "token.actions.githubusercontent.com", arn: issuerProvider}
	f.Fuzz(func(t *testing.T, text string) {
		id := &webIdentity{token: unsignedToken(t, text), provider: provider, subject: "s", audience: "a"}
		in := &assumeRequest{}
		if id.token == nil || id.into(in) != nil {
			return
		}
		keys := maps.Clone(in.claims)
		if len(in.tags) > maxTags || len(keys["token.actions.githubusercontent.com:sub"]) != 1 {
			t.Errorf("%d tags, keys %v", len(in.tags), keys)
		}
		in.conditionKeys(&call{caller: Caller{Principal: policy.Principal{Type: policy.WebIdentity}}}, &entity{})
	})
}
