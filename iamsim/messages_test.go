package iamsim

import (
	"fmt"
	"strings"
	"testing"
)

// Every message that the operations answer mistakes with, on one account that has a
// user, a role and a policy.
func TestMessages(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	trust := trusting("Service", "s3.amazonaws.com")
	f.newRole(accountA, "Role", trust, readBucket)
	f.newUser(accountA, "User", readBucket)
	const mine = "arn:aws:iam::111111111111:policy/mine"
	const missing = "arn:aws:iam::111111111111:policy/missing"
	const issuer = "arn:aws:iam::111111111111:oidc-provider/i.example.com"
	for _, name := range []string{"Group", "Group2"} {
		f.must(root, "CreateGroup", "GroupName", name)
	}
	f.must(root, "CreateUser", "UserName", "User2")
	f.must(root, "CreateInstanceProfile", "InstanceProfileName", "Profile")
	const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
	f.must(root, "CreatePolicy", "PolicyName", "mine", "PolicyDocument", allowAll)
	f.must(root, "AttachRolePolicy", "RoleName", "Role", "PolicyArn", mine)

	bad := func(code, format string, args ...any) answer {
		status := map[string]int{
			"NoSuchEntity": 404, "EntityAlreadyExists": 409, "DeleteConflict": 409, "LimitExceeded": 409, "AccessDenied": 403,
		}[code]
		if status == 0 {
			status = 400
		}
		return answer{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
	}
	const one = "1 validation error detected: "
	long := strings.Repeat("x", 65)
	big := func(n int) string {
		return strings.Replace(readBucket, "b/*", strings.Repeat("k", n-len(readBucket)+len("b/*")), 1)
	}
	for _, tc := range []struct {
		want   answer
		action string
		params []string
	}{
		// I16
		{bad("NoSuchEntity", "The user with name x cannot be found."), "GetUser", []string{"UserName", "x"}},
		{bad("NoSuchEntity", "The role with name x cannot be found."), "DeleteRole", []string{"RoleName", "x"}},
		{bad("NoSuchEntity", "The role policy with name x cannot be found."), "GetRolePolicy", []string{"RoleName", "Role", "PolicyName", "x"}},
		{bad("NoSuchEntity", "The user policy with name x cannot be found."), "DeleteUserPolicy", []string{"UserName", "User", "PolicyName", "x"}},
		{bad("NoSuchEntity", "Policy %s was not found.", missing), "GetPolicy", []string{"PolicyArn", missing}},
		{bad("NoSuchEntity", "Policy %s was not found.", missing), "DeletePolicy", []string{"PolicyArn", missing}},
		{bad("NoSuchEntity", "Policy %s was not found.", admin), "DetachRolePolicy", []string{"RoleName", "Role", "PolicyArn", admin}},
		{bad("NoSuchEntity", "Policy %s does not exist or is not attachable.", missing), "AttachRolePolicy", []string{"RoleName", "Role", "PolicyArn", missing}},
		{bad("NoSuchEntity", "Policy %s version v9 does not exist or is not attachable.", mine), "GetPolicyVersion", []string{"PolicyArn", mine, "VersionId", "v9"}},
		{bad("NoSuchEntity", "The Access Key with id AKIAXXXXXXXXXXXXXXXX cannot be found"), "DeleteAccessKey", []string{"UserName", "User", "AccessKeyId", "AKIAXXXXXXXXXXXXXXXX"}},
		{bad("NoSuchEntity", "User User does not have a permissions boundary."), "DeleteUserPermissionsBoundary", []string{"UserName", "User"}},
		{bad("NoSuchEntity", "Scope ARN: %s does not exist or is not attachable.", missing), "PutRolePermissionsBoundary", []string{"RoleName", "Role", "PermissionsBoundary", missing}},
		{bad("NoSuchEntity", "Login Profile for User User cannot be found."), "GetLoginProfile", []string{"UserName", "User"}},
		{bad("NoSuchEntity", "The group with name x cannot be found."), "GetGroup", []string{"GroupName", "x"}},
		{bad("NoSuchEntity", "The group with name x cannot be found."), "AddUserToGroup", []string{"GroupName", "x", "UserName", "User"}},
		{bad("NoSuchEntity", "The user with name x cannot be found."), "AddUserToGroup", []string{"GroupName", "Group", "UserName", "x"}},
		{bad("NoSuchEntity", "The user with name x cannot be found."), "RemoveUserFromGroup", []string{"GroupName", "Group", "UserName", "x"}},
		{bad("NoSuchEntity", "The group policy with name x cannot be found."), "GetGroupPolicy", []string{"GroupName", "Group", "PolicyName", "x"}},
		{bad("NoSuchEntity", "The group policy with name x cannot be found."), "DeleteGroupPolicy", []string{"GroupName", "Group", "PolicyName", "x"}},
		{bad("NoSuchEntity", "Policy %s was not found.", admin), "DetachGroupPolicy", []string{"GroupName", "Group", "PolicyArn", admin}},
		{bad("NoSuchEntity", "Policy %s does not exist or is not attachable.", missing), "AttachGroupPolicy", []string{"GroupName", "Group", "PolicyArn", missing}},
		{bad("NoSuchEntity", "Instance Profile x cannot be found."), "DeleteInstanceProfile", []string{"InstanceProfileName", "x"}},
		{bad("NoSuchEntity", "Instance Profile x cannot be found."), "AddRoleToInstanceProfile", []string{"InstanceProfileName", "x", "RoleName", "Role"}},
		{bad("NoSuchEntity", "The role with name x cannot be found."), "AddRoleToInstanceProfile", []string{"InstanceProfileName", "Profile", "RoleName", "x"}},
		{bad("NoSuchEntity", "The role with name x cannot be found."), "ListInstanceProfilesForRole", []string{"RoleName", "x"}},
		{bad("NoSuchEntity", "The account alias with name acme cannot be found."), "DeleteAccountAlias", []string{"AccountAlias", "acme"}},
		{bad("NoSuchEntity", "The Access Key with id AKIAXXXXXXXXXXXXXXXX cannot be found"), "GetAccessKeyLastUsed", []string{"AccessKeyId", "AKIAXXXXXXXXXXXXXXXX"}},
		{bad("NoSuchEntity", "Role Role does not have a permissions boundary."), "DeleteRolePermissionsBoundary", []string{"RoleName", "Role"}},
		{bad("NoSuchEntity", "OpenIDConnect Provider not found for arn %s", issuer), "AddClientIDToOpenIDConnectProvider", []string{"OpenIDConnectProviderArn", issuer, "ClientID", "a"}},
		// I17
		{bad("EntityAlreadyExists", "Group with name GROUP already exists."), "CreateGroup", []string{"GroupName", "GROUP"}},
		{bad("EntityAlreadyExists", "Group with name group2 already exists."), "UpdateGroup", []string{"GroupName", "Group", "NewGroupName", "group2"}},
		{bad("EntityAlreadyExists", "User with name user2 already exists."), "UpdateUser", []string{"UserName", "User", "NewUserName", "user2"}},
		{bad("EntityAlreadyExists", "Instance Profile profile already exists."), "CreateInstanceProfile", []string{"InstanceProfileName", "profile"}},
		{bad("EntityAlreadyExists", "Role with name role already exists."), "CreateRole", []string{"RoleName", "role", "AssumeRolePolicyDocument", trust}},
		{bad("EntityAlreadyExists", "User with name USER already exists."), "CreateUser", []string{"UserName", "USER"}},
		{bad("EntityAlreadyExists", "A policy called mine already exists. Duplicate names are not allowed."), "CreatePolicy", []string{"PolicyName", "mine", "PolicyDocument", allowAll}},
		// I18
		{bad("DeleteConflict", "Cannot delete entity, must detach all policies first."), "DeleteRole", []string{"RoleName", "Role"}},
		{bad("DeleteConflict", "Cannot delete entity, must delete policies first."), "DeleteUser", []string{"UserName", "User"}},
		{bad("DeleteConflict", "Cannot delete a policy attached to entities."), "DeletePolicy", []string{"PolicyArn", mine}},
		{bad("DeleteConflict", "Cannot delete the default version of a policy."), "DeletePolicyVersion", []string{"PolicyArn", mine, "VersionId", "v1"}},
		{bad("AccessDenied", "User: arn:aws:iam::111111111111:root is not authorized to perform: iam:DeletePolicy on resource: policy %s", admin), "DeletePolicy", []string{"PolicyArn", admin}},
		// I19
		{bad("LimitExceeded", "Cannot exceed quota for PolicySize: 6144"), "CreatePolicy", []string{"PolicyName", "big", "PolicyDocument", big(6145)}},
		{bad("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role Role"), "PutRolePolicy", []string{"RoleName", "Role", "PolicyName", "q", "PolicyDocument", big(10240)}},
		{bad("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user User"), "PutUserPolicy", []string{"UserName", "User", "PolicyName", "p", "PolicyDocument", big(2049)}},
		{bad("LimitExceeded", "Maximum policy size of 5120 bytes exceeded for group Group"), "PutGroupPolicy", []string{"GroupName", "Group", "PolicyName", "p", "PolicyDocument", big(5121)}},
		{bad("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"), "UpdateAssumeRolePolicy", []string{"RoleName", "Role", "PolicyDocument", strings.Replace(trust, `"Effect"`, `"Sid":"`+strings.Repeat("s", 2048)+`","Effect"`, 1)}},
		// I20
		{bad("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."), "TagRole", []string{"RoleName", "Role", "Tags.member.1.Key", "a", "Tags.member.1.Value", "1", "Tags.member.2.Key", "A", "Tags.member.2.Value", "2"}},
		{bad("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."), "CreateInstanceProfile", []string{"InstanceProfileName", "q", "Tags.member.1.Key", "a", "Tags.member.1.Value", "1", "Tags.member.2.Key", "A", "Tags.member.2.Value", "2"}},
		{bad("InvalidInput", "Thumbprint list must contain fewer than 5 entries."), "CreateOpenIDConnectProvider", append([]string{"Url", "https://i.example.com"}, members("ThumbprintList", 6)...)},
		{bad("LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"), "CreateOpenIDConnectProvider", append([]string{"Url", "https://i.example.com"}, members("ClientIDList", 101)...)},
		// I13, I14
		{bad("ValidationError", one+"Value at 'groupName' failed to satisfy constraint: Member must not be null"), "CreateGroup", nil},
		{bad("ValidationError", one+"Value at 'groupName' failed to satisfy constraint: Member must have length less than or equal to 128"), "CreateGroup", []string{"GroupName", long + long}},
		{bad("ValidationError", one+"Value at 'newUserName' failed to satisfy constraint: Member must have length less than or equal to 64"), "UpdateUser", []string{"UserName", "User", "NewUserName", long}},
		{bad("ValidationError", "The specified value for groupName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"), "CreateGroup", []string{"GroupName", "a b"}},
		{bad("ValidationError", "The specified value for newUserName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"), "UpdateUser", []string{"UserName", "User", "NewUserName", "a/b"}},
		{bad("ValidationError", one+"Value at 'tagKeys' failed to satisfy constraint: Member must not be null"), "UntagInstanceProfile", []string{"InstanceProfileName", "Profile"}},
		{bad("ValidationError", "Invalid ARN:  Could not be parsed!"), "GetOpenIDConnectProvider", []string{"OpenIDConnectProviderArn", "longer-than-twenty-chars"}},
		{bad("ValidationError", one+"Value at 'roleName' failed to satisfy constraint: Member must not be null"), "DeleteRole", nil},
		{bad("ValidationError", one+"Value at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"), "GetRole", []string{"RoleName", long}},
		{bad("ValidationError", "2 validation errors detected: Value at 'roleName' failed to satisfy constraint: Member must not be null; Value at 'policyName' failed to satisfy constraint: Member must have length greater than or equal to 1"), "GetRolePolicy", []string{"PolicyName", ""}},
		{bad("ValidationError", one+"Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"), "ListUsers", []string{"MaxItems", "1001"}},
		{bad("ValidationError", one+"Value '10' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600"), "UpdateRole", []string{"RoleName", "Role", "MaxSessionDuration", "10"}},
		{bad("MalformedInput", ""), "ListUsers", []string{"MaxItems", "many"}}, // I7
		{bad("ValidationError", one+"Value at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]"), "UpdateAccessKey", []string{"UserName", "User", "AccessKeyId", "AKIAXXXXXXXXXXXXXXXX", "Status", "On"}},
		{bad("ValidationError", one+"Value at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"), "CreateUser", []string{"UserName", "y", "Tags.member.1.Key", long + long, "Tags.member.1.Value", ""}},
		{bad("ValidationError", one+`Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`), "GetPolicyVersion", []string{"PolicyArn", mine, "VersionId", "1"}},
		{bad("MissingParameter", "The request must contain the parameter RoleName."), "GetRole", nil},
		{bad("MissingParameter", "The request must contain the parameter Tags.member.1.Value."), "TagUser", []string{"UserName", "User", "Tags.member.1.Key", "a"}},
		{bad("ValidationError", "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"), "CreateRole", []string{"RoleName", "a b", "AssumeRolePolicyDocument", trust}},
		{bad("ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."), "CreateUser", []string{"UserName", "y", "Path", "x/"}},
		{bad("ValidationError", "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."), "ListRoles", []string{"PathPrefix", "x"}},
		{bad("ValidationError", "The specified value for policyDocument is invalid. It must contain only printable ASCII characters."), "PutRolePolicy", []string{"RoleName", "Role", "PolicyName", "p", "PolicyDocument", "{ \u2192 }"}},
		{bad("ValidationError", "The specified value for accessKeyId is invalid. It must contain only alphanumeric characters."), "DeleteAccessKey", []string{"UserName", "User", "AccessKeyId", "AKIA-XXXXXXXXXXXXXXX"}},
		{bad("ValidationError", "Invalid Marker."), "ListUsers", []string{"Marker", "%%%"}},
		// I15
		{bad("ValidationError", "Invalid ARN:  Could not be parsed!"), "AttachUserPolicy", []string{"UserName", "User", "PolicyArn", "longer-than-twenty-chars"}},
		{bad("ValidationError", "Invalid resource type in ARN"), "AttachUserPolicy", []string{"UserName", "User", "PolicyArn", "arn:aws:iam::111111111111:role/Role"}},
		// I37
		{bad("ValidationError", "Must specify userName when calling with non-User credentials"), "CreateAccessKey", nil},
		// Existence comes before grammar (I14).
		{bad("NoSuchEntity", "The role with name x cannot be found."), "PutRolePolicy", []string{"RoleName", "x", "PolicyName", "p", "PolicyDocument", "{"}},
		{bad("MalformedPolicyDocument", "Syntax errors in policy."), "PutRolePolicy", []string{"RoleName", "Role", "PolicyName", "p", "PolicyDocument", "{"}},
		{bad("MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater."), "CreatePolicyVersion", []string{"PolicyArn", mine, "PolicyDocument", strings.Replace(allowAll, "2012-10-17", "2008-10-17", 1)}},
		{bad("MalformedPolicyDocument", "This policy contains invalid Json"), "CreateRole", []string{"RoleName", "y", "AssumeRolePolicyDocument", "{,}"}},
		// I24
		{bad("MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:role/nobody"`), "CreateRole", []string{"RoleName", "y", "AssumeRolePolicyDocument", trusting("AWS", "arn:aws:iam::111111111111:role/nobody")}},
		{bad("MalformedPolicyDocument", `Invalid principal in policy: "SERVICE":"foo.amazonaws.com"`), "UpdateAssumeRolePolicy", []string{"RoleName", "Role", "PolicyDocument", trusting("Service", "foo.amazonaws.com")}},
		// Requests that name no operation (I6).
		{bad("InvalidAction", "Could not find operation Fly for version 2010-05-08"), "Fly", nil},
		{bad("InvalidAction", "Could not find operation GetUser for version 2011-06-15"), "GetUser", []string{"Version", "2011-06-15"}},
		{bad("MissingAction", "The request must contain the parameter Action."), "GetUser", []string{"Action", ""}},
	} {
		f.refused(tc.want, root, tc.action, tc.params...)
	}
}

// members are n values of a list parameter.
func members(name string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s.member.%d", name, i+1), strings.Repeat("a", 40))
	}
	return out
}

// Quotas that take several calls to reach (I19).
func TestQuotas(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	f.newUser(accountA, "u", "")
	f.must(root, "CreateAccessKey", "UserName", "u")
	f.refused(answer{Status: 409, Code: "LimitExceeded", Message: "Cannot exceed quota for AccessKeysPerUser: 2"}, root, "CreateAccessKey", "UserName", "u")
	f.refused(answer{Status: 409, Code: "DeleteConflict", Message: "Cannot delete entity, must delete access keys first."}, root, "DeleteUser", "UserName", "u")

	arns := make([]string, 11)
	for i := range arns {
		name := fmt.Sprintf("p%d", i)
		arns[i] = "arn:aws:iam::" + accountA + ":policy/" + name
		f.must(root, "CreatePolicy", "PolicyName", name, "PolicyDocument", allowAll)
		if i < 10 {
			f.must(root, "AttachUserPolicy", "UserName", "u", "PolicyArn", arns[i])
		}
	}
	f.must(root, "AttachUserPolicy", "UserName", "u", "PolicyArn", arns[0]) // attached already
	f.refused(answer{Status: 409, Code: "LimitExceeded", Message: "Cannot exceed quota for PoliciesPerUser: 10"}, root, "AttachUserPolicy", "UserName", "u", "PolicyArn", arns[10])

	for range 4 {
		f.must(root, "CreatePolicyVersion", "PolicyArn", arns[10], "PolicyDocument", allowAll)
	}
	f.refused(answer{Status: 409, Code: "LimitExceeded", Message: "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."},
		root, "CreatePolicyVersion", "PolicyArn", arns[10], "PolicyDocument", allowAll)
	f.refused(answer{Status: 409, Code: "DeleteConflict", Message: "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."},
		root, "DeletePolicy", "PolicyArn", arns[10])

	for i := range 50 {
		f.must(root, "TagUser", "UserName", "u", "Tags.member.1.Key", fmt.Sprint(i), "Tags.member.1.Value", "")
	}
	f.refused(answer{Status: 409, Code: "LimitExceeded", Message: "The number of tags has reached the maximum limit."}, root, "TagUser", "UserName", "u", "Tags.member.1.Key", "x", "Tags.member.1.Value", "")
}

// What an account and a user may have at most (I51). The things are put in place by
// changes of many, because 5000 calls take their time.
func TestAccountQuotas(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	put := func(n int, add func(*change, int)) {
		t.Helper()
		const batch = 90
		for from := 0; from < n; from += batch {
			err := f.change(t.Context(), func(ch *change) error {
				for i := from; i < min(from+batch, n); i++ {
					add(ch, i)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, kind := range []entityKind{userKind, groupKind, roleKind} {
		put(kind.mostOf(), func(ch *change, i int) {
			ch.putEntity(&entity{Kind: kind, Account: accountA, Path: "/", Name: fmt.Sprintf("n%d", i), ID: fmt.Sprintf("%s%d", kind, i)})
		})
	}
	put(maxPolicies, func(ch *change, i int) {
		ch.putPolicy(&managedPolicy{Account: accountA, Path: "/", Name: fmt.Sprintf("n%d", i), Default: "v1", Versions: []policyVersion{{ID: "v1", Text: allowAll}}})
	})
	put(maxInstanceProfiles, func(ch *change, i int) {
		ch.putProfile(&instanceProfile{Account: accountA, Path: "/", Name: fmt.Sprintf("n%d", i)})
	})
	put(maxIssuers, func(ch *change, i int) {
		ch.putIssuer(&oidcProvider{Account: accountA, URL: fmt.Sprintf("n%d", i)})
	})
	for _, tc := range []struct {
		quota  string
		action string
		params []string
	}{
		{"UsersPerAccount: 5000", "CreateUser", []string{"UserName", "x"}},
		{"GroupsPerAccount: 300", "CreateGroup", []string{"GroupName", "x"}},
		{"RolesPerAccount: 1000", "CreateRole", []string{"RoleName", "x", "AssumeRolePolicyDocument", trusting("Service", "s3.amazonaws.com")}},
		{"RolesPerAccount: 1000", "CreateServiceLinkedRole", []string{"AWSServiceName", "batch.amazonaws.com"}},
		{"PoliciesPerAccount: 1500", "CreatePolicy", []string{"PolicyName", "x", "PolicyDocument", allowAll}},
		{"InstanceProfilesPerAccount: 1000", "CreateInstanceProfile", []string{"InstanceProfileName", "x"}},
		{"OpenIdConnectProvidersPerAccount: 100", "CreateOpenIDConnectProvider", []string{"Url", "https://x"}},
	} {
		f.refused(answer{Status: 409, Code: "LimitExceeded", Message: "Cannot exceed quota for " + tc.quota}, root, tc.action, tc.params...)
		f.must(rootOf(accountB), tc.action, tc.params...) // another account is not full
	}
	for i := range maxGroupsPerUser {
		f.must(root, "AddUserToGroup", "UserName", "n0", "GroupName", fmt.Sprintf("n%d", i))
	}
	f.refused(answer{Status: 409, Code: "LimitExceeded", Message: "Cannot exceed quota for GroupsPerUser: 10"}, root, "AddUserToGroup", "UserName", "n0", "GroupName", "n10")
	for i := range maxAttached {
		f.must(root, "AttachGroupPolicy", "GroupName", "n0", "PolicyArn", fmt.Sprintf("arn:aws:iam::111111111111:policy/n%d", i))
	}
	f.refused(answer{Status: 409, Code: "LimitExceeded", Message: "Cannot exceed quota for PoliciesPerGroup: 10"}, root, "AttachGroupPolicy", "GroupName", "n0", "PolicyArn", "arn:aws:iam::111111111111:policy/n10")
}
