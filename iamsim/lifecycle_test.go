package iamsim

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// check fails the test when a call that must work did not.
func check[T any](t *testing.T) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// A role's life through the SDK, as Terraform lives it.
func TestRoleLifecycle(t *testing.T) {
	f := newFixture(t)
	c, ctx := f.iam(rootOf(accountA)), t.Context()
	trust := trusting("Service", "s3.amazonaws.com")
	name := aws.String("Replicator")

	created := check[*iam.CreateRoleOutput](t)(c.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: name, Path: aws.String("/service-role/"), AssumeRolePolicyDocument: &trust, Description: aws.String("copies <things> & more"),
		MaxSessionDuration: aws.Int32(7200), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("")}},
	})).Role
	if got, want := *created.Arn, "arn:aws:iam::111111111111:role/service-role/Replicator"; got != want {
		t.Errorf("ARN %s, want %s", got, want)
	}
	if created.MaxSessionDuration != nil || created.RoleLastUsed != nil { // I21
		t.Errorf("CreateRole answered MaxSessionDuration %v and RoleLastUsed %v, want neither", created.MaxSessionDuration, created.RoleLastUsed)
	}
	if id := *created.RoleId; len(id) != 21 || !strings.HasPrefix(id, "AROA") { // I10
		t.Errorf("role id %q", id)
	}

	got := check[*iam.GetRoleOutput](t)(c.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("replicator")})).Role // I11
	if text, err := url.PathUnescape(*got.AssumeRolePolicyDocument); err != nil || text != trust {
		t.Errorf("trust policy %q, %v; want the text as it was given", text, err)
	}
	want := &types.Role{
		Path: aws.String("/service-role/"), RoleName: name, RoleId: created.RoleId, Arn: created.Arn, CreateDate: aws.Time(f.clock.Now()),
		AssumeRolePolicyDocument: got.AssumeRolePolicyDocument, Description: aws.String("copies <things> & more"), MaxSessionDuration: aws.Int32(7200),
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("")}}, RoleLastUsed: &types.RoleLastUsed{},
	}
	if diff := cmp.Diff(want, got, cmpNoSmithy()); diff != "" {
		t.Errorf("GetRole (-want +got)\n%s", diff)
	}

	check[*iam.UpdateRoleOutput](t)(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, Description: aws.String("new"), MaxSessionDuration: aws.Int32(3600)}))
	check[*iam.TagRoleOutput](t)(c.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: aws.String("Team"), Value: aws.String("x")}, {Key: aws.String("b"), Value: aws.String("2")}}}))
	check[*iam.UntagRoleOutput](t)(c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: name, TagKeys: []string{"B"}}))
	updated := check[*iam.UpdateRoleDescriptionOutput](t)(c.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{RoleName: name, Description: aws.String("newer")})).Role
	if *updated.Description != "newer" || *updated.MaxSessionDuration != 3600 || len(updated.Tags) != 1 || *updated.Tags[0].Key != "Team" {
		t.Errorf("after the updates: %+v", updated)
	}
	tags := check[*iam.ListRoleTagsOutput](t)(c.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: name})).Tags
	if len(tags) != 1 || *tags[0].Value != "x" {
		t.Errorf("tags %+v", tags)
	}

	odd := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/a%3Ab c+d&é"}]}` + "\n"
	check[*iam.PutRolePolicyOutput](t)(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("p"), PolicyDocument: &odd}))
	inline := check[*iam.GetRolePolicyOutput](t)(c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("p")}))
	if text, err := url.PathUnescape(*inline.PolicyDocument); err != nil || text != odd { // I3
		t.Errorf("policy document %q, %v; want %q", text, err, odd)
	}
	names := check[*iam.ListRolePoliciesOutput](t)(c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name})).PolicyNames
	if !cmp.Equal(names, []string{"p"}) {
		t.Errorf("inline policies %v", names)
	}
	profiles := check[*iam.ListInstanceProfilesForRoleOutput](t)(c.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: name}))
	if profiles.InstanceProfiles == nil || len(profiles.InstanceProfiles) != 0 {
		t.Errorf("instance profiles %v, want an empty list", profiles.InstanceProfiles)
	}

	list := check[*iam.ListRolesOutput](t)(c.ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String("/service-role/")})).Roles
	if len(list) != 1 || list[0].Tags != nil || list[0].RoleLastUsed != nil || list[0].MaxSessionDuration == nil { // I21
		t.Errorf("ListRoles %+v", list)
	}
	check[*iam.DeleteRolePolicyOutput](t)(c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("p")}))
	check[*iam.DeleteRoleOutput](t)(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}))
	_, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	if got := failed(t, err); got.Status != 404 || got.Code != "NoSuchEntity" || got.Message != "The role with name Replicator cannot be found." {
		t.Errorf("after DeleteRole: %+v", got)
	}
}

