package cwapi

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// iamClient is the root's IAM client.
func iamClient(e *env) *iam.Client {
	return iam.New(iam.Options{
		Region: "us-east-1", BaseEndpoint: &e.url, HTTPClient: e.http,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

func createUser(name string) *iam.CreateUserInput { return &iam.CreateUserInput{UserName: &name} }

func createKey(name string) *iam.CreateAccessKeyInput {
	return &iam.CreateAccessKeyInput{UserName: &name}
}

// must fails the test on an error of a call whose output nobody needs.
func must(t testing.TB) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}
