package iamsim

// refusedRows are the operations that are answered with 501 (I47).
func refusedRows() []operation {
	rows := []operation{
		// AWS takes these two without a signature: their token is the proof.
		{service: "sts", name: "AssumeRoleWithSAML", unsigned: true},
		{service: "sts", name: "AssumeRoleWithWebIdentity", unsigned: true},
	}
	for _, name := range refusedSTS() {
		rows = append(rows, operation{service: "sts", name: name})
	}
	for _, name := range refusedIAM() {
		rows = append(rows, operation{service: "iam", name: name})
	}
	return rows
}

func refusedSTS() []string {
	return []string{
		"AssumeRoot", "DecodeAuthorizationMessage", "GetDelegatedAccessToken",
		"GetWebIdentityToken",
	}
}

func refusedIAM() []string {
	return []string{
		"AcceptDelegationRequest", "AcquireRole", "AddClientIDToOpenIDConnectProvider",
		"AddRoleToInstanceProfile", "AddUserToGroup", "AssociateDelegationRequest",
		"AttachGroupPolicy", "ChangePassword", "CreateAccountAlias",
		"CreateDelegationRequest", "CreateGroup", "CreateInstanceProfile",
		"CreateLoginProfile", "CreateOpenIDConnectProvider", "CreateSAMLProvider",
		"CreateServiceLinkedRole", "CreateServiceSpecificCredential", "CreateVirtualMFADevice",
		"DeactivateMFADevice", "DeleteAccountAlias", "DeleteAccountPasswordPolicy",
		"DeleteGroup", "DeleteGroupPolicy", "DeleteInstanceProfile",
		"DeleteLoginProfile", "DeleteOpenIDConnectProvider", "DeleteSAMLProvider",
		"DeleteSSHPublicKey", "DeleteServerCertificate", "DeleteServiceLinkedRole",
		"DeleteServiceSpecificCredential", "DeleteSigningCertificate", "DeleteVirtualMFADevice",
		"DetachGroupPolicy", "DisableOrganizationsRootCredentialsManagement", "DisableOrganizationsRootSessions",
		"DisableOutboundWebIdentityFederation", "EnableMFADevice", "EnableOrganizationsRootCredentialsManagement",
		"EnableOrganizationsRootSessions", "EnableOutboundWebIdentityFederation", "GenerateCredentialReport",
		"GenerateOrganizationsAccessReport", "GenerateServiceLastAccessedDetails", "GetAccountAuthorizationDetails",
		"GetAccountPasswordPolicy", "GetAccountProperties", "GetAccountSummary",
		"GetContextKeysForCustomPolicy", "GetContextKeysForPrincipalPolicy", "GetCredentialReport",
		"GetDelegationRequest", "GetGroup", "GetGroupPolicy",
		"GetHumanReadableSummary", "GetInstanceProfile", "GetMFADevice",
		"GetOpenIDConnectProvider", "GetOrganizationsAccessReport", "GetOutboundWebIdentityFederationInfo",
		"GetRoleTemplateVersion", "GetSAMLProvider", "GetSSHPublicKey",
		"GetServerCertificate", "GetServiceLastAccessedDetails", "GetServiceLastAccessedDetailsWithEntities",
		"GetServiceLinkedRoleDeletionStatus", "ListAccountAliases", "ListAttachedGroupPolicies",
		"ListDelegationRequests", "ListGroupPolicies", "ListGroups",
		"ListInstanceProfileTags", "ListInstanceProfiles", "ListMFADeviceTags",
		"ListOpenIDConnectProviderTags", "ListOpenIDConnectProviders", "ListOrganizationsFeatures",
		"ListPoliciesGrantingServiceAccess", "ListSAMLProviderTags", "ListSAMLProviders",
		"ListServerCertificateTags", "ListServerCertificates", "ListVirtualMFADevices",
		"PutAccountProperties", "PutGroupPolicy", "RejectDelegationRequest",
		"RemoveClientIDFromOpenIDConnectProvider", "RemoveRoleFromInstanceProfile", "RemoveUserFromGroup",
		"ResetServiceSpecificCredential", "ResyncMFADevice", "SendDelegationToken",
		"SetSecurityTokenServicePreferences", "SimulateCustomPolicy", "SimulatePrincipalPolicy",
		"TagInstanceProfile", "TagMFADevice", "TagOpenIDConnectProvider",
		"TagSAMLProvider", "TagServerCertificate", "UntagInstanceProfile",
		"UntagMFADevice", "UntagOpenIDConnectProvider", "UntagSAMLProvider",
		"UntagServerCertificate", "UpdateAccountPasswordPolicy", "UpdateDelegationRequest",
		"UpdateGroup", "UpdateLoginProfile", "UpdateOpenIDConnectProviderThumbprint",
		"UpdateSAMLProvider", "UpdateSSHPublicKey", "UpdateServerCertificate",
		"UpdateServiceSpecificCredential", "UpdateSigningCertificate", "UploadSSHPublicKey",
		"UploadServerCertificate", "UploadSigningCertificate",
	}
}
