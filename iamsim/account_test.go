package iamsim

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

func TestAccountAlias(t *testing.T) {
	f := newFixture(t)
	c, ctx := f.iam(rootOf(accountA)), t.Context()
	aliases := func() []string {
		t.Helper()
		return check[*iam.ListAccountAliasesOutput](t)(c.ListAccountAliases(ctx, &iam.ListAccountAliasesInput{})).AccountAliases
	}
	if got := aliases(); got == nil || len(got) != 0 {
		t.Errorf("aliases %v, want an empty list", got)
	}
	for _, alias := range []string{"acme", "acme-2"} { // the second replaces the first (I54)
		check[*iam.CreateAccountAliasOutput](t)(c.CreateAccountAlias(ctx, &iam.CreateAccountAliasInput{AccountAlias: &alias}))
		if diff := cmp.Diff([]string{alias}, aliases()); diff != "" {
			t.Error(diff)
		}
	}
	other := rootOf(accountB)
	f.refused(answer{Status: 409, Code: "EntityAlreadyExists", Message: "The account alias acme-2 already exists."}, other, "CreateAccountAlias", "AccountAlias", "acme-2")
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "The account alias with name acme-2 cannot be found."}, other, "DeleteAccountAlias", "AccountAlias", "acme-2")
	for _, alias := range []string{"Acme", "-acme", "acme-", "ac--me", "ac.me"} {
		f.refused(answer{Status: 400, Code: "ValidationError", Message: `1 validation error detected: Value at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`},
			other, "CreateAccountAlias", "AccountAlias", alias)
	}
	check[*iam.DeleteAccountAliasOutput](t)(c.DeleteAccountAlias(ctx, &iam.DeleteAccountAliasInput{AccountAlias: aws.String("acme-2")}))
	f.must(other, "CreateAccountAlias", "AccountAlias", "acme-2")
}

// fill gives account A one of everything, and account B something that A must not see.
func fill(f *fixture) {
	f.t.Helper()
	root := rootOf(accountA)
	f.newUser(accountA, "alice", readBucket)
	f.must(root, "CreateGroup", "GroupName", "devs")
	f.must(root, "AddUserToGroup", "GroupName", "devs", "UserName", "alice")
	f.must(root, "PutGroupPolicy", "GroupName", "devs", "PolicyName", "gp", "PolicyDocument", readBucket)
	f.newRole(accountA, "web", trusting("Service", "ec2.amazonaws.com"), readBucket)
	f.must(root, "CreateInstanceProfile", "InstanceProfileName", "machine")
	f.must(root, "AddRoleToInstanceProfile", "InstanceProfileName", "machine", "RoleName", "web")
	f.must(root, "CreatePolicy", "PolicyName", "mine", "PolicyDocument", readBucket)
	f.must(root, "CreatePolicyVersion", "PolicyArn", "arn:aws:iam::111111111111:policy/mine", "PolicyDocument", allowAll)
	f.must(root, "AttachUserPolicy", "UserName", "alice", "PolicyArn", "arn:aws:iam::111111111111:policy/mine")
	f.must(root, "AttachGroupPolicy", "GroupName", "devs", "PolicyArn", awsPolicyPrefix+"IAMReadOnlyAccess")
	f.must(root, "PutUserPermissionsBoundary", "UserName", "alice", "PermissionsBoundary", awsPolicyPrefix+"AdministratorAccess")
	f.must(root, "CreateOpenIDConnectProvider", "Url", "https://issuer.example.com")
	f.must(root, "CreateAccountAlias", "AccountAlias", "acme")
	f.newUser(accountB, "bob", "")
	f.must(rootOf(accountB), "AttachUserPolicy", "UserName", "bob", "PolicyArn", awsPolicyPrefix+"PowerUserAccess")
}

func TestAccountSummary(t *testing.T) {
	f := newFixture(t)
	fill(f)
	got := check[*iam.GetAccountSummaryOutput](t)(f.iam(rootOf(accountA)).GetAccountSummary(t.Context(), &iam.GetAccountSummaryInput{})).SummaryMap
	for key, want := range map[string]int32{
		"Users": 1, "Groups": 1, "Roles": 1, "Policies": 1, "PolicyVersionsInUse": 2, "InstanceProfiles": 1, "Providers": 1,
		"UsersQuota": 5000, "GroupsQuota": 300, "RolesQuota": 1000, "PoliciesQuota": 1500, "PolicySizeQuota": 6144, "AccessKeysPerUserQuota": 2,
		"MFADevices": 0, "AssumeRolePolicySizeQuota": 2048,
	} {
		if v, ok := got[key]; !ok || v != want {
			t.Errorf("%s: %d %t, want %d", key, v, ok, want)
		}
	}
	for _, key := range types.SummaryKeyType("").Values() {
		if _, ok := got[string(key)]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "The Password Policy with domain name 111111111111 cannot be found."}, rootOf(accountA), "GetAccountPasswordPolicy")
}

