package iamsim

import (
	"fmt"

	"twinbucket/internal/failure"
)

// Quotas of an account (I19, I51). Sizes are characters without white space.
const (
	maxUsers            = 5000
	maxGroups           = 300
	maxRoles            = 1000
	maxPolicies         = 1500
	maxInstanceProfiles = 1000
	maxIssuers          = 100

	maxGroupsPerUser = 10
	maxAttached      = 10 // managed policies of one user, group or role
	maxAccessKeys    = 2  // of one user
	maxVersions      = 5  // of one managed policy
	maxTags          = 50 // of one resource or session

	maxManagedSize = 6144
	maxTrustSize   = 2048
	maxUserInline  = 2048 // all inline policies of one user together
	maxGroupInline = 5120
	maxRoleInline  = 10240
)

func limitExceeded(quota string, limit int) error {
	return failure.New("LimitExceeded", fmt.Sprintf("Cannot exceed quota for %s: %d", quota, limit))
}

// room refuses one more thing of a kind when the account has as many as it may.
func room(have, limit int, quota string) error {
	if have >= limit {
		return limitExceeded(quota, limit)
	}
	return nil
}

// mostOf is how many entities of a kind an account may have.
func (k entityKind) mostOf() int {
	switch k {
	case roleKind:
		return maxRoles
	case groupKind:
		return maxGroups
	}
	return maxUsers
}

// sizeOf counts a document as quotas do.
func sizeOf(text string) int {
	n := 0
	for _, r := range text {
		if r != ' ' && r != '\t' && r != '\n' && r != '\r' {
			n++
		}
	}
	return n
}
