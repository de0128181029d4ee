package iamsim

import "twinbucket/internal/failure"

type accountSummaryResult struct{ SummaryMap map[string]int }

// getAccountSummary counts what the account has beside what it may have (I55).
func getAccountSummary(s *Service, c *call) (any, error) {
	out := map[string]int{
		"UsersQuota":                        maxUsers,
		"GroupsQuota":                       maxGroups,
		"RolesQuota":                        maxRoles,
		"PoliciesQuota":                     maxPolicies,
		"InstanceProfilesQuota":             maxInstanceProfiles,
		"GroupsPerUserQuota":                maxGroupsPerUser,
		"AccessKeysPerUserQuota":            maxAccessKeys,
		"AttachedPoliciesPerUserQuota":      maxAttached,
		"AttachedPoliciesPerGroupQuota":     maxAttached,
		"AttachedPoliciesPerRoleQuota":      maxAttached,
		"UserPolicySizeQuota":               maxUserInline,
		"GroupPolicySizeQuota":              maxGroupInline,
		"RolePolicySizeQuota":               maxRoleInline,
		"AssumeRolePolicySizeQuota":         maxTrustSize,
		"PolicySizeQuota":                   maxManagedSize,
		"VersionsPerPolicyQuota":            maxVersions,
		"PolicyVersionsInUseQuota":          10000,
		"ServerCertificatesQuota":           20,
		"SigningCertificatesPerUserQuota":   2,
		"GlobalEndpointTokenVersion":        1,
		"AccountAccessKeysPresent":          1, // roots have keys here
		"AccountMFAEnabled":                 0,
		"AccountPasswordPresent":            0,
		"AccountSigningCertificatesPresent": 0,
		"MFADevices":                        0,
		"MFADevicesInUse":                   0,
		"ServerCertificates":                0,
	}
	return &accountSummaryResult{out}, s.view(func(im *image) error {
		account := c.account()
		out["Users"] = count(im.users, account)
		out["Groups"] = count(im.groups, account)
		out["Roles"] = count(im.roles, account)
		out["Policies"] = count(im.policies, account)
		out["InstanceProfiles"] = count(im.profiles, account)
		out["Providers"] = count(im.issuers, account)
		out["PolicyVersionsInUse"] = 0
		for _, p := range im.policies {
			if p.Account == account {
				out["PolicyVersionsInUse"] += len(p.Versions)
			}
		}
		return nil
	})
}

// getAccountPasswordPolicy: there are no passwords here, so no account has a policy for them.
func getAccountPasswordPolicy(_ *Service, c *call) (any, error) {
	return nil, failure.Newf("NoSuchEntity", "The Password Policy with domain name %s cannot be found.", c.account())
}
