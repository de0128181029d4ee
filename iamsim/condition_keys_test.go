package iamsim

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// The condition keys of IAM's own actions (I39): each policy allows the first call and
// not the second.
func TestConditionKeys(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	const readOnly, admin = awsPolicyPrefix + "ReadOnlyAccess", awsPolicyPrefix + "AdministratorAccess"
	const mine, yours = "arn:aws:iam::111111111111:policy/mine", "arn:aws:iam::111111111111:policy/yours"
	tags := func(pairs ...string) []string {
		var out []string
		for i := 0; i < len(pairs); i += 2 {
			at := fmt.Sprintf("Tags.member.%d.", i/2+1)
			out = append(out, at+"Key", pairs[i], at+"Value", pairs[i+1])
		}
		return out
	}
	with := func(params []string, more ...string) []string { return append(append([]string{}, more...), params...) }
	for _, who := range []string{"mine", "yours"} {
		team := tags("team", who)
		f.must(root, "CreateUser", with(team, "UserName", who)...)
		f.must(root, "CreateRole", with(team, "RoleName", who, "AssumeRolePolicyDocument", trusting("Service", "s3.amazonaws.com"))...)
		f.must(root, "CreatePolicy", with(team, "PolicyName", who, "PolicyDocument", allowAll)...)
		f.must(root, "CreateInstanceProfile", with(team, "InstanceProfileName", who)...)
		f.must(root, "CreateOpenIDConnectProvider", with(team, "Url", "https://"+who+".example.com")...)
		f.must(root, "CreateGroup", "GroupName", who)
	}
	f.must(root, "PutUserPermissionsBoundary", "UserName", "mine", "PermissionsBoundary", readOnly)
	trust := trusting("Service", "s3.amazonaws.com")
	for i, tc := range []struct {
		actions, condition string
		action             string
		yes, no            []string
	}{
		{"iam:AttachRolePolicy", `"ArnEquals":{"iam:PolicyARN":"` + readOnly + `"}`, "AttachRolePolicy",
			[]string{"RoleName", "mine", "PolicyArn", readOnly}, []string{"RoleName", "mine", "PolicyArn", admin}},
		{"iam:AttachGroupPolicy", `"ArnEquals":{"iam:PolicyARN":"` + readOnly + `"}`, "AttachGroupPolicy",
			[]string{"GroupName", "mine", "PolicyArn", readOnly}, []string{"GroupName", "mine", "PolicyArn", admin}},
		{"iam:DetachRolePolicy", `"ArnEquals":{"iam:PolicyARN":"` + readOnly + `"}`, "DetachRolePolicy",
			[]string{"RoleName", "mine", "PolicyArn", readOnly}, []string{"RoleName", "mine", "PolicyArn", admin}},
		{"iam:CreateRole", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`, "CreateRole",
			[]string{"RoleName", "bounded", "AssumeRolePolicyDocument", trust, "PermissionsBoundary", readOnly}, []string{"RoleName", "unbounded", "AssumeRolePolicyDocument", trust}},
		{"iam:PutUserPermissionsBoundary", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`, "PutUserPermissionsBoundary",
			[]string{"UserName", "yours", "PermissionsBoundary", readOnly}, []string{"UserName", "mine", "PermissionsBoundary", admin}},
		{"iam:PutUserPolicy", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`, "PutUserPolicy",
			[]string{"UserName", "mine", "PolicyName", "p", "PolicyDocument", allowAll}, []string{"UserName", "terraform", "PolicyName", "p", "PolicyDocument", allowAll}},
		{"iam:GetRole", `"StringEquals":{"iam:ResourceTag/team":"mine"}`, "GetRole", []string{"RoleName", "mine"}, []string{"RoleName", "yours"}},
		{"iam:GetUser", `"StringEquals":{"aws:ResourceTag/Team":"mine"}`, "GetUser", []string{"UserName", "mine"}, []string{"UserName", "yours"}},
		{"iam:GetPolicy", `"StringEquals":{"aws:ResourceTag/team":"mine"}`, "GetPolicy", []string{"PolicyArn", mine}, []string{"PolicyArn", yours}},
		{"iam:GetInstanceProfile", `"StringEquals":{"aws:ResourceTag/team":"mine"}`, "GetInstanceProfile", []string{"InstanceProfileName", "mine"}, []string{"InstanceProfileName", "yours"}},
		{"iam:GetOpenIDConnectProvider", `"StringEquals":{"aws:ResourceTag/team":"mine"}`, "GetOpenIDConnectProvider",
			[]string{"OpenIDConnectProviderArn", issuerARN(accountA, "mine.example.com")}, []string{"OpenIDConnectProviderArn", issuerARN(accountA, "yours.example.com")}},
		{`iam:CreateUser","iam:TagUser`, `"StringEquals":{"aws:RequestTag/team":"blue"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}`, "CreateUser",
			with(tags("team", "blue"), "UserName", "a"), with(tags("team", "blue", "more", ""), "UserName", "b")},
		{"iam:TagRole", `"ForAllValues:StringLike":{"aws:TagKeys":"t*"}`, "TagRole", with(tags("team", "mine"), "RoleName", "mine"), with(tags("owner", "me"), "RoleName", "mine")},
		{"iam:UntagRole", `"ForAllValues:StringLike":{"aws:TagKeys":"t*"}`, "UntagRole", []string{"RoleName", "mine", "TagKeys.member.1", "temp"}, []string{"RoleName", "mine", "TagKeys.member.1", "owner"}},
		// Tags in a Create call need the right to tag (I39).
		{"iam:CreateRole", `"Bool":{"aws:SecureTransport":"false"}`, "CreateRole", []string{"RoleName", "plain", "AssumeRolePolicyDocument", trust},
			with(tags("a", "b"), "RoleName", "tagged", "AssumeRolePolicyDocument", trust)},
		{"iam:CreatePolicy", `"Bool":{"aws:SecureTransport":"false"}`, "CreatePolicy", []string{"PolicyName", "plain", "PolicyDocument", allowAll},
			with(tags("a", "b"), "PolicyName", "tagged", "PolicyDocument", allowAll)},
		{"iam:CreateInstanceProfile", `"Bool":{"aws:SecureTransport":"false"}`, "CreateInstanceProfile", []string{"InstanceProfileName", "plain"},
			with(tags("a", "b"), "InstanceProfileName", "tagged")},
		{"iam:CreateOpenIDConnectProvider", `"Bool":{"aws:SecureTransport":"false"}`, "CreateOpenIDConnectProvider", []string{"Url", "https://plain"}, with(tags("a", "b"), "Url", "https://tagged")},
		{"sts:GetFederationToken", `"Bool":{"aws:SecureTransport":"false"}`, "GetFederationToken", []string{"Name", "fed"}, with(tags("a", "b"), "Name", "fed")},
	} {
		user := f.newUser(accountA, fmt.Sprintf("caller%d", i), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["`+tc.actions+`"],"Resource":"*","Condition":{`+tc.condition+`}}]}`)
		if got := f.call(user, tc.action, tc.yes...); got.Status != 200 {
			t.Errorf("%s %v: %d %s: %s", tc.action, tc.yes, got.Status, got.Code, got.Message)
		}
		if got := f.call(user, tc.action, tc.no...); got.Code != "AccessDenied" {
			t.Errorf("%s %v: %d %s: %s, want AccessDenied", tc.action, tc.no, got.Status, got.Code, got.Message)
		}
	}
}

