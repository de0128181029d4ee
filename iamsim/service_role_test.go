package iamsim

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/internal/trail"
)

const replicationTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole",
	"Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::source"}}}]}`

// S3 assumes a replication role (I33).
func TestAssumeServiceRole(t *testing.T) {
	f := newFixture(t)
	guarded := f.newRole(accountA, "guarded", replicationTrust, readBucket)
	batch := f.newRole(accountA, "batch", trusting("Service", "batchoperations.s3.amazonaws.com"), readBucket)
	missing := "arn:aws:iam::111111111111:role/none"
	denial := func(role string) string {
		return "Service: s3.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: " + role + " because no role trust policy allows the sts:AssumeRole action"
	}
	for _, tc := range []struct {
		name, role, sourceARN string
		message               string // "": allowed
	}{
		{"allowed", guarded, "arn:aws:s3:::source", ""},
		{"other bucket", guarded, "arn:aws:s3:::other", denial(guarded)},
		{"other service", batch, "arn:aws:s3:::source", denial(batch)},
		{"missing role", missing, "arn:aws:s3:::source", denial(missing) + ": the role " + missing + " does not exist"},
		{"no role at all", "arn:aws:iam::111111111111:user/none", "", denial("arn:aws:iam::111111111111:user/none") + ": the role arn:aws:iam::111111111111:user/none does not exist"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var seen []*policy.Decision
			caller, err := f.AssumeServiceRole(t.Context(), ServiceRole{
				Service: "s3.amazonaws.com", RoleARN: tc.role, SessionName: "s3-replication", Region: "eu-west-1",
				SourceARN: tc.sourceARN, SourceAccount: accountA, Observe: func(d *policy.Decision) { seen = append(seen, d) },
			})
			if len(seen) != 1 || seen[0].Allowed() != (tc.message == "") {
				t.Fatalf("observed %v", seen)
			}
			event := f.lastEvent()
			if event.EventName != "AssumeRole" || event.EventSource != "sts.amazonaws.com" || event.UserIdentity != (trail.Identity{Type: "AWSService", InvokedBy: "s3.amazonaws.com"}) || event.Recipient != accountA {
				t.Errorf("event %+v", event)
			}
			if tc.message != "" {
				e := failure.Of(err)
				if e == nil || e.Code != "AccessDenied" || e.Message != tc.message {
					t.Fatalf("error %v, want AccessDenied: %s", err, tc.message)
				}
				d, ok := e.Decision.(*policy.Decision)
				if !ok || d.DecidedBy.Type != policy.Trust || d.Outcome != policy.ImplicitDeny || len(d.NearMisses) == 0 {
					t.Errorf("decision %+v", e.Decision)
				}
				if event.ErrorCode != "AccessDenied" || event.HTTPStatus != 403 {
					t.Errorf("event %+v", event)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("arn:aws:sts::111111111111:assumed-role/guarded/s3-replication", caller.Principal.ARN); diff != "" {
				t.Error(diff)
			}
			if caller.Session.InvokedBy != "s3.amazonaws.com" || caller.Source.IP != "" || caller.AccessKeyID != "" || caller.Identity().InvokedBy != "s3.amazonaws.com" {
				t.Errorf("caller %+v", caller)
			}
			d, err := f.Authorize(t.Context(), &caller, &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: accountA})
			if err != nil || !d.Allowed() || len(seen) != 2 {
				t.Errorf("GetObject: %+v %v, %d decisions seen", d, err, len(seen))
			}
			if _, ok := d.Context.Get("aws:SourceArn"); ok {
				t.Error("aws:SourceArn stays on the session's own calls")
			}
		})
	}
}

// PassRole is an ordinary action on the role with iam:PassedToService.
func TestPassRole(t *testing.T) {
	f := newFixture(t)
	caller := f.as(f.newUser(accountA, "u", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/crr",
		"Condition":{"StringEquals":{"iam:PassedToService":"s3.amazonaws.com"}}}]}`))
	for service, want := range map[string]bool{"s3.amazonaws.com": true, "lambda.amazonaws.com": false} {
		d, err := f.Authorize(t.Context(), &caller, &Request{
			Action: "iam:PassRole", Resource: "arn:aws:iam::111111111111:role/crr", ResourceAccount: accountA,
			Context: policy.Context{"iam:passedtoservice": {service}},
		})
		if err != nil || d.Allowed() != want {
			t.Errorf("to %s: %+v %v", service, d, err)
		}
	}
}
