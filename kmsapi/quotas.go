package kmsapi

import "strings"

// DefaultQuota is the request quota that AWS gives every account in a Region, in
// requests a second, under the name by which requests count against it; ok is false for
// names that are none (K90).
func DefaultQuota(region, name string) (perSecond float64, ok bool) {
	switch name {
	case quotaSymmetric:
		switch region {
		case "us-east-1", "us-west-2", "eu-west-1":
			return 100_000, true
		case "us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-central-1", "eu-west-2":
			return 20_000, true
		}
		return 10_000, true
	case quotaRSA, quotaECC, quotaMLDSA:
		return 1000, true
	}
	if spec, isPair := strings.CutPrefix(name, pairQuota); isPair {
		return pairRate(spec)
	}
	return operationRate(name)
}

// pairQuota begins the quota that both GenerateDataKeyPair operations share for each
// key pair spec.
const pairQuota = "GenerateDataKeyPair/"

func pairRate(spec string) (float64, bool) {
	switch spec {
	case "RSA_2048":
		return 20, true
	case "RSA_3072":
		return 4, true
	case "RSA_4096":
		return 1, true
	case "SM2":
		return 25, true
	case "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", specSecp256k1, specEd25519:
		return 100, true
	}
	return 0, false
}

// operationRate is the quota of an operation that has one of its own.
func operationRate(operation string) (float64, bool) {
	switch operation {
	case "DescribeKey", "GetPublicKey", "ListResourceTags":
		return 2000, true
	case "GetKeyPolicy", "GetKeyRotationStatus":
		return 1000, true
	case "ListKeys", "ListAliases":
		return 500, true
	case "ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListRetirableGrants":
		return 100, true
	case "CreateGrant", "RetireGrant", "RevokeGrant":
		return 50, true
	case "DeleteAlias", "DeleteImportedKeyMaterial", "EnableKeyRotation", "ImportKeyMaterial", "PutKeyPolicy", "ScheduleKeyDeletion":
		return 15, true
	case "TagResource":
		return 10, true
	case "CreateKey", "CreateAlias", "UpdateAlias", "EnableKey", "DisableKey", "DisableKeyRotation", "CancelKeyDeletion",
		"ReplicateKey", "RotateKeyOnDemand", "UntagResource", "UpdateKeyDescription", "UpdatePrimaryRegion", "GetKeyLastUsage",
		"ConnectCustomKeyStore", "CreateCustomKeyStore", "DeleteCustomKeyStore", "DescribeCustomKeyStores",
		"DisconnectCustomKeyStore", "UpdateCustomKeyStore":
		return 5, true
	case "GetParametersForImport":
		return 1, true
	}
	return 0, false
}

// QuotaNames lists the names that DefaultQuota knows: the shared quotas, those of key
// pairs, and those of single operations by name.
func QuotaNames() []string {
	names := []string{quotaSymmetric, quotaRSA, quotaECC, quotaMLDSA}
	for _, spec := range keyPairSpecs() {
		names = append(names, pairQuota+spec)
	}
	for _, op := range table() {
		if _, ok := operationRate(op.Name); ok {
			names = append(names, op.Name)
		}
	}
	return names
}
