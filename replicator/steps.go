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
// what people read. A step that is needed only sometimes says when, and whether the
// task alone shows that it will be; what only the version shows counts as needed.
type planned struct {
	action string
	label  string
	kinds  []store.TaskKind // nil: all
	when   string           // "" is always
	likely func(t *store.Task) bool
}

var (
	ofObjects = []store.TaskKind{store.TaskObject}
	ofTags    = []store.TaskKind{store.TaskObject, store.TaskTagging}
)

func never(*store.Task) bool        { return false }
func usesKMS(t *store.Task) bool    { return t.Rule.Destination.ReplicaKMSKeyID != "" }
func givesOwner(t *store.Task) bool { return t.Rule.Destination.OwnerOverride }
func onlyTags(t *store.Task) bool   { return t.Kind == store.TaskTagging }

var plan = []planned{
	{"sts:AssumeRole", "assume the replication role", nil, "", nil},
	{"s3:GetReplicationConfiguration", "read the replication configuration", ofObjects, "", nil},
	{"s3:ListBucket", "look into the source bucket", ofObjects, "", nil},
	{"s3:GetObjectVersionForReplication", "read the source version", ofObjects, "", nil},
	{"s3:GetObjectVersion", "read the source version (alternative)", ofObjects, "only when the step before is not allowed, and never for SSE-KMS", never},
	{"kms:Decrypt", "unwrap the source data key", ofObjects, "SSE-KMS objects only", usesKMS},
	{"s3:GetObjectVersionAcl", "read the source ACL", ofObjects, "", nil},
	{"s3:GetObjectVersionTagging", "read the source tags", ofTags, "tagged objects only", onlyTags},
	{"s3:ReplicateObject", "write the replica", ofObjects, "", nil},
	{"s3:ObjectOwnerOverrideToBucketOwner", "give the replica to the destination owner", ofObjects, "owner override without BucketOwnerEnforced only", givesOwner},
	{"kms:Encrypt", "wrap the data key under the replica key", ofObjects, "SSE-KMS objects only", usesKMS},
	{"s3:ReplicateTags", "write the replica's tags", ofTags, "tagged objects only", onlyTags},
	{"s3:ReplicateDelete", "write the delete marker", []store.TaskKind{store.TaskMarker}, "", nil},
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
		if action := stoppedAt(t.Kind, f.Code, out); action != out[len(out)-1].Action {
			out = append(out, Step{Step: labelOf(action), Action: action, Principal: out[len(out)-1].Principal, Resource: resourceOf(t, action)})
		}
		explainFailure(&out[len(out)-1], f)
	}
	for _, p := range plan {
		if !p.appliesTo(t.Kind) || slices.ContainsFunc(out, func(s Step) bool { return s.Action == p.action }) {
			continue
		}
		s := Step{Step: p.label, Action: p.action, Outcome: StepNotNeeded, Message: p.when}
		if err != nil && (p.likely == nil || p.likely(&t)) {
			s.Outcome = StepNotReached
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

// stoppedAt is the action that a failure stopped without a decision, which is not the
// last one decided where the bucket, key or quota is looked at first.
func stoppedAt(kind store.TaskKind, code failure.Code, taken []Step) string {
	decided := func(action string) bool {
		return slices.ContainsFunc(taken, func(s Step) bool { return s.Action == action })
	}
	switch {
	case code == "DstKmsKeyNotFound" || code == "DstKmsKeyInvalidState":
		return "kms:Encrypt"
	case code == "SrcKmsKeyInvalidState":
		return "kms:Decrypt"
	case (code == "DstBucketNotFound" || code == "DstBucketUnversioned") && kind == store.TaskMarker:
		return "s3:ReplicateDelete"
	case (code == "DstBucketNotFound" || code == "DstBucketUnversioned") && kind == store.TaskObject:
		return "s3:ReplicateObject"
	case throttles[code] && decided("s3:ReplicateObject"):
		return "kms:Encrypt"
	case throttles[code]:
		return "kms:Decrypt"
	}
	return taken[len(taken)-1].Action
}

// resourceOf is what an action of a task is on, where the task tells.
func resourceOf(t store.Task, action string) string {
	switch action {
	case "kms:Encrypt":
		return t.Rule.Destination.ReplicaKMSKeyID
	case "s3:ReplicateObject", "s3:ReplicateDelete":
		return arn.Object(t.Rule.Destination.Bucket, t.Key)
	}
	return ""
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
		return &Fix{Document: "trust policy of " + d.Resource,
			Statement: statement{Effect: "Allow", Principal: map[string]string{"Service": d.Principal.ARN}, Action: d.Action}.json()}
	}
	if d.DecidedBy.Type == policy.Resource {
		resource, document := widen(d.Resource), "bucket policy of "+bucketOf(d.Resource)
		if strings.HasPrefix(d.Action, "kms:") {
			resource, document = "*", "key policy of "+d.Resource
		}
		return &Fix{Document: document,
			Statement: statement{Effect: "Allow", Principal: map[string]string{"AWS": d.Principal.RoleARN}, Action: d.Action, Resource: resource}.json()}
	}
	return &Fix{Document: fmt.Sprintf("%s of %s", d.DecidedBy.Type, d.Principal.RoleARN),
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
