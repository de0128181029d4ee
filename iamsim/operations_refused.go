package iamsim

// refusedRows are the operations that are answered with 501 (I47).
func refusedRows() []operation {
	rows := []operation{
		// AWS takes this one without a signature: its assertion is the proof.
		{service: "sts", name: "AssumeRoleWithSAML", unsigned: true},
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
		"AssumeRoot", "GetDelegatedAccessToken", "GetWebIdentityToken",
	}
}

func refusedIAM() []string {
	return []string{
		"AcceptDelegationRequest", "AcquireRole", "AssociateDelegationRequest",
		"ChangePassword", "CreateDelegationRequest", "CreateLoginProfile",
		"CreateSAMLProvider", "CreateServiceSpecificCredential", "CreateVirtualMFADevice",
		"DeactivateMFADevice", "DeleteAccountPasswordPolicy", "DeleteSAMLProvider",
		"DeleteSSHPublicKey", "DeleteServerCertificate", "DeleteServiceSpecificCredential",
		"DeleteSigningCertificate", "DeleteVirtualMFADevice", "DisableOrganizationsRootCredentialsManagement",
		"DisableOrganizationsRootSessions", "DisableOutboundWebIdentityFederation", "EnableMFADevice",
		"EnableOrganizationsRootCredentialsManagement", "EnableOrganizationsRootSessions", "EnableOutboundWebIdentityFederation",
		"GenerateCredentialReport", "GenerateOrganizationsAccessReport", "GenerateServiceLastAccessedDetails",
		"GetAccountProperties", "GetCredentialReport", "GetDelegationRequest",
		"GetHumanReadableSummary", "GetMFADevice", "GetOrganizationsAccessReport",
		"GetOutboundWebIdentityFederationInfo", "GetRoleTemplateVersion", "GetSAMLProvider",
		"GetSSHPublicKey", "GetServerCertificate", "GetServiceLastAccessedDetails",
		"GetServiceLastAccessedDetailsWithEntities", "ListDelegationRequests", "ListMFADeviceTags",
		"ListOrganizationsFeatures", "ListPoliciesGrantingServiceAccess", "ListSAMLProviderTags",
		"ListServerCertificateTags", "PutAccountProperties", "RejectDelegationRequest",
		"ResetServiceSpecificCredential", "ResyncMFADevice", "SendDelegationToken",
		"SetSecurityTokenServicePreferences", "TagMFADevice", "TagSAMLProvider",
		"TagServerCertificate", "UntagMFADevice", "UntagSAMLProvider",
		"UntagServerCertificate", "UpdateAccountPasswordPolicy", "UpdateDelegationRequest",
		"UpdateLoginProfile", "UpdateSAMLProvider", "UpdateSSHPublicKey",
		"UpdateServerCertificate", "UpdateServiceSpecificCredential", "UpdateSigningCertificate",
		"UploadSSHPublicKey", "UploadServerCertificate", "UploadSigningCertificate",
	}
}
