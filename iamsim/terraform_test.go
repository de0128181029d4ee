package iamsim

import (
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// The calls that Terraform's AWS provider makes, resource by resource: create, read back,
// update, read again what was written, destroy. Two reads without a change between them
// must be equal, or every plan would show a difference.

// provider is a client that reads things as the provider does.
type provider struct {
	*iam.Client
	t *testing.T
}

func newProvider(t *testing.T) (*fixture, *provider) {
	t.Helper()
	f := newFixture(t)
	user := f.newUser(accountA, "terraform", allowAll)
	p := &provider{f.iam(user), t}
	me, err := f.sts(user).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}) // the provider's first call
	if err != nil || *me.Account != accountA {
		t.Fatal(me, err)
	}
	return f, p
}

func ok[T any](t *testing.T, out T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// stable reads twice and returns what it read.
func stable[T any](t *testing.T, read func() T) T {
	t.Helper()
	first, second := read(), read()
	if diff := cmp.Diff(first, second, cmpNoSmithy()); diff != "" {
		t.Errorf("two reads differ\n%s", diff)
	}
	return second
}

func (p *provider) gone(err error) {
	p.t.Helper()
	if got := failed(p.t, err); got.Code != "NoSuchEntity" || got.Status != 404 {
		p.t.Errorf("after the end: %+v, want NoSuchEntity", got)
	}
}

func text(t *testing.T, document *string) string {
	t.Helper()
	s, err := url.PathUnescape(aws.ToString(document))
	return ok(t, s, err)
}

func tf(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

type roleState struct {
	Role     *types.Role
	Inline   []string
	Attached []types.AttachedPolicy
}

func (p *provider) readRole(name string) roleState {
	p.t.Helper()
	ctx := p.t.Context()
	role, err := p.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	inline, err2 := p.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
	attached, err3 := p.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	return roleState{ok(p.t, role, err).Role, ok(p.t, inline, err2).PolicyNames, ok(p.t, attached, err3).AttachedPolicies}
}

func TestTerraformRole(t *testing.T) {
	_, p := newProvider(t)
	ctx, name := t.Context(), "tf-role"
	trust, trust2 := trusting("Service", "s3.amazonaws.com"), trusting("Service", "batchoperations.s3.amazonaws.com")
	_, err := p.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: &trust, Description: aws.String("d"), MaxSessionDuration: aws.Int32(3600), Path: aws.String("/"), Tags: []types.Tag{tf("a", "1")},
	})
	ok(t, 0, err)
	state := stable(t, func() roleState { return p.readRole(name) })
	if text(t, state.Role.AssumeRolePolicyDocument) != trust || *state.Role.MaxSessionDuration != 3600 || len(state.Inline)+len(state.Attached) != 0 || len(state.Role.Tags) != 1 {
		t.Errorf("created %+v", state.Role)
	}

	_, err = p.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &trust2})
	ok(t, 0, err)
	_, err = p.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: &name, Description: aws.String("e"), MaxSessionDuration: aws.Int32(7200)})
	ok(t, 0, err)
	_, err = p.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &name, TagKeys: []string{"a"}})
	ok(t, 0, err)
	_, err = p.TagRole(ctx, &iam.TagRoleInput{RoleName: &name, Tags: []types.Tag{tf("b", "2")}})
	ok(t, 0, err)
	_, err = p.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &name, PermissionsBoundary: aws.String(awsPolicyPrefix + "PowerUserAccess")})
	ok(t, 0, err)
	inline := readBucket
	_, err = p.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("inline"), PolicyDocument: &inline})
	ok(t, 0, err)
	_, err = p.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String(awsPolicyPrefix + "AmazonS3ReadOnlyAccess")})
	ok(t, 0, err)
	state = stable(t, func() roleState { return p.readRole(name) })
	if text(t, state.Role.AssumeRolePolicyDocument) != trust2 || *state.Role.Description != "e" || *state.Role.MaxSessionDuration != 7200 ||
		*state.Role.Tags[0].Key != "b" || *state.Role.PermissionsBoundary.PermissionsBoundaryArn != awsPolicyPrefix+"PowerUserAccess" || len(state.Inline) != 1 || len(state.Attached) != 1 {
		t.Errorf("updated %+v", state)
	}
	one, err := p.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String("inline")})
	if ok(t, text(t, one.PolicyDocument), err) != readBucket {
		t.Errorf("inline policy %s", *one.PolicyDocument)
	}

	_, err = p.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: &name})
	ok(t, 0, err)
	_, err = p.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
	if got := failed(t, err); got.Code != "DeleteConflict" {
		t.Errorf("before the policies were gone: %+v", got)
	}
	for _, a := range state.Attached {
		_, err = p.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: a.PolicyArn})
		ok(t, 0, err)
	}
	for _, policyName := range state.Inline {
		_, err = p.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: &policyName})
		ok(t, 0, err)
	}
	_, err = p.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &name})
	ok(t, 0, err)
	_, err = p.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
	ok(t, 0, err)
	_, err = p.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	p.gone(err)
}

