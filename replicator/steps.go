package replicator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// planned is a step that S3 takes for a kind of task, in order (R4). The label is
// what people read; steps that are only needed sometimes say when.
type planned struct {
	action string
	label  string
	kinds  []store.TaskKind
	when   string
}

var plan = []planned{
	{"sts:AssumeRole", "assume the replication role", nil, ""},
	{"s3:GetReplicationConfiguration", "read the replication configuration", []store.TaskKind{store.TaskObject}, ""},
	{"s3:ListBucket", "look into the source bucket", []store.TaskKind{store.TaskObject}, ""},
	{"s3:GetObjectVersionForReplication", "read the source version", []store.TaskKind{store.TaskObject}, ""},
	{"s3:GetObjectVersion", "read the source version (alternative)", []store.TaskKind{store.TaskObject}, "only when the first is not allowed, and never for SSE-KMS"},
	{"kms:Decrypt", "unwrap the source data key", []store.TaskKind{store.TaskObject}, "SSE-KMS objects only"},
	{"s3:GetObjectVersionAcl", "read the source ACL", []store.TaskKind{store.TaskObject}, ""},
	{"s3:GetObjectVersionTagging", "read the source tags", []store.TaskKind{store.TaskObject, store.TaskTagging}, "tagged objects only"},
	{"s3:ReplicateObject", "write the replica", []store.TaskKind{store.TaskObject}, ""},
	{"s3:ObjectOwnerOverrideToBucketOwner", "give the replica to the destination owner", []store.TaskKind{store.TaskObject}, "owner override without BucketOwnerEnforced only"},
	{"kms:Encrypt", "wrap the data key under the replica key", []store.TaskKind{store.TaskObject}, "SSE-KMS objects only"},
	{"s3:ReplicateTags", "write the replica's tags", []store.TaskKind{store.TaskObject, store.TaskTagging}, "tagged objects only"},
	{"s3:ReplicateDelete", "write the delete marker", []store.TaskKind{store.TaskMarker}, ""},
}

func (p planned) appliesTo(kind store.TaskKind) bool {
	return p.kinds == nil || slices.Contains(p.kinds, kind)
}

func labelOf(action string) string {
	for _, p := range plan {
		if p.action == action {
			return p.label
		}
	}
	return action
}

// steps turns the decisions of an attempt, in the order they were made, and the
// error it ended with into the steps of an explanation.
func steps(t store.Task, decisions []*policy.Decision, err error) []Step {
	var out []Step
	for _, d := range decisions {
		out = append(out, decided(d))
	}
	if f := failure.Of(err); f != nil && f.Decision == nil && len(out) > 0 {
		explainFailure(&out[len(out)-1], f)
	}
	for _, p := range plan {
		if !p.appliesTo(t.Kind) || slices.ContainsFunc(out, func(s Step) bool { return s.Action == p.action }) {
			continue
		}
		s := Step{Step: p.label, Action: p.action, Outcome: StepNotNeeded, Message: p.when}
		if err != nil && p.when == "" {
			s.Outcome, s.Message = StepNotReached, ""
		}
		out = insertPlanned(out, s, p)
	}
	for i := range out {
		out[i].N = i + 1
	}
	return out
}

// insertPlanned puts a step that was not taken behind the last step that comes
// before it in the plan, keeping the order in which steps really happened.
func insertPlanned(out []Step, s Step, p planned) []Step {
	before := map[string]bool{}
	for _, q := range plan {
		if q.action == p.action {
			break
		}
		before[q.action] = true
	}
	at := 0
	for i := range out {
		if before[out[i].Action] || out[i].Outcome == StepDenied {
			at = i + 1
		}
	}
	return slices.Insert(out, at, s)
}

func decided(d *policy.Decision) Step {
	by := d.DecidedBy
	s := Step{
		Step: labelOf(d.Action), Action: d.Action, Resource: d.Resource, Principal: d.Principal.ARN,
		Context: d.Context, Outcome: StepAllowed, DecidedBy: &by, Layers: d.Layers,
	}
	if !d.Allowed() {
		s.Outcome, s.NearMiss, s.Message, s.Fix = StepDenied, d.NearMisses, d.Message(), fixFor(d)
	}
	return s
}

// explainFailure marks the step at which an attempt stopped for another reason than
// a denial: a key's state, a missing bucket, a quota.
func explainFailure(s *Step, f *failure.Error) {
	s.Outcome, s.Message = StepError, f.Message
	switch {
	case throttles[f.Code]:
		s.Outcome = StepThrottled
		s.Fix = &Fix{Document: "KMS request quota", Advice: "nothing to repair: the object stays PENDING and is tried again; raise the limit to go faster"}
	case advice[f.Code] != "":
		s.Fix = &Fix{Document: "configuration", Advice: advice[f.Code]}
	}
}

// advice says what to do about failures that no policy statement repairs.
var advice = map[failure.Code]string{
	"DstBucketUnversioned":  "enable versioning on the destination bucket, then retry",
	"DstBucketNotFound":     "create the destination bucket with versioning enabled, then retry",
	"DstKmsKeyNotFound":     "ReplicaKmsKeyID must be the ARN of a key that exists in the destination bucket's Region: put a corrected replication configuration, then retry",
	"DstKmsKeyInvalidState": "enable the replica key (or cancel its deletion), then retry",
	"SrcKmsKeyInvalidState": "enable the source key (or cancel its deletion), then retry",
}

// fixFor is the smallest statement that would allow a denied step, and the document it belongs to.
func fixFor(d *policy.Decision) *Fix {
	if d.Outcome == policy.ExplicitDeny {
		return &Fix{Document: d.DecidedBy.Policy, Advice: "the Deny statement wins over every Allow: narrow or remove it"}
	}
	if strings.HasPrefix(d.Action, "sts:") {
		st, _ := json.Marshal(map[string]any{"Effect": "Allow", "Principal": map[string]string{"Service": d.Principal.ARN}, "Action": d.Action})
		return &Fix{Document: "trust policy of " + d.Resource, Statement: st}
	}
	role := d.Principal.RoleARN
	if d.DecidedBy.Type == policy.Resource {
		resource := d.Resource
		document := "bucket policy of " + bucketOf(d.Resource)
		if strings.HasPrefix(d.Action, "kms:") {
			resource, document = "*", "key policy of "+d.Resource
		}
		st, _ := json.Marshal(map[string]any{"Effect": "Allow", "Principal": map[string]string{"AWS": role}, "Action": d.Action, "Resource": widen(resource)})
		return &Fix{Document: document, Statement: st}
	}
	st, _ := json.Marshal(map[string]any{"Effect": "Allow", "Action": d.Action, "Resource": widen(d.Resource)})
	return &Fix{Document: fmt.Sprintf("%s of role %s", d.DecidedBy.Type, role), Statement: st}
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
