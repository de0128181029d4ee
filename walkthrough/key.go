package walkthrough

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// key is a customer managed key. Its ARN is known once it is created.
type key struct {
	owner  *actor
	region string
	arn    string
}

func (a *actor) key(region string) *key { return &key{owner: a, region: region} }

func (k *key) client() *kms.Client { return k.owner.kms(k.region) }

// short is the key in narration: …7c711927.
func (k *key) short() string { return shortKey(k.arn) }

func shortKey(arn string) string {
	_, id, _ := strings.Cut(arn, "/")
	first, _, _ := strings.Cut(id, "-")
	return "…" + first
}

// create makes the key with the policy that hands it to the account.
func (k *key) create(ctx context.Context, s *step) error { return k.createWith("", "")(ctx, s) }

// createWith makes the key with a policy ("" the default one) and, on a server of our
// own, with the id that a document prints ("" any). A running server may have that id.
func (k *key) createWith(policy, id string) action {
	return func(ctx context.Context, s *step) error {
		in := &kms.CreateKeyInput{}
		if policy != "" {
			in.Policy = &policy
		}
		if id != "" && k.owner.stage.own != nil {
			in.Tags = []types.Tag{{TagKey: aws.String("_custom_id_"), TagValue: &id}}
		}
		out, err := k.client().CreateKey(ctx, in)
		if err != nil {
			return err
		}
		k.arn = *out.KeyMetadata.Arn
		s.note = "key " + k.short()
		return nil
	}
}

func (k *key) alias(name string) action {
	return func(ctx context.Context, _ *step) error {
		_, err := k.client().CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/" + k.owner.stage.named(name)), TargetKeyId: &k.arn})
		return err
	}
}

func (k *key) putPolicy(policy string) action {
	return func(ctx context.Context, _ *step) error {
		_, err := k.client().PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &k.arn, Policy: &policy})
		return err
	}
}