type policyState struct {
	Policy  *types.Policy
	Version *types.PolicyVersion
}

func (p *provider) readPolicy(arn string) policyState {
	p.t.Helper()
	got, err := p.GetPolicy(p.t.Context(), &iam.GetPolicyInput{PolicyArn: &arn})
	ok(p.t, 0, err)
	version, err := p.GetPolicyVersion(p.t.Context(), &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: got.Policy.DefaultVersionId})
	return policyState{got.Policy, ok(p.t, version, err).PolicyVersion}
}

func TestTerraformPolicy(t *testing.T) {
	_, p := newProvider(t)
	ctx := t.Context()
	document := readBucket
	created, err := p.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("tf"), PolicyDocument: &document, Description: aws.String("d"), Tags: []types.Tag{tf("a", "1")}})
	arn := *ok(t, created, err).Policy.Arn
	state := stable(t, func() policyState { return p.readPolicy(arn) })
	if text(t, state.Version.Document) != readBucket || *state.Policy.Description != "d" || len(state.Policy.Tags) != 1 {
		t.Errorf("created %+v", state)
	}
	// Each change makes a new default version; when there are five the oldest other one goes first.
	for i := range 6 {
		document := `{"Version":"2012-10-17","Statement":[{"Sid":"v` + string(rune('a'+i)) + `","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
		list, err := p.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &arn})
		if versions := ok(t, list, err).Versions; len(versions) == 5 {
			oldest := versions[0]
			for _, v := range versions { // the newest comes first
				if !v.IsDefaultVersion {
					oldest = v
				}
			}
			_, err := p.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: oldest.VersionId})
			ok(t, 0, err)
		}
		_, err = p.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &document, SetAsDefault: true})
		ok(t, 0, err)
		if state = stable(t, func() policyState { return p.readPolicy(arn) }); text(t, state.Version.Document) != document {
			t.Errorf("change %d: %s", i, text(t, state.Version.Document))
		}
	}
	_, err = p.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: &arn, Tags: []types.Tag{tf("a", "2")}})
	ok(t, 0, err)
	if state = p.readPolicy(arn); *state.Policy.Tags[0].Value != "2" || *state.Policy.DefaultVersionId != "v7" {
		t.Errorf("updated %+v", state.Policy)
	}
	list, err := p.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	for _, v := range ok(t, list, err).Versions {
		if !v.IsDefaultVersion {
			_, err := p.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: v.VersionId})
			ok(t, 0, err)
		}
	}
	_, err = p.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &arn})
	ok(t, 0, err)
	_, err = p.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	p.gone(err)
}

// A user with a key, a group with both, and everything that is looked at before they go.
func TestTerraformUserKeyAndGroup(t *testing.T) {
	f, p := newProvider(t)
	ctx, name, group := t.Context(), "tf-user", "tf-group"
	_, err := p.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, Path: aws.String("/"), Tags: []types.Tag{tf("a", "1")}})
	ok(t, 0, err)
	read := func() *types.User {
		t.Helper()
		out, err := p.GetUser(ctx, &iam.GetUserInput{UserName: &name})
		return ok(t, out, err).User
	}
	stable(t, read)
	key, err := p.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	id := ok(t, key, err).AccessKey.AccessKeyId
	keys := func() []types.AccessKeyMetadata {
		t.Helper()
		out, err := p.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name})
		return ok(t, out, err).AccessKeyMetadata
	}
	if got := stable(t, keys); len(got) != 1 || got[0].Status != types.StatusTypeActive {
		t.Errorf("keys %+v", got)
	}
	unused, err := p.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: id})
	if used := ok(t, unused, err).AccessKeyLastUsed; *used.Region != "N/A" || *used.ServiceName != "N/A" || used.LastUsedDate != nil { // I43
		t.Errorf("an unused key: %+v", used)
	}

	_, err = p.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group})
	ok(t, 0, err)
	_, err = p.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: &name})
	ok(t, 0, err)
	members, err := p.GetGroup(ctx, &iam.GetGroupInput{GroupName: &group})
	if users := ok(t, members, err).Users; len(users) != 1 || *users[0].UserName != name {
		t.Errorf("members %+v", users)
	}
	_, err = p.UpdateGroup(ctx, &iam.UpdateGroupInput{GroupName: &group, NewGroupName: aws.String("tf-group-2"), NewPath: aws.String("/x/")})
	ok(t, 0, err)
	group = "tf-group-2"

	_, err = p.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &name, NewUserName: aws.String("tf-user-2"), NewPath: aws.String("/y/")})
	ok(t, 0, err)
	name = "tf-user-2"
	_, err = p.TagUser(ctx, &iam.TagUserInput{UserName: &name, Tags: []types.Tag{tf("b", "2")}})
	ok(t, 0, err)
	_, err = p.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: id, Status: types.StatusTypeInactive})
	ok(t, 0, err)
	if user := stable(t, read); *user.Arn != "arn:aws:iam::111111111111:user/y/tf-user-2" || len(user.Tags) != 2 {
		t.Errorf("updated %+v", user)
	}
	if got := stable(t, keys); got[0].Status != types.StatusTypeInactive || *got[0].UserName != name {
		t.Errorf("keys %+v", got)
	}

	// force_destroy looks for everything that a user may have.
	groups, err := p.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: &name})
	for _, g := range ok(t, groups, err).Groups {
		_, err := p.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: g.GroupName, UserName: &name})
		ok(t, 0, err)
	}
	for _, action := range []string{"ListMFADevices", "ListSSHPublicKeys", "ListSigningCertificates", "ListServiceSpecificCredentials", "ListUserPolicies", "ListAttachedUserPolicies"} {
		f.must(rootOf(accountA), action, "UserName", name)
	}
	f.must(rootOf(accountA), "ListVirtualMFADevices", "AssignmentStatus", "Any")
	_, err = p.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: &name})
	p.gone(err)
	_, err = p.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: id})
	ok(t, 0, err)
	_, err = p.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
	ok(t, 0, err)
	_, err = p.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: &group})
	ok(t, 0, err)
	_, err = p.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	p.gone(err)
	_, err = p.GetGroup(ctx, &iam.GetGroupInput{GroupName: &group})
	p.gone(err)
}

func TestTerraformInstanceProfile(t *testing.T) {
	f, p := newProvider(t)
	ctx, name, role := t.Context(), "tf-profile", "tf-role"
	f.newRole(accountA, role, trusting("Service", "ec2.amazonaws.com"), "")
	f.newRole(accountA, "next", trusting("Service", "ec2.amazonaws.com"), "")
	_, err := p.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &name, Path: aws.String("/"), Tags: []types.Tag{tf("a", "1")}})
	ok(t, 0, err)
	_, err = p.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &role})
	ok(t, 0, err)
	read := func() *types.InstanceProfile {
		t.Helper()
		out, err := p.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
		return ok(t, out, err).InstanceProfile
	}
	if got := stable(t, read); *got.Roles[0].RoleName != role || *got.Tags[0].Value != "1" {
		t.Errorf("created %+v", got)
	}
	// Another role: the old one is taken out first.
	_, err = p.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &name, RoleName: &role})
	ok(t, 0, err)
	_, err = p.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: aws.String("next")})
	ok(t, 0, err)
	_, err = p.TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{InstanceProfileName: &name, Tags: []types.Tag{tf("a", "2")}})
	ok(t, 0, err)
	if got := stable(t, read); *got.Roles[0].RoleName != "next" || *got.Tags[0].Value != "2" {
		t.Errorf("updated %+v", got)
	}
	_, err = p.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &name, RoleName: aws.String("next")})
	ok(t, 0, err)
	_, err = p.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: &name})
	ok(t, 0, err)
	_, err = p.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	p.gone(err)
}