var markerOf = regexp.MustCompile(`<IsTruncated>(true|false)</IsTruncated>(?:<Marker>([^<]*)</Marker>)?`)

// Every list goes on where its marker says, an item a page, until it says it is whole (I44).
func TestEveryListHasPages(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	const mine = "arn:aws:iam::111111111111:policy/n0"
	issuer := issuerARN(accountA, "i.example.com")
	f.must(root, "CreateOpenIDConnectProvider", "Url", "https://i.example.com")
	for i := range 3 {
		n := fmt.Sprintf("n%d", i)
		f.must(root, "CreateUser", "UserName", n)
		f.must(root, "CreateGroup", "GroupName", n)
		f.must(root, "CreateRole", "RoleName", n, "AssumeRolePolicyDocument", trusting("Service", "s3.amazonaws.com"))
		f.must(root, "CreatePolicy", "PolicyName", n, "PolicyDocument", allowAll)
		f.must(root, "CreateInstanceProfile", "InstanceProfileName", n)
	}
	for i := range 3 {
		n := fmt.Sprintf("n%d", i)
		arn := "arn:aws:iam::111111111111:policy/" + n
		f.must(root, "AddUserToGroup", "UserName", n, "GroupName", "n0")
		if i > 0 {
			f.must(root, "AddUserToGroup", "UserName", "n0", "GroupName", n)
			f.must(root, "CreatePolicyVersion", "PolicyArn", mine, "PolicyDocument", allowAll)
		}
		f.must(root, "AddRoleToInstanceProfile", "InstanceProfileName", n, "RoleName", "n0")
		for _, kind := range []string{"User", "Group", "Role"} {
			f.must(root, "Put"+kind+"Policy", kind+"Name", "n0", "PolicyName", n, "PolicyDocument", readBucket)
			f.must(root, "Attach"+kind+"Policy", kind+"Name", "n0", "PolicyArn", arn)
		}
		for _, on := range [][]string{{"TagUser", "UserName", "n0"}, {"TagRole", "RoleName", "n0"}, {"TagPolicy", "PolicyArn", mine}, {"TagInstanceProfile", "InstanceProfileName", "n0"}, {"TagOpenIDConnectProvider", "OpenIDConnectProviderArn", issuer}} {
			f.must(root, on[0], on[1], on[2], "Tags.member.1.Key", n, "Tags.member.1.Value", "")
		}
	}
	for range 2 {
		f.must(root, "CreateAccessKey", "UserName", "n0")
	}
	// Lists of what can't exist have one page, and three lists have none at all.
	pages := map[string]int{
		"ListAccessKeys": 2, "ListAccountAliases": 1, "GetAccountAuthorizationDetails": 12,
		"ListMFADevices": 1, "ListSSHPublicKeys": 1, "ListSigningCertificates": 1, "ListVirtualMFADevices": 1, "ListServerCertificates": 1,
		"ListServiceSpecificCredentials": 0, "ListSAMLProviders": 0, "ListOpenIDConnectProviders": 0,
	}
	for _, op := range Operations() {
		name := op.Name
		if !op.Supported || !strings.HasPrefix(name, "List") && name != "GetGroup" && name != "GetAccountAuthorizationDetails" {
			continue
		}
		params := []string{"MaxItems", "1", "UserName", "n0", "GroupName", "n0", "RoleName", "n0", "PolicyArn", mine, "InstanceProfileName", "n0", "OpenIDConnectProviderArn", issuer, "Scope", "Local"}
		m := markerOf.FindStringSubmatch(f.must(root, name, params...).Body)
		n := 0
		for ; m != nil; n++ {
			if m[1] == "false" {
				n++
				break
			}
			m = markerOf.FindStringSubmatch(f.must(root, name, append(params, "Marker", m[2])...).Body)
		}
		want, special := pages[name]
		if !special {
			want = 3
		}
		if n != want {
			t.Errorf("%s has %d pages, want %d", name, n, want)
		}
	}
}
