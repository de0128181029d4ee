package kmsapi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
)

// refreshed is what Terraform's provider reads on every refresh of a key.
type refreshed struct {
	Metadata types.KeyMetadata
	Policy   any
	Rotation *kms.GetKeyRotationStatusOutput
	Tags     []types.Tag
}

func (e *env) refresh(c *kms.Client, id *string) refreshed {
	e.Helper()
	ctx := e.Context()
	r := refreshed{Metadata: *must(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})).KeyMetadata}
	policy := must(c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: ptr("default")}))
	if err := json.Unmarshal([]byte(*policy.Policy), &r.Policy); err != nil {
		e.Fatal(err)
	}
	if r.Metadata.Origin == "AWS_KMS" {
		r.Rotation = must(c.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id}))
		r.Rotation.ResultMetadata = must(c.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id})).ResultMetadata
	}
	r.Tags = must(c.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: id})).Tags
	return r
}

// TestTerraformLifecycle plays what Terraform's AWS provider does for aws_kms_key,
// aws_kms_alias, aws_kms_grant, aws_kms_replica_key and aws_kms_key_policy: create,
// refresh until it agrees, change, destroy.
func TestTerraformLifecycle(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	reader, _ := e.role(accountA, "reader", "")

	// aws_kms_key
	policy := keyPolicy(accountA, statement("Allow", "kms:Decrypt", "*", principal(reader)))
	key := must(root.CreateKey(ctx, &kms.CreateKeyInput{Description: ptr("app"), MultiRegion: ptr(true), KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT",
		Policy: &policy, Tags: tags("team", "a"), BypassPolicyLockoutSafetyCheck: false})).KeyMetadata
	must(root.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: key.KeyId, RotationPeriodInDays: ptr(int32(180))}))
	got := e.refresh(root, key.KeyId)
	var want any
	if err := json.Unmarshal([]byte(policy), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.Policy, want); diff != "" {
		t.Errorf("policy (-got +want):\n%s", diff)
	}
	if !got.Rotation.KeyRotationEnabled || *got.Rotation.RotationPeriodInDays != 180 || got.Metadata.MultiRegionConfiguration == nil {
		t.Errorf("refresh %+v", got)
	}
	if diff := cmp.Diff(got.Tags, tags("team", "a"), ignoreUnexported); diff != "" {
		t.Errorf("tags (-got +want):\n%s", diff)
	}

	// aws_kms_alias, found again in the list
	must(root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/app"), TargetKeyId: key.KeyId}))
	found := false
	for pages := kms.NewListAliasesPaginator(root, &kms.ListAliasesInput{}); pages.HasMorePages(); {
		for _, a := range must(pages.NextPage(ctx)).Aliases {
			found = found || *a.AliasName == "alias/app" && *a.TargetKeyId == *key.KeyId
		}
	}
	if !found {
		t.Error("the alias is not in the list")
	}

	// aws_kms_grant, found again page by page
	grant := must(root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, Name: ptr("app"), GranteePrincipal: &reader, Operations: []grantOp{"Encrypt", "Decrypt"},
		Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"app": "a"}}}))
	found = false
	for pages := kms.NewListGrantsPaginator(root, &kms.ListGrantsInput{KeyId: key.KeyId, Limit: aws.Int32(100)}); pages.HasMorePages(); {
		for _, g := range must(pages.NextPage(ctx)).Grants {
			found = found || *g.GrantId == *grant.GrantId && *g.GranteePrincipal == reader && g.Constraints.EncryptionContextSubset["app"] == "a"
		}
	}
	if !found {
		t.Error("the grant is not in the list")
	}

	// aws_kms_replica_key: made in the primary's Region, polled in the replica's
	made := must(root.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(west), Description: ptr("app, west"), Tags: tags("team", "b")})).ReplicaKeyMetadata
	there := e.root(accountA, west)
	replica := e.refresh(there, made.KeyId)
	if replica.Metadata.KeyState != "Enabled" || *replica.Metadata.Description != "app, west" || replica.Metadata.MultiRegionConfiguration.MultiRegionKeyType != "REPLICA" || !replica.Rotation.KeyRotationEnabled {
		t.Errorf("replica %+v", replica.Metadata)
	}

	// changes in place
	must(root.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: key.KeyId, Description: ptr("app 2")}))
	must(root.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key.KeyId, PolicyName: ptr("default"), Policy: ptr(keyPolicy(accountA))}))
	must(root.TagResource(ctx, &kms.TagResourceInput{KeyId: key.KeyId, Tags: tags("team", "c")}))
	must(root.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key.KeyId}))
	must(root.EnableKey(ctx, &kms.EnableKeyInput{KeyId: key.KeyId}))
	must(root.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: key.KeyId}))
	got = e.refresh(root, key.KeyId)
	if *got.Metadata.Description != "app 2" || got.Rotation.KeyRotationEnabled || *got.Tags[0].TagValue != "c" || !got.Metadata.Enabled {
		t.Errorf("after the changes %+v %+v", got.Metadata, got.Tags)
	}

	// destroy, in the order of dependence
	must(root.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key.KeyId, GrantId: grant.GrantId}))
	must(root.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: ptr("alias/app")}))
	must(there.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: made.KeyId, PendingWindowInDays: aws.Int32(7)}))
	must(root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: aws.Int32(7)}))
	_, err := root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId})
	if err == nil || !strings.Contains(err.Error(), "is pending deletion") {
		t.Errorf("scheduled again: %v; the provider looks for these words", err)
	}
	for client, want := range map[*kms.Client]types.KeyState{root: "PendingReplicaDeletion", there: "PendingDeletion"} {
		if got := must(client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})).KeyMetadata.KeyState; got != want {
			t.Errorf("state %s, want %s", got, want)
		}
	}
	e.clock.Advance(day(14))
	_, err = root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	wantFailure(t, "destroyed", err, "NotFoundException", "*")
}