// cmpNoSmithy ignores the SDK's unexported marker fields.
func cmpNoSmithy() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool {
		last, ok := p.Last().(cmp.StructField)
		return ok && last.Name() == "noSmithyDocumentSerde"
	}, cmp.Ignore())
}

func TestUserLifecycle(t *testing.T) {
	f := newFixture(t)
	c, ctx := f.iam(rootOf(accountA)), t.Context()
	name := aws.String("alice")
	user := check[*iam.CreateUserOutput](t)(c.CreateUser(ctx, &iam.CreateUserInput{UserName: name, Path: aws.String("/eng/")})).User
	if *user.Arn != "arn:aws:iam::111111111111:user/eng/alice" || !strings.HasPrefix(*user.UserId, "AIDA") {
		t.Errorf("user %+v", user)
	}
	key := check[*iam.CreateAccessKeyOutput](t)(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})).AccessKey
	if len(*key.AccessKeyId) != 20 || !strings.HasPrefix(*key.AccessKeyId, "AKIA") || len(*key.SecretAccessKey) != 40 || key.Status != types.StatusTypeActive {
		t.Errorf("key %+v", key)
	}
	alice := creds{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey}

	me := check[*sts.GetCallerIdentityOutput](t)(f.sts(alice).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *me.Arn != *user.Arn || *me.UserId != *user.UserId || *me.Account != accountA {
		t.Errorf("caller identity %+v", me)
	}
	used := check[*iam.GetAccessKeyLastUsedOutput](t)(c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId})) // I43
	if *used.UserName != "alice" || *used.AccessKeyLastUsed.ServiceName != "sts" || !used.AccessKeyLastUsed.LastUsedDate.Equal(f.clock.Now()) {
		t.Errorf("last used %+v", used.AccessKeyLastUsed)
	}

	check[*iam.AttachUserPolicyOutput](t)(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	self := check[*iam.GetUserOutput](t)(f.iam(alice).GetUser(ctx, &iam.GetUserInput{})).User // I37
	if *self.UserName != "alice" {
		t.Errorf("GetUser without a name: %+v", self)
	}
	check[*iam.UpdateUserOutput](t)(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: name, NewUserName: aws.String("bob"), NewPath: aws.String("/")}))
	me = check[*sts.GetCallerIdentityOutput](t)(f.sts(alice).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *me.Arn != "arn:aws:iam::111111111111:user/bob" || *me.UserId != *user.UserId {
		t.Errorf("after the rename: %+v", me)
	}

	name = aws.String("bob")
	check[*iam.UpdateAccessKeyOutput](t)(c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive}))
	_, err := f.sts(alice).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if got := failed(t, err); got.Status != 403 || got.Code != "InvalidClientTokenId" {
		t.Errorf("with an inactive key: %+v", got)
	}
	keys := check[*iam.ListAccessKeysOutput](t)(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name})).AccessKeyMetadata
	if len(keys) != 1 || keys[0].Status != types.StatusTypeInactive || *keys[0].UserName != "bob" {
		t.Errorf("keys %+v", keys)
	}
	check[*iam.DeleteAccessKeyOutput](t)(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId}))
	check[*iam.DetachUserPolicyOutput](t)(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	check[*iam.DeleteUserOutput](t)(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name}))
	if users := check[*iam.ListUsersOutput](t)(c.ListUsers(ctx, &iam.ListUsersInput{})).Users; users == nil || len(users) != 0 {
		t.Errorf("users %v, want an empty list", users)
	}
}

