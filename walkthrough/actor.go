package walkthrough

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The accounts of the walkthroughs.
const (
	accountA = "111122223333"
	accountB = "444455556666"
)

// actor is an account's root user with its SDK clients.
type actor struct {
	stage   *stage
	letter  string
	account string
}

func (st *stage) actor(letter, account string) *actor { return &actor{st, letter, account} }

// A root access key is the account's number.
func (a *actor) credentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(a.account, a.stage.secret, "")
}

// The clients do not retry: a walkthrough shows the first answer.

func (a *actor) s3(region string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &a.stage.endpoint, UsePathStyle: true, Region: region,
		Credentials: a.credentials(), HTTPClient: a.stage.http, Retryer: aws.NopRetryer{},
	})
}

func (a *actor) kms(region string) *kms.Client {
	return kms.New(kms.Options{
		BaseEndpoint: &a.stage.endpoint, Region: region,
		Credentials: a.credentials(), HTTPClient: a.stage.http, Retryer: aws.NopRetryer{},
	})
}

func (a *actor) iam() *iam.Client {
	return iam.New(iam.Options{
		BaseEndpoint: &a.stage.endpoint, Region: "us-east-1",
		Credentials: a.credentials(), HTTPClient: a.stage.http, Retryer: aws.NopRetryer{},
	})
}
