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
	// unsigned: AWS takes this call without a signature. Only refused operations are.
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
	for _, rows := range [...][]operation{userRows(), roleRows(), policyRows(), emptyRows(), stsRows(), refusedRows()} {
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
		{service: "iam", name: "UpdateUser", target: userTarget, handler: updateUser},
		{service: "iam", name: "DeleteUser", target: userTarget, handler: deleteUser},
		{service: "iam", name: "ListUsers", target: listTarget("user/"), handler: listUsers},
		{service: "iam", name: "TagUser", target: userTarget, handler: tagEntity(userKind)},
		{service: "iam", name: "UntagUser", target: userTarget, handler: untagEntity(userKind)},
		{service: "iam", name: "ListUserTags", target: userTarget, handler: listEntityTags(userKind)},

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

func roleRows() []operation {
	return []operation{
		{service: "iam", name: "CreateRole", target: newEntityTarget(roleKind), handler: createRole},
		{service: "iam", name: "GetRole", target: roleTarget, handler: getRole},
		{service: "iam", name: "UpdateRole", target: roleTarget, handler: updateRole},
		{service: "iam", name: "UpdateRoleDescription", target: roleTarget, handler: updateRoleDescription},
		{service: "iam", name: "UpdateAssumeRolePolicy", target: roleTarget, handler: updateAssumeRolePolicy},
		{service: "iam", name: "DeleteRole", target: roleTarget, handler: deleteRole},
		{service: "iam", name: "ListRoles", target: listTarget("role/"), handler: listRoles},
		{service: "iam", name: "TagRole", target: roleTarget, handler: tagEntity(roleKind)},
		{service: "iam", name: "UntagRole", target: roleTarget, handler: untagEntity(roleKind)},
		{service: "iam", name: "ListRoleTags", target: roleTarget, handler: listEntityTags(roleKind)},

		{service: "iam", name: "PutRolePolicy", target: roleTarget, handler: putInlinePolicy(roleKind)},
		{service: "iam", name: "GetRolePolicy", target: roleTarget, handler: getInlinePolicy(roleKind)},
		{service: "iam", name: "DeleteRolePolicy", target: roleTarget, handler: deleteInlinePolicy(roleKind)},
		{service: "iam", name: "ListRolePolicies", target: roleTarget, handler: listInlinePolicies(roleKind)},
		{service: "iam", name: "AttachRolePolicy", target: roleTarget, handler: attachPolicy(roleKind)},
		{service: "iam", name: "DetachRolePolicy", target: roleTarget, handler: detachPolicy(roleKind)},
		{service: "iam", name: "ListAttachedRolePolicies", target: roleTarget, handler: listAttachedPolicies(roleKind)},
		{service: "iam", name: "PutRolePermissionsBoundary", target: roleTarget, handler: putBoundary(roleKind)},
		{service: "iam", name: "DeleteRolePermissionsBoundary", target: roleTarget, handler: deleteBoundary(roleKind)},
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
		{service: "iam", name: "TagPolicy", target: tagPolicyTarget, handler: tagPolicy},
		{service: "iam", name: "UntagPolicy", target: policyTarget, handler: untagPolicy},
		{service: "iam", name: "ListPolicyTags", target: policyTarget, handler: listPolicyTags},
	}
}

// emptyRows list things that can't exist here, because what makes them is refused (I45).
func emptyRows() []operation {
	return []operation{
		{service: "iam", name: "ListGroupsForUser", target: userTarget, handler: listNothing(userKind, &noGroups{Groups: []string{}})},
		{service: "iam", name: "ListInstanceProfilesForRole", target: roleTarget, handler: listNothing(roleKind, &noInstanceProfiles{InstanceProfiles: []string{}})},
		{service: "iam", name: "ListMFADevices", target: userTarget, handler: listNothing(userKind, &noMFADevices{MFADevices: []string{}})},
		{service: "iam", name: "ListSSHPublicKeys", target: userTarget, handler: listNothing(userKind, &noSSHPublicKeys{SSHPublicKeys: []string{}})},
		{service: "iam", name: "ListSigningCertificates", target: userTarget, handler: listNothing(userKind, &noCertificates{Certificates: []string{}})},
		{service: "iam", name: "ListServiceSpecificCredentials", target: userTarget, handler: listNothing(userKind, &noServiceCredentials{ServiceSpecificCredentials: []string{}})},
		{service: "iam", name: "GetLoginProfile", target: userTarget, handler: getLoginProfile},
	}
}

func stsRows() []operation {
	return []operation{
		{service: "sts", name: "GetCallerIdentity", own: true, handler: getCallerIdentity},
		{service: "sts", name: "AssumeRole", own: true, handler: assumeRole},
		{service: "sts", name: "GetSessionToken", own: true, handler: getSessionToken},
		{service: "sts", name: "GetFederationToken", target: federatedTarget, handler: getFederationToken},
		{service: "sts", name: "GetAccessKeyInfo", target: anyTarget, handler: getAccessKeyInfo},
	}
}
