package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// A token of a configured issuer opens a role, and the role opens a bucket: the way a
// build job gets at its artifacts.
func TestWebIdentityEndToEnd(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://token.actions.githubusercontent.com"
	s := New(Config{Listen: "127.0.0.1:0", OIDCIssuers: map[string][]byte{issuer: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	cfg := func(provider aws.CredentialsProvider) aws.Config {
		return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.URL()), Credentials: provider, RetryMaxAttempts: 1, HTTPClient: benchClient(t)}
	}
	fixed := func(id, secret, token string) aws.CredentialsProvider {
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
		})
	}
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, root := t.Context(), cfg(fixed("111122223333", "test", ""))
	admin := iam.NewFromConfig(root)
	must(admin.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: aws.String(issuer), ClientIDList: []string{"sts.amazonaws.com"}}))
	must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("build"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{
		"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity",
		"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/*:ref:refs/heads/main"}}}]}`)}))
	must(admin.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("build"), PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{
		"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::artifacts","Condition":{"StringEquals":{"token.actions.githubusercontent.com:repository":"acme/shop"}}}]}`)}))
	must(s3.NewFromConfig(root, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("artifacts")}))

	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256"}`)) + "." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil,
		`{"iss":%q,"aud":"sts.amazonaws.com","sub":"repo:acme/shop:ref:refs/heads/main","repository":"acme/shop","exp":%d}`, issuer, time.Now().Add(time.Hour).Unix()))
	sum := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	token := signed + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
	out, err := sts.NewFromConfig(cfg(aws.AnonymousCredentials{})).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String("arn:aws:iam::111122223333:role/build"), RoleSessionName: aws.String("run-1"), WebIdentityToken: &token,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	build := s3.NewFromConfig(cfg(fixed(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)), func(o *s3.Options) { o.UsePathStyle = true })
	must(build.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("artifacts")}))
	if _, err := build.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("artifacts")}); err == nil {
		t.Error("the build may delete its bucket")
	}
}
