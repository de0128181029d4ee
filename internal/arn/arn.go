// Package arn splits and joins Amazon Resource Names.
package arn

import (
	"fmt"
	"strings"
)

// ARN is arn:Partition:Service:Region:Account:Resource. Resource keeps its colons.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// Parse splits s. It checks the form only: six fields, the first "arn", and a
// partition, service and resource that are not empty.
func Parse(s string) (ARN, error) {
	f := strings.SplitN(s, ":", 6)
	if len(f) != 6 || f[0] != "arn" || f[1] == "" || f[2] == "" || f[5] == "" {
		return ARN{}, fmt.Errorf("arn: %q does not have the form arn:partition:service:region:account:resource", s)
	}
	return ARN{Partition: f[1], Service: f[2], Region: f[3], Account: f[4], Resource: f[5]}, nil
}

// String joins the fields.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Bucket is the ARN of an S3 bucket.
func Bucket(name string) string { return "arn:aws:s3:::" + name }

// Object is the ARN of an S3 object; the key is used raw, not escaped.
func Object(bucket, key string) string { return "arn:aws:s3:::" + bucket + "/" + key }

// Key is the ARN of a KMS key.
func Key(region, account, id string) string {
	return "arn:aws:kms:" + region + ":" + account + ":key/" + id
}

// Alias is the ARN of a KMS alias; name has the form alias/x.
func Alias(region, account, name string) string {
	return "arn:aws:kms:" + region + ":" + account + ":" + name
}

// Root is the ARN of an account's root user.
func Root(account string) string { return "arn:aws:iam::" + account + ":root" }

// IsAccount reports whether s is a 12-digit account id.
func IsAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range s {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
