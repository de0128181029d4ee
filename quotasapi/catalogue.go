package quotasapi

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// The one service whose quotas are known.
const (
	serviceCode = "kms"
	serviceName = "AWS Key Management Service (AWS KMS)"
)

// entry is one quota: its code and name at AWS, and the name that limits know it by.
type entry struct {
	code  string
	name  string
	quota string
}

// catalogue makes the entries of quotas, sorted by code.
func catalogue(quotas []string) []entry {
	out := make([]entry, len(quotas))
	for i, q := range quotas {
		out[i] = entry{codeOf(q), nameOf(q), q}
	}
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.code, b.code) })
	return out
}

// codeOf is AWS's code of a quota where it is public, else one in the same form that is
// made of the name (K100).
func codeOf(quota string) string {
	switch quota {
	case "symmetric":
		return "L-6E3AF000"
	case "rsa":
		return "L-2AC98190"
	case "ecc":
		return "L-DC14942D"
	case "GenerateDataKeyPair/ECC_NIST_P256":
		return "L-D2EEB5E0"
	case "GenerateDataKeyPair/ECC_NIST_P384":
		return "L-16B46EF0"
	case "GenerateDataKeyPair/ECC_NIST_P521":
		return "L-1D966DA0"
	case "CancelKeyDeletion":
		return "L-635264CC"
	case "ConnectCustomKeyStore":
		return "L-705B9E79"
	case "CreateAlias":
		return "L-F7504F73"
	case "CreateCustomKeyStore":
		return "L-08932E37"
	case "CreateGrant":
		return "L-0428A42E"
	case "CreateKey":
		return "L-32B67F4A"
	case "DeleteAlias":
		return "L-1F75ADD1"
	case "DeleteCustomKeyStore":
		return "L-E99520CB"
	case "DeleteImportedKeyMaterial":
		return "L-1233BF9B"
	case "DescribeCustomKeyStores":
		return "L-E20AA94C"
	case "DescribeKey":
		return "L-FAE8F084"
	case "DisableKey":
		return "L-6B8C93BD"
	case "DisableKeyRotation":
		return "L-CE1DB614"
	case "DisconnectCustomKeyStore":
		return "L-9F1FCF6D"
	case "EnableKey":
		return "L-BD96F100"
	case "EnableKeyRotation":
		return "L-BE799B67"
	}
	sum := sha256.Sum256([]byte(serviceCode + "/" + quota))
	return "L-" + strings.ToUpper(hex.EncodeToString(sum[:4]))
}

// nameOf is AWS's name of a quota (K100).
func nameOf(quota string) string {
	switch quota {
	case "symmetric":
		return "Cryptographic operations (symmetric) request rate"
	case "rsa", "ecc", "ml-dsa":
		return "Cryptographic operations (" + strings.ToUpper(quota) + ") request rate"
	}
	if spec, ok := strings.CutPrefix(quota, "GenerateDataKeyPair/"); ok {
		return "GenerateDataKeyPair (" + spec + ") request rate"
	}
	return quota + " request rate"
}