// Everything of an account, whole and in pages of one (I56).
func TestAuthorizationDetails(t *testing.T) {
	f := newFixture(t)
	fill(f)
	c, ctx := f.iam(rootOf(accountA)), t.Context()
	out := check[*iam.GetAccountAuthorizationDetailsOutput](t)(c.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{}))
	names := func(out *iam.GetAccountAuthorizationDetailsOutput) []string {
		var got []string
		for _, u := range out.UserDetailList {
			got = append(got, "user "+*u.UserName)
		}
		for _, g := range out.GroupDetailList {
			got = append(got, "group "+*g.GroupName)
		}
		for _, r := range out.RoleDetailList {
			got = append(got, "role "+*r.RoleName)
		}
		for _, p := range out.Policies {
			got = append(got, "policy "+*p.PolicyName)
		}
		return got
	}
	want := []string{"user alice", "group devs", "role web", "policy AdministratorAccess", "policy IAMReadOnlyAccess", "policy mine"}
	if diff := cmp.Diff(want, names(out)); diff != "" {
		t.Fatal(diff)
	}
	user, group, role := out.UserDetailList[0], out.GroupDetailList[0], out.RoleDetailList[0]
	if diff := cmp.Diff([]string{"devs"}, user.GroupList); diff != "" || *user.AttachedManagedPolicies[0].PolicyName != "mine" || user.PermissionsBoundary == nil {
		t.Errorf("user %+v\n%s", user, diff)
	}
	for name, document := range map[string]*string{
		"user": user.UserPolicyList[0].PolicyDocument, "group": group.GroupPolicyList[0].PolicyDocument, "role": role.RolePolicyList[0].PolicyDocument,
	} {
		if text, err := url.PathUnescape(*document); err != nil || text != readBucket {
			t.Errorf("document of the %s: %s", name, text)
		}
	}
	if len(role.InstanceProfileList) != 1 || *role.InstanceProfileList[0].InstanceProfileName != "machine" || role.RoleLastUsed == nil {
		t.Errorf("role %+v", role)
	}
	for _, p := range out.Policies {
		if *p.PolicyName == "mine" && (len(p.PolicyVersionList) != 2 || p.PolicyVersionList[0].Document == nil || *p.AttachmentCount != 1) {
			t.Errorf("policy %+v", p)
		}
	}

	var paged []string
	for pages := iam.NewGetAccountAuthorizationDetailsPaginator(c, &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1)}); pages.HasMorePages(); {
		page := names(check[*iam.GetAccountAuthorizationDetailsOutput](t)(pages.NextPage(ctx)))
		if len(page) != 1 {
			t.Errorf("a page of %d", len(page))
		}
		paged = append(paged, page...)
	}
	if len(paged) != len(want) {
		t.Errorf("in pages: %v", paged)
	}
	for filter, want := range map[types.EntityType][]string{
		types.EntityTypeUser: {"user alice"}, types.EntityTypeGroup: {"group devs"}, types.EntityTypeRole: {"role web"},
		types.EntityTypeLocalManagedPolicy: {"policy mine"}, types.EntityTypeAWSManagedPolicy: {"policy AdministratorAccess", "policy IAMReadOnlyAccess"},
	} {
		got := check[*iam.GetAccountAuthorizationDetailsOutput](t)(c.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{filter}}))
		if diff := cmp.Diff(want, names(got)); diff != "" {
			t.Errorf("filter %s\n%s", filter, diff)
		}
	}
	if got := f.call(rootOf(accountA), "GetAccountAuthorizationDetails", "Filter.member.1", "Users"); got.Code != "ValidationError" || !strings.Contains(got.Message, "'filter'") {
		t.Errorf("a bad filter: %+v", got)
	}
}

// Lists of what can't exist are empty, and still ask for the right user (I45).
func TestEmptyLists(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", allowAll)
	for action, element := range map[string]string{
		"ListMFADevices": "MFADevices", "ListSSHPublicKeys": "SSHPublicKeys", "ListSigningCertificates": "Certificates",
		"ListServiceSpecificCredentials": "ServiceSpecificCredentials", "ListVirtualMFADevices": "VirtualMFADevices",
		"ListServerCertificates": "ServerCertificateMetadataList", "ListSAMLProviders": "SAMLProviderList",
		"ListOpenIDConnectProviders": "OpenIDConnectProviderList",
	} {
		if got := f.must(user, action); !strings.Contains(got.Body, fmt.Sprintf("<%s></%s>", element, element)) {
			t.Errorf("%s: %s", action, got.Body)
		}
	}
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "The user with name x cannot be found."}, user, "ListMFADevices", "UserName", "x")
}
