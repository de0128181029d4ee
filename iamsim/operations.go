package iamsim

import (
	"cmp"
	"slices"
)

// operation is one row of the operation table.
type operation struct {
	service string // "iam" or "sts"
	name    string
	// target is what the row's action is authorized on, before the handler runs.
	target func(*image, *call) target
	// own: the handler authorizes, or nothing needs to be allowed.
	own bool
	// unsigned: the call is taken without a signature, because it carries a proof of its own.
	unsigned bool
	// handler is nil for operations that are refused. Its result becomes the response's
	// …Result element; nil means the response has none.
	handler func(*Service, *call) (any, error)
}

// action is the IAM action of the row.
func (o *operation) action() string { return o.service + ":" + o.name }

// Operation is a row of the support table.
type Operation struct {
	Service   string // "iam" or "sts"
	Name      string
	Action    string // IAM action
	Supported bool   // false: answered with 501
}

// Operations lists every operation of IAM and STS by service and name.
func Operations() []Operation {
	var out []Operation
	for _, o := range operationTable() {
		out = append(out, Operation{o.service, o.name, o.action(), o.handler != nil})
	}
	slices.SortFunc(out, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// operationTable is every operation, by "service:name".
func operationTable() map[string]*operation {
	table := make(map[string]*operation)
	for _, rows := range [...][]operation{userRows(), groupRows(), roleRows(), profileRows(), policyRows(), issuerRows(), accountRows(), stsRows(), simulatorRows(), refusedRows()} {
		for _, o := range rows {
			if table[o.action()] != nil {
				panic("iamsim: operation " + o.action() + " stands twice in the table")
			}
			table[o.action()] = &o
		}
	}
	return table
}

func userRows() []operation {
	return []operation{
		{service: "iam", name: "CreateUser", target: newEntityTarget(userKind), handler: createUser},
		{service: "iam", name: "GetUser", target: userTarget, handler: getUser},
		{service: "iam", name: "UpdateUser", target: userTarget, handler: updateEntity(userKind)},
		{service: "iam", name: "DeleteUser", target: userTarget, handler: deleteUser},
		{service: "iam", name: "ListUsers", target: listTarget("user/"), handler: listUsers},
		{service: "iam", name: "TagUser", target: userTarget, handler: tagResource(taggedEntity(userKind))},
		{service: "iam", name: "UntagUser", target: userTarget, handler: untagResource(taggedEntity(userKind))},
		{service: "iam", name: "ListUserTags", target: userTarget, handler: listResourceTags(taggedEntity(userKind))},

		{service: "iam", name: "CreateAccessKey", target: userTarget, handler: createAccessKey},
		{service: "iam", name: "UpdateAccessKey", target: userTarget, handler: updateAccessKey},
		{service: "iam", name: "DeleteAccessKey", target: userTarget, handler: deleteAccessKey},
		{service: "iam", name: "ListAccessKeys", target: userTarget, handler: listAccessKeys},
		{service: "iam", name: "GetAccessKeyLastUsed", target: keyOwnerTarget, handler: getAccessKeyLastUsed},

		{service: "iam", name: "PutUserPolicy", target: userTarget, handler: putInlinePolicy(userKind)},
		{service: "iam", name: "GetUserPolicy", target: userTarget, handler: getInlinePolicy(userKind)},
		{service: "iam", name: "DeleteUserPolicy", target: userTarget, handler: deleteInlinePolicy(userKind)},
		{service: "iam", name: "ListUserPolicies", target: userTarget, handler: listInlinePolicies(userKind)},
		{service: "iam", name: "AttachUserPolicy", target: userTarget, handler: attachPolicy(userKind)},
		{service: "iam", name: "DetachUserPolicy", target: userTarget, handler: detachPolicy(userKind)},
		{service: "iam", name: "ListAttachedUserPolicies", target: userTarget, handler: listAttachedPolicies(userKind)},
		{service: "iam", name: "PutUserPermissionsBoundary", target: userTarget, handler: putBoundary(userKind)},
		{service: "iam", name: "DeleteUserPermissionsBoundary", target: userTarget, handler: deleteBoundary(userKind)},
	}
}

func groupRows() []operation {
	return []operation{
		{service: "iam", name: "CreateGroup", target: newEntityTarget(groupKind), handler: createGroup},
		{service: "iam", name: "GetGroup", target: groupTarget, handler: getGroup},
		{service: "iam", name: "UpdateGroup", target: groupTarget, handler: updateEntity(groupKind)},
		{service: "iam", name: "DeleteGroup", target: groupTarget, handler: deleteGroup},
		{service: "iam", name: "ListGroups", target: listTarget("group/"), handler: listGroups},
		{service: "iam", name: "AddUserToGroup", target: groupTarget, handler: addUserToGroup},
		{service: "iam", name: "RemoveUserFromGroup", target: groupTarget, handler: removeUserFromGroup},
		{service: "iam", name: "ListGroupsForUser", target: userTarget, handler: listGroupsForUser},

		{service: "iam", name: "PutGroupPolicy", target: groupTarget, handler: putInlinePolicy(groupKind)},
		{service: "iam", name: "GetGroupPolicy", target: groupTarget, handler: getInlinePolicy(groupKind)},
		{service: "iam", name: "DeleteGroupPolicy", target: groupTarget, handler: deleteInlinePolicy(groupKind)},
		{service: "iam", name: "ListGroupPolicies", target: groupTarget, handler: listInlinePolicies(groupKind)},
		{service: "iam", name: "AttachGroupPolicy", target: groupTarget, handler: attachPolicy(groupKind)},
		{service: "iam", name: "DetachGroupPolicy", target: groupTarget, handler: detachPolicy(groupKind)},
		{service: "iam", name: "ListAttachedGroupPolicies", target: groupTarget, handler: listAttachedPolicies(groupKind)},
	}
}

func roleRows() []operation {
	return []operation{
		{service: "iam", name: "CreateRole", target: newEntityTarget(roleKind), handler: createRole},
		{service: "iam", name: "GetRole", target: roleTarget, handler: getRole},
		{service: "iam", name: "UpdateRole", target: roleTarget, handler: updateRole},
		{service: "iam", name: "UpdateRoleDescription", target: roleTarget, handler: updateRoleDescription},
		{service: "iam", name: "UpdateAssumeRolePolicy", target: roleTarget, handler: updateAssumeRolePolicy},
		{service: "iam", name: "DeleteRole", target: roleTarget, handler: deleteRole},
		{service: "iam", name: "ListRoles", target: listTarget("role/"), handler: listRoles},
		{service: "iam", name: "TagRole", target: roleTarget, handler: tagResource(taggedEntity(roleKind))},
		{service: "iam", name: "UntagRole", target: roleTarget, handler: untagResource(taggedEntity(roleKind))},
		{service: "iam", name: "ListRoleTags", target: roleTarget, handler: listResourceTags(taggedEntity(roleKind))},

		{service: "iam", name: "PutRolePolicy", target: roleTarget, handler: putInlinePolicy(roleKind)},
		{service: "iam", name: "GetRolePolicy", target: roleTarget, handler: getInlinePolicy(roleKind)},
		{service: "iam", name: "DeleteRolePolicy", target: roleTarget, handler: deleteInlinePolicy(roleKind)},
		{service: "iam", name: "ListRolePolicies", target: roleTarget, handler: listInlinePolicies(roleKind)},
		{service: "iam", name: "AttachRolePolicy", target: roleTarget, handler: attachPolicy(roleKind)},
		{service: "iam", name: "DetachRolePolicy", target: roleTarget, handler: detachPolicy(roleKind)},
		{service: "iam", name: "ListAttachedRolePolicies", target: roleTarget, handler: listAttachedPolicies(roleKind)},
		{service: "iam", name: "PutRolePermissionsBoundary", target: roleTarget, handler: putBoundary(roleKind)},
		{service: "iam", name: "DeleteRolePermissionsBoundary", target: roleTarget, handler: deleteBoundary(roleKind)},

		{service: "iam", name: "CreateServiceLinkedRole", target: newLinkedRoleTarget, handler: createServiceLinkedRole},
		{service: "iam", name: "DeleteServiceLinkedRole", target: roleTarget, handler: deleteServiceLinkedRole},
		{service: "iam", name: "GetServiceLinkedRoleDeletionStatus", target: taskTarget, handler: getServiceLinkedRoleDeletionStatus},
	}
}

func profileRows() []operation {
	return []operation{
		{service: "iam", name: "CreateInstanceProfile", target: newProfileTarget, handler: createInstanceProfile},
		{service: "iam", name: "GetInstanceProfile", target: profileTarget, handler: getInstanceProfile},
		{service: "iam", name: "DeleteInstanceProfile", target: profileTarget, handler: deleteInstanceProfile},
		{service: "iam", name: "ListInstanceProfiles", target: listTarget("instance-profile/"), handler: listInstanceProfiles},
		{service: "iam", name: "ListInstanceProfilesForRole", target: roleTarget, handler: listInstanceProfilesForRole},
		{service: "iam", name: "AddRoleToInstanceProfile", target: profileTarget, handler: addRoleToInstanceProfile},
		{service: "iam", name: "RemoveRoleFromInstanceProfile", target: profileTarget, handler: removeRoleFromInstanceProfile},
		{service: "iam", name: "TagInstanceProfile", target: profileTarget, handler: tagResource(taggedProfile())},
		{service: "iam", name: "UntagInstanceProfile", target: profileTarget, handler: untagResource(taggedProfile())},
		{service: "iam", name: "ListInstanceProfileTags", target: profileTarget, handler: listResourceTags(taggedProfile())},
	}
}

func policyRows() []operation {
	return []operation{
		{service: "iam", name: "CreatePolicy", target: newPolicyTarget, handler: createPolicy},
		{service: "iam", name: "GetPolicy", target: policyTarget, handler: getPolicy},
		{service: "iam", name: "DeletePolicy", target: policyTarget, handler: deletePolicy},
		{service: "iam", name: "ListPolicies", target: listPoliciesTarget, handler: listPolicies},
		{service: "iam", name: "ListEntitiesForPolicy", target: policyTarget, handler: listEntitiesForPolicy},
		{service: "iam", name: "CreatePolicyVersion", target: policyTarget, handler: createPolicyVersion},
		{service: "iam", name: "GetPolicyVersion", target: policyTarget, handler: getPolicyVersion},
		{service: "iam", name: "ListPolicyVersions", target: policyTarget, handler: listPolicyVersions},
		{service: "iam", name: "SetDefaultPolicyVersion", target: policyTarget, handler: setDefaultPolicyVersion},
		{service: "iam", name: "DeletePolicyVersion", target: policyTarget, handler: deletePolicyVersion},
		{service: "iam", name: "TagPolicy", target: tagPolicyTarget, handler: tagResource(taggedPolicy())},
		{service: "iam", name: "UntagPolicy", target: policyTarget, handler: untagResource(taggedPolicy())},
		{service: "iam", name: "ListPolicyTags", target: policyTarget, handler: listResourceTags(taggedPolicy())},
	}
}

// issuerRows are about OpenID Connect providers.
func issuerRows() []operation {
	return []operation{
		{service: "iam", name: "CreateOpenIDConnectProvider", target: newIssuerTarget, handler: createIssuer},
		{service: "iam", name: "GetOpenIDConnectProvider", target: issuerTarget, handler: getIssuer},
		{service: "iam", name: "ListOpenIDConnectProviders", target: listTarget("oidc-provider/*"), handler: listIssuers},
		{service: "iam", name: "DeleteOpenIDConnectProvider", target: issuerTarget, handler: deleteIssuer},
		{service: "iam", name: "AddClientIDToOpenIDConnectProvider", target: issuerTarget, handler: addClientID},
		{service: "iam", name: "RemoveClientIDFromOpenIDConnectProvider", target: issuerTarget, handler: removeClientID},
		{service: "iam", name: "UpdateOpenIDConnectProviderThumbprint", target: issuerTarget, handler: updateThumbprints},
		{service: "iam", name: "TagOpenIDConnectProvider", target: issuerTarget, handler: tagResource(taggedIssuer())},
		{service: "iam", name: "UntagOpenIDConnectProvider", target: issuerTarget, handler: untagResource(taggedIssuer())},
		{service: "iam", name: "ListOpenIDConnectProviderTags", target: issuerTarget, handler: listResourceTags(taggedIssuer())},
	}
}

// accountRows are about the account as a whole, and about what can't exist in it here (I45).
func accountRows() []operation {
	return []operation{
		{service: "iam", name: "CreateAccountAlias", target: anyTarget, handler: createAccountAlias},
		{service: "iam", name: "ListAccountAliases", target: anyTarget, handler: listAccountAliases},
		{service: "iam", name: "DeleteAccountAlias", target: anyTarget, handler: deleteAccountAlias},
		{service: "iam", name: "GetAccountSummary", target: anyTarget, handler: getAccountSummary},
		{service: "iam", name: "GetAccountAuthorizationDetails", target: anyTarget, handler: getAccountAuthorizationDetails},
		{service: "iam", name: "GetAccountPasswordPolicy", target: anyTarget, handler: getAccountPasswordPolicy},

		{service: "iam", name: "GetLoginProfile", target: userTarget, handler: noLoginProfile},
		{service: "iam", name: "DeleteLoginProfile", target: userTarget, handler: noLoginProfile},
		{service: "iam", name: "ListMFADevices", target: userTarget, handler: listNoneOf(&noMFADevices{MFADevices: []string{}})},
		{service: "iam", name: "ListSSHPublicKeys", target: userTarget, handler: listNoneOf(&noSSHPublicKeys{SSHPublicKeys: []string{}})},
		{service: "iam", name: "ListSigningCertificates", target: userTarget, handler: listNoneOf(&noCertificates{Certificates: []string{}})},
		{service: "iam", name: "ListServiceSpecificCredentials", target: userTarget, handler: listNoneOf(&noServiceCredentials{ServiceSpecificCredentials: []string{}})},
		{service: "iam", name: "ListVirtualMFADevices", target: listTarget("mfa/"), handler: listNone(&noVirtualMFADevices{VirtualMFADevices: []string{}})},
		{service: "iam", name: "ListServerCertificates", target: listTarget("server-certificate/"), handler: listNone(&noServerCertificates{ServerCertificateMetadataList: []string{}})},
		{service: "iam", name: "ListSAMLProviders", target: listTarget("saml-provider/*"), handler: listNone(&noSAMLProviders{SAMLProviderList: []string{}})},
	}
}

func stsRows() []operation {
	return []operation{
		{service: "sts", name: "GetCallerIdentity", own: true, handler: getCallerIdentity},
		{service: "sts", name: "AssumeRole", own: true, handler: assumeRole},
		{service: "sts", name: "GetSessionToken", own: true, handler: getSessionToken},
		{service: "sts", name: "GetFederationToken", target: federatedTarget, handler: getFederationToken},
		{service: "sts", name: "GetAccessKeyInfo", target: anyTarget, handler: getAccessKeyInfo},
		{service: "sts", name: "AssumeRoleWithWebIdentity", own: true, unsigned: true, handler: assumeRoleWithWebIdentity},
		{service: "sts", name: "DecodeAuthorizationMessage", target: anyTarget, handler: decodeAuthorizationMessage},
	}
}

func simulatorRows() []operation {
	return []operation{
		{service: "iam", name: "SimulatePrincipalPolicy", target: simulatedTarget, handler: simulatePrincipalPolicy},
		{service: "iam", name: "SimulateCustomPolicy", target: anyTarget, handler: simulateCustomPolicy},
		{service: "iam", name: "GetContextKeysForPrincipalPolicy", target: simulatedTarget, handler: getContextKeysForPrincipalPolicy},
		{service: "iam", name: "GetContextKeysForCustomPolicy", target: anyTarget, handler: getContextKeysForCustomPolicy},
	}
}
