package replicator

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// TestStepsNameWhatStopped: a failure that no policy decided is shown at the action
// it stopped, not at the last one that was allowed.
func TestStepsNameWhatStopped(t *testing.T) {
	read := []string{"sts:AssumeRole", "s3:GetObjectVersionForReplication"}
	unwrapped := append(read[:2:2], "kms:Decrypt", "s3:GetObjectVersionAcl")
	written := append(unwrapped[:4:4], "s3:ReplicateObject")
	const replicaKey = "arn:aws:kms:us-west-2:444455556666:key/1"
	tests := []struct {
		name     string
		kind     store.TaskKind
		allowed  []string
		code     failure.Code
		action   string
		resource string
		outcome  string
	}{
		{"replica key of another Region", store.TaskObject, written, "DstKmsKeyNotFound", "kms:Encrypt", replicaKey, StepError},
		{"replica key disabled", store.TaskObject, append(written[:5:5], "kms:Encrypt"), "DstKmsKeyInvalidState", "kms:Encrypt", "", StepError},
		{"source key disabled", store.TaskObject, append(read[:2:2], "kms:Decrypt"), "SrcKmsKeyInvalidState", "kms:Decrypt", "", StepError},
		{"destination gone", store.TaskObject, unwrapped, "DstBucketNotFound", "s3:ReplicateObject", "arn:aws:s3:::dst/k", StepError},
		{"destination of a marker gone", store.TaskMarker, read[:1], "DstBucketUnversioned", "s3:ReplicateDelete", "arn:aws:s3:::dst/k", StepError},
		{"unwrapping throttled", store.TaskObject, read, "ThrottlingException", "kms:Decrypt", "", StepThrottled},
		{"wrapping throttled", store.TaskObject, written, "ThrottlingException", "kms:Encrypt", replicaKey, StepThrottled},
		{"anything else", store.TaskObject, read, "InternalError", "s3:GetObjectVersionForReplication", "", StepError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			task := store.Task{Kind: tt.kind, Bucket: "src", Key: "k", Rule: store.ReplicationRule{
				Destination: store.Destination{Bucket: "dst", ReplicaKMSKeyID: replicaKey}}}
			var decisions []*policy.Decision
			for _, action := range tt.allowed {
				decisions = append(decisions, &policy.Decision{Outcome: policy.Allowed, Action: action})
			}
			type stop struct{ Action, Resource, Outcome, Message string }
			var got []stop
			seen := map[string]int{}
			for _, s := range steps(task, decisions, failure.New(tt.code, "why")) {
				seen[s.Action]++
				if s.Outcome == StepError || s.Outcome == StepThrottled || s.Outcome == StepDenied {
					got = append(got, stop{s.Action, s.Resource, s.Outcome, s.Message})
				}
			}
			if diff := cmp.Diff(got, []stop{{tt.action, tt.resource, tt.outcome, "why"}}); diff != "" {
				t.Errorf("where it stopped (-got +want):\n%s", diff)
			}
			for action, n := range seen {
				if n != 1 {
					t.Errorf("%s is shown %d times", action, n)
				}
			}
		})
	}
}

func TestSharedContextIsFactoredOutAndBack(t *testing.T) {
	step := func(action string, c policy.Context) Step {
		return Step{Action: action, Principal: "arn:aws:sts::111122223333:assumed-role/crr/s3-replication", Context: c}
	}
	d := DestinationTrace{Steps: []Step{
		step("a", policy.Context{"aws:securetransport": {"true"}, "s3:prefix": {"x"}, "own": {"1"}}),
		{Action: "not needed"},
		step("b", policy.Context{"aws:securetransport": {"true"}, "s3:prefix": {"y"}}),
		step("c", policy.Context{"aws:securetransport": {"true"}, "s3:prefix": {"x"}}),
	}}
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var want DestinationTrace
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	first := d.Steps[0].Context
	d.factor()
	if diff := cmp.Diff(policy.Context{"aws:securetransport": {"true"}}, d.Shared); diff != "" {
		t.Error(diff)
	}
	if len(first) != 3 {
		t.Error("factor changed the decision's own map")
	}
	d.expand()
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}