func TestPolicyLifecycle(t *testing.T) {
	f := newFixture(t)
	c, ctx := f.iam(rootOf(accountA)), t.Context()
	text := readBucket
	created := check[*iam.CreatePolicyOutput](t)(c.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("Read"), PolicyDocument: &text, Description: aws.String("d"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	})).Policy
	arn := created.Arn
	if *arn != "arn:aws:iam::111111111111:policy/Read" || *created.DefaultVersionId != "v1" || created.Tags != nil || created.Description != nil || !created.IsAttachable {
		t.Errorf("CreatePolicy %+v", created) // I22
	}
	other := allowAll
	v2 := check[*iam.CreatePolicyVersionOutput](t)(c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &other, SetAsDefault: true})).PolicyVersion
	if *v2.VersionId != "v2" || !v2.IsDefaultVersion || v2.Document != nil {
		t.Errorf("CreatePolicyVersion %+v", v2)
	}
	got := check[*iam.GetPolicyVersionOutput](t)(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})).PolicyVersion
	if text, _ := url.PathUnescape(*got.Document); text != readBucket || got.IsDefaultVersion {
		t.Errorf("GetPolicyVersion %+v", got)
	}
	f.newRole(accountA, "r", trusting("Service", "s3.amazonaws.com"), "")
	f.must(rootOf(accountA), "CreateUser", "UserName", "u", "PermissionsBoundary", *arn)
	check[*iam.AttachRolePolicyOutput](t)(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn}))

	p := check[*iam.GetPolicyOutput](t)(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})).Policy
	if *p.AttachmentCount != 1 || *p.PermissionsBoundaryUsageCount != 1 || *p.Description != "d" || len(p.Tags) != 1 || *p.DefaultVersionId != "v2" {
		t.Errorf("GetPolicy %+v", p)
	}
	user := check[*iam.GetUserOutput](t)(c.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("u")})).User
	if user.PermissionsBoundary == nil || *user.PermissionsBoundary.PermissionsBoundaryArn != *arn {
		t.Errorf("boundary %+v", user.PermissionsBoundary)
	}
	with := check[*iam.ListEntitiesForPolicyOutput](t)(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: arn}))
	if len(with.PolicyRoles) != 1 || len(with.PolicyUsers) != 1 {
		t.Errorf("ListEntitiesForPolicy %+v", with)
	}
	local := check[*iam.ListPoliciesOutput](t)(c.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal, OnlyAttached: true})).Policies
	if len(local) != 1 || local[0].Description != nil {
		t.Errorf("ListPolicies Local %+v", local)
	}
	all := 0
	for pages := iam.NewListPoliciesPaginator(c, &iam.ListPoliciesInput{}); pages.HasMorePages(); {
		all += len(check[*iam.ListPoliciesOutput](t)(pages.NextPage(ctx)).Policies)
	}
	if all != 1+len(f.aws) {
		t.Errorf("ListPolicies has %d rows, want ours and %d of AWS", all, len(f.aws))
	}
	attached := check[*iam.ListAttachedRolePoliciesOutput](t)(c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("r")})).AttachedPolicies
	if len(attached) != 1 || *attached[0].PolicyName != "Read" || *attached[0].PolicyArn != *arn {
		t.Errorf("attached %+v", attached)
	}

	check[*iam.SetDefaultPolicyVersionOutput](t)(c.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}))
	versions := check[*iam.ListPolicyVersionsOutput](t)(c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn})).Versions
	if len(versions) != 2 || *versions[0].VersionId != "v2" || !versions[1].IsDefaultVersion {
		t.Errorf("versions %+v", versions)
	}
	check[*iam.DeletePolicyVersionOutput](t)(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))
	check[*iam.UntagPolicyOutput](t)(c.UntagPolicy(ctx, &iam.UntagPolicyInput{PolicyArn: arn, TagKeys: []string{"k"}}))
	check[*iam.TagPolicyOutput](t)(c.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: arn, Tags: []types.Tag{{Key: aws.String("z"), Value: aws.String("1")}}}))
	if tags := check[*iam.ListPolicyTagsOutput](t)(c.ListPolicyTags(ctx, &iam.ListPolicyTagsInput{PolicyArn: arn})).Tags; len(tags) != 1 || *tags[0].Key != "z" {
		t.Errorf("tags %+v", tags)
	}
	check[*iam.DetachRolePolicyOutput](t)(c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn}))
	check[*iam.DeleteUserPermissionsBoundaryOutput](t)(c.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: aws.String("u")}))
	check[*iam.DeletePolicyOutput](t)(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
}

// Lists come in pages of MaxItems, each item once (I44).
func TestPages(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	for i := range 7 {
		f.must(root, "CreateUser", "UserName", fmt.Sprintf("user-%d", i))
	}
	f.must(rootOf(accountB), "CreateUser", "UserName", "foreign")
	pages := iam.NewListUsersPaginator(f.iam(root), &iam.ListUsersInput{MaxItems: aws.Int32(3)})
	var got []string
	sizes := ""
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes += fmt.Sprint(len(page.Users))
		for _, u := range page.Users {
			got = append(got, *u.UserName)
		}
	}
	want := []string{"user-0", "user-1", "user-2", "user-3", "user-4", "user-5", "user-6"}
	if diff := cmp.Diff(want, got); diff != "" || sizes != "331" {
		t.Errorf("pages of %s\n%s", sizes, diff)
	}
}
