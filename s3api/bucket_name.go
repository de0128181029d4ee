package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
)

// validBucketName tells whether name follows the rules for general purpose buckets (S11).
func validBucketName(name string) bool {
	if len(name) < 3 || len(name) > 63 {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' || c == '.':
			if i == 0 || i == len(name)-1 || c == '.' && name[i-1] == '.' {
				return false
			}
		default:
			return false
		}
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	for _, prefix := range [...]string{"xn--", "sthree-"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	for _, suffix := range [...]string{"-s3alias", "--ol-s3", "--x-s3", ".mrap", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	return true
}

// canonicalID is the canonical user id of an account: 64 hex digits, always the same
// for an account, and not to be guessed from ids of real accounts (S14).
func canonicalID(account string) string {
	sum := sha256.Sum256([]byte("twinbucket canonical user " + account))
	return hex.EncodeToString(sum[:])
}
