package walkthrough

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucket is a bucket that a walkthrough makes.
type bucket struct {
	owner  *actor
	name   string
	region string
}

func (a *actor) bucket(name, region string) *bucket {
	return &bucket{a, a.stage.named(name), region}
}

func (b *bucket) client() *s3.Client { return b.owner.s3(b.region) }

func (b *bucket) create(ctx context.Context, _ *step) error {
	in := &s3.CreateBucketInput{Bucket: &b.name}
	if b.region != "us-east-1" { // the one Region that must not be named
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(b.region)}
	}
	_, err := b.client().CreateBucket(ctx, in)
	return err
}

func (b *bucket) enableVersioning(ctx context.Context, _ *step) error {
	_, err := b.client().PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &b.name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	return err
}

// encryptWith makes k the key of objects that come without an encryption of their own.
func (b *bucket) encryptWith(k *key, bucketKey bool) action {
	return func(ctx context.Context, _ *step) error {
		_, err := b.client().PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
			Bucket: &b.name,
			ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
				ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
					SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &k.arn,
				},
				BucketKeyEnabled: &bucketKey,
			}}},
		})
		return err
	}
}

func (b *bucket) putPolicy(policy string) action {
	return func(ctx context.Context, _ *step) error {
		_, err := b.client().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b.name, Policy: &policy})
		return err
	}
}

func (b *bucket) deletePolicy(ctx context.Context, _ *step) error {
	_, err := b.client().DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &b.name})
	return err
}

// putReplication puts a configuration in the JSON form of the aws CLI.
func (b *bucket) putReplication(configuration string) action {
	return func(ctx context.Context, _ *step) error {
		var c types.ReplicationConfiguration
		if err := json.Unmarshal([]byte(configuration), &c); err != nil {
			return fmt.Errorf("walkthrough: replication configuration: %w", err)
		}
		_, err := b.client().PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: &b.name, ReplicationConfiguration: &c})
		return err
	}
}

// showReplication reads the configuration back and checks that it names role and replica key.
func (b *bucket) showReplication(r *role, replica *key) action {
	return func(ctx context.Context, s *step) error {
		out, err := b.client().GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: &b.name})
		if err != nil {
			return err
		}
		c := out.ReplicationConfiguration
		if err := same("role of the configuration", *c.Role, r.arn()); err != nil {
			return err
		}
		if err := same("number of rules", len(c.Rules), 1); err != nil {
			return err
		}
		rule := c.Rules[0]
		if rule.Destination == nil || rule.Destination.EncryptionConfiguration == nil {
			return &Mismatch{What: "EncryptionConfiguration of the rule", Want: replica.arn, Got: "none"}
		}
		return same("ReplicaKmsKeyID of the rule", *rule.Destination.EncryptionConfiguration.ReplicaKmsKeyID, replica.arn)
	}
}

// canonicalID is what S3 calls the account that owns the bucket.
func (a *actor) canonicalID(ctx context.Context) (string, error) {
	out, err := a.s3("us-east-1").ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return "", err
	}
	return *out.Owner.ID, nil
}
