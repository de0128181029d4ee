package batch

import (
	"slices"
	"strings"

	"twinbucket/internal/batchjob"
	"twinbucket/store"
)

// takes reports whether a generator's filter selects v (B47). Different conditions must
// all hold; of the values of one condition one must.
func takes(f *batchjob.Filter, b *store.Bucket, v *store.Version) bool {
	if f.Eligible != nil {
		_, err := store.Eligible(b, v)
		if (err == nil) != *f.Eligible {
			return false
		}
	}
	switch {
	case !f.CreatedAfter.IsZero() && !v.LastModified.After(f.CreatedAfter),
		!f.CreatedBefore.IsZero() && !v.LastModified.Before(f.CreatedBefore),
		f.GreaterThan != nil && v.Size <= *f.GreaterThan,
		f.LessThan != nil && v.Size >= *f.LessThan,
		len(f.Statuses) > 0 && !slices.Contains(f.Statuses, statusName(v)),
		len(f.StorageClasses) > 0 && !slices.Contains(f.StorageClasses, className(v)):
		return false
	}
	return anyName(f.Prefixes, v.Key, strings.HasPrefix) && anyName(f.Suffixes, v.Key, strings.HasSuffix) &&
		anyName(f.Substrings, v.Key, strings.Contains) && anyEncryption(f.Encryptions, v)
}

// statusName is a version's status as filters name it.
func statusName(v *store.Version) string {
	if s := v.ReplicationStatus(); s != "" {
		return string(s)
	}
	return "NONE"
}

func className(v *store.Version) string {
	if v.StorageClass == "" && !v.DeleteMarker {
		return "STANDARD"
	}
	return v.StorageClass
}

func anyName(list []string, key string, match func(key, s string) bool) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return match(key, s) })
}

func anyEncryption(list []batchjob.EncryptionFilter, v *store.Version) bool {
	if len(list) == 0 {
		return true
	}
	kind := ""
	switch v.Encryption.Algorithm {
	case "AES256":
		kind = "SSE-S3"
	case "aws:kms":
		kind = "SSE-KMS"
	case "aws:kms:dsse":
		kind = "DSSE-KMS"
	case store.SSEC:
		kind = "SSE-C"
	case "":
		kind = "NOT-SSE"
	}
	return slices.ContainsFunc(list, func(f batchjob.EncryptionFilter) bool {
		return f.Kind == kind && (f.KeyARN == "" || f.KeyARN == v.Encryption.KeyARN) &&
			(f.BucketKey == nil || *f.BucketKey == v.Encryption.BucketKey)
	})
}
