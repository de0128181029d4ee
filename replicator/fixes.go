package replicator

import (
	"encoding/json"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// advice says what to do about failures that no policy statement repairs.
var advice = map[failure.Code]string{
	"DstBucketObjectLockConfigMissing": "enable Object Lock on the destination bucket, then retry",
	"DstBucketUnversioned":             "enable versioning on the destination bucket, then retry",
	"DstBucketNotFound":                "create the destination bucket with versioning enabled, then retry",
	"DstKmsKeyNotFound":                "ReplicaKmsKeyID must be the ARN of a key that exists in the destination bucket's Region: put a corrected replication configuration, then retry",
	"DstKmsKeyInvalidState":            "enable the replica key (or cancel its deletion), then retry",
	"SrcKmsKeyInvalidState":            "enable the source key (or cancel its deletion), then retry",
}

// fixFor is the smallest statement that would allow a denied step, and the document it belongs to.
func fixFor(d *policy.Decision) *Fix {
	if d.Outcome == policy.ExplicitDeny {
		return &Fix{Document: d.DecidedBy.Policy, Advice: "the Deny statement wins over every Allow: narrow or remove it"}
	}
	return fixIn(d, d.DecidedBy.Type)
}

// alsoFix is what else has to be allowed: a decision names one layer, and others may lack
// an allow as well. Within one account an allow of the key or trust policy is enough.
func alsoFix(d *policy.Decision) []Fix {
	if d.Outcome != policy.ImplicitDeny || d.Principal.Type != policy.AssumedRole {
		return nil
	}
	across := d.ResourceAccount != "" && d.ResourceAccount != d.Principal.Account
	var out []Fix
	for _, l := range d.Layers {
		if l.Verdict != policy.ImplicitDeny || l.Type == d.DecidedBy.Type {
			continue
		}
		if l.Type == policy.Resource && !across || l.Type == policy.Identity && !across && d.DecidedBy.Type == policy.Resource {
			continue
		}
		out = append(out, *fixIn(d, l.Type))
	}
	return out
}

// fixIn is the statement to add to the policy of one layer.
func fixIn(d *policy.Decision, layer policy.Type) *Fix {
	switch layer {
	case policy.Trust:
		return &Fix{Document: "trust policy of " + d.Resource,
			Statement: statement{Effect: "Allow", Principal: map[string]string{"Service": d.Principal.ARN}, Action: d.Action}.json()}
	case policy.Resource:
		resource, document := widen(d.Resource), "bucket policy of "+bucketOf(d.Resource)
		if strings.HasPrefix(d.Action, "kms:") {
			resource, document = "*", "key policy of "+d.Resource
		}
		return &Fix{Document: document,
			Statement: statement{Effect: "Allow", Principal: map[string]string{"AWS": d.Principal.RoleARN}, Action: d.Action, Resource: resource}.json()}
	}
	return &Fix{Document: string(layer) + " of " + d.Principal.RoleARN,
		Statement: statement{Effect: "Allow", Action: d.Action, Resource: widen(d.Resource)}.json()}
}

// statement is a policy statement in the order people write it.
type statement struct {
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    string
	Resource  string `json:",omitempty"`
}

func (s statement) json() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic("replicator: internal error: statement: " + err.Error())
	}
	return b
}

// bucketOf is the bucket name of an S3 ARN.
func bucketOf(resource string) string {
	a, err := arn.Parse(resource)
	if err != nil {
		return resource
	}
	name, _, _ := strings.Cut(a.Resource, "/")
	return name
}

// widen turns an object ARN into the pattern for all objects of its bucket: a rule
// replicates more than the one key that failed.
func widen(resource string) string {
	if a, err := arn.Parse(resource); err == nil && a.Service == "s3" && strings.Contains(a.Resource, "/") {
		return arn.Object(bucketOf(resource), "*")
	}
	return resource
}
