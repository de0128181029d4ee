package replicator

import (
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
	// ofLocks is not of objects: their locks show in the steps of those who have one.
	ofLocks = []store.TaskKind{store.TaskLock}
	ofACLs  = []store.TaskKind{store.TaskObject, store.TaskACL}
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
	{"s3:GetObjectVersionAcl", "read the source ACL", ofACLs, "", nil},
	{"s3:GetObjectRetention", "read the source retention", ofLocks, "source buckets with Object Lock only", nil},
	{"s3:GetObjectLegalHold", "read the source legal hold", ofLocks, "source buckets with Object Lock only", nil},
	{"s3:GetObjectVersionTagging", "read the source tags", ofTags, "tagged objects only", onlyTags},
	{"s3:ReplicateObject", "write the replica", ofACLs, "", nil},
	{"s3:ObjectOwnerOverrideToBucketOwner", "give the replica to the destination owner", ofObjects, "owner override without BucketOwnerEnforced only", givesOwner},
	{"kms:Encrypt", "wrap the data key under the replica key", ofObjects, "SSE-KMS objects only", usesKMS},
	{"s3:PutObjectRetention", "write the replica's retention", ofLocks, "retained versions only", never},
	{"s3:PutObjectLegalHold", "write the replica's legal hold", ofLocks, "versions with a legal hold only", never},
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
		out = stopped(t, f, out)
	}
	for _, p := range plan {
		if !p.appliesTo(t.Kind) || slices.ContainsFunc(out, func(s Step) bool { return s.Action == p.action }) {
			continue
		}
		s := Step{Step: p.label, Action: p.action, Outcome: StepNotNeeded, Message: p.when}
		// Tags that were read would have been written.
		tagged := p.action == "s3:ReplicateTags" && slices.ContainsFunc(out, func(s Step) bool { return s.Action == "s3:GetObjectVersionTagging" && s.Principal != "" })
		if err != nil && (p.likely == nil || p.likely(&t) || tagged) {
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
		s.Outcome, s.NearMiss, s.Message, s.Fix, s.AlsoFix = StepDenied, d.NearMisses, d.Message(), fixFor(d), alsoFix(d)
		if d.NotEnforced {
			s.Outcome = StepNotEnforced
		}
	}
	return s
}

// stopped adds to the steps taken that f, no denial, ended the attempt: at the step that
// it belongs to, which may not have been decided yet.
func stopped(t store.Task, f *failure.Error, taken []Step) []Step {
	last := &taken[len(taken)-1]
	if action := stoppedAt(t.Kind, f.Code, taken); action != last.Action {
		taken = append(taken, Step{Step: labelOf(action), Action: action, Principal: last.Principal, Resource: resourceOf(t, action)})
		last = &taken[len(taken)-1]
	}
	explainFailure(last, f)
	return taken
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
	case throttles[code] && decided("s3:ReplicateObject"):
		return "kms:Encrypt"
	case throttles[code]:
		return "kms:Decrypt"
	case strings.HasPrefix(string(code), "Dst") && kind == store.TaskMarker:
		return "s3:ReplicateDelete"
	case strings.HasPrefix(string(code), "Dst") && kind == store.TaskObject:
		return "s3:ReplicateObject"
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
