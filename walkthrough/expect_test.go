package walkthrough

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
	"twinbucket/server"
)

// TestRefused: only the wanted answer passes.
func TestRefused(t *testing.T) {
	api := &smithy.GenericAPIError{Code: "MalformedPolicy", Message: "Policy has invalid action"}
	tests := []struct {
		name string
		err  error
		want answer
		what string // of the mismatch; "" when it passes
	}{
		{"as wanted", api, answer{0, "MalformedPolicy", "Policy has invalid action"}, ""},
		{"any message", api, answer{0, "MalformedPolicy", ""}, ""},
		{"another code", api, answer{0, "AccessDenied", ""}, "answer"},
		{"another message", api, answer{0, "MalformedPolicy", "Policy has invalid resource"}, "answer"},
		{"another status", api, answer{400, "MalformedPolicy", ""}, "answer"},
		{"served", nil, answer{400, "MalformedPolicy", ""}, "answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := refused(act(tt.err, ""), tt.want)(t.Context(), &step{})
			var m *Mismatch
			if got := errors.As(err, &m); got != (tt.what != "") || got && m.What != tt.what {
				t.Errorf("got %v", err)
			}
		})
	}
	gone := errors.New("connection refused")
	if err := refused(act(gone, ""), answer{})(t.Context(), &step{}); !errors.Is(err, gone) {
		t.Errorf("no answer at all: got %v", err)
	}
}

// TestUntilRefused gives up on what is served for ever.
func TestUntilRefused(t *testing.T) {
	slow := &smithy.GenericAPIError{Code: "SlowDown"}
	tries := 0
	third := func(context.Context, *step) error {
		if tries++; tries < 3 {
			return nil
		}
		return slow
	}
	s := &step{}
	if err := untilRefused(third, answer{0, "SlowDown", ""})(t.Context(), s); err != nil || s.note != "0 SlowDown, request 3" {
		t.Errorf("got %v, note %q", err, s.note)
	}
	if err := untilRefused(act(nil, ""), answer{0, "SlowDown", ""})(t.Context(), s); err == nil {
		t.Error("what is never refused passes")
	}
	if err := untilRefused(act(slow, ""), answer{0, "ThrottlingException", ""})(t.Context(), s); err == nil {
		t.Error("another refusal passes")
	}
}

// deniedTrace ends as the wildcard pitfall does.
func deniedTrace() *server.DestinationTrace {
	return &server.DestinationTrace{FailureReason: "SrcGetObjectNotPermitted", Steps: []server.ExplainStep{
		{Action: "sts:AssumeRole", Outcome: "allowed"},
		{Action: "s3:GetObjectVersionForReplication", Resource: "arn:aws:s3:::src/Tax/a", Outcome: "denied",
			DecidedBy: &policy.Reference{Type: policy.Identity},
			NearMiss:  []policy.NearMiss{{Policy: "role policy crr/p", Statement: 2, Line: 9, FailedOn: "resource", Expected: "arn:aws:s3:::src/Tax", Hint: "no wildcard"}}},
		{Action: "kms:Decrypt", Outcome: "not reached"},
	}}
}

// TestDenial: each part of an expectation can fail.
func TestDenial(t *testing.T) {
	good := denial{reason: "SrcGetObjectNotPermitted", action: "s3:GetObjectVersionForReplication", decidedBy: inIdentity, closest: "resource", says: "/Tax"}
	tests := []struct {
		name string
		want func(*denial)
		what string
	}{
		{"as it is", func(*denial) {}, ""},
		{"no closest asked for", func(d *denial) { d.closest = "" }, ""},
		{"reason", func(d *denial) { d.reason = "DstPutObjectNotPermitted" }, "failureReason"},
		{"step", func(d *denial) { d.action = "kms:Decrypt" }, "step that stopped the replication"},
		{"layer", func(d *denial) { d.decidedBy = inResource }, "policy that did not allow it"},
		{"closest element", func(d *denial) { d.closest = "action" }, "closest statement"},
		{"closest value", func(d *denial) { d.says = "/Photos" }, "closest statement"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := good
			tt.want(&want)
			err := want.check(deniedTrace())
			var m *Mismatch
			if got := errors.As(err, &m); got != (tt.what != "") || got && m.What != tt.what {
				t.Errorf("got %v, want a mismatch of %q", err, tt.what)
			}
		})
	}
	if err := good.check(&server.DestinationTrace{FailureReason: good.reason}); err == nil || !strings.Contains(err.Error(), "got none") {
		t.Errorf("no steps: got %v", err)
	}
}

// TestStopped: reading an SSE-S3 object with the other permission is no stop.
func TestStopped(t *testing.T) {
	d := deniedTrace()
	d.Steps[2] = server.ExplainStep{Action: "s3:GetObjectVersion", Outcome: "allowed"}
	if s := stopped(d); s != nil {
		t.Errorf("got %s", s.Action)
	}
}

func TestTell(t *testing.T) {
	e := &server.Explanation{Note: "a note", Destinations: []server.DestinationTrace{*deniedTrace()}}
	want := []string{
		"a note",
		"s3:GetObjectVersionForReplication on arn:aws:s3:::src/Tax/a: no identity-based policy allows it",
		"closest: role policy crr/p, statement 2, line 9",
		"         resource says arn:aws:s3:::src/Tax",
		"         no wildcard",
	}
	if diff := cmp.Diff(tell(e), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// TestReplica: every property of a replica is compared.
func TestReplica(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	src := &s3.HeadObjectOutput{VersionId: aws.String("v1"), ETag: aws.String(`"e"`), LastModified: &at}
	tests := map[string]func(*s3.HeadObjectOutput){
		"status of the replica":        func(h *s3.HeadObjectOutput) { h.ReplicationStatus = types.ReplicationStatusCompleted },
		"version id of the replica":    func(h *s3.HeadObjectOutput) { h.VersionId = aws.String("v2") },
		"ETag of the replica":          func(h *s3.HeadObjectOutput) { h.ETag = nil },
		"Last-Modified of the replica": func(h *s3.HeadObjectOutput) { h.LastModified = aws.Time(at.Add(time.Second)) },
		"encryption of the replica":    func(h *s3.HeadObjectOutput) { h.ServerSideEncryption = types.ServerSideEncryptionAes256 },
		"KMS key of the replica":       func(h *s3.HeadObjectOutput) { h.SSEKMSKeyId = aws.String("arn:other") },
		"storage class of the replica": func(h *s3.HeadObjectOutput) { h.StorageClass = types.StorageClassGlacier },
	}
	for what, change := range tests {
		t.Run(what, func(t *testing.T) {
			dst := *src
			dst.ReplicationStatus, dst.ServerSideEncryption, dst.SSEKMSKeyId = types.ReplicationStatusReplica, types.ServerSideEncryptionAwsKms, aws.String("arn:key")
			want := replica{key: &key{arn: "arn:key"}}
			if err := want.check(src, &dst); err != nil {
				t.Fatalf("a good replica: %v", err)
			}
			change(&dst)
			var m *Mismatch
			if err := want.check(src, &dst); !errors.As(err, &m) || m.What != what {
				t.Errorf("got %v", err)
			}
		})
	}
}
